"""What of a segment can be shown without a hole: the decodable start and the contiguous end.

A run begins and ends in *decode* order. At its start, samples before the first sync and the leading pictures
of that sync refer to pictures that were never received. At its end, pictures that are decoded early (P
frames before their B frames) may stand beyond pictures that never came. Coverage is what lies between.
"""

from itertools import pairwise
from statistics import median_low

from archive.footage.mp4.header import SegmentHeader

_LONGEST_STEP = 1.5
"""Beyond what is known to be complete, frames this many nominal durations apart are no neighbours."""

_DEEPEST_REORDER = 16
"""Pictures a decoder may hold back (ITU-T H.264, A.3.1; H.265, A.4.2)."""

_SQUEEZED = 8
"""A duration of less than this part of the nominal one was made up."""


def first_decodable_pts(header: SegmentHeader) -> int | None:
    """From when on each picture can be shown and stands in its place; None without a sync.

    Meant for the first segment of a run. It is the presentation time of the first sync, except where FFmpeg,
    joining just before a sync, had to guess: then times are squeezed together and the first pictures stand up
    to 0.3 s early (seen with 5.1 and 9.0, in about one join of twenty with B-frames). The answer is then
    where the even steps begin.
    """
    first = header.samples.sync.find(1)
    if first < 0:
        return None
    times = header.presentation_times
    nominal = median_low(header.samples.durations)
    if min(header.samples.durations[first : first + _DEEPEST_REORDER]) * _SQUEEZED > nominal:
        return times[first]
    shown = sorted(time for time in times[first:] if time >= times[first])[: _DEEPEST_REORDER + 1]
    start = times[first]
    for one, following in pairwise(shown):
        if not nominal <= (following - one) * _SQUEEZED <= _LONGEST_STEP * _SQUEEZED * nominal:
            start = following
    return start


def contiguous_end(header: SegmentHeader, continues_at: int | None = None) -> int:
    """The presentation time up to which nothing is missing, if no further sample ever comes.

    ``continues_at`` is where the run's segment before this one ends (its ``first_pts`` + decode duration),
    None for the first of a run. A run may end so soon after a sync that its leading pictures are missing:
    then this segment begins beyond a hole, and the answer is ``continues_at``.

    No later sample can be shown before the end of decoding, but for negative offsets: each picture before
    that time is here. Beyond it, pictures count as long as each follows the one before within 1.5 nominal
    durations.
    """
    times = sorted(header.presentation_times)
    nominal = median_low(header.samples.durations)
    longest = _LONGEST_STEP * nominal
    if continues_at is not None and times[0] - continues_at > longest - nominal:
        return continues_at
    complete = header.tfdt + header.decode_duration + min(0, *header.samples.offsets)
    for shown, following in pairwise(times):
        if following >= complete and following - shown > longest:
            return shown + nominal
    return times[-1] + nominal
