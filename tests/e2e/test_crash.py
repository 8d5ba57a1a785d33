"""``kill -9`` anywhere: the recorder, its FFmpegs, and the servers it works with.

After the last start no acknowledged segment is missing, at most a second of the open segment is lost per
kill, every loss is a gap with a cause, nothing exists twice, no FFmpeg is left running, and I1, I2, I6 and I9
hold.
"""

import itertools
import math
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.errors import ArchiveError
from archive.model.gap import GapCause
from archive.timespan import SECOND
from ops.provision import provision
from ops.stack import Stack
from tests.support import numbered
from tests.support.recording_site import RecordingSite
from tests.support.servers import MediamtxServer
from tests.support.sound import assert_sound, reading_of, segments_of
from tests.support.waiting import until

LOST_AT_MOST = 1.0
TIMES_ARE_KNOWN_TO = 0.35
"""A run of a few seconds is dated by its last write; on a busy machine that is late by this much."""
RECONNECTED = 12.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds: what a kill may cost at most, and how soon after it the gap must have begun."""

    lost: float = LOST_AT_MOST + TIMES_ARE_KNOWN_TO
    reconnected: float = RECONNECTED


AT_LAST = Bounds(math.inf, math.inf)
"""Beside other tests: how late FFmpeg writes is then no matter of the recorder's."""


@dataclass
class Ordeal:
    """A recorder that is killed repeatedly, and what must be true at the end."""

    recording: RecordingSite
    cameras: list[str]
    dice: random.Random
    bounds: Bounds
    kills: list[tuple[int, int]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)

    def start(self) -> int:
        """Start the recorder and wait for every camera's FFmpeg; returns when all ran (µs)."""
        self.recording.start()

        def all_capture() -> bool:
            assert self.recording.process is not None
            assert self.recording.process.poll() is None, self.recording.log()
            return len(self.recording.captures()) >= len(self.cameras)

        until(all_capture, "an FFmpeg per camera", seconds=60)
        assert len(self.recording.captures()) <= len(self.cameras), "two FFmpegs for one camera"
        return time.time_ns() // 1000

    def kill(self, since: int) -> None:
        """Kill the recorder in one of three ways: only the worker, FFmpeg first, all at once."""
        process = self.recording.process
        assert process is not None
        captures = self.recording.captures()
        way = self.dice.choice(("worker", "captures first", "all"))
        now = time.time_ns() // 1000
        if way != "worker":
            for pid in captures:
                _kill(pid)
        if way == "captures first":
            time.sleep(self.dice.uniform(0, 0.3))  # real time: dies at any moment
        self.recording.kill()
        if way == "all":
            for pid in self.recording.captures():
                _kill(pid)
        self.kills.append((since, now))

    def note_acknowledged(self) -> None:
        """Note the segments that the index shows now; they must exist at the end."""
        with self.recording.site() as site:
            try:
                for camera in self.cameras:
                    self.acknowledged |= {one.key for one in segments_of(site, camera)}
            except ArchiveError:
                return  # The index is down; the test asks it again later.

    def until_recorded_since(self, start: int) -> None:
        """Wait until each camera has more than two seconds of footage after that instant."""
        with self.recording.site() as site:
            for camera in self.cameras:
                until(
                    lambda camera=camera: any(  # type: ignore[misc]
                        one.span.end > start + 2 * SECOND for one in segments_of(site, camera)
                    ),
                    f"{camera} is recorded again",
                    seconds=60,
                    every=0.2,
                )

    def judge(self) -> None:
        with self.recording.site() as site:
            assert_sound(site, *self.cameras)
            there = {one.key for camera in self.cameras for one in segments_of(site, camera)}
            assert self.acknowledged <= there, "an acknowledged segment is missing"
            for camera in self.cameras:
                known = reading_of(site, camera)
                segments = segments_of(site, camera)
                for before, after in itertools.pairwise(segments):
                    assert before.span.end <= after.span.start, "two segments claim one moment"
                assert {gap.cause for gap in known.gaps} <= set(GapCause)
                for since, at in self.kills:
                    before_kill = [one for one in segments if since < one.span.end <= at + SECOND]
                    if not before_kill:
                        continue  # FFmpeg was killed before the first fragment was complete.
                    covered = max(one.span.end for one in before_kill)
                    assert at - covered <= self.bounds.lost * SECOND, (
                        f"{camera} lost {(at - covered) / SECOND:.2f} s at {at}"
                    )
                    assert any(
                        covered <= gap.span.start < at + self.bounds.reconnected * SECOND
                        for gap in known.gaps
                    )


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_all(recording: RecordingSite) -> None:
    if recording.process is not None and recording.process.poll() is None:
        recording.kill()
    for pid in recording.captures():
        _kill(pid)


