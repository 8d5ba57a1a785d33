"""Numbered test cameras: each frame carries its number, readable by a program after lossy encoding.

The picture is FFmpeg's ``testsrc2``; its first 16 rows are 20 cells of 16 × 16 pixels: 16 bits of the frame
number, most significant first, and 4 bits of check. Cells have the size of a macroblock, so the barcode
survives x264 and x265 at low rates, and a damaged frame does not pass the check.

Recipes are encoded once per FFmpeg version and kept under ``$XDG_CACHE_HOME/saksi/test-media``.
"""

import functools
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import imageio_ffmpeg

from archive.footage.mp4.finalise import Finalised, finalise

WIDTH, HEIGHT, CELLS, CELL = 320, 192, 20, 16
TICKS = 90_000

VARIANTS: Mapping[str, Sequence[str]] = {
    "h264-closed": (
        "libx264", "-bf", "2",
        "-x264-params", "keyint=30:min-keyint=30:scenecut=0:open-gop=0:b-adapt=0:b-pyramid=none",
    ),
    "h264-open-b": (
        "libx264", "-bf", "3",
        "-x264-params", "keyint=30:min-keyint=30:scenecut=0:open-gop=1:b-adapt=0:b-pyramid=normal",
    ),
    "h264-nob": ("libx264", "-bf", "0", "-x264-params", "keyint=30:min-keyint=30:scenecut=0"),
    "h264-oddgop": ("libx264", "-bf", "2", "-x264-params", "keyint=50:min-keyint=50:scenecut=0:b-adapt=0"),
    "hevc-open": ("libx265", "-x265-params", "keyint=30:min-keyint=30:scenecut=0:log-level=error"),
    "hevc-closed": (
        "libx265",
        "-x265-params", "keyint=30:min-keyint=30:scenecut=0:open-gop=0:radl=2:log-level=error",
    ),
}  # fmt: skip
"""Encoder and options of each camera. GOPs are 2 s (``h264-oddgop``: 3.33 s) at 15 frames a second."""

BUNDLED_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SYSTEM_FFMPEG = shutil.which("ffmpeg")
FFMPEGS = {"bundled": BUNDLED_FFMPEG} | ({"system": SYSTEM_FFMPEG} if SYSTEM_FFMPEG else {})
"""The FFmpeg programs to test with: the one of PyPI's imageio-ffmpeg and, where installed, the system's."""

DEFAULT_FFMPEG = SYSTEM_FFMPEG or BUNDLED_FFMPEG

READING_FFMPEG = BUNDLED_FFMPEG
"""What reads footage back. It is one file and starts at once; the system's loads two hundred libraries first,
which takes longer than to decode what most tests look at."""

_PTS = re.compile(rb"\bn: *\d+ pts: *(-?\d+)")


class Shown(NamedTuple):
    """A presented frame: its time in seconds, exact, and its number (None: the barcode is damaged)."""

    pts: Fraction
    number: int | None


def make_numbered(variant: str, seconds: int, path: Path, fps: int = 15, *, gop: int = 30) -> Path:
    """Put a plain MP4 of ``seconds`` × ``fps`` numbered frames, from number 0 on, at ``path``.

    ``gop`` replaces the 30 frames of the variants that have them.
    """
    options = [option.replace("keyint=30", f"keyint={gop}") for option in VARIANTS[variant]]
    return encode_numbered(variant, options, seconds, path, fps)


def encode_numbered(
    name: str, encoder: Sequence[str], seconds: int, path: Path, fps: int, *, filters: str = ""
) -> Path:
    """As :func:`make_numbered`, with an encoder and its options, and with filters after the barcode.

    ``name`` only helps people to find the file in the cache.
    """
    recipe = [
        *_numbered_source(seconds, fps, filters),
        "-c:v", *encoder, "-preset", "veryfast", "-b:v", "400k",
        # parameter sets before each sync, as cameras send them
        "-bsf:v", "dump_extra=freq=keyframe",
    ]  # fmt: skip
    version = _version(DEFAULT_FFMPEG)
    key = hashlib.sha256("\0".join((version, *recipe)).encode()).hexdigest()[:16]
    cached = _cache() / f"{name}-{seconds}s-{fps}-{key}.mp4"
    if not cached.exists():
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            encoded = Path(folder, "encoded.mp4")
            _run(DEFAULT_FFMPEG, *recipe, str(encoded))
            os.replace(encoded, cached)
    shutil.copyfile(cached, path)
    return path


