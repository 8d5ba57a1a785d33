"""QR codes as rows: the same modules as on paper, drawn elsewhere."""

from api.routes.handover import _page_json
from archive.documents import qr

FINDER = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")


def test_rows_are_the_modules_of_a_code() -> None:
    rows = qr.rows("SAKSI EVD-2026-0123456789")
    assert rows == ["".join(map(str, row)) for row in qr.modules("SAKSI EVD-2026-0123456789")]
    assert {len(row) for row in rows} == {len(rows)}
    assert tuple(row[:7] for row in rows[:7]) == FINDER
    assert tuple(row[-7:] for row in rows[:7]) == FINDER
    assert tuple(row[:7] for row in rows[-7:]) == FINDER


def test_a_recipient_is_led_to_the_page_only_where_an_address_reaches_it() -> None:
    led = _page_json("https://saksi.example/arsip", "REQ-2026-0123456789")
    assert led is not None
    assert led["text"] == "https://saksi.example/arsip/permintaan/REQ-2026-0123456789"
    assert led["rows"] == qr.rows(led["text"])
    assert _page_json("", "REQ-2026-0123456789") is None
