"""A frame on a page to draw in: lines, boxes, dots, words, pictures and QR codes.

Positions are points from the frame's upper left corner, to the right and down. Colours are grey to black
unless named: a page must survive a photocopier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from io import BytesIO

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from archive.documents import qr
from archive.documents.fonts import Font, printable, text_width

Point = tuple[float, float]


class Shade(Enum):
    """The colours of a document as red, green and blue from 0 to 1."""

    BLACK = (0.0, 0.0, 0.0)
    SOFT = (0.38, 0.38, 0.38)
    RULE = (0.72, 0.72, 0.72)
    PALE = (0.93, 0.93, 0.93)
    WHITE = (1.0, 1.0, 1.0)
    BLUE = (0.10, 0.32, 0.58)
    RED = (0.75, 0.16, 0.13)


class Align(Enum):
    """How a text is aligned at its position."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame of ``width`` × ``height`` points whose upper left corner lies at (``left``, ``top``).

    ``top`` is measured from the lower edge of the page, as PDF does; all else is from the frame's corner.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float

    def words(
        self,
        at: Point,
        text: str,
        *,
        font: Font = Font.PLAIN,
        size: float = 8,
        shade: Shade = Shade.BLACK,
        align: Align = Align.LEFT,
    ) -> None:
        """One line of text; ``at`` is on its baseline."""
        shown = printable(text, font)
        shift = {Align.LEFT: 0.0, Align.CENTRE: 0.5, Align.RIGHT: 1.0}[align]
        left = at[0] - (shift * text_width(shown, font, size) if shift else 0.0)
        self.canvas.setFillColorRGB(*shade.value)
        self.canvas.setFont(font.value, size)
        self.canvas.drawString(self.left + left, self.top - at[1], shown)

    def line(
        self,
        start: Point,
        end: Point,
        *,
        shade: Shade = Shade.BLACK,
        thick: float = 0.5,
        dashes: Sequence[float] = (),
    ) -> None:
        """A straight line."""
        self.canvas.setStrokeColorRGB(*shade.value)
        self.canvas.setLineWidth(thick)
        self.canvas.setDash(list(dashes))
        self.canvas.line(self.left + start[0], self.top - start[1], self.left + end[0], self.top - end[1])
        self.canvas.setDash([])

    def box(
        self,
        at: Point,
        width: float,
        height: float,
        *,
        fill: Shade | None = None,
        edge: Shade | None = Shade.BLACK,
        thick: float = 0.5,
    ) -> None:
        """A rectangle whose upper left corner is ``at``."""
        if edge is not None:
            self.canvas.setStrokeColorRGB(*edge.value)
            self.canvas.setLineWidth(thick)
        if fill is not None:
            self.canvas.setFillColorRGB(*fill.value)
        self.canvas.rect(
            self.left + at[0],
            self.top - at[1] - height,
            width,
            height,
            stroke=int(edge is not None),
            fill=int(fill is not None),
        )

    def dot(self, at: Point, radius: float, *, fill: Shade = Shade.BLACK) -> None:
        """A filled circle around ``at``."""
        self.canvas.setFillColorRGB(*fill.value)
        self.canvas.circle(self.left + at[0], self.top - at[1], radius, stroke=0, fill=1)

    def hatched(self, at: Point, width: float, height: float, *, shade: Shade = Shade.RED) -> None:
        """A rectangle of slanting lines for missing footage; also visible on a black and white copy."""
        left, bottom = self.left + at[0], self.top - at[1] - height
        self.canvas.saveState()
        path = self.canvas.beginPath()
        path.rect(left, bottom, width, height)
        self.canvas.clipPath(path, stroke=0, fill=0)
        self.canvas.setStrokeColorRGB(*shade.value)
        self.canvas.setLineWidth(0.6)
        step, x = 2.5, left - height
        while x < left + width:
            self.canvas.line(x, bottom, x + height, bottom + height)
            x += step
        self.canvas.restoreState()
        self.box(at, width, height, edge=shade, thick=0.5)

    def picture(self, at: Point, jpeg: bytes, width: float, height: float) -> None:
        """A JPEG as large as fits into ``width`` × ``height`` in its own proportions, in the middle of it.

        The JPEG's own bytes go into the document. The caller makes sure that it is a JPEG.
        """
        image = ImageReader(BytesIO(jpeg))
        across, down = image.getSize()
        scale = min(width / across, height / down)
        self.canvas.drawImage(
            image,
            self.left + at[0] + (width - across * scale) / 2,
            self.top - at[1] - (height + down * scale) / 2,
            across * scale,
            down * scale,
        )

    def qr(self, at: Point, text: str, side: float) -> None:
        """A QR code (error correction M) with its quiet zone, in a square of ``side`` points."""
        modules = qr.modules(text)
        quiet = qr.QUIET
        module = side / (len(modules) + 2 * quiet)
        self.canvas.setFillColorRGB(*Shade.BLACK.value)
        path = self.canvas.beginPath()
        for row, cells in enumerate(modules):
            for column, length in _runs(cells):
                path.rect(
                    self.left + at[0] + (column + quiet) * module,
                    self.top - at[1] - (row + quiet + 1) * module,
                    length * module,
                    module,
                )
        self.canvas.drawPath(path, stroke=0, fill=1)


def _runs(cells: Sequence[int]) -> list[tuple[int, int]]:
    """Where each run of dark modules begins in a row, and its length."""
    runs: list[tuple[int, int]] = []
    start = -1
    for column, dark in enumerate([*cells, 0]):
        if dark and start < 0:
            start = column
        elif not dark and start >= 0:
            runs.append((start, column - start))
            start = -1
    return runs
