"""``saksi spool``: what waits, how fast it grows, and that what is fresh is archived before what waited."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.errors import NotFound
from archive.footage.ingest import SpooledLeaf, write_ticket
from archive.timespan import SECOND
from recorder.settings import RecorderSettings
from recorder.spool_view import look
from tests.support.archives import small_archive
from tests.support.command_line import CommandLine
from tests.support.delivering import Desk
from tests.support.leaves import segment

OTHER_RUN = "6a15000000000002"
QUOTA = 1 << 30
HUGE = 1 << 60


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    archive = small_archive(tmp_path / "archive")
    archive.register_recorder()
    made = Desk(archive, tmp_path)
    yield made
    made.spool.close()
    archive.index.close()


def test_each_camera_with_what_waits_and_how_fast_it_grows(desk: Desk) -> None:
    mine = [desk.spooled(segment(number)) for number in range(8)]
    desk.spooled(segment(0, camera="cam-2", run=OTHER_RUN))
    (mine[0].ticket.parent / "000008.raw.mp4").write_bytes(b"open")
    found = look(desk.spool.root, quota=QUOTA, reserve=0)
    first, second = found.cameras
    assert (first.camera, first.segments, first.bytes) == ("cam-1", 8, sum(_size(one) for one in mine))
    assert (second.camera, second.segments) == ("cam-2", 1)
    newest = mine[-6:]
    lasted = sum(one.leaf.span.duration for one in newest)
    assert first.rate == sum(_size(one) for one in newest) * SECOND // lasted
    assert first.oldest is not None
    assert found.bytes == first.bytes + second.bytes
    assert found.rate == (first.rate or 0) + (second.rate or 0)
    assert found.full_in == found.room // found.rate


def _size(spooled: SpooledLeaf) -> int:
    assert spooled.media is not None
    return spooled.media.stat().st_size


def test_what_has_gone_or_is_damaged_is_no_error(desk: Desk) -> None:
    spooled = desk.spooled(segment(0))
    spooled.ticket.write_bytes(b"{")
    found = look(desk.spool.root, quota=QUOTA, reserve=0)
    assert (found.cameras[0].segments, found.cameras[0].rate) == (1, None)
    assert found.full_in is None


def test_room_is_bounded_by_the_quota_and_by_the_disk(desk: Desk) -> None:
    held = _size(desk.spooled(segment(0)))
    assert look(desk.spool.root, quota=held + 5, reserve=0).room == 5
    assert look(desk.spool.root, quota=held - 1, reserve=0).room == 0
    assert look(desk.spool.root, quota=HUGE, reserve=HUGE).room == 0


def test_what_was_dropped_for_want_of_room_in_quarantine_is_shown(desk: Desk, tmp_path: Path) -> None:
    raws = [desk.spool.root / "cameras" / "cam-1" / OTHER_RUN / f"{number:06d}.raw.mp4" for number in (0, 1)]
    raws[0].parent.mkdir(parents=True)
    desk.spool.quarantine.quota = 20
    for path, content in zip(raws, (b"x", b"yz"), strict=True):
        path.write_bytes(content)
        desk.spool.quarantine.take(path)
    found = look(desk.spool.root, quota=QUOTA, reserve=0)
    assert (found.quarantined, found.quarantine_bytes) == (1, 1)
    assert [(one.camera, one.files, one.bytes) for one in found.dropped] == [("cam-1", 1, 2)]
    command = CommandLine(tmp_path / "home", {"SAKSI_SPOOL_DIR": str(desk.spool.root)})
    shown = command("spool")
    assert "cam-1: 1 files" in shown.err
    assert command("spool", "--json").json["dropped"][0]["files"] == 1


def test_where_no_recorder_worked_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        look(tmp_path, quota=QUOTA, reserve=0)
    assert caught.value.code == "no_spool"


def test_the_command_shows_it_and_warns_an_hour_ahead(desk: Desk, tmp_path: Path) -> None:
    desk.spooled(segment(0))
    calm = CommandLine(tmp_path / "home", {"SAKSI_SPOOL_DIR": str(desk.spool.root)})
    shown = calm("spool")
    assert (shown.code, "cam-1" in shown.out) == (0, True), shown.err
    told = calm("spool", "--json").json
    assert told["cameras"][0]["segments"] == 1
    assert told["full_in_seconds"] > 3600
    large = segment(1, camera="cam-3", run=OTHER_RUN)
    spooled = desk.spooled(large)
    fast = replace(large, size=200 << 20)  # in ten seconds
    write_ticket(spooled.ticket, fast, None)
    for path in desk.spool.root.rglob("*.mp4"):
        os.utime(path, (path.stat().st_mtime + 3600,) * 2)
    assert calm("spool").code == 0, "what has just come may leave at once"
    assert spooled.media is not None
    long_ago = spooled.media.stat().st_mtime - 7200
    os.utime(spooled.media, (long_ago, long_ago))
    short = calm("spool")
    assert (short.code, "full in 0 h" in short.out) == (1, True), short.out
    assert "saksi health recorders" in short.err


def test_live_cameras_go_before_what_waited_at_the_start(desk: Desk) -> None:
    waited = [desk.spooled(segment(number)) for number in range(30)]
    fresh = [desk.spooled(segment(number, camera="cam-2", run=OTHER_RUN)) for number in range(3)]
    order: list[str] = []
    put = desk.archive.stores.footage.put

    def noting(key: str, *arguments: Any, **named: Any) -> Any:
        order.append(key)
        return put(key, *arguments, **named)

    desk.archive.stores.footage.put = noting  # type: ignore[method-assign]

    async def work() -> None:
        archiver = desk.archiver(RecorderSettings(batch_seconds=0.05, group_seconds=0.05, uploads=1))
        archiver.deliver_backlog(waited)
        archiver.deliver(fresh)
        task = asyncio.create_task(archiver.run())
        try:
            assert await archiver.drain(15)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            archiver.close()

    asyncio.run(work())
    assert [key.split("/")[1] for key in order] == ["cam-2"] * 3 + ["cam-1"] * 30
    assert desk.indexed("cam-1") == list(range(30))
