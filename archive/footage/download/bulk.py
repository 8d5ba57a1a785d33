"""One time of many cameras as one ZIP: the exact clip of each, and what is missing of each.

A camera with nothing to show is named like the others. Footage that one clip cannot show, because the camera
reconnected in between, comes as several clips. ``docs/design/clips.md`` has the layout.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from archive import canonical
from archive.attended import step
from archive.canonical import JsonObject, sha256_hex
from archive.errors import Malformed
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import (
    SHORTEST,
    UNDECODABLE,
    Clip,
    NoFootage,
    NotJoinable,
    all_gaps,
    check_length,
    others_json,
)
from archive.footage.download.bulk_readme import CameraLines, readme
from archive.footage.download.checked import Checksums, ClipPart
from archive.footage.download.naming import DownloadName
from archive.footage.download.texts import steady_gaps, sums
from archive.footage.reader import GapSpan, Reading, part_of
from archive.model.camera import Camera
from archive.timespan import HOUR, SpanSet, Timespan
from archive.zips import Bytes, Part, PartRead, VirtualZip

LAYOUT = "saksi-clips/3"
"""Names the layout. Any change to the bytes of an answer must change it."""

MOST_FOOTAGE = 12 * HOUR
"""Of all cameras together: the plan of a ZIP takes about 2 MB of memory for an hour."""

_NAMED = 20


@dataclass(frozen=True, slots=True)
class CameraClips:
    """What the ZIP has of one camera, which is given as it was registered when the span began.

    ``clips`` are in order, each with its path in the folder. ``left_out`` is footage that no clip shows: less
    than 1 s between two connections.
    """

    camera: Camera
    clips: tuple[tuple[str, Clip], ...]
    gaps: tuple[GapSpan, ...]
    others: tuple[RunSpan, ...]
    left_out: tuple[Timespan, ...]


@dataclass(frozen=True, slots=True)
class Bulk:
    """The ZIP, and what it has of each camera. Safe to share between threads."""

    asked: Timespan
    cameras: tuple[CameraClips, ...]
    zip: VirtualZip

    @property
    def empty(self) -> tuple[str, ...]:
        """The cameras with nothing to show."""
        return tuple(one.camera.id for one in self.cameras if not one.clips)

    def describe(self) -> JsonObject:
        """What the ZIP has of each camera, as the command line prints it."""
        return {**_index(self.asked, self.cameras), "bytes": self.zip.size}

    def cameras_in(self, start: int, length: int) -> Iterator[str]:
        """The cameras of which these bytes of the ZIP show something."""
        parts = self.zip.parts_in(start, length)
        yield from dict.fromkeys(part.clip.camera for part in parts if isinstance(part, ClipPart))


def check_bulk(cameras: int, span: Timespan) -> None:
    """Refuse what is too much for one ZIP.

    Raises:
        Malformed: ``clip_too_short``, ``clip_too_long``; ``bulk_too_large``.
    """
    check_length(span)
    if cameras * span.duration > MOST_FOOTAGE:
        raise Malformed(
            f"{cameras} cameras of {span.duration / HOUR:.2f} h each are too much for one download",
            code="bulk_too_large",
            hint=f"Request at most {MOST_FOOTAGE // HOUR} h of all cameras together; divide the time.",
        )


def footage_bytes(readings: Sequence[Reading]) -> int:
    """The size of the segments in these readings. Raises NoFootage ``no_footage`` if there is none."""
    found = [ref.size for reading in readings for ref in reading.segments]
    if not found:
        gaps = [gap for reading in readings for gap in all_gaps(reading, ())]
        causes = ", ".join(sorted({gap.cause for gap in gaps}))
        raise NoFootage(
            f"none of the {len(readings)} cameras has footage in {readings[0].span}: {causes}",
            sorted(gaps, key=lambda gap: gap.span),
        )
    return sum(found)


def clips_of(
    reading: Reading,
    camera: Camera,
    plan: Callable[[Reading], Clip],
    name: Callable[[Timespan], DownloadName],
) -> CameraClips:
    """The clips of one camera; none if it has nothing to show.

    ``plan`` makes the exact clip of a reading, ``name`` the name of a download of a span.

    Raises:
        IntegrityError, Unavailable: as :func:`archive.footage.clip.exact.plan_clip`.
    """
    spans = deque([reading.span])
    clips: list[Clip] = []
    undecodable: list[Timespan] = []
    shown = SpanSet()
    while spans:
        span = spans.popleft()
        if span.duration < SHORTEST:
            continue
        part = reading if span == reading.span else part_of(reading, span)
        try:
            clip = plan(part)
        except NotJoinable as refusal:
            spans.extendleft(one for one in reversed(refusal.spans) if one.duration < span.duration)
            continue
        except NoFootage as refusal:
            undecodable += (gap.span for gap in refusal.gaps if gap.cause == UNDECODABLE)
            shown |= SpanSet((span,))
            continue
        clips.append(clip)
        undecodable += (gap.span for gap in clip.gaps if gap.cause == UNDECODABLE)
        shown |= SpanSet((span,))
    return CameraClips(
        camera,
        tuple((f"{name(clip.asked).ascii}.mp4", clip) for clip in clips),
        all_gaps(reading, undecodable),
        reading.others,
        tuple(reading.coverage - shown),
    )


def plan_bulk(
    asked: Timespan, cameras: Sequence[CameraClips], *, name: DownloadName, zone: tzinfo, known: Checksums
) -> Bulk:
    """Lay out the ZIP; clips are read only when they are sent.

    Raises:
        NoFootage: ``no_footage``: none of the cameras has anything to show; the message says why for each.
    """
    if not any(one.clips for one in cameras):
        raise NoFootage(
            f"none of the cameras has footage in {asked}: {_causes(cameras)}",
            sorted((gap for one in cameras for gap in one.gaps), key=lambda gap: gap.span),
        )
    texts = {
        "README.txt": readme(asked, [_lines(one) for one in cameras], zone),
        "index.json": canonical.encode(_index(asked, cameras)) + b"\n",
    }
    folder = f"{name.ascii}/"
    files = [Bytes(folder + path, data) for path, data in texts.items()]
    clips = [ClipPart(folder + path, clip, known) for one in cameras for path, clip in one.clips]
    hashes = [(sha256_hex(data), path) for path, data in texts.items()]
    parts: list[Part] = [*files, *clips, _HashList(folder, tuple(hashes), tuple(clips))]
    return Bulk(asked, tuple(cameras), VirtualZip(parts, layout=LAYOUT))


@dataclass(frozen=True, slots=True)
class _HashList:
    """``SHA256SUMS``, the last part: it needs every clip's hash, and its size is known without one."""

    folder: str
    texts: tuple[tuple[str, str], ...]
    clips: tuple[ClipPart, ...]

    @property
    def name(self) -> str:
        return f"{self.folder}SHA256SUMS"

    @property
    def size(self) -> int:
        return len(sums([*self.texts, *(("0" * 64, self._path(clip)) for clip in self.clips)]))

    @property
    def identity(self) -> str:
        return sha256_hex("\n".join(one.identity for one in self.clips).encode("ascii"))

    def begin(self) -> PartRead:
        found = []
        for clip in self.clips:
            step()
            found.append((clip.sums().sha256, self._path(clip)))
        return Bytes(self.name, sums([*self.texts, *found]))

    def footage_us(self, start: int, length: int) -> int:
        return 0

    def _path(self, clip: ClipPart) -> str:
        return clip.name.removeprefix(self.folder)


