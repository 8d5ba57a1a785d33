"""The gaps of a camera and their causes, without a hole and without an overlap (invariant I6). Pure.

A :class:`GapBook` keeps the instant up to which one camera's time is accounted for. From there on the caller
reports either footage or the cause of its absence, and the book returns the gap records to keep. Of two
records with the same id the one with the later end counts, so an open gap can be recorded again while it
grows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.model.gap import Gap, GapCause
from archive.timespan import Timespan, hour_of


@dataclass(frozen=True, slots=True)
class OpenGap:
    """An open gap. ``written`` is the end of its last record (its start before the first record)."""

    gap: str
    start: int
    cause: GapCause
    written: int


@dataclass(slots=True)
class GapBook:
    """One camera's time account.

    Every instant from registration to ``covered_until`` is covered or in a closed gap. ``new_id`` makes the
    ids of gaps.
    """

    camera: str
    recorder: str
    covered_until: int
    new_id: Callable[[int], str]
    open: OpenGap | None = None

    def missing(self, at: int, cause: GapCause, *, now: int) -> list[Gap]:
        """There is no footage, and from ``at`` on the cause is ``cause``.

        If no gap is open, one opens where coverage ended, since that is when footage last arrived. If the
        open gap has another cause, it is closed at ``at``, or at the end of its last record if that is later,
        and a new one begins.
        """
        if self.open is None:
            self._open(self.covered_until, cause, now)
            return []
        if self.open.cause is cause:
            return []
        at = max(at, self.open.written)
        if at <= self.open.start:
            self.open = OpenGap(self.open.gap, self.open.start, cause, self.open.written)
            return []
        closed = self._close(at, now)
        self._open(at, cause, now)
        return closed

    def footage_from(self, start: int, *, now: int, otherwise: GapCause) -> list[Gap]:
        """Footage begins at ``start``, so the gap before it ends.

        ``otherwise`` is the cause of an unexplained stretch before it. The footage itself counts only once it
        is kept: :meth:`covered`.
        """
        closed: list[Gap] = []
        if self.open is None and start > self.covered_until:
            self._open(self.covered_until, otherwise, now)
        if self.open is not None:
            if start > self.open.start:
                closed = self._close(start, now)
            self.open = None
        return closed

    def covered(self, end: int) -> None:
        """Footage up to ``end`` is kept."""
        self.covered_until = max(self.covered_until, end)

    def rewrite(self, now: int, *, young: int) -> list[Gap]:
        """The open gap's record: first when the gap is older than ``young`` µs, then each full hour."""
        gap = self.open
        if gap is None:
            return []
        end = hour_of(now) if gap.written > gap.start else now
        if end <= gap.written or (gap.written == gap.start and now - gap.start < young):
            return []
        return self._record(end, now)

    def so_far(self, at: int, *, now: int) -> list[Gap]:
        """The open gap's record up to ``at``, because the recorder stops."""
        return self._record(at, now) if self.open is not None and at > self.open.written else []

    def to_json(self) -> JsonObject:
        """The account as the spool stores it."""
        gap = self.open
        if gap is None:
            return {"covered_until": self.covered_until, "gap": None}
        kept = {"id": gap.gap, "start": gap.start, "cause": gap.cause.value, "written": gap.written}
        return {"covered_until": self.covered_until, "gap": kept}

    def restore(self, kept: JsonObject) -> None:
        """Take over a stored account; facts learnt since then may be later and stay."""
        gap = kept["gap"]
        self.covered_until = max(self.covered_until, kept["covered_until"])
        if gap is not None and gap["start"] >= self.covered_until:
            self.open = OpenGap(gap["id"], gap["start"], GapCause(gap["cause"]), gap["written"])

    def _open(self, start: int, cause: GapCause, now: int) -> None:
        self.open = OpenGap(self.new_id(now), start, cause, start)

    def _close(self, end: int, now: int) -> list[Gap]:
        closed = self._record(end, now)
        self.covered_until = max(self.covered_until, end)
        self.open = None
        return closed

    def _record(self, end: int, now: int) -> list[Gap]:
        gap = self.open
        if gap is None or end <= gap.start:
            return []
        self.open = OpenGap(gap.gap, gap.start, gap.cause, max(end, gap.written))
        return [
            Gap(
                camera=self.camera,
                recorder=self.recorder,
                gap=gap.gap,
                span=Timespan(gap.start, end),
                cause=gap.cause,
                ingested_at=now,
            )
        ]