def read_numbers(
    source: Path | str | bytes, *input_options: str, ffmpeg: str = READING_FFMPEG
) -> list[Shown]:
    """Decode ``source`` with FFmpeg and read the number of each frame that a player would show.

    Edit lists are honoured and times are the container's own (``-copyts``). Bytes are fed through a pipe.
    The picture may have any size: the barcode is as wide as it, and a twelfth of its height.
    """
    feed = source if isinstance(source, bytes) else None
    place = "pipe:0" if feed is not None else str(source)
    filters = (
        f"settb=1/{TICKS},crop=iw:ih*{CELL}/{HEIGHT}:0:0,scale={CELLS}:1:flags=area,format=gray,"
        "showinfo=checksum=0"
    )
    done = subprocess.run(
        [
            ffmpeg, "-hide_banner", "-nostdin" if feed is None else "-hide_banner", "-copyts",
            *input_options, "-i", place,
            "-map", "0:v", "-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1",
        ],
        input=feed, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:].decode()
    times = [int(match) for match in _PTS.findall(done.stderr)]
    rows = [done.stdout[at : at + CELLS] for at in range(0, len(done.stdout), CELLS)]
    assert len(times) == len(rows), f"{len(times)} times for {len(rows)} frames"
    return [Shown(Fraction(pts, TICKS), _number(row)) for pts, row in zip(times, rows, strict=True)]


def numbers(shown: Sequence[Shown]) -> list[int | None]:
    """Only the numbers."""
    return [frame.number for frame in shown]


def nal_digests(source: Path | bytes, *, ffmpeg: str = READING_FFMPEG) -> list[str]:
    """One digest per NAL unit, in order, without access unit delimiters and parameter sets.

    A recording must keep these units of the camera's stream: slices and SEI. Containers add or drop
    delimiters and repeat parameter sets, and zeros after a unit belong to the byte stream. FFmpeg unpacks the
    MP4. Its converters to byte streams insert units of their own, so the samples are taken raw. No code under
    test is used.
    """
    codec = _codec(source, ffmpeg)
    feed = source if isinstance(source, bytes) else None
    place = "pipe:0" if feed is not None else str(source)
    samples = subprocess.run(
        [
            ffmpeg, "-loglevel", "error", "-ignore_editlist", "1", "-i", place,
            "-map", "0:v", "-c", "copy", "-f", "data", "pipe:1",
        ],
        input=feed, capture_output=True, check=True, timeout=300,
    ).stdout  # fmt: skip
    digests = []
    at = 0
    while at < len(samples):
        length = int.from_bytes(samples[at : at + 4], "big")
        unit = samples[at + 4 : at + 4 + length].rstrip(b"\0")
        at += 4 + length
        if not _is_framing(codec, unit[0]):
            digests.append(hashlib.sha256(unit).hexdigest()[:16])
    assert at == len(samples), "the last unit is cut"
    return digests


def elementary_stream(source: Path | bytes, *, ffmpeg: str = READING_FFMPEG) -> str:
    """SHA-256 over :func:`nal_digests`: equal for two containers of the same pictures."""
    return hashlib.sha256("".join(nal_digests(source, ffmpeg=ffmpeg)).encode()).hexdigest()


def recording_options(segment_seconds: int = 10) -> list[str]:
    """FFmpeg's output options for recording, as in design §7, but without ``segment_atclocktime``.

    A stored camera is read faster than real time, so the clock's marks would cut no segment.
    """
    inner = ":".join(
        (
            "movflags=+empty_moov+default_base_moof", "frag_duration=1000000", "flush_packets=1",
            "write_prft=wallclock", f"video_track_timescale={TICKS}",
        )
    )  # fmt: skip
    return [
        "-map", "0:v:0", "-c", "copy", "-an",
        "-f", "segment", "-segment_format", "mp4", "-segment_time", str(segment_seconds),
        "-reset_timestamps", "1", "-segment_list", "pipe:1", "-segment_list_type", "csv",
        "-segment_format_options", inner,
    ]  # fmt: skip


