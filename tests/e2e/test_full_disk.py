"""Disks that are really full: nothing held or unarchived is lost, and messages say what to do."""

import asyncio
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from archive.errors import StoreFull
from archive.footage.ingest import SpooledLeaf
from archive.integrity.rebuild.sync import Sync
from archive.lifecycle.disposition.pressure import Level
from archive.model import leaf as leaves
from archive.model.disposition import Cause
from archive.model.gap import GapCause
from archive.model.leaf import Leaf
from archive.model.retention import KIND as POLICY
from archive.model.retention import OnPressure, Policy, Scope, Terms
from archive.model.retention import to_state as policy_state
from archive.model.segment import ClockStatement, Segment, SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, Stores
from archive.timespan import DAY, HOUR, SECOND, Timespan
from ops import keys as key_files
from ops.disposition import Dispositions, pressure_of
from ops.wiring import Site
from recorder.capture_session import CaptureSession
from recorder.recorder import Recorder
from recorder.spool import Spool
from search.sqlite import open_sqlite
from tests.support.archives import small_archive
from tests.support.dispositions import FLOOR_DAYS, disposal
from tests.support.leaves import T0
from tests.support.programs import lacking
from tests.support.recording_site import TIMES, RecordingSite, parts_of
from tests.support.sound import assert_sound, reading_of, segments_of
from tests.support.waiting import PATIENCE_S, until, until_async

PATTERN = "test://?size=160x120&fps=10&gop=10"
MIB = 1 << 20
INDEXED = 250


