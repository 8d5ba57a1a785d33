"""The keyframes of a segment as fragments of one sample each, for scrubbing.

A keyframe stands somewhere inside the segment's one ``mdat``, and no player can use it without a ``moof`` of
its own. :class:`KeyframeSegment` puts one before each: a hundred bytes, computed from the header, and then
the keyframe's bytes by range. Nothing else of the footage is read. They have no sound.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from archive.errors import IntegrityError, Malformed
from archive.footage.clip.footage import FootageRange, stream_ranges
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.boxes import Box, child
from archive.footage.mp4.header import SampleTable, SegmentHeader, write_header
from archive.footage.mp4.track import read_track, write_init
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore
from archive.timespan import Timespan


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One keyframe: where its fragment lies, what time it stands for, and its bytes in the segment.

    ``start`` and ``length`` are bytes of the whole, ``span`` is wall time (µs) until the next keyframe,
    ``ticks`` the same in 1/90000 s.
    """

    start: int
    length: int
    span: Timespan
    ticks: int
    head: bytes
    source: FootageRange


class KeyframeSegment:
    """``moof`` and ``mdat`` of each keyframe of a segment, one after the other, in order of presentation.

    It has ``size`` bytes, the same each time. ``keyframes`` says where each is.

    Raises:
        IntegrityError: ``segment_unreadable``: there is no keyframe; ``segment_mismatch`` as
            :meth:`archive.footage.clip.wall.WallLine.of`.
    """

    def __init__(self, ref: SegmentRef, header: SegmentHeader, footage: ObjectStore) -> None:
        self._footage = footage
        self.keyframes = _keyframes(ref, header)
        if not self.keyframes:
            raise IntegrityError(f"{ref.key} has no sync sample", code="segment_unreadable")
        self.size = self.keyframes[-1].start + self.keyframes[-1].length

    def span_of(self, start: int, length: int) -> Timespan:
        """The wall time from the first to the last keyframe of which these bytes hold a part."""
        found = self._part(start, start + length)
        return Timespan(found[0].span.start, found[-1].span.end)

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """``length`` bytes from ``start``, or all the rest.

        Raises:
            Malformed: ``bad_range`` outside the whole.
            IntegrityError, Unavailable: as :func:`archive.footage.clip.footage.stream_ranges`.
        """
        end = self.size if length is None else start + length
        if not 0 <= start < end <= self.size:
            raise Malformed(f"the keyframes have {self.size} bytes, not {start} to {end}", code="bad_range")
        return self._stream(start, end)

    def _part(self, start: int, end: int) -> list[Keyframe]:
        first = bisect_right(self.keyframes, start, key=lambda one: one.start) - 1
        return [one for one in self.keyframes[first:] if one.start < end]

    def _stream(self, start: int, end: int) -> Iterator[bytes]:
        for one in self._part(start, end):
            since, until = max(0, start - one.start), min(one.length, end - one.start)
            if since < len(one.head):
                yield one.head[since:until]
            skip, stop = max(0, since - len(one.head)), until - len(one.head)
            if stop > skip:
                wanted = FootageRange(one.source.ref, one.source.start + skip, stop - skip)
                yield from stream_ranges((wanted,), self._footage, None)


def _keyframes(ref: SegmentRef, header: SegmentHeader) -> list[Keyframe]:
    pts, dts, samples = header.presentation_times, header.decode_times, header.samples
    line = WallLine.of(ref, min(pts))
    track = read_track(header.init, child(header.init, Box(b"file", 0, 0, len(header.init)), b"moov"))
    init = write_init(track)
    places = list(accumulate(samples.sizes, initial=header.header_bytes))
    order = sorted(header.syncs, key=pts.__getitem__)
    ends = [*(pts[index] for index in order[1:]), line.first_pts + ref.media_duration]
    found: list[Keyframe] = []
    at = 0
    for index, end in zip(order, ends, strict=True):
        ticks = max(1, end - pts[index])
        size, offset = samples.sizes[index], pts[index] - dts[index]
        table = SampleTable(array("I", (ticks,)), array("I", (size,)), array("i", (offset,)), b"\1")
        head = write_header(track, dts[index], table)[len(init) :]
        instant = line.instant_of(pts[index])
        span = Timespan(instant, max(instant + 1, line.instant_of(pts[index] + ticks)))
        found.append(
            Keyframe(at, len(head) + size, span, ticks, head, FootageRange(ref, places[index], size))
        )
        at += len(head) + size
    return found
