"""The footage that every camera of the bank sends: a prepared loop, and how to recognise its frames.

180 s of 1080p15 H.264 Main at 2 Mbit/s, GOP 30, no B-frames: a moving pattern under noise, so that frames
are as large as a camera's and no two are alike. A checksum of its bytes identifies each frame, so that a
recording can be compared with the loop whatever its container and its times are.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from recorder.binary import Binary

FPS, GOP, SECONDS, BITS_PER_SECOND = 15, 30, 180, 2_000_000
FRAMES = FPS * SECONDS

Mark = tuple[int, str]
"""Size and Adler-32 of a frame's bytes."""


def prepare(ffmpeg: Binary, cache: Path, *, seconds: int = SECONDS, height: int = 1080) -> Path:
    """The loop; the first call makes it, which takes a minute or two where it is not shortened."""
    path = cache / f"loop-{height}p{FPS}-g{GOP}-{seconds}s-1.mp4"
    if path.exists():
        return path
    draft = path.with_suffix(".part.mp4")
    rate = str(BITS_PER_SECOND)
    argv = [str(ffmpeg.path), "-v", "error", "-y", "-f", "lavfi"]
    argv += [
        "-i",
        f"testsrc2=size={height * 16 // 9}x{height}:rate={FPS}:duration={seconds},noise=alls=20:allf=t+u",
    ]
    argv += [
        "-c:v",
        "libx264",
        "-profile:v",
        "main",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
    ]
    argv += ["-g", str(GOP), "-keyint_min", str(GOP), "-sc_threshold", "0"]
    argv += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "repeat-headers=1:nal-hrd=cbr"]
    subprocess.run([*argv, str(draft)], check=True, stdin=subprocess.DEVNULL)
    draft.rename(path)
    return path


@dataclass(frozen=True, slots=True)
class Continuity:
    """A recording compared with the loop: its frames, frames not in the loop, and breaks of the order."""

    frames: int
    strange: int
    breaks: int

    @property
    def sound(self) -> bool:
        """Whether it has every frame of the loop once, in order, from the first recorded to the last."""
        return self.frames > 0 and not self.strange and not self.breaks


def marks(ffmpeg: Binary, path: Path) -> list[tuple[Mark, bool]]:
    """The mark of every frame in order, and whether it is a keyframe."""
    argv = [str(ffmpeg.path), "-v", "fatal", "-ignore_editlist", "1", "-i", str(path), "-map", "0:v"]
    said = subprocess.run(
        [*argv, "-c", "copy", "-f", "framecrc", "-"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(",") for line in said.splitlines() if not line.startswith("#")]
    # Packets without the keyframe flag have "F=0x0"; keyframes have no such field.
    return [((int(line[4]), line[5].strip()), not any("F=0x0" in word for word in line)) for line in lines]


def compare(loop: Sequence[tuple[Mark, bool]], recorded: Sequence[tuple[Mark, bool]]) -> Continuity:
    """Whether a recording has the loop's frames one after the other, from any frame on, around the loop.

    Keyframes are not compared byte for byte, because servers add or drop the parameter sets before them; they
    must be where the loop has one. In a recording of keyframes only, every frame counts as foreign.
    """
    places = {mark: index for index, (mark, key) in enumerate(loop) if not key}
    known: list[int | None] = []
    strange = 0
    for mark, key in recorded:
        found = None if key else places.get(mark)
        strange += found is None and not key
        known.append(found)
    start = next(((at, place) for at, place in enumerate(known) if place is not None), None)
    if start is None:
        return Continuity(len(recorded), len(recorded), 0)
    expected = [(start[1] - start[0] + at) % len(loop) for at in range(len(known))]
    offs = [
        None if place is None else (place - want) % len(loop)
        for place, want in zip(known, expected, strict=True)
    ]
    sure = [off for off in offs if off is not None]
    breaks = sum(a != b for a, b in pairwise(sure))
    if not breaks:
        breaks = sum(key and not loop[want][1] for (_, key), want in zip(recorded, expected, strict=True))
    return Continuity(len(recorded), strange, breaks)