def _causes(cameras: Sequence[CameraClips]) -> str:
    said = [
        f"{one.camera.id} ({', '.join(sorted({gap.cause for gap in one.gaps})) or 'no frame'})"
        for one in cameras[:_NAMED]
    ]
    more = [f"and {len(cameras) - _NAMED} more"] if len(cameras) > _NAMED else []
    return ", ".join(said + more)


def _lines(one: CameraClips) -> CameraLines:
    return CameraLines(
        one.camera,
        [path for path, _ in one.clips],
        steady_gaps(one.gaps),
        one.left_out,
        [path for path, clip in one.clips if clip.sound],
    )


def _index(asked: Timespan, cameras: Sequence[CameraClips]) -> JsonObject:
    return {
        "v": 1,
        "container": "mp4",
        "asked": asked.to_json(),
        "cameras": [
            {
                "camera": one.camera.id,
                "name": one.camera.name,
                "kecamatan": one.camera.place.kecamatan,
                "clips": [clip_json(path, clip) for path, clip in one.clips],
                "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in steady_gaps(one.gaps)],
                "others": others_json(one.others),
                "left_out": [span.to_json() for span in one.left_out],
            }
            for one in cameras
        ],
    }


def clip_json(path: str, clip: Clip) -> JsonObject:
    """What ``index.json`` says about one clip."""
    return {
        "path": path,
        "asked": clip.asked.to_json(),
        "actual": clip.actual.to_json(),
        "frames": clip.frames,
        "hidden_frames": clip.hidden_frames,
        "hidden_preroll_us": clip.hidden_preroll_us,
        "hidden_tail_us": clip.hidden_tail_us,
        **({"sound": clip.sound, "hidden_sound_us": clip.hidden_sound_us} if clip.sound else {}),
        "bytes": clip.size,
    }