def run(ordeal: Ordeal, kills: int, between: Callable[[int], None] = lambda number: None) -> None:
    for number in range(kills):
        between(number)
        since = ordeal.start()
        time.sleep(ordeal.dice.uniform(0.5, 7))  # real time: dies at any moment
        ordeal.note_acknowledged()
        ordeal.kill(since)
    between(kills)
    ordeal.until_recorded_since(ordeal.start())
    assert ordeal.recording.stop(120) == 0, ordeal.recording.log()
    assert ordeal.recording.captures() == []
    ordeal.judge()


def assert_numbers_only_grow(recording: RecordingSite, camera: str, folder: Path) -> None:
    """No frame exists twice, over all kills."""
    folder.mkdir()
    shown: list[int] = []
    with recording.site() as site:
        for segment in segments_of(site, camera):
            path = folder / f"{segment.run}-{segment.seq}.mp4"
            path.write_bytes(site.stores.footage.get(segment.key))
            shown += [
                number for number in numbered.numbers(numbered.read_numbers(path)) if number is not None
            ]
    assert shown == sorted(set(shown))
    assert shown


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    site = RecordingSite(tmp_path)
    yield site
    _kill_all(site)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Numbered frames for longer than three kills take."""
    return numbered.make_numbered("h264-nob", 300, tmp_path / "sample.mp4")


def test_three_kills(
    recording: RecordingSite, mediamtx_server: MediamtxServer, sample: Path, tmp_path: Path
) -> None:
    url = mediamtx_server.own_url("kam-1")
    with numbered.publish(sample, url):
        recording.add("kam-1", url)
        recording.add("kam-2", "test://?size=160x120&fps=10&gop=10")
        run(Ordeal(recording, ["kam-1", "kam-2"], random.Random(7), AT_LAST), 3)  # noqa: S311
    assert_numbers_only_grow(recording, "kam-1", tmp_path / "stored")


@pytest.mark.slow
def test_twenty_kills_with_the_real_servers_dying_too(
    disposable_stack: Stack,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disposable_stack.up()
    servers = disposable_stack.env()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, servers[name])
    provision(
        servers["SAKSI_TEST_MINIO_URL"], servers["AWS_ACCESS_KEY_ID"], servers["AWS_SECRET_ACCESS_KEY"],
        "ordeal", footage_floor_days=1, records_lock_days=1,
    )  # fmt: skip
    archive = f"s3://ordeal?endpoint={servers['SAKSI_TEST_MINIO_URL']}&region=us-east-1"
    recording = RecordingSite(
        tmp_path,
        {
            "SAKSI_ARCHIVE_URL": archive,
            "SAKSI_INDEX_URL": servers["SAKSI_TEST_ELASTIC_URL"],
        },
    )
    request.addfinalizer(lambda: _kill_all(recording))
    dice = random.Random(20)  # noqa: S311
    down: list[str] = []

    def between(number: int) -> None:
        """Kill servers before every fourth start and restart them two starts later; all run at the end."""
        if down and (number % 4 == 2 or number == 20):
            disposable_stack.start(down.pop())
        if number % 4 == 0 and 0 < number < 20:
            down.append(("minio", "elasticsearch")[number // 4 % 2])
            disposable_stack.kill(down[-1])

    with ExitStack() as publishers:
        for camera, variant in (("kam-1", "h264-nob"), ("kam-2", "hevc-closed"), ("kam-3", "h264-closed")):
            sample = numbered.make_numbered(variant, 900, tmp_path / f"{camera}.mp4")
            url = f"{servers['SAKSI_TEST_RTSP_URL']}/{camera}"
            publishers.enter_context(numbered.publish(sample, url))
            recording.add(camera, url)
        recording.add("kam-4", "test://?size=160x120&fps=10&gop=10")
        cameras = ["kam-1", "kam-2", "kam-3", "kam-4"]
        run(Ordeal(recording, cameras, dice, Bounds()), 20, between)
    assert_numbers_only_grow(recording, "kam-1", tmp_path / "stored")
