"""Revocation lists (RFC 5280 section 5): reading them, and what they say of a seal or a time stamp.

A list is believed only where an authority of the certificate's own chain signed it. It can only condemn: that
a certificate is on no list proves nothing, for an older list may have been put in a newer one's place. So the
reader brings lists along (``--crl``), and those inside a package are heard as further witnesses.

What counts is when a thing was signed, as a trusted time stamp proves it, against the time from which the
key must not be believed: the revocation date, or the invalidity date where the entry has an earlier one.

* A seal stamped before that time stays good; one stamped later, or not stamped, is not.
* A stamp's own time is only as good as the key that made it. It stays good where the list says that the key
  was given up in order (``unspecified``, ``affiliationChanged``, ``superseded``, ``cessationOfOperation``)
  after the stamp; for every other reason, and for none, all its stamps fall (RFC 3161 section 4).
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
"""No list is larger; what is, is refused unread."""

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
    """A certificate must not be believed for what it signed."""

    default_code = "certificate_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One certificate on one list.

    ``since`` is from when its key must not be believed and ``listed_at`` when the authority revoked it, both
    in µs; ``reason`` is the list's word for it, None where it gives none.
    """

    certificate: x509.Certificate
    since: int
    listed_at: int
    reason: x509.ReasonFlags | None

    @property
    def sentence(self) -> str:
        """Whose certificate, since when, and why."""
        why = "no reason is given" if self.reason is None else self.reason.value
        return (
            f"the certificate of {certificates.subject(self.certificate)} is revoked since "
            f"{format_instant(self.since)} ({why})"
        )


def load(what: str, data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Every list of a PEM text, or the one that DER bytes are.

    Raises:
        Malformed: ``bad_crl``: unreadable, or a list for a part only (delta, indirect, some reasons), whose
            silence and whose entries mean something else.
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
    """The list in PEM form, as ``openssl`` takes it in a ``-CAfile``."""
    return crl.public_bytes(Encoding.PEM)


def name_of(crl: x509.CertificateRevocationList) -> str:
    """A file name that is the same for every list of one authority and key."""
    try:
        key = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
    except x509.ExtensionNotFound:
        key = b""
    return f"{sha256_hex(crl.issuer.public_bytes() + key)[:16]}.crl"


def is_authentic(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` made the list and may make lists."""
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
    """The list's number; -1 where it has none."""
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
    """What authentic lists say of a chain's certificates, the end certificate first; the earliest time each.

    ``chain`` leads from the end certificate to the root, as :func:`certificates.check_seal_chain` gives it.
    The root is on no list: whoever trusts it decides that.
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
    """Hold a signature's chain to the lists; ``stamped_at`` (µs) is None where no trusted stamp stands.

    Returns:
        Revocations that came after the stamp: the signature stays good, and a reader should know.

    Raises:
        CertificateRevoked: ``certificate_revoked``: signed after it, or nothing proves that it was before.
    """
    later = tuple(revocations(chain, crls))
    for one in later:
        if stamped_at is None:
            raise CertificateRevoked(
                f"{one.sentence}, and no trusted time stamp proves that it signed before",
                hint="Without a stamp of an authority you trust, anybody who has the key may have signed.",
            )
        if stamped_at >= one.since:
            raise CertificateRevoked(
                f"{one.sentence}; it signed at {format_instant(stamped_at)}",
                hint="Do not believe what was signed since then. Ask the authority for its statement.",
            )
    return later


def check_stamp(
    chain: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    gen_time: int,
) -> tuple[Revocation, ...]:
    """Hold a time stamp's chain to the lists; ``gen_time`` (µs) is what the stamp itself says.

    Returns:
        Revocations in order after the stamp, which leave it good.

    Raises:
        CertificateRevoked: ``certificate_revoked``.
    """
    later = tuple(revocations(chain, crls))
    for one in later:
        if one.reason not in _IN_ORDER:
            raise CertificateRevoked(
                f"{one.sentence}; no time that it stamped can be believed",
                hint="A time stamp is only as good as its key. A second stamp by another authority may help.",
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
    """Why a list cannot be used; reads all of it, since ``cryptography`` parses entries when asked."""
    _ = crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.signature_hash_algorithm, crl.signature
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            return "it is a delta list; give the whole one"
        if isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl or value.only_some_reasons:
                return "it is an indirect list or one for some reasons only"
        elif extension.critical and isinstance(value, x509.UnrecognizedExtension):
            return f"it has an unknown critical part {extension.oid.dotted_string}"
    for entry in crl:
        _ = entry.revocation_date_utc
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CertificateIssuer):
                return "it is an indirect list"
            if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
                return f"an entry has an unknown critical part {extension.oid.dotted_string}"
    return ""


def _bad(what: str, why: str) -> Malformed:
    return Malformed(
        f"{what} is no usable revocation list: {why}",
        code="bad_crl",
        hint="Give the authority's complete list (CRL), in PEM or DER form.",
    )
