"""The part of a segment that can be shown without a hole: the decodable start and the contiguous end.

A run begins and ends in *decode* order. At its start, samples before the first sync and the leading pictures
of that sync refer to pictures that were never received. At its end, pictures that are decoded early (P
frames before their B frames) may stand beyond pictures that never came. Coverage lies between the two.
"""

from itertools import pairwise
from statistics import median_low

from archive.footage.mp4.header import SegmentHeader

_LONGEST_STEP = 1.5
"""Past the time known to be complete, frames more than this many nominal durations apart leave a hole."""

_DEEPEST_REORDER = 16
"""Pictures that a decoder may hold back (ITU-T H.264, A.3.1; H.265, A.4.2)."""

_SQUEEZED = 8
"""FFmpeg guessed a duration if it is shorter than the nominal one divided by this."""


def first_decodable_pts(header: SegmentHeader) -> int | None:
    """The time from which each picture can be shown at its right place; None without a sync.

    Meant for the first segment of a run. It is the presentation time of the first sync, with one exception:
    if FFmpeg joined just before a sync, it had to guess. Then times are squeezed together and the first
    pictures stand up to 0.3 s early (seen with 5.1 and 9.0, in about one of twenty joins with B-frames). The
    answer is then where the even steps begin.
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

    ``continues_at`` is where the run's previous segment ends (its ``first_pts`` + decode duration), None for
    the first of a run. A run may end so soon after a sync that its leading pictures are missing: then this
    segment begins beyond a hole, and the answer is ``continues_at``.

    Apart from negative offsets, no later sample can be shown before the end of decoding: each picture before
    that time is here. Beyond it, pictures count as long as each follows the previous one within 1.5 nominal
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
