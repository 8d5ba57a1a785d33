"""The papers as poppler prints them: words within the margins, numbered pages, readable QR codes."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partialmethod
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader

from archive.cases.handover import report as handover_report
from archive.documents.pages import HEIGHT, MARGIN, WIDTH, Pages
from archive.evidence.documents import sealing_report
from archive.model.evidence import PackageKind
from archive.model.handover import Officer
from tests.support import papers
from tests.support.programs import required


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    for program in ("pdftotext", "pdfinfo", "pdftoppm"):
        required(program)


WORD = re.compile(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>')
LONG = "Kantor Pemerintahan Daerah Provinsi Sulawesi Selatan " * 12
UNBROKEN = "REG/" + "9" * 220


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> x509.Certificate:
    return papers.signer(tmp_path_factory.mktemp("signer") / "keys")


def printed(pdf: bytes, folder: Path, *options: str) -> str:
    path = folder / "paper.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", *options, str(path), "-"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def require_within_margins(pdf: bytes, folder: Path) -> int:
    """Every word is between the margins, except the footer, which is in the lower margin."""
    page = 0
    for line in printed(pdf, folder, "-bbox").splitlines():
        page += "<page " in line
        found = WORD.search(line)
        if found is None:
            continue
        left, top, right, bottom = (float(found[n]) for n in range(1, 5))
        assert left >= MARGIN - 0.5, (page, found[5])
        assert right <= WIDTH - MARGIN + 0.5, (page, found[5])
        assert top >= MARGIN - 6, (page, found[5])
        assert bottom <= HEIGHT - MARGIN + 4 or bottom >= HEIGHT - MARGIN + 16, (page, found[5])
    return page


def pages_of(pdf: bytes, folder: Path) -> list[str]:
    return printed(pdf, folder, "-layout").split("\f")[:-1]


def qr_codes(pdf: bytes, folder: Path) -> list[str]:
    required("zbarimg")
    (folder / "paper.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", "150", "-png", str(folder / "paper.pdf"), str(folder / "page")], check=True
    )
    pictures = sorted(str(path) for path in folder.glob("page*.png"))
    done = subprocess.run(["zbarimg", "-q", "--raw", *pictures], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 4}, done.stderr  # 4: a page without a code
    return done.stdout.splitlines()


def test_a_hundred_cameras_and_a_thousand_originals_fit_on_their_pages(
    certificate: x509.Certificate, tmp_path: Path
) -> None:
    plan = papers.plan(cameras=100, segments=12, gaps=2, request=papers.request_facts(urgent=True))
    assert len(plan.originals) == 1000
    pdf = sealing_report.render(papers.copied(plan, certificate), papers.sheet(plan, 1))
    total = require_within_margins(pdf, tmp_path)
    pages = pages_of(pdf, tmp_path)
    assert len(pages) == total
    for number, page in enumerate(pages, 1):
        assert re.search(rf"Laporan penyegelan {plan.evidence_id} +{number} */ *{total}\s*\Z", page), page
    text = "".join(printed(pdf, tmp_path, "-raw").split())
    for item in plan.originals:
        assert item.ref.sha256 in text
    assert "mendesak" in text
    assert "belumditerimaketikapaketdisiapkan" in text
    heads = [page for page in pages if re.search(r"No +Kamera +Mulai", page)]
    assert len(heads) > 20, "the head of the table is repeated on every page"


def test_the_report_says_what_was_sealed_for_whom(certificate: x509.Certificate, tmp_path: Path) -> None:
    plan = papers.plan(request=papers.request_facts())
    pdf = sealing_report.render(papers.copied(plan, certificate), papers.sheet(plan))
    require_within_margins(pdf, tmp_path)
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    for words in (
        "LAPORAN PENYEGELAN BUKTI ELEKTRONIK",
        "Rekaman dari : 24 November 2026 14:00:00 WITA",
        "IPDA Andi Ṣāliḥ Mappanyukki",
        "B/1234/XI/RES.1.8/2026/Reskrim, tanggal 24 November 2026",
        "Laporan Polisi LP/B/2211/XI/2026/SPKT",
        "Siti Rahmawati (oidc:siti), operator War Room",
        "Jl. Penghibur, simpang Pantai Losari",
        "kamera tidak terjangkau",
        "otoritas pada mesin ini sendiri",
        "tidak dapat tercantum di sini",
        "celah tidak berarti tidak terjadi apa-apa",
        "12 gambar yang diperlukan dekoder",
    ):
        assert words in text, words


def _without_english(pages: Pages, plain: Callable[..., None], text: str, *_: str, **given: float) -> None:
    plain(pages, text, "", **given)


ENGLISH = (
    "checkpoint", "slice", "keyframe", "byte", "legal hold", "urgent", "footage", "gap", "unreachable",
    "disposed", "local", "version", "hash", "unsynchronised", "file", "segment", "offset", "link", "scan",
    "proof",
)  # fmt: skip


@pytest.mark.parametrize("kind", PackageKind)
def test_the_indonesian_of_a_report_has_no_english_word(
    certificate: x509.Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: PackageKind
) -> None:
    """The English lines that stand under it are left out here."""
    monkeypatch.setattr(Pages, "english", lambda *_, **__: None)
    for name in ("heading", "bullet"):
        plain = getattr(Pages, name)
        monkeypatch.setattr(Pages, name, partialmethod(_without_english, plain))
    plan = papers.plan(kind=kind, request=papers.request_facts(urgent=True), hours=50)
    plan = replace(plan, system={"name": "saksi", "version": "0.2.0", "host": "arsip-1"})
    pdf = sealing_report.render(papers.copied(plan, certificate), papers.sheet(plan))
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    found = [word for word in ENGLISH if re.search(rf"(?<!/)\b{word}s?\b", text, re.IGNORECASE)]
    assert found == []
    assert "nama saksi; versi 0.2.0" in text
    if kind is PackageKind.FOOTAGE:
        size = sum(item.ref.size for item in plan.originals)
        whole = f"{size // 1_000_000},{size // 10_000 % 100:02d}"
        assert f"Segmen asli : {len(plan.originals)} segmen; {whole} MB" in text


def test_a_clock_without_synchronisation_has_no_bound_on_paper(
    certificate: x509.Certificate, tmp_path: Path
) -> None:
    plan = papers.plan(cameras=2)
    first = plan.originals[0]
    free = first.leaf.replace(b'"flags":[]', b'"flags":["unsynchronised"]')
    assert free != first.leaf
    ref = replace(first.ref, uncertainty_us=None)
    plan = replace(plan, originals=(replace(first, ref=ref, leaf=free), *plan.originals[1:]))
    pdf = sealing_report.render(papers.copied(plan, certificate), None)
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    assert "tidak mempunyai batas ketidakpastian" in text
    assert "tidak diketahui" in text
    assert "± " in text, "the other camera's clock has one"


def test_a_package_without_a_request_says_so(certificate: x509.Certificate, tmp_path: Path) -> None:
    pdf = sealing_report.render(papers.copied(papers.plan(cameras=1), certificate), None)
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    assert "os:operator, langsung pada server arsip, tanpa permintaan yang tercatat dalam sistem" in text
    assert "Tidak dibuat: FFmpeg tidak terpasang pada penyegel." in text


def test_the_statement_that_there_is_no_footage_names_the_causes(
    certificate: x509.Certificate, tmp_path: Path
) -> None:
    plan = papers.plan(cameras=2, kind=PackageKind.NO_FOOTAGE, hours=50)
    pdf = sealing_report.render(papers.copied(plan, certificate), None)
    require_within_margins(pdf, tmp_path)
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    assert "SURAT KETERANGAN TIDAK ADA REKAMAN" in text
    assert "dimusnahkan menurut aturan, tercatat" in " ".join(printed(pdf, tmp_path, "-raw").split())
    assert "Cuplikan gambar" not in text


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_handover_report_carries_what_both_compare(confirmed: bool, tmp_path: Path) -> None:
    facts = papers.handover(confirmed=confirmed)
    pdf = handover_report.render(facts, papers.letterhead())
    require_within_margins(pdf, tmp_path)
    text = " ".join(printed(pdf, tmp_path, "-layout").split())
    joined = "".join(printed(pdf, tmp_path, "-raw").split())
    assert facts.right.tagmanifest_sha256 in joined
    assert facts.right.signer_sha256 in joined
    assert "Pada hari Selasa, 24 November 2026, pukul 22:00:00 WITA" in text
    assert "Waktu penandaan : 24 November 2026 19:00:00 WITA" in text
    assert ("kedua nilai sama dengan di atas" in text) is confirmed
    assert ("Belum dikonfirmasi dalam sistem" in text) is not confirmed


def test_an_officer_who_is_not_known_is_a_line_to_fill_in(tmp_path: Path) -> None:
    pdf = handover_report.render(papers.handover(cameras=100, officer=Officer()), papers.letterhead())
    require_within_margins(pdf, tmp_path)
    assert re.search(r"Jabatan +: \.{40,}", printed(pdf, tmp_path, "-layout"))


def test_names_and_numbers_of_any_length_stay_within_the_margins(
    certificate: x509.Certificate, tmp_path: Path
) -> None:
    request = replace(
        papers.request_facts(), purpose=LONG * 6, agency=LONG, name=UNBROKEN, letter_number=UNBROKEN
    )
    plan = replace(papers.plan(cameras=2, request=request), case=LONG, organization=LONG, actor=UNBROKEN)
    long_named = tuple(replace(one, name=UNBROKEN) for one in plan.cameras)
    plan = replace(plan, cameras=long_named, system={"host": UNBROKEN})
    pdf = sealing_report.render(papers.copied(plan, certificate), papers.sheet(plan))
    require_within_margins(pdf, tmp_path)
    facts = papers.handover()
    recipient = replace(facts.right.recipient, name=UNBROKEN, agency=LONG)
    facts = replace(facts, right=replace(facts.right, recipient=recipient), purpose=LONG * 4, case=UNBROKEN)
    require_within_margins(handover_report.render(facts, papers.letterhead()), tmp_path)


def test_qr_codes_hold_what_the_paper_says(certificate: x509.Certificate, tmp_path: Path) -> None:
    facts = papers.handover()
    assert qr_codes(handover_report.render(facts, papers.letterhead()), tmp_path) == [
        f"SAKSI {papers.EVIDENCE_ID} TAGMANIFEST {facts.right.tagmanifest_sha256} "
        f"SIGNER {facts.right.signer_sha256}"
    ]


def test_a_reader_program_gets_title_language_and_headings(tmp_path: Path) -> None:
    pdf = handover_report.render(papers.handover(), papers.letterhead())
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    told = PdfFileReader(BytesIO(pdf)).root
    assert str(told["/Lang"]) == "id-ID"
    assert bool(told["/ViewerPreferences"]["/DisplayDocTitle"])
    shown = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert "Berita acara serah terima EVD-2026-0123456789 / 1" in shown
    titles, one = [], told["/Outlines"]["/First"]
    while one is not None:
        titles.append(str(one["/Title"]))
        one = one["/Next"] if "/Next" in one else None
    assert titles[:3] == ["Paket bukti", "Nilai yang dibandingkan", "Dasar penyerahan"]


def test_a_stamp_of_this_very_machine_is_said_to_be_one(tmp_path: Path) -> None:
    facts = papers.handover()
    assert "mesin ini sendiri" in " ".join(
        printed(handover_report.render(facts, papers.letterhead()), tmp_path).split()
    )
    elsewhere = replace(facts, right=replace(facts.right, tsa="https://tsa.example"))
    assert "mesin ini sendiri" not in printed(
        handover_report.render(elsewhere, papers.letterhead()), tmp_path
    )
