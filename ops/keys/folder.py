"""The folder of keys: names, modes, passphrases, and writes that a crash cannot leave half done.

A private key is PKCS #8 in PEM form, mode 0400. It is encrypted if the *folder of passphrases* holds
``<role>.passphrase``: systemd's credentials folder, or the one that the setting ``passphrase_dir`` names. No
passphrase and no private key ever enters a message, a repr or a log.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.errors import AlreadyExists, Malformed, NotFound, Refused, StoreFull, Unavailable
from archive.trust.seal import PrivateKey, load_private_key

ROOT, SEAL, LOG, TSA = "root", "seal", "log", "tsa"
ROLES = (SEAL, LOG, TSA)
"""Roles whose key and certificate can be exchanged for new ones."""

DEVELOPMENT = "PENGEMBANGAN / DEVELOPMENT - not for court"
NEXT = "next"
"""Where a key waits for its certificate, and both wait to be taken into use."""

TRUST = "trust"
"""Certificates that were in use, revocation lists, the history: public, and kept for ever."""

P256, RSA3072, RSA4096 = "p256", "rsa3072", "rsa4096"
ALGORITHMS = (P256, RSA3072, RSA4096)

_PRIVATE, _PUBLIC = 0o400, 0o644


def check_role(role: str) -> str:
    """Check that a text names a key role. Raises Malformed ``bad_key_role``."""
    if role not in ROLES:
        raise Malformed(
            f"there is no key {role!r}", code="bad_key_role", hint=f"The keys are {', '.join(ROLES)}."
        )
    return role


def generate(algorithm: str) -> PrivateKey:
    """A new key. Raises Malformed ``bad_key_algorithm``."""
    if algorithm == P256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm in ALGORITHMS:
        return rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa")))
    raise Malformed(
        f"there is no kind of key {algorithm!r}",
        code="bad_key_algorithm",
        hint=f"The kinds are {', '.join(ALGORITHMS)}.",
    )


def key_path(folder: Path, name: str) -> Path:
    """The private key of a role."""
    return folder / f"{name}.key"


def certificate_path(folder: Path, name: str) -> Path:
    """The certificate of a role, and its authorities behind it."""
    return folder / f"{name}.pem"


def passphrase_of(passphrases: Path | None, name: str) -> bytes | None:
    """The passphrase of a role's key; None if it has none. One newline at its end is not part of it.

    Raises:
        Refused: ``passphrase_exposed``: other users may read it.
        Malformed: ``bad_passphrase``: it is empty.
        Unavailable: ``keys_unreadable``.
    """
    if passphrases is None:
        return None
    path = passphrases / f"{name}.passphrase"
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise Refused(
                f"{path} is readable by others", code="passphrase_exposed", hint=f"chmod 400 {path}"
            )
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", code="keys_unreadable") from error
    text = text.removesuffix(b"\n").removesuffix(b"\r")
    if not text:
        raise Malformed(f"{path} is empty", code="bad_passphrase", hint="Write the passphrase into it.")
    return text


def read_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """A private key; a passphrase that the key does not need is ignored.

    Raises:
        NotFound: ``keys_not_found``.
        Malformed: ``bad_key_file``.
    """
    pem = read(path)
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem
    return load_private_key(path.name, pem, passphrase if encrypted else None)


def is_encrypted(path: Path) -> bool:
    """Whether a private key needs a passphrase. Raises NotFound ``keys_not_found``."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in read(path)


def pkcs8(key: PrivateKey | Ed25519PrivateKey, passphrase: bytes | None = None) -> bytes:
    """A private key in the form of its file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase),
    )


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Make a folder unless it exists. Raises Unavailable ``keys_unwritable``."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a private key under a new name. Raises AlreadyExists ``keys_exist``, Unavailable."""
    _write(path, content, _PRIVATE, os.link)


def write_public(path: Path, content: bytes) -> None:
    """Write a public file under a new name. Raises AlreadyExists ``keys_exist``, Unavailable."""
    _write(path, content, _PUBLIC, os.link)


def replace_private(path: Path, content: bytes) -> None:
    """Write a private key, replacing any earlier one. Raises Unavailable ``keys_unwritable``."""
    _write(path, content, _PRIVATE, os.replace)


def replace_public(path: Path, content: bytes) -> None:
    """Write a public file, replacing any earlier one. Raises Unavailable ``keys_unwritable``."""
    _write(path, content, _PUBLIC, os.replace)


def move(source: Path, target: Path) -> None:
    """Replace one file with another, durably. Raises Unavailable ``keys_unwritable``."""
    try:
        source.replace(target)
        _sync_folder(target.parent)
        _sync_folder(source.parent)
    except OSError as error:
        raise unwritable(target, error) from error


def read(path: Path) -> bytes:
    """A file of the set. Raises NotFound ``keys_not_found``, Unavailable ``keys_unreadable``."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no key file {path}",
            code="keys_not_found",
            hint="Make a development set with saksi keys init, or restore the keys from their backup; "
            "saksi keys complete adds what an older set lacks.",
        ) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", code="keys_unreadable") from error


def unwritable(path: Path, error: OSError) -> Unavailable:
    """The error of a failed write."""
    if error.errno == errno.ENOSPC:
        return StoreFull(f"{path} cannot be written: {error.strerror}", code="store_full")
    return Unavailable(f"{path} cannot be written: {error.strerror}", code="keys_unwritable")


def _write(path: Path, content: bytes, mode: int, commit: Callable[[Path, Path], None]) -> None:
    """Write the whole file or nothing; ``commit`` gives the file its name."""
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(content)
            writer.flush()
            os.fsync(writer.fileno())
        commit(draft, path)
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise AlreadyExists(f"{path} exists already", code="keys_exist") from error
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
