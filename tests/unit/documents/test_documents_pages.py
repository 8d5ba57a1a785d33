"""Pages: the same bytes for the same content, embedded fonts, A4, any number of rows."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader

from archive.documents.fonts import ONE_AT_A_TIME, Font
from archive.documents.pages import INNER, Column, Pages, Picture
from archive.documents.panel import Align, Panel, Shade
from archive.timespan import parse_instant
from tests.support import papers

AT = parse_instant("2026-11-24T06:00:00Z")


def everything(rows: int = 120, *, made_at: int | None = AT) -> bytes:
    pages = Pages(footer="Dokumen uji", author="Dinas", made_at=made_at)
    pages.text("JUDUL", font=Font.BOLD, size=14, centred=True)
    pages.english("Title", centred=True)
    pages.heading("Bagian", "Section")
    pages.fact("Nama", "nilai " * 40)
    pages.bullet("butir " * 30, "point " * 30)
    pages.figure(120, drawing)
    pages.pictures([Picture(jpeg=papers.jpeg(str(n)), caption=("satu", "dua")) for n in range(5)])
    pages.grid(
        [Column(title="No", width=40, align=Align.RIGHT), Column(title="Isi", width=INNER - 40)],
        ((str(n), "kata " * (n % 40)) for n in range(rows)),
    )
    pages.columns([["Kiri", "", "________"], ["Kanan", "", "________"]])
    return pages.encode()


def drawing(panel: Panel) -> None:
    panel.box((0, 0), 50, 20, fill=Shade.PALE)
    panel.hatched((60, 0), 50, 20)
    panel.dot((130, 10), 3)
    panel.line((0, 30), (100, 30), dashes=(2, 1))
    panel.words((0, 50), "teks", align=Align.CENTRE)
    panel.qr((150, 0), "SAKSI EVD-2026-0123456789", 100)


def reader(pdf: bytes) -> Any:
    return PdfFileReader(io.BytesIO(pdf), strict=True)


def test_the_same_content_gives_the_same_bytes() -> None:
    assert everything() == everything()
    assert everything() != everything(rows=121)


def test_documents_written_at_once_by_many_threads_are_the_same_too() -> None:
    alone = everything(rows=40)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: everything(rows=40), range(16))) == {alone}
    finally:
        sys.setswitchinterval(before)


def test_no_two_documents_read_the_fonts_at_once() -> None:
    """ReportLab reads a font through one position; a second reader would move it."""
    finished: list[bytes] = []
    with ONE_AT_A_TIME:
        other = Thread(target=lambda: finished.append(everything(rows=1)))
        other.start()
        other.join(timeout=1.0)
        assert finished == []
    other.join()
    assert len(finished) == 1


def test_pages_are_a4_and_every_font_is_inside() -> None:
    pdf = reader(everything())
    count = int(pdf.root["/Pages"]["/Count"])
    assert count > 3
    for number in range(count):
        page = pdf.find_page_for_modification(number)[0].get_object()
        assert [int(edge) for edge in page["/MediaBox"]] == [0, 0, 595, 842]
        for font in page["/Resources"]["/Font"].values():
            descriptor = font.get_object()["/FontDescriptor"].get_object()
            assert "/FontFile2" in descriptor


def test_the_only_date_in_a_document_is_that_of_its_content() -> None:
    dated = reader(everything(made_at=AT)).trailer["/Info"]
    assert dated["/CreationDate"] == dated["/ModDate"] == "D:20261124060000+00'00'"
    undated = reader(everything(made_at=None)).trailer["/Info"]
    assert str(undated["/CreationDate"]).startswith("D:20000101")


@given(st.integers(0, 300), st.integers(1, 400))
@settings(max_examples=20, deadline=None)
def test_rows_of_any_number_and_height_are_all_written(rows: int, words: int) -> None:
    seen = 0

    def cells() -> Any:
        nonlocal seen
        for number in range(rows):
            seen += 1
            yield (str(number), "kata " * (words if number % 50 == 0 else 3))

    pages = Pages(footer="x")
    pages.grid([Column(title="No", width=60), Column(title="Isi", width=INNER - 60)], cells())
    pdf = reader(pages.encode())
    assert seen == rows
    assert int(pdf.root["/Pages"]["/Count"]) >= max(1, rows // 60)


def test_an_empty_document_has_one_page() -> None:
    assert int(reader(Pages(footer="kosong").encode()).root["/Pages"]["/Count"]) == 1
