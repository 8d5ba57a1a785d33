import threading

import pytest

from api.readiness import PATIENCE_S, Readiness
from api.slots import StreamSlots
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.timespan import SECOND


def test_a_part_that_fails_is_named_by_its_code() -> None:
    def full() -> None:
        raise Unavailable("http://inside", code="index_unavailable")

    answer = Readiness({"store": lambda: None, "index": full}, ManualClock(0)).ask()
    assert not answer.ready
    assert answer.parts == {"store": "ok", "index": "index_unavailable"}


def test_a_part_that_hangs_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.readiness.PATIENCE_S", PATIENCE_S / 100)
    hanging, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        hanging.wait(10)

    clock = ManualClock(0)
    readiness = Readiness({"store": hang, "index": lambda: None}, clock)
    for _ in range(3):
        assert readiness.ask().parts == {"store": "no answer", "index": "ok"}
        clock.advance(2 * SECOND)
    assert len(asked) == 1
    hanging.set()
    readiness.close()


def test_an_answer_is_used_for_a_second() -> None:
    asked = []
    clock = ManualClock(0)
    readiness = Readiness({"store": lambda: asked.append(1)}, clock)
    readiness.ask()
    clock.advance(SECOND - 1)
    readiness.ask()
    assert len(asked) == 1
    clock.advance(1)
    assert readiness.ask().ready
    assert len(asked) == 2


def test_slots_are_bounded_and_come_back() -> None:
    slots = StreamSlots(2)
    slots.take()
    with slots:
        with pytest.raises(Unavailable) as busy:
            slots.take()
        assert busy.value.code == "busy"
    assert slots.taken == 1
    slots.take()
