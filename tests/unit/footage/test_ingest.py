"""The ingest procedure, interrupted between any two steps: nothing is lost, nothing exists twice."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.clock import ManualClock
from archive.errors import IntegrityError, Malformed, NotFound, Refused, Unavailable
from archive.footage import ingest as steps
from archive.footage.ingest import Ingest, SpooledLeaf, read_tickets, write_ticket
from archive.model import leaf as leaves
from archive.model.camera import Place, parse_place
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import ClockStatement, Run, Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, LockMode
from archive.records import journal
from archive.records.logbook import Logbook, newest_in_archive
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan

T0 = 1_795_000_000 * SECOND
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PLACE = parse_place("-5.1477", "119.4327", "73.71.13", "73.71.13.1001", "public")
RUN = "6afd2bc0deadbeef"


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@dataclass
class FakeIndex:
    """An index in memory that reports its content and may be unavailable."""

    entries: dict[object, IndexEntry] = field(default_factory=dict)
    calls: int = 0
    reached: int = 0
    is_away: bool = False

    def add(self, entries: Any) -> None:
        if self.is_away:
            raise Unavailable("the index is away")
        self.calls += 1
        for entry in entries:
            leaf = entry.leaf
            name = (leaf.run, leaf.seq) if isinstance(leaf, Segment) else leaves.encode(leaf)
            self.entries[name] = entry

    def cursor(self, recorder: str) -> int:
        return self.reached

    def advance_cursor(self, recorder: str, batch: int) -> None:
        self.reached = max(self.reached, batch)


@dataclass
class Bench:
    """A recorder's side and an archive, both on disk; a restart rebuilds the recorder's side."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0))
    index: FakeIndex = field(default_factory=FakeIndex)

    def __post_init__(self) -> None:
        self.footage = FilesystemStore(self.folder / "footage", self.clock)
        self.records = FilesystemStore(self.folder / "records", self.clock)
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        self.restart()

    def restart(self) -> None:
        self.logbook = Logbook(self.folder / "journal", "rec-1", KEY, self.clock)
        self.ingest = Ingest(
            footage=self.footage,
            records=self.records,
            index=self.index,
            logbook=self.logbook,
            recorder="rec-1",
            clock=self.clock,
            locked_until=lambda segment, _place: segment.span.start + 30 * DAY,
        )

    def segment(self, seq: int) -> SpooledLeaf:
        content = f"segment {seq} ".encode() * 100
        media = self.spool / f"{seq:06d}.mp4"
        media.write_bytes(content)
        start = T0 + seq * 10 * SECOND
        leaf = Segment(
            camera="kam-1",
            recorder="rec-1",
            run=RUN,
            seq=seq,
            span=Timespan(start, start + 10 * SECOND),
            media_duration=900_000,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            header_bytes=100,
            codec="h264",
            gop="closed",
            frames=150,
            clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=100_000),
            camera_time=None,
            ingested_at=start + 10 * SECOND,
        )
        return write_ticket(self.spool / f"{seq:06d}.ticket", leaf, PLACE, media=media, extra={"n": seq})

    def take_up(self) -> list[SpooledLeaf]:
        """The parcels that a start finds in the spool; for a journalled segment the ticket is enough."""
        found = list(read_tickets(self.spool))
        rest = [one for one in found if one.media is not None or not one.journalled]
        for done in set(found) - set(rest):
            done.ticket.unlink()
        self.ingest.expect(rest)
        return rest

    def bring_in(self, spooled_leaves: list[SpooledLeaf]) -> None:
        for spooled in spooled_leaves:
            self.ingest.store(spooled)
        if spooled_leaves:
            self.ingest.commit(spooled_leaves)

    def upload(self) -> None:
        self.ingest.seal()
        self.ingest.upload()

    def batches(self) -> list[journal.Batch]:
        """Every uploaded batch, verified as a chain."""
        found: list[journal.Batch] = []
        prev = journal.GENESIS
        for listed in self.records.list("journal/"):
            batch = journal.verify(self.records.get(listed.key), KEY.public_key(), prev=prev)
            prev = batch.digest
            found.append(batch)
        assert [batch.batch for batch in found] == list(range(1, len(found) + 1))
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_all_steps(bench: Bench) -> None:
    spooled_leaves = [bench.segment(0), bench.segment(1)]
    bench.bring_in(spooled_leaves)
    bench.upload()
    assert list(bench.spool.iterdir()) == []
    for spooled in spooled_leaves:
        segment = spooled.leaf
        assert isinstance(segment, Segment)
        head = bench.footage.head(segment.key)
        assert head.sha256 == segment.sha256
        assert leaves.decode(head.metadata["leaf"].encode()) == segment
        assert head.lock is not None
        assert (head.lock.mode, head.lock.until) == (LockMode.GOVERNANCE, segment.span.start + 30 * DAY)
        entry = bench.index.entries[RUN, segment.seq]
        assert (entry.version, entry.place, entry.held) == (head.version, PLACE, False)
    assert bench.index.calls == 1
    (batch,) = bench.batches()
    assert batch.leaves == tuple(spooled.leaf for spooled in spooled_leaves)
    assert bench.index.reached == 1
    assert bench.ingest.upload() == 0


