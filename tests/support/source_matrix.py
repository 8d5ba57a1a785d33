"""Records kinds of source side by side, and compares what the archive says with what the cameras did."""

import itertools
import json
import math
import random
import statistics
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive.footage.clip.exact import NoFootage, earlier_segments, plan_clip
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import parse_header
from archive.footage.reader import Reading, read
from archive.model.leaf import decode
from archive.model.segment import Segment
from archive.timespan import SECOND, Timespan
from ops.wiring import Site
from recorder.timing import UNRELIABLE
from tests.support import numbered
from tests.support.recording_site import RecordingSite
from tests.support.scripted_camera import ScriptedCamera, scripted_camera
from tests.support.source_kinds import KINDS
from tests.support.waiting import PATIENCE_S, until

_CLIP = (SECOND, 6 * SECOND)


@dataclass(slots=True)
class Dated:
    """A frame of the archive: its number, the wall time that it is given, and the stated uncertainty."""

    number: int | None
    instant: int
    uncertainty: int


@dataclass(slots=True)
class Outcome:
    """What became of one source. ``runs`` has the decodable frames of each run, in presentation order.

    ``truth`` has when each frame was taken, and ``shown`` the frames that one connection can show.
    """

    name: str
    truth: Mapping[int, int]
    shown: Sequence[int]
    leaves: list[Segment]
    runs: dict[str, list[Dated]] = field(default_factory=dict)
    clips: int = 0
    wrong_clips: list[str] = field(default_factory=list)

    @property
    def frames(self) -> list[Dated]:
        """All frames."""
        return [frame for frames in self.runs.values() for frame in frames]

    @property
    def errors(self) -> list[tuple[int, int]]:
        """(error, stated uncertainty) in µs of each frame whose number could be read."""
        return [
            (frame.instant - self.truth[frame.number], frame.uncertainty)
            for frame in self.frames
            if frame.number is not None and frame.number in self.truth
        ]

    @property
    def within(self) -> float:
        """The share of frames whose error is within the stated uncertainty."""
        found = self.errors
        return sum(abs(error) <= stated for error, stated in found) / len(found)

    @property
    def median(self) -> float:
        """The median error in milliseconds."""
        return statistics.median(abs(error) for error, _ in self.errors) / 1000

    @property
    def p99(self) -> float:
        """The error in milliseconds that 99 % of the frames do not exceed."""
        errors = sorted(abs(error) for error, _ in self.errors)
        return errors[max(0, math.ceil(0.99 * len(errors)) - 1)] / 1000

    @property
    def holes(self) -> list[tuple[int | None, int | None]]:
        """Pairs of frames that follow each other in a run and whose numbers do not."""
        return [
            (one.number, after.number)
            for frames in self.runs.values()
            for one, after in itertools.pairwise(frames)
            if one.number is None or after.number != one.number + 1
        ]

    @property
    def overlaps(self) -> list[tuple[Timespan, Timespan]]:
        """Pairs of segments that claim the same instant."""
        spans = sorted(leaf.span for leaf in self.leaves)
        return [(one, after) for one, after in itertools.pairwise(spans) if after.start < one.end]

    def row(self) -> str:
        """A line of the report's table."""
        errors = [abs(error) for error, _ in self.errors]
        stated = sorted(uncertainty for _, uncertainty in self.errors)
        exact = self.clips - len(self.wrong_clips)
        return (
            f"| {self.name} | {len(self.leaves)} | {len(self.runs)} | {len(errors)} | {len(self.holes)} | "
            f"{self.median:.0f} | {self.p99:.0f} | {max(errors) / 1000:.0f} | "
            f"{stated[len(stated) // 2] / 1000:.0f} | "
            f"{100 * self.within:.1f} % | {exact} of {self.clips} |"
        )


NO_KEYFRAME = "30"
"""Seconds, as a recorder has it: at one picture a second FFmpeg needs about eight before its first file."""


