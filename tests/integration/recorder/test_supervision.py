"""Cameras that freeze, end their stream, change or send damaged packets; stores that hang while we stop."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Unavailable
from archive.model.gap import RunEnd
from archive.ports import Stores
from recorder.recorder import Recorder
from tests.support import numbered
from tests.support.in_time import in_time
from tests.support.recording_site import TIMES, RecordingSite, parts_of
from tests.support.scripted_camera import scripted_camera
from tests.support.scripts import material, script, stamped, steady
from tests.support.sound import assert_sound, segments_of
from tests.support.waiting import until, until_async

ROOT = Path(__file__).parents[3]
FOUND_WITHIN = 10
TS = 188


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    one = RecordingSite(tmp_path / "site")
    one.folder.mkdir()
    yield one
    if one.process is not None and one.process.poll() is None:
        one.kill()


@in_time("within", FOUND_WITHIN)
def test_a_frozen_stream_is_found_within_ten_seconds(
    recording: RecordingSite, tmp_path: Path, within: float
) -> None:
    """With the times of ``saksi record``. The camera keeps the connection and answers new ones."""
    made = script(material("h264-nob", 4, 15, tmp_path), captured=steady(15), stamp=stamped(steady(15)))
    with scripted_camera(made) as camera:
        recording.add("kam-1", camera.url)
        with (recording.folder / "recorder.log").open("ab") as log:
            process = recording.process = subprocess.Popen(
                [sys.executable, "-m", "ops", "record"],
                env=recording.variables, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: camera.left, "the recorder has given up the frozen connection")
        assert camera.started is not None
        last = camera.started + made.sendings[-1].at
        assert camera.left[0] - last <= within
        with recording.site() as site:
            until(lambda: segments_of(site, "kam-1"), "what came before is archived")
            run = segments_of(site, "kam-1")[-1].run
            until(lambda: site.index.run(run), "the run has ended")
            ended = site.index.run(run)
            assert ended is not None
            assert ended.reason is RunEnd.STALLED
            assert recording.stop() == 0
            assert_sound(site, "kam-1")
        assert process.returncode == 0


def test_an_ffmpeg_that_ends_with_0_has_failed_and_is_begun_again(
    recording: RecordingSite, tmp_path: Path
) -> None:
    made = script(
        material("h264-nob", 3, 15, tmp_path), captured=steady(15), stamp=stamped(steady(15)), then="close"
    )
    with scripted_camera(made) as camera, recording.site() as site:
        recording.add("kam-1", camera.url)
        recording.start()
        until(lambda: segments_of(site, "kam-1"), "it is recorded")
        until(lambda: camera.played > 1, "it is tried again")
        run = segments_of(site, "kam-1")[0].run
        until(lambda: site.index.run(run), "the run has ended")
        ended = site.index.run(run)
        assert ended is not None
        assert ended.reason is RunEnd.STREAM_ERROR
        assert recording.stop() == 0
        assert_sound(site, "kam-1")


def damaged_stream(folder: Path) -> bytes:
    """Ten seconds of MPEG-TS in which some packets of the pictures are missing."""
    sample = numbered.make_numbered("h264-nob", 10, folder / "sample.mp4")
    whole = subprocess.run(
        [numbered.READING_FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(sample), "-c", "copy",
         "-f", "mpegts", "pipe:1"],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    packets = [whole[at : at + TS] for at in range(0, len(whole), TS)]
    return b"".join(one for number, one in enumerate(packets) if number % 300 not in (200, 201))


def test_damaged_packets_are_counted(recording: RecordingSite, tmp_path: Path) -> None:
    stream = damaged_stream(tmp_path)

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            self.wfile.write(stream)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server, recording.site() as site:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        recording.add("kam-1", f"http://127.0.0.1:{server.server_address[1]}/kam.ts")
        recording.start()

        def counted() -> int:
            beats = site.bare_index.heartbeats()
            cameras = [one.state.get("cameras", {}).get("kam-1", {}) for one in beats]
            return max((int(one.get("damaged") or 0) for one in cameras), default=0)

        until(counted, "the recorder says that packets came damaged")
        recording.stop()
        server.shutdown()
    assert "corrupt" not in recording.log(), "warnings are counted and not kept"


class Hanging:
    """A store that takes everything until it hangs; then no call returns."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.hangs = threading.Event()
        self.waiting = 0
        self.released = threading.Event()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if self.hangs.is_set():
                self.waiting += 1
                self.released.wait()
            return real(*arguments, **named)

        return call if callable(real) else real


def test_a_store_that_hangs_does_not_hold_up_a_stop(recording: RecordingSite) -> None:
    recording.add("kam-1", "test://?size=64x48&fps=15&gop=15")
    with recording.site() as site:
        footage = Hanging(site.stores.footage)
        parts = replace(
            parts_of(site, replace(TIMES, stop_seconds=2)),
            stores=Stores(footage, site.stores.records, site.stores.cache),  # type: ignore[arg-type]
        )

        async def stopped() -> None:
            recorder = Recorder(parts)
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: bool(segments_of(site, "kam-1")), "it records", every=0.1)
            footage.hangs.set()
            await until_async(lambda: footage.waiting > 0, "the store hangs", every=0.1)
            recorder.stop()
            with pytest.raises(Unavailable) as caught:
                await running
            assert caught.value.code == "spool_not_drained"
            assert not footage.released.is_set()
            footage.released.set()

        asyncio.run(stopped())
    assert recording.start("--for", "2").wait(60) == 0
    with recording.site() as site:
        assert_sound(site, "kam-1")


def test_threads_that_hang_do_not_keep_the_process() -> None:
    program = (
        "import threading; from ops.recording import _leave_soon; "
        "threading.Thread(target=threading.Event().wait).start(); _leave_soon()"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 3


def test_asking_many_dead_cameras_costs_no_process(recording: RecordingSite) -> None:
    """A camera whose port is closed is asked, and FFmpeg is started for it once at most."""
    recording.add("kam-1", "rtsp://127.0.0.1:9/main")
    recording.start()
    with recording.site() as site:

        def failed() -> int:
            beats = site.bare_index.heartbeats()
            cameras = [one.state.get("cameras", {}).get("kam-1", {}) for one in beats]
            return max((int(one.get("failures") or 0) for one in cameras), default=0)

        until(lambda: failed() >= 3, "three turns have failed")
        attempts = [one.state["cameras"]["kam-1"]["attempts"] for one in site.bare_index.heartbeats()]
        assert attempts == [1]
        assert recording.stop() == 0
