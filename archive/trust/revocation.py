"""Reads revocation lists (RFC 5280 section 5) and judges a seal or a time stamp by them.

A list counts only if an authority of the certificate's own chain signed it. A list can only count against a
certificate: absence from a list proves nothing, because an older list may have replaced a newer one. So the
reader supplies lists (``--crl``), and lists inside a package are used in addition.

Two times are compared: the time of signing, proven by a trusted time stamp, and the time from which the key
is no longer trusted. The latter is the revocation date, or the entry's invalidity date where that is earlier.

* A seal stamped before that time stays valid; a seal stamped later, or not stamped, does not.
* A stamp's own time is only as trustworthy as the key that made it. The stamp stays valid if the list says
  that the key was retired in order (``unspecified``, ``affiliationChanged``, ``superseded``,
  ``cessationOfOperation``) after the stamp. For any other reason, or without a reason, all stamps of the key
  become invalid (RFC 3161 section 4).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from archive.canonical import sha256_hex
from archive.errors import IntegrityError, Malformed, NotFound
from archive.timespan import format_instant, from_datetime
from archive.trust import certificates

MAX_BYTES = 4 << 20
"""The largest list accepted (bytes); a larger one is refused unread."""

_PEM = re.compile(rb"-----BEGIN X509 CRL-----\s.+?-----END X509 CRL-----", re.DOTALL)
_UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_IN_ORDER = {
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
}


class CertificateRevoked(IntegrityError):
    """A certificate is revoked, and its signature must not be trusted."""

    default_code = "certificate_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One certificate on one list.

    ``since`` is the time from which its key is no longer trusted, and ``listed_at`` the time at which the
    authority revoked it, both in µs; ``reason`` is the list's reason, None where it gives no reason.
    """

    certificate: x509.Certificate
    since: int
    listed_at: int
    reason: x509.ReasonFlags | None

    @property
    def sentence(self) -> str:
        """A sentence with the certificate's subject, the time and the reason."""
        why = "no reason is given" if self.reason is None else self.reason.value
        return (
            f"the certificate of {certificates.subject(self.certificate)} is revoked since "
            f"{format_instant(self.since)} ({why})"
        )


