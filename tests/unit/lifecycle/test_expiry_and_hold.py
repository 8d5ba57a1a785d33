"""Footage whose last day has come, and a hold on it, at the same moment: the hold wins (I4)."""

import threading
import time
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.lifecycle.disposition.job import Disposer
from archive.lifecycle.gate import Gate
from archive.lifecycle.holds.service import Holds
from archive.ports import Stores
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, Timespan
from ops import keys
from tests.support.dispositions import ACTOR, FLOOR_DAYS, MAX_DAYS, OFFICE, Disposal, disposal

SEGMENTS = 12
HELD = 6


class Watched(Ledger):
    """A ledger that notes which footage is stored in the moment in which a hold's entry stands."""

    def __init__(self, site: Disposal) -> None:
        super().__init__(site.site.stores.records, site.site.clock)
        self._site = site
        self.there: set[str] = set()

    def append(self, kind: str, *arguments: object, **options: object) -> Entry:  # type: ignore[override]
        entry = super().append(kind, *arguments, **options)  # type: ignore[arg-type]
        self.there = self._site.stored()
        return entry


def patient(stores: Stores, clock: ManualClock) -> Gate:
    """A gate that waits in real time while the manual clock stands still: no turn ever runs out."""
    return Gate(stores.cache, clock, pause=a_moment)


def a_moment(_seconds: float) -> None:
    """Let the other thread get on."""
    time.sleep(0.001)  # real time: the clock of the archive stands still


@pytest.mark.parametrize("head_start", range(6))
def test_expiry_and_hold_race_and_the_hold_wins(tmp_path: Path, head_start: int) -> None:
    site = disposal(tmp_path)
    world = site.site
    segments = [world.keep(number) for number in range(SEGMENTS)]
    site.policy()
    world.clock.advance((MAX_DAYS + 1) * DAY)
    watched = Watched(site)
    holds = Holds(
        watched, world.stores.records, world.index, world.clock, gate=patient(world.stores, world.clock)
    )
    disposer = Disposer(
        stores=world.stores,
        index=world.index,
        ledger=world.ledger,
        signer=keys.load_signer(site.keys_dir, clock=world.clock),
        authority=site.authority,
        clock=world.clock,
        organization=OFFICE,
        floor_days=FLOOR_DAYS,
        gate=patient(world.stores, world.clock),
    )
    together = threading.Barrier(2)
    found = disposer.begin(disposer.judge_everything(), actor=ACTOR)
    assert found is not None

    def expire() -> None:
        together.wait(30)
        disposer.carry_out(found)

    def hold() -> None:
        together.wait(30)
        time.sleep(head_start * 0.004)  # real time: only so that rounds differ, nothing waits for it
        covered = segments[:HELD]
        holds.place(
            cameras=[covered[0].camera],
            span=Timespan(covered[0].span.start, covered[-1].span.end),
            case="LP/B/1/2026",
            owner="Polrestabes",
            basis="LP/B/1/2026",
            review_at=world.clock.now() + 90 * DAY,
            actor="user:dewi",
        )

    threads = [threading.Thread(target=one) for one in (expire, hold)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    disposer.resume()
    asked = {segment.key for segment in segments[:HELD]}
    assert asked & watched.there == asked & site.stored(), "what stood when the hold came stands for good"
    assert not {segment.key for segment in segments[HELD:]} & site.stored(), "the rest has gone by its rule"
    world.index.close()
