"""Printed text: its characters, its width, and its wrapping."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.documents.fonts import REPLACEMENT, Font, printable, text_width, wrapped

TEXTS = st.text(max_size=120) | st.lists(st.text("abcWij.", min_size=1, max_size=12), max_size=40).map(
    " ".join
)


@given(TEXTS, st.sampled_from(list(Font)), st.floats(40, 400))
@settings(max_examples=150, deadline=None)
def test_every_line_fits_and_nothing_is_lost(text: str, font: Font, width: float) -> None:
    lines = list(wrapped(text, font, 9, width))
    assert lines
    assert all(text_width(line, font, 9) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == printable(text, font).replace(" ", "")


def test_a_word_wider_than_its_line_is_cut_and_still_whole() -> None:
    digest = "0123456789abcdef" * 4
    lines = list(wrapped(digest, Font.FIXED, 7.8, 156))
    assert [len(line) for line in lines] == [33, 31]
    assert "".join(lines) == digest


def test_a_line_too_narrow_for_any_letter_takes_one_letter_at_a_time() -> None:
    assert list(wrapped("abc", Font.PLAIN, 10, 1)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "name", ["Ḥasan Ṣāliḥ", "Łukasz Żółć", "I Nyoman Śrī", "Nguyễn Thị Ánh", "Ñandú Œuvre"]
)
def test_latin_names_are_printed_as_they_are(name: str) -> None:
    for font in (Font.PLAIN, Font.BOLD):
        assert printable(name, font) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\u00ad", "\u2066", "\x00", "\x1b", "\ufeff", "漢", "\U0001fae8"]
)
def test_what_no_reader_could_see_is_printed_as_a_replacement(hidden: str) -> None:
    assert printable(f"An{hidden}di", Font.PLAIN) == f"An{REPLACEMENT}di"


def test_white_space_of_any_kind_is_a_space() -> None:
    assert printable("a\tb\nc\u00a0d\u2003e", Font.PLAIN) == "a b c d e"
