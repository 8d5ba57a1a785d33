"""A box of the picture, in fractions of its width and height, and the cells of the grid that it means."""

from dataclasses import dataclass

from archive.errors import Malformed
from archive.footage.skim.grid import COLUMNS, ROWS, UNIT, Step

_EDGES = 4


@dataclass(frozen=True, slots=True)
class Box:
    """From (``x0``, ``y0``), the upper left, to (``x1``, ``y1``), the lower right: 0 to 1 each.

    Raises:
        Malformed: ``bad_box``.
    """

    x0: float = 0.0
    y0: float = 0.0
    x1: float = 1.0
    y1: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.x0 < self.x1 <= 1 and 0 <= self.y0 < self.y1 <= 1):
            raise _bad_box()

    @property
    def columns(self) -> range:
        """The columns that it means: those whose middle lies in it, else the one with its own middle."""
        return _meant(self.x0, self.x1, COLUMNS)

    @property
    def rows(self) -> range:
        """The rows that it means, in the same way."""
        return _meant(self.y0, self.y1, ROWS)

    @property
    def looked_at(self) -> "Box":
        """The cells that it means, as a box: what is really looked at."""
        columns, rows = self.columns, self.rows
        return Box(columns.start / COLUMNS, rows.start / ROWS, columns.stop / COLUMNS, rows.stop / ROWS)

    def strongest_in(self, step: Step) -> float:
        """The strength of the cell that changed most in it."""
        left, right = self.columns.start, self.columns.stop
        rows = range(self.rows.start * COLUMNS, self.rows.stop * COLUMNS, COLUMNS)
        return max(max(step.cells[row + left : row + right]) for row in rows) / UNIT

    def to_json(self) -> list[float]:
        """Its edges, as answers have them."""
        return [round(edge, 6) for edge in (self.x0, self.y0, self.x1, self.y1)]

    def __str__(self) -> str:
        return ",".join(format(edge, "g") for edge in self.to_json())


def box_of(text: str) -> Box:
    """Read ``x0,y0,x1,y1``; the whole picture for "". Raises Malformed ``bad_box``."""
    if not text:
        return Box()
    parts = text.split(",")
    try:
        edges = [float(part) for part in parts]
    except ValueError as error:
        raise _bad_box() from error
    if len(edges) != _EDGES:
        raise _bad_box()
    return Box(*edges)


def _meant(low: float, high: float, count: int) -> range:
    first = next((n for n in range(count) if (n + 0.5) / count >= low), count)
    end = next((n for n in range(first, count) if (n + 0.5) / count > high), count)
    if first < end:
        return range(first, end)
    middle = min(count - 1, int((low + high) / 2 * count))
    return range(middle, middle + 1)


def _bad_box() -> Malformed:
    return Malformed(
        "that is not a box of the picture",
        code="bad_box",
        hint="Write x0,y0,x1,y1 from 0 to 1, the upper left corner first: 0.2,0.5,0.4,0.9",
    )