CUTS = (
    "put", "put:after", "append", "append:after", "mark", "mark:after",
    "add", "add:after", "release", "release:media", "seal", "seal:after", "upload", "upload:after",
)  # fmt: skip


@contextmanager
def cut(bench: Bench, where: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die at one place: before a call, or after it when its answer is lost."""
    name, _, when = where.partition(":")
    target: Any
    target, attribute = {
        "put": (bench.footage, "put"),
        "append": (bench.logbook, "append"),
        "mark": (steps, "mark_journalled"),
        "add": (bench.index, "add"),
        "release": (steps, "_release"),
        "seal": (bench.logbook, "seal"),
        "upload": (bench.records, "put"),
    }[name]
    real = getattr(target, attribute)

    def dies(*arguments: Any, **options: Any) -> Any:
        if when == "media":
            arguments[0].media.unlink()
        elif when:
            real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(target, attribute, dies)
        yield


@pytest.mark.parametrize("where", CUTS)
def test_a_crash_between_any_two_steps_loses_and_repeats_nothing(
    bench: Bench, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled_leaves = [bench.segment(0), bench.segment(1)]
    with cut(bench, where, monkeypatch):
        try:
            bench.bring_in(spooled_leaves)
            bench.upload()
        except Killed:
            pass
        else:
            pytest.fail("nothing was cut")
    for _ in range(2):  # a start that finds nothing to do changes nothing either
        bench.restart()
        bench.bring_in(bench.take_up())
        bench.upload()
    assert list(bench.spool.iterdir()) == []
    assert [one.key for one in bench.footage.versions("segments/")] == [
        spooled.leaf.key for spooled in spooled_leaves if isinstance(spooled.leaf, Segment)
    ]
    lines = [leaf for batch in bench.batches() for leaf in batch.leaves]
    assert lines == [spooled.leaf for spooled in spooled_leaves]
    assert set(bench.index.entries) == {(RUN, 0), (RUN, 1)}
    assert all(entry.version for entry in bench.index.entries.values())
    assert bench.index.reached == len(bench.batches())


def test_what_waited_beyond_its_term_is_locked_all_the_same(bench: Bench) -> None:
    spooled = bench.segment(0)
    bench.clock.advance(40 * DAY)
    bench.ingest.store(spooled)
    stored = next(iter(bench.footage.list("segments/")))
    lock = bench.footage.head(stored.key).lock
    assert lock is not None
    assert lock.until >= bench.clock.now() + DAY


def test_an_index_that_is_away_keeps_segments_in_the_spool_and_the_cursor_back(bench: Bench) -> None:
    spooled = bench.segment(0)
    bench.index.is_away = True
    bench.ingest.store(spooled)
    with pytest.raises(Unavailable):
        bench.ingest.commit([spooled])
    bench.upload()
    assert len(bench.batches()) == 1
    assert (bench.spool / "000000.mp4").exists()
    assert bench.index.reached == 0
    bench.restart()
    bench.index.is_away = False
    bench.bring_in(bench.take_up())
    bench.upload()
    assert [leaf for batch in bench.batches() for leaf in batch.leaves] == [spooled.leaf]
    assert bench.index.reached == 1


def test_bytes_that_changed_on_disk_are_refused(bench: Bench) -> None:
    spooled = bench.segment(0)
    assert spooled.media is not None
    spooled.media.write_bytes(spooled.media.read_bytes().replace(b"segment", b"altered"))
    with pytest.raises(IntegrityError):
        bench.ingest.store(spooled)
    assert list(bench.footage.list("segments/")) == []
    assert spooled.media.exists()


def test_runs_and_gaps_take_the_same_way(bench: Bench) -> None:
    span = Timespan(T0, T0 + MINUTE)
    run = Run(
        camera="kam-1",
        recorder="rec-1",
        run=RUN,
        span=span,
        segments=6,
        reason=RunEnd.STOPPED,
        ingested_at=T0,
    )
    gap = Gap(
        camera="kam-1", recorder="rec-1", gap=RUN, span=span, cause=GapCause.UNREACHABLE, ingested_at=T0
    )
    spooled_leaves = [
        write_ticket(bench.spool / f"{name}.ticket", leaf, None)
        for name, leaf in (("run", run), ("gap", gap))
    ]
    bench.bring_in(spooled_leaves)
    bench.upload()
    assert [batch.leaves for batch in bench.batches()] == [(run, gap)]
    longer = replace(gap, span=Timespan(T0, T0 + HOUR))
    bench.bring_in([write_ticket(bench.spool / "gap2.ticket", longer, None)])
    bench.upload()
    assert [batch.leaves for batch in bench.batches()] == [(run, gap), (longer,)]


def test_a_ticket_reads_back_as_it_was(bench: Bench) -> None:
    spooled = bench.segment(3)
    (again,) = read_tickets(bench.spool)
    assert (again.leaf, again.place, again.media, again.extra) == (
        spooled.leaf, PLACE, spooled.media, {"n": 3}
    )  # fmt: skip
    spooled.ticket.write_bytes(spooled.ticket.read_bytes()[:-5])
    with pytest.raises(IntegrityError) as caught:
        list(read_tickets(bench.spool))
    assert caught.value.code == "ticket_damaged"
    with pytest.raises(Malformed):
        write_ticket(bench.spool / "x.json", spooled.leaf, None)


# The logbook -----------------------------------------------------------------------------------------------


def leaf_of(bench: Bench, seq: int) -> Segment:
    found = bench.segment(seq).leaf
    assert isinstance(found, Segment)
    return found


def test_a_line_cut_off_by_a_crash_never_counted(bench: Bench) -> None:
    bench.logbook.append([leaf_of(bench, 0)])
    path = bench.folder / "journal" / "open-0000000001.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + leaves.encode(leaf_of(bench, 1))[:40])
    bench.restart()
    assert path.read_bytes() == whole
    assert [leaf for leaf in bench.logbook.leaves()] == [leaf_of(bench, 0)]


def test_a_line_the_disk_altered_is_no_silence(bench: Bench) -> None:
    bench.logbook.append([leaf_of(bench, 0), leaf_of(bench, 1)])
    path = bench.folder / "journal" / "open-0000000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"kam-1", b"k\x00m-1", 1))
    with pytest.raises(IntegrityError) as caught:
        bench.restart()
    assert caught.value.code == "logbook_damaged"


def test_a_batch_keeps_its_name_after_an_unclear_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.logbook.append([leaf_of(bench, 0)])
    bench.logbook.seal()
    real = bench.records.put

    def answer_lost(*arguments: Any, **options: Any) -> Any:
        real(*arguments, **options)
        raise Unavailable("the answer was lost")

    monkeypatch.setattr(bench.records, "put", answer_lost)
    with pytest.raises(Unavailable):
        bench.logbook.upload(bench.records, 1)
    monkeypatch.setattr(bench.records, "put", real)
    bench.clock.advance(30 * HOUR)
    bench.restart()
    bench.logbook.upload(bench.records, 1)
    assert len(bench.batches()) == 1


def test_after_a_long_outage_a_batch_is_filed_where_checkpoints_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.logbook.append([leaf_of(bench, 0)])
    bench.logbook.seal()

    def away(*arguments: Any, **options: Any) -> Any:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(bench.records, "put", away)
        with pytest.raises(Unavailable):
            bench.logbook.upload(bench.records, 1)
    bench.clock.advance(5 * HOUR)
    bench.logbook.upload(bench.records, 1)
    (listed,) = bench.records.list("journal/")
    assert listed.key == keys.journal_key("rec-1", 1, bench.clock.now())


def test_where_the_store_will_not_say_the_name_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.logbook.append([leaf_of(bench, 0)])
    bench.logbook.seal()

    def away(*arguments: Any, **options: Any) -> Any:
        raise Unavailable("the store is away")

    def forbidden(*arguments: Any, **options: Any) -> Any:
        raise Refused("head is not for recorders")

    with monkeypatch.context() as patch:
        patch.setattr(bench.records, "put", away)
        with pytest.raises(Unavailable):
            bench.logbook.upload(bench.records, 1)
    first_named = bench.clock.now()
    bench.clock.advance(5 * HOUR)
    monkeypatch.setattr(bench.records, "head", forbidden)
    bench.logbook.upload(bench.records, 1)
    assert [one.key for one in bench.records.list("journal/")] == [keys.journal_key("rec-1", 1, first_named)]


def test_a_lost_spool_goes_on_after_the_newest_batch_in_the_archive(bench: Bench, tmp_path: Path) -> None:
    for seq in range(3):
        bench.logbook.append([leaf_of(bench, seq)])
        bench.upload()
    fresh = Logbook(tmp_path / "new", "rec-1", KEY, bench.clock)
    fresh.append([leaf_of(bench, 7)])
    assert fresh.has_no_batch
    newest = newest_in_archive(bench.records, "rec-1")
    assert newest is not None
    fresh.continue_from(newest.batch, newest.digest)
    fresh.seal()
    fresh.upload(bench.records, 4)
    assert [len(batch.leaves) for batch in bench.batches()] == [1, 1, 1, 1]
    with pytest.raises(Malformed):
        fresh.continue_from(1, newest.digest)
    assert newest_in_archive(bench.records, "other") is None


def test_an_object_that_is_no_batch_keeps_no_lost_spool_from_going_on(bench: Bench) -> None:
    bench.logbook.append([leaf_of(bench, 0)])
    bench.upload()
    bench.records.put(keys.journal_key("rec-1", 2, bench.clock.now()) + ".tmp", Content.of_bytes(b"no batch"))
    newest = newest_in_archive(bench.records, "rec-1")
    assert newest is not None
    assert newest.batch == 1


def test_the_place_of_a_camera_is_optional() -> None:
    assert steps.place_from_json(steps.place_to_json(PLACE)) == PLACE
    assert steps.place_from_json(steps.place_to_json(None)) is None
    assert isinstance(PLACE, Place)


def test_absent_tickets() -> None:
    with pytest.raises((NotFound, Unavailable)):
        steps.read_ticket(Path("/nonexistent/1.ticket"))


def test_a_hold_that_came_between_two_tries_is_not_taken_for_set(tmp_path: Path) -> None:
    """The store keeps the object of the first try, without its flag: the index must say so, for the sweep."""
    bench = Bench(tmp_path)
    spooled = bench.segment(0)
    bench.ingest.store(spooled)
    held = Ingest(
        footage=bench.footage,
        records=bench.records,
        index=bench.index,
        logbook=bench.logbook,
        recorder="rec-1",
        clock=bench.clock,
        locked_until=lambda segment, _place: segment.span.start + 30 * DAY,
        is_held=lambda _segment: True,
    )
    held.store(spooled)
    other = bench.segment(1)
    held.store(other)
    assert held.commit([spooled, other]) == ()
    found = {name: entry.held for name, entry in bench.index.entries.items()}
    assert found == {(RUN, 0): False, (RUN, 1): True}
    keys = [one.leaf.key for one in (spooled, other) if isinstance(one.leaf, Segment)]
    assert [bench.footage.head(key).held for key in keys] == [False, True]
