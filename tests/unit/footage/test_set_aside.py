"""An entry that the index can never accept is set aside and recorded, and delays no other."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from archive.errors import ArchiveError, IntegrityError, Malformed, Refused, Unavailable
from archive.footage.ingest import SpooledLeaf
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment
from archive.ports import IndexEntry
from archive.records.set_aside import take_each
from archive.timespan import DAY, HOUR, SECOND, Timespan
from recorder.quarantine import Quarantine
from recorder.recovery import Recovery, set_aside
from tests.support.archives import small_archive
from tests.support.delivering import QUICK, Desk
from tests.support.leaves import T0, segment
from tests.support.waiting import until_async

OTHER_RUN = "6a15000000000002"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    archive = small_archive(tmp_path / "archive")
    archive.register_recorder()
    made = Desk(archive, tmp_path)
    yield made
    made.spool.close()
    archive.index.close()


def endless(seq: int = 1) -> Segment:
    """A segment of a camera whose RTP time jumps by an hour."""
    leaf = segment(seq)
    return replace(leaf, span=Timespan(leaf.span.start, leaf.span.end + HOUR))


def test_one_camera_whose_time_jumps_stops_no_other(desk: Desk) -> None:
    bad = desk.spooled(endless())
    spooled_leaves = [
        desk.spooled(segment(0)),
        bad,
        desk.spooled(segment(0, camera="cam-2", run=OTHER_RUN)),
        desk.spooled(segment(1, camera="cam-2", run=OTHER_RUN)),
    ]
    archiver = desk.bring_in(spooled_leaves)
    assert desk.indexed("cam-1") == [0]
    assert desk.indexed("cam-2") == [0, 1]
    [kept] = desk.gaps("cam-1")
    assert (kept.cause, kept.gap, kept.span) == (
        GapCause.SET_ASIDE, id_for_segment(GapCause.SET_ASIDE, bad.leaf.run, 1), bad.leaf.span,
    )  # fmt: skip
    assert archiver.counters.set_aside == 1
    assert (archiver.counters.index_error, archiver.waiting) == ("", 0)
    head = desk.archive.stores.footage.head(bad.leaf.key)
    assert head.size == bad.leaf.size, "its bytes are in the archive"
    assert [name for name in desk.quarantined() if name.endswith(".journalled")]
    assert not [name for name in desk.quarantined() if name.endswith(".mp4")], "once is enough"
    assert desk.archive.index.cursor("rec-1") == desk.logbook.open_batch - 1 > 0


def test_a_crash_while_it_is_set_aside_makes_no_second_gap(desk: Desk, monkeypatch: Any) -> None:
    class Killed(BaseException):
        pass

    bad = desk.spooled(endless())
    desk.ingest.store(bad)
    [refusal] = desk.ingest.commit([bad])
    assert refusal.is_final

    def killed(self: Quarantine, path: Path) -> Path:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Quarantine, "take_copy", killed)
        with pytest.raises(Killed):
            set_aside(bad, desk.spool, desk.accounts)
    first = desk.delivered.pop()
    desk.bring_in([first])
    desk.archive.clock.wall += SECOND
    bad.version = ""
    desk.bring_in([bad])
    assert [one.cause for one in desk.gaps("cam-1")] == [GapCause.SET_ASIDE]
    batches = list(desk.archive.stores.records.list("journal/"))
    assert batches


def test_what_the_store_refuses_for_its_content_is_kept_in_the_spool_with_its_line(
    desk: Desk, monkeypatch: Any
) -> None:
    bad, good = desk.spooled(segment(0)), desk.spooled(segment(1))
    put = type(desk.archive.stores.footage).put
    refused = threading.Event()

    def picky(self: Any, key: str, *arguments: Any, **options: Any) -> Any:
        if key == bad.leaf.key:
            refused.set()
            raise Malformed("too much metadata", code="bad_metadata")
        assert refused.wait(60), "what counts is a segment that the store takes after it refused the other"
        return put(self, key, *arguments, **options)

    monkeypatch.setattr(type(desk.archive.stores.footage), "put", picky)
    archiver = desk.bring_in([bad, good])
    assert desk.indexed("cam-1") == [1]
    assert [one.cause for one in desk.gaps("cam-1")] == [GapCause.SET_ASIDE]
    assert len([name for name in desk.quarantined() if name.endswith(".mp4")]) == 1, "bytes are kept"
    assert archiver.counters.set_aside == 1
    assert bad.leaf in list(desk.logbook.leaves()), "the journal vouches for what is kept"


def test_what_cannot_be_a_line_is_set_aside_alone(desk: Desk) -> None:
    bad = desk.spooled(segment(0))
    bad.leaf = replace(bad.leaf, frames=2**60)
    archiver = desk.bring_in([bad, desk.spooled(segment(1))])
    assert desk.indexed("cam-1") == [1]
    assert archiver.counters.set_aside == 1
    assert [one.cause for one in desk.gaps("cam-1")] == [GapCause.SET_ASIDE]
    assert len([name for name in desk.quarantined() if name.endswith(".mp4")]) == 1, "bytes are kept"


def test_a_segment_that_vanished_from_the_spool_is_lost_and_stops_no_other(desk: Desk) -> None:
    gone = desk.spooled(segment(0))
    assert gone.media is not None
    gone.media.unlink()
    archiver = desk.bring_in([gone, desk.spooled(segment(1))])
    assert desk.indexed("cam-1") == [1]
    assert (archiver.counters.lost, archiver.counters.set_aside) == (1, 0)
    assert [one.cause for one in desk.gaps("cam-1")] == [GapCause.UPLOAD_LOST]


def test_a_segment_in_a_bad_sector_is_lost_on_record_and_stops_no_other(desk: Desk) -> None:
    """Each read of it ends with EIO: as this file of Linux does at its start."""
    bad = desk.spooled(segment(0))
    assert bad.media is not None
    bad.media.unlink()
    bad.media.symlink_to("/proc/self/mem")
    archiver = desk.bring_in([bad, desk.spooled(segment(1))])
    assert desk.indexed("cam-1") == [1]
    assert (archiver.counters.lost, archiver.counters.store_error) == (1, "")
    assert [one.cause for one in desk.gaps("cam-1")] == [GapCause.UPLOAD_LOST]
    assert len([name for name in desk.quarantined() if name.endswith(".mp4")]) == 1, "it is kept for people"


def test_a_disk_that_comes_back_before_a_loss_is_recorded_costs_nothing(desk: Desk, monkeypatch: Any) -> None:
    """A controller that is reset: every read ends with EIO, and nothing can be written."""
    spooled = desk.spooled(segment(0))
    assert spooled.media is not None
    media = spooled.media
    away = media.rename(media.with_suffix(".away"))
    media.symlink_to("/proc/self/mem")  # a read at its start ends with EIO
    instead = type(desk.accounts).instead

    def failing(self: Any, *arguments: Any) -> None:
        if away.exists():
            away.replace(media)
            raise Unavailable("the disk does not answer", code="spool_unavailable")
        instead(self, *arguments)

    monkeypatch.setattr(type(desk.accounts), "instead", failing)
    archiver = desk.bring_in([spooled])
    assert desk.indexed("cam-1") == [0]
    assert desk.gaps("cam-1") == []
    assert (archiver.counters.lost, archiver.counters.store_error) == (0, "")


def test_a_disk_that_cannot_be_read_for_a_while_costs_nothing(desk: Desk, monkeypatch: Any) -> None:
    spooled = desk.spooled(segment(0))
    put = type(desk.archive.stores.footage).put
    trouble = [Unavailable("the disk hangs", code="content_unreadable")] * 5

    def picky(self: Any, *arguments: Any, **options: Any) -> Any:
        if trouble:
            raise trouble.pop()
        return put(self, *arguments, **options)

    monkeypatch.setattr(type(desk.archive.stores.footage), "put", picky)
    archiver = desk.bring_in([spooled])
    assert desk.indexed("cam-1") == [0]
    assert (archiver.counters.lost, archiver.counters.store_error) == (0, "")


def test_a_gap_that_cannot_be_indexed_makes_no_gap_of_its_own(desk: Desk) -> None:
    def judge(entry: IndexEntry) -> None:
        if isinstance(entry.leaf, Gap) and entry.leaf.cause is GapCause.SET_ASIDE:
            raise Malformed("no", code="bad_id")

    desk.index.judge = judge
    archiver = desk.bring_in([desk.spooled(endless()), desk.spooled(segment(0))])
    assert desk.indexed("cam-1") == [0]
    assert archiver.counters.set_aside == 2
    assert desk.gaps("cam-1") == []


def test_an_index_that_refuses_everything_costs_nothing(desk: Desk) -> None:
    """A wrong schema refuses every value: the index is at fault, not the footage."""

    def nothing(entry: IndexEntry) -> None:
        raise Malformed("strict_dynamic_mapping_exception", code="index_value")

    desk.index.judge = nothing
    spooled_leaves = [desk.spooled(segment(0)), desk.spooled(segment(1))]
    for spooled in spooled_leaves:
        desk.ingest.store(spooled)
    for _ in range(5):
        assert [one.is_final for one in desk.ingest.commit(spooled_leaves)] == [False, False]
    desk.index.judge = lambda entry: None
    archiver = desk.bring_in(spooled_leaves)
    assert desk.indexed("cam-1") == [0, 1]
    assert archiver.counters.set_aside == 0


def test_a_value_that_the_index_refuses_among_others_is_final(desk: Desk) -> None:
    bad = desk.spooled(segment(0))

    def judge(entry: IndexEntry) -> None:
        if entry.leaf == bad.leaf:
            raise Malformed("document_parsing_exception", code="index_value")

    desk.index.judge = judge
    good = desk.spooled(segment(1))
    for spooled in (bad, good):
        desk.ingest.store(spooled)
    assert [one.is_final for one in desk.ingest.commit([bad])] == [False]
    assert desk.ingest.commit([good]) == ()
    archiver = desk.bring_in([bad])
    assert desk.indexed("cam-1") == [1]
    assert archiver.counters.set_aside == 1


def test_rights_are_retried_for_ever(desk: Desk) -> None:
    trouble: list[ArchiveError] = [Refused("no right", code="index_denied")] * 2

    def judge(entry: IndexEntry) -> None:
        if trouble:
            raise trouble.pop()

    desk.index.judge = judge
    archiver = desk.bring_in([desk.spooled(segment(0))])
    assert desk.indexed("cam-1") == [0]
    assert (archiver.counters.set_aside, archiver.counters.lost) == (0, 0)


@pytest.mark.parametrize("in_a_bad_sector", [False, True])
def test_a_damaged_gap_ticket_stops_no_start(desk: Desk, *, in_a_bad_sector: bool) -> None:
    ticket = desk.spool.root / "gaps" / "6a15000000000009-1.ticket"
    if in_a_bad_sector:
        ticket.symlink_to("/proc/self/mem")  # a read at its start ends with EIO
    else:
        ticket.write_bytes(b'{"leaf":')
    recovery = Recovery(
        desk.spool, desk.accounts, desk.logbook, desk.archive.clock, structlog.get_logger("test")
    )
    recovery.run()
    assert recovery.spooled_leaves == []
    assert recovery.set_aside == 1
    assert len(desk.quarantined()) == 1


def refusing(desk: Desk, monkeypatch: Any, refuses: Callable[[str], ArchiveError | None]) -> list[str]:
    """Make the store refuse some keys; returns the keys that are put, as they come."""
    asked: list[str] = []
    put = type(desk.archive.stores.footage).put

    def picky(self: Any, key: str, *arguments: Any, **options: Any) -> Any:
        if key.startswith("segments/"):
            asked.append(key)
        if (error := refuses(key)) is not None:
            raise error
        return put(self, key, *arguments, **options)

    monkeypatch.setattr(type(desk.archive.stores.footage), "put", picky)
    return asked


@pytest.mark.parametrize(
    "error",
    [Malformed("path too long", code="bad_key"), IntegrityError("other bytes", code="checksum_mismatch")],
)
def test_a_store_that_refuses_every_segment_costs_nothing(
    desk: Desk, monkeypatch: Any, error: ArchiveError
) -> None:
    """A path that is too long or a proxy that alters bytes is the store's fault: all is kept and retried."""
    spooled_leaves = [desk.spooled(segment(0)), desk.spooled(segment(1))]
    asked = refusing(desk, monkeypatch, lambda key: error if len(asked) <= 8 else None)
    archiver = desk.bring_in(spooled_leaves, seconds=30)
    assert desk.indexed("cam-1") == [0, 1]
    assert (archiver.counters.set_aside, archiver.counters.lost) == (0, 0)
    assert desk.gaps("cam-1") == []


