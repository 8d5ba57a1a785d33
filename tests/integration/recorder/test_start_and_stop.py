"""A recorder goes on, starts and stops, whatever hangs or is full."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.model.gap import RunEnd
from ops.wiring import Site
from recorder.placement.desk import Everything
from recorder.placement.membership import BEAT
from recorder.quarantine import survey
from recorder.recorder import Recorder
from tests.support.numbered import DEFAULT_FFMPEG
from tests.support.recording_site import TIMES, RecordingSite, parts_of
from tests.support.small_disk import SmallDisk, small_disk_at
from tests.support.sound import assert_sound, causes, segments_of
from tests.support.waiting import until, until_async

PATTERN = "test://?size=160x120&fps=10&gop=10"


class Told:
    """A log that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **facts: object) -> None:
        self.lines.append((event, facts))

    warning = error = info

    def of(self, event: str) -> list[dict[str, object]]:
        """What was said of this event."""
        return [facts for said, facts in self.lines if said == event]


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    site = RecordingSite(tmp_path, {"SAKSI_CAMERA_FOLDERS": str(tmp_path)})
    yield site
    assert site.captures() == [], "an FFmpeg outlived its recorder"


def strange_film(path: Path) -> Path:
    """Pictures that FFmpeg writes and nobody records: MPEG-4 part 2."""
    options = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-t", "2", "-c:v", "mpeg4", str(path))
    subprocess.run([DEFAULT_FFMPEG, "-loglevel", "error", *options], check=True)
    return path


def test_a_camera_that_sends_what_nobody_records_fills_its_share_of_the_quarantine_only(
    recording: RecordingSite,
) -> None:
    recording.add("kam-1", PATTERN)
    recording.add("kam-2", strange_film(recording.folder / "strange.mp4").as_uri())
    told = Told()
    with recording.site() as site:
        parts = replace(parts_of(site, replace(TIMES, spool_quota=20_000_000)), log=told)
        recorder = Recorder(parts)

        def is_full() -> bool:
            return recorder.state().get("quarantine_dropped", 0) >= 2

        asyncio.run(recorded_until(recorder, site, is_full))
        slips = survey(parts.spool_dir / "quarantine")
        assert set(slips.cameras) == {"kam-2"}
        assert slips.cameras["kam-2"][1] <= 100_000
        assert slips.dropped["kam-2"].files == len(told.of("file_dropped")) >= 2
        assert {line["camera"] for line in told.of("file_dropped")} == {"kam-2"}
        (beat,) = site.index.heartbeats()
        assert beat.state["quarantine_dropped"] == slips.dropped["kam-2"].files
        assert segments_of(site, "kam-1")
        assert_sound(site, "kam-1", "kam-2")


@pytest.fixture
def small_disk(recording: RecordingSite) -> Iterator[SmallDisk]:
    with small_disk_at(recording.folder / "spool") as disk:
        yield disk


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_start_on_a_full_disk_waits_for_room_and_loses_nothing(
    recording: RecordingSite, small_disk: SmallDisk
) -> None:
    """The recorder was killed in the middle of segments, and the disk is full when it comes back."""
    for camera in ("kam-1", "kam-2"):
        recording.add(camera, "test://?size=640x360&fps=15&gop=15")
    recording.start()
    with recording.site() as site:
        raws = small_disk.folder / "cameras"
        until(lambda: segments_of(site, "kam-1") and segments_of(site, "kam-2"), "both are recorded")
        until(lambda: len(list(raws.rglob("*.raw.mp4"))) >= 2, "both have a segment that is not finished")
        recording.kill()
        until(lambda: not recording.captures(), "its FFmpegs ended with it")
        recording.process = None
        before = {camera: len(segments_of(site, camera)) for camera in ("kam-1", "kam-2")}
        small_disk.fill()
        told = Told()
        recorder = Recorder(replace(parts_of(site, replace(TIMES, spool_reserve=0)), log=told))

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: running.done() or recorder.state().get("spool_full") == 1, "it is full")
            assert not running.done()
            small_disk.junk.unlink()
            await until_async(
                lambda: (
                    running.done()
                    or all(len(segments_of(site, one)) > count + 2 for one, count in before.items())
                ),
                "both are recorded again",
            )
            recorder.stop()
            await running

        asyncio.run(story())
        assert told.of("session_waits")
        for camera in before:
            reasons = [site.index.run(one.run) for one in segments_of(site, camera)]
            assert reasons[0] is not None
            assert reasons[0].reason is RunEnd.RECORDER_RESTART, "its last segments are there too"
            assert set(causes(site, camera)) <= {"connecting", "recorder_restart", "spool_full"}
            assert "recorder_restart" in causes(site, camera)
        assert_sound(site, "kam-1", "kam-2")
        assert [path for path in raws.rglob("*") if path.is_file()] == []


class Hanging(Everything):
    """A desk of one of many recorders; its servers take no farewell, and no other answers of theirs come."""

    glance = BEAT  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.goes_on, self.is_asked = threading.Event(), threading.Event()

    def leave(self) -> None:
        self.is_asked.set()
        self.goes_on.wait()


def test_servers_that_hang_keep_no_recorder_from_its_orderly_end(recording: RecordingSite) -> None:
    """Neither those of whom it takes leave, nor those that hold the threads which others share."""
    recording.add("kam-1", PATTERN)
    told = Told()
    with recording.site() as site:
        desk = Hanging()
        recorder = Recorder(replace(parts_of(site), desk=lambda _spool: desk, log=told))

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: segments_of(site, "kam-1"), "it records")
            loop = asyncio.get_running_loop()
            held = [loop.run_in_executor(None, desk.goes_on.wait) for _ in range(99)]
            try:
                recorder.stop()
                await until_async(running.done, "it ended")
                assert desk.is_asked.is_set()
            finally:
                desk.goes_on.set()
            await asyncio.gather(*held)
            await running

        asyncio.run(story())
        assert told.of("place_not_left")
        assert told.of("gaps_wait") == []
        assert recorder.state()["stopped"] == 1, "all is archived"
        assert_sound(site, "kam-1")


async def recorded_until(recorder: Recorder, site: Site, is_there: Callable[[], bool]) -> None:
    """Record until kam-1 has footage and a state is there."""
    running = asyncio.create_task(recorder.run())
    await until_async(
        lambda: running.done() or (is_there() and bool(segments_of(site, "kam-1"))), "it came so far"
    )
    recorder.stop()
    await running
