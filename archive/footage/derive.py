"""Pictures derived from footage: labelled, at most cached, never the exhibit (design: principle 2).

A still is one keyframe. Only its bytes are read; they are wrapped into an MP4 of one sample in memory and
decoded by an FFmpeg process that has nothing else: no file, no network, no more time than it needs. An exact
frame needs the frames that it refers to, back to a keyframe: the samples of an exact clip of one frame.
Viewing copies (:mod:`archive.footage.viewing_copy`) are made in the same way. The commands of all are here.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive.errors import NotFound, Unavailable
from archive.footage.clip.cut import cut
from archive.footage.clip.entries import track_shape
from archive.footage.clip.footage import FootageRange, read_header, stream_ranges
from archive.footage.clip.tables import ClipTables, Edit, clip_head
from archive.footage.clip.wall import WallLine
from archive.footage.confinement.running import Bounds, Ending, ProgramResult, run
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore
from archive.timespan import Timespan

_QUALITY = 4  # from 2 (best) to 31, FFmpeg's own scale for MJPEG

_COPY_GOP, _COPY_CRF, _COPY_RATE = 50, 27, "1500k"


class Form(StrEnum):
    """What a frame is encoded as: ``png`` loses nothing of the decoded picture."""

    JPEG = "jpeg"
    PNG = "png"


_BEGINS = {Form.JPEG: b"\xff\xd8", Form.PNG: b"\x89PNG"}
_MOST = {Form.JPEG: 16 << 20, Form.PNG: 48 << 20}
"""Bytes of a picture. A noisy one of 4K has 9 MB at this quality, and 25 MB without loss."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, and the instant (µs) from which it is shown."""

    content: bytes
    form: Form
    instant: int


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
        return Still(self._decode(ref, movie, still_command(self.program, width), Form.JPEG), at)

    def exact(
        self, refs: Sequence[SegmentRef], footage: ObjectStore, instant: int, *, width: int, form: Form
    ) -> Frame:
        """The frame that is on screen at ``instant``, at most ``width`` wide.

        ``refs`` ends with the segment that covers the instant. The one before it in the same run may come
        first: with an open GOP the first frames of a segment refer to it.

        Raises:
            NotFound: ``no_picture``: FFmpeg makes no picture of the frame, or a frame that it needs was never
                recorded. Another frame is never given instead.
            IntegrityError, Unavailable: as :meth:`keyframe`.
        """
        found = [(ref, replace(read_header(ref, footage), sound=None)) for ref in refs]
        ref, header = found[-1]
        pts = header.presentation_times
        line = WallLine.of(ref, min(pts))
        shown = max((one for one in pts if line.instant_of(one) <= instant), default=line.first_pts)
        at = line.instant_of(shown)
        made = cut(Timespan(at, at + 1), found)
        if made.shown_from != at:
            raise _no_picture(ref, "the frame refers to one that was never recorded")
        media_time = made.edits[0].media_time
        head, _ = clip_head(made.tables, made.edits, at)
        ranges = [FootageRange(one.ref, one.original_offset, one.length) for one in made.pieces]
        movie = b"".join((*head, *stream_ranges(ranges, footage, None)))
        command = frame_command(self.program, width, media_time, form)
        return Frame(self._decode(ref, movie, command, form), form, at)

    def _decode(self, ref: SegmentRef, movie: bytes, command: Sequence[str], form: Form) -> bytes:
        bounds = Bounds(seconds=self.timeout_s, memory=self.memory, output=_MOST[form])
        done = decode(ref, command, movie, bounds, self.readable)
        if done is None or not done.startswith(_BEGINS[form]):
            raise _no_picture(ref, "FFmpeg cannot decode it")
        return done


def decode(
    ref: SegmentRef, command: Sequence[str], movie: bytes, bounds: Bounds, readable: Sequence[Path]
) -> bytes | None:
    """What a confined FFmpeg writes about ``movie``; None if it fails or writes more than the bounds allow.

    Raises:
        Unavailable: ``ffmpeg_missing``, ``ffmpeg_timeout``, ``decoder_not_confined``.
    """
    done = decoded(command, movie, bounds, readable=readable, of=f"of {ref.key}")
    return None if done.ending is Ending.TOO_MUCH or done.status != 0 else done.out


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


def _ffmpeg() -> Any:
    """ffmpeg-python, imported when a command is made: its import takes longer than most answers."""
    import ffmpeg

    return ffmpeg


def still_command(program: Path, width: int) -> list[str]:
    """FFmpeg's arguments: one picture from an MP4 on standard input to a JPEG on standard output."""
    ffmpeg = _ffmpeg()
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
    ffmpeg = _ffmpeg()
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
    ffmpeg = _ffmpeg()
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
    # A thread of the filters for each processor would cost more than it gains at these sizes.
    argv = output.compile(
        cmd=[str(program), "-hide_banner", "-loglevel", "error", "-filter_complex_threads", "1"]
    )
    return [str(argument) for argument in argv]


def viewing_copy_command(program: Path, width: int) -> list[str]:
    """FFmpeg's arguments: an MP4 on standard input to H.264 in MPEG-TS on standard output.

    Times stay as they are, frame by frame (``copyts``, ``mpegts_copyts``, ``fps_mode passthrough``), in units
    of 1/90,000 s. Without B-frames the pictures come out in the order in which they are shown.
    """
    ffmpeg = _ffmpeg()
    picture = ffmpeg.input("pipe:0", format="mp4", threads=1, protocol_whitelist="pipe").filter(
        "scale", f"min({width},iw)", -2
    )
    output = picture.output(
        "pipe:1", format="mpegts", vcodec="libx264", preset="ultrafast", tune="zerolatency", threads=1,
        pix_fmt="yuv420p", g=_COPY_GOP, crf=_COPY_CRF, maxrate=_COPY_RATE, bufsize=_COPY_RATE,
        fps_mode="passthrough", enc_time_base="1:90000", mpegts_copyts=1, muxdelay=0, muxpreload=0,
    ).global_args("-copyts")  # fmt: skip
    argv = output.compile(cmd=[str(program), "-hide_banner", "-loglevel", "error"])
    return [str(argument) for argument in argv]


def frame_command(program: Path, width: int, media_time: int, form: Form) -> list[str]:
    """FFmpeg's arguments: the one frame at a media time (ticks) of an MP4 on standard input, or nothing."""
    ffmpeg = _ffmpeg()
    source = ffmpeg.input(
        "pipe:0", format="mp4", threads=1, protocol_whitelist="pipe", ignore_editlist=1
    ).filter("select", f"eq(pts,{media_time})")
    picture = source.filter("scale", f"min({width},iw)", -2)
    kinds: dict[Form, dict[str, str | int]] = {
        Form.JPEG: {"vcodec": "mjpeg", "pix_fmt": "yuvj420p", "q:v": 2},
        Form.PNG: {"vcodec": "png", "pix_fmt": "rgb24"},
    }
    output = picture.output("pipe:1", format="image2pipe", vframes=1, fps_mode="passthrough", **kinds[form])
    argv = output.compile(cmd=[str(program), "-hide_banner", "-loglevel", "error", "-copyts"])
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
