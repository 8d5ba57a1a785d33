"""Reads a detached CAdES signature (RFC 5652, RFC 5126) and checks it against its content and certificate.

It accepts only the form of our own seals: one signer, SHA-256, ECDSA or RSA (PKCS #1 v1.5), no content
inside, and the signed attribute ``signing-certificate-v2``. Without that attribute, another certificate with
the same key could replace the signer's. :mod:`archive.trust.certificates` decides whether the certificate is
trusted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from archive.errors import IntegrityError, Malformed
from archive.trust import certificates

MAX_BYTES = 1 << 20
MIN_RSA_BITS = 2048


class SealBroken(IntegrityError):
    """The signature does not fit the content, or does not have the form of a seal."""

    default_code = "seal_broken"


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed CMS signature: its signer's certificate, the others it carries, and what it signs."""

    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    message_digest: bytes
    signed_attributes: bytes
    signature: bytes
    signing_time: int | None


def decode(what: str, data: bytes) -> Signature:
    """Read a detached CAdES-BES signature.

    Raises:
        Malformed: ``bad_cms``: it cannot be read.
        SealBroken: ``seal_form``: it can be read, but does not have the form of a seal.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"{what} is larger than any signature", code="bad_cms")
    with _der(what):
        info = cms.ContentInfo.load(data, strict=True)
        if info["content_type"].native != "signed_data":
            raise SealBroken(f"{what} is not a signature", code="seal_form")
        signed = info["content"]
        inner = signed["encap_content_info"]
        if inner["content_type"].native != "data" or not isinstance(inner["content"].native, type(None)):
            raise SealBroken(f"{what} carries content of its own", code="seal_form")
        if len(signed["signer_infos"]) != 1:
            raise SealBroken(f"{what} has {len(signed['signer_infos'])} signers, not one", code="seal_form")
        return _read_signer(what, signed)


def check(what: str, found: Signature, content: bytes) -> None:
    """Check a signature against the content it belongs to.

    Raises:
        SealBroken: ``seal_content`` where the content differs, ``seal_signature`` where the certificate's key
            did not make the signature.
    """
    if found.message_digest != sha256(content).digest():
        raise SealBroken(
            f"{what} was made over other bytes",
            code="seal_content",
            hint="The tag manifest, or a part that it lists, was changed after sealing.",
        )
    key = found.certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            key.verify(found.signature, found.signed_attributes, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            key.verify(found.signature, found.signed_attributes, padding.PKCS1v15(), SHA256())
        else:
            raise SealBroken(f"{what} was made with a kind of key that seals do not use", code="seal_form")
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise SealBroken(
            f"{what} is not a signature by the key of {certificates.subject(found.certificate)}",
            code="seal_signature",
        ) from error


def _read_signer(what: str, signed: cms.SignedData) -> Signature:
    signer = signed["signer_infos"][0]
    if signer["digest_algorithm"]["algorithm"].native != "sha256":
        raise SealBroken(f"{what} does not use SHA-256", code="seal_form")
    if signer["signature_algorithm"]["algorithm"].native not in _SIGNATURES:
        raise SealBroken(f"{what} does not use ECDSA or RSA with SHA-256", code="seal_form")
    attributes: dict[str, Sequence[core.Asn1Value]] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        if name in attributes:
            raise SealBroken(f"{what} repeats the attribute {name}", code="seal_form")
        attributes[name] = attribute["values"]
    if _only(what, attributes, "content_type").native != "data":
        raise SealBroken(f"{what} signs another kind of content", code="seal_form")
    carried = [certificates.load_der(what, choice.chosen.dump()) for choice in signed["certificates"]]
    certificate = _signers_own(what, signer["sid"], carried)
    _check_named(what, _only(what, attributes, "signing_certificate_v2"), certificate)
    time = attributes.get("signing_time")
    encoded = bytearray(signer["signed_attrs"].dump())
    encoded[0] = 0x31  # signed as a SET OF; carried under the tag [0]
    return Signature(
        certificate=certificate,
        others=tuple(other for other in carried if other != certificate),
        message_digest=_only(what, attributes, "message_digest").native,
        signed_attributes=bytes(encoded),
        signature=signer["signature"].native,
        signing_time=None if not time else int(time[0].native.timestamp() * 1_000_000),
    )


_SIGNATURES = frozenset({"sha256_ecdsa", "sha256_rsa", "rsassa_pkcs1v15"})


def _only(what: str, attributes: dict[str, Sequence[core.Asn1Value]], name: str) -> core.Asn1Value:
    values = attributes.get(name, ())
    if len(values) != 1:
        raise SealBroken(
            f"{what} lacks the signed attribute {name.replace('_', '-')}",
            code="seal_form",
            hint="A seal is a CAdES signature; a plain CMS signature is not enough.",
        )
    return values[0]


def _signers_own(
    what: str, sid: cms.SignerIdentifier, carried: Sequence[x509.Certificate]
) -> x509.Certificate:
    if sid.name != "issuer_and_serial_number":
        raise SealBroken(f"{what} does not name its signer by issuer and serial number", code="seal_form")
    issuer = sid.chosen["issuer"].dump()
    serial = sid.chosen["serial_number"].native
    for certificate in carried:
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            return certificate
    raise SealBroken(f"{what} does not carry its signer's certificate", code="seal_form")


def _check_named(what: str, attribute: core.Asn1Value, certificate: x509.Certificate) -> None:
    named = tsp.SigningCertificateV2.load(attribute.dump())["certs"][0]
    digest = sha256(certificates.to_der(certificate)).digest()
    if named["hash_algorithm"]["algorithm"].native != "sha256" or named["cert_hash"].native != digest:
        raise SealBroken(
            f"{what} was made for a certificate other than the one it carries",
            code="seal_form",
            hint="The certificate in the signature was replaced.",
        )


@contextmanager
def _der(what: str) -> Iterator[None]:
    """Translate the errors of ``asn1crypto``, which parses malformed input lazily, into Malformed."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise Malformed(f"{what} is not a readable CMS signature: {error}", code="bad_cms") from error
    except RecursionError as error:
        raise Malformed(f"{what} is nested too deeply", code="bad_cms") from error
