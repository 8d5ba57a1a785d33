"""The keyframes of segments by wall time, from their headers: tiles of one keyframe decode it once."""

from bisect import bisect_right
from collections.abc import Callable

from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import SegmentRef


class Keyframes:
    """The keyframes of the segments of one sheet. ``read`` gives a segment's header."""

    def __init__(self, read: Callable[[SegmentRef], SegmentHeader]) -> None:
        self._read = read
        self._known: dict[SegmentRef, list[int]] = {}

    def at(self, ref: SegmentRef, instant: int) -> int | None:
        """The instant of the last keyframe at or before ``instant``, else of the first; None without one.

        Raises:
            IntegrityError: the segment is missing or contradicts the index.
            Unavailable: the store does not answer.
        """
        if ref not in self._known:
            header = self._read(ref)
            pts = header.presentation_times
            line = WallLine.of(ref, min(pts))
            self._known[ref] = sorted(
                line.instant_of(one) for one, sync in zip(pts, header.samples.sync, strict=True) if sync
            )
        found = self._known[ref]
        return found[max(0, bisect_right(found, instant) - 1)] if found else None
