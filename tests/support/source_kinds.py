"""Kinds of source, as scripts for the scripted camera: codecs, rates, and cameras that misbehave."""

import functools
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.scripted_camera import Script, Then
from tests.support.scripts import TICKS, material, script, stamped, steady

SECONDS = 44
"""How long the scripts of the long form are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source. ``make`` takes a folder for its material and the script's length in seconds.

    ``is_sound``: timestamps follow elapsed time, so dates are good to the median that sound cameras reach.
    ``is_whole``: one connection records every frame; without it the recorder has to connect anew.
    ``is_ordered``: timestamps tell the order in which pictures are shown.
    ``ends_itself``: the camera ends the stream; others are recorded until the recorder is stopped.
    ``damaged``: so many of the last pictures refer to one that the camera never sent. They are kept and
    dated, and no decoder shows them as they were.
    """

    make: Callable[[Path, int], Script]
    is_sound: bool = True
    is_whole: bool = True
    is_ordered: bool = True
    ends_itself: bool = False
    damaged: int = 0


def _plain(variant: str, fps: int, gop: int = 30) -> Kind:
    def make(folder: Path, seconds: int) -> Script:
        found = material(variant, seconds, fps, folder, gop=gop)
        return script(found, captured=steady(fps), stamp=stamped(steady(fps)))

    return Kind(make)


def _rate(declared: float, shipped: float) -> Kind:
    """Timestamps for one rate, frames at another."""

    def make(folder: Path, seconds: int) -> Script:
        found = material("h264-nob", seconds, 25, folder, gop=50)
        return script(found, captured=steady(shipped), stamp=stamped(steady(declared)))

    return Kind(make, is_sound=False)


@functools.cache
def _uneven(shortest: float, longest: float) -> tuple[float, ...]:
    chance = random.Random(7)  # noqa: S311 - a script, no secret
    return tuple(itertools.accumulate((chance.uniform(shortest, longest) for _ in range(4000)), initial=0.0))


def _uneven_source(variant: str, shortest: float, longest: float, gop: int = 30) -> Kind:
    """A variable frame rate."""

    def make(folder: Path, seconds: int) -> Script:
        times = _uneven(shortest, longest)
        found = material(variant, seconds, 15, folder, gop=gop)
        units = list(itertools.takewhile(lambda unit: times[unit.frame] < seconds, found.units))
        return script(units, codec=found.codec, captured=times.__getitem__, stamp=stamped(times.__getitem__))

    return Kind(make)


def _pause(after: float, lasting: float, *, stamps_go_on: bool) -> Kind:
    """Nothing comes for a while."""

    def captured(frame: int) -> float:
        return frame / 15 + (lasting if frame / 15 >= after else 0)

    def make(folder: Path, seconds: int) -> Script:
        found = material("h264-nob", seconds, 15, folder)
        return script(found, captured=captured, stamp=stamped(captured if stamps_go_on else steady(15)))

    return Kind(make, is_sound=stamps_go_on)


def _jump(distance: float, *, after: float = 7, variant: str = "h264-nob", is_whole: bool = True) -> Kind:
    """Timestamps jump once, frames do not."""

    def stamp(frame: int) -> int:
        moved = distance if frame / 15 >= after else 0
        return 400_000_000 + round((frame / 15 + moved) * TICKS)

    def make(folder: Path, seconds: int) -> Script:
        return script(material(variant, seconds, 15, folder), captured=steady(15), stamp=stamp)

    return Kind(make, is_sound=False, is_whole=is_whole, is_ordered=variant == "h264-nob" or distance > 0)


def _wrap(folder: Path, seconds: int) -> Script:
    """The 32 bits of the timestamp wrap in the middle."""
    first = (1 << 32) - 20 * TICKS
    return script(
        material("h264-closed", seconds, 15, folder),
        captured=steady(15),
        stamp=stamped(steady(15), first=first),
    )


def _stepping_back(folder: Path, seconds: int) -> Script:
    """Now and then a timestamp is earlier than the one before it."""

    def stamp(frame: int) -> int:
        back = 0.12 if frame % 37 == 20 else 0.0
        return 1_000_000 + round((frame / 15 - back) * TICKS)

    return script(material("h264-nob", seconds, 15, folder), captured=steady(15), stamp=stamp)


def _jittered(folder: Path, seconds: int) -> Script:
    """Timestamps are taken at sending, by a clock that trembles."""
    chance = random.Random(3)  # noqa: S311 - a script, no secret
    off = [chance.uniform(-0.02, 0.02) for _ in range(4000)]
    return script(
        material("h264-nob", seconds, 15, folder),
        captured=steady(15),
        stamp=stamped(lambda frame: frame / 15 + off[frame]),
    )


