"""Plain printed pages: a PDF of text and lines, the same bytes for the same content.

A4, the standard fonts Helvetica, Helvetica-Bold and Courier that every reader has, WinAnsi text; a
character outside it is printed as a question mark. Positions are points from the upper left corner. No
compression, no dates, no identifiers: whoever has the content can make the page again and compare hashes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

WIDTH, HEIGHT = 595, 842
MARGIN = 56

_COURIER = 600
_ASCII_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Advance widths of Helvetica for the printable ASCII characters, in thousandths of the size."""
_BOLD_ALLOWANCE = 1.08


class Font(StrEnum):
    """The fonts of a page, by their resource names."""

    PLAIN = "F1"
    BOLD = "F2"
    FIXED = "F3"


_BASE_FONTS = {Font.PLAIN: "Helvetica", Font.BOLD: "Helvetica-Bold", Font.FIXED: "Courier"}


def text_width(text: str, font: Font, size: float) -> float:
    """The width of a line in points; for bold text a bound from above."""
    if font is Font.FIXED:
        return len(text) * _COURIER * size / 1000
    total = sum(_ASCII_WIDTHS[ord(c) - 32] if " " <= c <= "~" else 667 for c in text)
    return total * size / 1000 * (_BOLD_ALLOWANCE if font is Font.BOLD else 1)


def wrapped(text: str, font: Font, size: float, width: float) -> Iterator[str]:
    """The text in lines that fit; a word that is too long for one is cut."""
    line = ""
    for word in text.split():
        while text_width(word, font, size) > width:
            fits = next(n for n in range(len(word), 0, -1) if text_width(word[:n], font, size) <= width)
            if line:
                yield line
                line = ""
            yield word[:fits]
            word = word[fits:]
        longer = f"{line} {word}" if line else word
        if text_width(longer, font, size) <= width:
            line = longer
        else:
            yield line
            line = word
    yield line


@dataclass
class Pages:
    """Pages that fill from the top; a new one begins where something would pass the bottom margin.

    ``footer`` stands on every page, with its number and how many there are.
    """

    footer: str
    _pages: list[list[str]] = field(default_factory=list)
    _y: float = HEIGHT

    def _room(self, height: float) -> None:
        if not self._pages or self._y + height > HEIGHT - MARGIN:
            self._pages.append([])
            self._y = MARGIN

    def space(self, height: float) -> None:
        """Leave room."""
        self._y += height

    def keep_together(self, height: float) -> None:
        """Begin a new page unless so much room is left."""
        self._room(height)

    def text(
        self,
        text: str,
        *,
        font: Font = Font.PLAIN,
        size: float = 10,
        indent: float = 0,
        centred: bool = False,
    ) -> None:
        """A paragraph over the whole width."""
        for line in wrapped(text, font, size, WIDTH - 2 * MARGIN - indent):
            self._room(size * 1.35)
            self._y += size * 1.35
            left = (WIDTH - text_width(line, font, size)) / 2 if centred else MARGIN + indent
            self._show(left, self._y, line, font, size)

    def fact(self, name: str, value: str, *, font: Font = Font.PLAIN, size: float = 9.5) -> None:
        """A name and its value side by side, the value wrapped."""
        column = 150
        for number, line in enumerate(wrapped(value, font, size, WIDTH - 2 * MARGIN - column)):
            self._room(size * 1.4)
            self._y += size * 1.4
            if number == 0:
                self._show(MARGIN, self._y, name, Font.PLAIN, size)
                self._show(MARGIN + column - 8, self._y, ":", Font.PLAIN, size)
            self._show(MARGIN + column, self._y, line, font, size)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> None:
        """Rows under a head that every page repeats; all columns but the first two end at the right."""
        self._room(40)
        self._row(head, widths, Font.BOLD)
        self.line()
        for row in rows:
            if self._y + 12 > HEIGHT - MARGIN:
                self._room(HEIGHT)
                self._row(head, widths, Font.BOLD)
                self.line()
            self._row(row, widths, Font.PLAIN)
        self.line()

    def columns(self, blocks: Sequence[Sequence[str]], *, size: float = 9.5) -> None:
        """Blocks of lines side by side, centred in columns of one width; empty lines leave room."""
        width = (WIDTH - 2 * MARGIN) / len(blocks)
        height = max(map(len, blocks)) * size * 1.4
        self._room(height)
        for number, block in enumerate(blocks):
            for line, text in enumerate(block, 1):
                left = MARGIN + number * width + (width - text_width(text, Font.PLAIN, size)) / 2
                self._show(left, self._y + line * size * 1.4, text, Font.PLAIN, size)
        self._y += height

    def line(self) -> None:
        """A thin line over the whole width."""
        self._room(6)
        self._y += 4
        y = HEIGHT - self._y
        self._pages[-1].append(f"0.5 w {MARGIN} {y:.2f} m {WIDTH - MARGIN} {y:.2f} l S")

    def _row(self, cells: Sequence[str], widths: Sequence[float], font: Font) -> None:
        size = 9.0
        self._y += size * 1.4
        left = float(MARGIN)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            at = left if number < 2 else left + width - text_width(cell, font, size)
            self._show(at, self._y, cell, font, size)
            left += width

    def _show(self, x: float, y: float, text: str, font: Font, size: float) -> None:
        self._pages[-1].append(
            f"BT /{font.value} {size} Tf {x:.2f} {HEIGHT - y:.2f} Td ({_quoted(text)}) Tj ET"
        )

    def encode(self) -> bytes:
        """The document."""
        total = len(self._pages)
        contents: list[bytes] = []
        for number, operations in enumerate(self._pages, 1):
            foot = f"{self.footer}  -  {number} / {total}"
            operation = f"BT /F1 8 Tf {MARGIN} {MARGIN - 24} Td ({_quoted(foot)}) Tj ET"
            contents.append("\n".join([*operations, operation]).encode("cp1252"))
        fonts = " ".join(f"/{font.value} {3 + n} 0 R" for n, font in enumerate(_BASE_FONTS))
        first = 3 + len(_BASE_FONTS)
        kids = " ".join(f"{first + 2 * n} 0 R" for n in range(total))
        objects: list[bytes] = [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (id-ID) >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {total} >>".encode(),
        ]
        for name in _BASE_FONTS.values():
            font = f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>"
            objects.append(font.encode())
        for n, content in enumerate(contents):
            page = (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
                f"/Resources << /Font << {fonts} >> >> /Contents {first + 2 * n + 1} 0 R >>"
            )
            objects.append(page.encode())
            objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        return _assembled(objects)


def _quoted(text: str) -> str:
    printable = text.encode("cp1252", "replace").decode("cp1252")
    plain = "".join(c if c >= " " else " " for c in printable)
    return plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
