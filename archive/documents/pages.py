"""A4 pages that fill from the top with text, facts, tables, pictures and drawings, as a PDF.

With the same libraries, the same content gives the same bytes: the only date in the document is
:attr:`Pages.made_at`, its identifier is the hash of its content, and the fonts are embedded. Measures are
in points; a new page begins when an item would pass the bottom margin.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, cast

from reportlab.lib.utils import TimeStamp
from reportlab.pdfgen.canvas import Canvas

from archive.documents.fonts import ONE_AT_A_TIME, Font, glyphs, printable, text_width, wrapped
from archive.documents.panel import Align, Panel, Shade
from archive.timespan import as_datetime

WIDTH, HEIGHT = 595, 842
MARGIN = 56
INNER = WIDTH - 2 * MARGIN

_TOTAL = "total"
_CELL_GAP = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its title, its width in points, and how its cells are set."""

    title: str
    width: float
    align: Align = Align.LEFT
    font: Font = Font.PLAIN
    size: float = 8.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A JPEG and the lines under it."""

    jpeg: bytes
    caption: Sequence[str] = ()


class Pages:
    """A document being written.

    ``footer`` stands on every page beside the page number and the number of pages. A PDF viewer shows
    ``title`` and ``author``; without a title the footer is the title. ``made_at`` (µs) is the date in the
    document's properties; without one it is the year 2000, which no real document has.
    """

    def __init__(
        self, *, footer: str, title: str = "", author: str = "Saksi", made_at: int | None = None
    ) -> None:
        for font in Font:
            glyphs(font)
        self.footer = footer
        self.made_at = made_at
        self._out = BytesIO()
        self._canvas = Canvas(
            self._out,
            pagesize=(WIDTH, HEIGHT),
            invariant=1,
            pageCompression=1,
            lang="id-ID",
            initialFontName=cast(Any, Font.PLAIN.value),  # the stubs want a number there
        )
        self._canvas.setTitle(title or footer)
        self._canvas.setAuthor(author)
        self._canvas.setSubject(footer)
        self._canvas.setCreator("Saksi")
        self._canvas.setViewerPreference("DisplayDocTitle", "true")  # the title, not the file name
        self._page = 0
        self._headings = 0
        self._y: float = HEIGHT

    @property
    def left_over(self) -> float:
        """The height left on the page; 0 before the first page."""
        return max(0.0, HEIGHT - MARGIN - self._y)

    def space(self, height: float) -> None:
        """Leave empty space."""
        self._y += height

    def keep_together(self, height: float) -> None:
        """Begin a new page unless ``height`` is left on this one."""
        self._room(height)

    def new_page(self) -> None:
        """Begin a new page."""
        self._room(HEIGHT)

    def heading(self, text: str, english: str = "", *, room: float = 60) -> None:
        """The title of a section; ``room`` is the height that must fit under it on the same page."""
        if self._page and self._y > MARGIN:
            self.space(10)
        self._room(room)
        self._y += 14
        whole = self._whole()
        self._outline(text)
        whole.words((0, 0), text, font=Font.BOLD, size=11)
        if english:
            left = text_width(printable(text, Font.BOLD), Font.BOLD, 11) + 6
            whole.words((left, 0), english, size=8, shade=Shade.SOFT)
        self._y += 4

    def text(
        self,
        text: str,
        *,
        font: Font = Font.PLAIN,
        size: float = 10,
        indent: float = 0,
        centred: bool = False,
        shade: Shade = Shade.BLACK,
    ) -> None:
        """A paragraph over the whole width."""
        for line in wrapped(text, font, size, INNER - indent):
            self._room(size * 1.35)
            self._y += size * 1.35
            at, align = ((INNER / 2, 0.0), Align.CENTRE) if centred else ((indent, 0.0), Align.LEFT)
            self._whole().words(at, line, font=font, size=size, shade=shade, align=align)

    def english(self, text: str, *, indent: float = 0, centred: bool = False) -> None:
        """The same in English: smaller, in grey."""
        self.text(text, size=8, indent=indent, centred=centred, shade=Shade.SOFT)

    def bullet(self, text: str, english: str = "", *, size: float = 9.5) -> None:
        """A point of a list."""
        self._room(size * 1.35 * 2)
        self._whole().dot((4, size * 1.0), 1.4)
        self.text(text, size=size, indent=12)
        if english:
            self.english(english, indent=12)
        self.space(2)

    def fact(self, name: str, value: str, *, font: Font = Font.PLAIN, size: float = 9.5) -> None:
        """A name and its value side by side, both wrapped."""
        column = 150.0
        names = list(wrapped(name, Font.PLAIN, size, column - 12))
        values = list(wrapped(value, font, size, INNER - column))
        for number in range(max(len(names), len(values))):
            self._room(size * 1.4)
            self._y += size * 1.4
            whole = self._whole()
            if number < len(names):
                whole.words((0, 0), names[number], size=size)
            if number == 0:
                whole.words((column - 8, 0), ":", size=size)
            if number < len(values):
                whole.words((column, 0), values[number], font=font, size=size)

    def table(
        self,
        head: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
    ) -> None:
        """A table of plain cells; all columns but the first two are aligned right."""
        self.grid(
            [
                Column(title=title, width=width, align=Align.RIGHT if n > 1 else Align.LEFT, size=9)
                for n, (title, width) in enumerate(zip(head, widths, strict=True))
            ],
            rows,
        )

    def grid(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Rows with wrapped cells under a head that every page repeats; a row is never split.

        A row that is taller than a page is cut at the page's height into several.
        """
        self._room(48)
        self._head(columns)
        for row in rows:
            cells = [
                list(wrapped(cell, column.font, column.size, column.width - _CELL_GAP))
                for column, cell in zip(columns, row, strict=True)
            ]
            for part in _page_high(cells, columns):
                height = _height(part, columns)
                if self._y + height > HEIGHT - MARGIN:
                    self._room(HEIGHT)
                    self._head(columns)
                self._row(part, columns)
                self._whole().line((0, 3), (INNER, 3), shade=Shade.RULE, thick=0.3)
        self._y += 4

    def columns(self, blocks: Sequence[Sequence[str]], *, size: float = 9.5) -> None:
        """Blocks of lines side by side, wrapped and centred in equal columns; "" is an empty line."""
        width = INNER / len(blocks)
        wrapped_blocks = [
            [line for text in block for line in wrapped(text, Font.PLAIN, size, width - _CELL_GAP)]
            for block in blocks
        ]
        height = max(map(len, wrapped_blocks)) * size * 1.4
        self._room(height)
        for number, block in enumerate(wrapped_blocks):
            middle = (number + 0.5) * width
            for line, text in enumerate(block, 1):
                self._whole().words((middle, line * size * 1.4), text, size=size, align=Align.CENTRE)
        self._y += height

    def line(self) -> None:
        """A thin line over the whole width."""
        self._room(6)
        self._y += 4
        self._whole().line((0, 0), (INNER, 0))

    def figure(self, height: float, draw: Callable[[Panel], None]) -> None:
        """A frame of the whole width and this height, for ``draw`` to draw in."""
        self._room(height)
        draw(Panel(self._canvas, MARGIN, HEIGHT - self._y, INNER, height))
        self._y += height

    def pictures(self, pictures: Sequence[Picture], *, across: int = 3, height: float = 96) -> None:
        """Pictures in rows of ``across``, each at most ``height`` high, with their captions under them."""
        gap = 8.0
        width = (INNER - gap * (across - 1)) / across
        for first in range(0, len(pictures), across):
            row = pictures[first : first + across]
            below = 9.0 * max(len(picture.caption) for picture in row)
            draw = partial(_side_by_side, row=row, width=width, height=height, gap=gap)
            self.figure(height + below + 10, draw)

    def encode(self) -> bytes:
        """Finish and return the document; nothing can be added to it afterwards."""
        if not self._page:
            self._room(0)
        self._foot()
        self._canvas.beginForm(_TOTAL)
        self._canvas.setFont(Font.PLAIN.value, 8)
        self._canvas.setFillColorRGB(*Shade.SOFT.value)
        self._canvas.drawString(0, 0, str(self._page))
        self._canvas.endForm()
        if self.made_at is not None:
            cast(Any, self._canvas)._doc._timeStamp = _Dated(self.made_at)
        with ONE_AT_A_TIME:
            self._canvas.save()
        return self._out.getvalue()

    def _outline(self, text: str) -> None:
        """Add the heading to the PDF's outline."""
        self._headings += 1
        place = f"heading-{self._headings}"
        self._canvas.bookmarkHorizontal(place, 0, HEIGHT - self._y + 14)
        self._canvas.addOutlineEntry(printable(text, Font.BOLD), place, 0)

    def _whole(self) -> Panel:
        """The rest of the page, as a frame that begins at the current height."""
        return Panel(self._canvas, MARGIN, HEIGHT - self._y, INNER, self.left_over)

    def _room(self, height: float) -> None:
        if not self._page or self._y + height > HEIGHT - MARGIN:
            if self._page:
                self._foot()
                self._canvas.showPage()
            self._page += 1
            self._y = MARGIN

    def _foot(self) -> None:
        panel = Panel(self._canvas, MARGIN, MARGIN - 24, INNER, 12)
        place = f"{self._page} / "
        wide = text_width(place, Font.PLAIN, 8)
        room = 24.0
        foot = next(wrapped(self.footer, Font.PLAIN, 8, INNER - room - wide - 10))
        panel.line((0, -12), (INNER, -12), shade=Shade.RULE, thick=0.4)
        panel.words((0, 0), foot, shade=Shade.SOFT)
        panel.words((INNER - room, 0), place, shade=Shade.SOFT, align=Align.RIGHT)
        self._canvas.saveState()
        self._canvas.translate(MARGIN + INNER - room, MARGIN - 24)
        self._canvas.doForm(_TOTAL)  # the number of pages is known at the end
        self._canvas.restoreState()

    def _head(self, columns: Sequence[Column]) -> None:
        cells = [list(wrapped(one.title, Font.BOLD, one.size, one.width - _CELL_GAP)) for one in columns]
        self._row(cells, columns, font=Font.BOLD)
        self._whole().line((0, 3), (INNER, 3), thick=0.6)
        self._y += 2

    def _row(
        self, cells: Sequence[Sequence[str]], columns: Sequence[Column], *, font: Font | None = None
    ) -> None:
        whole, left = self._whole(), 0.0
        first = 1.3 * max(column.size for column in columns)
        for lines, column in zip(cells, columns, strict=True):
            at = left + (column.width - _CELL_GAP if column.align is Align.RIGHT else 0.0)
            for number, line in enumerate(lines, 1):
                base = first + (number - 1) * column.size * 1.3
                whole.words((at, base), line, font=font or column.font, size=column.size, align=column.align)
            left += column.width
        self._y += _height(cells, columns)