def _network(folder: Path, seconds: int) -> Script:
    """Frames are delayed by up to 80 ms, and now and then by half a second."""
    chance = random.Random(5)  # noqa: S311 - a script, no secret
    late = [chance.uniform(0, 0.08) + (0.5 if chance.random() < 0.02 else 0) for _ in range(4000)]
    return script(
        material("h264-nob", seconds, 15, folder),
        captured=steady(15),
        stamp=stamped(steady(15)),
        delay=late.__getitem__,
    )


def _parameters_change(folder: Path, seconds: int) -> Script:
    before, after = (material(variant, seconds, 15, folder) for variant in ("h264-nob", "h264-closed"))
    at = 30 * 4
    return script([*before.until(at), *after.since(at)], captured=steady(15), stamp=stamped(steady(15)))


def _parameters_once(folder: Path, seconds: int) -> Script:
    """The picture changes, and the new parameter sets come with the first keyframe alone."""
    before, after = (material(variant, seconds, 15, folder) for variant in ("h264-nob", "h264-closed"))
    at = 30 * 4
    first, *others = after.since(at)
    bare = [
        replace(one, units=tuple(nal for nal in one.units if nal[0] & 0x1F not in (7, 8))) for one in others
    ]
    return script([*before.until(at), first, *bare], captured=steady(15), stamp=stamped(steady(15)))


def _joined(variant: str) -> Kind:
    """The connection begins in the middle of a group of pictures."""

    def make(folder: Path, seconds: int) -> Script:
        found = material(variant, seconds, 15, folder)
        made = script(found.units[11:], codec=found.codec, captured=lambda n: n / 15 - 11 / 15,
                      stamp=stamped(steady(15)))  # fmt: skip
        return replace(made, joins_anywhere=True)

    return Kind(make)


def _short(until: int, then: Then, variant: str = "h264-nob") -> Kind:
    """The camera falls silent, or hangs up, before a segment is full: just before it would send a frame."""

    def make(folder: Path, seconds: int) -> Script:
        found = material(variant, seconds, 15, folder)
        return script(
            found.until(until), codec=found.codec, captured=steady(15), stamp=stamped(steady(15)),
            then=then,
        )  # fmt: skip

    return Kind(make, ends_itself=True)


def _left_out(until: int, frame: int) -> Kind:
    """The camera leaves a picture out that the last ones refer to, and hangs up."""

    def make(folder: Path, seconds: int) -> Script:
        found = material("h264-closed", seconds, 15, folder)
        units = [unit for unit in found.until(until) if unit.frame != frame]
        return script(units, captured=steady(15), stamp=stamped(steady(15)), then="close")

    return Kind(make, ends_itself=True, damaged=2)


KINDS: Mapping[str, Kind] = {
    "h264-closed": _plain("h264-closed", 15),
    "h264-open-b": _plain("h264-open-b", 15),
    "h264-nob": _plain("h264-nob", 15),
    "h264-oddgop": _plain("h264-oddgop", 15),
    "hevc-open": _plain("hevc-open", 15),
    "hevc-closed": _plain("hevc-closed", 15),
    "h264-1fps": _plain("h264-nob", 1, gop=3),
    "h264-5fps": _plain("h264-closed", 5, gop=10),
    "h264-25fps-b": _plain("h264-closed", 25, gop=50),
    "h264-60fps": _plain("h264-nob", 60, gop=60),
    "long-gop": _plain("h264-nob", 15, gop=150),
    "uneven": _uneven_source("h264-nob", 0.03, 0.4, gop=10),
    "uneven-b": _uneven_source("h264-closed", 0.03, 0.15, gop=20),
    "declares-25-ships-21": _rate(25, 21),
    "declares-15-ships-15.2": _rate(15, 15.2),
    "silence": _pause(8, 3, stamps_go_on=True),
    "silence-without-time": _pause(8, 3, stamps_go_on=False),
    "jump-600": _jump(600),
    "jump-5": _jump(5),
    "jump-back-1800": _jump(-1800, is_whole=False),
    "jump-back-2": _jump(-2),
    "jump-back-b": _jump(-30, variant="h264-closed", is_whole=False),
    "wrap": Kind(_wrap),
    "stepping-back": Kind(_stepping_back, is_sound=False),  # some stamps are false by 0.07 s
    "trembling": Kind(_jittered),
    "network": Kind(_network),
    "parameters-change": Kind(_parameters_change),
    "parameters-once": Kind(_parameters_once),
    "joined": _joined("h264-closed"),
    "joined-open": _joined("h264-open-b"),
    "short-stall": _short(53, "silence"),
    "short-stall-b": _short(103, "silence", "h264-closed"),
    "hang-up": _short(254, "close", "h264-closed"),
    "hang-up-hevc": _short(252, "close", "hevc-open"),
    "left-out": _left_out(258, 255),
}
