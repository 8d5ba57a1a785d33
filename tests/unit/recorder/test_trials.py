"""Connection tests at the recorder: whose order it takes, when it gives up, and that it goes on."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest
import structlog

from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.footage.source_url import Source
from archive.footage.trials import Sighting, TrialFailure, TrialOrder
from archive.timespan import SECOND
from recorder import trials
from recorder.trials import Seen, TrialDesk

SEEN = Sighting(codec="avc1.640028", width=640, height=360, mfps=15_000, sound=None)


class Board:
    """The orders of a test; ``taken`` is what another recorder has."""

    def __init__(self, *orders: TrialOrder, taken: Collection[str] = ()) -> None:
        self.waiting = list(orders)
        self.taken = taken
        self.answers: dict[str, Any] = {}
        self.looks = 0

    def orders(self, known: Collection[str]) -> list[TrialOrder]:
        self.looks += 1
        if self.looks == 1:
            raise Unavailable("away", code="store_unavailable")
        return [one for one in self.waiting if one.id not in known]

    def take(self, order: TrialOrder, recorder: str) -> bool:
        return order.id not in self.taken

    def answer(
        self, order: TrialOrder, recorder: str, found: Sighting | TrialFailure, still: bytes | None = None
    ) -> None:
        self.answers[order.id] = (recorder, found, still)


def order(name: str, camera: str = "", source: str = "test://") -> TrialOrder:
    return TrialOrder(id=name, asked_at=0, camera=camera, sealed_source=source)


async def seen(_source: Source) -> Seen:
    return Seen(SEEN, b"\xff\xd8")


def worked(board: Board, done: Callable[[], bool], *, now: int = 0, look: Any = seen) -> Board:
    """The board after a desk has worked until ``done``."""
    clock = ManualClock(now)
    desk = TrialDesk(board, lambda sealed: sealed, look, clock, structlog.get_logger(), 0.2)

    async def work() -> None:
        task = asyncio.create_task(desk.run("rec-1", lambda: {"cam-1"}))
        async with asyncio.timeout(30):
            while not done():
                await asyncio.sleep(0.005)  # real time: a pause between two looks
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    return board


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LOOK_EVERY", 0.01)


def test_own_cameras_and_new_sources_are_tried_also_after_the_store_was_away() -> None:
    board = Board(order("a", "cam-1"), order("b"))
    worked(board, lambda: len(board.answers) == 2)
    assert board.answers == {one: ("rec-1", SEEN, b"\xff\xd8") for one in ("a", "b")}


def test_a_camera_of_another_recorder_is_left_to_it_for_a_moment() -> None:
    board = Board(order("a", "cam-2"), order("b"))
    worked(board, lambda: "b" in board.answers and board.looks > 4)
    assert "a" not in board.answers
    late = Board(order("a", "cam-2"))
    worked(late, lambda: "a" in late.answers, now=3 * SECOND)


def test_what_another_recorder_has_taken_is_not_answered() -> None:
    board = Board(order("a"), order("b"), taken={"a"})
    worked(board, lambda: "b" in board.answers and board.looks > 4)
    assert set(board.answers) == {"b"}


def test_a_failure_is_an_answer_with_its_cause_and_a_test_has_an_end() -> None:
    async def refusing(source: Source) -> Seen:
        if source.host == "192.0.2.9":
            await asyncio.sleep(60)  # real time: the camera never answers
        raise Unavailable("the camera gives no picture: auth_failed", code="camera_gives_nothing")

    board = Board(order("a"), order("b", source="rtsp://192.0.2.9/1"), order("c", source="nothing"))
    worked(board, lambda: len(board.answers) == 3, look=refusing)
    failures = {name: found for name, (_, found, _) in board.answers.items()}
    assert failures == {
        "a": TrialFailure(code="camera_gives_nothing", cause="auth_failed"),
        "b": TrialFailure(code="camera_gives_nothing", cause="stalled"),
        "c": TrialFailure(code="bad_source"),
    }
