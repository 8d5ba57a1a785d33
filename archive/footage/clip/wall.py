"""Wall time and media time of one segment, exact in both directions.

Inside a segment wall time is linear in presentation time (design: segments and time)::

    wall(pts) = start + (pts − first_pts) · (end − start) / media_duration

with wall time in µs and pts in ticks of 1/90000 s. Wall time is a rational number in general; a frame's
*instant* is that number rounded down to the microsecond. Edges of a requested span are whole microseconds,
so ``from ≤ wall(pts) < to`` and ``from ≤ instant < to`` choose the same frames, and integers are enough.
"""

from dataclasses import dataclass

from archive.errors import IntegrityError
from archive.model.segment import SegmentRef


@dataclass(frozen=True, slots=True)
class WallLine:
    """The line of one segment: from ``first_pts``, at ``start``, ``ticks`` pass in ``duration`` µs."""

    start: int
    duration: int
    first_pts: int
    ticks: int

    @classmethod
    def of(cls, ref: SegmentRef, first_pts: int) -> "WallLine":
        """The line of a segment whose smallest presentation time is ``first_pts``.

        Raises:
            IntegrityError: ``segment_mismatch`` when the index states no media duration.
        """
        if ref.media_duration < 1:
            raise IntegrityError(
                f"the index gives {ref.key} a duration of {ref.media_duration} ticks",
                code="segment_mismatch",
                hint="Rebuild the index; if the error stays, run saksi archive check.",
            )
        return cls(ref.span.start, ref.span.duration, first_pts, ref.media_duration)

    def tick_at(self, instant: int) -> int:
        """The smallest presentation time whose wall time is at or after ``instant``."""
        return self.first_pts - (self.start - instant) * self.ticks // self.duration

    def instant_of(self, pts: int) -> int:
        """The wall time of a presentation time, rounded down to the microsecond."""
        return self.start + (pts - self.first_pts) * self.duration // self.ticks
