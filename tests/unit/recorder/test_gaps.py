"""One camera's account of its time: after any events, every instant is covered or in exactly one gap."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from archive.model.gap import Gap, GapCause
from archive.timespan import HOUR, MINUTE, SECOND, SpanSet, Timespan
from recorder.gaps import GapBook

T0 = 1_795_000_000 * SECOND - 1_795_000_000 * SECOND % HOUR
CAUSES = st.sampled_from(list(GapCause))


def book(numbers: "count[int] | None" = None) -> GapBook:
    ids = numbers or count(1)
    return GapBook("kam-1", "rec-1", T0, lambda now: f"{next(ids):016x}")


class Life(RuleBasedStateMachine):
    """A camera connects and disconnects; time only moves forward."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)
        self.book = book(self.numbers)
        self.now = T0
        self.footage = SpanSet()
        self.records: dict[str, Gap] = {}

    def keep(self, gaps: list[Gap]) -> None:
        for gap in gaps:
            known = self.records.get(gap.gap)
            if known is None or gap.span.end > known.span.end:
                self.records[gap.gap] = gap

    @rule(seconds=st.integers(1, 5_000))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.keep(self.book.rewrite(self.now, young=MINUTE))

    @rule(cause=CAUSES)
    def nothing_comes(self, cause: GapCause) -> None:
        self.keep(self.book.missing(self.now, cause, now=self.now))

    @rule(before=st.integers(0, 90), seconds=st.integers(1, 300), cause=CAUSES)
    def footage_comes(self, before: int, seconds: int, cause: GapCause) -> None:
        # An open gap is recorded up to now only while no running FFmpeg could end it.
        recorded = T0 if self.book.open is None else self.book.open.written
        start = max(self.book.covered_until, recorded, self.now - before * SECOND)
        self.now = max(self.now, start + seconds * SECOND)
        span = Timespan(start, start + seconds * SECOND)
        self.keep(self.book.footage_from(span.start, now=self.now, otherwise=cause))
        self.book.covered(span.end)
        self.footage = self.footage | SpanSet((span,))

    @rule()
    def the_recorder_restarts(self) -> None:
        kept = self.book.to_json()
        self.book = book(self.numbers)
        self.book.restore(kept)

    @invariant()
    def every_instant_is_explained_once(self) -> None:
        until = self.book.covered_until
        if until <= T0:
            return
        gaps = [gap.span for gap in self.records.values()]
        closed = SpanSet(gaps) | self.footage
        assert not closed.gaps_within(Timespan(T0, until))
        for one in gaps:
            assert not any(one.overlaps(other) for other in gaps if other is not one)


TestLife = Life.TestCase


def test_a_gap_begins_where_the_footage_ended_and_has_one_cause_at_a_time() -> None:
    account = book()
    assert account.footage_from(T0, now=T0, otherwise=GapCause.RECORDER_RESTART) == []
    account.covered(T0 + 10 * SECOND)
    assert account.missing(T0 + 12 * SECOND, GapCause.UNREACHABLE, now=T0 + 12 * SECOND) == []
    assert account.missing(T0 + 13 * SECOND, GapCause.UNREACHABLE, now=T0 + 13 * SECOND) == []
    (first,) = account.missing(T0 + 20 * SECOND, GapCause.AUTH_FAILED, now=T0 + 20 * SECOND)
    now = T0 + 40 * SECOND
    (second,) = account.footage_from(T0 + 30 * SECOND, now=now, otherwise=GapCause.RECORDER_RESTART)
    assert (first.span, first.cause) == (Timespan(T0 + 10 * SECOND, T0 + 20 * SECOND), GapCause.UNREACHABLE)
    assert (second.span, second.cause) == (Timespan(T0 + 20 * SECOND, T0 + 30 * SECOND), GapCause.AUTH_FAILED)
    assert first.gap != second.gap


def test_an_open_gap_is_recorded_when_a_minute_old_and_then_each_full_hour() -> None:
    account = book()
    account.missing(T0, GapCause.STALLED, now=T0)
    ends = []
    for minute in range(1, 200):
        now = T0 + minute * MINUTE
        ends += [gap.span.end for gap in account.rewrite(now, young=MINUTE)]
    assert ends == [T0 + MINUTE, T0 + HOUR, T0 + 2 * HOUR, T0 + 3 * HOUR]


@given(CAUSES)
def test_a_stretch_nobody_explained_gets_the_cause_at_hand(cause: GapCause) -> None:
    account = book()
    (gap,) = account.footage_from(T0 + SECOND, now=T0 + 2 * SECOND, otherwise=cause)
    assert (gap.span, gap.cause) == (Timespan(T0, T0 + SECOND), cause)
    assert account.footage_from(T0 + SECOND, now=T0 + 3 * SECOND, otherwise=cause) == []
