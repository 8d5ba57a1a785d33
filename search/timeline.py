"""Timelines and matrices: how much of each bucket of time was recorded, at any zoom.

Buckets of less than an hour are read exactly. Buckets of whole hours come from hour documents, and only their
ragged ends are read exactly (:mod:`search.tally`), so that a month costs no more than its hours.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import pairwise
from zoneinfo import ZoneInfo

from archive.errors import Malformed
from archive.footage.reader import check_span
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, as_datetime, from_datetime
from search.index import Index
from search.query import MAX_FILTER, SegmentQuery
from search.tally import (
    MOST_EXACT,
    Buckets,
    CameraState,
    by_hour,
    check_hours,
    exactly,
    is_exact,
    read,
    shared,
)

STEPS: Mapping[str, int] = {
    **{f"{n}s": n * SECOND for n in (1, 2, 5, 10, 15, 30)},
    **{f"{n}m": n * MINUTE for n in (1, 2, 5, 10, 15, 30)},
    **{f"{n}h": n * HOUR for n in (1, 2, 3, 4, 6, 12)},
    "1d": DAY,
}
"""The lengths of a bucket, by their names in requests."""

MOST_BUCKETS = 10_000
"""Buckets times cameras in one timeline."""

MOST_CELLS = 100_000
"""Hours or days times cameras in one matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """``edges`` bound the buckets; ``cameras`` has a tally for each of them.

    Of a camera for which only parts of the span were asked about, the tallies add up to those parts.
    ``held`` has µs under a legal hold for each bucket, by camera; None for askers who may not know.
    """

    edges: tuple[int, ...]
    cameras: Buckets
    held: Mapping[str, list[int]] | None


def step_of(text: str) -> int:
    """The length in µs of a step such as ``10s``, ``5m``, ``1h`` or ``1d``. Raises Malformed ``bad_step``."""
    if text not in STEPS:
        raise Malformed(
            f"{text[:20]!r} is not a step of a timeline",
            code="bad_step",
            hint=f"Use one of {', '.join(STEPS)}.",
        )
    return STEPS[text]


