"""The fonts of printed documents: DejaVu, embedded as subsets, so that a page looks alike everywhere.

Characters that the fonts lack, and characters that are invisible on paper (control, direction and
zero-width), are printed as U+FFFD, the replacement character: a name must not look like another name.
"""

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files
from io import BytesIO
from threading import RLock

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ONE_AT_A_TIME = RLock()
"""ReportLab keeps its fonts per process and reads them at one shared file position: one thread at a time."""


class Font(StrEnum):
    """The fonts of a page, by their ReportLab names."""

    PLAIN = "SaksiPlain"
    BOLD = "SaksiBold"
    FIXED = "SaksiFixed"


_FILES = {
    Font.PLAIN: "DejaVuSansCondensed.ttf",
    Font.BOLD: "DejaVuSansCondensed-Bold.ttf",
    Font.FIXED: "DejaVuSansMono.ttf",
}


@cache
def glyphs(font: Font) -> frozenset[int]:
    """The code points that a font can show; the first call registers the font with ReportLab."""
    with ONE_AT_A_TIME:
        rl_config.useA85 = 0  # binary, not ASCII85: a quarter smaller
        file = files("archive.documents").joinpath("fonts", _FILES[font]).read_bytes()
        made = TTFont(font.value, BytesIO(file))
        if font.value not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(made)
        return frozenset(made.face.charToGlyph)


def printable(text: str, font: Font) -> str:
    """The text as one line that the font can show: white space becomes a space, the rest is replaced."""
    known = glyphs(font)
    return "".join(_shown(char, known) for char in unicodedata.normalize("NFC", text))


def _shown(char: str, known: frozenset[int]) -> str:
    if char.isspace():
        return " "
    return char if char.isprintable() and ord(char) in known else REPLACEMENT


def text_width(text: str, font: Font, size: float) -> float:
    """The width of a line in points; ``text`` comes from :func:`printable`."""
    glyphs(font)
    return float(pdfmetrics.stringWidth(text, font.value, size))


def wrapped(text: str, font: Font, size: float, width: float) -> Iterator[str]:
    """The text in lines that fit, at least one; a word that is too long for a line is cut.

    A line has at least one character, however small ``width`` is.
    """
    line = ""
    for word in printable(text, font).split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, font, size) <= width:
            line = longer
            continue
        if line:
            yield line
        while len(word) > 1 and text_width(word, font, size) > width:
            cut = _that_fit(word, font, size, width)
            yield word[:cut]
            word = word[cut:]
        line = word
    yield line


def _that_fit(word: str, font: Font, size: float, width: float) -> int:
    """How many of the word's first characters fit; at least one, so that each line takes some."""
    shortest, longest = 1, len(word)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if text_width(word[:middle], font, size) <= width:
            shortest = middle
        else:
            longest = middle - 1
    return shortest
