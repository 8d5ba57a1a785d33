"""Custody events: read back as written, also old ones; only the requested hours are read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive import canonical, keys
from archive.clock import ManualClock
from archive.model import custody as events
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectVersion
from archive.records.custody import CustodyWriter, read, read_stored
from archive.timespan import DAY, HOUR, MINUTE, Timespan
from tests.support.leaves import T0


class Counted(FilesystemStore):
    """A store that notes its calls."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        super().__init__(folder, clock)
        self.listed: list[str] = []
        self.got: list[str] = []

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The store's list."""
        self.listed.append(prefix)
        return super().list(prefix, start_after=start_after)

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """The store's object."""
        self.got.append(key)
        return super().get(key, version=version)


@pytest.fixture
def store(tmp_path: Path) -> Counted:
    return Counted(tmp_path, ManualClock(T0))


def test_an_event_of_a_time_before_roles_reads_as_before() -> None:
    old = {
        "v": 1,
        "id": "ab" * 16,
        "at": "2026-11-24T06:00:00.000000Z",
        "type": "clip.download.started",
        "actor": {"id": "token:first", "address": "192.0.2.1", "session": ""},
        "objects": ["cam-1"],
        "purpose": "LP/B/9",
        "outcome": "done",
        "details": {"size": 3},
    }
    event = events.from_json(old)
    assert event.actor == Actor(id="token:first", address="192.0.2.1")
    assert canonical.encode(events.to_json(event)) == canonical.encode(old)


def test_role_and_agency_are_kept() -> None:
    actor = Actor(id="user:budi", address="10.0.0.1", session="s", role="police", agency="polrestabes")
    event = CustodyEvent(
        id="ab" * 16, at=T0, type="sign_in", actor=actor, objects=(), purpose="", outcome=Outcome.DONE
    )
    assert events.from_json(canonical.decode(canonical.encode(events.to_json(event)))) == event


def write_hours(store: Counted, clock: ManualClock, hours: int) -> None:
    writer = CustodyWriter(store, clock, writer="api-1")
    for number in range(hours):
        writer.record("clip.describe", actor=Actor(id="token:t"), objects=(f"cam-{number}",))
        clock.advance(HOUR)


def test_only_the_hours_asked_for_are_read(tmp_path: Path) -> None:
    clock = ManualClock(T0)
    store = Counted(tmp_path, clock)
    write_hours(store, clock, 12)
    store.listed, store.got = [], []
    span = Timespan(T0 + 5 * HOUR, T0 + 6 * HOUR)
    assert [event.objects for event in read(store, span)] == [("cam-5",)]
    assert len(store.listed) <= 3
    assert len(store.got) <= 3


def test_whole_days_are_listed_at_once(tmp_path: Path) -> None:
    clock = ManualClock(T0 - T0 % DAY)
    store = Counted(tmp_path, clock)
    write_hours(store, clock, 60)
    store.listed = []
    start = clock.now() - 60 * HOUR
    found = [event.objects[0] for event in read(store, Timespan(start, start + 2 * DAY))]
    assert found == [f"cam-{number}" for number in range(48)]
    assert len(store.listed) == 3
    assert store.listed[0] == f"custody/{keys.hour_folder(start)[:-3]}/"


def test_fetched_in_parallel_they_come_in_the_same_order(tmp_path: Path) -> None:
    clock = ManualClock(T0)
    store = Counted(tmp_path, clock)
    write_hours(store, clock, 50)
    span = Timespan(T0, T0 + 3 * DAY)
    with ThreadPoolExecutor(8) as pool:
        assert list(read_stored(store, span, pool=pool)) == list(read_stored(store, span))


def test_an_event_says_on_which_line_it_stands(store: Counted) -> None:
    clock = ManualClock(T0)
    writer = CustodyWriter(store, clock, writer="api-1")
    clock.advance(10 * MINUTE)
    made = writer.record("clip.describe", actor=Actor(id="token:t"))
    (found,) = read_stored(store, Timespan(T0, T0 + HOUR))
    lines = store.get(found.key).split(b"\n")
    assert canonical.decode(lines[found.line - 1])["id"] == made.id
    assert found.hour == T0 - T0 % HOUR