def bucket_edges(span: Timespan, step: int, zone: ZoneInfo) -> tuple[int, ...]:
    """The edges of the buckets of a span, itself included: the first and last bucket may be shorter.

    Buckets of hours begin at midnight in the zone, buckets of a day last from midnight to midnight.

    Raises:
        Malformed: ``too_many_buckets`` beyond 10,000; ``bad_zone`` if the zone's hours are not UTC hours.
    """
    _check_count(span.duration // step, MOST_BUCKETS)
    edges = {span.start, span.end}
    if step < HOUR:
        edges |= set(range(span.start - span.start % step + step, span.end, step))
        return tuple(sorted(edges))
    day = as_datetime(span.start).astimezone(zone).date()
    while (midnight := _midnight(day, zone)) < span.end:
        day += timedelta(days=1)
        following = _midnight(day, zone)
        begins = (midnight,) if step == DAY else range(midnight, following, step)
        edges |= {at for at in begins if span.start < at < span.end}
    return tuple(sorted(edges))


def whole_buckets(span: Timespan, step: int, zone: ZoneInfo) -> Timespan:
    """The span, widened to whole hours or days of the zone. Raises as :func:`bucket_edges`."""
    if step == DAY:
        first = as_datetime(span.start).astimezone(zone).date()
        last = as_datetime(span.end - 1).astimezone(zone).date()
        return Timespan(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
    return Timespan(span.start - span.start % step, span.end + -span.end % step)


def timeline(
    index: Index,
    parts: Mapping[str, SpanSet],
    span: Timespan,
    step: int,
    zone: ZoneInfo,
    *,
    cameras: Mapping[str, CameraState],
    held: Mapping[str, SpanSet] | None,
    now: int,
) -> Timeline:
    """The tallies of cameras in buckets of ``step`` µs; of each camera only its ``parts`` of the span count.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long``; ``too_many_buckets``; ``timeline_too_fine`` for
            buckets below an hour over more than 2,400 camera-hours; ``too_many_hours``; ``bad_zone``.
    """
    check_span(span, now)
    edges = bucket_edges(span, step, zone)
    _check_count(len(parts) * (len(edges) - 1), MOST_BUCKETS)
    if step < HOUR:
        if not is_exact(len(parts), span):
            raise Malformed(
                "buckets below an hour are too fine for so long a time",
                code="timeline_too_fine",
                hint=f"Use a step of 1h or more, or at most {MOST_EXACT} hours times cameras.",
            )
        found = exactly(read(index, span, _those(cameras, parts), now), parts, edges) if parts else {}
    else:
        found = by_hour(index, parts, edges, cameras, now)
    spans = None if held is None else held_in(held, parts, edges)
    return Timeline(edges=edges, cameras=found, held=spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Footage of cameras by hour or day: ``covered`` has µs for each bucket between two ``edges``."""

    edges: tuple[int, ...]
    covered: Mapping[str, list[int]]

    def calendar(self) -> list[tuple[int, int]]:
        """For each bucket how many cameras have footage in it, and its µs in all."""
        columns = [[row[n] for row in self.covered.values()] for n in range(len(self.edges) - 1)]
        return [(sum(one > 0 for one in column), sum(column)) for column in columns]


def matrix(
    index: Index,
    parts: Mapping[str, SpanSet],
    span: Timespan,
    step: int,
    zone: ZoneInfo,
    *,
    cameras: Mapping[str, CameraState],
    now: int,
) -> Matrix:
    """The footage of many cameras in hours or days, from hour documents.

    ``span`` is one of :func:`whole_buckets`. For cameras of which the whole span counts, the index adds up
    the hours; the others are read as for a timeline.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long``; ``too_many_buckets`` beyond 100,000 hours or days
            times cameras; ``too_many_hours``; ``bad_zone``.
    """
    check_span(span, now)
    edges = bucket_edges(span, step, zone)
    _check_count(len(parts) * (len(edges) - 1), MOST_CELLS)
    check_hours(len(parts), span)
    # Where clocks are set, a day is longer or shorter, and no origin counts it.
    is_even = all(end - start == step for start, end in pairwise(edges))
    whole = [name for name, part in parts.items() if is_even and not part.gaps_within(span)]
    covered = {name: [0] * (len(edges) - 1) for name in parts}
    for at in range(0, len(whole), MAX_FILTER):
        query = SegmentQuery(span=span, cameras=tuple(whole[at : at + MAX_FILTER]))
        for one in index.footage_sums(query, step, span.start):
            covered[one.camera][(one.start - span.start) // step] = one.covered
    rest = {name: part for name, part in parts.items() if name not in set(whole)}
    if rest:
        for name, tallies in by_hour(index, rest, edges, cameras, now).items():
            covered[name] = [one.covered for one in tallies]
    return Matrix(edges=edges, covered=covered)


def held_in(
    held: Mapping[str, SpanSet], parts: Mapping[str, SpanSet], edges: Sequence[int]
) -> Mapping[str, list[int]]:
    """By camera the µs of each bucket that are held."""
    return {camera: _lengths(held.get(camera, SpanSet()) & part, edges) for camera, part in parts.items()}


def _lengths(spans: Iterable[Timespan], edges: Sequence[int]) -> list[int]:
    found = [0] * (len(edges) - 1)
    for span in spans:
        for number, length in shared(span, edges):
            found[number] += length
    return found


def _those(cameras: Mapping[str, CameraState], names: Collection[str]) -> dict[str, CameraState]:
    return {name: cameras[name] for name in names}


def _midnight(day: date, zone: ZoneInfo) -> int:
    at = from_datetime(datetime.combine(day, time_of_day(), zone))
    if at % HOUR:
        raise Malformed(
            f"days in {zone.key} do not begin on a UTC hour",
            code="bad_zone",
            hint="Ask with zone=UTC, or with a step below an hour.",
        )
    return at


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise Malformed(
            f"{count} buckets are too many for one answer",
            code="too_many_buckets",
            hint=f"At most {most} buckets times cameras: use a longer step, a shorter time or fewer cameras.",
        )
