"""Keys of an installation: a development set made on demand, and loaders for whatever set is there.

A folder of keys, mode 0700, outside the archive (``SAKSI_HOME/keys``)::

    root.pem root.key     the authority that signs the next three
    seal.pem seal.key     the seal of packages: emailProtection, digitalSignature and nonRepudiation
    log.pem log.key       the log's checkpoints: emailProtection and digitalSignature
    tsa.pem tsa.key       the local time-stamping authority: timeStamping, critical
    secrets.key           the secret box of camera URLs
    recorders/<id>.key    one Ed25519 key a recorder, for its journal

What ``init`` makes is for development and says so in every subject. For use in court the city puts its own
``seal.pem``, ``seal.key``, ``log.pem``, ``log.key`` and ``root.pem`` (the issuing authority's chain) in their
places. The log key is never the seal key: what signs every hour by itself signs no evidence.
"""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from archive import vault
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound, StoreFull, Unavailable
from archive.evidence import certificates
from archive.evidence.seal import FileSigner, load_private_key
from archive.evidence.timestamp import LOCAL_NAME, HttpAuthority, LocalAuthority
from archive.ids import check_name
from archive.ports import TimestampAuthority
from archive.timespan import as_datetime
from ops.secret_box import FILE as SECRETS
from ops.secret_box import load_or_make_secret_box

DEVELOPMENT = "PENGEMBANGAN / DEVELOPMENT - not for court"
ROOT, SEAL, LOG, TSA = "root", "seal", "log", "tsa"
TSA_TIMEOUT = httpx.Timeout(20.0, connect=5.0)

_ROOT_DAYS = 3650
_LEAF_DAYS = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """What ``saksi keys show`` tells: public facts only. ``tsa`` names the time-stamping authority.

    ``log_sha256`` is empty and ``log_not_after`` None in an older set without a log key.
    """

    folder: Path
    trust_root: Path
    root_sha256: str
    signer_subject: str
    signer_sha256: str
    signer_not_after: datetime
    log_sha256: str
    log_not_after: datetime | None
    tsa: str
    development: bool


def init(folder: Path, *, clock: Clock) -> KeySet:
    """Make a development set in a folder without one; a secret box that is there already stays.

    Raises:
        AlreadyExists: ``keys_exist``: a key is there; none is ever overwritten.
        Unavailable: ``keys_unwritable``.
    """
    made = [path for path in (folder / f"{name}.key" for name in (ROOT, SEAL, LOG, TSA)) if path.exists()]
    if made:
        raise AlreadyExists(
            f"{made[0]} exists already",
            code="keys_exist",
            hint="Keys are never overwritten. Keep a backup of them, and name another folder for a new set.",
        )
    # a certificate valid from its own second on would be refused by a machine whose clock is a little behind
    now = as_datetime(clock.now()).replace(microsecond=0) - timedelta(minutes=5)
    root_key, seal_key, log_key, tsa_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(4))
    root = _root_certificate(root_key, now)
    seal = _leaf_certificate("Segel / Seal", seal_key, root, root_key, now, _SEAL_USAGE)
    log = _leaf_certificate("Log", log_key, root, root_key, now, _LOG_USAGE)
    tsa = _leaf_certificate("Waktu / Time", tsa_key, root, root_key, now, _TSA_USAGE)
    _make_folder(folder)
    for name, key, certificate in (
        (ROOT, root_key, root),
        (SEAL, seal_key, seal),
        (LOG, log_key, log),
        (TSA, tsa_key, tsa),
    ):
        _write_pair(folder, name, key, certificate)
    load_or_make_secret_box(folder)
    return show(folder, tsa_url="")


def complete(folder: Path, *, clock: Clock) -> KeySet:
    """Add the log key to an older set that has none, signed by the root key that is there.

    Raises:
        AlreadyExists: ``keys_exist``: nothing is missing.
        NotFound: ``keys_not_found``: there is no set, or its root key is an institution's.
    """
    if (folder / f"{LOG}.key").exists():
        raise AlreadyExists(f"{folder} has a log key already", code="keys_exist")
    _read(folder / f"{ROOT}.pem")
    root_key = load_private_key(f"{ROOT}.key", _read(folder / f"{ROOT}.key"))
    root, *_ = certificates.load_pem_files([folder / f"{ROOT}.pem"])
    if not isinstance(root_key, ec.EllipticCurvePrivateKey) or root.public_key() != root_key.public_key():
        raise Malformed(
            "root.key is not the development root of root.pem",
            code="bad_key_file",
            hint="Have the institution that issued root.pem issue log.pem as well.",
        )
    now = as_datetime(clock.now()).replace(microsecond=0) - timedelta(minutes=5)
    log_key = ec.generate_private_key(ec.SECP256R1())
    _write_pair(folder, LOG, log_key, _leaf_certificate("Log", log_key, root, root_key, now, _LOG_USAGE))
    return show(folder, tsa_url="")


