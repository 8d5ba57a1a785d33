"""Scripts for the scripted camera: encoded material, and when each frame leaves with which timestamp."""

import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

from tests.support import numbered
from tests.support.scripted_camera import AccessUnit, Codec, Script, Sending, Then

TICKS = numbered.TICKS


@dataclass(frozen=True, slots=True)
class Material:
    """Encoded numbered frames in decode order."""

    codec: Codec
    fps: int
    units: Sequence[AccessUnit]

    def until(self, frame: int) -> list[AccessUnit]:
        """The units that are sent before ``frame``; later frames may be among them."""
        return list(takewhile(lambda unit: unit.frame != frame, self.units))

    def since(self, frame: int) -> list[AccessUnit]:
        """The units from ``frame`` on."""
        return [unit for unit in self.units if unit.frame >= frame]


def material(variant: str, seconds: int, fps: int, folder: Path, *, gop: int = 30) -> Material:
    """Encode (once, see :mod:`tests.support.numbered`) and take apart with FFmpeg alone."""
    path = numbered.make_numbered(variant, seconds, folder / f"{variant}-{fps}-{gop}.mp4", fps, gop=gop)
    return taken_apart(path, "hevc" if variant.startswith("hevc") else "h264", fps)


def taken_apart(path: Path, codec: Codec, fps: int) -> Material:
    """The access units of an encoded file."""
    raw = _copied(path, "data")
    listed = _copied(path, "framecrc").decode()
    found = re.search(r"#tb 0: (\d+)/(\d+)", listed)
    assert found is not None
    base = Fraction(int(found[1]), int(found[2]))
    rows = [line.split(",") for line in listed.splitlines() if line and line[0] != "#"]
    first = min(int(row[2]) for row in rows)
    units: list[AccessUnit] = []
    at = 0
    for row in rows:
        frame = round((int(row[2]) - first) * base * fps)
        nal = tuple(_nal_units(raw[at : at + int(row[4])]))
        at += int(row[4])
        units.append(AccessUnit(frame, nal, any(_is_set(codec, unit) for unit in nal)))
    assert at == len(raw)
    return Material(codec, fps, units)


def script(
    source: Material | Iterable[AccessUnit],
    *,
    codec: Codec = "h264",
    captured: Callable[[int], float],
    stamp: Callable[[int], int],
    delay: Callable[[int], float] = lambda _: 0.0,
    then: Then = "silence",
    joins_anywhere: bool = False,
) -> Script:
    """When each frame leaves: as soon as the encoder has it, ``delay`` later.

    ``captured`` gives the second at which frame N is taken, ``stamp`` its RTP timestamp. A picture cannot be
    sent before those that are decoded before it were taken.
    """
    units = source.units if isinstance(source, Material) else source
    codec = source.codec if isinstance(source, Material) else codec
    sendings: list[Sending] = []
    ready = 0.0
    for unit in units:
        taken = captured(unit.frame)
        ready = max(ready, taken + delay(unit.frame))
        sendings.append(Sending(ready, taken, stamp(unit.frame), unit))
    return Script(codec, sendings, then, joins_anywhere)


def steady(fps: float) -> Callable[[int], float]:
    """Frame N is taken after N frame periods."""
    return lambda frame: frame / fps


def stamped(captured: Callable[[int], float], *, first: int = 1_000_000) -> Callable[[int], int]:
    """The RTP timestamp is the time of capture."""
    return lambda frame: first + round(captured(frame) * TICKS)


def _copied(path: Path, form: str) -> bytes:
    return subprocess.run(
        [
            numbered.READING_FFMPEG, "-nostdin", "-loglevel", "error", "-ignore_editlist", "1",
            "-i", str(path), "-map", "0:v", "-c", "copy", "-f", form, "pipe:1",
        ],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip


def _nal_units(sample: bytes) -> Iterable[bytes]:
    at = 0
    while at < len(sample):
        length = int.from_bytes(sample[at : at + 4], "big")
        yield sample[at + 4 : at + 4 + length]
        at += 4 + length


def _is_set(codec: Codec, unit: bytes) -> bool:
    return unit[0] & 0x1F == 7 if codec == "h264" else unit[0] >> 1 & 0x3F == 33
