"""What some bytes of a segment show: the wall time of the pictures of which they hold a part.

Custody says with it what a viewer was really sent when only a part of a segment left. Nothing is understated:
a picture counts as shown from its first byte on.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate

from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import SegmentRef
from archive.timespan import Timespan

Source = Callable[[int, int], tuple[int, int]]
"""Tells from where to where the bytes ``[start, end)`` of a piece lie in the segment's object."""


def after(skipped: int) -> Source:
    """The source of a piece that is the object without its first bytes."""
    return lambda start, end: (skipped + start, skipped + end)


def seen_through(
    ref: SegmentRef, header: SegmentHeader, source: Source
) -> Callable[[int, int], Timespan | None]:
    """Tells the wall time that ``length`` bytes of a piece from ``start`` show."""
    return lambda start, length: span_of_bytes(ref, header, *source(start, start + length))


def heard_through(
    ref: SegmentRef, header: SegmentHeader, source: Source
) -> Callable[[int, int], Timespan | None]:
    """Tells the wall time of the sound in some bytes of a piece: the segment's, from its first byte on."""
    sound = header.sound
    if sound is None:
        return lambda _start, _length: None
    return lambda start, length: ref.span if source(start, start + length)[1] > sound.start else None


def span_of_bytes(ref: SegmentRef, header: SegmentHeader, start: int, end: int) -> Timespan | None:
    """The wall time that the bytes ``[start, end)`` of a segment's object show; None if no picture.

    It reaches from the first picture that they hold a part of to the end of the last one.
    """
    whole = start <= header.header_bytes and end >= header.header_bytes + sum(header.samples.sizes)
    if whole or ref.media_duration < 1:
        return ref.span
    places = list(accumulate(header.samples.sizes, initial=header.header_bytes))
    first, last = max(0, bisect_right(places, start) - 1), bisect_left(places, end)
    pts = header.presentation_times
    found = pts[first:last]
    if not found:
        return None
    line = WallLine.of(ref, min(pts))
    following = [one for one in pts if one > max(found)]
    begins = line.instant_of(min(found))
    ends = line.instant_of(min(following)) if following else ref.span.end
    return Timespan(begins, max(begins + 1, ends))
