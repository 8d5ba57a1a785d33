"""The trust a reader supplies, and the severity of findings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive.errors import Malformed, NotFound
from archive.trust import certificates, revocation

_PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\r?\n?", re.DOTALL)


class Severity(StrEnum):
    """An ``error`` makes the judged object invalid; a ``warning`` is left to the reader's judgement."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The roots and fingerprints that the reader trusts.

    ``stamp_roots`` are for the time-stamping authority; ``signer_sha256`` pins the sealing certificate and
    ``log_sha256`` the log's certificate. A fingerprint is None where the reader has none to compare with.
    ``recorder_keys`` are recorders' keys (Ed25519, 32 bytes each); empty where the reader has none.
    """

    roots: tuple[x509.Certificate, ...]
    stamp_roots: tuple[x509.Certificate, ...]
    signer_sha256: str | None = None
    log_sha256: str | None = None
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    recorder_keys: frozenset[bytes] = frozenset()


def load_trust(
    roots: list[Path],
    stamp_roots: list[Path],
    signer: str | None,
    log_key: str | None = None,
    crls: Sequence[Path] = (),
    recorder_keys: Sequence[Path] = (),
) -> Trust:
    """Trust from PEM files and printed fingerprints. Without ``stamp_roots`` the roots serve for both.

    Raises:
        NotFound: ``trust_not_found``, ``crl_not_found``.
        Malformed: ``bad_trust``, ``bad_fingerprint``, ``bad_crl``, ``bad_recorder_key``.
    """
    own = certificates.load_pem_files(roots)
    return Trust(
        roots=own,
        stamp_roots=certificates.load_pem_files(stamp_roots) if stamp_roots else own,
        signer_sha256=None if signer is None else certificates.read_fingerprint(signer),
        log_sha256=None if log_key is None else certificates.read_fingerprint(log_key),
        crls=revocation.load_files(crls),
        recorder_keys=frozenset(key for path in recorder_keys for key in _ed25519_keys(path)),
    )


def _ed25519_keys(path: Path) -> list[bytes]:
    """The public keys of a PEM file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", code="trust_not_found") from error
    found: list[bytes] = []
    for block in _PUBLIC_KEY.findall(data):
        try:
            key = serialization.load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _no_key(path) from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key(path)
        found.append(key.public_bytes_raw())
    if not found:
        raise _no_key(path)
    return found


def _no_key(path: Path) -> Malformed:
    return Malformed(
        f"{path} holds no Ed25519 key in PEM form",
        code="bad_recorder_key",
        hint="The installation prints its recorders' keys: saksi keys recorders",
    )
