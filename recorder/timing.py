"""From media time to wall time (design: segments and time). Pure: no clock is read here.

Inside a run the media timeline is exact and the wall clock is observed: once per segment the recorder notes
when the next one began to arrive, and in a connection's first segment also when its fragments were written
(:mod:`recorder.growth`). A packet can be late but never early, so the least-delayed observation is the best
one. Rules:

1. A run is *anchored* at its first observation of the steady state: packets in the first seconds of a
   connection are late by the time that FFmpeg took to analyse the stream. Until then segments wait. The
   least-delayed observation so far gives the start; if later ones are more delayed, the uncertainty grows
   by that. In a connection that was steady when the run began, also if earlier ones were.
2. Later starts follow the media timeline, slewed towards the least-delayed of the last three observations
   by at most 500 ppm.
3. A camera whose clock is off by more than that (some declare 25 fps and deliver 21) is *followed*:
   segments start when their first packet arrives and are flagged ``timestamps_unreliable``, until five
   segments in a row fit again. A packet is never early, so one that arrives before its time, by more than
   jitter explains, is proof enough. Late ones prove it after three segments, or at once if the lateness
   of a new connection grows evenly.
4. A segment holds a jump of the camera's timestamps if its media disagrees with the elapsed time *and* its
   sample table shows a step of that size, or pictures that FFmpeg squeezed together because their times went
   back. It is dated by arrival alone, in a run of its own.
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
LAG = 15 * SECOND // 100
"""A larger difference should have been closed by slewing."""
OWN_CLOCK = 3 * SECOND // 10
"""How late after the moment of writing a reference still looks like this machine's clock."""
REORDERED = 15 * SECOND // 100
"""Two pictures at 15 frames a second."""
PERSISTENCE = 3
STEADY = 5
"""A drift that stays below jitter from one segment to the next shows over so many."""
EVENLY = JITTER // 2
"""Lateness that grows along a line is drift if no observation is farther from that line."""
OVERLAP = SECOND
"""A connection cannot begin before the previous one ended: an overlap up to this is shifted."""

JUMP = 15 * SECOND
"""No packet arrives before its time. One that is earlier than a connection's buffering allows is false."""
SMALL_JUMP = SECOND
"""With a step in the sample table as a second witness this is enough. The uncertainty covers smaller ones."""

UNRELIABLE = "timestamps_unreliable"
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Piece:
    """A closed segment on the media timeline, in ticks of 1/90000 s: from ``first_pts`` for ``duration``.

    The arrival of a segment is noticed when its second or third picture in the stream begins to arrive, which
    left after the latest of them was taken. ``lead`` is how much later than ``first_pts`` that is, and
    ``next_lead`` the same for the next segment. ``step`` is the longest time between pictures.
    ``squeezed`` counts pictures whose times FFmpeg had to invent, because the camera's went back, out of
    ``pictures``; ``begins_squeezed`` says that the first ones are among them. ``blur`` is how far pictures
    may stand from their times: how long one may wait for those that are decoded before it, and what squeezing
    took. ``sightings`` are further observations: (wall time in µs, presentation time of the latest picture
    taken by then).
    """

    first_pts: int
    duration: int
    lead: int = 0
    next_lead: int = 0
    step: int = 0
    squeezed: int = 0
    pictures: int = 0
    begins_squeezed: bool = False
    blur: int = 0
    sightings: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Timed:
    """A piece with its wall time, and the state of the timeline after it, from which a restart continues."""

    piece: Piece
    span: Timespan
    clock: ClockStatement
    state: JsonObject


@dataclass(slots=True)
class _Anchor:
    """The timeline once anchored. Offsets are wall time minus media time, µs.

    ``pace`` is how fast they grew over the last segment, in ppm: where no arrival is observed, a camera that
    is followed is taken to go on so.
    """

    start: int
    error: int
    offsets: list[int]
    drifting: int = 0
    lagging: int = 0
    fitting: int = 0
    following: bool = False
    pace: int = 0


