"""Which picture stands in each tile of a contact sheet, and how the sheet looks.

The span is divided into equal parts. A tile shows the last keyframe at or before the middle of its part, and
the keyframe's own time. Where there is no footage the tile is hatched, with the cause: a sheet never closes
up over a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from archive.footage.clip.exact import all_gaps
from archive.footage.download.naming import time_text
from archive.footage.reader import UNKNOWN, Reading
from archive.footage.sheet.canvas import GLYPH_HEIGHT, Canvas, text_width
from archive.model.segment import SegmentRef
from archive.timespan import as_datetime

MOST_TILES = 48
MOST_COLUMNS = 8
TILE_WIDTH, TILE_HEIGHT = 320, 180

_SCALE = 2
_LINE = (GLYPH_HEIGHT + 5) * _SCALE
_BLACK, _WHITE, _GREY, _DARK = (0, 0, 0), (255, 255, 255), (120, 120, 120), (70, 70, 70)
NO_PICTURE = "no_picture"
"""The cause of a tile whose keyframe cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One tile: its instant, and the segment shown there; without one, the cause."""

    at: int
    ref: SegmentRef | None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The pixels of one tile, :data:`TILE_WIDTH` × :data:`TILE_HEIGHT`, and the keyframe's instant."""

    pixels: bytes
    instant: int


def slots_of(reading: Reading, tiles: int) -> tuple[Slot, ...]:
    """The tiles of a span, in order."""
    gaps = all_gaps(reading)
    made: list[Slot] = []
    for number in range(tiles):
        at = reading.span.start + (2 * number + 1) * reading.span.duration // (2 * tiles)
        ref = _shown_at(reading, at)
        cause = "" if ref is not None else next((gap.cause for gap in gaps if at in gap.span), UNKNOWN)
        made.append(Slot(at, ref, cause))
    return tuple(made)


def compose(
    title: str, slots: Sequence[Slot], pictures: Sequence[Picture | None], columns: int, zone: tzinfo
) -> Canvas:
    """The sheet: a title, and the tiles in rows, each with its time below. ``pictures`` fit ``slots``."""
    rows = -(-len(slots) // columns)
    sheet = Canvas(columns * TILE_WIDTH, _LINE + rows * (TILE_HEIGHT + _LINE), _BLACK)
    sheet.write(8, _SCALE * 2, title[: columns * TILE_WIDTH // text_width("0", _SCALE) - 1], _SCALE, _WHITE)
    several_days = len({_local(slot.at, zone).date() for slot in slots}) > 1
    for number, (slot, picture) in enumerate(zip(slots, pictures, strict=True)):
        x, y = number % columns * TILE_WIDTH, _LINE + number // columns * (TILE_HEIGHT + _LINE)
        if picture is None:
            _draw_gap(sheet, x, y, slot.cause or NO_PICTURE)
        else:
            sheet.paste(x, y, TILE_WIDTH, TILE_HEIGHT, picture.pixels)
        moment = _local(slot.at if picture is None else picture.instant, zone)
        day = f"{moment:%m-%d} " if several_days else ""
        label = f"{day}{moment:%H.%M.%S}.{moment.microsecond // 1000:03d}"
        sheet.write(x + 8, y + TILE_HEIGHT + _SCALE * 2, label, _SCALE, _WHITE)
    return sheet


def title_of(reading: Reading, zone: tzinfo) -> str:
    """The title: the camera's id and the span in the city's time."""
    return f"{reading.camera}  {time_text(reading.span, zone)}"


def _draw_gap(sheet: Canvas, x: int, y: int, cause: str) -> None:
    sheet.hatch(x, y, TILE_WIDTH, TILE_HEIGHT, _GREY, _DARK)
    top = y + TILE_HEIGHT // 2 - _LINE
    sheet.fill(x + 16, top - 4, TILE_WIDTH - 32, 2 * _LINE + 4, _BLACK)
    for number, text in enumerate(("TIDAK ADA GAMBAR", cause.replace("_", " "))):
        left = x + (TILE_WIDTH - text_width(text, _SCALE)) // 2
        sheet.write(left, top + number * _LINE, text, _SCALE, _WHITE)


def _shown_at(reading: Reading, at: int) -> SegmentRef | None:
    for portion in reading.portions:
        if at in portion.span:
            return next((ref for ref in portion.segments if at in ref.span), None)
    return None


def _local(at: int, zone: tzinfo) -> datetime:
    return as_datetime(at).astimezone(zone)
