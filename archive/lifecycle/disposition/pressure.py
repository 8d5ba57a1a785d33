"""Disk pressure: how full the store is, what could lawfully go, and what goes where a policy says so.

Disk pressure is no rule (design: principles). Above the amber mark people are warned. Footage is a candidate
if nothing holds it and its *minimum* term is over; the oldest day comes first and, within a day, kinds of
owner come in the order of the setting. Footage goes only above the red mark, only where the policy in force
says ``on_pressure: dispose_past_minimum``, and only until the store is back at the amber mark. The procedure
is that of any disposition, so held or locked footage stays however full the store is. Where no policy permits
it, recorders stop when they can store no more, with the gap ``spool_full`` on record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import JsonObject
from archive.lifecycle.disposition.due import Rule
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.basis import HourFacts
from archive.model.camera import OwnerKind
from archive.timespan import DAY, HOUR, Timespan, format_instant

PERCENT = 100


class Level(StrEnum):
    """How full the store is: below both marks, above the first, above both; unknown without a quota."""

    UNKNOWN = "unknown"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Bytes used, the store's quota in bytes (0: none is set), and the marks in percent."""

    used: int
    quota: int
    amber_percent: int
    red_percent: int

    @property
    def level(self) -> Level:
        """The level of the store."""
        if self.quota <= 0:
            return Level.UNKNOWN
        if self.used * PERCENT >= self.quota * self.red_percent:
            return Level.RED
        return Level.AMBER if self.used * PERCENT >= self.quota * self.amber_percent else Level.GREEN

    @property
    def excess(self) -> int:
        """Bytes above the amber mark: this much must go until the store is green again."""
        return max(0, self.used - self.quota * self.amber_percent // PERCENT) if self.quota > 0 else 0

    def to_json(self) -> JsonObject:
        """As ``saksi archive pressure --json`` prints it."""
        return {
            "level": self.level.value,
            "used_bytes": self.used,
            "quota_bytes": self.quota,
            "used_percent": self.used * PERCENT // self.quota if self.quota > 0 else None,
            "amber_percent": self.amber_percent,
            "red_percent": self.red_percent,
            "excess_bytes": self.excess,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One hour of one camera, past its minimum and not held; ``permitted`` if a policy lets it go."""

    camera: str
    hour: int
    segments: int
    bytes: int
    scope: str
    permitted: bool

    def to_json(self) -> JsonObject:
        """As plans print it."""
        return {
            "camera": self.camera,
            "hour": format_instant(self.hour),
            "segments": self.segments,
            "bytes": self.bytes,
            "policy": self.scope,
            "permitted": self.permitted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """The candidates that would bring the store back to the amber mark, in the order of their destruction.

    ``enough`` is False if all footage that is past its minimum and not held does not suffice.
    """

    candidates: tuple[Candidate, ...]
    needed: int

    @property
    def bytes(self) -> int:
        """The size of the candidates."""
        return sum(one.bytes for one in self.candidates)

    @property
    def permitted_bytes(self) -> int:
        """The size of the candidates whose destruction a policy permits."""
        return sum(one.bytes for one in self.candidates if one.permitted)

    @property
    def enough(self) -> bool:
        """Whether the candidates suffice."""
        return self.bytes >= self.needed

    def to_json(self) -> JsonObject:
        """As ``saksi archive pressure --json`` prints it."""
        return {
            "needed_bytes": self.needed,
            "bytes": self.bytes,
            "permitted_bytes": self.permitted_bytes,
            "enough": self.enough,
            "hours": [one.to_json() for one in self.candidates],
        }


def propose(
    hours: Iterable[HourFacts],
    rule: Rule,
    holds: HoldBook,
    order: Sequence[OwnerKind],
    needed: int,
) -> Relief:
    """The hours to take, until they amount to ``needed`` bytes; changes nothing.

    The proposal looks at whole hours; a disposition decides each segment again. Kinds of owner that ``order``
    leaves out come last, and so does footage of a camera whose place is unknown.
    """
    ranks = {kind: rank for rank, kind in enumerate(order)}

    def rank(candidate: Candidate) -> tuple[int, int, int, str]:
        place = rule.places.place(candidate.camera, candidate.hour)
        owner = len(ranks) if place is None else ranks.get(place.owner, len(ranks))
        return candidate.hour // DAY, owner, candidate.hour, candidate.camera

    taken: list[Candidate] = []
    left = needed
    for one in sorted(_candidates(hours, rule, holds), key=rank):
        if left <= 0:
            break
        taken.append(one)
        left -= one.bytes
    return Relief(candidates=tuple(taken), needed=needed)


def permitted_hours(
    hours: Iterable[HourFacts], rule: Rule, holds: HoldBook, order: Sequence[OwnerKind], needed: int
) -> Iterator[tuple[str, int]]:
    """Camera and hour of each permitted candidate, in order, until they amount to ``needed`` bytes."""
    allowed = (one for one in hours if rule.ordering(one.camera, one.hour) is not None)
    for candidate in propose(allowed, rule, holds, order, needed).candidates:
        yield candidate.camera, candidate.hour


def _candidates(hours: Iterable[HourFacts], rule: Rule, holds: HoldBook) -> Iterator[Candidate]:
    for one in hours:
        if not one.segments:
            continue
        last = one.hour + HOUR - 1
        ruling = rule.ruling(one.camera, one.hour)
        if ruling.scope is None or ruling.locked_until(last) > rule.cutoff:
            continue
        # The last segment of the hour may reach into the next one.
        if holds.covering(one.camera, Timespan(one.hour, one.hour + 2 * HOUR)):
            continue
        yield Candidate(
            camera=one.camera,
            hour=one.hour,
            segments=one.segments,
            bytes=one.bytes,
            scope=str(ruling.scope),
            permitted=rule.ordering(one.camera, one.hour) is not None,
        )
