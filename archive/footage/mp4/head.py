"""The first pictures of an RTSP connection, whose times FFmpeg does not know.

FFmpeg gives no presentation time to the first picture of a connection, and no decode time to the first few
of a stream with B-frames. It would guess, and move pictures whose times it knows out of the way of its
guesses. So the recorder has it mark the decode times of the first pictures (:data:`MARKED` of them,
:data:`STEP` apart, before all others): presentation times stay as the camera sent them, except the first one,
which is absent. Here the marks are replaced by decode times as they are in the rest of the stream.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median_low

from archive.footage.mp4.fragments import Fragmented
from archive.footage.mp4.samples import SampleTable

MARKED = 7
"""Streams are reordered by at most a few pictures in practice; these cover a depth of six."""
STEP = 90_001
"""Ticks between marks, over a second, so that each marked picture is written to disk at once. No camera's
steps are like this."""
ABSENT = -MARKED * STEP
"""What stands for the first picture's presentation time if it has none: its own mark."""

_LOOK = 32
_EVEN = 1.2
_HOLE = (1.5, 2.5)


def settle_head(found: Fragmented) -> Fragmented:
    """Replace marks by decode times. A source without marks, or with marks out of order, stays as it is.

    The absent time is one step before the earliest of the others, or in the hole that its leading pictures
    leave (open GOP): at most :data:`MARKED` lead. Where the frame rate varies the length of that step is the
    median of those that follow.
    """
    table = found.samples
    count = min(MARKED, len(table))
    if len(table) < 2 or any(lasts != STEP for lasts in table.durations[: min(MARKED - 1, len(table) - 1)]):
        return found
    decode = table.decode_times(found.tfdt)
    shown = table.presentation_times(found.tfdt)
    others = sorted(shown[1:])
    steps = [after - before for before, after in pairwise(others[:_LOOK])]
    nominal = max(1, median_low(steps)) if steps else table.durations[-1]
    if table.offsets[0] == 0:
        shown[0] = _first_of(shown[1], others, nominal)
    in_order = sorted(shown)
    depth = max(index - bisect_left(in_order, pts) for index, pts in enumerate(shown[: count + _LOOK]))
    if len(table) > count:
        depth = max(depth, count - bisect_left(in_order, decode[count]))
    settled = [
        in_order[index - depth] if index >= depth else in_order[0] - (depth - index) * nominal
        for index in range(count)
    ]
    following = decode[count] if len(table) > count else settled[-1] + nominal
    lasts = [after - before for before, after in pairwise([*settled, following])]
    if min(lasts) < 1:
        return found
    durations = array("I", [*lasts, *table.durations[count:]])
    starts = [*settled, *decode[count:]]
    offsets = array("i", [pts - dts for pts, dts in zip(shown, starts, strict=True)])
    return replace(found, samples=SampleTable(durations, table.sizes, offsets, table.sync), tfdt=settled[0])


def _first_of(second: int, others: Sequence[int], nominal: int) -> int:
    """The presentation time of the first picture, from those of all others, in order."""
    for place, (before, after) in enumerate(pairwise(others[: MARKED + 1])):
        if _HOLE[0] * nominal < after - before < _HOLE[1] * nominal and second <= before:
            steps = [b - a for a, b in pairwise(others[:_LOOK])]
            steps.pop(place)
            if max(steps, default=0) <= _EVEN * nominal:
                return before + nominal
    return others[0] - nominal
