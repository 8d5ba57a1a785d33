"""Asking for one hole: a refusal stops nothing beside it, and a clock that was set back repeats nothing."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.clock import ManualClock
from archive.errors import ArchiveError, Conflict, Malformed, Refused, StoreFull, Unavailable
from archive.model.camera import Camera
from archive.model.gap import GapCause
from archive.model.segment import DeviceClock
from archive.timespan import HOUR, MINUTE, SECOND, SpanSet, Timespan
from recorder.backfill.asking import Asker, Memory
from recorder.backfill.fetching import Fetched
from recorder.backfill.holes import Hole
from recorder.backfill.outcomes import Answer, Outcome, unasked
from recorder.devices import KeptRecording
from recorder.sources import parse_source
from recorder.spool import CaptureFolder

T0 = 1_795_500_000 * SECOND
CAMERA = parse_source("rtsp://10.0.0.1/1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Asker):
    """Asks a camera of which ``gives`` says what it has of a span; notes what it was asked for."""

    gives: Callable[[Timespan], Fetched | None]
    asked: list[Timespan] = field(default_factory=list)
    came: list[Timespan] = field(default_factory=list)

    async def _fetch(
        self, memory: Memory, hole: Hole, asked: Timespan, folder: CaptureFolder
    ) -> Fetched | None:
        self.asked.append(asked)
        fetched = self.gives(asked)
        if fetched is not None:
            self.came.append(Timespan(fetched.begins, fetched.ends))
        return fetched

    def _missing(self, hole: Hole) -> SpanSet:
        return hole.missing - SpanSet(self.came)


def asker(gives: Callable[[Timespan], Fetched | None]) -> Asked:
    return Asked(
        bringer=cast("Any", SimpleNamespace(
            spool=SimpleNamespace(root=Path("spool")), camera=SimpleNamespace(id="kam-1")
        )),
        devices=cast("Any", None), fetcher=cast("Any", None), rule=cast("Any", None),
        clock=ManualClock(T0 + HOUR), host_time=cast("Any", None),
        camera_at=cast("Callable[[int], Camera]", None), source=CAMERA, address="", gives=gives,
    )  # fmt: skip


def answer(one: Asker, end: int) -> Answer:
    hole = Hole("a" * 16, GapCause.UNREACHABLE, SpanSet((Timespan(T0, T0 + end),)))
    memory = Memory(DeviceClock(at=T0, offset_us=0, within_us=SECOND), KeptRecording(token="1"), CAMERA)
    return asyncio.run(one.ask(memory, hole))


def fetched(begins: int, ends: int, resumes: int | None = None, *, lost: int = 0) -> Fetched:
    return Fetched(
        begins=begins, ends=ends, drift=0, lost=lost, pictures=10, codec="h264", resumes=resumes
    )  # fmt: skip


HALF = SECOND // 2


@pytest.mark.parametrize(
    ("hole", "came", "lost", "outcome"),
    [
        (MINUTE, (HALF, MINUTE), 0, Outcome.FILLED),  # clocks are known to half a second
        (MINUTE, (HALF, MINUTE), 1, Outcome.PART),
        (MINUTE, (-SECOND, MINUTE), 1, Outcome.FILLED),
        (HALF, (-SECOND, 1), 0, Outcome.PART),
        (HALF, (HALF // 4, HALF), 0, Outcome.FILLED),
    ],
)
def test_a_hole_is_filled_only_if_what_its_edges_miss_is_a_matter_of_clocks(
    hole: int, came: tuple[int, int], lost: int, outcome: Outcome
) -> None:
    begins, ends = came
    found = answer(asker(lambda _: fetched(T0 + begins, T0 + ends, lost=lost)), hole)
    assert found.outcome is outcome
    assert found.code == ("replay_packets_lost" if lost and outcome is Outcome.PART else "")


def test_one_picture_that_is_missing_inside_is_missing() -> None:
    step = T0 + 10 * SECOND

    def gives(asked: Timespan) -> Fetched:
        if asked.start < step:
            return fetched(asked.start, step, resumes=step + SECOND // 15)
        return fetched(asked.start, asked.end)

    assert answer(asker(gives), 20 * SECOND).outcome is Outcome.PART


@pytest.mark.parametrize("error", [Malformed("x", code="import_parameters_change"), Conflict("x", code="y")])
def test_a_piece_that_is_refused_stops_no_other_piece(error: ArchiveError) -> None:
    def gives(asked: Timespan) -> Fetched:
        if asked.start == T0:
            raise error
        return fetched(asked.start, asked.end)

    found = answer(asker(gives), 90 * MINUTE)
    assert (found.outcome, found.code, len(found.runs)) == (Outcome.PART, error.code, 2)
    assert found.missing.duration == 30 * MINUTE


@pytest.mark.parametrize(
    "error", [Refused("x", code="replay_login_refused"), Unavailable("x", code="replay_x")]
)
def test_a_login_that_is_refused_and_a_camera_that_is_silent_are_asked_once(error: ArchiveError) -> None:
    def gives(asked: Timespan) -> Fetched:
        raise error

    one = asker(gives)
    assert answer(one, 90 * MINUTE).code == error.code
    assert len(one.asked) == 1


@pytest.mark.parametrize("code", ["store_access_denied", "bucket_without_lock", "index_denied"])
def test_rights_that_our_own_stores_refuse_are_no_answer_of_the_camera(code: str) -> None:
    """Or it would count as refused, and after three times nobody asks for the hole any more."""

    def gives(asked: Timespan) -> Fetched:
        raise Refused("x", code=code)

    with pytest.raises(Refused):
        answer(asker(gives), MINUTE)
    hole = Hole("a" * 16, GapCause.UNREACHABLE, SpanSet((Timespan(T0, T0 + MINUTE),)))
    with pytest.raises(Refused):
        unasked(hole, Refused("x", code=code))


@pytest.mark.parametrize(
    "error",
    [Refused("x", code="store_access_denied"), Unavailable("x", code="store_unavailable"), StoreFull("x")],
)
def test_what_came_before_the_archive_failed_is_answered(error: ArchiveError) -> None:
    """Or footage would have come in, and the question not be on record."""

    def gives(asked: Timespan) -> Fetched:
        if asked.start > T0:
            raise error
        return fetched(asked.start, asked.end)

    found = answer(asker(gives), 90 * MINUTE)
    assert (found.outcome, found.code, len(found.runs)) == (Outcome.PART, error.code, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Asker):
    """Fetches, and then the archive does not take it."""

    error: ArchiveError

    def _bring_in(self, folder: CaptureFolder) -> bool:
        raise self.error

    def _missing(self, hole: Hole) -> SpanSet:
        return hole.missing


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (StoreFull("x"), True),
        (Refused("x", code="store_access_denied"), True),
        (Unavailable("x", code="store_unavailable"), True),
        (Malformed("x", code="import_unreadable"), False),
    ],
)
def test_what_was_fetched_whole_and_waits_for_the_archive_stays(
    tmp_path: Path, error: ArchiveError, stays: bool
) -> None:
    """Of some of its segments there may be lines already: the same run must go on, not another begin."""
    whole = fetched(T0, T0 + MINUTE)

    async def fetch(*_: object, **__: object) -> Fetched:
        return whole

    spool = SimpleNamespace(root=tmp_path, spares=lambda _: True, remove=lambda one: shutil.rmtree(one.path))
    one = Waiting(
        bringer=cast("Any", SimpleNamespace(
            spool=spool, camera=SimpleNamespace(id="kam-1", segment_seconds=10), hand_in=lambda: None
        )),
        devices=cast("Any", None), fetcher=cast("Any", SimpleNamespace(fetch=fetch)),
        rule=cast("Any", None), clock=ManualClock(T0 + HOUR),
        host_time=cast("Any", lambda: SimpleNamespace(bound_us=0)),
        camera_at=cast("Callable[[int], Camera]", None), source=CAMERA, address="", error=error,
    )  # fmt: skip
    if stays:
        with pytest.raises(type(error)):
            answer(one, MINUTE)
    else:
        assert answer(one, MINUTE).outcome is Outcome.REFUSED
    assert len(list((tmp_path / "cameras" / "kam-1").glob("*/replay.json"))) == stays
    if stays:
        with pytest.raises(type(error)):
            asyncio.run(one.go_on())
        assert list((tmp_path / "cameras" / "kam-1").glob("*/replay.json"))


def test_a_login_that_is_refused_for_one_hole_is_not_tried_for_the_others() -> None:
    def gives(asked: Timespan) -> Fetched:
        raise Refused("x", code="replay_login_refused")

    one = asker(gives)
    memory = Memory(DeviceClock(at=T0, offset_us=0, within_us=SECOND), KeptRecording(token="1"), CAMERA)
    holes = [
        Hole(
            str(at) * 16, GapCause.UNREACHABLE, SpanSet((Timespan(T0 + at * HOUR, T0 + at * HOUR + MINUTE),))
        )
        for at in range(3)
    ]

    async def every() -> list[Answer]:
        return [found async for found in one.ask_each(memory, holes)]

    found = asyncio.run(every())
    assert [answer.hole for answer in found] == holes
    assert {(answer.outcome, answer.code) for answer in found} == {(Outcome.REFUSED, "replay_login_refused")}
    assert len(one.asked) == 1


def test_a_hole_that_may_not_be_asked_for_is_not_called_one_of_which_the_camera_has_nothing() -> None:
    """Its clock is known to a second, and half a second before it the camera was disabled."""
    one = replace(asker(lambda _: None), barred=SpanSet((Timespan(0, T0 - HALF),)))
    found = answer(one, HALF)
    assert (found.outcome, found.code) == (Outcome.REFUSED, "backfill_not_allowed")
    assert one.asked == []
    found = answer(one, MINUTE)
    wanders = 60 * 20
    assert [asked.start for asked in one.asked] == [T0 + HALF + wanders]
    assert found.outcome is Outcome.NOTHING_THERE


def test_a_clock_without_a_time_server_may_wander_as_long_as_the_hole_lasts_and_be_put_right_then() -> None:
    """Asked afterwards it is right: only the bound covers what it was off by at the end of the hole."""
    bounds: list[int] = []

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Noted(Asked):
        async def _fetch(
            self, memory: Memory, hole: Hole, asked: Timespan, folder: CaptureFolder
        ) -> Fetched | None:
            bounds.append(memory.wider)
            return None

    one = Noted(**{item.name: getattr(asker(lambda _: None), item.name) for item in fields(Asked)})
    answer(one, 6 * HOUR)
    assert set(bounds) == {6 * 3600 * 20}


def test_a_clock_that_was_set_back_in_the_hole_is_not_asked_for_the_same_again() -> None:
    step = T0 + 10 * MINUTE

    def gives(asked: Timespan) -> Fetched:
        if asked.start < step:
            return fetched(asked.start, step, resumes=step - 5 * SECOND)
        return fetched(asked.start, asked.end)

    one = asker(gives)
    found = answer(one, 20 * MINUTE)
    assert (found.outcome, len(found.runs)) == (Outcome.FILLED, 2)
    assert [span.start >= step for span in one.asked] == [False, True]


def test_who_is_cancelled_while_it_archives_waits_for_that(tmp_path: Path) -> None:
    begun, may_end, order = threading.Event(), threading.Event(), []

    def hand_in() -> None:
        begun.set()
        may_end.wait(20)
        order.append("archived")

    one = asker(lambda _: None)
    one.bringer.spool.root = tmp_path
    one.bringer.hand_in = hand_in  # type: ignore[method-assign]

    async def stopped() -> None:
        going = asyncio.create_task(one.go_on())
        await asyncio.to_thread(begun.wait)
        going.cancel()
        await asyncio.sleep(0)  # real time: none; the task takes its first cancellation
        going.cancel()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await going
        order.append("left")

    asyncio.run(stopped())
    assert order == ["archived", "left"]
