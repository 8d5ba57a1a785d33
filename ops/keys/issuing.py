"""What the development authority signs: its own certificate, the keys' certificates, its revocation list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from archive.timespan import as_datetime
from archive.trust.seal import PrivateKey
from ops.keys.folder import DEVELOPMENT, LOG, SEAL, TSA

ROOT_DAYS, LEAF_DAYS, LIST_DAYS = 3650, 730, 365

REASONS = {
    reason.value: reason
    for reason in (
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.unspecified,
    )
}
"""Reasons for revocation, in the words of RFC 5280."""

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Usage:
    """The purpose of a certificate; ``title`` is its organisational unit in a development set."""

    title: str
    non_repudiation: bool
    purpose: x509.ObjectIdentifier
    purpose_critical: bool

    @property
    def key_usage(self) -> x509.KeyUsage:
        """The key usage of the certificate."""
        return _key_usage(signs=True, non_repudiation=self.non_repudiation, authority=False)


USAGES = {
    SEAL: Usage("Segel / Seal", True, ExtendedKeyUsageOID.EMAIL_PROTECTION, False),
    LOG: Usage("Log", False, ExtendedKeyUsageOID.EMAIL_PROTECTION, False),
    TSA: Usage("Waktu / Time", False, ExtendedKeyUsageOID.TIME_STAMPING, True),
}


def begins_at(now: int) -> datetime:
    """When a certificate made ``now`` (µs) begins: a little early, for machines with a slow clock."""
    return as_datetime(now).replace(microsecond=0) - timedelta(minutes=5)


def root_certificate(key: PrivateKey, now: int) -> x509.Certificate:
    """The development authority's own certificate."""
    name, start = _subject("Akar / Root"), begins_at(now)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=False, non_repudiation=False, authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def leaf_certificate(
    role: str, key: PublicKey, root: x509.Certificate, root_key: PrivateKey, now: int
) -> x509.Certificate:
    """A certificate with one purpose; it ends no later than the authority's own."""
    usage, start = USAGES[role], begins_at(now)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(usage.title))
        .issuer_name(root.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(min(start + timedelta(days=LEAF_DAYS), root.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage.key_usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage.purpose]), critical=usage.purpose_critical)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_id(root), critical=False)
        .sign(root_key, SHA256())
    )


def signing_request(
    role: str, key: PrivateKey, *, organization: str, name: str
) -> x509.CertificateSigningRequest:
    """The signing request for an institution: the key, the name, and the purpose."""
    usage = USAGES[role]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
                    x509.NameAttribute(NameOID.COMMON_NAME, name),
                ]
            )
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage.key_usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage.purpose]), critical=usage.purpose_critical)
        .sign(key, SHA256())
    )


def revoked_entry(serial: int, *, at: int, since: int | None, reason: str) -> x509.RevokedCertificate:
    """An entry of the list: revoked ``at``, not trusted from ``since`` on if that is earlier (µs)."""
    builder = (
        x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_whole(at))
    ).add_extension(x509.CRLReason(REASONS[reason]), critical=False)
    if since is not None and since < at:
        builder = builder.add_extension(x509.InvalidityDate(_whole(since)), critical=False)
    return builder.build()


def revocation_list(
    root: x509.Certificate,
    root_key: PrivateKey,
    entries: Sequence[x509.RevokedCertificate],
    *,
    number: int,
    now: int,
) -> x509.CertificateRevocationList:
    """The authority's list, valid from ``now`` (µs) for a year."""
    start = begins_at(now)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(start)
        .next_update(start + timedelta(days=LIST_DAYS))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_id(root), critical=False)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(root_key, SHA256())


def _whole(instant: int) -> datetime:
    return as_datetime(instant).replace(microsecond=0)


def _authority_id(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _subject(unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Saksi"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
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
