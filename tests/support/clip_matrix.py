"""Clips of every kind of stream over the real routes, compared with what the camera sent.

A camera of the matrix (:mod:`tests.support.clip_kinds`) records three runs: the stream; after a gap, the
stream from its second segment on; at once after that, the stream again, or another. FFmpeg reads number and
time of each picture out of the stream, before it is recorded. What a clip must show follows from that, and
from the definition: a picture is shown if ``from ≤ wall time < to``.
"""

import random
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import m3u8

from archive.footage.mp4.finalise import Finalised
from archive.model.gap import Gap, GapCause
from archive.model.segment import SegmentRef
from archive.ports import IndexEntry
from archive.timespan import MINUTE, SECOND, SpanSet, Timespan, format_instant, from_datetime, parse_instant
from tests.support.api_site import PLACE, T0, Site, archive_run, camera_form
from tests.support.clip_kinds import ClipKind, Recorded
from tests.support.numbered import finalised_run, read_numbers, record
from tests.support.people import catch_up
from tests.support.presenting import Cinema
from tests.support.programs import required
from tests.support.recordings import Frame, frames_of, shown_in

GAP = 17 * SECOND + 333_331
BEFORE = 2 * SECOND
"""How far before the first picture ranges may begin."""
LONGEST = 9 * SECOND
ROUNDING_US = 30
"""A wall time differs from the stream's time by roundings: to ticks of 1/90000 s, and of segments' edges; and
in each segment by a tick of its last picture's duration."""

GUESSED_US = 70_000
"""A file that FFmpeg closed does not say how long its last picture lasts. At a variable rate it is guessed
here, once for each segment; the recorder knows it (``make soak-sources``)."""

Get = Callable[[str, dict[str, str]], httpx.Response]
"""Answers a GET of a path with these parameters."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its span and pictures, how many of the first cannot be shown, and whether a clip may go on
    from an earlier run to it."""

    span: Timespan
    frames: Sequence[Frame]
    leading: int
    joins: bool

    @property
    def shown(self) -> Sequence[Frame]:
        """The pictures that a clip may show."""
        return self.frames[self.leading :]


@dataclass(slots=True)
class Camera:
    """A recorded camera, and what was found out about its clips."""

    recorded: Recorded
    runs: Sequence[Run]
    segments: Sequence[SegmentRef]
    clips: int = 0
    pictures: int = 0
    refused: int = 0
    empty: int = 0
    pairs: int = 0
    presented: int = 0
    seen: int = 0
    stopped: int = 0
    pieces: int = 0
    played: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.recorded.name

    @property
    def span(self) -> Timespan:
        """From the first picture to the end of the last."""
        return Timespan(self.runs[0].span.start, self.runs[-1].span.end)

    def expected(self, span: Timespan) -> list[int]:
        """The numbers that a clip of the span must show."""
        return [number for run in self.runs for number in shown_in(run.shown, span)]

    def joins(self, span: Timespan) -> bool:
        """Whether one clip can show all of the span."""
        shown = [run for run in self.runs if shown_in(run.shown, span)]
        return all(run.joins for run in shown[1:])

    def undecodable(self, span: Timespan) -> bool:
        """Whether pictures of the span cannot be shown."""
        return any(shown_in(run.frames[: run.leading], span) for run in self.runs)

    def row(self) -> str:
        """A line of the report's table."""
        return (
            f"| {self.id} | {len(self.segments)} | {sum(len(run.frames) for run in self.runs)} | "
            f"{self.clips} | {self.pictures} | {self.refused} | {self.empty} | {self.pairs} | "
            f"{self.presented} | {self.seen} | {self.stopped} | {self.pieces} | {self.played} | "
            f"{len(self.wrong)} |"
        )


HEAD = (
    "| camera | segments | pictures | clips | pictures in them | refused | without a picture | pairs | "
    "presented by Chromium | pictures presented | Chromium stopped | pieces of playlists | "
    "pictures in them | wrong |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """A recorded stream: its segments, number and time (s) of each picture in order of presentation, and how
    many pictures lead the keyframe with which the second segment begins."""

    made: list[tuple[Path, Finalised]]
    pictures: list[tuple[int, Fraction]]
    leading: int


class Studio:
    """Makes the streams and records them; each stream once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Stream] = {}

    def recorded(self, kind: ClipKind) -> Stream:
        """The stream of a kind."""
        if kind.name not in self._known:
            source = kind.make(self._folder)
            files = record(source, self._folder / kind.name, segment_seconds=kind.segment_seconds)
            made = finalised_run(files, self._folder / f"{kind.name}-finalised")
            assert len(made) >= 3, f"{kind.name} has {len(made)} segments"
            pictures = []
            for shown in read_numbers(source):
                assert shown.number is not None, f"{kind.name}: no number at {shown.pts}"
                pictures.append((shown.number, shown.pts))
            leading = _leading(files[1])
            assert (leading > 0) == (kind.is_open or kind.has_radl), (
                f"{kind.name}: {leading} leading pictures"
            )
            self._known[kind.name] = Stream(made, sorted(pictures, key=lambda one: one[1]), leading)
        return self._known[kind.name]


