"""X.509 certificates: reading PEM files, fingerprints, and chains to roots that the reader supplies.

``cryptography`` does the path validation (RFC 5280). Its web defaults require names that a sealing
certificate does not have, so this module has extension rules of its own: an authority must be marked as one,
and the end certificate must be allowed to make its signature.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from archive.canonical import sha256_hex
from archive.errors import IntegrityError, Malformed, NotFound, Refused
from archive.timespan import as_datetime

MAX_PEM_BYTES = 4 << 20

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


class ChainBroken(IntegrityError):
    """A certificate does not lead to a trusted root at the given time."""

    default_code = "chain_broken"


def load_pem_files(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """Every certificate of some PEM files.

    Raises:
        NotFound: ``trust_not_found``.
        Malformed: ``bad_trust``: a file holds no certificate.
    """
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            with path.open("rb") as reader:
                data = reader.read(MAX_PEM_BYTES)
            found += x509.load_pem_x509_certificates(data)
        except OSError as error:
            raise NotFound(
                f"the certificate file {path} cannot be read: {error.strerror}", code="trust_not_found"
            ) from error
        except (ValueError, x509.InvalidVersion) as error:
            raise Malformed(
                f"{path} holds no certificate in PEM form",
                code="bad_trust",
                hint="Trust roots are PEM files that begin with -----BEGIN CERTIFICATE-----.",
            ) from error
    return tuple(found)


def load_der(what: str, data: bytes) -> x509.Certificate:
    """One certificate. Raises Malformed ``bad_certificate``."""
    try:
        certificate = x509.load_der_x509_certificate(data)
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.public_key()
    except (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise Malformed(f"a certificate in {what} cannot be read: {error}", code="bad_certificate") from error
    except (UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise Malformed(f"a certificate in {what} uses unknown algorithms", code="bad_certificate") from error
    if certificate.serial_number <= 0:
        raise Malformed(f"a certificate in {what} has no proper serial number", code="bad_certificate")
    return certificate


def to_der(certificate: x509.Certificate) -> bytes:
    """The certificate's DER bytes."""
    return certificate.public_bytes(Encoding.DER)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER bytes, in lower-case hex; ``openssl x509 -fingerprint -sha256`` shows the same."""
    return sha256_hex(to_der(certificate))


def read_fingerprint(text: str) -> str:
    """A fingerprint as people write it: hex in either case, with or without colons or spaces.

    Raises:
        Malformed: ``bad_fingerprint``.
    """
    plain = "".join(text.split()).replace(":", "").lower()
    if len(plain) != 64 or any(character not in "0123456789abcdef" for character in plain):
        raise Malformed(
            f"{text[:100]!r} is not a SHA-256 fingerprint",
            code="bad_fingerprint",
            hint="Give the 64 hex digits printed on the handover report; colons do not matter.",
        )
    return plain


def subject(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 text."""
    return certificate.subject.rfc4514_string()


def check_seal_chain(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: int,
) -> tuple[x509.Certificate, ...]:
    """The chain of a sealing certificate to one of ``roots``, all valid ``at`` (µs).

    Its key usage must allow signatures or non-repudiation. Its extended key usage, if present, must allow
    mail protection (the purpose that ``openssl cms -verify`` checks).

    Raises:
        ChainBroken: ``chain_broken`` or ``certificate_expired``, with the reason.
    """
    return _chain(certificate, others, roots, at, _may_seal)


def check_stamp_chain(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: int,
) -> tuple[x509.Certificate, ...]:
    """The chain of a time-stamping certificate; its critical extended key usage is time-stamping only."""
    return _chain(certificate, others, roots, at, _may_stamp)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate may issue others."""
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def check_valid(certificate: x509.Certificate, at: int) -> None:
    """Check that a certificate of this archive may be used ``at`` (µs).

    Raises:
        Refused: ``certificate_expired``.
    """
    try:
        _check_dates(certificate, as_datetime(at))
    except ChainBroken as error:
        raise Refused(
            error.message,
            code="certificate_expired",
            hint="Replace the key and certificate with new ones; earlier seals stay valid.",
        ) from error


def _chain(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: int,
    purpose: Callable[[x509.Certificate], str],
) -> tuple[x509.Certificate, ...]:
    name = subject(certificate)
    if not roots:
        raise ChainBroken(f"no trust root was given for {name}", code="no_trust")
    moment = as_datetime(at)
    _check_dates(certificate, moment)
    objection = purpose(certificate)
    if objection:
        raise ChainBroken(f"the certificate of {name} {objection}", code="wrong_key_usage")
    builder = PolicyBuilder().store(Store(list(roots))).time(moment)
    verifier = builder.extension_policies(ca_policy=_AUTHORITY, ee_policy=_END).build_client_verifier()
    try:
        return tuple(verifier.verify(certificate, list(others)).chain)
    except (VerificationError, ValueError) as error:
        for other in (*others, *roots):
            if other.subject == certificate.issuer:
                _check_dates(other, moment)
        raise ChainBroken(
            f"the certificate of {name} does not lead to a trusted root: {error}",
            hint="Check that the trust file is the published root of the authority that seals.",
        ) from error


def _check_dates(certificate: x509.Certificate, moment: datetime) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= moment <= last:
        state = "had expired" if moment > last else "was not yet valid"
        raise ChainBroken(
            f"the certificate of {subject(certificate)} {state} at {moment:%Y-%m-%d %H:%M:%SZ} "
            f"(valid {first:%Y-%m-%d} to {last:%Y-%m-%d})",
            code="certificate_expired",
            hint="For a package sealed years ago check at the time of its stamp: --at stamp.",
        )


def _may_seal(certificate: x509.Certificate) -> str:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return "does not allow signing"
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extended is not None and not allowed & set(extended):
        return "does not allow sealing (extended key usage)"
    return ""


def _may_stamp(certificate: x509.Certificate) -> str:
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return "does not allow time-stamping"
    if not extended.critical or list(extended.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        return "does not have time-stamping as its only, critical extended key usage"
    return ""


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _must_be_authority(_: Policy, certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError(f"{subject(certificate)} is not an authority")


def _must_sign_certificates(
    _: Policy, certificate: x509.Certificate, extension: x509.KeyUsage | None
) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError(f"{subject(certificate)} may not sign certificates")


_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _must_be_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign_certificates)
)
_END = ExtensionPolicy.permit_all()
