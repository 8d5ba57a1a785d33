"""The recorder with real FFmpegs, real cameras if there are any, and an archive on disk."""

import asyncio
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Unavailable
from archive.footage.mp4.header import SegmentHeader, parse_header
from archive.model.camera import Camera
from archive.model.gap import GapCause, RunEnd
from archive.model.leaf import decode
from archive.model.segment import Segment, SegmentRef
from archive.ports import Stores
from archive.timespan import SECOND
from ops.stack import Stack
from ops.wiring import Site
from recorder.placement.desk import Everything
from recorder.placement.membership import BEAT
from recorder.recorder import Recorder
from recorder.roster import Sources
from tests.support import numbered
from tests.support.recording_site import TIMES, RecordingSite, parts_of
from tests.support.servers import MediamtxServer
from tests.support.small_disk import SmallDisk, small_disk_at
from tests.support.sound import assert_sound, causes, reading_of, segments_of
from tests.support.waiting import PATIENCE_S, until, until_async

PATTERN = "test://?size=160x120&fps=10&gop=10"


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    site = RecordingSite(tmp_path, {"SAKSI_CAMERA_FOLDERS": str(tmp_path)})
    yield site
    if site.process is not None and site.process.poll() is None:
        site.kill()
    assert site.captures() == [], "an FFmpeg outlived its recorder"


def footage_of(site: Site, camera: str, folder: Path) -> list[Path]:
    """Stored segments of one camera as files, in order."""
    folder.mkdir()
    found = []
    for segment in segments_of(site, camera):
        path = folder / f"{segment.run}-{segment.seq:06d}.mp4"
        path.write_bytes(site.stores.footage.get(segment.key))
        found.append(path)
    return found


