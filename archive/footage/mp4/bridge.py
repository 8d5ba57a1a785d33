"""Durations for a segment inside which the camera's timestamps jumped.

Its sample table has one false duration (the step forward), or many (pictures that FFmpeg squeezed together,
one tick apart, because their times went back). All others are right. So if it is known how long the segment
lasted, the false ones follow: the step gets what remains, or the squeezed pictures share it. Then a picture
before or after the jump stands where it was taken, and a player does not wait for hours at the jump.

Where pictures are reordered (B-frames), nobody knows which of them belong before the step.
"""

from array import array
from dataclasses import dataclass
from statistics import median_low

from archive.footage.mp4.samples import SampleTable

SQUEEZED = 1
"""The duration that FFmpeg gives a picture before one whose time went back."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """True ``durations``; ``strange`` is by how many ticks the replaced ones differ from even steps."""

    durations: "array[int]"
    strange: int


def bridge(samples: SampleTable, lasts: int) -> Bridge | None:
    """The durations if all pictures together lasted ``lasts`` ticks; None if the table does not tell."""
    if len(set(samples.offsets)) != 1:
        return None
    durations = array("I", samples.durations)
    if durations[-2:-1] == array("I", [SQUEEZED]):
        durations[-1] = SQUEEZED  # FFmpeg guessed it from a time that nobody knows
    missing = lasts - sum(durations)
    even = even_step(samples)
    if missing > 0:
        places = [place for place, one in enumerate(durations) if one == SQUEEZED]
        if not places:
            return None
        share, rest = divmod(missing, len(places))
        for number, place in enumerate(places):
            durations[place] += share + (number < rest)
        return Bridge(durations, abs(SQUEEZED + share - even) * len(places))
    longest = max(range(len(durations)), key=durations.__getitem__)
    left = durations[longest] + missing
    if left < 1:
        return None
    durations[longest] = left
    return Bridge(durations, abs(left - even))


def even_step(samples: SampleTable) -> int:
    """The usual duration of a picture, squeezed ones left out; 0 without any."""
    return median_low([one for one in samples.durations if one != SQUEEZED] or [0])