def load(what: str, data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Every list of a PEM text, or the single list in DER bytes.

    Raises:
        Malformed: ``bad_crl``: unreadable, or a partial list (delta, indirect, some reasons only): its
            entries, and the absence of one, have another meaning.
    """
    if len(data) > MAX_BYTES:
        raise _bad(what, "it is larger than any revocation list")
    blocks = _PEM.findall(data)
    if data.startswith(b"-----BEGIN") and not blocks:
        raise _bad(what, "it holds no revocation list in PEM form")
    try:
        found = tuple(
            [x509.load_pem_x509_crl(block) for block in blocks] if blocks else [x509.load_der_x509_crl(data)]
        )
        for crl in found:
            objection = _objection(crl)
            if objection:
                raise _bad(what, objection)
    except _UNREADABLE as error:
        raise _bad(what, str(error)) from error
    return found


def load_files(paths: Iterable[Path]) -> tuple[x509.CertificateRevocationList, ...]:
    """Every list of some files. Raises NotFound ``crl_not_found``, Malformed ``bad_crl``."""
    found: list[x509.CertificateRevocationList] = []
    for path in paths:
        try:
            with path.open("rb") as reader:
                data = reader.read(MAX_BYTES + 1)
        except OSError as error:
            raise NotFound(
                f"the revocation list {path} cannot be read: {error.strerror}", code="crl_not_found"
            ) from error
        found += load(path.name, data)
    return tuple(found)


def to_pem(crl: x509.CertificateRevocationList) -> bytes:
    """The list in PEM form, as ``openssl`` accepts it in a ``-CAfile``."""
    return crl.public_bytes(Encoding.PEM)


def name_of(crl: x509.CertificateRevocationList) -> str:
    """A file name that is the same for every list of one authority and key."""
    try:
        key = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
    except x509.ExtensionNotFound:
        key = b""
    return f"{sha256_hex(crl.issuer.public_bytes() + key)[:16]}.crl"


def is_authentic(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` signed the list and is allowed to sign lists."""
    if crl.issuer != issuer.subject or not isinstance(crl.signature_hash_algorithm, _HASHES):
        return False
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not usage.crl_sign:
        return False
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # TypeError is caught
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def number_of(crl: x509.CertificateRevocationList) -> int:
    """The list's number; -1 where it has no number."""
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return -1


def is_newer(crl: x509.CertificateRevocationList, other: x509.CertificateRevocationList) -> bool:
    """Whether a list follows another of the same authority."""
    return (number_of(crl), crl.last_update_utc) > (number_of(other), other.last_update_utc)


def revocations(
    chain: Sequence[x509.Certificate], crls: Sequence[x509.CertificateRevocationList]
) -> Iterator[Revocation]:
    """The revocations of a chain's certificates in authentic lists, the end certificate first.

    For each certificate it gives the one with the earliest time. ``chain`` leads from the end certificate to
    the root, as :func:`certificates.check_seal_chain` gives it. The root is not looked up: no authority can
    revoke it, and the reader decides whether to trust it.
    """
    for certificate, issuer in pairwise(chain):
        found = [
            _revocation(certificate, entry)
            for crl in crls
            if is_authentic(crl, issuer)
            and (entry := crl.get_revoked_certificate_by_serial_number(certificate.serial_number))
        ]
        if found:
            yield min(found, key=lambda one: one.since)


def check_seal(
    chain: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    stamped_at: int | None,
) -> tuple[Revocation, ...]:
    """Check a signature's chain against the lists; ``stamped_at`` (µs) is None without a trusted stamp.

    Returns:
        Revocations after the stamp: the signature stays valid, but a reader should know of them.

    Raises:
        CertificateRevoked: ``certificate_revoked``: the signature was made after the revocation, or nothing
            proves that it was made before.
    """
    later = tuple(revocations(chain, crls))
    for one in later:
        if stamped_at is None:
            raise CertificateRevoked(
                f"{one.sentence}, and no trusted time stamp proves that it signed before",
                hint="Without a stamp of an authority you trust, anyone who has the key may have signed.",
            )
        if stamped_at >= one.since:
            raise CertificateRevoked(
                f"{one.sentence}; it signed at {format_instant(stamped_at)}",
                hint="Do not trust signatures made since then. Ask the authority for its statement.",
            )
    return later


def check_stamp(
    chain: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    gen_time: int,
) -> tuple[Revocation, ...]:
    """Check a time stamp's chain against the lists; ``gen_time`` (µs) is the stamp's own time.

    Returns:
        Revocations after the stamp for an orderly reason: the stamp stays valid.

    Raises:
        CertificateRevoked: ``certificate_revoked``.
    """
    later = tuple(revocations(chain, crls))
    for one in later:
        if one.reason not in _IN_ORDER:
            raise CertificateRevoked(
                f"{one.sentence}; none of its time stamps can be trusted",
                hint="A time stamp depends on its key. A second stamp by another authority may help.",
            )
        if gen_time >= one.since:
            raise CertificateRevoked(f"{one.sentence}; it stamped at {format_instant(gen_time)}")
    return later


def _revocation(certificate: x509.Certificate, entry: x509.RevokedCertificate) -> Revocation:
    listed = from_datetime(entry.revocation_date_utc)
    since, reason = listed, None
    for extension in entry.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif isinstance(extension.value, x509.InvalidityDate):
            since = min(since, from_datetime(extension.value.invalidity_date_utc))
    return Revocation(certificate=certificate, since=since, listed_at=listed, reason=reason)


def _objection(crl: x509.CertificateRevocationList) -> str:
    """Why a list cannot be used. It reads the whole list, because ``cryptography`` parses entries lazily."""
    _ = crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.signature_hash_algorithm, crl.signature
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            return "it is a delta list; give the complete list"
        if isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl or value.only_some_reasons:
                return "it is an indirect list or one for some reasons only"
        elif extension.critical and isinstance(value, x509.UnrecognizedExtension):
            return f"it has an unknown critical extension {extension.oid.dotted_string}"
    for entry in crl:
        _ = entry.revocation_date_utc
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CertificateIssuer):
                return "it is an indirect list"
            if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
                return f"an entry has an unknown critical extension {extension.oid.dotted_string}"
    return ""


def _bad(what: str, why: str) -> Malformed:
    return Malformed(
        f"{what} is not a usable revocation list: {why}",
        code="bad_crl",
        hint="Give the authority's complete list (CRL), in PEM or DER form.",
    )
