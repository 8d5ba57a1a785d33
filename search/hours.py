"""Stored hour coverage: what both adapters share.

Coverage by camera and hour is kept, and an hour is *stale* from the moment something in it changes until it
is computed again. An answer is what is kept for the hours that are not stale, and what segments and gaps
say for the others, so it never differs from computing everything. A *cell* is one camera in one UTC hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archive.timespan import HOUR, Timespan, hour_of
from search.query import MAX_FILTER, HourCoverage, SegmentQuery

Cell = tuple[str, int]
"""A camera and the start of a UTC hour."""

UNPLACED = 0
"""The number that stands for "place unknown"; adapters number places from 1."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Something that fills hours of one camera, with the least and the greatest number of its places."""

    camera: str
    span: Timespan
    least: int
    greatest: int


def cells_of(camera: str, span: Timespan) -> Iterator[Cell]:
    """The cells that a span touches."""
    for hour in range(hour_of(span.start), span.end, HOUR):
        yield camera, hour


def places_of(found: Iterable[Placed]) -> Mapping[Cell, int | None]:
    """The one place of everything in a cell, or None where there are several.

    A filter on places admits a cell of one place wholly or not at all; a cell of several is computed.
    """
    places: dict[Cell, int | None] = {}
    for one in found:
        place = one.least if one.least == one.greatest else None
        for cell in cells_of(one.camera, one.span):
            if places.setdefault(cell, place) != place:
                places[cell] = None
    return places


def rectangles(cells: Iterable[Cell]) -> Iterator[SegmentQuery]:
    """Questions that cover these cells and no others: cameras with the same hours in a row are one."""
    hours: dict[str, list[int]] = defaultdict(list)
    for camera, hour in sorted(set(cells)):
        hours[camera].append(hour)
    cameras: dict[Timespan, list[str]] = defaultdict(list)
    for camera, found in hours.items():
        first = last = found[0]
        for hour in found[1:]:
            if hour != last + HOUR:
                cameras[Timespan(first, last + HOUR)].append(camera)
                first = hour
            last = hour
        cameras[Timespan(first, last + HOUR)].append(camera)
    for span, together in cameras.items():
        for at in range(0, len(together), MAX_FILTER):
            yield SegmentQuery(span=span, cameras=tuple(together[at : at + MAX_FILTER]))


def joined(kept: list[HourCoverage], computed: list[HourCoverage]) -> tuple[HourCoverage, ...]:
    """Both, ordered by camera and hour; ``kept`` is in order."""
    if not computed:
        return tuple(kept)
    return tuple(sorted(kept + computed, key=lambda one: (one.camera, one.hour)))
