"""A full store alerts people, proposes relief, and destroys only unheld footage that a policy permits."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.lifecycle.disposition.due import Rule
from archive.lifecycle.disposition.pressure import Level, Pressure, Relief, permitted_hours, propose
from archive.lifecycle.holds.book import HoldBook
from archive.model.camera import OwnerKind
from archive.model.disposition import Cause, Disposition
from archive.model.hold import KIND as HOLD
from archive.model.retention import OnPressure
from archive.model.segment import Segment
from archive.ports import Lock, LockMode
from archive.records.ledger.heads import StrictHeads
from archive.timespan import DAY, HOUR, Timespan, hour_of
from search.query import HourCoverage, SegmentQuery
from tests.support.archives import camera_form
from tests.support.dispositions import ACTOR, FLOOR_DAYS, Disposal, disposal
from tests.support.leaves import T0

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there
ORDER = (OwnerKind.BUSINESS, OwnerKind.WORSHIP, OwnerKind.PUBLIC, OwnerKind.GOVERNMENT)
RELIEVE = OnPressure.DISPOSE_PAST_MINIMUM


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Disposal]:
    made = disposal(tmp_path)
    yield made
    made.site.index.close()


@dataclass
class Full:
    """An archive with a full store."""

    site: Disposal

    def parts(self) -> tuple[Sequence[HourCoverage], Rule, HoldBook, Sequence[OwnerKind]]:
        whole = SegmentQuery(span=Timespan(T0 - HOUR, T0 + 400 * DAY))
        disposer = self.site.disposer()
        rule = disposer.rule(Cause.PRESSURE, hour_of(self.site.site.clock.now()))
        heads = StrictHeads(self.site.site.ledger, self.site.site.stores.records, HOLD).refresh()
        return self.site.site.index.hours(whole), rule, HoldBook.of_entries(heads.values()), ORDER

    def proposed(self, needed: int) -> Relief:
        return propose(*self.parts(), needed)

    def relieve(self, needed: int) -> Disposition | None:
        disposer = self.site.disposer()
        hours = permitted_hours(*self.parts(), needed)
        decision = disposer.judge(Cause.PRESSURE).hours(hours, enough=needed)
        begun = disposer.begin(decision, actor=ACTOR)
        return None if begun is None else disposer.carry_out(begun)


def test_levels_and_excess() -> None:
    def at(used: int, quota: int = 1000) -> Pressure:
        return Pressure(used=used, quota=quota, amber_percent=85, red_percent=95)

    assert [at(used).level for used in (849, 850, 949, 950)] == [
        Level.GREEN,
        Level.AMBER,
        Level.AMBER,
        Level.RED,
    ]
    assert (at(849).excess, at(960).excess) == (0, 110)
    assert at(10**12, 0).level is Level.UNKNOWN
    assert at(10**12, 0).excess == 0
    assert at(960).to_json()["used_percent"] == 96


def test_without_a_policy_that_says_so_nothing_goes_and_the_plan_tells(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy(longest=None)
    site.site.clock.advance((FLOOR_DAYS + 1) * DAY)
    relief = Full(site).proposed(1)
    assert [(one.camera, one.permitted) for one in relief.candidates] == [("cam-1", False)]
    assert (relief.bytes, relief.permitted_bytes, relief.enough) == (segment.size, 0, True)
    assert Full(site).relieve(1) is None
    assert len(site.stored()) == 1


def test_what_a_policy_lets_go_goes_and_no_more_than_needed(site: Disposal) -> None:
    first, second = site.site.keep(0), site.site.keep(8640)
    site.policy(longest=None, on_pressure=RELIEVE)
    site.site.clock.advance((FLOOR_DAYS + 2) * DAY)
    done = Full(site).relieve(1)
    assert done is not None
    assert done.cause is Cause.PRESSURE
    assert site.stored() == site.indexed() == {second.key}
    assert first.key not in site.stored()


def test_footage_short_of_its_minimum_is_no_candidate(site: Disposal) -> None:
    site.site.keep(0)
    site.policy(longest=None, on_pressure=RELIEVE)
    site.site.clock.advance((FLOOR_DAYS - 1) * DAY)
    assert Full(site).proposed(1).candidates == ()
    assert Full(site).relieve(1) is None


def test_held_footage_is_no_candidate(site: Disposal) -> None:
    held = site.site.keep(0)
    site.policy(longest=None, on_pressure=RELIEVE)
    site.hold([held], flag=False)
    site.site.clock.advance((FLOOR_DAYS + 1) * DAY)
    assert Full(site).proposed(1).candidates == ()


def test_the_oldest_day_goes_first_and_within_a_day_the_owners_in_order(site: Disposal) -> None:
    site.site.registry.add(camera_form("shop", owner="business"), actor=ACTOR)
    site.site.registry.add(camera_form("office", owner="government"), actor=ACTOR)
    for day in (1, 0):
        for number, camera in enumerate(("office", "cam-1", "shop")):
            run = f"6a150000000{day}000{number}"
            site.site.keep(day * 8640, camera=camera, run=run)
    site.policy(longest=None, on_pressure=RELIEVE)
    site.site.clock.advance((FLOOR_DAYS + 3) * DAY)
    order = [(one.camera, one.hour // DAY) for one in Full(site).proposed(10**9).candidates]
    today = T0 // DAY
    assert order == [
        ("shop", today),
        ("cam-1", today),
        ("office", today),
        ("shop", today + 1),
        ("cam-1", today + 1),
        ("office", today + 1),
    ]
    assert not Full(site).proposed(10**9).enough


@settings(max_examples=15, deadline=None)
@given(
    held=st.sets(st.integers(0, 5)),
    locked=st.sets(st.integers(0, 5)),
    needed=st.integers(1, 10_000),
    permitted=st.booleans(),
)
def test_however_full_the_store_held_or_locked_footage_is_never_touched(
    held: set[int], locked: set[int], needed: int, permitted: bool
) -> None:
    with tempfile.TemporaryDirectory(prefix="saksi-pressure-", dir=MEMORY) as folder:
        site = disposal(Path(folder))
        segments: list[Segment] = [site.site.keep(number * 360) for number in range(6)]
        site.policy(longest=None, on_pressure=RELIEVE if permitted else OnPressure.KEEP)
        site.site.clock.advance((FLOOR_DAYS + 1) * DAY)
        for number in held:
            site.hold([segments[number]], flag=False)
        for number in locked:
            key = segments[number].key
            lock = Lock(LockMode.GOVERNANCE, site.site.clock.now() + DAY)
            site.footage.extend_lock(key, lock, version=site.footage.head(key).version)
        young = site.site.keep((FLOOR_DAYS + 1) * 8640 - 1)
        for _ in range(2):
            Full(site).relieve(needed)
        must_stay = {segments[number].key for number in held | locked} | {young.key}
        assert must_stay <= site.stored()
        if not permitted:
            assert len(site.stored()) == 7
        site.site.index.close()
