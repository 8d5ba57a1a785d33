"""How much of each bucket of time a camera recorded, and why the rest is missing.

Two ways give the same figures. The *exact* way reads coverage by run (:func:`search.coverage.recordings`).
The way by *hours* reads the hour documents (:meth:`search.index.Index.hours`) for whole UTC hours, and only
the hours that need it exactly: those cut by an edge, by the camera's registration, or by now. The rest of a
whole hour has its cause without being looked at: below the high-water mark it is ``unknown``, above it
pending, before the registration ``not_registered``.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archive.errors import Malformed
from archive.footage.reader import NOT_REGISTERED, NOT_YET, UNKNOWN, check_span
from archive.model.gap import GapCause
from archive.timespan import HOUR, SpanSet, Timespan, hour_of
from search.coverage import Recordings, recordings
from search.index import Index
from search.query import MAX_FILTER, SegmentQuery

MOST_HOURS = 800_000
"""Hours times cameras that one answer reads: a year of 77 cameras, a month of 1,000."""

MOST_EXACT = 2_400
"""Hours times cameras that are read exactly: 100 cameras for a day."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """What the cause of a missing stretch depends on besides the records: see ``recordings``."""

    registered_at: int
    is_disabled: bool = False


@dataclass(slots=True)
class Tally:
    """µs of one bucket: ``covered``, ``gaps`` by cause, ``pending``; together the time asked about."""

    covered: int = 0
    pending: int = 0
    gaps: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The time accounted for."""
        return self.covered + self.pending + sum(self.gaps.values())

    def miss(self, cause: str, length: int) -> None:
        """Add a stretch without footage."""
        if length > 0:
            self.gaps[cause] = self.gaps.get(cause, 0) + length

    def add(self, other: "Tally") -> None:
        """Add the figures of another stretch."""
        self.covered += other.covered
        self.pending += other.pending
        for cause, length in other.gaps.items():
            self.miss(cause, length)


Buckets = Mapping[str, list[Tally]]
"""By camera, one tally for each bucket."""


def is_exact(cameras: int, span: Timespan) -> bool:
    """Whether so many cameras are read exactly over the span."""
    return cameras * span.duration <= MOST_EXACT * HOUR


def exactly(found: Recordings, parts: Mapping[str, SpanSet], edges: Sequence[int]) -> Buckets:
    """Tallies of the parts, from recordings that reach over them. ``edges`` bound the buckets, in order."""
    tallies = {camera: [Tally() for _ in edges[1:]] for camera in parts}
    coverage: dict[str, list[Timespan]] = defaultdict(list)
    for run in found.coverage:
        coverage[run.camera].append(run.span)
    for camera, part in parts.items():
        for span in SpanSet(coverage[camera]) & part:
            for number, length in shared(span, edges):
                tallies[camera][number].covered += length
    for gap in found.gaps:
        for span in SpanSet((gap.span,)) & parts.get(gap.camera, _NONE):
            for number, length in shared(span, edges):
                tallies[gap.camera][number].miss(gap.cause, length)
    for one in found.pending:
        for span in SpanSet((one.span,)) & parts.get(one.camera, _NONE):
            for number, length in shared(span, edges):
                tallies[one.camera][number].pending += length
    return tallies


def check_hours(cameras: int, span: Timespan) -> None:
    """Refuse to read more than :data:`MOST_HOURS`. Raises Malformed ``too_many_hours``."""
    hours = span.duration // HOUR
    if cameras * hours > MOST_HOURS:
        raise Malformed(
            f"{cameras} cameras over {hours} hours are too much for one answer",
            code="too_many_hours",
            hint=f"Ask for at most {MOST_HOURS} camera-hours: fewer cameras, or a shorter time.",
        )


def by_hour(
    index: Index,
    parts: Mapping[str, SpanSet],
    edges: Sequence[int],
    cameras: Mapping[str, CameraState],
    now: int,
) -> Buckets:
    """The same figures from hour documents. Edges between the first and the last are on UTC hours.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long``; ``too_many_hours``.
    """
    span = check_span(Timespan(edges[0], edges[-1]), now)
    check_hours(len(parts), span)
    tallies = {camera: [Tally() for _ in edges[1:]] for camera in parts}
    # Read the marks first: a record written between the queries must not look missing.
    marks = _marks(index, parts, {name for name, one in cameras.items() if one.is_disabled})
    ragged: dict[Timespan, list[str]] = defaultdict(list)
    whole: dict[str, list[Timespan]] = {}
    for camera, part in parts.items():
        whole[camera] = []
        for piece in part.within(span):
            for stretch, is_whole in _cut(piece, (cameras[camera].registered_at, now)):
                if is_whole:
                    whole[camera].append(stretch)
                else:
                    ragged[Timespan(hour_of(stretch.start), hour_of(stretch.start) + HOUR)].append(camera)
    _add_whole(index, whole, edges, cameras, marks, now, tallies)
    for hour, names in ragged.items():
        _add_ragged(index, hour, sorted(set(names)), parts, edges, cameras, now, tallies)
    return tallies


@dataclass(frozen=True, slots=True)
class _Mark:
    """A camera's high-water mark, and whether its last record says that it is disabled, and it is."""

    at: int | None
    is_off: bool


