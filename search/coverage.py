"""``/v1/recordings``: coverage, gaps with their causes, and pending time, for many cameras.

The rule for one camera is :func:`archive.footage.reader.explain`. Here it gets coverage that the index has
aggregated, so that a month of a district costs no more than its runs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from archive.canonical import JsonObject
from archive.footage.choice import RunFootage, choose
from archive.footage.reader import UNKNOWN, GapSpan, check_span, explain
from archive.model.gap import Gap
from archive.timespan import SpanSet, Timespan
from search.index import Index
from search.query import MAX_FILTER, RunCoverage, SegmentQuery

_NOBODY: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CameraGap:
    """A stretch of one camera without footage, and its cause."""

    camera: str
    span: Timespan
    cause: str


@dataclass(frozen=True, slots=True)
class CameraSpan:
    """A stretch of one camera."""

    camera: str
    span: Timespan


@dataclass(frozen=True, slots=True)
class Recordings:
    """Coverage by run, gaps and pending stretches: each ordered by camera, then time.

    ``coverage`` has every covered instant once: where several runs have footage, the one that a clip of the
    same span shows. ``others`` is the footage of the other runs there. ``cameras`` lists every camera of the
    answer, including those without any record. ``pauses`` are parts of the coverage in which no new picture
    came; only :func:`with_pauses` finds them.
    """

    coverage: tuple[RunCoverage, ...]
    gaps: tuple[CameraGap, ...]
    pending: tuple[CameraSpan, ...]
    cameras: tuple[str, ...] = ()
    others: tuple[RunCoverage, ...] = ()
    pauses: tuple[CameraSpan, ...] = ()

    def to_json(self) -> JsonObject:
        """The answer of the API and of ``saksi recordings --json``."""
        return {
            "coverage": [_run_json(one) for one in self.coverage],
            "gaps": [{"camera": one.camera, **one.span.to_json(), "cause": one.cause} for one in self.gaps],
            "pending": [{"camera": one.camera, **one.span.to_json()} for one in self.pending],
            "others": [_run_json(one) for one in self.others],
            "pauses": [{"camera": one.camera, **one.span.to_json()} for one in self.pauses],
        }


def recordings(
    index: Index,
    query: SegmentQuery,
    *,
    registered: Mapping[str, int],
    passing: Mapping[str, int] = _NOBODY,
    unmoved: Collection[str] = (),
    disabled: Collection[str] = (),
    now: int,
) -> Recordings:
    """Coverage, gaps and pending time of the cameras that the query admits.

    ``registered`` are the cameras of the answer, each with the time of its registration. A camera in
    ``passing`` joins them only if the index has a matching record of it: it once stood there. ``unmoved``
    cameras have, as far as is known, never stood elsewhere; the index is asked for them elsewhere only if
    nothing else explains a hole. ``disabled`` cameras are not recorded now.

    Coverage, gaps and pending of a camera partition the span. With a place filter, the time for which the
    index has records of the camera elsewhere is taken out of the span first: a camera that moved to another
    district is not missing here.

    It sends three queries to the index; one more for disabled cameras; two more if a camera has a hole and
    may have stood elsewhere; the first three again if a ``passing`` camera joins.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long`` (366 days).
    """
    check_span(query.span, now)
    asked = {
        camera: at for camera, at in registered.items() if query.cameras is None or camera in query.cameras
    }
    if query.admits_nothing or not (asked or passing):
        return Recordings((), (), ())
    while True:
        # Read the high-water marks first: a record written between the queries must not look missing.
        high_waters = index.high_waters(asked) if asked else {}
        runs = index.runs(query)
        records = index.gap_records(query)
        found = {run.camera for run in runs} | {gap.camera for gap in records}
        more = {camera: at for camera, at in passing.items() if camera in found and camera not in asked}
        if not more:
            break
        asked |= more  # their marks, too, must be read before their runs
    runs, others = _chosen(run for run in runs if run.camera in asked)
    covered = _spans((run.camera, run.span) for run in runs)
    by_camera: dict[str, list[Gap]] = defaultdict(list)
    for gap in records:
        by_camera[gap.camera].append(gap)

    for gap in _said_last(index, query, {camera: high_waters.get(camera) for camera in disabled}):
        by_camera[gap.camera].append(gap)

    def explained(camera: str, elsewhere: SpanSet) -> tuple[tuple[GapSpan, ...], SpanSet]:
        return explain(
            query.span,
            covered.get(camera, _NONE) | elsewhere,
            by_camera[camera],
            registered_at=asked[camera],
            high_water=high_waters.get(camera),
            now=now,
            is_disabled=camera in disabled,
        )

    def may_be_elsewhere(camera: str) -> bool:
        if not covered.get(camera, _NONE).gaps_within(query.span):
            return False
        return camera not in unmoved or any(gap.cause == UNKNOWN for gap in explained(camera, _NONE)[0])

    elsewhere: Mapping[str, SpanSet] = {}
    if _looks_at_places(query):
        holed = [camera for camera in asked if may_be_elsewhere(camera)]
        elsewhere = _elsewhere(index, query, holed, records) if holed else {}
    gaps: list[CameraGap] = []
    pending: list[CameraSpan] = []
    for camera in sorted(asked):
        missing, rest = explained(camera, elsewhere.get(camera, _NONE))
        gaps.extend(CameraGap(camera, gap.span, gap.cause) for gap in missing)
        pending.extend(CameraSpan(camera, span) for span in rest)
    return Recordings(runs, tuple(gaps), tuple(pending), tuple(sorted(asked)), others)


def with_pauses(index: Index, query: SegmentQuery, found: Recordings) -> Recordings:
    """The same answer to the query, with the pauses of the footage that it shows; one more query."""
    if not found.coverage:
        return found
    shown: dict[tuple[str, str], list[Timespan]] = defaultdict(list)
    for one in found.coverage:
        shown[one.camera, one.run].append(one.span)
    pauses = (
        CameraSpan(pause.camera, part)
        for pause in index.pauses(query)
        for span in shown.get((pause.camera, pause.run), ())
        if (part := pause.span.intersection(span)) is not None
    )
    return replace(found, pauses=tuple(sorted(pauses, key=lambda one: (one.camera, one.span))))


def _said_last(index: Index, query: SegmentQuery, marks: Mapping[str, int | None]) -> Iterable[Gap]:
    """As :func:`archive.footage.reader.said_last`, for many disabled cameras with one query."""
    start = query.span.start
    before = {camera: mark for camera, mark in marks.items() if mark is not None and mark <= start}
    found: list[Gap] = []
    names = sorted(before)
    for at in range(0, len(names), MAX_FILTER):
        part = tuple(names[at : at + MAX_FILTER])
        since = min(before[camera] for camera in part) - 1
        asked = SegmentQuery(span=Timespan(since, max(start, since + 1)), cameras=part)
        found += (gap for gap in index.gap_records(asked) if gap.span.end == before[gap.camera])
    return found


def _chosen(
    runs: Iterable[RunCoverage],
) -> tuple[tuple[RunCoverage, ...], tuple[RunCoverage, ...]]:
    """What is shown, and the footage of other runs there: each by camera, then time."""
    by_camera: dict[str, dict[str, list[RunCoverage]]] = defaultdict(lambda: defaultdict(list))
    for one in runs:
        by_camera[one.camera][one.run].append(one)
    shown: list[RunCoverage] = []
    others: list[RunCoverage] = []
    for camera, of_camera in sorted(by_camera.items()):
        worst = {run: _worst(parts) for run, parts in of_camera.items()}
        choice = choose(
            RunFootage(run, SpanSet(part.span for part in parts), worst[run])
            for run, parts in of_camera.items()
        )
        shown += (RunCoverage(camera, one.run, one.span, worst[one.run]) for one in choice.shown)
        others += (RunCoverage(camera, one.run, one.span, worst[one.run]) for one in choice.others)
    return tuple(shown), tuple(others)


def _worst(parts: Iterable[RunCoverage]) -> int | None:
    found = [part.uncertainty_us for part in parts]
    known = [one for one in found if one is not None]
    return max(known) if len(known) == len(found) else None


def _run_json(one: RunCoverage) -> JsonObject:
    return {
        "camera": one.camera,
        "run": one.run,
        **one.span.to_json(),
        "uncertainty_us": one.uncertainty_us,
    }


def _elsewhere(
    index: Index, query: SegmentQuery, cameras: Collection[str], here: Iterable[Gap]
) -> Mapping[str, SpanSet]:
    """The time for which the index has records of the cameras outside the query's places."""
    known = {gap.gap for gap in here}
    named = tuple(sorted(cameras)) if len(cameras) <= MAX_FILTER else query.cameras
    everywhere = replace(query, cameras=named, kecamatan=None, owners=None, near=None, box=None)
    return _spans(
        [
            *((run.camera, run.span) for run in index.runs(everywhere)),
            *((gap.camera, gap.span) for gap in index.gap_records(everywhere) if gap.gap not in known),
        ]
    )


_NONE = SpanSet()


def _looks_at_places(query: SegmentQuery) -> bool:
    return any(part is not None for part in (query.kecamatan, query.owners, query.near, query.box))


def _spans(found: Iterable[tuple[str, Timespan]]) -> dict[str, SpanSet]:
    by_camera: dict[str, list[Timespan]] = defaultdict(list)
    for camera, span in found:
        by_camera[camera].append(span)
    return {camera: SpanSet(spans) for camera, spans in by_camera.items()}
