"""The FFmpeg command of one capture (design: capture; ``docs/design/time-and-segments.md``).

Built with ffmpeg-python's ``compile()``; nothing else of that library is used. A camera's URL may hold a
password, and every user of the machine can read a program's arguments. So FFmpeg's concat reader gets the
URL on standard input, as a list of one entry. It passes packets on unchanged: the elementary stream and the
producer times are the same as without it (measured with FFmpeg 5.1 and 9.0).

Timestamps stay as the camera sent them. Each file's decode times stand on one timeline for the whole
connection (``frag_discont``, no edit list, nothing shifted): the distance between two files is known, also
where the frame rate varies. FFmpeg has no time for an RTSP connection's first picture and no decode times for
the first few; it would move others out of the way of its guesses. ``setts`` marks them, and finalising gives
them their places (:mod:`archive.footage.mp4.head`).

Where sound is recorded it shares the timeline and the files of the pictures. FFmpeg would hold a picture
back until the sound has come as far, for up to ten seconds; ``max_interleave_delta`` ends that: a picture
waits for the next packet at most. Sound in MPEG-TS tells its configuration in each packet, so the file's
description is written with the first fragment (``delay_moov``).

JPEG pictures are turned into H.264 (:mod:`recorder.encoding`); every other camera's are copied.

FFmpeg connects to the URL's address and to nothing else: the URL is pinned to an address that was judged
(:mod:`recorder.reach`), HTTP redirects are not followed, and lists of other places (a playlist, a session
description) are not read. It opens network protocols only for cameras, and files only for replays.
An encrypted camera is verified on FFmpeg's own connection, by the certificates that :mod:`recorder.trust`
found for it; without them there is no command.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import ffmpeg

from archive.addresses import read_address
from archive.errors import Refused
from archive.footage.mp4.head import ABSENT, MARKED, STEP
from archive.model.connection import UNVERIFIED, Transport
from archive.model.segment import MADE_FROM, TIMESCALE
from recorder.binary import Binary, verifying
from recorder.encoding import DECODED, JpegPictures, encoded
from recorder.sources import Pattern, Source, SourceKind

RAW = "%06d.raw.mp4"
"""How FFmpeg names its files in a session's folder."""
_FRAGMENT_US = 500_000
"""A crash costs one fragment at most, and a segment waits for the first one of the next."""
_INTERLEAVE_US = 20_000
_QUIET = ("-hide_banner", "-loglevel", "error", "-nostats", "-nostdin")
_TELLING = ("-hide_banner", "-loglevel", "repeat+level+warning", "-nostats", "-nostdin")
"""Also warnings, each on its own line and with its level: some say that a packet came damaged."""
_MARKS = (
    rf"setts=pts=if(eq(PTS\,NOPTS)*eq(N\,0)\,{ABSENT}\,PTS)"
    rf":dts=if(lt(N\,{MARKED})\,(N-{MARKED})*{STEP}\,DTS)"
)
_SECOND_FIELD = r"+2*eq(PTS\,PREV_INPTS)"
"""Both fields of an interlaced picture may have one time, and each becomes a sample. FFmpeg would move the
second by one tick, as it moves a picture whose time went back."""
_REPLAYED = (
    rf"setts=pts=if(eq(PTS\,NOPTS)*eq(N\,0)\,{ABSENT}\,PTS{_SECOND_FIELD})"
    rf":dts=if(lt(N\,{MARKED})\,(N-{MARKED})*{STEP}\,DTS{_SECOND_FIELD})"
)
_PROTOCOLS = {
    SourceKind.RTSP: "pipe,rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto",
    SourceKind.HTTP: "pipe,http,https,tcp,tls,crypto",
    SourceKind.UDP: "pipe,udp",
}
_CONTAINERS = "flv,h264,hevc,matroska,mov,mpegts"
_MULTIPART = "mpjpeg"
"""JPEG pictures one after another in one answer of HTTP (``multipart/x-mixed-replace``)."""
_IMPORTED = "matroska,mov,mpegts"
_FORMATS = {
    SourceKind.RTSP: "concat,rtsp",
    SourceKind.HTTP: f"concat,{_CONTAINERS},{_MULTIPART}",
    SourceKind.UDP: "concat,mpegts",
}
_TRANSPORTS = {Transport.TCP: "tcp", Transport.UDP: "udp", Transport.MULTICAST: "udp_multicast"}
_CODECS = {"h264": "libx264", "hevc": "libx265"}


NOTICED_BY = {SourceKind.RTSP: 2, SourceKind.HTTP: 1, SourceKind.UDP: 1}
"""How many further pictures must begin to arrive before FFmpeg writes one: its parser knows the end of a
picture by the start of the next, and ``setts`` looks ahead by one more. 0 for sources that are no cameras,
and for JPEG pictures: they have no parser, and the encoder looks ahead by none."""


