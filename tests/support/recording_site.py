"""A whole recorder in its own process, for tests that kill it.

``python -m tests.support.recording_site [--for SECONDS] [--batch SECONDS]`` records the cameras of the site
that the ``SAKSI_…`` environment describes, until SIGTERM.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from archive.errors import ArchiveError
from archive.footage.cameras import CameraForm
from archive.model.camera import Camera, from_state, to_state
from ops import keys
from ops.recording import placement_desk, trial_desk
from ops.settings import Settings
from ops.wiring import Site
from recorder.binary import find_ffmpeg
from recorder.recorder import Recorder, RecorderParts
from recorder.settings import RecorderSettings
from tests.support import preloaded
from tests.support.waiting import PATIENCE_S

TIMES = RecorderSettings(
    batch_seconds=5,
    group_seconds=0.3,
    registry_seconds=1,
    heartbeat_seconds=2,
    input_timeout=2,
    stall_seconds=8,
    no_keyframe_seconds=8,
    first_retry=0.3,
    longest_retry=2,
    spool_reserve=1 << 20,
    drain_seconds=30,
    stop_seconds=30,
    retention_floor_days=1,
    journal_lock_days=1,
)
"""Short times, so that tests need not wait."""


def form(camera: str, source: str, *, segment_seconds: int = 2) -> CameraForm:
    """A registration; everything except the source is invented."""
    return CameraForm(
        id=camera,
        source=source,
        name=f"Kamera {camera}",
        lat="-5.1477",
        lon="119.4327",
        kecamatan="73.71.13",
        kelurahan="73.71.13.1001",
        owner="public",
        view="public",
        segment_seconds=str(segment_seconds),
    )


def parts_of(site: Site, settings: RecorderSettings = TIMES) -> RecorderParts:
    """A recorder's parts from a site."""
    return RecorderParts(
        recorder=site.settings.recorder,
        spool_dir=site.settings.spool_dir,
        key=keys.load_or_make_recorder_key(site.settings.keys_dir, site.settings.recorder),
        stores=site.stores,
        ledger=site.ledger,
        index=site.index,
        sources=site.registry,
        binary=find_ffmpeg(),
        clock=site.clock,
        settings=settings,
        rule=site.source_rule,
        log=structlog.get_logger("recorder"),
        # A busy test machine is no camera's fault: a test of its answer waits longer than a person would.
        trials=trial_desk(
            site, find_ffmpeg(), structlog.get_logger("recorder"), patience=PATIENCE_S / 4, longest=PATIENCE_S
        ),
        desk=placement_desk(site, structlog.get_logger("recorder")),
    )


@dataclass(slots=True)
class RecordingSite:
    """An embedded (or, by ``environment``, a real) site in a folder, and its recorder's process."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | preloaded.Forked | None" = None

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment of the site's processes."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")},
            "SAKSI_HOME": str(self.folder),
            "SAKSI_RECORDER": "rec-test",
            "SAKSI_CAMERA_NETWORKS": "127.0.0.0/8",
            **self.environment,
        }

    def site(self) -> Site:
        """The site, for inspection and for registering cameras."""
        return Site(Settings.load(self.variables))

    def add(self, camera: str, source: str, *, segment_seconds: int = 2) -> Camera:
        """Register a camera."""
        with self.site() as site:
            wanted = form(camera, source, segment_seconds=segment_seconds)
            return site.registry.add(wanted, actor="os:tester")

    def allow_sound(self, camera: str, *, audio: bool = True) -> None:
        """Let a camera record sound, or not any more."""
        with self.site() as site:
            head = site.ledger.head("camera", camera)
            state = to_state(replace(from_state(head.state), audio=audio))
            site.ledger.append(
                "camera",
                camera,
                state,
                expected=head.version,
                actor="os:tester",
                action="camera.edited",
                reason="a test",
            )

    def start(self, *options: str) -> preloaded.Forked:
        """Start the recorder."""
        self.process = started = preloaded.start(
            "tests.support.recording_site", options, self.variables,
            cwd=Path(__file__).parents[2], log=self.folder / "recorder.log",
        )  # fmt: skip
        return started

    def stop(self, timeout: float = 60) -> int:
        """Stop the recorder in order; returns its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout)

    def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def captures(self) -> list[int]:
        """The pids of every FFmpeg that writes into this site's spool, under any parent."""
        mark = os.fsencode(self.folder / "spool")
        found = []
        for entry in Path("/proc").iterdir():
            try:
                argv = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if mark in argv and b"leash.py" not in argv:
                found.append(int(entry.name))
        return found

    def log(self) -> str:
        """The recorder's log."""
        return (self.folder / "recorder.log").read_text("utf-8")


async def _record(duration: float | None, settings: RecorderSettings) -> None:
    with Site(Settings.load()) as site:
        recorder = Recorder(parts_of(site, settings))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, recorder.stop)
        await recorder.run(duration)


def main() -> int:
    """Record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--for", dest="duration", type=float, default=None)
    parser.add_argument("--no-keyframe", type=float, default=TIMES.no_keyframe_seconds)
    options = parser.parse_args()
    try:
        asyncio.run(_record(options.duration, replace(TIMES, no_keyframe_seconds=options.no_keyframe)))
    except ArchiveError as error:
        sys.stderr.write(f"{error.code}: {error.message} {error.hint}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