def test_a_segment_whose_bytes_the_disk_altered_is_lost(desk: Desk) -> None:
    bad = desk.spooled(segment(0))
    assert bad.media is not None
    bad.media.write_bytes(b"x" * bad.media.stat().st_size)
    archiver = desk.bring_in([bad, desk.spooled(segment(1))])
    assert desk.indexed("cam-1") == [1]
    assert archiver.counters.lost == 1
    assert len([name for name in desk.quarantined() if name.endswith(".mp4")]) == 1, "bytes are kept"


def test_what_one_camera_is_refused_delays_no_other(desk: Desk, monkeypatch: Any) -> None:
    """Segments of a camera that is refused wait behind those of the others."""
    refused = [desk.spooled(segment(seq)) for seq in range(20)]
    error = Refused("no right", code="store_access_denied")
    asked = refusing(desk, monkeypatch, lambda key: error if "/cam-1/" in key else None)

    async def work() -> None:
        archiver = desk.archiver()
        archiver.deliver(refused)
        task = asyncio.create_task(archiver.run())
        await until_async(lambda: len(asked) >= 4, "some refusals")
        archiver.deliver([desk.spooled(segment(0, camera="cam-2", run=OTHER_RUN))])
        await until_async(lambda: any("/cam-2/" in key for key in asked), "a put of the other camera")
        await until_async(lambda: archiver.counters.segments, "its segment in the index")
        assert archiver.counters.store_error == "store_access_denied", "one camera is still refused"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        archiver.close()

    asyncio.run(work())
    assert len(asked) < 12, "the other camera's segment did not wait for twenty refusals"


