"""A site with a hole in a camera's recording, and the camera that kept what is missing."""

import asyncio
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from archive.clock import ManualClock
from archive.footage.mp4.header import parse_header
from archive.model.custody import Actor
from archive.timespan import DAY, HOUR, SECOND, Timespan
from ops.backfilling import BackfillWish, backfill
from ops.importing import ImportWish, import_files
from ops.settings import Settings
from ops.wiring import Site
from recorder.backfill.outcomes import Answer
from tests.support import numbered
from tests.support.camera_memory import Card, card_reader, kept_piece
from tests.support.onvif_camera import OnvifCamera, onvif_camera
from tests.support.recording_site import form

T0 = 1_795_500_000 * SECOND
START = T0 + HOUR
BEFORE, HOLE, AFTER = 10, 20, 10
"""Seconds of footage, of the hole and of footage again; all begin at a keyframe."""
EVER = Timespan(T0, T0 + 30 * DAY)
SPAN = Timespan(START, START + (BEFORE + HOLE + AFTER) * SECOND)
MISSING = Timespan(START + BEFORE * SECOND, START + (BEFORE + HOLE) * SECOND)
FPS = 15
ACTOR = Actor(id="os:tester")


@dataclass
class Bench:
    """The site, its camera, and the camera's card."""

    folder: Path
    clock: ManualClock
    camera: OnvifCamera
    card: Card
    whole: Path
    settings: Mapping[str, str]

    def site(self) -> Site:
        """The site, to be closed by the caller."""
        return Site(
            Settings.load(
                {
                    "SAKSI_HOME": str(self.folder / "site"),
                    "SAKSI_CAMERA_NETWORKS": "127.0.0.1/32",
                    **self.settings,
                }
            ),
            self.clock,
        )

    def ask(self, span: Timespan = SPAN, **given: Any) -> list[Answer]:
        """Ask the camera for the holes in a span."""
        with self.site() as site:
            return ask(site, span, **given)


def ask(site: Site, span: Timespan = SPAN, **given: Any) -> list[Answer]:
    """Ask the camera of this site for the holes in a span."""

    async def every() -> list[Answer]:
        wish = BackfillWish(camera=site.registry.camera("kam-1"), span=span, rate=50 << 20)
        wish = replace(
            wish, **{name: given.pop(name) for name in ("recording", "rate", "device") if name in given}
        )
        return [one async for one in backfill(site, structlog.get_logger("test"), wish, **given)]

    return asyncio.run(every())


@contextmanager
def bench(
    folder: Path,
    *,
    variant: str = "h264-closed",
    ahead: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Bench]:
    """A camera whose footage is in the archive up to the hole and after it, and whole on its card.

    ``ahead`` is how many seconds its clock is ahead of ours.
    """
    # Half a second past a whole one: devices tell whole seconds, and half of one is added.
    clock = ManualClock(T0)
    (folder / "site").mkdir()
    codec = variant.partition("-")[0]
    whole = numbered.make_numbered(variant, BEFORE + HOLE + AFTER, folder / "whole.mp4")
    card = Card([kept_piece(whole, START + round(ahead * SECOND), codec)])
    with (
        card_reader(card),
        onvif_camera(memory=card, ahead=ahead, clock=lambda: clock.now() / SECOND) as camera,
    ):
        made = Bench(folder, clock, camera, card, whole, settings or {})
        with made.site() as site:
            wish = form("kam-1", "rtsp://admin:rahasia-1@127.0.0.1:9/main")
            site.registry.add(replace(wish, onvif=camera.address), actor="os:tester")
            clock.advance(DAY + SECOND // 2)
            for at, seconds in ((0, BEFORE), (BEFORE + HOLE, AFTER)):
                path = part_of(whole, at, seconds, folder / f"live-{at}.mp4")
                recorded(site, path, START + at * SECOND)
        yield made


def part_of(whole: Path, at: int, seconds: int, path: Path) -> Path:
    """A part of the camera's footage as it was recorded: it begins at a keyframe, and nothing is encoded."""
    subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-y", "-nostdin", "-loglevel", "error", "-ss", str(at), "-i", str(whole),
         "-c", "copy", "-frames:v", str(seconds * FPS), str(path)],
        check=True, timeout=60,
    )  # fmt: skip
    return path


def frames_of(source: Path, *options: str) -> list[str]:
    """The MD5 of each decoded picture, in order (FFmpeg's ``framemd5``)."""
    told = subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(source), "-map", "0:v",
         *options, "-f", "framemd5", "pipe:1"],
        capture_output=True, check=True, timeout=120, text=True,
    ).stdout  # fmt: skip
    return [line.split(",")[-1].strip() for line in told.splitlines() if line and line[0] != "#"]


def run_file(site: Site, runs: Sequence[str], folder: Path) -> Path:
    """The segments of these runs, joined, as one file."""
    content = [
        site.stores.footage.get(one.key) for one in site.index.segments("kam-1", EVER) if one.run in runs
    ]
    joined = folder / "joined.mp4"
    joined.write_bytes(
        b"".join(one[0 if not at else len(parse_header(one).init) :] for at, one in enumerate(content))
    )
    return joined


def recorded(site: Site, path: Path, start: int) -> None:
    """Put footage of a file into the archive; the gap before it has the cause ``recorder_restart``."""
    wish = ImportWish(
        camera="kam-1", paths=(path,), start=start, uncertainty=SECOND // 20, actor=ACTOR, reason="uji"
    )
    list(import_files(site, structlog.get_logger("test"), wish, progress=lambda name, done, of: None))