@pytest.fixture
def disk() -> Iterator[Callable[[int], Path]]:
    """Mounts separate file systems of the given MiB, and unmounts them afterwards."""
    mounted: list[Path] = []

    def mount(mebibytes: int) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="saksi-full-disk-"))
        options = ["-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            folder.rmdir()
            lacking(f"a small disk cannot be mounted ({done.stderr.strip()}); run this test as root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def spooled(home: Path) -> Iterator[Path]:
    """Closed segments that wait in the spool."""
    for path in (home / "spool" / "cameras").rglob("*.mp4"):
        if ".raw" not in path.name:
            yield path


def fill(folder: Path, *, leave: int = 0) -> Path:
    """Fill the disk with foreign content, up to the last ``leave`` bytes."""
    junk = folder / "junk"
    with junk.open("wb", buffering=0) as filling, suppress(OSError):
        while True:
            filling.write(b"\0" * 4096)
    if leave:
        with junk.open("r+b") as shrinking:
            shrinking.truncate(max(0, junk.stat().st_size - leave))
    return junk


def fill_with_footage(site: Site, camera: str) -> list[Segment]:
    """Add footage of three days ago, past its lock, until the archive is full.

    The first segment is hours before the others, because relief skips whole hours that contain a hold.
    """
    kept: list[Segment] = []
    start = site.clock.now() - 3 * DAY
    for size in (512 << 10, 16 << 10, 4 << 10):
        with suppress(StoreFull):
            while True:
                body = bytes([len(kept) % 256]) * size
                at = start + len(kept) * 10 * SECOND if kept else start - 4 * HOUR
                span = Timespan(at, at + 10 * SECOND)
                run, seq = ("0123456789abcdef", len(kept) - 1) if kept else ("0123456789abcdee", 0)
                segment = Segment(
                    camera=camera, recorder="rec-test", run=run, seq=seq, span=span,
                    media_duration=900_000, sha256=sha256(body).hexdigest(), size=size, header_bytes=40,
                    codec="h264", gop="closed", frames=150,
                    clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
                    camera_time=None, ingested_at=span.end,
                )  # fmt: skip
                stored = site.stores.footage.put(
                    segment.key,
                    Content.of_bytes(body),
                    metadata={"leaf": leaves.encode(segment).decode("ascii")},
                )
                site.index.add([IndexEntry(leaf=segment, place=None, version=stored.version)])
                kept.append(segment)
    return kept


def permit_relief(site: Site) -> None:
    """Put a policy in force that permits destroying footage past its minimum when the store is full."""
    terms = Terms(
        keep_days_min=1,
        keep_days_max=None,
        basis="Perwali 4/2017 pasal 9",
        effective_from=site.clock.now() - 1,
        on_pressure=OnPressure.DISPOSE_PAST_MINIMUM,
    )
    default = Scope.parse("default")
    site.ledger.append(
        POLICY, default.id, policy_state(Policy(scope=default, terms=(terms,))),
        expected=0, actor="os:kadis", action="policy.approved",
    )  # fmt: skip


def test_a_full_archive_keeps_what_it_has_and_drains_once_a_policy_made_room(
    disk: Callable[[int], Path], tmp_path: Path
) -> None:
    site = disposal(tmp_path)
    store = disk(1)
    footage = FilesystemStore(store / "footage", site.site.clock)
    site.site.stores = Stores(footage, site.site.stores.records, site.site.stores.cache)
    old = [site.site.keep(number, content=bytes([number]) * 30_000) for number in range(10)]
    site.site.clock.advance((FLOOR_DAYS + 1) * DAY)
    day = 8640 * (FLOOR_DAYS + 1)
    site.hold(old[:3], flag=False)  # the ledger entry is enough
    new: list[Segment] = []

    def put_until_full() -> None:
        for number in range(100):
            new.append(site.site.keep(day + number, content=bytes([number]) * 30_000))

    with pytest.raises(StoreFull) as caught:
        put_until_full()
    assert caught.value.code == "store_full"
    assert "Free space" in caught.value.hint
    there = {one.key for one in [*old, *new]}
    assert site.stored() == there, "what was there stays, and nothing half written is listed"
    # No policy permits destruction: the disk stays full.
    site.policy(longest=None)
    assert site.dispose(cause=Cause.PRESSURE) is None
    assert site.stored() == there
    # A policy permits it: footage past its minimum and not held is destroyed, locked footage stays.
    site.policy(longest=None, on_pressure=OnPressure.DISPOSE_PAST_MINIMUM)
    found = site.dispose(cause=Cause.PRESSURE)
    assert found is not None
    assert found.segments == 7
    assert site.stored() == {one.key for one in [*old[:3], *new]}
    # The waiting segments are stored now.
    drained = [site.site.keep(day + len(new) + number, content=bytes([200]) * 30_000) for number in range(5)]
    assert {one.key for one in drained} <= site.stored()
    for one in [*old[:3], *new, *drained]:
        assert footage.get(one.key)
    site.site.index.close()


def test_while_the_archive_is_full_recording_goes_on_into_the_spool_until_a_policy_makes_room(
    disk: Callable[[int], Path], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {"SAKSI_ARCHIVE_URL": f"file://{disk(16)}/archive", "SAKSI_RETENTION_FLOOR_DAYS": "1"}
    recording = RecordingSite(home, environment)
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        key_files.init(site.settings.keys_dir, clock=site.clock)
        old = fill_with_footage(site, "kam-1")
        recorder = Recorder(parts_of(site))
        seen: dict[str, int] = {}

        def people_make_room() -> None:
            """Nothing is destroyed because a disk is full; a full disk still accepts a hold and a policy."""
            assert pressure_of(site).level is Level.RED
            assert Dispositions(site).relieve(actor="job:dispose") is None
            site.holds.place(
                cameras=["kam-1"], span=old[0].span, case="LP/B/1/2026", owner="Polda", basis="KUHAP 39",
                review_at=site.clock.now() + 30 * DAY, actor="os:ani",
            )  # fmt: skip
            permit_relief(site)
            found = Dispositions(site).relieve(actor="job:dispose")
            assert found is not None
            assert found.outcome is not None
            assert found.outcome.destroyed == found.segments

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: len(list(spooled(home))) >= 3, "three wait")
            seen["full"] = len(segments_of(site, "kam-1"))
            await asyncio.to_thread(people_make_room)
            await until_async(
                lambda: len(segments_of(site, "kam-1")) >= seen["full"] + 3, "three more", seconds=45
            )
            recorder.stop()
            await running

        asyncio.run(story())
        after = segments_of(site, "kam-1")
        assert _one_run(after), "recording went on while the archive was full"
        assert GapCause.SPOOL_FULL not in {gap.cause for gap in reading_of(site, "kam-1").gaps}
        assert list(spooled(home)) == []
        stored = {one.key for one in site.stores.footage.list("segments/")}
        assert old[0].key in stored, "what is held stays"
        assert {one.key for one in after} <= stored
        assert len(stored) < len(old) + len(after)
        for key in stored:
            assert site.stores.footage.get(key)
    assert recording.captures() == []


def test_a_full_spool_is_a_gap_and_recording_resumes(disk: Callable[[int], Path], tmp_path: Path) -> None:
    spool = disk(8)
    home = tmp_path / "home"
    home.mkdir()
    recording = RecordingSite(home, {"SAKSI_SPOOL_DIR": str(spool / "spool")})
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        recorder = Recorder(parts_of(site, replace(TIMES, spool_reserve=2 * MIB)))

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: segments_of(site, "kam-1"), "it records")
            junk = fill(spool)
            await until_async(lambda: recorder.state().get("spool_full") == 1, "the spool is full")
            runs = {one.run for one in segments_of(site, "kam-1")}
            junk.unlink()
            await until_async(
                lambda: {one.run for one in segments_of(site, "kam-1")} - runs, "a new run", seconds=45
            )
            recorder.stop()
            await running

        asyncio.run(story())
        gaps = list(site.index.gaps("kam-1", Timespan(0, site.clock.now())))
        assert GapCause.SPOOL_FULL in {gap.cause for gap in gaps}
        after = segments_of(site, "kam-1")
        assert after[-1].span.start >= max(gap.span.end for gap in gaps if gap.cause is GapCause.SPOOL_FULL)
        assert_sound(site, "kam-1")
    assert recording.captures() == []


def test_a_disk_that_refused_the_capture_is_the_cause_though_it_has_room_again(
    disk: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What filled the disk may go, or other cameras' segments, while what FFmpeg left becomes segments."""
    spool = disk(8)
    home = tmp_path / "home"
    home.mkdir()
    recording = RecordingSite(home, {"SAKSI_SPOOL_DIR": str(spool / "spool")})
    recording.add("kam-1", PATTERN)
    is_due, seen_full, is_over = threading.Event(), threading.Event(), threading.Event()
    has_room, closed = Spool.has_room, CaptureSession.closed

    def looks(self: Spool) -> bool:
        found = has_room(self)
        if not found:
            seen_full.set()
        return found

    def full_for_a_moment(self: CaptureSession, number: int, arrival: int) -> list[SpooledLeaf]:
        if is_due.is_set() and not is_over.is_set():
            junk = fill(spool)
            until(lambda: not self.is_written(), "the disk has ended FFmpeg")
            seen_full.wait(PATIENCE_S / 4)  # real time: whether anybody looks is what is tested
            junk.unlink()
            is_over.set()
        return closed(self, number, arrival)

    monkeypatch.setattr(Spool, "has_room", looks)
    monkeypatch.setattr(CaptureSession, "closed", full_for_a_moment)
    with recording.site() as site:
        # The recorder's own looks at the free room would find the full disk first.
        recorder = Recorder(parts_of(site, replace(TIMES, registry_seconds=600)))

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: segments_of(site, "kam-1"), "it records")
            runs = {one.run for one in segments_of(site, "kam-1")}
            is_due.set()
            await until_async(
                lambda: {one.run for one in segments_of(site, "kam-1")} - runs, "a new run", seconds=45
            )
            recorder.stop()
            await running

        asyncio.run(story())
        assert is_over.is_set()
        gaps = list(site.index.gaps("kam-1", Timespan(0, site.clock.now())))
        assert [gap.cause for gap in gaps if gap.cause is not GapCause.CONNECTING] == [GapCause.SPOOL_FULL]
        assert_sound(site, "kam-1")
    assert recording.captures() == []


def test_a_full_index_disk_costs_the_archive_nothing_and_sync_catches_up(
    disk: Callable[[int], Path], tmp_path: Path
) -> None:
    site = small_archive(tmp_path)
    site.register_recorder()
    site.index.close()
    folder = disk(2)
    site.index = open_sqlite(folder / "index.sqlite")
    Sync(site.stores, site.index, site.clock).run()
    junk = fill(folder)
    hints = []
    for number in range(INDEXED):
        try:
            site.keep(number)
        except StoreFull as error:
            hints.append(error.hint)
    assert hints, "the disk of the index was full"
    assert all(hints), "people are told what to do"
    stored = [one.key for one in site.stores.footage.list("segments/")]
    assert len(stored) == INDEXED, "the archive took every segment"
    lines = [_leaf_of(site.stores, key) for key in stored]
    site.write_journal(lines)
    with suppress(StoreFull):
        Sync(site.stores, site.index, site.clock).run()
    junk.unlink()
    Sync(site.stores, site.index, site.clock).run()
    whole = Timespan(T0 - DAY, T0 + DAY)
    assert [one.key for one in site.index.segments("cam-1", whole)] == stored
    site.index.close()


def _one_run(segments: list[SegmentRef]) -> bool:
    return len({one.run for one in segments}) == 1


def _leaf_of(stores: Stores, key: str) -> Leaf:
    return leaves.decode(stores.footage.head(key).metadata["leaf"].encode("ascii"))
