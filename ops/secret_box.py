"""Keys made when first needed, outside the archive, mode 0600; one of them encrypts camera URLs."""

import hashlib
import hmac
import os
from pathlib import Path

from archive import vault
from archive.errors import Unavailable

FILE = "secrets.key"


def load_or_make_secret_box(folder: Path) -> vault.FernetBox:
    """The secret box of camera URLs.

    Raises:
        Malformed: ``bad_key_file``.
        Unavailable: as :func:`load_or_make_key`.
    """
    return vault.FernetBox(load_or_make_key(folder / FILE))


def header_key(folder: Path) -> bytes:
    """What authenticates packed headers in the cache bucket: derived from the secret box's key, 32 bytes.

    Raises:
        Unavailable: as :func:`load_or_make_key`.
    """
    secret = load_or_make_key(folder / FILE).strip()
    return hmac.new(secret, b"saksi packed headers 1", hashlib.sha256).digest()


def load_or_make_key(path: Path) -> bytes:
    """The content of a key file, made if there is none; two concurrent first uses get the same key.

    Raises:
        Unavailable: ``keys_unwritable``: no key exists and none can be made.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be made or read: {error.strerror}",
            code="keys_unwritable",
            hint="Check the folder's owner and mode; SAKSI_KEYS_DIR names it.",
        ) from error


def _make(path: Path) -> None:
    """Write a new key completely or not at all; a key that another process wrote meanwhile stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(vault.new_key() + b"\n")
            writer.flush()
            os.fsync(writer.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
