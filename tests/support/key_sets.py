"""Sets of keys for tests: an institution beside the development authority, and the text of private keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from archive.timespan import DAY, as_datetime
from archive.trust.seal import PrivateKey
from ops.keys import issuing


@dataclass
class Institution:
    """A certifying authority with a root, an issuing authority below it, and revocation lists."""

    root: x509.Certificate
    issuing: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    now: int

    @classmethod
    def make(cls, now: int, name: str = "Lembaga") -> "Institution":
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _authority(name + " Akar", root_key, None, root_key, now)
        return cls(root, _authority(name + " Penerbit", key, root, root_key, now), key, now)

    def certify(
        self,
        role: str,
        key: issuing.PublicKey,
        *,
        days: int = 365,
        begins: int | None = None,
        authority: bool = False,
    ) -> x509.Certificate:
        """A certificate for a key, as an answer to its signing request."""
        usage, start = issuing.USAGES[role], as_datetime(self.now if begins is None else begins)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(f"Kota {role}"))
            .issuer_name(self.issuing.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - timedelta(minutes=5))
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage.key_usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage.purpose]), critical=usage.purpose_critical)
        )
        return builder.sign(self.key, hashes.SHA256())

    def answer(self, role: str, request: bytes, **terms: int) -> bytes:
        """The PEM that answers a signing request: the certificate and the issuing authority."""
        asked = x509.load_pem_x509_csr(request)
        assert asked.is_signature_valid
        key = asked.public_key()
        assert isinstance(key, issuing.PublicKey)
        certificate = self.certify(role, key, **terms)
        return certificate.public_bytes(Encoding.PEM) + self.issuing.public_bytes(Encoding.PEM)

    def revoke(
        self, serials: Sequence[int], *, number: int = 1, at: int | None = None
    ) -> x509.CertificateRevocationList:
        """The issuing authority's revocation list."""
        now = self.now if at is None else at
        entries = [
            issuing.revoked_entry(serial, at=now, since=None, reason="superseded") for serial in serials
        ]
        return issuing.revocation_list(self.issuing, self.key, entries, number=number, now=now)


def private_texts(folder: Path) -> list[str]:
    """The lines of every private key in a folder; none of them may ever be printed."""
    found = []
    for path in folder.rglob("*.key"):
        found += [line for line in path.read_text().splitlines() if line and not line.startswith("-----")]
    return found


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _authority(
    name: str, key: PrivateKey, issuer: x509.Certificate | None, issuer_key: PrivateKey, now: int
) -> x509.Certificate:
    start = as_datetime(now - DAY)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name) if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())
