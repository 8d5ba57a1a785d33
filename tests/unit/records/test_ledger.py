"""The ledger: one winner per version, a chain that shows every change, custody that waits for the disk."""

import gc
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from archive import canonical
from archive.clock import ManualClock
from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Unavailable
from archive.model.custody import Actor, Outcome
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, Stored
from archive.records import custody
from archive.records.custody import LONGEST_PAUSE, Company, CustodyWriter
from archive.records.ledger import streams as ledger
from archive.records.ledger.memory import LARGEST, EntryMemory
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import HOUR, SECOND, Timespan
from tests.support.leaves import T0

ACTOR = Actor(id="os:tester")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> FilesystemStore:
    return FilesystemStore(tmp_path / "records", clock)


@pytest.fixture
def entries(store: FilesystemStore, clock: ManualClock) -> Ledger:
    return Ledger(store, clock)


def append(entries: Ledger, expected: int, name: str = "a", entity: str = "cam-1") -> Entry:
    return entries.append(
        "camera", entity, {"name": name}, expected=expected, actor="os:tester", action="camera.edited"
    )


def test_the_newest_entry_is_the_document_and_the_stream_its_history(entries: Ledger) -> None:
    first, second = append(entries, 0, "old"), append(entries, 1, "new")
    assert entries.head("camera", "cam-1") == second
    assert list(entries.history("camera", "cam-1")) == [first, second]
    assert second.prev == first.digest
    assert first.prev == ledger.GENESIS


def test_heads_are_the_newest_of_every_stream(entries: Ledger) -> None:
    append(entries, 0, entity="cam-1")
    b = append(entries, 0, entity="cam-2")
    a = append(entries, 1, entity="cam-1")
    assert list(entries.heads("camera")) == [a, b]
    assert list(entries.heads("hold")) == []


def test_of_racing_appends_exactly_one_wins(entries: Ledger) -> None:
    start = threading.Barrier(16)

    def race(number: int) -> bool:
        start.wait()
        try:
            append(entries, 0, f"racer {number}")
        except Conflict as lost:
            return lost.code != "ledger_conflict"
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(race, range(16))) == 1


def test_a_gap_in_versions_and_an_unknown_stream_are_refused(entries: Ledger) -> None:
    with pytest.raises(NotFound):
        append(entries, 5)
    with pytest.raises(NotFound) as caught:
        entries.head("camera", "cam-9")
    assert caught.value.code == "camera_not_found"
    with pytest.raises(Malformed):
        list(entries.heads("video"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("state", None), ("state", ["closed"]), ("v", 3), ("at", "today"), ("id", "cam-2"), ("version", 2)],
)
@pytest.mark.parametrize("v", [1, 2])
def test_what_is_no_entry_does_not_read_as_one(
    store: FilesystemStore, entries: Ledger, tmp_path: Path, v: int, field: str, value: object
) -> None:
    made = append(entries, 0)
    first, second = store.get(made.key).split(b"\n")[:2]
    head = canonical.decode(first)
    if v == 1:
        del head["commits"]
        head |= {"v": 1, "actor": made.actor, "action": made.action, "reason": "", "state": made.state}
    damaged = canonical.encode(head | {field: value}) + (b"" if v == 1 else b"\n" + second + b"\n")
    other = FilesystemStore(tmp_path / "damaged", ManualClock(T0))
    other.put(made.key, Content.of_bytes(damaged))
    with pytest.raises(IntegrityError) as told:
        Ledger(other, ManualClock(T0)).head("camera", "cam-1")
    assert told.value.code == "bad_entry"


def test_an_altered_entry_breaks_the_chain(store: FilesystemStore, clock: ManualClock) -> None:
    """This holds even if the store itself notices nothing, as after a write to its disk by root."""

    class Altering(FilesystemStore):
        def get(self, key: str, *, version: str | None = None) -> bytes:
            return super().get(key, version=version).replace(b'"at":"2026-11-24T06', b'"at":"2026-11-24T07')

    entries = Ledger(store, clock)
    append(entries, 0, "old")
    append(entries, 1, "new")
    altered = object.__new__(Altering)
    altered.__dict__.update(store.__dict__)
    with pytest.raises(IntegrityError) as caught:
        list(Ledger(altered, clock).history("camera", "cam-1"))
    assert caught.value.code == "ledger_broken"


