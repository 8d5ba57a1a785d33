"""The trust a reader supplies, and the severity of findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from archive.trust import certificates, revocation


class Severity(StrEnum):
    """An ``error`` makes the judged object invalid; a ``warning`` is left to the reader's judgement."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The roots and fingerprints that the reader trusts.

    ``stamp_roots`` are for the time-stamping authority; ``signer_sha256`` pins the sealing certificate and
    ``log_sha256`` the log's certificate. A fingerprint is None where the reader has none to compare with.
    """

    roots: tuple[x509.Certificate, ...]
    stamp_roots: tuple[x509.Certificate, ...]
    signer_sha256: str | None = None
    log_sha256: str | None = None
    crls: tuple[x509.CertificateRevocationList, ...] = ()


def load_trust(
    roots: list[Path],
    stamp_roots: list[Path],
    signer: str | None,
    log_key: str | None = None,
    crls: Sequence[Path] = (),
) -> Trust:
    """Trust from PEM files and printed fingerprints. Without ``stamp_roots`` the roots serve for both.

    Raises:
        NotFound: ``trust_not_found``, ``crl_not_found``.
        Malformed: ``bad_trust``, ``bad_fingerprint``, ``bad_crl``.
    """
    own = certificates.load_pem_files(roots)
    return Trust(
        roots=own,
        stamp_roots=certificates.load_pem_files(stamp_roots) if stamp_roots else own,
        signer_sha256=None if signer is None else certificates.read_fingerprint(signer),
        log_sha256=None if log_key is None else certificates.read_fingerprint(log_key),
        crls=revocation.load_files(crls),
    )
