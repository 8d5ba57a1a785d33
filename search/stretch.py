"""Stretches: segments of one run, counted inside the index, and the coverage that the counts prove.

An adapter aggregates segments by camera, run and (for hours) the UTC hour they start in; this module turns
the sums into coverage. A run normally has no hole, so its first start and last end are its coverage. But a
segment may be late, lost on upload, or destroyed by retention while its neighbours are held. So coverage is
concluded only if the sums prove it: as many segments as sequence numbers, and durations that add up to the
whole. Otherwise the adapter is asked for the segments' own spans.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from archive.model.gap import Gap, GapCause
from archive.timespan import HOUR, SpanSet, Timespan, hour_of
from search.query import HourCoverage, RunCoverage, SegmentQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sums over segments of one camera and run: first start to last end, counts and totals.

    The places are the adapter's numbers; 0 is unknown. ``uncertainty_us`` is the largest of the
    segments, None if nothing bounds one of them.
    """

    camera: str
    run: str
    span: Timespan
    segments: int
    first_seq: int
    last_seq: int
    duration: int
    size: int
    held: int
    least_place: int = 0
    greatest_place: int = 0
    uncertainty_us: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the sums prove that the segments follow one another without a hole.

        Inside a run segments do not overlap (a clock that steps back begins another run); an overlap could
        hide only a hole of exactly its own length.
        """
        return self.segments == self.last_seq - self.first_seq + 1 and self.duration == self.span.duration


Pieces = Callable[[Stretch], Iterable[Timespan]]
"""Returns the spans of a stretch's segments, in any order; called if the stretch is not whole."""


def run_coverage(stretches: Iterable[Stretch], within: Timespan, pieces: Pieces) -> tuple[RunCoverage, ...]:
    """Coverage per run, clipped to ``within``, ordered by camera and start."""
    found = [
        RunCoverage(stretch.camera, stretch.run, span, stretch.uncertainty_us)
        for stretch in stretches
        for span in _covered(stretch, pieces).within(within)
    ]
    return tuple(sorted(found, key=lambda one: (one.camera, one.span, one.run)))


def hour_coverage(
    stretches: Iterable[Stretch], gaps: Iterable[Gap], within: Timespan, pieces: Pieces
) -> tuple[HourCoverage, ...]:
    """Coverage per camera and UTC hour of ``within``, from stretches that each start in one hour.

    ``within`` begins and ends on an hour. Footage beats gap; of two gap records that overlap, the one that
    began first keeps the overlap.
    """
    covered: dict[str, list[Timespan]] = defaultdict(list)
    totals: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for stretch in stretches:
        covered[stretch.camera].extend(_covered(stretch, pieces))
        hour = hour_of(stretch.span.start)
        if hour in within:
            total = totals[stretch.camera, hour]
            total[0] += stretch.size
            total[1] += stretch.segments
            total[2] += stretch.held
    footage = {camera: SpanSet(spans).within(within) for camera, spans in covered.items()}
    covered_us: dict[tuple[str, int], int] = defaultdict(int)
    for camera, spans in footage.items():
        for hour, length in _by_hour(spans):
            covered_us[camera, hour] += length
    missing: dict[tuple[str, int], dict[GapCause, int]] = defaultdict(lambda: defaultdict(int))
    for camera, cause, spans in _causes(gaps, footage, within):
        for hour, length in _by_hour(spans):
            missing[camera, hour][cause] += length
    return tuple(
        HourCoverage(
            camera=camera,
            hour=hour,
            covered=covered_us.get((camera, hour), 0),
            bytes=totals[camera, hour][0],
            segments=totals[camera, hour][1],
            held=totals[camera, hour][2],
            gaps=dict(missing.get((camera, hour), {})),
        )
        for camera, hour in sorted({*covered_us, *missing, *totals})
    )


def whole_hours(span: Timespan) -> Timespan:
    """The hours that a span touches, as one span."""
    return Timespan(hour_of(span.start), hour_of(span.end - 1) + HOUR)


def widened(query: SegmentQuery, within: Timespan) -> SegmentQuery:
    """The same query over another span."""
    return replace(query, span=within)


def _covered(stretch: Stretch, pieces: Pieces) -> SpanSet:
    return SpanSet((stretch.span,) if stretch.whole else pieces(stretch))


def _by_hour(spans: SpanSet) -> Iterator[tuple[int, int]]:
    for span in spans:
        hour = hour_of(span.start)
        while hour < span.end:
            yield hour, min(span.end, hour + HOUR) - max(span.start, hour)
            hour += HOUR


def _causes(
    gaps: Iterable[Gap], footage: dict[str, SpanSet], within: Timespan
) -> Iterator[tuple[str, GapCause, SpanSet]]:
    """The part of each gap record that no footage covers; each instant once."""
    left: dict[str, SpanSet] = {}
    for gap in sorted(gaps, key=lambda one: (one.camera, one.span.start, one.gap)):
        open_spans = left.get(gap.camera)
        if open_spans is None:
            open_spans = footage.get(gap.camera, SpanSet()).gaps_within(within)
        taken = open_spans & SpanSet((gap.span,))
        left[gap.camera] = open_spans - taken
        if taken:
            yield gap.camera, gap.cause, taken