class Reads(FilesystemStore):
    """A store that counts its reads."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        super().__init__(folder, clock)
        self.got: list[str] = []
        self.away = False

    def get(self, key: str, *, version: str | None = None) -> bytes:
        self.got.append(key)
        if self.away:
            raise Unavailable("away")
        return super().get(key, version=version)


@pytest.fixture
def reads(tmp_path: Path, clock: ManualClock) -> Reads:
    return Reads(tmp_path / "records", clock)


def test_what_was_read_once_is_not_read_again(reads: Reads, clock: ManualClock) -> None:
    elsewhere, entries = Ledger(reads, clock), Ledger(reads, clock, memory=EntryMemory())
    first = append(elsewhere, 0, "old")
    assert [entries.head("camera", "cam-1") for _ in range(3)] == [first] * 3
    assert len(reads.got) == 1
    second = append(elsewhere, 1, "new")  # by another process: seen at once
    reads.got.clear()
    assert entries.head("camera", "cam-1") == second
    assert list(entries.history("camera", "cam-1")) == [first, second]
    assert list(entries.heads("camera")) == [second]
    assert len(reads.got) == 1


def test_a_read_that_failed_is_not_remembered(reads: Reads, clock: ManualClock) -> None:
    entries = Ledger(reads, clock, memory=EntryMemory())
    made = append(entries, 0)
    reads.away = True
    with pytest.raises(Unavailable):
        entries.head("camera", "cam-1")
    reads.away = False
    assert entries.head("camera", "cam-1") == made


def test_a_memory_forgets_what_was_longest_not_asked_for(reads: Reads, clock: ManualClock) -> None:
    entries = Ledger(reads, clock, memory=EntryMemory(2))
    for entity in ("cam-1", "cam-2", "cam-3"):
        append(entries, 0, entity=entity)
    reads.got.clear()
    for entity, read in [("cam-1", 1), ("cam-2", 2), ("cam-1", 2), ("cam-3", 3), ("cam-1", 3), ("cam-2", 4)]:
        entries.head("camera", entity)
        assert len(reads.got) == read


def test_an_entry_with_a_long_story_is_read_each_time(reads: Reads, clock: ManualClock) -> None:
    entries = Ledger(reads, clock, memory=EntryMemory())
    append(entries, 0, "x" * LARGEST)
    reads.got.clear()
    for times in (1, 2):
        entries.head("camera", "cam-1")
        assert len(reads.got) == times


def test_nobody_waits_for_an_event_of_which_nothing_is_known(
    store: FilesystemStore, clock: ManualClock
) -> None:
    slow = SlowStore(store)
    slow.gate, slow.out_of_memory_at = threading.Event(), 2
    writer = CustodyWriter(slow, clock, writer="api-1")  # type: ignore[arg-type]

    def tell(_number: int) -> str:
        try:
            writer.record("searched", actor=ACTOR)
        except Unavailable as error:
            return f"{error.code} by {type(error.__cause__).__name__}"
        return "stored"

    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(tell, 0)]
        slow.entered.wait()
        told += [pool.submit(tell, number) for number in range(1, 4)]
        while len(writer._queue) < 3:  # they wait behind the one that is being written
            threading.Event().wait(0.001)
        slow.gate.set()
        assert told[0].result(30) == "stored"
        assert [one.result(30) for one in told[1:]] == ["custody_unavailable by MemoryError"] * 3
    writer.record("searched", actor=ACTOR)
    batches = [custody.decode(store.get(v.key)) for v in store.list("custody/")]
    assert [len(b.events) for b in batches] == [
        1,
        3,
        1,
    ]  # the event with an unknown result was in fact stored


class BrokenOff(Future[None]):
    """A caller who waits for this is interrupted."""

    def result(self, timeout: float | None = None) -> None:
        raise KeyboardInterrupt


def test_a_caller_who_is_broken_off_holds_nobody_up(
    store: FilesystemStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is stored all the same: an event without its act is harmless."""
    slow = SlowStore(store)
    slow.gate = threading.Event()
    writer = CustodyWriter(slow, clock, writer="api-1")  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(writer.record, "first", actor=ACTOR)
        slow.entered.wait()
        with monkeypatch.context() as patched:
            patched.setattr(custody, "_Waiting", partial(custody._Waiting, done=BrokenOff()))
            with pytest.raises(KeyboardInterrupt):
                writer.record("broken off", actor=ACTOR)
        second = pool.submit(writer.record, "second", actor=ACTOR)
        slow.gate.set()
        assert (first.result(30).type, second.result(30).type) == ("first", "second")
    writer.record("third", actor=ACTOR)
    found = [event.type for event in custody.read(store, Timespan(T0, T0 + 1))]
    assert found == ["first", "broken off", "second", "third"]


def test_a_thread_that_cannot_be_started_fails_one_event_and_not_the_next(
    store: FilesystemStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    writer = CustodyWriter(store, clock, writer="api-1")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        with pytest.raises(Unavailable):
            writer.record("first", actor=ACTOR)
    later = threading.Thread(target=writer.record, args=("second",), kwargs={"actor": ACTOR}, daemon=True)
    later.start()
    later.join(30)
    assert not later.is_alive(), "it waits for ever"
    assert [event.type for event in custody.read(store, Timespan(T0, T0 + 1))] == ["second"]
    assert len(list(store.list("custody/"))) == 1


def _writing() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("custody")}


