"""A source that flashes and beeps each second, and when FFmpeg finds each of the two."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.numbered import DEFAULT_FFMPEG

FLASH, BEEP = 0.48, 0.5
"""Where in each second the picture turns white, and where the sound begins."""
VIDEO = {
    "h264": (
        "libx264",
        "-preset",
        "ultrafast",
        "-x264-params",
        "keyint=25:min-keyint=25:scenecut=0:bframes=0",
    ),
    "hevc": (
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "keyint=25:min-keyint=25:bframes=0:log-level=0",
    ),
}
SOUND = {
    "aac": ("aac", "-ar", "16000"),
    "opus": ("libopus", "-ar", "48000"),
    "pcm_alaw": ("pcm_alaw", "-ar", "8000"),
    "pcm_mulaw": ("pcm_mulaw", "-ar", "8000"),
}
_WHITE = f"between(mod(t\\,1)\\,{FLASH - 0.001}\\,{FLASH + 0.079})"
_TONE = f"if(between(mod(t\\,1)\\,{BEEP}\\,{BEEP + 0.1})\\,0.7*sin(2*PI*1000*t)\\,0)"


def make_flashing(
    path: Path, seconds: int, *, sound: str = "aac", codec: str = "h264", sound_seconds: int | None = None
) -> Path:
    """Black pictures at 25 a second, with a flash and a beep in each second; the sound may end sooner."""
    heard = seconds if sound_seconds is None else sound_seconds
    subprocess.run(
        [
            DEFAULT_FFMPEG, "-nostdin", "-y", "-loglevel", "error",
            "-f", "lavfi", "-i", f"color=black:size=320x180:rate=25:duration={seconds},"
            f"drawbox=color=white:t=fill:enable='{_WHITE}',format=yuv420p",
            "-f", "lavfi", "-i", f"aevalsrc='{_TONE}':sample_rate=48000:duration={heard}",
            "-c:v", *VIDEO[codec], "-bsf:v", "dump_extra=freq=keyframe",
            "-c:a", *SOUND[sound], "-ac", "1", str(path),
        ],
        check=True,
    )  # fmt: skip
    return path


def flashes(source: Path | bytes) -> list[float]:
    """When the picture turns white, in seconds of the container's own time."""
    told = _filtered(source, "-vf", "blackdetect=d=0.3:pic_th=0.9", "-an")
    return [float(found) for found in re.findall(r"black_end: ?([0-9.]+)", told)]


def beeps(source: Path | bytes) -> list[float]:
    """When the sound begins, in seconds of the container's own time."""
    told = _filtered(source, "-af", "silencedetect=noise=-30dB:d=0.3", "-vn")
    return [float(found) for found in re.findall(r"silence_end: ?([0-9.]+)", told)]


def distances(source: Path | bytes) -> list[float]:
    """For each flash that a beep belongs to: by how many seconds the beep is later."""
    heard = beeps(source)[:-1]  # the last of each may be the end of the recording
    near = [min((beep - flash for beep in heard), key=abs) for flash in flashes(source)[:-1]]
    return [one for one in near if abs(one) < 0.4]


def _filtered(source: Path | bytes, *options: str) -> str:
    feed: Sequence[str | Path] = ("pipe:0",) if isinstance(source, bytes) else (source,)
    done = subprocess.run(
        [
            DEFAULT_FFMPEG, "-hide_banner", "-nostats", "-copyts", "-i", *feed, *options, "-f", "null", "-",
        ],
        input=source if isinstance(source, bytes) else None, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stderr.decode("utf-8", "replace")