def show(folder: Path, *, tsa_url: str) -> KeySet:
    """The public facts of a set; ``tsa_url`` is the setting, empty for the local authority.

    Raises:
        NotFound: ``keys_not_found``.
    """
    _read(folder / f"{SEAL}.pem")
    signer, *_ = certificates.load_pem_files([folder / f"{SEAL}.pem"])
    trust_root = folder / f"{ROOT}.pem"
    roots = certificates.load_pem_files([trust_root])
    log_path = folder / f"{LOG}.pem"
    log = certificates.load_pem_files([log_path])[0] if log_path.exists() else None
    authority = LOCAL_NAME
    if tsa_url:
        with httpx.Client() as client:
            authority = HttpAuthority(tsa_url, client).name
    return KeySet(
        folder=folder,
        trust_root=trust_root,
        root_sha256=certificates.fingerprint(roots[0]),
        signer_subject=certificates.subject(signer),
        signer_sha256=certificates.fingerprint(signer),
        signer_not_after=signer.not_valid_after_utc,
        log_sha256="" if log is None else certificates.fingerprint(log),
        log_not_after=None if log is None else log.not_valid_after_utc,
        tsa=authority,
        development=DEVELOPMENT in certificates.subject(signer),
    )


def load_signer(folder: Path, *, clock: Clock, password: bytes | None = None) -> FileSigner:
    """The seal. Raises NotFound ``keys_not_found``, Malformed ``bad_key_file``."""
    return _load_signer(folder, SEAL, clock, password)


def load_log_signer(folder: Path, *, clock: Clock, password: bytes | None = None) -> FileSigner:
    """The signer of the log's checkpoints. Raises as :func:`load_signer`."""
    return _load_signer(folder, LOG, clock, password)


def _load_signer(folder: Path, name: str, clock: Clock, password: bytes | None) -> FileSigner:
    key = load_private_key(f"{name}.key", _read(folder / f"{name}.key"), password)
    _read(folder / f"{name}.pem")
    own, *chain = certificates.load_pem_files([folder / f"{name}.pem"])
    return FileSigner(key, own, clock, tuple(chain))


def load_local_authority(folder: Path, *, clock: Clock) -> LocalAuthority:
    """The local time-stamping authority. Raises NotFound ``keys_not_found``, Malformed ``bad_key_file``."""
    key = load_private_key(f"{TSA}.key", _read(folder / f"{TSA}.key"))
    _read(folder / f"{TSA}.pem")
    own, *_ = certificates.load_pem_files([folder / f"{TSA}.pem"])
    return LocalAuthority(key, own, clock)


def load_authority(folder: Path, *, tsa_url: str, clock: Clock) -> TimestampAuthority:
    """The authority of the settings: the one behind ``tsa_url``, or the local one where it is empty."""
    if tsa_url:
        return HttpAuthority(tsa_url, httpx.Client(timeout=TSA_TIMEOUT))
    return load_local_authority(folder, clock=clock)


def load_secret_box(folder: Path) -> vault.FernetBox:
    """The secret box of camera URLs. Raises NotFound ``keys_not_found``, Malformed ``bad_key_file``."""
    return vault.FernetBox(_read(folder / SECRETS))


def load_or_make_recorder_key(folder: Path, recorder: str) -> Ed25519PrivateKey:
    """A recorder's journal key, made at its first start. Two racing starts get the same one.

    Raises:
        Malformed: ``bad_key_file`` for a file that holds no Ed25519 key.
    """
    path = folder / "recorders" / f"{check_name('recorder', recorder)}.key"
    if not path.exists():
        _make_folder(path.parent)
        with suppress(AlreadyExists):  # another process was first: its key is the recorder's
            _write_private(path, _pkcs8(Ed25519PrivateKey.generate()))
    try:
        key = serialization.load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise _bad_recorder_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_recorder_key(path)
    return key


def _bad_recorder_key(path: Path) -> Malformed:
    return Malformed(
        f"{path} holds no Ed25519 key",
        code="bad_key_file",
        hint="Restore it from its backup; a new key must be registered by an admin.",
    )


@dataclass(frozen=True, slots=True)
class _Usage:
    non_repudiation: bool
    purpose: x509.ObjectIdentifier
    purpose_critical: bool


_SEAL_USAGE = _Usage(True, ExtendedKeyUsageOID.EMAIL_PROTECTION, False)
_LOG_USAGE = _Usage(False, ExtendedKeyUsageOID.EMAIL_PROTECTION, False)
_TSA_USAGE = _Usage(False, ExtendedKeyUsageOID.TIME_STAMPING, True)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Saksi"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT),
        ]
    )


def _key_usage(*, signs: bool, non_repudiation: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=non_repudiation,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _root_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _subject("Akar / Root")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=False, non_repudiation=False, authority=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, SHA256())
    )


def _leaf_certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    usage: _Usage,
) -> x509.Certificate:
    root_id = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            _key_usage(signs=True, non_repudiation=usage.non_repudiation, authority=False), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([usage.purpose]), critical=usage.purpose_critical)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False
        )
        .sign(root_key, SHA256())
    )


def _pkcs8(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_pair(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    _write_private(folder / f"{name}.key", _pkcs8(key))
    _write_public(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write_private(path: Path, content: bytes) -> None:
    _write_new(path, content, 0o600)


def _write_public(path: Path, content: bytes) -> None:
    _write_new(path, content, 0o644)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not be there yet, whole or not at all under its name."""
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(content)
            writer.flush()
            os.fsync(writer.fileno())
        os.link(draft, path)
    except FileExistsError as error:
        raise AlreadyExists(f"{path} exists already", code="keys_exist") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
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


def _unwritable(path: Path, error: OSError) -> Unavailable:
    if error.errno == errno.ENOSPC:
        return StoreFull(f"{path} cannot be written: {error.strerror}", code="store_full")
    return Unavailable(f"{path} cannot be written: {error.strerror}", code="keys_unwritable")
