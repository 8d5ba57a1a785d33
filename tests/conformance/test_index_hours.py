"""Every index: stored hour coverage equals computed coverage, after any events in any order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.model.camera import Place
from archive.model.gap import Gap, GapCause
from archive.model.segment import Segment
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, SpanSet, Timespan
from search.index import Index
from search.query import HourCoverage, SegmentQuery
from tests.support.indexes import HOME, IndexUnderTest, ask, entry, place, run_id, with_span
from tests.support.leaves import T0, gap, segment

FIRST = T0 - T0 % HOUR
WHOLE = Timespan(FIRST - HOUR, FIRST + 9 * HOUR)
ELSEWHERE = place(kecamatan="73.71.09")
PLACES = (HOME, HOME, HOME, ELSEWHERE, None)
EVERYWHERE = SegmentQuery(span=WHOLE)
IN_RAPPOCINI = replace(EVERYWHERE, kecamatan=("73.71.13",))
ONE_CAMERA = replace(EVERYWHERE, cameras=("cam-1",))


@pytest.fixture(autouse=True)
def no_searches_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No search runs while these tests rebuild, so a switch need not wait for searches to end."""
    monkeypatch.setattr("search.elastic.switching._GRACE_SECONDS", 0.0)


@dataclass
class Model:
    """What was added, as a plain dictionary."""

    segments: dict[tuple[str, int], tuple[Segment, Place | None, bool]] = field(default_factory=dict)
    gaps: dict[str, tuple[Gap, Place | None]] = field(default_factory=dict)

    def hours(self, query: SegmentQuery) -> list[HourCoverage]:
        """Coverage hour by hour and microsecond by microsecond, without stored sums."""

        def admitted(camera: str, where: Place | None) -> bool:
            return (query.cameras is None or camera in query.cameras) and (
                query.kecamatan is None or (where is not None and where.kecamatan in query.kecamatan)
            )

        segments = [s for s in self.segments.values() if admitted(s[0].camera, s[1])]
        gaps = [g for g, where in self.gaps.values() if admitted(g.camera, where)]
        found = []
        for camera in sorted({s[0].camera for s in segments} | {g.camera for g in gaps}):
            for hour in range(query.span.start, query.span.end, HOUR):
                whole = Timespan(hour, hour + HOUR)
                here = [s for s in segments if s[0].camera == camera and s[0].span.overlaps(whole)]
                told = [g for g in gaps if g.camera == camera and g.span.overlaps(whole)]
                if not here and not told:
                    continue
                footage = SpanSet(s[0].span for s in here).within(whole)
                left, by_cause = footage.gaps_within(whole), dict[GapCause, int]()
                for one in sorted(told, key=lambda g: (g.span.start, g.gap)):
                    taken = left & SpanSet((one.span,))
                    left = left - taken
                    if taken:
                        by_cause[one.cause] = by_cause.get(one.cause, 0) + taken.duration
                starting = [s for s in here if s[0].span.start in whole]
                if footage or starting or by_cause:
                    found.append(
                        HourCoverage(
                            camera=camera, hour=hour, covered=footage.duration,
                            bytes=sum(s[0].size for s in starting), segments=len(starting),
                            held=sum(s[2] for s in starting), gaps=by_cause,
                        )
                    )  # fmt: skip
        return found


class Act:
    """One step, applied to the index and to the model."""

    def __init__(self, index: Index, model: Model) -> None:
        self.index, self.model = index, model

    def add(self, wanted: list[tuple[int, int, int, bool]]) -> None:
        """Segments by run, slot, place and hold; a slot of 500 s may hold a short or a crossing one."""
        entries = []
        for run, slot, where, held in wanted:
            start = FIRST + slot * 500 * SECOND + run * 7
            leaf = with_span(
                segment(slot, camera=f"cam-{run % 2}", run=run_id(run)), start, start + (300 + slot) * SECOND
            )
            leaf = replace(leaf, size=1_000 + slot)
            entries.append(entry(leaf, PLACES[where], held=held))
            self.model.segments[leaf.run, leaf.seq] = (leaf, PLACES[where], held)
        self.index.add(entries)

    def shift(self, number: int) -> None:
        """A segment indexed again at another time: the last entry counts."""
        found = self._chosen(number)
        if found is not None:
            leaf, where, held = found
            moved = with_span(leaf, leaf.span.start + 2 * HOUR + 11, leaf.span.end + 2 * HOUR + 11)
            self.model.segments[leaf.run, leaf.seq] = (moved, where, held)
            self.index.add([entry(moved, where, held=held)])

    def tell(self, number: int, start: int, length: int, where: int) -> None:
        """A gap indexed for the first time, or again with another end: the later end counts."""
        told = gap(
            FIRST + start * 60 * SECOND, FIRST + (start + length) * 60 * SECOND + 1,
            camera=f"cam-{number % 2}", gap_id=run_id(100 + number), cause=list(GapCause)[number % 3],
        )  # fmt: skip
        kept = self.model.gaps.get(told.gap)
        if kept is None or told.span.end >= kept[0].span.end:
            self.model.gaps[told.gap] = (told, PLACES[where])
        self.index.add([entry(told, PLACES[where])])

    def grow(self, number: int, hours: int) -> None:
        """An open gap indexed again, as a recorder does each hour."""
        kept = self.model.gaps.get(run_id(100 + number))
        if kept is not None:
            longer = replace(kept[0], span=Timespan(kept[0].span.start, kept[0].span.end + hours * HOUR + 3))
            self.model.gaps[longer.gap] = (longer, kept[1])
            self.index.add([entry(longer, kept[1])])

    def remove(self, number: int) -> None:
        found = self._chosen(number)
        if found is not None:
            self.index.remove([found[0].ref()])
            del self.model.segments[found[0].run, found[0].seq]

    def mark(self, number: int, held: bool) -> None:
        found = self._chosen(number)
        if found is not None:
            leaf, where, _ = found
            (self.index.mark_held if held else self.index.mark_free)([leaf.ref()])
            self.model.segments[leaf.run, leaf.seq] = (leaf, where, held)

    def settle(self) -> None:
        self.index.settle_hours()

    def _chosen(self, number: int) -> tuple[Segment, Place | None, bool] | None:
        kept = list(self.model.segments.values())
        return kept[number % len(kept)] if kept else None


