"""What happens in a storm and when: drawn from a seed, and what each fault may be the cause of."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.model.gap import GapCause
from tests.support.storm_camera import Mode


class Trouble(StrEnum):
    """What befalls the recorder and its servers."""

    KILL = "recorder killed"
    STORE = "object store down"
    INDEX = "index down"
    DISK = "disk full"


RIGHT_CAUSES = {
    Mode.CUT: {GapCause.UNREACHABLE},
    Mode.FROZEN: {GapCause.STALLED},
    Mode.HUNG: {GapCause.STALLED},
    Mode.PASSWORD: {GapCause.AUTH_FAILED},
    Mode.CHANGED: {GapCause.CONNECTING},
    Trouble.KILL: {GapCause.RECORDER_RESTART},
    Trouble.DISK: {GapCause.SPOOL_FULL},
    Trouble.STORE: set(),
    Trouble.INDEX: set(),
}
"""What a gap that a fault made may give as its cause. Servers that are down are no reason for a gap."""

BRIEF = 12.0
"""A gap may begin so shortly before a fault's end (s) that the camera is asked why when it is sound again."""
FAULTS = (Mode.CUT, Mode.FROZEN, Mode.HUNG, Mode.PASSWORD, Mode.CHANGED)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault, in seconds since the storm's begin; ``camera`` is 0 for one that befalls all."""

    start: float
    end: float
    kind: Mode | Trouble
    camera: int = 0


def causes_of(fault: Fault, begins: float) -> set[GapCause]:
    """What a gap that ``begins`` then may give as its cause where this fault made it.

    A camera that ended the connection and answers as it should when it is asked is a ``stream_error``.
    """
    is_over_soon = isinstance(fault.kind, Mode) and begins > fault.end - BRIEF
    return RIGHT_CAUSES[fault.kind] | ({GapCause.STREAM_ERROR} if is_over_soon else set())


@dataclass(frozen=True, slots=True)
class Plan:
    """A storm's length in seconds, and its faults in order."""

    seconds: float
    faults: Sequence[Fault]

    def of(self, camera: int) -> Iterator[Fault]:
        """The faults that befall a camera."""
        return (fault for fault in self.faults if fault.camera in (0, camera))


def drawn(seed: int, *, seconds: float, cameras: int, down: float, kills: int) -> Plan:
    """A long storm; ``down`` is how long each server is away.

    All kills come in the first 60 %, so that the memory of the recorder's last life can be watched. The last
    90 s are quiet.
    """
    dice = random.Random(seed)  # noqa: S311 - a seeded storm, no secret
    faults = [
        fault for camera in range(1, cameras + 1) for fault in _of_camera(dice, camera, until=seconds - 90)
    ]
    store = dice.uniform(0.08, 0.16) * seconds
    index = dice.uniform(0.08, 0.16) * seconds + store + down
    faults += [Fault(store, store + down, Trouble.STORE), Fault(index, index + down, Trouble.INDEX)]
    full = dice.uniform(0.72, 0.8) * seconds
    faults.append(Fault(full, full + 30, Trouble.DISK))
    slot = 0.57 * seconds / max(1, kills)
    for number in range(kills):
        at = 0.03 * seconds + slot * (number + dice.uniform(0, 0.7))
        faults.append(Fault(at, at + 1, Trouble.KILL))
    return Plan(seconds, sorted(faults))


def each_once(*, with_disk: bool) -> Plan:
    """A short storm for three cameras: each fault once, in 44 s."""
    faults = [
        Fault(5, 9, Mode.CUT, 1), Fault(5, 17, Mode.FROZEN, 2), Fault(5, 9, Mode.PASSWORD, 3),
        Fault(12, 20, Trouble.STORE), Fault(14, 15, Trouble.KILL),
        Fault(21, 27, Mode.CHANGED, 1), Fault(21, 32, Mode.HUNG, 3), Fault(22, 30, Trouble.INDEX),
        *([Fault(33, 37, Trouble.DISK)] if with_disk else []),
    ]  # fmt: skip
    return Plan(44, sorted(faults))


def _of_camera(dice: random.Random, camera: int, *, until: float) -> Iterator[Fault]:
    at = dice.uniform(15, 60)
    while at < until:
        end = min(at + dice.uniform(3, 45), until)
        yield Fault(at, end, dice.choice(FAULTS), camera)
        at = end + dice.uniform(20, 150)
