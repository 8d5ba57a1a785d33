"""Holds and destruction pass the gate one at a time, and nobody waits for the dead."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.errors import Unavailable
from archive.gate import LEASE, PREFIX, Gate
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectStore
from archive.timespan import SECOND
from tests.support.held_up import HeldUp
from tests.support.leaves import T0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def cache(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return FilesystemStore(tmp_path / "cache", clock)


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
        assert clock.now() - before >= 3 * SECOND  # the word of waiting is heeded until it is old


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
    """Its number is free again, but somebody is inside under a later one."""
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
