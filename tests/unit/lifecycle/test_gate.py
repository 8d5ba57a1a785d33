"""Holds and destruction pass the gate one at a time, and no process waits for a dead one."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.errors import Unavailable
from archive.lifecycle.gate import LEASE, PREFIX, Gate
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore, ObjectVersion, Stored
from archive.timespan import SECOND
from tests.support import held_up
from tests.support.held_up import HeldUp
from tests.support.leaves import T0

clock = held_up.clock
cache = held_up.cache


def gate(cache: ObjectStore, clock: ManualClock) -> Gate:
    return Gate(cache, clock, pause=lambda _s: clock.advance(SECOND))


def test_of_many_threads_only_one_is_inside(tmp_path: Path) -> None:
    cache = FilesystemStore(tmp_path / "cache", SystemClock())
    inside, most, guard = [0], [0], threading.Lock()

    def enter(count: int) -> None:
        own = Gate(cache, SystemClock())
        for number in range(count):
            with own.deleting() if number % 2 else own.placing():
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1

    threads = [threading.Thread(target=enter, args=(6,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1


def test_a_hold_waits_for_a_batch_in_work(cache: ObjectStore, clock: ManualClock) -> None:
    order: list[str] = []
    batch = gate(cache, clock).deleting()
    turn = batch.__enter__()
    waits = iter((False, False, True))

    def pause(_seconds: float) -> None:
        if next(waits):
            order.append("batch over")
            batch.__exit__(None, None, None)

    with Gate(cache, clock, pause=pause).placing():
        order.append("hold written")
    assert order == ["batch over", "hold written"]
    assert turn.number == 1


def test_a_hold_is_written_in_the_end_however_long_a_batch_takes(
    cache: ObjectStore, clock: ManualClock
) -> None:
    with gate(cache, clock).deleting() as turn:
        with gate(cache, clock).placing():
            assert clock.now() - T0 >= LEASE
        with pytest.raises(Unavailable) as told:
            turn.check()
    assert told.value.code == "gate_turn_over"


def test_the_turn_of_a_dead_process_ends_with_its_lease(cache: ObjectStore, clock: ManualClock) -> None:
    dead = gate(cache, clock).deleting()
    dead.__enter__()  # and never left
    with gate(cache, clock).deleting() as turn:
        assert turn.number == 2
        assert clock.now() - T0 > LEASE


def test_who_waits_to_place_a_hold_goes_before_the_next_batch(cache: ObjectStore, clock: ManualClock) -> None:
    first = gate(cache, clock).deleting()
    first.__enter__()
    entered = gate(cache, clock)
    waiting = Gate(cache, clock, pause=lambda _s: first.__exit__(None, None, None))
    with waiting.placing():
        pass
    before = clock.now()
    with entered.deleting():
        assert clock.now() - before >= 3 * SECOND  # a note of waiting counts until it is old


def test_a_hold_does_not_depend_on_the_gate_being_reachable(clock: ManualClock) -> None:
    class Away:
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[None]:
            raise Unavailable("the cache bucket does not answer")

    away = Gate(Away(), clock)  # type: ignore[arg-type]
    with away.placing():
        pass
    with pytest.raises(Unavailable), away.deleting():
        pass


def test_turns_that_are_over_are_swept_up(cache: ObjectStore, clock: ManualClock) -> None:
    passing = gate(cache, clock)
    for _ in range(30):
        with passing.placing():
            pass
    with passing.deleting():
        pass
    assert len(list(cache.list(PREFIX))) == 2


@pytest.mark.parametrize("kind", ["deleting", "placing"])
def test_one_held_up_while_others_passed_and_were_swept_up_has_no_turn(
    cache: ObjectStore, clock: ManualClock, kind: str
) -> None:
    """Its number is free again, but another process is inside under a later one."""
    passing = gate(cache, clock)
    inside = gate(cache, clock).deleting()

    def others_pass() -> None:
        for _ in range(16):
            with passing.placing():
                pass
        inside.__enter__()  # sweeps up the sixteen, and stays inside

    waits = 0

    def pause(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:
            inside.__exit__(None, None, None)

    slow = Gate(HeldUp(cache, others_pass), clock, pause=pause)
    with slow.deleting() if kind == "deleting" else slow.placing():
        assert waits == 3


class Deaf:
    """A cache bucket whose answers are lost: to a put, or to any call after one."""

    def __init__(self, cache: ObjectStore, lost: str) -> None:
        self._cache = cache
        self._lost = lost
        self.has_put = False

    def put(self, key: str, content: Content) -> Stored:
        stored = self._cache.put(key, content)
        if key.endswith(".over"):
            return stored
        self.has_put = True
        return replace(stored, created=False) if self._lost == "put" else stored

    def list(self, prefix: str) -> Iterator[ObjectVersion]:
        if self._lost == "list" and self.has_put:
            raise Unavailable("the cache bucket does not answer", code="store_timeout")
        return self._cache.list(prefix)

    def delete_version(self, key: str, *, version: str) -> None:
        if self._lost == "delete":
            raise Unavailable("the cache bucket does not answer", code="store_timeout")
        self._cache.delete_version(key, version=version)


def deaf(cache: ObjectStore, clock: ManualClock, lost: str) -> Gate:
    return Gate(Deaf(cache, lost), clock, pause=lambda _s: clock.advance(SECOND))  # type: ignore[arg-type]


def test_a_turn_whose_answer_was_lost_is_had(cache: ObjectStore, clock: ManualClock) -> None:
    with deaf(cache, clock, "put").deleting() as turn:
        assert (turn.number, clock.now()) == (1, T0)


def test_a_batch_that_cannot_look_again_keeps_nobody_waiting(cache: ObjectStore, clock: ManualClock) -> None:
    with pytest.raises(Unavailable), deaf(cache, clock, "list").deleting():
        pytest.fail("it is not known whether somebody else is inside")
    with gate(cache, clock).placing():
        assert clock.now() == T0


def test_a_hold_that_cannot_look_again_goes_on_and_keeps_batches_away(
    cache: ObjectStore, clock: ManualClock
) -> None:
    with deaf(cache, clock, "list").placing():
        with gate(cache, clock).deleting():
            assert clock.now() - T0 > LEASE


def test_what_cannot_be_swept_up_costs_no_turn(cache: ObjectStore, clock: ManualClock) -> None:
    for _ in range(16):
        with gate(cache, clock).placing():
            pass
    with deaf(cache, clock, "delete").deleting() as turn:
        assert turn.number == 17


def test_a_turn_that_took_too_long_to_be_put_is_none(cache: ObjectStore, clock: ManualClock) -> None:
    slow = HeldUp(cache, lambda: clock.advance(LEASE - SECOND))
    with Gate(slow, clock).deleting() as turn:
        assert turn.number == 2
        turn.check()