def test_the_thread_ends_with_its_writer(store: FilesystemStore, clock: ManualClock) -> None:
    before = _writing()
    writer = CustodyWriter(store, clock, writer="api-1")
    writer.record("searched", actor=ACTOR)
    (thread,) = _writing() - before
    del writer
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()


def test_events_wait_for_one_another_in_company_alone(store: FilesystemStore, clock: ManualClock) -> None:
    pauses: list[float] = []
    company = Company(pause=pauses.append)
    slow = SlowStore(store)
    slow.clock = clock
    writer = CustodyWriter(slow, clock, writer="api-1", company=company)  # type: ignore[arg-type]
    company.come()
    for _ in range(2):
        writer.record("searched", actor=ACTOR)
    assert pauses == []
    company.come()
    writer.record("searched", actor=ACTOR)
    assert pauses == [0.02]  # twice the 10 ms that the previous put took
    clock.advance(SECOND)
    writer.record("searched", actor=ACTOR)
    assert len(pauses) == 1
    slow.takes = SECOND
    for _ in range(2):
        writer.record("searched", actor=ACTOR)
    assert pauses[-1] == LONGEST_PAUSE / SECOND
    company.leave()
    writer.record("searched", actor=ACTOR)
    assert len(pauses) == 3


def test_a_custody_event_is_durable_when_record_returns(store: FilesystemStore, clock: ManualClock) -> None:
    writer = CustodyWriter(store, clock, writer="api-1")
    event = writer.record("clip.played", actor=ACTOR, objects=("cam-1",), details={"bytes": 5})
    assert list(custody.read(store, Timespan(T0, T0 + 1))) == [event]


def test_events_of_many_callers_share_objects_and_chain(store: FilesystemStore, clock: ManualClock) -> None:
    slow = SlowStore(store)
    writer = CustodyWriter(slow, clock, writer="api-1")  # type: ignore[arg-type]
    with ThreadPoolExecutor(24) as pool:
        told = list(
            pool.map(lambda n: writer.record("searched", actor=ACTOR, objects=(f"cam-{n}",)), range(48))
        )
    batches = [custody.decode(store.get(v.key)) for v in store.list("custody/")]
    assert sorted(e.id for b in batches for e in b.events) == sorted(e.id for e in told)
    assert len(batches) < 24
    assert [b.batch for b in batches] == list(range(1, len(batches) + 1))
    assert [b.prev for b in batches] == [custody.GENESIS, *(b.digest for b in batches[:-1])]


def test_a_refused_put_fails_the_act_and_the_chain_goes_on(
    store: FilesystemStore, clock: ManualClock
) -> None:
    flaky = SlowStore(store)
    writer = CustodyWriter(flaky, clock, writer="api-1")  # type: ignore[arg-type]
    writer.record("searched", actor=ACTOR)
    flaky.lose_answers = 1  # stored, but the answer was lost
    with pytest.raises(Unavailable):
        writer.record("searched", actor=ACTOR, outcome=Outcome.REFUSED)
    clock.advance(HOUR)
    writer.record("searched", actor=ACTOR)
    batches = [custody.decode(store.get(v.key)) for v in store.list("custody/")]
    assert [b.batch for b in batches] == [1, 2, 3]
    assert batches[2].prev == batches[1].digest


def test_a_bad_event_fails_its_own_caller(store: FilesystemStore, clock: ManualClock) -> None:
    writer = CustodyWriter(store, clock, writer="api-1")
    with pytest.raises(Malformed):
        writer.record("searched", actor=ACTOR, details={"speed": 1.5})
    writer.record("searched", actor=ACTOR)


class SlowStore:
    """The real store behind a slow connection that can lose an answer after the store has acted."""

    def __init__(self, inner: FilesystemStore) -> None:
        self._inner = inner
        self.lose_answers = 0
        self.clock: ManualClock | None = None
        self.takes = SECOND // 100
        self.out_of_memory_at = 0
        self.puts = 0
        self.entered = threading.Event()
        self.gate: threading.Event | None = None

    def put(self, key: str, content: Content, **options: object) -> Stored:
        self.entered.set()
        if self.gate is not None:
            self.gate.wait()
        self.puts += 1
        if self.puts == self.out_of_memory_at:
            raise MemoryError
        if self.clock is None:
            threading.Event().wait(0.01)
        else:
            self.clock.advance(self.takes)
        stored = self._inner.put(key, content, **options)  # type: ignore[arg-type]
        if self.lose_answers:
            self.lose_answers -= 1
            raise Unavailable("the answer was lost")
        return stored