def _leading(file: Path) -> int:
    """How many pictures after a file's first, in decode order, are shown before it, as FFmpeg reads it."""
    probe = subprocess.run(
        [
            required("ffprobe"), "-v", "error", "-ignore_editlist", "1", "-select_streams", "v",
            "-show_entries", "packet=pts", "-of", "csv=p=0", str(file),
        ],
        capture_output=True, check=True,
    )  # fmt: skip
    first, *others = (int(line.rstrip(",")) for line in probe.stdout.decode().split())
    return sum(pts < first for pts in others)


def lay_down(site: Site, recorded: Recorded, studio: Studio) -> Camera:
    """Record a camera into the site's archive and index."""
    here = site.clock.now()
    site.clock.step(T0 - MINUTE - here)
    site.services.registry.add(camera_form(recorded.name), actor="os:test")
    site.clock.step(here - site.clock.now())
    runs: list[Run] = []
    segments: list[SegmentRef] = []
    start = T0
    for number, kind in enumerate((recorded.first, recorded.first, recorded.then)):
        stream = studio.recorded(kind)
        late = number == 1
        part = stream.made[1:] if late else stream.made
        run = _id(recorded.name, f"run {number}")
        refs = archive_run(site.services, part, run=run, start=start, camera=recorded.name)
        span = Timespan(refs[0].span.start, refs[-1].span.end)
        headers = [one.header for _, one in part]
        ours = stream.pictures[-sum(len(header.samples) for header in headers) :]
        frames = [
            Frame(frame.wall, one) for frame, (one, _) in zip(frames_of(refs, headers), ours, strict=True)
        ]
        most = len(part) * (GUESSED_US if kind.is_uneven else ROUNDING_US)
        for frame, (_, at) in zip(frames, ours, strict=True):
            assert abs(frame.wall - start - (at - ours[0][1]) * SECOND) <= most, (recorded.name, at)
        joins = not (late and kind.is_open) and kind.codec == recorded.first.codec
        runs.append(Run(span, frames, stream.leading if late else 0, joins))
        segments += refs
        start = span.end
        if number == 0:
            start += GAP
            _explain(site, recorded.name, Timespan(span.end, start))
    return Camera(recorded, runs, segments)


def _explain(site: Site, camera: str, span: Timespan) -> None:
    leaf = Gap(
        camera=camera,
        recorder="rec-1",
        gap=_id(camera, "gap"),
        span=span,
        cause=GapCause.UNREACHABLE,
        ingested_at=span.end,
    )
    site.services.index.add([IndexEntry(leaf=leaf, place=PLACE)])


def _id(camera: str, what: str) -> str:
    """An id that no other camera's run or gap has."""
    return sha256(f"{camera} {what}".encode()).hexdigest()[:16]


def laid_down(site: Site, cameras: Sequence[Recorded], folder: Path) -> list[Camera]:
    """Record these cameras into the site."""
    studio = Studio(folder)
    found = [lay_down(site, one, studio) for one in cameras]
    catch_up(site)
    return found