NUMBER = st.integers(0, 9)
SEGMENT = st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, len(PLACES) - 1), st.booleans())
MINUTES = st.integers(0, 200)
STEP = st.one_of(
    st.tuples(st.just("add"), st.lists(SEGMENT, min_size=1, max_size=12)),
    st.tuples(st.just("tell"), st.integers(0, 5), MINUTES, MINUTES, NUMBER.map(lambda n: n % 5)),
    st.tuples(st.just("grow"), st.integers(0, 5), st.integers(0, 2)),
    st.tuples(st.just("shift"), NUMBER),
    st.tuples(st.just("remove"), NUMBER),
    st.tuples(st.just("mark"), NUMBER, st.booleans()),
    st.tuples(st.just("settle")),
)  # fmt: skip


def same(index: Index, model: Model) -> None:
    for query in (EVERYWHERE, IN_RAPPOCINI, replace(ONE_CAMERA, cameras=("cam-1",))):
        assert list(index.hours(query)) == model.hours(query), query


def test_kept_is_computed_whatever_happens(
    under_test: IndexUnderTest, request: pytest.FixtureRequest
) -> None:
    """Adds, late adds, moves, removals, marks, growing gaps and settling, in any order."""
    examples = 120 if under_test.kind == "sqlite" else 3

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        derandomize=True,
    )
    @given(st.lists(STEP, min_size=4, max_size=14))
    def holds(steps: list[tuple[object, ...]]) -> None:
        with under_test.index.rebuild():
            pass  # empty again
        act = Act(under_test.index, Model())
        for step in steps:
            perform: Callable[..., None] = getattr(act, str(step[0]))
            perform(*step[1:])
            if under_test.kind == "sqlite" or step[0] == "settle":
                same(act.index, act.model)
        same(act.index, act.model)
        act.settle()
        same(act.index, act.model)

    holds()


def test_a_late_segment_unsettles_its_hours(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(n)) for n in range(6)])
    index.settle_hours()
    before = index.hours(ask(T0, T0 + HOUR))
    assert index.settle_hours() == 0, "nothing changed since"
    late = with_span(segment(6), FIRST + HOUR - SECOND, FIRST + HOUR + SECOND)
    index.add([entry(late)])
    after = index.hours(ask(FIRST, FIRST + 2 * HOUR))
    assert [(one.segments, one.covered) for one in after] == [
        (7, before[0].covered + SECOND),
        (0, SECOND),
    ]
    assert index.settle_hours() == 2
    assert index.hours(ask(FIRST, FIRST + 2 * HOUR)) == after


def test_a_gap_that_is_told_late_or_told_anew_elsewhere(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(60))])
    index.settle_hours()
    told = gap(FIRST, FIRST + 60 * SECOND, gap_id=run_id(100))
    for start, end in ((0, 60), (HOUR // SECOND, HOUR // SECOND + 90)):
        index.add([entry(replace(told, span=Timespan(FIRST + start * SECOND, FIRST + end * SECOND)))])
        for _ in range(2):
            found = index.hours(ask(FIRST, FIRST + 2 * HOUR))
            assert [sum(one.gaps.values()) for one in found] == (
                [60 * SECOND] if start == 0 else [0, 90 * SECOND]
            )
            index.settle_hours()


def test_settled_hours_survive_a_rebuild_and_what_is_written_meanwhile(under_test: IndexUnderTest) -> None:
    index, other = under_test.index, under_test.reopened()
    leaves = [segment(n) for n in range(6)]
    index.add([entry(one) for one in leaves])
    index.settle_hours()
    with index.rebuild() as fresh:
        fresh.add([IndexEntry(leaf=one, place=HOME) for one in leaves])
        other.add([entry(segment(6))])
        other.remove([leaves[0].ref()])
        other.mark_held([leaves[1].ref()])
    other.close()
    (found,) = index.hours(ask(T0, T0 + HOUR))
    assert (found.segments, found.held, found.covered) == (6, 1, 60 * SECOND)
    index.settle_hours()
    assert index.hours(ask(T0, T0 + HOUR)) == (found,)
