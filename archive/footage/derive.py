"""Pictures derived from footage: labelled, at most cached, never the exhibit (design: principle 2).

A still is one keyframe. Only its bytes are read; they are wrapped into an MP4 of one sample in memory and
decoded by an FFmpeg process that has nothing else: no file, no network, no more time than it needs.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from archive.errors import NotFound, Unavailable
from archive.footage.clip.entries import track_shape
from archive.footage.clip.footage import FootageRange, read_header, stream_ranges
from archive.footage.clip.tables import ClipTables, Edit, clip_head
from archive.footage.clip.wall import WallLine
from archive.footage.confinement.running import Bounds, Ending, ProgramResult, run
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore

_MOST = 16 << 20  # bytes of a picture; a 4K picture at this quality has fewer than four million
_QUALITY = 4  # from 2 (best) to 31, FFmpeg's own scale for MJPEG


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG, and the instant (µs) of the keyframe it was made from."""

    jpeg: bytes
    instant: int


@dataclass(frozen=True, slots=True)
class StillMaker:
    """Makes stills with one FFmpeg program; ``timeout_s`` and ``memory`` (bytes) bound each.

    ``readable`` lists files and folders that the program needs besides itself and the system's libraries.
    """

    program: Path
    timeout_s: float = 10.0
    memory: int = 2 << 30
    readable: tuple[Path, ...] = ()

    def keyframe(self, ref: SegmentRef, footage: ObjectStore, instant: int, *, width: int) -> Still:
        """The last keyframe of a segment at or before ``instant``, else its first; at most ``width`` wide.

        Raises:
            NotFound: ``no_picture`` when FFmpeg makes no picture of the keyframe.
            IntegrityError: the segment is missing or contradicts the index.
            Unavailable: the store does not answer; ``ffmpeg_missing``, ``ffmpeg_timeout``,
                ``decoder_not_confined``.
        """
        header = read_header(ref, footage)
        pts = header.presentation_times
        line = WallLine.of(ref, min(pts))
        syncs = [index for index, sync in enumerate(header.samples.sync) if sync]
        if not syncs:
            raise _no_picture(ref, "it has no keyframe")
        past = [index for index in syncs if line.instant_of(pts[index]) <= instant]
        chosen = max(past, key=pts.__getitem__) if past else syncs[0]
        size = header.samples.sizes[chosen]
        wanted = FootageRange(ref, header.header_bytes + sum(header.samples.sizes[:chosen]), size)
        tables = ClipTables()
        entry = tables.entry_number(header.sample_entry, track_shape(header.init))
        tables.add(entry, array("I", (1,)), array("i", (0,)), array("I", (size,)))
        tables.sync.append(1)
        at = line.instant_of(pts[chosen])
        head, _ = clip_head(tables, [Edit(1, 0)], at)
        movie = b"".join((*head, *stream_ranges([wanted], footage, None)))
        return Still(self._decode(ref, movie, width), at)

    def _decode(self, ref: SegmentRef, movie: bytes, width: int) -> bytes:
        bounds = Bounds(seconds=self.timeout_s, memory=self.memory, output=_MOST)
        done = decoded(
            still_command(self.program, width), movie, bounds, readable=self.readable, of=f"of {ref.key}"
        )
        if done.ending is Ending.TOO_MUCH or done.status != 0 or not done.out.startswith(b"\xff\xd8"):
            raise _no_picture(ref, "FFmpeg cannot decode its keyframe")
        return done.out


def decoded(
    argv: Sequence[str], given: bytes, bounds: Bounds, *, readable: Sequence[Path], of: str
) -> ProgramResult:
    """What a confined FFmpeg made of ``given``; it may have failed. ``of`` ends "made no picture …".

    Raises:
        Unavailable: ``ffmpeg_missing``, ``ffmpeg_timeout``, ``decoder_not_confined``.
    """
    try:
        done = run(argv, given, bounds, readable=readable)
    except OSError as error:
        raise _no_program(error.strerror or "the system has no room for it") from error
    if done.ending is Ending.NOT_STARTED:
        raise _no_program(_last_line(done.err))
    if done.ending is Ending.NOT_CONFINED:
        raise Unavailable(
            f"FFmpeg cannot be confined here: {_last_line(done.err)}",
            code="decoder_not_confined",
            hint="It never decodes unconfined; saksi doctor says what this machine lacks.",
        )
    if done.ending is Ending.TOO_LONG:
        raise Unavailable(
            f"FFmpeg made no picture {of} in {bounds.seconds:g} s",
            code="ffmpeg_timeout",
            hint="The machine is overloaded; try again.",
        )
    return done


def still_command(program: Path, width: int) -> list[str]:
    """FFmpeg's arguments: one picture from an MP4 on standard input to a JPEG on standard output."""
    picture = ffmpeg.input("pipe:0", format="mp4", threads=1, protocol_whitelist="pipe").filter(
        "scale", f"min({width},iw)", -2
    )
    output = picture.output(
        "pipe:1", format="image2pipe", vcodec="mjpeg", vframes=1, pix_fmt="yuvj420p", **{"q:v": _QUALITY}
    )
    return _compiled(output, program)


def skim_command(
    program: Path, *, width: int, height: int, columns: int, rows: int, threads: int
) -> list[str]:
    """FFmpeg's arguments: from an MP4 of keyframes to raw pictures, each a thumbnail and a grid below it.

    A picture is YUV 4:2:0 of ``width`` × (``height`` + ``rows``). Its last ``rows`` begin with ``columns``
    cells of mean luma. The loop filter is left out: it costs a third and changes no mean that counts here.
    """
    source = ffmpeg.input(
        "pipe:0", format="mp4", threads=threads, skip_loop_filter="all", protocol_whitelist="pipe"
    )
    small = source.filter("scale", width, height, flags="area").filter("format", "yuv420p")
    parts = small.filter_multi_output("split")
    grid = parts[1].filter("scale", columns, rows, flags="area").filter("pad", width, rows, 0, 0)
    output = ffmpeg.filter([parts[0], grid], "vstack").output(
        "pipe:1", format="rawvideo", pix_fmt="yuv420p", fps_mode="passthrough"
    )
    return _compiled(output, program)


def sheet_command(program: Path, *, width: int, height: int, columns: int, rows: int) -> list[str]:
    """FFmpeg's arguments: from raw thumbnails to JPEGs with ``columns`` × ``rows`` of them, in order."""
    source = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="yuv420p", s=f"{width}x{height}", protocol_whitelist="pipe"
    )
    output = source.filter("tile", f"{columns}x{rows}").output(
        "pipe:1",
        format="image2pipe",
        vcodec="mjpeg",
        pix_fmt="yuvj420p",
        fps_mode="passthrough",
        **{"q:v": _QUALITY},
    )
    return _compiled(output, program)


def _compiled(output: Any, program: Path) -> list[str]:
    argv = output.compile(cmd=[str(program), "-hide_banner", "-loglevel", "error"])
    return [str(argument) for argument in argv]


def _no_picture(ref: SegmentRef, reason: str) -> NotFound:
    return NotFound(
        f"no picture can be made of {ref.key}: {reason}",
        code="no_picture",
        hint="The footage itself is untouched; request a clip, or another time.",
    )


def _no_program(reason: str) -> Unavailable:
    return Unavailable(
        f"FFmpeg could not be started: {reason}",
        code="ffmpeg_missing",
        hint="Install FFmpeg 5 or later, as a program and not a script: confined, it may start no other.",
    )


def _last_line(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
