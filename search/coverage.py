"""``/v1/recordings``: what is covered, what is not and why, and what is still on its way, for many cameras.

The rule for one camera is :func:`archive.reader.explain`; here it is fed with coverage that the index
aggregated, so that a month of a district costs no more than its runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from archive.canonical import JsonObject
from archive.model.gap import Gap
from archive.reader import check_span, explain
from archive.timespan import SpanSet, Timespan, format_instant
from search.index import Index
from search.query import MAX_FILTER, RunCoverage, SegmentQuery


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
    """Coverage by run, gaps and pending stretches: each ordered by camera, then time."""

    coverage: tuple[RunCoverage, ...]
    gaps: tuple[CameraGap, ...]
    pending: tuple[CameraSpan, ...]

    def to_json(self) -> JsonObject:
        """As the API and ``saksi recordings --json`` answer."""
        return {
            "coverage": [{"camera": one.camera, "run": one.run, **_edges(one.span)} for one in self.coverage],
            "gaps": [{"camera": one.camera, **_edges(one.span), "cause": one.cause} for one in self.gaps],
            "pending": [{"camera": one.camera, **_edges(one.span)} for one in self.pending],
        }


def recordings(index: Index, query: SegmentQuery, *, registered: Mapping[str, int], now: int) -> Recordings:
    """What is known of the cameras in ``registered`` (id to the time of registration) that the query admits.

    Coverage, gaps and pending of a camera partition the span. With a place filter they partition what is
    left of it without the time for which the index holds records of the camera elsewhere: a camera that
    moved to another district is not missing here, it is there.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long`` (366 days).
    """
    check_span(query.span, now)
    asked = {
        camera: at for camera, at in registered.items() if query.cameras is None or camera in query.cameras
    }
    if not asked or query.admits_nothing:
        return Recordings((), (), ())
    if len(asked) <= MAX_FILTER:
        query = replace(query, cameras=tuple(sorted(asked)))
    # The high-water marks first: what is written between the questions must not look missing.
    high_waters = index.high_waters(asked)
    runs = [run for run in index.runs(query) if run.camera in asked]
    records = index.gap_records(query)
    elsewhere: Mapping[str, SpanSet] = {}
    if _looks_at_places(query):
        here = {gap.gap for gap in records}
        everywhere = replace(query, kecamatan=None, owners=None, near=None, box=None)
        elsewhere = _spans(
            [
                *((run.camera, run.span) for run in index.runs(everywhere)),
                *((gap.camera, gap.span) for gap in index.gap_records(everywhere) if gap.gap not in here),
            ]
        )
    by_camera: dict[str, list[Gap]] = defaultdict(list)
    for gap in records:
        by_camera[gap.camera].append(gap)
    covered = _spans((run.camera, run.span) for run in runs)
    gaps: list[CameraGap] = []
    pending: list[CameraSpan] = []
    for camera in sorted(asked):
        explained, rest = explain(
            query.span,
            covered.get(camera, _NONE) | elsewhere.get(camera, _NONE),
            by_camera[camera],
            registered_at=asked[camera],
            high_water=high_waters.get(camera),
            now=now,
        )
        gaps.extend(CameraGap(camera, gap.span, gap.cause) for gap in explained)
        pending.extend(CameraSpan(camera, span) for span in rest)
    return Recordings(tuple(runs), tuple(gaps), tuple(pending))


_NONE = SpanSet()


def _looks_at_places(query: SegmentQuery) -> bool:
    return any(part is not None for part in (query.kecamatan, query.owners, query.near, query.box))


def _spans(found: Iterable[tuple[str, Timespan]]) -> dict[str, SpanSet]:
    by_camera: dict[str, list[Timespan]] = defaultdict(list)
    for camera, span in found:
        by_camera[camera].append(span)
    return {camera: SpanSet(spans) for camera, spans in by_camera.items()}


def _edges(span: Timespan) -> JsonObject:
    return {"from": format_instant(span.start), "to": format_instant(span.end)}