def _marks(index: Index, cameras: Iterable[str], disabled: set[str]) -> Mapping[str, _Mark]:
    names = sorted(cameras)
    found = index.high_waters(names) if names else {}
    off: set[str] = set()
    for part in _chunks([name for name in names if name in disabled and name in found]):
        first, last = min(found[name] for name in part), max(found[name] for name in part)
        for gap in index.gap_records(SegmentQuery(span=Timespan(first - 1, last), cameras=tuple(part))):
            if gap.cause is GapCause.DISABLED and gap.span.end == found[gap.camera]:
                off.add(gap.camera)
    return {name: _Mark(found.get(name), name in off) for name in names}


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), MAX_FILTER):
        yield names[at : at + MAX_FILTER]


def _cut(piece: Timespan, moments: tuple[int, ...]) -> Iterator[tuple[Timespan, bool]]:
    """A stretch cut into whole hours and the rest: hours that an edge or a moment cuts are not whole."""
    cuts = {piece.start, piece.end}
    ragged = set()
    for moment in (piece.start, piece.end, *moments):
        if moment % HOUR and hour_of(moment) < piece.end and hour_of(moment) + HOUR > piece.start:
            ragged.add(hour_of(moment))
            cuts |= {max(piece.start, hour_of(moment)), min(piece.end, hour_of(moment) + HOUR)}
    # Whole hours before and after a registration on the hour have different causes.
    cuts |= {moment for moment in moments if piece.start < moment < piece.end and moment % HOUR == 0}
    ordered = sorted(cuts)
    for start, end in pairwise(ordered):
        yield Timespan(start, end), hour_of(start) not in ragged


def _add_whole(
    index: Index,
    whole: Mapping[str, Sequence[Timespan]],
    edges: Sequence[int],
    cameras: Mapping[str, CameraState],
    marks: Mapping[str, _Mark],
    now: int,
    tallies: Buckets,
) -> None:
    """Add stretches of whole hours from hour documents, and account for the rest of them."""
    names = sorted(name for name, spans in whole.items() if spans)
    for part in _chunks(names):
        first = min(whole[name][0].start for name in part)
        last = max(whole[name][-1].end for name in part)
        pieces = {name: _pieces(whole[name], edges) for name in part}
        sums = {name: [Tally() for _ in pieces[name]] for name in part}
        starts = {name: [one.span.start for one in pieces[name]] for name in part}
        for hour in index.hours(SegmentQuery(span=Timespan(first, last), cameras=tuple(part))):
            at = bisect_right(starts[hour.camera], hour.hour) - 1
            if at < 0 or hour.hour >= pieces[hour.camera][at].span.end:
                continue
            into = sums[hour.camera][at]
            into.covered += hour.covered
            for cause, length in hour.gaps.items():
                into.miss(cause.value, length)
        for name in part:
            for piece, known in zip(pieces[name], sums[name], strict=True):
                _rest(known, piece.span, cameras[name].registered_at, marks[name], now)
                tallies[name][piece.bucket].add(known)


@dataclass(frozen=True, slots=True)
class _Piece:
    span: Timespan
    bucket: int


def _pieces(spans: Iterable[Timespan], edges: Sequence[int]) -> list[_Piece]:
    """Stretches of whole hours, cut at the edges of buckets."""
    found = []
    for span in spans:
        start = span.start
        for number, length in shared(span, edges):
            found.append(_Piece(Timespan(start, start + length), number))
            start += length
    return found


def _rest(known: Tally, span: Timespan, registered_at: int, mark: _Mark, now: int) -> None:
    """Give the time of whole hours that no record accounts for its cause, by the rule of ``explain``."""
    rest = span.duration - known.total
    if rest <= 0:
        return
    if span.start >= now:
        known.miss(NOT_YET, rest)
        return
    if span.end <= registered_at:
        known.miss(NOT_REGISTERED, rest)
        return
    known_until = registered_at if mark.at is None else mark.at
    beyond = min(rest, max(0, span.end - max(span.start, known_until)))
    if mark.is_off:
        known.miss(GapCause.DISABLED.value, beyond)
    else:
        known.pending += beyond
    known.miss(UNKNOWN, rest - beyond)


def _add_ragged(
    index: Index,
    hour: Timespan,
    names: Sequence[str],
    parts: Mapping[str, SpanSet],
    edges: Sequence[int],
    cameras: Mapping[str, CameraState],
    now: int,
    tallies: Buckets,
) -> None:
    """Add the parts of one hour that is not whole, exactly."""
    inside = Timespan(max(hour.start, edges[0]), min(hour.end, edges[-1]))
    # A span that has not begun is refused; but a recorder whose clock is fast has records even there.
    begun = Timespan(min(inside.start, now - 1), inside.end)
    for some in _chunks(names):
        found = read(index, begun, {name: cameras[name] for name in some}, now)
        for name, made in exactly(found, {one: parts[one].within(inside) for one in some}, edges).items():
            for into, tally in zip(tallies[name], made, strict=True):
                into.add(tally)


def read(index: Index, span: Timespan, cameras: Mapping[str, CameraState], now: int) -> Recordings:
    """The recordings of up to 1,000 cameras, wherever they stood. Raises as ``recordings``."""
    return recordings(
        index,
        SegmentQuery(span=span, cameras=tuple(sorted(cameras))),
        registered={name: one.registered_at for name, one in cameras.items()},
        disabled={name for name, one in cameras.items() if one.is_disabled},
        now=now,
    )


def shared(span: Timespan, edges: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The buckets that a span within the edges touches, and how long it is in each."""
    number = max(0, bisect_right(edges, span.start) - 1)
    start = max(span.start, edges[0])
    while number + 1 < len(edges) and start < span.end:
        end = min(span.end, edges[number + 1])
        if start < end:
            yield number, end - start
        start, number = end, number + 1


_NONE = SpanSet()
