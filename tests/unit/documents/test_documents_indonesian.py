"""Numbers, sizes, durations and times in Indonesian form."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.documents.indonesian import (
    date_in_words,
    day_in_words,
    fine_moment,
    length,
    moment,
    number,
    size,
    zone_named,
    zone_word,
)
from archive.errors import Malformed
from archive.timespan import HOUR, MINUTE, SECOND, parse_instant

WITA = ZoneInfo("Asia/Makassar")
AT = parse_instant("2026-11-24T06:07:08.987654Z")


def test_moments_are_local_with_seconds_and_the_name_of_the_zone() -> None:
    assert moment(AT, WITA) == "24 November 2026 14:07:08 WITA"
    assert moment(AT, ZoneInfo("Asia/Jayapura")) == "24 November 2026 15:07:08 WIT"
    assert moment(AT, ZoneInfo("Europe/Berlin")) == "24 November 2026 07:07:08 UTC+0100"
    assert fine_moment(AT, WITA) == "24 Nov 2026 14:07:08,987"
    assert day_in_words(AT, WITA) == "Selasa, 24 November 2026"
    assert day_in_words(parse_instant("2026-12-31T16:00:00Z"), WITA) == "Jumat, 1 Januari 2027"


def test_a_zone_that_changes_its_offset_is_named_for_the_instant() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert zone_word(berlin, parse_instant("2026-07-01T00:00:00Z")) == "UTC+0200"


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Asia/Nowhere", "../etc/passwd", ""):
        with pytest.raises(Malformed) as refused:
            zone_named(name)
        assert refused.value.code == "bad_time_zone"


def test_sizes_and_numbers() -> None:
    assert number(1_234_567) == "1.234.567"
    assert size(999_999) == "999.999 bita"
    assert size(1_000_000) == "1,00 MB"
    assert size(2_759_999_999) == "2,75 GB"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0 detik"),
        (10 * SECOND, "10 detik"),
        (1_500, "0,001 detik"),
        (3 * MINUTE + 4 * SECOND, "3 menit 4 detik"),
        (HOUR, "1 jam"),
        (HOUR + SECOND, "1 jam 1 detik"),
        (50 * HOUR + 2 * MINUTE + 3 * SECOND + 250_000, "50 jam 2 menit 3,250 detik"),
    ],
)
def test_lengths_of_time(duration: int, text: str) -> None:
    assert length(duration) == text


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_different_milliseconds_are_told_apart(one: int, other: int) -> None:
    assert (length(one) == length(other)) == (one // 1000 == other // 1000)


def test_a_date_that_is_none_is_printed_as_it_is() -> None:
    assert date_in_words("2026-11-04") == "4 November 2026"
    assert date_in_words("segera") == "segera"
    assert date_in_words("") == ""