def test_an_entry_is_refused_again_before_it_is_set_aside(desk: Desk) -> None:
    """The index may be mended between two entries of one call."""
    first, second = desk.spooled(segment(0)), desk.spooled(segment(1))
    trouble = [Malformed("strict_dynamic_mapping_exception", code="index_value")] * 2

    def judge(entry: IndexEntry) -> None:
        if trouble:
            raise trouble.pop()

    desk.index.judge = judge
    for spooled in (first, second):
        desk.ingest.store(spooled)
    assert [one.is_final for one in desk.ingest.commit([first, second])] == [False]
    assert desk.ingest.commit([first]) == ()
    assert desk.indexed("cam-1") == [0, 1]


def test_a_month_whose_index_refuses_everything_is_not_judged_by_another_month(desk: Desk) -> None:
    """Each month of segments may have its own schema, and a new month gets the newest."""
    old, new = desk.spooled(segment(0)), desk.spooled(moved(segment(1), 40 * DAY))

    def judge(entry: IndexEntry) -> None:
        if entry.leaf.span.start < T0 + DAY:
            raise Malformed("strict_dynamic_mapping_exception", code="index_value")

    desk.index.judge = judge
    for spooled in (old, new):
        desk.ingest.store(spooled)
    assert [one.is_final for one in desk.ingest.commit([old])] == [False]
    assert desk.ingest.commit([new]) == ()
    assert [one.is_final for one in desk.ingest.commit([old])] == [False]


