"""Signed PDFs, checked by pyHanko and by poppler's ``pdfsig``."""

import io
import subprocess
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import CertificateBuilder, random_serial_number
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from archive.cases.handover import report as handover_report
from archive.clock import SystemClock
from archive.errors import Malformed
from archive.trust import certificates
from archive.trust.pades import sign_pdf
from archive.trust.seal import FileSigner, load_private_key
from ops import keys as installation
from tests.support import papers
from tests.support.programs import required


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed") / "keys"
    installation.init(folder, clock=SystemClock())
    return folder


@pytest.fixture(scope="module")
def signer(keys: Path) -> FileSigner:
    return installation.load_signer(keys, clock=SystemClock())


@pytest.fixture(scope="module")
def paper() -> bytes:
    return handover_report.render(papers.handover(), papers.letterhead())


def signed_by(signer: FileSigner, pdf: bytes, field: str = "Tanda-tangan-1") -> bytes:
    return sign_pdf(
        pdf, signer, at=SystemClock().now(), name="Dinas Kominfo", reason="Serah terima bukti", field=field
    )


def judged(pdf: bytes, keys: Path, number: int = 0) -> tuple[bool, bool, bool]:
    """Whether pyHanko finds the signature intact, made under the root, and over the whole file."""
    (root,) = certificates.load_pem_files([keys / "root.pem"])
    trusted = ValidationContext(trust_roots=[asn1_x509.Certificate.load(certificates.to_der(root))])
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[number]
    status = validate_pdf_signature(signature, trusted)
    return status.intact and status.valid, status.trusted, status.coverage.name == "ENTIRE_FILE"


def test_a_signed_report_is_valid_to_pyhanko(keys: Path, signer: FileSigner, paper: bytes) -> None:
    signed = signed_by(signer, paper)
    assert signed.startswith(paper), "the report's own bytes stay as they were"
    assert judged(signed, keys) == (True, True, True)
    (signature,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Reason"] == "Serah terima bukti"


def test_a_signed_report_is_valid_to_pdfsig(signer: FileSigner, paper: bytes, tmp_path: Path) -> None:
    required("pdfsig")
    for name, data, verdict in (
        ("good.pdf", signed_by(signer, paper), "Signature is Valid."),
        ("changed.pdf", changed(signed_by(signer, paper)), "Digest Mismatch."),
    ):
        (tmp_path / name).write_bytes(data)
        done = subprocess.run(
            ["pdfsig", "-nocert", str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        assert verdict in done.stdout, done.stdout
        assert "Total document signed" in done.stdout


def changed(pdf: bytes) -> bytes:
    """Change one letter of the title in the properties."""
    assert b"/Subject (Berita acara" in pdf
    return pdf.replace(b"/Subject (Berita acara", b"/Subject (Cerita acara")


def test_a_changed_report_is_not_intact(keys: Path, signer: FileSigner, paper: bytes) -> None:
    assert judged(changed(signed_by(signer, paper)), keys)[0] is False


def test_a_signature_by_another_authority_is_not_trusted(keys: Path, tmp_path: Path, paper: bytes) -> None:
    installation.init(tmp_path / "other", clock=SystemClock())
    other = installation.load_signer(tmp_path / "other", clock=SystemClock())
    assert judged(signed_by(other, paper), keys) == (True, False, True)


def test_two_parties_sign_one_after_the_other(keys: Path, signer: FileSigner, paper: bytes) -> None:
    both = signed_by(signer, signed_by(signer, paper), field="Tanda-tangan-2")
    assert judged(both, keys, 0)[:2] == (True, True)
    assert judged(both, keys, 1) == (True, True, True)


def test_an_rsa_certificate_signs_too(keys: Path, signer: FileSigner, paper: bytes) -> None:
    root_key = load_private_key("root.key", (keys / "root.key").read_bytes())
    (root,) = certificates.load_pem_files([keys / "root.pem"])
    own, key = signer.certificate, rsa.generate_private_key(65537, 3072)
    builder = CertificateBuilder(
        issuer_name=root.subject,
        subject_name=own.subject,
        public_key=key.public_key(),
        serial_number=random_serial_number(),
        not_valid_before=own.not_valid_before_utc,
        not_valid_after=own.not_valid_after_utc,
    )
    for extension in own.extensions:
        if extension.oid.dotted_string in {"2.5.29.15", "2.5.29.19", "2.5.29.37"}:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    rsa_signer = FileSigner(key, builder.sign(root_key, hashes.SHA256()), SystemClock())
    assert judged(signed_by(rsa_signer, paper), keys) == (True, True, True)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\nnot really", b"PK\3\4"])
def test_what_is_no_pdf_is_refused(data: bytes, signer: FileSigner) -> None:
    with pytest.raises(Malformed) as refused:
        signed_by(signer, data)
    assert refused.value.code == "bad_pdf"


def test_a_field_that_is_signed_already_is_refused(signer: FileSigner, paper: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        signed_by(signer, signed_by(signer, paper))
    assert refused.value.code == "bad_pdf"


def test_the_key_is_not_in_the_document(signer: FileSigner, paper: bytes) -> None:
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    secret = signer.key.private_numbers().private_value.to_bytes(32)
    signed = signed_by(signer, paper)
    assert secret not in signed
    assert secret.hex().encode() not in signed.lower()
