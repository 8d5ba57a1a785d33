"""The holes that a camera may fill itself: stretches of our own gaps that no footage covers. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archive.model.gap import Gap, GapCause
from archive.timespan import MINUTE, SECOND, SpanSet, Timespan

CAUSES = (GapCause.UNREACHABLE, GapCause.RECORDER_RESTART)
"""Causes during which a camera may have gone on recording by itself."""
SHORTEST = SECOND // 5
LONGEST = 30 * MINUTE
"""A longer hole is asked for in pieces: a break costs one piece, and the spool takes one at a time."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What is missing of one gap."""

    gap: str
    cause: GapCause
    missing: SpanSet

    @property
    def span(self) -> Timespan:
        """From the first missing instant to the last."""
        parts = tuple(self.missing)
        return Timespan(parts[0].start, parts[-1].end)

    def pieces(self) -> Iterator[Timespan]:
        """The missing stretches, none longer than :data:`LONGEST`."""
        for part in self.missing:
            at = part.start
            while at < part.end:
                end = min(part.end, at + LONGEST)
                yield Timespan(at, end)
                at = end


def holes_of(gaps: Iterable[Gap], covered: SpanSet, within: Timespan) -> list[Hole]:
    """The holes, oldest first; an instant that lies in several gaps belongs to the first one."""
    found: list[Hole] = []
    taken = covered
    for gap in sorted(gaps, key=lambda one: (one.span.start, one.gap)):
        if gap.cause not in CAUSES:
            continue
        whole = SpanSet((gap.span,)).within(within)
        missing = SpanSet(one for one in whole - taken if one.duration >= SHORTEST)
        taken |= whole
        if missing:
            found.append(Hole(gap.gap, gap.cause, missing))
    return found