def test_a_camera_is_recorded_and_everything_is_archived_at_the_end(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    recording.add("kam-2", f"file://{recording.folder}/nonexistent.mp4")
    assert recording.start("--for", "9").wait(PATIENCE_S) == 0
    with recording.site() as site:
        segments = segments_of(site, "kam-1")
        assert len(segments) >= 4
        assert [one.seq for one in segments] == list(range(len(segments)))
        for before, after in itertools.pairwise(segments):
            assert before.span.end == after.span.start
            media = before.media_duration * 100 // 9
            assert abs(before.span.duration - media) <= 1_100
        run = site.index.run(segments[0].run)
        assert run is not None
        assert (run.segments, run.reason) == (len(segments), RunEnd.STOPPED)
        assert set(causes(site, "kam-2")) == {"connecting", "unreachable"}
        assert set(causes(site, "kam-1")) == {"connecting"}
        assert_sound(site, "kam-1", "kam-2")
        assert [path for path in (recording.folder / "spool" / "cameras").rglob("*") if path.is_file()] == []
        (beat,) = site.index.heartbeats()
        assert beat.state["cameras"]["kam-1"]["attempts"] == 1
        entry = site.ledger.head("recorder", "rec-test")
        assert entry.action == "recorder.registered"


def test_cameras_come_go_and_change_while_it_runs(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    recording.start()
    with recording.site() as site:
        until(lambda: segments_of(site, "kam-1"), "kam-1 is recorded")
        recording.add("kam-2", PATTERN)
        until(lambda: segments_of(site, "kam-2"), "kam-2 is recorded")
        site.registry.disable("kam-1", actor="os:tester", reason="under repair")
        run = segments_of(site, "kam-1")[-1].run
        until(lambda: site.index.run(run), "kam-1's run has ended")
        ended = site.index.run(run)
        assert ended is not None
        assert ended.reason is RunEnd.DISABLED
        site.registry.enable("kam-1", actor="os:tester", reason="repaired")
        until(lambda: segments_of(site, "kam-1")[-1].run != run, "kam-1 is recorded again")
        first = segments_of(site, "kam-2")[-1].run
        site.registry.edit("kam-2", {"segment_seconds": "3"}, actor="os:tester", reason="longer")
        until(lambda: segments_of(site, "kam-2")[-1].run != first, "kam-2 is recorded with its new length")
        silent = segments_of(site, "kam-2")[-1].run
        site.registry.propose_sound("kam-2", actor="os:ana", reason="loket pengaduan")
        site.registry.allow_sound("kam-2", actor="os:budi")
        until(lambda: segments_of(site, "kam-2")[-1].run != silent, "a run that may have sound begins")
        heard = segments_of(site, "kam-2")[-1].run
        site.registry.end_sound("kam-2", actor="os:ana", reason="pengumuman dilepas")
        until(lambda: site.index.run(heard), "the run that may have sound ends")
        assert recording.stop() == 0
        assert causes(site, "kam-1") == ["connecting", "disabled"]
        # from its registration to its first footage, and while the recorder took up the edit
        assert set(causes(site, "kam-2")) == {"connecting"}
        starts = [gap.span.start for gap in reading_of(site, "kam-2").gaps]
        assert starts[0] == site.registry.camera("kam-2").registered_at
        assert_sound(site, "kam-1", "kam-2")


def test_two_recorders_cannot_share_a_spool(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    recording.start()
    until(lambda: recording.captures(), "it records")
    other = RecordingSite(recording.folder, recording.environment)
    assert other.start("--for", "2").wait(PATIENCE_S) == 3
    assert "spool_in_use" in recording.log()
    assert recording.stop() == 0


def test_a_looped_file_is_one_run_without_a_hole(recording: RecordingSite, tmp_path: Path) -> None:
    sample = numbered.make_numbered("h264-nob", 4, tmp_path / "sample.mp4")
    recording.add("kam-1", sample.as_uri())
    assert recording.start("--for", "12").wait(PATIENCE_S) == 0
    with recording.site() as site:
        segments = segments_of(site, "kam-1")
        assert len({one.run for one in segments}) == 1
        assert_sound(site, "kam-1")
        shown = [
            number
            for path in footage_of(site, "kam-1", tmp_path / "stored")
            for number in numbered.numbers(numbered.read_numbers(path))
        ]
        assert len(shown) > 80
        first = shown[0]
        assert first is not None
        assert shown == [(first + index) % 60 for index in range(len(shown))]


# The store, the index and the disk fail --------------------------------------------------------------------


class Flaky:
    """A store or an index that can be unavailable."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            if self.is_away:
                raise Unavailable("it is away", code="store_unavailable")
            return found(*arguments, **options)

        return call


def two_wait(recording: RecordingSite) -> Callable[[], bool]:
    """Whether two closed segments are in the spool."""
    return lambda: len(list((recording.folder / "spool" / "cameras").rglob("??????.mp4"))) >= 2


def runs_of(site: Site, count: int) -> bool:
    """Whether the index knows segments of so many runs."""
    return len({one.run for one in segments_of(site, "kam-1")}) >= count


async def recorded(
    recorder: Recorder, *steps: tuple[str, Callable[[], object], Callable[[], object]]
) -> None:
    """Run a recorder; each step is made once a state is there, which has a name. Then stop it in order."""
    running = asyncio.create_task(recorder.run())
    for what, is_there, step in steps:
        await until_async(lambda is_there=is_there: running.done() or is_there(), what)  # type: ignore[misc]
        if running.done():
            await running
            pytest.fail("the recorder ended by itself")
        step()
    recorder.stop()
    await running


def test_a_store_and_an_index_that_are_away_only_fill_the_spool(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        parts = parts_of(site)
        footage, records, index = Flaky(site.stores.footage), Flaky(site.stores.records), Flaky(site.index)
        parts = replace(parts, stores=Stores(footage, records, site.stores.cache), index=index)

        def away(*which: Flaky) -> Any:
            def step() -> None:
                for one in which:
                    one.is_away = True

            return step

        def back() -> None:
            for one in (footage, records, index):
                one.is_away = False

        def indexed(count: int) -> Callable[[], bool]:
            return lambda: len(segments_of(site, "kam-1")) >= count

        asyncio.run(
            recorded(
                Recorder(parts),
                ("it records", indexed(1), away(footage, records)),
                ("what is not in the archive yet is still in the spool", two_wait(recording), back),
                ("what waited is in the archive", indexed(4), away(index)),
                ("what is not in the index yet is still in the spool", two_wait(recording), back),
                ("what waited is in the index", indexed(7), lambda: None),
            )
        )
        segments = segments_of(site, "kam-1")
        assert len({one.run for one in segments}) == 1
        assert [one.seq for one in segments] == list(range(len(segments)))
        assert_sound(site, "kam-1")


def test_a_start_without_the_store_records_from_memory(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    assert recording.start("--for", "5").wait(PATIENCE_S) == 0
    with recording.site() as site:
        before = len(segments_of(site, "kam-1"))
        footage, records, index = Flaky(site.stores.footage), Flaky(site.stores.records), Flaky(site.index)
        parts = replace(
            parts_of(site),
            stores=Stores(footage, records, site.stores.cache),
            index=index,
        )
        parts = replace(parts, ledger=type(site.ledger)(records, site.clock))
        for one in (footage, records, index):
            one.is_away = True
        with pytest.raises(Unavailable) as caught:
            asyncio.run(
                recorded(
                    Recorder(replace(parts, settings=replace(TIMES, stop_seconds=1))),
                    ("two wait for the store", two_wait(recording), lambda: None),
                )
            )
        assert caught.value.code == "spool_not_drained"
        assert len(segments_of(site, "kam-1")) == before
    assert recording.start("--for", "3").wait(PATIENCE_S) == 0
    with recording.site() as site:
        runs = list(dict.fromkeys(one.run for one in segments_of(site, "kam-1")))
        assert len(runs) == 3
        assert causes(site, "kam-1")[0] == "connecting"
        assert set(causes(site, "kam-1")[1:]) == {"recorder_restart"}
        assert_sound(site, "kam-1")


def test_a_full_spool_stops_recording_with_a_gap_and_drops_nothing(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        footage = Flaky(site.stores.footage)
        settings = replace(TIMES, spool_quota=60_000)
        parts = replace(
            parts_of(site, settings),
            stores=Stores(footage, site.stores.records, site.stores.cache),
        )
        footage.is_away = True
        recorder = Recorder(parts)

        def is_full() -> bool:
            state = recorder.state()
            return state.get("spool_full") == 1 and state["cameras"]["kam-1"]["cause"] == "spool_full"

        def back() -> None:
            footage.is_away = False

        asyncio.run(
            recorded(
                recorder,
                ("the spool is full", is_full, back),
                ("it records again", lambda: runs_of(site, 2), lambda: None),
            )
        )
        runs = list(dict.fromkeys(one.run for one in segments_of(site, "kam-1")))
        assert len(runs) >= 2
        first = site.index.run(runs[0])
        assert first is not None
        assert first.reason is RunEnd.SPOOL_FULL
        assert GapCause.SPOOL_FULL in causes(site, "kam-1")
        assert_sound(site, "kam-1")


@pytest.fixture
def small_disk(recording: RecordingSite) -> Iterator[SmallDisk]:
    with small_disk_at(recording.folder / "spool") as disk:
        yield disk


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_loses_nothing_that_was_written(recording: RecordingSite, small_disk: SmallDisk) -> None:
    """Another program fills the spool's disk, and frees it again."""
    recording.add("kam-1", "test://?size=640x360&fps=15&gop=15")
    with recording.site() as site:
        parts = parts_of(site, replace(TIMES, spool_reserve=0))
        recorder = Recorder(parts)
        asyncio.run(
            recorded(
                recorder,
                ("it records", lambda: segments_of(site, "kam-1"), small_disk.fill),
                (
                    "the spool is full",
                    lambda: recorder.state().get("spool_full") == 1,
                    small_disk.junk.unlink,
                ),
                ("it records again", lambda: runs_of(site, 2), lambda: None),
            )
        )
        assert GapCause.SPOOL_FULL in causes(site, "kam-1")
        runs = {one.run: site.index.run(one.run) for one in segments_of(site, "kam-1")}
        reasons = [run.reason for run in runs.values() if run is not None]
        assert reasons == [RunEnd.SPOOL_FULL, RunEnd.STOPPED]
        assert_sound(site, "kam-1")
        left = (small_disk.folder / "cameras").rglob("*")
        assert [path for path in left if path.is_file()] == []


@dataclass(slots=True)
class Moving:
    """Sources that lead to nobody once ``is_gone``."""

    sources: Sources
    is_gone: bool = False

    def source_of(self, camera: Camera) -> str:
        return "rtsp://127.0.0.1:9/nobody" if self.is_gone else self.sources.source_of(camera)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_camera_that_is_gone_once_there_is_room_again_is_no_cause_of_the_time_without_room(
    recording: RecordingSite, small_disk: SmallDisk
) -> None:
    """The footage that the full disk interrupted is finished first; what follows it is not the camera's."""
    recording.add("kam-1", "test://?size=640x360&fps=15&gop=15")
    freed: list[int] = []
    with recording.site() as site:
        parts = parts_of(site, replace(TIMES, spool_reserve=0))
        moving = Moving(parts.sources)
        recorder = Recorder(replace(parts, sources=moving))

        def free() -> None:
            moving.is_gone = True
            freed.append(site.clock.now())
            small_disk.junk.unlink()

        def is_missing() -> bool:
            state = recorder.state()
            return bool(state) and state["cameras"]["kam-1"]["cause"] == "unreachable"

        asyncio.run(
            recorded(
                recorder,
                ("it records", lambda: segments_of(site, "kam-1"), small_disk.fill),
                ("the spool is full", lambda: recorder.state().get("spool_full") == 1, free),
                ("the camera is missed", is_missing, lambda: None),
            )
        )
        end = segments_of(site, "kam-1")[-1].span.end
        after = [gap for gap in reading_of(site, "kam-1").gaps if gap.span.start >= end]
        assert [gap.cause for gap in after] == [GapCause.SPOOL_FULL, GapCause.UNREACHABLE]
        assert after[0].span.start == end
        assert after[0].span.end >= freed[0]
        assert_sound(site, "kam-1")


class Noted:
    """A log that keeps what happened, and has ``then`` done when gaps wait."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.events: list[str] = []
        self._then = then

    def info(self, event: str, **facts: object) -> None:
        self.events.append(event)
        if event == "gaps_wait":
            self._then()

    warning = error = info


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_spool_that_takes_no_sign_of_life_ends_no_recorder(
    recording: RecordingSite, is_mended: bool
) -> None:
    recording.add("kam-1", PATTERN)
    spool, gone = recording.folder / "spool", recording.folder / "a disk that is gone"
    alive, accounts = spool / "alive", spool / "accounts.json.unfinished"

    def breaks() -> None:
        alive.unlink()
        alive.symlink_to(gone / "alive")
        if not is_mended:
            accounts.symlink_to(gone / "accounts.json")

    def mends() -> None:
        if is_mended:
            alive.unlink()

    with recording.site() as site:
        noted = Noted(accounts.unlink)
        recorder = Recorder(replace(parts_of(site), log=noted))
        before: list[SegmentRef] = []

        def it_goes_on() -> bool:
            found = segments_of(site, "kam-1")
            before[:] = before or found
            return "sign_of_life_waits" in noted.events and len(found) > len(before)

        def it_is_told() -> bool:
            return alive.is_file() if is_mended else noted.events.count("sign_of_life_waits") > 2

        asyncio.run(
            recorded(
                recorder,
                ("it records", lambda: segments_of(site, "kam-1"), breaks),
                ("it goes on", it_goes_on, mends),
                ("it is told", it_is_told, lambda: None),
            )
        )
        assert len({one.run for one in segments_of(site, "kam-1")}) == 1
        assert ("gaps_wait" in noted.events) is not is_mended, "the accounts at the end"
        assert_sound(site, "kam-1")


class Counting(Everything):
    """A desk of one of many recorders that counts its beats."""

    glance = BEAT  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.beats = 0

    def beat(self) -> None:
        super().beat()
        self.beats += 1


def test_what_holds_all_threads_keeps_no_recorder_from_its_beat(recording: RecordingSite) -> None:
    """As a store that hangs does: other recorders would take this one's cameras, though it records them."""
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        desk, goes_on = Counting(), threading.Event()
        recorder = Recorder(replace(parts_of(site), desk=lambda _spool: desk))

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: segments_of(site, "kam-1"), "it records")
            loop = asyncio.get_running_loop()
            held = [loop.run_in_executor(None, goes_on.wait) for _ in range(99)]
            try:
                before = desk.beats
                await until_async(lambda: desk.beats > before + 2, "it beats on")
            finally:
                goes_on.set()
            await asyncio.gather(*held)
            recorder.stop()
            await running

        asyncio.run(story())
        assert_sound(site, "kam-1")


# Cameras that fail ----------------------------------------------------------------------------------------


def test_a_camera_that_refuses_the_password(recording: RecordingSite) -> None:
    async def serve() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    number = head.split(b"CSeq:")[1].split()[0]
                    challenge = b'WWW-Authenticate: Basic realm="cam"'
                    writer.write(b"RTSP/1.0 401 Unauthorized\r\nCSeq: %b\r\n%b\r\n\r\n" % (number, challenge))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        recording.add("kam-1", f"rtsp://admin:s3cr3t-w0rd@127.0.0.1:{port}/main")
        process = recording.start("--for", "5")

        def has_ended_and_showed_nothing() -> bool:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    assert b"s3cr3t-w0rd" not in entry.read_bytes()
            return process.poll() is not None

        await until_async(has_ended_and_showed_nothing, "the recorder has ended", every=0.1)
        assert process.wait() == 0
        server.close()

    asyncio.run(serve())
    with recording.site() as site:
        assert causes(site, "kam-1")[-1] == "auth_failed"
        assert_sound(site, "kam-1")
    everything = [path for path in recording.folder.rglob("*") if path.is_file()]
    assert [path for path in everything if b"s3cr3t-w0rd" in path.read_bytes()] == []


def test_a_server_that_freezes_and_one_that_dies(
    recording: RecordingSite, disposable_stack: Stack, tmp_path: Path
) -> None:
    disposable_stack.up(["mediamtx"])
    url = disposable_stack.env()["SAKSI_TEST_RTSP_URL"] + "/kam"
    record = disposable_stack._record(disposable_stack._part("mediamtx"))
    assert record is not None
    assert record.process is not None
    pid = record.process.pid
    sample = numbered.make_numbered("h264-closed", 60, tmp_path / "sample.mp4")
    recording.add("kam-1", url)
    with numbered.publish(sample, url), recording.site() as site:
        recording.start()
        until(lambda: segments_of(site, "kam-1"), "it records")
        run = segments_of(site, "kam-1")[-1].run
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: site.index.run(run), "the freeze is noticed")
        finally:
            os.kill(pid, signal.SIGCONT)
        frozen = site.index.run(run)
        assert frozen is not None
        assert frozen.reason is RunEnd.STALLED
    with numbered.publish(sample, url), recording.site() as site:
        until(lambda: segments_of(site, "kam-1")[-1].run != run, "it records again")
        run = segments_of(site, "kam-1")[-1].run
        disposable_stack.kill("mediamtx")
        until(lambda: site.index.run(run), "the loss is noticed")
        lost = site.index.run(run)
        assert lost is not None
        assert lost.reason is RunEnd.UNREACHABLE
        assert recording.stop() == 0
        found = causes(site, "kam-1")
        assert "stalled" in found
        assert found[-1] == "unreachable"
        assert_sound(site, "kam-1")


# Every frame once, in order -------------------------------------------------------------------------------


def every_frame_once(
    recording: RecordingSite, server: MediamtxServer, tmp_path: Path, variants: list[str], seconds: int
) -> None:
    """Record numbered cameras over RTSP; the stored frames are the sent frames, across all borders."""
    samples = {
        variant: numbered.make_numbered(variant, seconds + 40, tmp_path / f"{variant}.mp4")
        for variant in variants
    }
    publishers = []
    try:
        for variant, sample in samples.items():
            url = server.own_url(variant)
            publishers.append(numbered.publish(sample, url))
            publishers[-1].__enter__()
            recording.add(variant, url, segment_seconds=10 if seconds > 60 else 4)
        assert recording.start("--for", str(seconds)).wait(seconds + 60) == 0
    finally:
        for publisher in publishers:
            publisher.__exit__(None, None, None)
    with recording.site() as site:
        assert_sound(site, *variants)
        for variant, sample in samples.items():
            segments = segments_of(site, variant)
            assert len(segments) >= 4, recording.log()
            assert len({one.run for one in segments}) == 1, recording.log()
            leaves = [decode(site.stores.footage.head(one.key).metadata["leaf"].encode()) for one in segments]
            told = [
                leaf.camera_time - leaf.span.start
                for leaf in leaves
                if isinstance(leaf, Segment) and leaf.camera_time is not None
            ]
            assert len(told) >= len(segments) - 3, "the camera's own clock, from its RTCP reports"
            assert max(map(abs, told)) < 2 * SECOND
            stored = footage_of(site, variant, tmp_path / f"{variant}-stored")
            sent = numbered.nal_digests(sample)
            kept = [digest for path in stored for digest in numbered.nal_digests(path)]
            begin = next(at for at in range(len(sent)) if sent[at : at + 20] == kept[:20])
            assert kept == sent[begin : begin + len(kept)], f"{variant}: the elementary stream differs"
            joined = b"".join(
                path.read_bytes()[0 if not at else len(_header(site, segments[at]).init) :]
                for at, path in enumerate(stored)
            )
            # A run ends in decode order: after the end of coverage there are pictures with holes before them.
            # It begins with an open GOP's leading pictures, which cannot be decoded without the GOP before.
            header = _header(site, segments[0])
            leading = header.presentation_times[header.syncs[0]] - header.first_pts
            covered = (sum(one.media_duration for one in segments) - leading) * 15 // 90_000
            shown = numbered.numbers(numbered.read_numbers(joined))
            first = shown[0]
            assert first is not None
            whole = next((at for at, number in enumerate(shown) if number != first + at), len(shown))
            assert covered <= whole, f"{variant}: coverage claims a frame that is not there"
            assert len(shown) - whole <= 3, f"{variant}: frames are missing before the run's end"
            assert covered >= (seconds - 12) * 15


def _header(site: Site, segment: SegmentRef) -> SegmentHeader:
    return parse_header(site.stores.footage.read(segment.key, 0, segment.header_bytes))


def test_every_frame_once_and_in_order(
    recording: RecordingSite, mediamtx_server: MediamtxServer, tmp_path: Path
) -> None:
    every_frame_once(recording, mediamtx_server, tmp_path, ["h264-closed", "hevc-closed"], 25)


@pytest.mark.slow
def test_every_frame_once_and_in_order_for_three_minutes(
    recording: RecordingSite, mediamtx_server: MediamtxServer, tmp_path: Path
) -> None:
    every_frame_once(recording, mediamtx_server, tmp_path, list(numbered.VARIANTS), 180)