@contextmanager
def recorded(
    folder: Path, names: Sequence[str], *, seconds: int, segment_seconds: int
) -> Iterator[tuple[Site, list[Outcome]]]:
    """Record the kinds until their scripts are over; yields the site and what it says about each."""
    with ExitStack() as stack:
        cameras: dict[str, ScriptedCamera] = {}
        for name in names:
            made = KINDS[name].make(folder, seconds)
            cameras[name] = stack.enter_context(scripted_camera(made))
        site = RecordingSite(folder / "site")
        site.folder.mkdir()
        for name, camera in cameras.items():
            site.add(_id(name), camera.url, segment_seconds=segment_seconds)
        process = site.start("--no-keyframe", NO_KEYFRAME)
        stack.callback(_end, process)
        for name, camera in cameras.items():
            until(camera.finished.is_set, f"{name} has sent everything")
        assert site.stop(PATIENCE_S) == 0, site.log()
        opened = stack.enter_context(site.site())
        yield opened, [_outcome(opened, name, camera) for name, camera in cameras.items()]


def check_clips(site: Site, outcome: Outcome, count: int, *, seed: int = 1) -> None:
    """Cut clips at random and compare each one's frames with the frames that the archive dates into it.

    Where timestamps went back in a stream with B-frames, nobody knows which picture comes first: no clip is
    cut from that segment.
    """
    chance = random.Random(seed)  # noqa: S311 - chooses tests
    unordered = set()
    if not KINDS[outcome.name].is_ordered:
        unordered = {leaf.run for leaf in outcome.leaves if UNRELIABLE in leaf.clock.flags}
    spans = [
        Timespan(frames[0].instant, frames[-1].instant)
        for run, frames in outcome.runs.items()
        if run not in unordered
    ]
    spans = [span for span in spans if span.duration > _CLIP[0]]
    for _ in range(count):
        run = chance.choice(spans)
        length = min(run.duration, chance.randint(*_CLIP))
        start = chance.randint(run.start, run.end - length)
        first = Timespan(start, start + length)
        outcome.clips += 1
        found = _clip_numbers(site, outcome, first)
        wanted = _numbers_in(outcome, first)
        if found != wanted:
            outcome.wrong_clips.append(f"{outcome.name} {first}: {json.dumps([found, wanted])}")


def _numbers_in(outcome: Outcome, span: Timespan) -> list[int | None]:
    return [frame.number for frame in outcome.frames if span.start <= frame.instant < span.end]


def _clip_numbers(site: Site, outcome: Outcome, span: Timespan) -> list[int | None]:
    reading = reading_of(site, outcome.name, span)
    try:
        clip = plan_clip(reading, site.stores.footage, earlier=earlier_segments(reading, site.index))
    except NoFootage:
        return []
    return numbered.numbers(numbered.read_numbers(b"".join(clip.stream())))


def reading_of(site: Site, name: str, span: Timespan) -> Reading:
    """What the archive answers about a source and a span."""
    camera = site.registry.camera(_id(name))
    return read(site.index, camera.id, span, registered_at=camera.registered_at, now=site.clock.now())


def _outcome(site: Site, name: str, camera: ScriptedCamera) -> Outcome:
    now = site.clock.now()
    span = Timespan(now - 3600 * SECOND, now)
    refs = list(site.index.segments(_id(name), span))
    outcome = Outcome(name, dict(camera.truth), camera.script.shown, [])
    streams: dict[str, list[bytes]] = {}
    lines: dict[str, list[tuple[int, WallLine, int]]] = {}
    for ref in refs:
        leaf = decode(site.stores.footage.head(ref.key).metadata["leaf"].encode())
        assert isinstance(leaf, Segment)
        outcome.leaves.append(leaf)
        data = site.stores.footage.get(ref.key)
        header = parse_header(data)
        known = streams.setdefault(ref.run, [header.init])
        known.append(data[len(header.init) :])
        line = WallLine.of(ref, header.first_pts)
        lines.setdefault(ref.run, []).append((header.first_pts, line, leaf.clock.uncertainty_us))
    for run, parts in streams.items():
        starts = [start for start, _, _ in lines[run]]
        for frame in numbered.read_numbers(b"".join(parts)):
            ticks = round(frame.pts * numbered.TICKS)
            _, line, uncertainty = lines[run][max(0, bisect_right(starts, ticks) - 1)]
            if ticks < line.first_pts + line.ticks:
                dated = Dated(frame.number, line.instant_of(ticks), uncertainty)
                outcome.runs.setdefault(run, []).append(dated)
    return outcome


def _id(name: str) -> str:
    return name.replace(".", "-")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
