"""Texts that a person may read as another text: mixed alphabets, letters in another form, hidden signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_LATIN = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_LIKE_LATIN = re.compile(
    "[\u0370-\u03ff\u1f00-\u1fff"  # Greek
    "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f"  # Cyrillic
    "\u0530-\u058f\u13a0-\u13ff\uab70-\uabbf\u2c80-\u2cff\ua4d0-\ua4ff]"  # Armenian, Cherokee, Coptic, Lisu
)
_OTHER_FORM = re.compile("[\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]")
"""Latin letters and digits of full width, and those of mathematics."""
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Signs without a shape, and those that turn the direction of writing; not tab and line feed."""


_NAME, _PLACE = 60, 200
"""The most letters of a member's name, and of the names on the way to it, in a finding."""


def objection(text: str) -> str:
    """Why a text may be read as another one; empty if it may not."""
    hidden = _HIDDEN.search(text)
    if hidden is not None:
        return f"has {_named(hidden[0])}, which does not show"
    if text.isascii():
        return ""
    if not unicodedata.is_normalized("NFC", text):
        return "has letters that are not in the form NFC"
    other = _OTHER_FORM.search(text)
    if other is not None:
        return f"has {_named(other[0])}, another form of a plain letter"
    strange = _LIKE_LATIN.search(text)
    if strange is not None and _LATIN.search(text):
        return f"mixes Latin letters with {_named(strange[0])}"
    return ""


def objections(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, names of members included, that may be read as another one, and why."""
    if isinstance(value, str):
        problem = objection(value)
        if problem:
            yield where, problem
    elif isinstance(value, dict):
        for name, item in value.items():
            inside = f"{where}.{name[:_NAME]}"[-_PLACE:].lstrip(".")  # hostile names must not add up
            problem = objection(name)
            if problem:
                yield where, f"a name in it {problem}"
            yield from objections(item, inside)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from objections(item, f"{where} {number}")


def _named(sign: str) -> str:
    return f"U+{ord(sign):04X}"