def moved(leaf: Segment, by: int) -> Segment:
    return replace(leaf, span=Timespan(leaf.span.start + by, leaf.span.end + by))


def test_one_entry_among_many_costs_few_calls_of_the_index(desk: Desk) -> None:
    calls: list[int] = []

    def take(part: Sequence[int]) -> None:
        calls.append(len(part))
        if 77 in part:
            raise Malformed("no", code="bad_id")

    refused: list[int] = []
    take_each(range(512), take, lambda item, error: refused.append(item))
    assert refused == [77]
    assert len(calls) < 20


def test_a_quarantine_that_a_person_took_away_stops_no_camera(desk: Desk) -> None:
    (desk.spool.root / "quarantine").rmdir()
    archiver = desk.bring_in([desk.spooled(endless()), desk.spooled(segment(0))])
    assert desk.indexed("cam-1") == [0]
    assert archiver.counters.set_aside == 1


def test_a_segment_that_comes_alone_waits_for_nothing_and_those_that_follow_share_a_commit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[list[int]] = []
    commit = desk.ingest.commit

    def noted(spooled_leaves: Sequence[SpooledLeaf]) -> Any:
        groups.append(sorted(one.leaf.seq for one in spooled_leaves if isinstance(one.leaf, Segment)))
        return commit(spooled_leaves)

    monkeypatch.setattr(desk.ingest, "commit", noted)

    async def work() -> None:
        archiver = desk.archiver(replace(QUICK, group_seconds=3600))
        task = asyncio.create_task(archiver.run())
        try:
            archiver.deliver([desk.spooled(segment(0))])
            await until_async(lambda: archiver.counters.segments == 1, "it is committed at once")
            archiver.deliver([desk.spooled(segment(1)), desk.spooled(segment(2))])
            await until_async(lambda: archiver._stored == 3, "the others are stored")
            assert groups == [[0]], "and wait for the next commit"
            assert await archiver.drain(15)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            archiver.close()

    asyncio.run(work())
    assert groups[0] == [0]
    assert sorted(seq for group in groups for seq in group) == [0, 1, 2]
    assert desk.indexed("cam-1") == [0, 1, 2]


def test_an_entry_that_waits_keeps_the_error_in_sight(desk: Desk) -> None:
    """Others go on meanwhile, but the recorder is not healthy."""
    bad, good = desk.spooled(segment(0)), desk.spooled(moved(segment(1), 40 * DAY))

    def judge(entry: IndexEntry) -> None:
        if entry.leaf == bad.leaf:
            raise Malformed("strict_dynamic_mapping_exception", code="index_value")

    desk.index.judge = judge

    async def work() -> None:
        archiver = desk.archiver()
        archiver.deliver([bad])
        task = asyncio.create_task(archiver.run())
        await until_async(lambda: archiver.counters.index_error, "a refusal of the index")
        archiver.deliver([good])
        await until_async(lambda: archiver.counters.segments, "the other segment in the index")
        assert archiver.counters.index_error == "index_value"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        archiver.close()

    asyncio.run(work())
