"""Names of downloads: what people read, and what a hostile camera name may not do."""

import unicodedata
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.statements import named
from archive.footage.download.naming import DownloadName, name_of, several, time_text
from archive.model.areas import NO_AREAS, Area, Areas, Level
from archive.model.camera import Camera, parse_place
from archive.timespan import DAY, HOUR, SECOND, Timespan

T0 = 1_795_500_000_000_000
"""2026-11-24T14:00:00+08:00."""
WITA = ZoneInfo("Asia/Makassar")
PLACE = parse_place("-5.143600", "119.407100", "73.71.01", "73.71.01.1001", "public")
AREAS = Areas([Area("73.71", "Kota Makassar", Level.CITY), Area("73.71.01", "Mariso", Level.KECAMATAN)])
MINUTE_OF_IT = Timespan(T0 + 3 * SECOND, T0 + 63 * SECOND)
FORBIDDEN = set("/\\:*?\"<>|%;'`$&\r\n\t\0")


def camera(name: str, camera_id: str = "cam-1") -> Camera:
    return Camera(
        id=camera_id,
        name=name,
        source="",
        sealed_source="",
        place=PLACE,
        segment_seconds=10,
        registered_at=T0,
    )


def made(name: str, camera_id: str = "cam-1", span: Timespan = MINUTE_OF_IT) -> DownloadName:
    return name_of(camera(name, camera_id), AREAS, span, WITA)


def test_a_name_has_camera_place_and_time_in_the_city() -> None:
    found = made("Jl. Penghibur")
    assert found.text == "cam-1 Jl. Penghibur, Mariso, 2026-11-24 14.00.03-14.01.03 WITA"
    assert found.ascii == found.text
    assert name_of(camera("x"), NO_AREAS, MINUTE_OF_IT, WITA).text.startswith("cam-1 x, 73.71.01, ")


def test_times_have_their_day_and_their_fraction_where_it_matters() -> None:
    assert time_text(Timespan(T0, T0 + 11 * HOUR), WITA) == "2026-11-24 14.00.00-2026-11-25 01.00.00 WITA"
    assert (
        time_text(Timespan(T0 + 500_000, T0 + DAY), WITA) == "2026-11-24 14.00.00.5-2026-11-25 14.00.00 WITA"
    )
    assert time_text(MINUTE_OF_IT, ZoneInfo("UTC")) == "2026-11-24 06.00.03-06.01.03 UTC"
    assert time_text(MINUTE_OF_IT, ZoneInfo("Asia/Dubai")).endswith("10.01.03 +0400")
    assert several(9, MINUTE_OF_IT, WITA).text == "saksi 9 kamera, 2026-11-24 14.00.03-14.01.03 WITA"


def test_two_spans_of_one_camera_differ_by_a_microsecond() -> None:
    assert made("x").text != made("x", span=Timespan(MINUTE_OF_IT.start + 1, MINUTE_OF_IT.end)).text


@pytest.mark.parametrize(
    ("name", "text", "plain"),
    [
        ("Café Pantai", "Café Pantai", "Cafe Pantai"),
        ("ᨅᨔ ᨕᨘᨁᨗ", "ᨅᨔ ᨕᨘᨁᨗ", ""),
        ("../../etc/passwd", "etc passwd", "etc passwd"),
        ('a"; filename="b.exe', "a filename b.exe", "a filename b.exe"),
        ("a\u202egpj.exe", "a gpj.exe", "a gpj.exe"),
        ("%2e%2e%2fx", "2e 2e 2fx", "2e 2e 2fx"),
        (" . ", "", ""),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie x 1", "a Set-Cookie x 1"),
    ],
)
def test_a_hostile_name_is_harmless(name: str, text: str, plain: str) -> None:
    found = made(name)
    assert found.text == ", ".join([f"cam-1 {text}".strip(), "Mariso", time_text(MINUTE_OF_IT, WITA)])
    assert found.ascii == ", ".join([f"cam-1 {plain}".strip(), "Mariso", time_text(MINUTE_OF_IT, WITA)])


@given(st.text(max_size=200), st.sampled_from(["cam-1", "CON", "nul.x", "COM1.a", "a..b", "x" * 63]))
def test_no_name_does_harm(name: str, camera_id: str) -> None:
    found = made(name, camera_id, Timespan(T0 + 1, T0 + DAY + 1))
    for one in (found.text, found.ascii):
        assert not set(one) & FORBIDDEN
        assert not any(unicodedata.category(letter).startswith("C") for letter in one)
        assert one == one.strip()
        assert not one.startswith((".", "-"))
        assert len(f"{one} (99).mp4".encode()) <= 255
        assert camera_id in one
        assert one.partition(".")[0].upper() not in {"CON", "NUL", "COM1"}
    assert found.ascii.isascii()
    header = named(found, ".mp4")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_the_header_has_the_unicode_name_where_it_differs() -> None:
    assert named(made("Kamera"), ".mp4") == f'attachment; filename="{made("Kamera").ascii}.mp4"'
    found = named(made("Café"), ".mp4")
    assert found.startswith('attachment; filename="cam-1 Cafe, Mariso, ')
    assert (
        "; filename*=UTF-8''cam-1%20Caf%C3%A9%2C%20Mariso%2C%202026-11-24%2014.00.03-14.01.03%20WITA.mp4"
        in found
    )


def test_a_camera_that_is_registered_elsewhere_is_named_by_that_place() -> None:
    moved = replace(camera("x"), place=replace(PLACE, kecamatan="73.71.02"))
    assert "73.71.02" in name_of(moved, AREAS, MINUTE_OF_IT, WITA).text