class _Dated(TimeStamp):
    """The date that ReportLab writes into a document's properties: ``made_at``, in UTC."""

    def __init__(self, instant: int) -> None:
        moment = as_datetime(instant)
        self.t = int(moment.timestamp())
        self.lt = moment.timetuple()
        self.YMDhms = moment.timetuple()[:6]
        self.dhh = self.dmm = 0
        self.tzname = "UTC"


def _height(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> float:
    first = max(column.size for column in columns) * 1.3
    return 4.5 + max(
        first + (len(lines) - 1) * column.size * 1.3 for lines, column in zip(cells, columns, strict=True)
    )


def _page_high(
    cells: Sequence[Sequence[str]], columns: Sequence[Column]
) -> Iterable[Sequence[Sequence[str]]]:
    """A row in parts that each fit on a page under the head; nearly always one part."""
    most = int((HEIGHT - 2 * MARGIN - 80) / (1.3 * max(column.size for column in columns)))
    for first in range(0, max(1, *(len(lines) for lines in cells)), most):
        yield [lines[first : first + most] for lines in cells]


def _side_by_side(panel: Panel, row: Sequence[Picture], width: float, height: float, gap: float) -> None:
    for number, picture in enumerate(row):
        left = number * (width + gap)
        panel.box((left, 0), width, height, fill=Shade.PALE, edge=None)
        panel.picture((left, 0), picture.jpeg, width, height)
        for line, caption in enumerate(picture.caption, 1):
            shown = next(wrapped(caption, Font.PLAIN, 7, width))
            panel.words((left, height + 9 * line), shown, size=7)
