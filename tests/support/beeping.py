"""A numbered camera that beeps in the middle of each second, in a pitch that says which second it is.

A frame's number says when it was recorded, and so does a beep: whether lips are in step is read off any clip.
"""

import re
import subprocess
import sys
from array import array
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from archive.footage.mp4.finalise import Finalised
from tests.support.numbered import (
    DEFAULT_FFMPEG,
    Shown,
    finalised_run,
    make_numbered,
    recording_options,
)

RATE = 48_000
_PITCH, _STEP = 400, 100
BEGINS, _ENDS = 0.4, 0.6
_LOUD, _QUIET = 4000, 1500
_FRAME = re.compile(rb"\bn:\d+ pts:(-?\d+) .*?nb_samples:(\d+)")

CODECS = {
    "aac": ("aac", "-b:a", "64k", "-aac_pns", "0"),
    "opus": ("libopus", "-b:a", "48k"),
}


@dataclass(frozen=True, slots=True)
class Beep:
    """When a beep begins (s), and the second that its pitch names."""

    at: Fraction
    second: int


def beeping_run(
    folder: Path, seconds: int, *, variant: str = "h264-nob", codec: str = "aac", segment_seconds: int = 10
) -> list[tuple[Path, Finalised]]:
    """Finalised segments of one run of a beeping camera."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = make_numbered(variant, seconds, folder / "pictures.mp4")
    beeps = f"0.5*sin(2*PI*({_PITCH}+{_STEP}*floor(t))*t)*between(mod(t\\,1)\\,{BEGINS}\\,{_ENDS})"
    source = folder / "source.mp4"
    _run(
        "-i", str(pictures), "-f", "lavfi", "-i", f"aevalsrc={beeps}:s={RATE}:d={seconds}",
        "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", *CODECS[codec], str(source),
    )  # fmt: skip
    recorded = folder / "recorded"
    recorded.mkdir()
    options = [one for one in recording_options(segment_seconds) if one != "-an"]
    at = options.index("-c")
    listed = _run(
        "-i", str(source), *options[:at], "-map", "0:a:0", *options[at:], str(recorded / "%06d.mp4")
    ).decode()
    made = finalised_run(
        [recorded / line.split(",")[0] for line in listed.splitlines()], folder / "finalised"
    )
    assert all(one.header.sound is not None for _, one in made), [one.sound_left_out for _, one in made]
    return made


def sound_of(movie: bytes) -> "array[int]":
    """The sound as a player plays it: 16-bit samples at :data:`RATE`, silence where there is none."""
    done = subprocess.run(
        [
            DEFAULT_FFMPEG, "-hide_banner", "-copyts", "-i", "pipe:0", "-map", "0:a",
            "-af", f"aresample={RATE},aformat=s16:channel_layouts=mono,asettb=1/{RATE},ashowinfo",
            "-f", "s16le", "pipe:1",
        ],
        input=movie, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:].decode()
    samples = array("h", done.stdout)
    if sys.byteorder == "big":
        samples.byteswap()
    played = array("h")
    at = 0
    for pts, count in _FRAME.findall(done.stderr):
        start = int(pts)
        played.extend([0] * (start - len(played)))
        part = samples[at : at + int(count)]
        del played[start:]
        played.extend(part)
        at += int(count)
    assert at == len(samples)
    return played


def beeps_in(played: "array[int]") -> list[Beep]:
    """The beeps that begin after a quiet time, and last long enough to be told apart."""
    found: list[Beep] = []
    quiet_since, at = 0, 0
    while at < len(played):
        if abs(played[at]) < _LOUD:
            at += 1
            continue
        if at - quiet_since > RATE // 5:
            part = played[at + RATE // 50 : at + RATE * 8 // 50]
            if len(part) == RATE * 7 // 50:
                turns = sum((one < 0) != (other < 0) for one, other in pairwise(part))
                pitch = turns / 2 / (len(part) / RATE)
                found.append(Beep(Fraction(at, RATE), round((pitch - _PITCH) / _STEP)))
        while at < len(played) and max(map(abs, played[at : at + RATE // 100]), default=0) > _QUIET:
            at += RATE // 100
        quiet_since = at
        at += 1
    return found


def lips(shown: list[Shown], beeps: list[Beep], fps: int = 15) -> list[tuple[int, Fraction]]:
    """For each beep its second, and how much later it is than the nearest frame of its beginning (s)."""
    found = []
    for beep in beeps:
        frames = [frame.pts for frame in shown if frame.number == round((beep.second + BEGINS) * fps)]
        assert frames, f"beep {beep} without its frame"
        found.append((beep.second, min((beep.at - pts for pts in frames), key=abs)))
    return found


def _run(*arguments: str) -> bytes:
    done = subprocess.run(
        [DEFAULT_FFMPEG, "-nostdin", "-y", "-loglevel", "error", *arguments],
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:].decode()
    return done.stdout
