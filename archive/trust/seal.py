"""Signs with a key in a file: the seal of a package, as detached CAdES-BES CMS (ETSI EN 319 122).

``openssl cms -verify -cades -binary`` can check it. The certificate needs the extended key usage
``emailProtection``, because that is the purpose OpenSSL checks by default.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from archive.clock import Clock
from archive.errors import Malformed
from archive.timespan import as_datetime
from archive.trust import certificates

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def load_private_key(name: str, pem: bytes, password: bytes | None = None) -> PrivateKey:
    """A PKCS #8 key for CMS: ECDSA P-256, or RSA with at least 3072 bits.

    Raises:
        Malformed: ``bad_key_file``: unreadable, wrong password, or a kind of key that cannot seal.
    """
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError) as error:
        raise Malformed(
            f"the private key {name} cannot be read",
            code="bad_key_file",
            hint="Give a PKCS #8 key in PEM form, and the password if the key is encrypted.",
        ) from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 3072:
        return key
    raise Malformed(
        f"the private key {name} cannot seal",
        code="bad_key_file",
        hint="Use ECDSA P-256, or RSA with at least 3072 bits; Ed25519 cannot be used for the seal.",
    )


@dataclass(frozen=True)
class FileSigner:
    """:class:`archive.ports.Signer` over a key in memory.

    ``chain`` has the intermediate and root certificates, nearest first; the root is in the signature for
    convenience and is never trusted from there. The signing time in a signature comes from ``clock`` and is
    only a claim; the token of a time-stamping authority proves it.

    Raises:
        Malformed: ``bad_key_file`` when the certificate does not belong to the key.
    """

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    clock: Clock
    chain: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        if self.certificate.public_key() != self.key.public_key():
            raise Malformed("the seal's certificate does not belong to its key", code="bad_key_file")

    @property
    def certificate_der(self) -> bytes:
        """The signer's certificate."""
        return certificates.to_der(self.certificate)

    @property
    def chain_der(self) -> Sequence[bytes]:
        """Intermediate and root certificates, nearest first."""
        return tuple(certificates.to_der(certificate) for certificate in self.chain)

    def sign_cms(self, data: bytes) -> bytes:
        """Detached CAdES-BES over ``data``; each call gives another signature."""
        # Importing pyHanko costs 0.6 s of processor time. A recorder, which never seals, would be without
        # footage for that long after a crash, and for several times that on a busy machine.
        from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, SimpleSigner
        from pyhanko_certvalidator.registry import SimpleCertificateStore

        pkcs8 = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple([asn1_x509.Certificate.load(der) for der in self.chain_der])
        signer = SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(self.certificate_der),
            signing_key=asn1_keys.PrivateKeyInfo.load(pkcs8),
            cert_registry=registry,
        )
        claims = PdfCMSSignedAttributes(signing_time=as_datetime(self.clock.now()))
        signed = signer.async_sign_general_data(
            data, "sha256", detached=True, use_cades=True, signed_attr_settings=claims
        )
        return bytes(asyncio.run(signed).dump())
