"""A picture in memory, and letters of 5 × 7 dots: enough for a sheet, and no decoder of foreign data."""

from collections.abc import Mapping
from types import MappingProxyType

Colour = tuple[int, int, int]

GLYPH_HEIGHT = 7
_GLYPH_WIDTH = 5
_STEP = _GLYPH_WIDTH + 1
_STRIPE = 16

_FONT = """
0 3E5149453E 1 00427F4000 2 4261514946 3 2141454B31 4 1814127F10 5 2745454539 6 3C4A494930 7 0171090503
8 3649494936 9 064949291E A 7E1111117E B 7F49494936 C 3E41414122 D 7F4141221C E 7F49494941 F 7F09090901
G 3E4149497A H 7F0808087F I 00417F4100 J 2040413F01 K 7F08142241 L 7F40404040 M 7F020C027F N 7F0408107F
O 3E4141413E P 7F09090906 Q 3E4151215E R 7F09192946 S 4649494931 T 01017F0101 U 3F4040403F V 1F2040201F
W 3F4038403F X 6314081463 Y 0708700807 Z 6151494543 - 0808080808 . 0060600000 , 0050300000 : 0036360000
_ 4040404040 / 2010080402 + 08083E0808 ( 001C224100 ) 0041221C00
"""
"""A letter and its five columns, the lowest bit at the top."""


def _glyphs() -> Mapping[str, tuple[int, ...]]:
    words = _FONT.split()
    return MappingProxyType(
        {letter: tuple(bytes.fromhex(dots)) for letter, dots in zip(words[::2], words[1::2], strict=True)}
    )


GLYPHS = _glyphs()
"""The dots of each letter that can be written."""


def text_width(text: str, scale: int) -> int:
    """How wide a text is, in pixels."""
    return len(text) * _STEP * scale


class Canvas:
    """A picture of 8-bit red, green and blue, row by row. What lies outside it is not drawn."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.width, self.height = width, height
        self.pixels = bytearray(bytes(colour) * (width * height))

    def fill(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """A rectangle of one colour."""
        row = bytes(colour) * width
        for at in range(y, y + height):
            self._row(x, at, row)

    def paste(self, x: int, y: int, width: int, height: int, pixels: bytes) -> None:
        """A picture of these pixels, row by row."""
        for at in range(height):
            self._row(x, y + at, pixels[at * width * 3 : (at + 1) * width * 3])

    def hatch(self, x: int, y: int, width: int, height: int, one: Colour, other: Colour) -> None:
        """A rectangle of slanted stripes."""
        half = _STRIPE // 2
        stripes = (bytes(one) * half + bytes(other) * half) * (width // _STRIPE + 2)
        for at in range(height):
            shift = (at % _STRIPE) * 3
            self._row(x, y + at, stripes[shift : shift + width * 3])

    def write(self, x: int, y: int, text: str, scale: int, colour: Colour) -> None:
        """A text with its upper left corner there: capitals and digits; any other letter leaves a blank."""
        for number, letter in enumerate(text.upper()):
            for column, dots in enumerate(GLYPHS.get(letter, ())):
                left = x + (number * _STEP + column) * scale
                for row in range(GLYPH_HEIGHT):
                    if dots >> row & 1:
                        self.fill(left, y + row * scale, scale, scale, colour)

    def _row(self, x: int, y: int, row: bytes) -> None:
        if not 0 <= y < self.height or not 0 <= x < self.width:
            return
        length = min(len(row), (self.width - x) * 3)
        at = (y * self.width + x) * 3
        self.pixels[at : at + length] = row[:length]