@dataclass(frozen=True, slots=True)
class Command:
    """``argv`` is safe to show; ``stdin`` holds the URL, which is written to the program's input."""

    argv: tuple[str, ...]
    stdin: bytes = field(repr=False)


def record_command(
    binary: Binary,
    source: Source,
    folder: Path,
    *,
    segment_seconds: int,
    timeout_us: int,
    sound: str = "",
    pictures: JpegPictures | None = None,
) -> Command:
    """Record the source's first picture stream into ``folder`` as fragmented MP4, cut at keyframes.

    Segments close at the first keyframe after each multiple of ``segment_seconds`` of the wall clock. FFmpeg
    prints a line of CSV on standard output for each closed one. Fragments are at most 1 s long and are
    written at once. ``sound`` is the codec of the source's first sound, which is copied or turned into AAC;
    without it sound is not recorded. ``pictures`` are those that are turned into H.264; None for a camera's
    own H.264 or H.265, which is copied. Where the camera sends another size, FFmpeg ends; where it sends
    another codec, FFmpeg gives nothing.

    Raises:
        Refused: ``camera_not_verified``: an encrypted camera that nobody has verified.
        Malformed: ``codec_not_recorded``: the FFmpeg cannot encode H.264.
        Unavailable: ``no_verifying_ffmpeg``.
    """
    program = _program(binary, source)
    output = _segments(segment_seconds, has_bare_sound=_is_bare(source, sound)) | {"segment_atclocktime": 1}
    output |= {"c": "copy"} if source.pattern is None else _encoding(source.pattern)
    if pictures is not None:
        output |= encoded(program, source.kind, pictures)
    elif source.kind is SourceKind.RTSP:
        output["bsf:v"] = _MARKS
    opened = _input(source, binary.font, {} if pictures is None else DECODED)
    argv = _compiled(opened, folder, output, sound, _sound(sound, is_bare=_is_bare(source, sound)),
                     program.path)  # fmt: skip
    return Command(argv, _list_of_one(source, timeout_us))


def import_command(
    binary: Binary, path: Path, folder: Path, *, segment_seconds: int, sound: str = ""
) -> Command:
    """Copy a file's pictures into ``folder`` as :func:`record_command` does, as fast as it can be read."""
    opened = ffmpeg.input(f"file:{path}", protocol_whitelist="file", format_whitelist=_IMPORTED)
    output = _segments(segment_seconds, has_bare_sound=sound == "aac") | {"c": "copy"}
    return Command(
        _compiled(opened, folder, output, sound, _sound(sound, is_bare=sound == "aac"), binary.path), b""
    )


def replay_command(
    binary: Binary, source: Source, folder: Path, *, segment_seconds: int, timeout_us: int
) -> Command:
    """Record an RTSP source that is no camera's present into ``folder``, cut by its own times; no sound."""
    output = _segments(segment_seconds, has_bare_sound=False) | {"c": "copy", "bsf:v": _REPLAYED}
    argv = _compiled(_input(source, None, {}), folder, output, "", {}, binary.path)
    return Command(argv, _list_of_one(source, timeout_us))


def look_at_file_command(binary: Binary, path: Path) -> Command:
    """Copy one packet of a file's first pictures and sound, and print their kinds and codecs.

    ``#media_type N: KIND`` and ``#codec_id N: NAME`` on stdout.
    """
    opened = ffmpeg.input(f"file:{path}", protocol_whitelist="file", format_whitelist=_IMPORTED)
    stream = ffmpeg.output(
        opened["v:0"], opened["a:0?"], "pipe:1", c="copy", format="framehash",
        **{"frames:v": 1, "frames:a": 1},
    )  # fmt: skip
    return Command(tuple(cast("list[str]", stream.compile(cmd=[str(binary.path), *_QUIET]))), b"")


def _compiled(
    opened: Any, folder: Path, output: dict[str, Any], sound: str, heard: dict[str, Any], program: Path
) -> tuple[str, ...]:
    """The arguments of a command that writes segments into ``folder``."""
    streams = [opened["v:0"]]
    if sound:
        streams.append(opened["a:0?"])
        output = output | heard
    else:
        output = output | {"an": None}
    stream = ffmpeg.output(*streams, _pattern_of(folder), **output)
    return tuple(cast("list[str]", stream.compile(cmd=[str(program), *_TELLING])))


def _segments(segment_seconds: int, *, has_bare_sound: bool) -> dict[str, Any]:
    """The options of the files that become segments."""
    flags = "movflags=+empty_moov+default_base_moof+frag_discont"
    return {
        "format": "segment",
        "segment_time": segment_seconds,
        "segment_list": "pipe:1",
        "segment_list_type": "csv",
        "segment_format": "mp4",
        "segment_format_options": ":".join((
            flags + ("+delay_moov" if has_bare_sound else ""),
            "use_editlist=0",
            "avoid_negative_ts=disabled",
            f"frag_duration={_FRAGMENT_US}",
            "flush_packets=1",
            "write_prft=wallclock",
            f"video_track_timescale={TIMESCALE}",
        )),
    }  # fmt: skip