def ranges(camera: Camera, count: int, *, seed: str) -> list[Timespan]:
    """Random ranges in turn: anywhere; 1 s long; edges on pictures; over edges of segments and of runs; the
    first pictures of a run; from within the gap; over the end."""
    chance = random.Random(f"{camera.id} {seed}")  # noqa: S311 - chooses tests
    walls = [int(frame.wall) for run in camera.runs for frame in run.frames]
    edges = [ref.span.start for ref in camera.segments[1:]]
    whole = camera.span

    def length() -> int:
        return chance.randrange(SECOND, LONGEST)

    def anywhere() -> Timespan:
        start = chance.randrange(whole.start - BEFORE, whole.end - SECOND)
        return Timespan(start, start + length())

    def shortest() -> Timespan:
        start = chance.randrange(whole.start, whole.end - SECOND)
        return Timespan(start, start + SECOND)

    def on_pictures() -> Timespan:
        start = chance.choice(walls) + chance.choice((-1, 0, 1))
        end = min((wall for wall in walls if wall >= start + length()), default=start + LONGEST)
        return Timespan(start, end + chance.choice((-1, 0, 1)))

    def over_an_edge() -> Timespan:
        start = chance.choice(edges) - chance.randrange(LONGEST // 2)
        return Timespan(start, start + length())

    def first_pictures() -> Timespan:
        run = chance.choice(camera.runs)
        start = run.span.start + chance.choice((-250_001, 0, 0, 1, 70_001, 200_003))
        return Timespan(start, start + length())

    def over_a_run() -> Timespan:
        before, after = chance.choice(list(pairwise(camera.runs)))
        start = before.span.end - chance.randrange(1, 3 * SECOND)
        return Timespan(start, after.span.start + chance.randrange(1, 3 * SECOND))

    def from_the_gap() -> Timespan:
        resumed = camera.runs[1].span.start
        return Timespan(resumed - chance.randrange(1, GAP), resumed + chance.randrange(1, LONGEST) + SECOND)

    def over_the_end() -> Timespan:
        start = whole.end - chance.randrange(SECOND // 2, LONGEST)
        return Timespan(start, whole.end + chance.randrange(SECOND // 2, 3 * SECOND))

    makers = [
        anywhere, shortest, on_pictures, over_an_edge, first_pictures, over_a_run, from_the_gap, over_the_end
    ]  # fmt: skip
    chance.shuffle(makers)  # so that few ranges of each camera are of every sort over all cameras
    found = []
    while len(found) < count:
        made = makers[len(found) % len(makers)]()
        if made.duration >= SECOND:
            found.append(made)
    return found


def asked(span: Timespan) -> dict[str, str]:
    """The parameters of a span."""
    return {"from": format_instant(span.start), "to": format_instant(span.end)}


def check_clip(camera: Camera, span: Timespan, get: Get) -> Sequence[int | None]:
    """Fetch a clip and compare its pictures, or its refusal, with what must come; its pictures' numbers."""
    answer = get(f"/v1/cameras/{camera.id}/clip.mp4", asked(span))
    wanted = camera.expected(span)
    camera.clips += 1
    if answer.status_code == 409:
        _check_refusal(camera, span, answer.json(), wanted, get)
        return []
    if answer.status_code != 200:
        camera.wrong.append(f"{span}: {answer.status_code} {answer.text[:300]}")
        return []
    found = [shown.number for shown in read_numbers(answer.content)]
    camera.pictures += len(found)
    if found != wanted or not camera.joins(span):
        camera.wrong.append(f"{span}: shows {found}, not {wanted}")
    if answer.headers["saksi-frames"] != str(len(found)):
        camera.wrong.append(f"{span}: states {answer.headers['saksi-frames']} pictures, not {len(found)}")
    _check_gaps(camera, span, answer.headers.get("saksi-gaps", ""))
    return found


def _check_gaps(camera: Camera, span: Timespan, stated: str) -> None:
    """What is not recorded is stated, and what cannot be shown, and nothing else."""
    gaps = [
        (cause, Timespan(parse_instant(start), parse_instant(end)))
        for cause, start, end in re.findall(r'(\w+);from="([^"]+)";to="([^"]+)"', stated)
    ]
    missing = SpanSet(one for cause, one in gaps if cause != "undecodable")
    hidden = any(cause == "undecodable" for cause, _ in gaps)
    recorded = SpanSet(run.span for run in camera.runs).within(span)
    if missing != recorded.gaps_within(span) or hidden != camera.undecodable(span):
        camera.wrong.append(f"{span}: gaps are {stated!r}")


def _check_refusal(
    camera: Camera, span: Timespan, problem: dict[str, Any], wanted: Sequence[int], get: Get
) -> None:
    if problem["code"] == "no_footage":
        camera.empty += 1
        if wanted:
            camera.wrong.append(f"{span}: no footage, and not {wanted}")
        return
    camera.refused += 1
    if problem["code"] != "clip_not_joinable" or camera.joins(span):
        camera.wrong.append(f"{span}: {problem}")
        return
    edges = [span.start]
    for run in camera.runs[1:]:
        if not run.joins and span.start < run.span.start < span.end:
            edges.append(run.span.start)
    parts = [Timespan(start, end) for start, end in pairwise([*edges, span.end]) if end - start >= SECOND]
    named = re.findall(r"\[(\S+Z), (\S+Z)\)", problem["hint"])
    if {Timespan(parse_instant(start), parse_instant(end)) for start, end in named} != set(parts):
        camera.wrong.append(f"{span}: the parts are {parts}, not as in {problem['hint']!r}")
    for part in parts:
        check_clip(camera, part, get)


def check_pair(camera: Camera, span: Timespan, get: Get, *, seed: str) -> None:
    """Fetch two clips that meet somewhere inside the span: together they show what the whole shows."""
    chance = random.Random(f"{span} {seed}")  # noqa: S311 - chooses tests
    if span.duration < 2 * SECOND + 2:
        return
    middle = chance.randrange(span.start + SECOND, span.end - SECOND)
    parts = [Timespan(span.start, middle), Timespan(middle, span.end)]
    if not all(camera.joins(one) for one in (span, *parts)):
        return
    camera.pairs += 1
    shown: list[int | None] = []
    for part in parts:
        shown += check_clip(camera, part, get)
    if shown != camera.expected(span):
        camera.wrong.append(f"{span} in two at {middle}: {shown}, not {camera.expected(span)}")


def check_playlists(camera: Camera, get: Get) -> None:
    """Play all of a camera as an independent parser reads its playlists; strict: it refuses what RFC 8216
    forbids. Pieces leave out leading pictures, and say how many."""
    base, span = f"/v1/cameras/{camera.id}/", asked(camera.span)
    master = m3u8.M3U8(get(f"{base}master.m3u8", span).text, strict=True)
    (stream,), (scrubbing,) = master.playlists, master.iframe_playlists
    sign = "avc1." if camera.recorded.first.codec == "h264" else "hvc1."
    if not any(one.startswith(sign) for one in stream.stream_info.codecs.split(",")):
        camera.wrong.append(f"the master playlist says {stream.stream_info.codecs}")
    keyframes = m3u8.M3U8(get(base + scrubbing.uri, {}).text, strict=True)
    playlist = m3u8.M3U8(get(base + stream.uri, {}).text, strict=True)
    starts = [format_instant(ref.span.start)[:-4] for ref in camera.segments]
    listed = [format_instant(from_datetime(one.program_date_time))[:-4] for one in playlist.segments]
    if listed != starts or not keyframes.is_i_frames_only or len(keyframes.segments) < len(starts):
        camera.wrong.append(f"a playlist lists {listed}, not {starts}")
    if any(round(one.duration) > playlist.target_duration for one in playlist.segments):
        camera.wrong.append("a piece is longer than the playlist says")
    streams: list[bytes] = []
    skipped: list[int] = []
    for one in playlist.segments:
        if one.discontinuity or not streams:
            streams.append(get(base + one.init_section.uri, {}).content)
            skipped.append(0)
        answer = get(base + one.uri, {})
        camera.pieces += 1
        streams[-1] += answer.content
        skipped[-1] += int(answer.headers.get("saksi-skipped-frames", "0"))
    for run, data, left_out in zip(camera.runs, streams, skipped, strict=True):
        shown = [one.number for one in read_numbers(data)]
        camera.played += len(shown)
        known = set(shown)
        every = [frame.number for frame in run.frames]
        if shown != [one for one in every if one in known] or len(shown) + left_out != len(every):
            camera.wrong.append(f"pieces show {shown} and skip {left_out} of {every}")


def check_presented(camera: Camera, span: Timespan, get: Get, cinema: Cinema, *, places: int) -> None:
    """Let Chromium present a clip: the first picture without a seek, pictures at random, and the last."""
    answer = get(f"/v1/cameras/{camera.id}/clip.mp4", asked(span))
    if answer.status_code != 200:
        return
    shown = read_numbers(answer.content)
    chance = random.Random(f"{camera.id} {span}")  # noqa: S311 - chooses tests
    chosen = chance.sample(range(1, len(shown)), min(places, len(shown) - 1))
    if len(shown) - 1 not in chosen and len(shown) > 1:
        chosen.append(len(shown) - 1)
    ends = [one.pts for one in shown[1:]] + [shown[-1].pts + Fraction(1, 100)]
    times = [
        float((shown[place].pts + min(ends[place], shown[place].pts + Fraction(1, 10))) / 2)
        for place in chosen
    ]
    found = cinema.show(answer.content, times)
    kinds = (camera.recorded.first, camera.recorded.then)
    if any(kind.is_open for kind in kinds) and "PIPELINE_ERROR_DECODE" in (found["error"] or ""):
        # Its decoder refuses some streams that begin amid open GOPs; FFmpeg has shown every picture of them.
        camera.stopped += 1
        return
    wanted = [shown[place].number for place in (0, *chosen)]
    camera.presented += 1
    camera.seen += len(wanted)
    if found["error"] is not None or found["numbers"] != wanted or found["presented"] != len(wanted):
        camera.wrong.append(f"{span} in Chromium: {found}, not {wanted} at {times}")
