"""Cases of the archive's promises that random tests rarely generate: two operations at one moment."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from archive.lifecycle.gate import PREFIX, Gate
from archive.lifecycle.holds.service import Holds
from archive.model.disposition import KIND as DISPOSITION
from archive.model.retention import Scope
from archive.ports import ObjectStore, Stores
from archive.records.checkpoint import stored
from archive.records.checkpoint.verify import verify_log
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan
from archive.trust.judge import load_trust
from tests.support.promises import LOCK_DAYS, Work, World, file_world
from tests.support.waiting import until


@pytest.fixture
def world() -> Iterator[World]:
    with file_world() as made:
        yield made


def order(world: World, least: int, longest: int | None, scope: str = "default") -> None:
    """A policy that two people approved, in force after the waiting time."""
    parsed = Scope.parse(scope)
    terms = world.terms(least, longest, False)
    record = world.work.policies.propose(parsed, terms, actor="os:ani", reason="Rapat 7")
    if record.policy.proposal is not None:
        world.work.policies.approve(parsed, actor="os:budi")
    world.clock.advance(2 * DAY)


def record(world: World, number: int = 3) -> None:
    """Record footage of the last minute."""
    for one in range(number):
        world.arrive("cam-1", 60 - 10 * one, indexed=True, written=True)
    world.upload()


def hold_everything(world: World, holds: Holds) -> None:
    """Place a hold over all footage."""
    now = world.clock.now()
    holds.place(
        cameras=["cam-1"], span=Timespan(world.start, now), case="LP/B/1/2026", owner="Polda",
        basis="KUHAP 39", review_at=now + 30 * DAY, actor="os:ani",
    )  # fmt: skip


class Interrupted:
    """A store that runs another operation right before a certain call."""

    def __init__(self, store: ObjectStore, method: str, prefix: str, meanwhile: Callable[[], object]) -> None:
        self._store, self._method, self._prefix, self._meanwhile = store, method, prefix, meanwhile
        self._done = False

    def __getattr__(self, method: str) -> Any:
        act = getattr(self._store, method)
        if method != self._method:
            return act

        def call(*arguments: Any, **named: Any) -> Any:
            is_it = not isinstance(arguments[0], str) or arguments[0].startswith(self._prefix)
            if is_it and not self._done:
                self._done = True
                self._meanwhile()
            return act(*arguments, **named)

        return call


def test_a_hold_asked_for_while_a_batch_is_destroyed_waits_and_is_in_force_after_it(world: World) -> None:
    order(world, 2, 3)
    record(world)
    world.clock.advance(5 * DAY)
    cache, ledger = world.stores.cache, Ledger(world.stores.records, world.clock, lock_days=LOCK_DAYS)
    holds = Holds(
        ledger, world.stores.records, world.index, world.clock, gate=Gate(cache, world.clock)
    )  # its clock stands still, so it waits without a time limit
    in_force: list[int] = []
    asking: list[Future[None]] = []
    with ThreadPoolExecutor() as pool:

        def meanwhile() -> None:
            asking.append(pool.submit(hold_everything, world, holds))
            until(
                lambda: (
                    asking[0].done() or any(v.key.startswith(f"{PREFIX}wait/") for v in cache.list(PREFIX))
                ),
                "the hold waits",
            )
            in_force.append(len(list(ledger.heads("hold"))))

        work = Work(world)
        footage: Any = Interrupted(world.stores.footage, "delete_versions", "", meanwhile)
        work.disposer.stores = Stores(footage, world.stores.records, cache)
        before = world.look()
        work.dispose()
        asking[0].result()
    assert in_force == [0], "no hold comes into force between the look at the holds and the deletion"
    assert len(list(ledger.heads("hold"))) == 1
    world.compare(before)
    assert len(world.destroyed) == 3


def test_a_batch_waits_for_a_hold_that_is_being_written_and_obeys_it(world: World) -> None:
    order(world, 2, 3)
    record(world)
    world.clock.advance(5 * DAY)
    work = Work(world)
    waits: list[bool] = []

    def pause(_seconds: float) -> None:
        waits.append(True)
        time.sleep(0.002)  # real time: a pause between two looks

    work.disposer._gate = Gate(world.stores.cache, world.clock, pause=pause)
    disposing: list[Future[object]] = []
    with ThreadPoolExecutor() as pool:

        def meanwhile() -> None:
            disposing.append(pool.submit(work.dispose))
            until(lambda: waits or disposing[0].done(), "the batch waits")

        records: Any = Interrupted(world.stores.records, "put", "ledger/hold/", meanwhile)
        ledger = Ledger(records, world.clock, lock_days=LOCK_DAYS)
        gate = Gate(world.stores.cache, world.clock)
        hold_everything(world, Holds(ledger, records, world.index, world.clock, gate=gate))
        disposing[0].result()
    assert len(world.look().stored) == 3, "the hold was first"
    assert [one.outcome and one.outcome.destroyed for one in work.disposer.dispositions()] in ([], [0])


def test_what_a_longer_lock_keeps_outlives_a_policy_that_was_shortened(world: World) -> None:
    order(world, 12, 12)
    record(world)
    world.act(lambda work: order(world, 2, 3))
    world.clock.advance(5 * DAY)
    world.act(Work.dispose)
    assert not world.destroyed
    world.clock.advance(9 * DAY)
    world.act(Work.dispose)
    assert len(world.destroyed) == 3
    world.come_to_rest()
    world.require_promises()


def test_what_no_policy_wants_gone_is_on_no_list(world: World) -> None:
    order(world, 2, 3)
    order(world, 2, 12, "kecamatan:73.71.13")
    record(world)
    world.clock.advance(6 * DAY)
    world.act(Work.dispose)
    assert not list(world.work.ledger.heads(DISPOSITION))
    world.clock.advance(7 * DAY)
    world.act(Work.dispose)
    assert len(world.destroyed) == 3


def test_of_two_that_make_one_checkpoint_one_wins_and_the_other_knows_it(world: World) -> None:
    first, second = Work(world), Work(world)
    won: list[object] = []

    def meanwhile() -> None:
        world.clock.advance(SECOND)
        world.look_on()
        won.append(second.maker.make())

    # The list of leaves is put before the checkpoint, so the other process finds all of it.
    records: Any = Interrupted(world.stores.records, "put", "checkpoints/0000000001/checkpoint", meanwhile)
    first.maker.stores = Stores(world.stores.footage, records, world.stores.cache)
    assert first.maker.make() is None
    assert won != [None]
    assert stored.newest(world.stores.records) == 1
    world.clock.advance(HOUR)
    third = Work(world)
    third.maker.run_due()
    trust = load_trust([world.keys_dir / "root.pem"], [], None)
    report = verify_log(world.stores, world.clock, trust=trust, interval=HOUR)
    assert report.chain == 2
    assert [finding.code for finding in report.findings] == ["orphaned_leaves"]