def record(
    source: Path, folder: Path, *, segment_seconds: int = 10, ffmpeg: str = DEFAULT_FFMPEG
) -> list[Path]:
    """Record a stored camera into fragmented segments ``000000.mp4 …``, as fast as it can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = _run(
        ffmpeg, "-i", str(source), *recording_options(segment_seconds), str(folder / "%06d.mp4")
    ).stdout.decode()
    return [folder / line.split(",")[0] for line in listed.splitlines()]


def start_recording(
    url: str, folder: Path, *, segment_seconds: int, ffmpeg: str = DEFAULT_FFMPEG
) -> "subprocess.Popen[bytes]":
    """Record an RTSP camera live, with borders at the clock's marks; FFmpeg lists closed segments on stdout.

    ``terminate()`` ends the run in order; ``communicate()`` returns the list.
    """
    folder.mkdir(parents=True)
    return subprocess.Popen(
        [
            ffmpeg, "-nostdin", "-loglevel", "fatal",
            "-rtsp_transport", "tcp", "-timeout", "5000000", "-i", url,
            *recording_options(segment_seconds), "-segment_atclocktime", "1", str(folder / "%06d.mp4"),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip


def recorded_segments(
    variant: str, seconds: int, tmp: Path, *, segment_seconds: int = 10, ffmpeg: str = DEFAULT_FFMPEG
) -> list[Path]:
    """Segments of a numbered camera as FFmpeg closes them, not finalised, without a server."""
    source = make_numbered(variant, seconds, tmp / f"{variant}.mp4")
    return record(source, tmp / f"{variant}-recorded", segment_seconds=segment_seconds, ffmpeg=ffmpeg)


def finalised_run(recorded: Sequence[Path], folder: Path) -> list[tuple[Path, Finalised]]:
    """Finalise the segments of one run as the recorder does, with ``tfdt`` continuous from 0."""
    folder.mkdir(parents=True, exist_ok=True)
    tfdt = 0
    continues_at = None
    made = []
    for source in recorded:
        target = folder / source.name
        result = finalise(source, target, tfdt=tfdt, continues_at=continues_at)
        made.append((target, result))
        tfdt += result.media_duration
        continues_at = result.header.first_pts + result.media_duration
    return made


def played_in_sequence(run: Sequence[tuple[Path, Finalised]]) -> bytes:
    """The run as a player receives it (HLS, MSE): one initialisation, then each ``moof`` and ``mdat``."""
    first = run[0][1].header.init
    return first + b"".join(path.read_bytes()[len(made.header.init) :] for path, made in run)


@contextmanager
def publish(
    path: Path, rtsp_url: str, *, ffmpeg: str = DEFAULT_FFMPEG, loops: int = -1, streams: str = "0:v:0"
) -> Iterator["subprocess.Popen[bytes]"]:
    """Publish ``path`` to an RTSP server in real time, as a camera would, until the block ends.

    ``streams`` is what FFmpeg maps: ``0`` is all, also sound, which may end before the pictures do.

    Entering waits until the server has the stream. ``loops`` is FFmpeg's ``-stream_loop``: numbers restart at
    0 with each loop, so make the camera longer than the test if that matters.
    """
    process = subprocess.Popen(
        [
            ffmpeg, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", str(loops), "-i", str(path),
            "-map", streams, "-c", "copy", "-max_interleave_delta", "20000", "-muxdelay", "0",
            "-f", "rtsp", "-rtsp_transport", "tcp", rtsp_url,
        ],
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_until_published(rtsp_url, process)
        yield process
    finally:
        process.kill()
        process.wait()


def _numbered_source(seconds: int, fps: int, filters: str) -> list[str]:
    rest = f"rate={fps}:duration={seconds}"
    number_bit = "mod(floor(N/pow(2\\,15-X))\\,2)"
    check = "mod(5+N+floor(N/16)+floor(N/256)+floor(N/4096)\\,16)"
    check_bit = f"mod(floor({check}/pow(2\\,19-X))\\,2)"
    barcode = (
        f"color=black:size={CELLS}x1:{rest},format=gray,"
        f"geq=lum=16+219*if(lt(X\\,16)\\,{number_bit}\\,{check_bit}),scale={WIDTH}:{CELL}:flags=neighbor"
    )
    return [
        "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:{rest}",
        "-f", "lavfi", "-i", barcode,
        "-filter_complex", f"[0][1]overlay=0:0,format=yuv420p{filters}",
    ]  # fmt: skip


def _number(row: bytes) -> int | None:
    value = functools.reduce(lambda bits, level: bits << 1 | (level > 127), row, 0)
    number, check = value >> 4, value & 0xF
    expected = 5 + (number & 0xF) + (number >> 4 & 0xF) + (number >> 8 & 0xF) + (number >> 12)
    return number if check == expected % 16 else None


def _is_framing(codec: str, first: int) -> bool:
    """Whether a unit is a delimiter or a parameter set (ITU-T H.264 table 7-1, H.265 table 7-1)."""
    return first & 0x1F in (7, 8, 9) if codec == "h264" else first >> 1 & 0x3F in (32, 33, 34, 35)


def _codec(source: Path | bytes, ffmpeg: str) -> str:
    feed = source if isinstance(source, bytes) else None
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-i", "pipe:0" if feed is not None else str(source)],
        input=feed, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    found = re.search(rb"Video: (h264|hevc)", done.stderr)
    assert found is not None, done.stderr[-2000:].decode()
    return found[1].decode()


def _run(ffmpeg: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    done = subprocess.run(
        [ffmpeg, "-nostdin", "-y", "-loglevel", "error", *arguments],
        capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:].decode()
    return done


@functools.cache
def _version(ffmpeg: str) -> str:
    return (
        subprocess.run([ffmpeg, "-version"], capture_output=True, check=True).stdout.split(b"\n")[0].decode()
    )


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root, "saksi", "test-media")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _wait_until_published(rtsp_url: str, publisher: "subprocess.Popen[bytes]", patience: float = 20) -> None:
    parts = urlsplit(rtsp_url)
    assert parts.hostname is not None
    request = f"DESCRIBE {rtsp_url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        assert publisher.poll() is None, f"the publisher ended with {publisher.returncode}"
        try:
            with socket.create_connection((parts.hostname, parts.port or 554), timeout=2) as connection:
                connection.sendall(request)
                if b" 200 " in connection.recv(4096).split(b"\r\n")[0]:
                    return
        except OSError:
            pass
        time.sleep(0.1)  # real time: a pause between two looks
    raise AssertionError(f"{rtsp_url} was not published within {patience} s")
