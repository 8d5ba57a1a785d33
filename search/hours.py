"""Stored hour coverage: the parts that both adapters share.

Coverage by camera and hour is stored. An hour is *stale* from the moment its records change until it is
computed again. An answer takes fresh hours from storage and computes the stale ones from segments and gaps,
so it never differs from computing everything. A *cell* is one camera in one UTC hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archive.timespan import HOUR, Timespan, hour_of
from search.query import MAX_FILTER, FootageSum, HourCoverage, SegmentQuery

Cell = tuple[str, int]
"""A camera and the start of a UTC hour."""

UNPLACED = 0
"""The number for "place unknown"; adapters number places from 1."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A span of records of one camera, with the smallest and the greatest number of their places."""

    camera: str
    span: Timespan
    least: int
    greatest: int


def cells_of(camera: str, span: Timespan) -> Iterator[Cell]:
    """The cells that a span touches."""
    for hour in range(hour_of(span.start), span.end, HOUR):
        yield camera, hour


def places_of(found: Iterable[Placed]) -> Mapping[Cell, int | None]:
    """By cell the one place of all its records, or None if they have several.

    A place filter admits a cell with one place wholly or not at all; a cell with several is computed.
    """
    places: dict[Cell, int | None] = {}
    for one in found:
        place = one.least if one.least == one.greatest else None
        for cell in cells_of(one.camera, one.span):
            if places.setdefault(cell, place) != place:
                places[cell] = None
    return places


def rectangles(cells: Iterable[Cell]) -> Iterator[SegmentQuery]:
    """Queries that cover exactly these cells: cameras with the same consecutive hours share one query."""
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
    """Both, ordered by camera and hour; ``kept`` must be in that order already."""
    if not computed:
        return tuple(kept)
    return tuple(sorted(kept + computed, key=lambda one: (one.camera, one.hour)))


def summed(hours: Iterable[HourCoverage], step: int, origin: int) -> tuple[FootageSum, ...]:
    """The footage of hours by camera and bucket of ``step`` µs from ``origin``."""
    return in_order((one.camera, bucket_of(one.hour, step, origin), one.covered) for one in hours)


def in_order(found: Iterable[tuple[str, int, int]]) -> tuple[FootageSum, ...]:
    """Parts of sums (camera, start of the bucket, µs), added up and ordered; those without footage go."""
    sums: dict[Cell, int] = defaultdict(int)
    for camera, start, covered in found:
        sums[camera, start] += covered
    return tuple(FootageSum(*cell, covered) for cell, covered in sorted(sums.items()) if covered)


def bucket_of(hour: int, step: int, origin: int) -> int:
    """The start of the bucket that holds an hour."""
    return hour - (hour - origin) % step
