"""When a recorder asks by itself: for what is settled, later and later, never again for what is filled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import structlog

from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.camera import Camera
from archive.model.gap import Gap, GapCause
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, format_instant
from recorder.backfill.holes import LONGEST, Hole, holes_of
from recorder.backfill.outcomes import Answer, Outcome
from recorder.backfill.turn import SETTLED, BackfillTurns
from tests.support.packages import camera

T0 = 1_795_500_000 * SECOND


def gap(name: str, start: int, end: int, cause: GapCause = GapCause.UNREACHABLE) -> Gap:
    return Gap(
        camera="cam-1", recorder="rec-1", gap=name * 16, cause=cause, ingested_at=T0,
        span=Timespan(T0 + start * SECOND, T0 + end * SECOND),
    )  # fmt: skip


@dataclass
class Desk:
    """The turns over some gaps, what is asked for, and what comes of it."""

    gaps: list[Gap]
    outcome: Outcome = Outcome.NO_ANSWER
    error: Unavailable | None = None
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0 + HOUR))
    asked: list[str] = field(default_factory=list)
    kept: JsonObject | None = None

    def turns(self) -> BackfillTurns:
        def keep(_name: str, value: JsonObject) -> None:
            self.kept = value

        return BackfillTurns(
            ask=self.ask, holes=self.holes, kept=lambda _name: self.kept, keep=keep, clock=self.clock,
            log=structlog.get_logger("test"),
        )  # fmt: skip

    def holes(self, _camera: str, span: Timespan) -> list[Hole]:
        return holes_of(self.gaps, SpanSet(), span)

    async def ask(
        self, one: Camera, span: Timespan, wanted: Callable[[Hole], bool], stopping: Callable[[], bool]
    ) -> AsyncIterator[Answer]:
        assert not stopping()
        if self.error is not None:
            raise self.error
        for hole in self.holes(one.id, span):
            if wanted(hole):
                self.asked.append(hole.gap[0])
                yield Answer(hole=hole, outcome=self.outcome)

    def turn(self, turns: BackfillTurns) -> str:
        """One turn; what was asked for in it."""
        self.asked.clear()
        asyncio.run(turns.turn(camera()))
        return "".join(self.asked)


def test_only_our_own_holes_are_asked_for_and_only_what_is_missing() -> None:
    gaps = [
        gap("a", 0, 100), gap("b", 50, 150, GapCause.RECORDER_RESTART), gap("c", 200, 300, GapCause.DISABLED),
        gap("d", 400, 401),
    ]  # fmt: skip
    covered = SpanSet(
        (Timespan(T0 + 20 * SECOND, T0 + 30 * SECOND), Timespan(T0 + 400 * SECOND, T0 + 401 * SECOND))
    )
    found = holes_of(gaps, covered, Timespan(T0, T0 + HOUR))
    assert [(hole.gap[0], hole.missing.duration // SECOND) for hole in found] == [("a", 90), ("b", 50)]


def test_a_long_hole_is_asked_for_in_pieces() -> None:
    [hole] = holes_of([gap("a", 0, 4000)], SpanSet(), Timespan(T0, T0 + DAY))
    pieces = list(hole.pieces())
    assert [one.duration for one in pieces] == [LONGEST, LONGEST, 400 * SECOND]
    assert SpanSet(pieces) == hole.missing


def test_a_hole_that_has_just_ended_waits() -> None:
    desk = Desk([gap("a", 0, 200)], clock=ManualClock(T0 + 200 * SECOND))
    turns = desk.turns()
    assert desk.turn(turns) == ""
    desk.clock.advance(SETTLED)
    assert desk.turn(turns) == ""
    desk.clock.advance(SECOND)
    assert desk.turn(turns) == "a"


@pytest.mark.parametrize(
    ("outcome", "pauses"),
    [
        (Outcome.NO_ANSWER, [*(5 * MINUTE << times for times in range(7)), 6 * HOUR, 6 * HOUR]),
        (Outcome.FAILED, [*(5 * MINUTE << times for times in range(7)), 6 * HOUR, 6 * HOUR]),
        (Outcome.PART, [5 * MINUTE, 10 * MINUTE]),
        (Outcome.NOTHING_THERE, [HOUR, DAY]),
        (Outcome.REFUSED, [HOUR, DAY]),
    ],
)  # fmt: skip
def test_what_was_asked_in_vain_is_asked_again_later_and_later(outcome: Outcome, pauses: list[int]) -> None:
    desk = Desk([gap("a", 0, 100)], outcome)
    turns = desk.turns()
    assert desk.turn(turns) == "a"
    for pause in pauses:
        desk.clock.advance(pause - SECOND)
        assert desk.turn(turns) == "", "too early"
        desk.clock.advance(SECOND)
        assert desk.turn(desk.turns()) == "a", "also after a restart"
        turns = desk.turns()
    if outcome in (Outcome.NOTHING_THERE, Outcome.REFUSED):
        desk.clock.advance(2 * DAY)
        assert desk.turn(turns) == "", "it was asked three times"


def test_what_is_filled_is_not_asked_for_again() -> None:
    desk = Desk([gap("a", 0, 100)], Outcome.FILLED)
    turns = desk.turns()
    assert desk.turn(turns) == "a"
    desk.clock.advance(DAY)
    assert desk.turn(turns) == ""


def test_one_refused_hole_stops_no_other_and_an_error_ends_nothing() -> None:
    desk = Desk([gap("a", 0, 100), gap("b", 200, 300)], Outcome.REFUSED)
    turns = desk.turns()
    assert desk.turn(turns) == "ab"
    desk.error = Unavailable("the store does not answer", code="store_unavailable")
    desk.clock.advance(HOUR)
    assert desk.turn(turns) == ""
    desk.error = None
    assert desk.turn(turns) == "ab"


def test_holes_that_are_older_than_a_week_are_left_to_people() -> None:
    desk = Desk([gap("a", 0, 100)])
    desk.clock.advance(8 * DAY)
    assert desk.turn(desk.turns()) == ""


def test_what_was_kept_and_cannot_be_read_is_asked_for_anew() -> None:
    desk = Desk([gap("a", 0, 100), gap("b", 200, 300)])
    desk.kept = {"a" * 16: {"times": 1, "outcome": "of another version"}, "b" * 16: None}
    assert desk.turn(desk.turns()) == "ab"


def test_a_camera_that_answers_after_it_was_silent_is_asked_twice_more() -> None:
    """A card that is just mounted may say that it has nothing."""
    desk = Desk([gap("a", 0, 100)])
    turns = desk.turns()
    for _ in range(4):
        assert desk.turn(turns) == "a"
        desk.clock.advance(6 * HOUR)
    desk.outcome = Outcome.NOTHING_THERE
    for pause in (HOUR, DAY, 2 * DAY):
        assert desk.turn(turns) == "a"
        desk.clock.advance(pause)
    assert desk.turn(turns) == "", "it has said so three times"


def test_the_log_says_when_a_hole_is_asked_for_again_and_when_never() -> None:
    desk = Desk([gap("a", 0, 100)], Outcome.NOTHING_THERE)
    turns = desk.turns()
    with structlog.testing.capture_logs() as said:
        for pause in (HOUR, DAY, DAY):
            desk.turn(turns)
            desk.clock.advance(pause)
    assert [one["again"] for one in said] == [
        format_instant(T0 + 2 * HOUR), format_instant(T0 + 2 * HOUR + DAY), "never",
    ]  # fmt: skip


def test_an_error_that_comes_back_is_told_again() -> None:
    desk = Desk([gap("a", 0, 100)])
    turns = desk.turns()
    down = Unavailable("the store does not answer", code="store_unavailable")
    with structlog.testing.capture_logs() as said:
        for error in (down, down, None, down):
            desk.error = error
            desk.turn(turns)
            desk.clock.advance(HOUR)
    assert [one["event"] for one in said] == ["backfill_waits", "backfill_asked", "backfill_waits"]
