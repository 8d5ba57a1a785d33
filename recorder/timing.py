"""From media time to wall time (design: segments and time). Pure: no clock is read here.

Inside a run the media timeline is exact and the wall clock is observed: once per segment the recorder notes
when the first packet of the next one arrived. A packet can be late but never early, so the least-delayed
observation is the best one. Rules:

1. A run is *anchored* at its first observation of the steady state: packets in the first seconds of a
   connection are late by the time that FFmpeg took to analyse the stream. Until then segments wait. The
   least-delayed observation so far gives the start.
2. Later starts follow the media timeline, slewed towards the least-delayed of the last three observations
   by at most 500 ppm.
3. A camera whose clock is off by more than that for three segments (some declare 25 fps and deliver 21) is
   *followed*: segments start when their first packet arrives and are flagged ``timestamps_unreliable``,
   until three segments fit again.
4. A segment whose media spans far more than the elapsed time holds a jump of the camera's timestamps. It is
   dated by arrival alone, in a run of its own.
5. The end of a segment is the start of the next one; a run's last segment ends with its media.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from archive.canonical import JsonObject
from archive.model.segment import TIMESCALE, ClockStatement
from archive.timespan import SECOND, Timespan

SLEW_PPM = 500
SETTLED = 6 * SECOND
"""FFmpeg analyses a stream for up to 5 s; later packets arrive as the camera sends them."""
FLOOR = SECOND // 10
"""Encoding and network delay, which no observation shows."""
JITTER = SECOND // 10
"""Between segments the arrivals of a sound camera differ by less than this."""
LAG = 3 * SECOND // 10
"""A larger difference should have been closed by slewing."""
REORDERED = 15 * SECOND // 100
"""Two pictures at 15 frames a second."""
PERSISTENCE = 3
OVERLAP = SECOND
"""A connection cannot begin before the previous one ended: an overlap up to this is shifted."""

JUMP = 15 * SECOND
"""No packet arrives before its time. One that is earlier than a connection's buffering allows is false."""

UNRELIABLE = "timestamps_unreliable"
AMBIGUOUS = "ambiguous"
UNSYNCHRONISED = "unsynchronised"


@dataclass(frozen=True, slots=True)
class Piece:
    """A closed segment on the media timeline, in ticks of 1/90000 s: from ``first_pts`` for ``duration``.

    ``lead`` is how much later than ``first_pts`` its first packet is shown (open GOP); the next segment is
    assumed to have the same.
    """

    first_pts: int
    duration: int
    lead: int = 0


@dataclass(frozen=True, slots=True)
class Timed:
    """A piece with its wall time, and the state of the timeline after it, from which a restart continues."""

    piece: Piece
    span: Timespan
    clock: ClockStatement
    state: JsonObject


@dataclass(slots=True)
class _Anchor:
    """The timeline once anchored. Offsets are wall time minus media time, µs."""

    start: int
    error: int
    offsets: list[int]
    drifting: int = 0
    lagging: int = 0
    fitting: int = 0
    following: bool = False


