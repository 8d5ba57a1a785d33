"""Pauses: stretches inside a segment in which no new picture came.

A camera that freezes for a few seconds in a connection that goes on leaves one picture that lasts until the
next. That is no gap, since the footage goes on; but what happened meanwhile is not shown: the leaf says so.

The rule: the time from one picture to the next, in order of presentation, is a pause if it is longer than
:data:`PAUSE` and longer than :data:`TIMES` times the usual distance of pictures. That is the median of the
segment's own, or of those of the run's segment before it, whichever is shorter: where a segment holds hardly
more than the pause, the one before it tells what is usual. So a camera that sends a picture every 5 s states
none, and one that slows down to that states them in its first slow segment only.
"""

from itertools import pairwise

from archive.footage.mp4.bridge import even_step
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import TIMESCALE

PAUSE = 2 * TIMESCALE
"""No shorter distance of two pictures is a pause (ticks)."""
TIMES = 4
"""So many usual distances are no pause either: a camera of one picture a second leaves out a few at times."""
MOST = 20
"""A leaf states at most so many: S3 keeps 2 KB of an object's metadata, and the leaf must fit into it."""


def pauses(header: SegmentHeader, lasts: int, usual: int = 0) -> list[tuple[int, int]]:
    """The pauses of a segment whose footage lasts for ``lasts`` ticks, in order.

    Each is a picture's time and that of the next, in ticks from the first picture; the segment's last picture
    lasts until ``lasts``. ``usual`` is the usual distance of pictures in the run before it; 0: not known. Of
    more than :data:`MOST` the longest are returned.
    """
    samples = header.samples
    longest = max(samples.durations) + max(samples.offsets) - min(samples.offsets)
    if longest + max(0, lasts - header.decode_duration) <= PAUSE:  # No two pictures are farther apart.
        return []
    known = [one for one in (even_step(samples), usual) if one > 0]
    least = max(PAUSE, TIMES * min(known, default=0))
    first = header.first_pts
    times = sorted({pts - first for pts in header.presentation_times if pts - first < lasts} | {lasts})
    found = [(shown, after) for shown, after in pairwise(times) if after - shown > least]
    return sorted(sorted(found, key=lambda one: one[0] - one[1])[:MOST])
