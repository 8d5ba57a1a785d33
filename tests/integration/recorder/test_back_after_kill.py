"""``kill -9`` of a recorder: how long its cameras go unrecorded, by the cameras' own clocks.

systemd starts it again as its unit says. Where the time is measured the machine is busy: each processor has
something else to do all the time.
"""

import configparser
import itertools
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import pytest

from archive.model.segment import SegmentRef
from archive.timespan import SECOND
from ops.wiring import Site
from tests.support import numbered
from tests.support.in_time import in_time
from tests.support.recording_site import RecordingSite
from tests.support.scripted_camera import Script, ScriptedCamera, scripted_camera
from tests.support.scripts import material, script, stamped, steady
from tests.support.sound import assert_sound, causes, segments_of
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "ops/deploy/systemd/saksi-recorder@.service"
CAMERAS = 6
FPS = 15
GOP = 30
BOUND = 10 * SECOND + GOP * SECOND // FPS
SCRIPT_SECONDS = 240


@contextmanager
def busy() -> Iterator[None]:
    """Keep every processor busy until the block ends."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def pause_of(unit: Path) -> float:
    """Seconds that systemd waits before it starts the unit's program again."""
    text = configparser.ConfigParser(strict=False, interpolation=None)
    text.read_string(unit.read_text("utf-8"))
    assert text["Service"]["Restart"] == "always"
    return float(text["Service"]["RestartSec"])


def record(recording: RecordingSite) -> "subprocess.Popen[bytes]":
    """``saksi record``, as the unit starts it."""
    with (recording.folder / "recorder.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ops", "record"],
            env=recording.variables, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip


def since(site: Site, camera: str, instant: int) -> list[SegmentRef]:
    """The camera's segments that begin at or after an instant."""
    return [ref for ref in segments_of(site, camera) if ref.span.start >= instant]


def frames(site: Site, refs: Iterable[SegmentRef]) -> list[int]:
    """The numbers of all frames of these segments, as stored."""
    shown = [frame for ref in refs for frame in numbered.read_numbers(site.stores.footage.get(ref.key))]
    found = [frame.number for frame in shown if frame.number is not None]
    assert len(found) == len(shown)
    return found


@pytest.fixture
def made(tmp_path: Path) -> Script:
    found = material("h264-nob", SCRIPT_SECONDS, FPS, tmp_path, gop=GOP)
    return script(found, captured=steady(FPS), stamp=stamped(steady(FPS)))


@in_time("beside, within", busy, BOUND, otherwise=(nullcontext, math.inf))
def test_all_cameras_are_back_within_ten_seconds_and_a_group_of_pictures(
    tmp_path: Path, made: Script, beside: Callable[[], AbstractContextManager[None]], within: float
) -> None:
    recording = RecordingSite(tmp_path / "site")
    recording.folder.mkdir()
    with ExitStack() as stack:
        cameras: dict[str, ScriptedCamera] = {}
        for number in range(CAMERAS):
            camera = cameras[f"kam-{number}"] = stack.enter_context(scripted_camera(made))
            recording.add(f"kam-{number}", camera.url)
        process = recording.process = record(recording)
        stack.callback(lambda: recording.process and recording.process.kill())
        site = stack.enter_context(recording.site())
        for camera_id in cameras:
            until(lambda camera_id=camera_id: since(site, camera_id, 0), f"{camera_id} is recorded")
        stack.enter_context(beside())
        process.kill()
        killed = time.time_ns() // 1000
        process.wait()
        time.sleep(pause_of(UNIT))  # real time: systemd waits as long
        recording.process = record(recording)
        for camera_id in cameras:
            until(lambda camera_id=camera_id: since(site, camera_id, killed), f"{camera_id} is back")
        assert recording.stop() == 0
        for camera_id, camera in cameras.items():
            later = frames(site, since(site, camera_id, killed))
            back = camera.truth[later[0]]
            assert 0 < back - killed <= within, f"{camera_id} was back after {(back - killed) / SECOND:.1f} s"
            stored = frames(site, segments_of(site, camera_id))
            assert stored == sorted(set(stored)), f"{camera_id}: no frame twice"
            holes = [one for one in itertools.pairwise(stored) if one[1] != one[0] + 1]
            assert [after for _, after in holes] == later[:1], f"{camera_id}: none lost but by the kill"
            assert "recorder_restart" in causes(site, camera_id)
        assert_sound(site, *cameras)