@dataclass(slots=True)
class RunTimeline:
    """The wall times of one run's segments.

    ``not_before`` is where the camera's coverage or gaps ended before the run. ``is_settled`` says that the
    connection was already steady when the run began (only a clock step separates the run from the last).
    """

    not_before: int | None = None
    is_settled: bool = False
    _origin: int | None = None
    _waiting: list[Piece] = field(default_factory=list)
    _seen: list[int] = field(default_factory=list)
    _anchor: _Anchor | None = None

    @classmethod
    def resume(cls, state: JsonObject, *, not_before: int | None) -> "RunTimeline":
        """Continue from the state kept with a segment."""
        fields: dict[str, Any] = dict(state)
        origin = fields.pop("origin")
        return cls(not_before=not_before, _origin=origin, _anchor=_Anchor(**fields))

    def begin(self, arrival: int) -> None:
        """For a settled run: record when its first packet arrived."""
        self._seen.append(arrival)

    def has_jumped(self, piece: Piece, next_arrival: int, *, began: int) -> bool:
        """Whether a segment's media spans more than the time until the next one's first packet arrived.

        ``began`` is when the connection was opened (0: unknown); it bounds the first segment of all.
        """
        origin = piece.first_pts if self._origin is None else self._origin
        media_end = (piece.first_pts + piece.duration + piece.lead - origin) * SECOND // TIMESCALE
        observed = next_arrival - media_end
        if self._anchor is not None and self._anchor.offsets:
            earliest = min(self._anchor.offsets)
        elif self._seen:
            earliest = min(self._seen)
            if self._origin is None:
                earliest -= piece.lead * SECOND // TIMESCALE
        elif began:
            earliest = began
        else:
            return False
        return observed < earliest - JUMP

    def date_by_arrival(self, piece: Piece, start: int, end: int) -> Timed:
        """A run of one segment with a jump in it: only ``start`` and ``end`` are known of its times."""
        self._origin = piece.first_pts
        offset = end - piece.duration * SECOND // TIMESCALE
        anchor = self._anchor = _Anchor(start, 0, [offset], following=True)
        return self._emit(anchor, piece, end, end - start, 0)

    def close(self, piece: Piece, next_arrival: int | None) -> list[Timed]:
        """A segment ended; the next one's first packet arrived at ``next_arrival`` (None: not observed).

        Returns:
            The segments whose times are now final, in order; empty while the run waits for its anchor.
        """
        if self._origin is None:
            self._origin = piece.first_pts
            if self.is_settled and self._seen:
                self._seen[0] -= self._media(piece.first_pts + piece.lead)
        observed: int | None = None
        end = piece.first_pts + piece.duration
        if next_arrival is not None:
            observed = next_arrival - self._media(end + piece.lead)
        if self._anchor is not None:
            return [self._advance(self._anchor, piece, observed)]
        self._waiting.append(piece)
        if observed is not None:
            self._seen.append(observed)
        if self._seen and (self.is_settled or (observed is not None and self._media(end) >= SETTLED)):
            return self._anchor_at(min(self._seen), widened=0)
        return []

    def finish(self, *, last_written: int, doubt: int) -> list[Timed]:
        """The run is over; returns the segments that still waited.

        If no arrival was observed, the run ends when its last segment was last written, which is late by at
        most ``doubt``.
        """
        if not self._waiting:
            return []
        if self._seen:
            spread = max(self._seen) - min(self._seen)
            return self._anchor_at(min(self._seen), widened=spread)
        last = self._waiting[-1]
        return self._anchor_at(last_written - self._media(last.first_pts + last.duration), widened=doubt)

    def _media(self, ticks: int) -> int:
        """Microseconds from the run's origin."""
        return (ticks - (self._origin or 0)) * SECOND // TIMESCALE

    def _anchor_at(self, offset: int, *, widened: int) -> list[Timed]:
        first = self._waiting[0]
        start = offset + self._media(first.first_pts)
        pushed = 0
        if self.not_before is not None and 0 < self.not_before - start <= OVERLAP and not self.is_settled:
            pushed = self.not_before - start
        offset += pushed
        error = -pushed
        anchor = _Anchor(start + pushed, error, (self._seen or [offset])[-PERSISTENCE:])
        self._anchor = anchor
        timed: list[Timed] = []
        for piece in self._waiting:
            end = offset + self._media(piece.first_pts + piece.duration)
            timed.append(self._emit(anchor, piece, end, widened + pushed, error))
        self._waiting = []
        return timed

    def _advance(self, anchor: _Anchor, piece: Piece, observed: int | None) -> Timed:
        media_end = self._media(piece.first_pts + piece.duration)
        length = media_end - self._media(piece.first_pts)
        predicted = anchor.start + length
        if observed is None:
            return self._emit(anchor, piece, predicted, 0, anchor.error)
        allowance = max(1, length * SLEW_PPM // 1_000_000)
        change = observed - anchor.offsets[-1] if anchor.offsets else 0
        anchor.offsets = [*anchor.offsets, observed][-PERSISTENCE:]
        lag = min(anchor.offsets) - (predicted - media_end)
        anchor.drifting = _run_of(anchor.drifting, change, allowance + JITTER)
        anchor.lagging = _run_of(anchor.lagging, lag, allowance + LAG)
        anchor.fitting = anchor.fitting + 1 if abs(change) <= allowance + JITTER else 0
        if anchor.following:
            anchor.following = anchor.fitting < PERSISTENCE
        elif PERSISTENCE in (abs(anchor.drifting), abs(anchor.lagging)):
            anchor.following = True
            anchor.lagging = anchor.fitting = 0
        if anchor.following:
            # Never backwards: the next segment makes the rest of a large correction.
            end = max(observed + media_end, anchor.start + max(1, length // 10))
            widened = abs(end - predicted)
        else:
            end = predicted + max(-allowance, min(allowance, lag))
            widened = max(anchor.offsets) - min(anchor.offsets)
        return self._emit(anchor, piece, end, widened, observed - (end - media_end))

    def _emit(self, anchor: _Anchor, piece: Piece, end: int, widened: int, next_error: int) -> Timed:
        flags: tuple[str, ...] = (UNRELIABLE,) if anchor.following else ()
        if self.not_before is not None and anchor.start < self.not_before:
            flags = (*flags, AMBIGUOUS)
        clock = ClockStatement(
            source="arrival",
            offset_us=anchor.error,
            uncertainty_us=FLOOR + max(abs(anchor.error), abs(next_error)) + widened,
            flags=flags,
        )
        span = Timespan(anchor.start, end)
        anchor.start, anchor.error = end, next_error
        return Timed(piece, span, clock, self._state(anchor))

    def _state(self, anchor: _Anchor) -> JsonObject:
        return {
            "origin": self._origin,
            "start": anchor.start,
            "error": anchor.error,
            "offsets": list(anchor.offsets),
            "drifting": anchor.drifting,
            "lagging": anchor.lagging,
            "fitting": anchor.fitting,
            "following": anchor.following,
        }


def _run_of(count: int, value: int, limit: int) -> int:
    """How many times in a row ``value`` was beyond ``limit`` on the same side; signed by the side."""
    if value > limit:
        return max(count, 0) + 1
    if value < -limit:
        return min(count, 0) - 1
    return 0


def camera_time(
    references: Sequence[tuple[int, int]], *, first_pts: int, end_pts: int, span: Timespan
) -> int | None:
    """The camera's own clock at a segment's first sample, from its producer reference times; None if unknown.

    ``references`` are (wall time in µs, presentation time in ticks). Until a camera reports its clock (RTCP),
    FFmpeg writes this machine's clock at the moment it writes a fragment, which is when the next one begins;
    a reference that fits that moment does not count as the camera's. FFmpeg gives a picture the time of the
    one that follows it in the stream, so with B-frames references are a few pictures off. The answer is the
    median of those that agree with the last one to within :data:`REORDERED`; a single one proves nothing.
    """

    def wall(pts: int) -> int:
        share = (pts - first_pts) * span.duration
        return span.start + share // max(1, end_pts - first_pts)

    following = [pts for _, pts in references[1:]] + [end_pts]
    offsets = [
        at - (pts - first_pts) * SECOND // TIMESCALE
        for (at, pts), next_pts in zip(references, following, strict=False)
        if not -JITTER <= at - wall(next_pts) <= LAG
    ]
    agreeing = [offset for offset in offsets if abs(offset - offsets[-1]) <= REORDERED]
    return median_low(agreeing) if len(agreeing) > 1 else None
