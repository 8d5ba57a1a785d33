"""Chooses the FFmpeg that records: the system's from version 5 on, else the one in ``imageio-ffmpeg``."""

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg

from archive.errors import Unavailable

OLDEST = 5
_VERSION = re.compile(r"ffmpeg version (\S+)")
_MAJOR = re.compile(r"n?(\d+)\.")
_SECONDS = 20
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
_PREFERRED = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "NotoSansMono-Regular.ttf")
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+\Z")


@dataclass(frozen=True, slots=True)
class Binary:
    """An FFmpeg that can record, and its version (a build from a repository counts as the newest).

    Test patterns write their clock in ``font``; without a font they show no clock.
    """

    path: Path
    version: str
    major: int
    font: Path | None = None


def find_ffmpeg() -> Binary:
    """The system's FFmpeg if it is new enough, else the one in ``imageio-ffmpeg``.

    Raises:
        Unavailable: ``no_ffmpeg``.
    """
    found = shutil.which("ffmpeg")
    if found is not None:
        binary = _ask(Path(found))
        if binary is not None and binary.major >= OLDEST:
            return binary
    try:
        packaged = _ask(Path(imageio_ffmpeg.get_ffmpeg_exe()))
    except RuntimeError:
        packaged = None
    if packaged is None or packaged.major < OLDEST:
        raise Unavailable(
            f"there is no FFmpeg of version {OLDEST} or newer on this machine",
            code="no_ffmpeg",
            hint="Install it (apt-get install ffmpeg), or: pip install --force-reinstall imageio-ffmpeg",
        )
    return packaged


def verifying(binary: Binary) -> Binary:
    """The same FFmpeg if it can verify an RTSP camera's certificate, else the one in ``imageio-ffmpeg``.

    Older ones than 8 pass over what they are told about it. Each program is asked once.

    Raises:
        Unavailable: ``no_verifying_ffmpeg``: neither can.
    """
    if _verifies(binary.path):
        return binary
    try:
        packaged = _ask(Path(imageio_ffmpeg.get_ffmpeg_exe()))
    except RuntimeError:
        packaged = None
    if packaged is None or not _verifies(packaged.path):
        raise Unavailable(
            "no FFmpeg on this machine can verify the certificate of a camera",
            code="no_verifying_ffmpeg",
            hint="Install a newer one: pip install --force-reinstall imageio-ffmpeg",
        )
    return replace(packaged, font=binary.font)


@lru_cache(maxsize=4)
def _verifies(path: Path) -> bool:
    told = subprocess.run(
        [path, "-hide_banner", "-h", "demuxer=rtsp"],
        capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    return "-verifyhost" in told.stdout


def _ask(path: Path) -> Binary | None:
    """The program and the version that it reports; None if it does not run."""
    try:
        facts = path.stat()
        look = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        return _started(path, look)
    except (OSError, subprocess.SubprocessError):
        return None


@lru_cache(maxsize=4)
def _started(path: Path, _look: tuple[int, ...]) -> Binary | None:
    """What a program says of itself, None without a version; asked once while its file looks the same.

    Raises:
        OSError, subprocess.SubprocessError: it does not run; the next call asks again.
    """
    answer = subprocess.run(
        [path, "-version"], capture_output=True, text=True, timeout=_SECONDS, check=True
    ).stdout
    stated = _VERSION.match(answer)
    if stated is None:
        return None
    # "N-118000-g…" was built from the repository, and is newer than any release of that time.
    major = _MAJOR.match(stated[1])
    return Binary(path, stated[1], int(major[1]) if major else 99, _font())


def _font() -> Path | None:
    """A font that FFmpeg's filter graphs can name without quoting."""
    found = (path for folder in _FONTS for path in sorted(Path(folder).rglob("*.ttf")))
    sound = (path for path in found if _PLAIN.match(str(path)))
    return min(sound, key=lambda path: (path.name not in _PREFERRED, str(path)), default=None)