@dataclass(slots=True)
class RunTimeline:
    """The wall times of one run's segments.

    ``not_before`` is where the camera's coverage or gaps ended before the run. ``is_settled`` says that the
    connection was already steady when the run began (only a clock step separates the run from the last).
    """

    not_before: int | None = None
    is_settled: bool = False
    _origin: int | None = None
    _waiting: list[tuple[Piece, int | None]] = field(default_factory=list)
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
        """Whether the camera's timestamps jumped inside a segment, forward or back.

        ``next_arrival`` is when the next one began to arrive. ``began`` is when the connection was opened (0:
        unknown); it bounds the first segment of all.
        """
        origin = piece.first_pts if self._origin is None else self._origin
        media_end = (piece.first_pts + piece.duration + piece.next_lead - origin) * SECOND // TIMESCALE
        observed = next_arrival - media_end
        if self._anchor is not None and self._anchor.offsets:
            earliest = latest = min(self._anchor.offsets)
        elif self._seen:
            earliest = latest = min(self._seen)
            if self._origin is None:
                earliest -= piece.lead * SECOND // TIMESCALE
                latest = earliest
        else:
            seen = [at - (shown - origin) * SECOND // TIMESCALE for at, shown in piece.sightings]
            earliest, latest = max([began, *seen]), min([*seen, observed])
            if not earliest:
                return False
        ahead, behind = earliest - observed, observed - latest
        step = piece.step * SECOND // TIMESCALE
        has_stepped = ahead > SMALL_JUMP and 2 * step > ahead
        is_mostly_squeezed = 2 * piece.squeezed > piece.pictures
        went_back = piece.squeezed > 0 and (behind > SMALL_JUMP or is_mostly_squeezed)
        if self.is_settled and self._origin is None and piece.begins_squeezed:
            went_back = True  # The segment before ended amid such pictures; the run cannot be dated by these.
        return ahead > JUMP or has_stepped or went_back

    def date_by_arrival(self, piece: Piece, start: int, end: int, *, strange: int | None) -> Timed:
        """A run of one segment with a jump in it: only ``start`` and ``end`` are known of its times.

        If its media was made to last as long, what is ``strange`` about it (ticks) shows how far the three
        disagree. None: pictures may stand anywhere.
        """
        self._origin = piece.first_pts
        offset = end - piece.duration * SECOND // TIMESCALE
        anchor = self._anchor = _Anchor(start, 0, [offset], following=True)
        widened = end - start
        if strange is not None:
            widened = min(widened, JITTER + strange * SECOND // TIMESCALE)
        return self._emit(anchor, piece, end, widened, 0)

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
            observed = next_arrival - self._media(end + piece.next_lead)
        if self._anchor is not None:
            return [self._advance(self._anchor, piece, observed)]
        self._waiting.append((piece, observed))
        self._seen.extend(at - self._media(shown) for at, shown in piece.sightings)
        if observed is not None:
            self._seen.append(observed)
        if self._seen and (self.is_settled or (observed is not None and self._media(end) >= SETTLED)):
            drift = self._drift()
            if drift is not None:
                return self._anchor_drifting(*drift)
            latest = max(self._seen) if self.is_settled else self._seen[-1]
            return self._anchor_at(min(self._seen), widened=latest - min(self._seen))
        return []

    def finish(self, *, last_written: int, doubt: int, began: int = 0) -> list[Timed]:
        """The run is over; returns the segments that still waited.

        If no arrival was observed, the run ends when its last segment was last written, which is late by
        ``doubt`` or more. If the connection never became steady, its packets may all be late.

        Where two observations agree, packets came as the camera sent them, but for FFmpeg's analysis. Where
        none do, FFmpeg may have waited through several of its time-outs for a camera that fell silent, and
        have written everything afterwards. Then only this bounds it: the first picture did not leave before
        ``began``, when the connection was opened (0: unknown), nor before the last footage ended.
        """
        if not self._waiting:
            return []
        first = self._media(self._waiting[0][0].first_pts)
        if self._seen:
            drift = self._drift()
            if drift is not None:
                return self._anchor_drifting(*drift)
            best = min(self._seen)
            late = max(self._seen) - best
            if began:
                late = self._late(best + first, began, otherwise=max(doubt, SETTLED))
            if self.is_settled or sum(seen - best <= JITTER for seen in self._seen) > 1:
                late = min(SETTLED, late)
            return self._anchor_at(best, widened=max(0, late, self._seen[-1] - best))
        last, _ = self._waiting[-1]
        offset = last_written - self._media(last.first_pts + last.duration)
        late = self._late(offset + first, began, otherwise=doubt) if began else 0
        return self._anchor_at(offset, widened=max(doubt, late))

    def _late(self, start: int, began: int, *, otherwise: int) -> int:
        """How late a run's first picture, dated ``start``, may have come.

        A bound that is later than the start, by more than runs overlap, was told by a clock that was set back
        since. ``otherwise``: where the opening of the connection is one, so that nothing bounds it.
        """
        if began > start + OVERLAP:
            return otherwise
        ended = self.not_before or 0
        return start - (began if ended > start + OVERLAP else max(began, ended))

    def _media(self, ticks: int) -> int:
        """Microseconds from the run's origin."""
        return (ticks - (self._origin or 0)) * SECOND // TIMESCALE

    def _drift(self) -> tuple[int, int] | None:
        """How late a new connection's media is at its first picture (µs), and how fast that grows (ppm).

        None unless its lateness grows evenly, and by more than jitter or a short delay explains. The first
        observations are left out: while FFmpeg analyses the stream, lateness shrinks.
        """
        points = [
            (self._media(shown), at - self._media(shown))
            for piece, _ in self._waiting
            for at, shown in piece.sightings
        ]
        for piece, observed in self._waiting:
            if observed is not None:
                points.append((self._media(piece.first_pts + piece.duration + piece.next_lead), observed))
        if len(points) <= PERSISTENCE:
            return None
        points.sort()
        lateness = [late for _, late in points]
        points = points[lateness.index(min(lateness)) :]
        (began, least), (ended, most) = points[0], points[-1]
        if len(points) <= PERSISTENCE or most - least <= 2 * LAG or began == ended:
            return None
        if points[-2][1] - least <= JITTER:  # Late packets and a pause before the last one look the same.
            return None
        pace = (most - least) * 1_000_000 // (ended - began)
        if any(abs(late - least - (at - began) * pace // 1_000_000) > EVENLY for at, late in points):
            return None
        first = self._media(self._waiting[0][0].first_pts)
        return least - (began - first) * pace // 1_000_000, pace

    def _anchor_drifting(self, offset: int, pace: int) -> list[Timed]:
        """Follow the camera from its first segment on."""
        first, _ = self._waiting[0]
        start = offset + self._media(first.first_pts)
        pushed = self._pushed(start)
        self._anchor = anchor = _Anchor(start + pushed, -pushed, [], following=True, pace=pace)
        waiting, self._waiting = self._waiting, []
        return [self._advance(anchor, piece, observed) for piece, observed in waiting]

    def _pushed(self, start: int) -> int:
        """How much later than this a run must begin, because the one before it ended later."""
        if self.not_before is not None and 0 < self.not_before - start <= OVERLAP:
            return self.not_before - start
        return 0

    def _anchor_at(self, offset: int, *, widened: int) -> list[Timed]:
        first, _ = self._waiting[0]
        start = offset + self._media(first.first_pts)
        pushed = self._pushed(start)
        offset += pushed
        error = -pushed
        anchor = _Anchor(start + pushed, error, (self._seen or [offset])[-PERSISTENCE:])
        self._anchor = anchor
        timed: list[Timed] = []
        for piece, _ in self._waiting:
            end = offset + self._media(piece.first_pts + piece.duration)
            timed.append(self._emit(anchor, piece, end, widened + pushed, error))
        self._waiting = []
        return timed

    def _advance(self, anchor: _Anchor, piece: Piece, observed: int | None) -> Timed:
        media_end = self._media(piece.first_pts + piece.duration)
        length = media_end - self._media(piece.first_pts)
        predicted = anchor.start + length
        if observed is None:
            recent = anchor.offsets[-PERSISTENCE:] or [0]
            grown = length * anchor.pace // 1_000_000 if anchor.following else 0
            widened = max(recent) - min(recent) + abs(grown)
            return self._emit(anchor, piece, predicted + grown, widened, anchor.error)
        allowance = max(1, length * SLEW_PPM // 1_000_000)
        change = observed - anchor.offsets[-1] if anchor.offsets else 0
        anchor.pace = change * 1_000_000 // max(1, length) if anchor.offsets else anchor.pace
        anchor.fitting = _fitting(anchor.offsets, observed, allowance)
        anchor.offsets = [*anchor.offsets, observed][-STEADY:]
        recent = anchor.offsets[-PERSISTENCE:]
        lag = min(recent) - (predicted - media_end)
        anchor.drifting = _run_of(anchor.drifting, change, allowance + JITTER)
        anchor.lagging = _run_of(anchor.lagging, lag, allowance + LAG)
        if anchor.following:
            anchor.following = anchor.fitting < STEADY
        elif PERSISTENCE in (abs(anchor.drifting), anchor.lagging) or lag < -allowance - JITTER:
            anchor.following = True
            anchor.lagging = anchor.fitting = 0
        if anchor.following:
            # Never backwards: the next segment makes the rest of a large correction.
            end = max(observed + media_end, anchor.start + max(1, length // 10))
            widened = abs(end - predicted)
        else:
            end = predicted + max(-allowance, min(allowance, lag))
            widened = max(recent) - min(recent)
        return self._emit(anchor, piece, end, widened, observed - (end - media_end))

    def _emit(self, anchor: _Anchor, piece: Piece, end: int, widened: int, next_error: int) -> Timed:
        flags: tuple[str, ...] = (UNRELIABLE,) if anchor.following else ()
        if self.not_before is not None and anchor.start < self.not_before:
            flags = (*flags, AMBIGUOUS)
        clock = ClockStatement(
            source="arrival",
            offset_us=anchor.error,
            uncertainty_us=FLOOR
            + max(abs(anchor.error), abs(next_error))
            + widened
            + piece.blur * SECOND // TIMESCALE,
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
            "pace": anchor.pace,
        }


def _fitting(offsets: Sequence[int], observed: int, allowance: int) -> int:
    """How many observations in a row, back from the newest, differ from it by what jitter explains."""
    for back, offset in enumerate(reversed(offsets)):
        if abs(observed - offset) > JITTER + allowance * (back + 1):
            return back
    return len(offsets)


def _run_of(count: int, value: int, limit: int) -> int:
    """How many times in a row ``value`` was beyond ``limit`` on the same side; signed by the side."""
    if value > limit:
        return max(count, 0) + 1
    if value < -limit:
        return min(count, 0) - 1
    return 0


def camera_time(
    references: Sequence[tuple[int, int]], *, first_pts: int, end_pts: int, span: Timespan, notice: int = 0
) -> int | None:
    """The camera's own clock at a segment's first sample, from its producer reference times; None if unknown.

    ``references`` are (wall time in µs, presentation time in ticks). Until a camera reports its clock (RTCP),
    FFmpeg writes this machine's clock at the moment it writes a fragment, which is when the next one begins,
    or up to ``notice`` µs later. A reference that fits that moment does not count as the camera's. FFmpeg
    gives a picture the time of the one that follows it in the stream, so with B-frames references are a few
    pictures off. The answer is the median of those that agree with the last one to within :data:`REORDERED`;
    a single one proves nothing.
    """

    def wall(pts: int) -> int:
        share = (pts - first_pts) * span.duration
        return span.start + share // max(1, end_pts - first_pts)

    following = [pts for _, pts in references[1:]] + [end_pts]
    offsets = [
        at - (pts - first_pts) * SECOND // TIMESCALE
        for (at, pts), next_pts in zip(references, following, strict=False)
        if not -JITTER <= at - wall(next_pts) <= OWN_CLOCK + notice
    ]
    agreeing = [offset for offset in offsets if abs(offset - offsets[-1]) <= REORDERED]
    return median_low(agreeing) if len(agreeing) > 1 else None
