"""Texts of a package that a person may read as another text."""

import pytest

from archive.evidence.verifier import texts


@pytest.mark.parametrize(
    "text",
    [
        "Jl. Penghibur, 24 November 2026 – ± 0,5 detik; 40 µs; № 7; 25 ℃",
        "Andr\u00e9 \u00d8sterg\u00e5rd",
        "\u0418\u0432\u0430\u043d",  # Cyrillic alone
        "line one\nline two\tend",
        "\u0645\u0633\u062c\u062f Raya",
        "LP/B/123/XI/2026",
        "",
    ],
)
def test_plain_texts_are_left_alone(text: str) -> None:
    assert texts.objection(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("D\u0435wi", "mixes Latin letters with U+0435"),
        ("\u0391ni, polisi", "mixes Latin letters with U+0391"),
        ("Andre\u0301", "has letters that are not in the form NFC"),
        ("\uff24ewi", "has U+FF24, another form of a plain letter"),
        ("\U0001d403ewi", "has U+1D403, another form of a plain letter"),
        ("De\u200bwi", "has U+200B, which does not show"),
        ("\u202eiweD", "has U+202E, which does not show"),
        ("De\u00adwi", "has U+00AD, which does not show"),
        ("Dewi\x00", "has U+0000, which does not show"),
    ],
)
def test_texts_that_read_as_another_are_found(text: str, problem: str) -> None:
    assert texts.objection(text) == problem


def test_names_of_members_do_not_add_up() -> None:
    value: object = "De\u200bwi"
    for _ in range(90):
        value = {"n" * 60_000: value}
    ((where, _),) = texts.objections(value)
    assert len(where) <= 200


def test_every_text_of_a_value_is_looked_at() -> None:
    value = {"a": [{"b": "D\u0435wi"}, "x"], "c": 7, "na\u200bme": "x"}
    assert list(texts.objections(value)) == [
        ("a 1.b", "mixes Latin letters with U+0435"),
        ("", "a name in it has U+200B, which does not show"),
    ]