def look_command(binary: Binary, source: Source, *, timeout_us: int) -> Command:
    """Copy one packet of the source's first sound, and print its codec: ``#codec_id 0: NAME`` on stdout.

    Raises as :func:`record_command`.
    """
    sound = _input(source, binary.font, {})["a:0"]
    stream = sound.output("pipe:1", c="copy", format="framehash", **{"frames:a": 1})
    argv = stream.compile(cmd=[str(_program(binary, source).path), *_QUIET])
    return Command(tuple(cast("list[str]", argv)), _list_of_one(source, timeout_us))


def _program(binary: Binary, source: Source) -> Binary:
    return binary if source.anchor is None else verifying(binary)


def _is_bare(source: Source, sound: str) -> bool:
    """Whether the sound may come without a configuration beforehand: AAC in MPEG-TS."""
    return sound == "aac" and source.kind is not SourceKind.RTSP


def _sound(sound: str, *, is_bare: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"max_interleave_delta": _INTERLEAVE_US}
    if sound in MADE_FROM:
        options |= {"c:a": "aac"}
    if is_bare:
        options |= {"bsf:a": "aac_adtstoasc"}
    return options


def _input(source: Source, font: Path | None, decoded: Mapping[str, Any]) -> Any:
    if source.pattern is not None:
        return ffmpeg.input(_graph(source.pattern, font), format="lavfi", re=None)
    if source.path is not None:
        return ffmpeg.input(
            f"file:{source.path}",
            re=None,
            stream_loop=-1,
            protocol_whitelist="file",
            format_whitelist=_CONTAINERS,
        )
    return ffmpeg.input(
        "pipe:0",
        format="concat",
        safe=0,
        protocol_whitelist=_PROTOCOLS[source.kind],
        format_whitelist=_FORMATS[source.kind],
        **decoded,
    )


def _pattern_of(folder: Path) -> str:
    """The output pattern, escaped: the segment muxer reads the whole path as a pattern."""
    return str(folder).replace("%", "%%") + "/" + RAW


def _list_of_one(source: Source, timeout_us: int) -> bytes:
    if not source.is_live:
        return b""
    lines = ["ffconcat version 1.0", f"file {_quoted(_address(source))}"]
    if source.kind is SourceKind.RTSP:
        transport = _TRANSPORTS[source.connection.transport]
        lines += [f"option rtsp_transport {transport}", f"option timeout {timeout_us}"]
    elif source.kind is SourceKind.UDP:
        lines += [f"option timeout {timeout_us}", "option overrun_nonfatal 1"]
    else:
        lines += [f"option rw_timeout {timeout_us}", "option max_redirects 0"]
        if source.name:
            lines += [f"option headers 'Host: {source.name}:{source.port}'"]
    if source.uses_tls:
        lines += _verified(source)
    return ("\n".join(lines) + "\n").encode("ascii")


def _verified(source: Source) -> list[str]:
    """How FFmpeg verifies a camera; old ones would believe any certificate unless told, new ones none."""
    if source.anchor is not None:
        return [
            "option tls_verify 1",
            f"option ca_file {_quoted(str(source.anchor))}",
            f"option verifyhost {_quoted(source.proves)}",
        ]
    if source.connection.certificate != UNVERIFIED:
        raise Refused("nobody has verified the camera's certificate", code="camera_not_verified")
    return ["option tls_verify 0"]


def _address(source: Source) -> str:
    """What FFmpeg opens. A sender of datagrams is listened to: only what comes from its address is taken."""
    if source.kind is not SourceKind.UDP:
        return source.url
    group = read_address(source.host)
    if group is not None and group.is_multicast:
        return source.url
    everywhere = "[::]" if group is not None and group.version == 6 else "0.0.0.0"  # noqa: S104 - see above
    return f"udp://{everywhere}:{source.port}?sources={source.host}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"


def _graph(pattern: Pattern, font: Path | None) -> str:
    picture = f"testsrc2=size={pattern.width}x{pattern.height}:rate={pattern.fps}"
    if font is None:
        return picture
    text = r"%{gmtime\:%Y-%m-%d %T} UTC  %{n}"
    size = max(12, pattern.height // 12)
    return f"{picture},drawtext=fontfile={font}:text='{text}':fontsize={size}:x=8:y=8:box=1:boxborderw=6"


def _encoding(pattern: Pattern) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "c:v": _CODECS[pattern.codec],
        "preset": "ultrafast",
        "pix_fmt": "yuv420p",
        "g": pattern.gop,
        "bf": pattern.bframes,
        "threads": 1,
    }
    if pattern.codec == "h264":
        return encoding | {"keyint_min": pattern.gop, "sc_threshold": 0}
    rules = f"log-level=none:keyint={pattern.gop}:min-keyint={pattern.gop}:scenecut=0:pools=1"
    return encoding | {"x265-params": rules}
