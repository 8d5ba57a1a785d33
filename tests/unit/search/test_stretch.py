"""Sums over segments, and the facts they prove."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from archive.model.gap import Gap, GapCause
from archive.model.segment import Segment
from archive.timespan import HOUR, SECOND, SpanSet, Timespan, hour_of
from search.stretch import Stretch, hour_coverage, run_coverage, whole_hours
from tests.support.indexes import run_id, with_span
from tests.support.leaves import T0, gap, segment

EDGES = st.integers(T0 - HOUR // 2, T0 + 2 * HOUR)


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """Runs of segments of one camera, some segments missing, some with missing time between them."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        at = draw(EDGES)
        for seq in range(draw(st.integers(1, 12))):
            at += draw(st.sampled_from([0, 0, 0, 0, 1, SECOND]))
            end = at + draw(st.integers(1, 300 * SECOND))
            if draw(st.integers(0, 5)):
                found.append(with_span(segment(seq, run=run_id(number)), at, end))
            at = end
    return found


GAPS = st.lists(
    st.builds(
        lambda a, b, cause, n: gap(min(a, b), max(a, b) + 1, cause=cause, gap_id=run_id(n)),
        EDGES,
        EDGES,
        st.sampled_from(GapCause),
        st.integers(0, 99),
    ),
    max_size=4,
)


def sums(found: list[Segment]) -> Stretch:
    return Stretch(
        camera=found[0].camera,
        run=found[0].run,
        span=Timespan(min(s.span.start for s in found), max(s.span.end for s in found)),
        segments=len(found),
        first_seq=min(s.seq for s in found),
        last_seq=max(s.seq for s in found),
        duration=sum(s.span.duration for s in found),
        size=sum(s.size for s in found),
        held=0,
    )


def grouped(found: list[Segment], *, by_hour: bool) -> dict[Stretch, list[Segment]]:
    groups: dict[tuple[str, int], list[Segment]] = defaultdict(list)
    for one in found:
        groups[one.run, hour_of(one.span.start) if by_hour else 0].append(one)
    return {sums(group): group for group in groups.values()}


@given(segments(), EDGES, EDGES)
def test_runs_cover_what_their_segments_cover(found: list[Segment], one: int, other: int) -> None:
    within = Timespan(min(one, other), max(one, other) + 1)
    stretches = grouped([s for s in found if s.span.overlaps(within)], by_hour=False)
    runs = run_coverage(stretches, within, lambda s: (piece.span for piece in stretches[s]))
    for run in {s.run for s in found}:
        covered = SpanSet(s.span for s in found if s.run == run).within(within)
        assert [r.span for r in runs if r.run == run] == list(covered)


@given(segments(), GAPS)
def test_hours_add_up(found: list[Segment], gaps: list[Gap]) -> None:
    within = whole_hours(Timespan(T0 - HOUR, T0 + 4 * HOUR))
    stretches = grouped(found, by_hour=True)
    hours = hour_coverage(stretches, gaps, within, lambda s: (piece.span for piece in stretches[s]))
    covered = SpanSet(s.span for s in found).within(within)
    missing = SpanSet(g.span for g in gaps).within(within) - covered
    assert sum(h.covered for h in hours) == covered.duration
    assert sum(sum(h.gaps.values()) for h in hours) == missing.duration, "each instant has one cause"
    assert all(h.covered + sum(h.gaps.values()) <= HOUR for h in hours)
    assert sum(h.segments for h in hours) == len(found)
    assert [h.hour for h in hours] == sorted({h.hour for h in hours})


def test_whole_hours() -> None:
    hour = hour_of(T0)
    assert whole_hours(Timespan(hour, hour + 1)) == Timespan(hour, hour + HOUR)
    assert whole_hours(Timespan(hour, hour + HOUR)) == Timespan(hour, hour + HOUR)
    assert whole_hours(Timespan(hour - 1, hour + HOUR + 1)) == Timespan(hour - HOUR, hour + 2 * HOUR)
