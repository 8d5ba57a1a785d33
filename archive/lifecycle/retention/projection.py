"""How large the store will be, and what goes, day by day, if all due footage goes every day.

The projection assumes that each camera goes on at the rate of its last days, at its present place. Held
footage is assumed to stay; footage at an edge goes with the next day. Rules that are decided and begin later
apply from their beginning on.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from archive.lifecycle.retention.basis import HourFacts, PlanBasis
from archive.lifecycle.retention.book import scopes_of
from archive.model.camera import Place
from archive.model.retention import Scope
from archive.timespan import DAY, HOUR, Timespan

HORIZON_DAYS = 90
RATE_DAYS = 7
"""The days before the plan that give the rate of ingest."""

_NOTHING = -1


class Projection:
    """Sizes of the store on each of the next :data:`HORIZON_DAYS` days, camera by camera."""

    def __init__(self, basis: PlanBasis, now: int) -> None:
        self._basis = basis
        self._now = now
        self._instants = [now + day * DAY for day in range(1, HORIZON_DAYS + 1)]
        self._known = frozenset(policy.scope for policy in basis.book.policies)
        self._cutoffs: dict[tuple[tuple[Scope, ...], int], list[int]] = {}
        self._stored = 0
        self._per_day = 0
        self._gone = [0] * HORIZON_DAYS
        self._spared = [0] * HORIZON_DAYS

    def add(self, camera: str, facts: Sequence[HourFacts]) -> None:
        """Count one camera, with all its stored footage in order of time."""
        if not facts:
            return
        self._stored += sum(one.bytes for one in facts)
        stays = self._basis.stays(camera)
        groups = self._groups(camera, stays, facts)
        for (stay, since, is_held), hours in groups.items():
            past = self._spared if is_held else self._gone
            ends = [hour + HOUR - 1 for hour, _ in hours]
            sums = [0, *accumulate(size for _, size in hours)]
            for day, cutoff in enumerate(self._cutoffs_of(camera, stays[stay][1], since)):
                past[day] += sums[bisect_right(ends, cutoff)]
        rate = self._rate(facts)
        self._per_day += rate
        for day, cutoff in enumerate(self._cutoffs_of(camera, stays[-1][1], self._now)):
            if cutoff > self._now:
                self._gone[day] += rate * (cutoff - self._now) // DAY

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Each day's instant, and the bytes stored by then."""
        for day, instant in enumerate(self._instants):
            yield instant, self._stored + self._per_day * (day + 1) - self._gone[day]

    def due(self) -> Iterator[tuple[int, int]]:
        """For each day, the bytes that go on it, and those that would if no hold kept them.

        The first day has all that is due by its end, however long it has been so.
        """
        for day in range(HORIZON_DAYS):
            before = (self._gone[day - 1], self._spared[day - 1]) if day else (0, 0)
            yield self._gone[day] - before[0], self._spared[day] - before[1]

    def _groups(
        self, camera: str, stays: Sequence[tuple[int, Place | None]], facts: Sequence[HourFacts]
    ) -> dict[tuple[int, int, bool], list[tuple[int, int]]]:
        """Hours with their bytes, by stay, by the instant since which their lock counts, and if held."""
        held = self._basis.held(camera)
        begins = [since for since, _ in stays]
        turns = [[0, *self._basis.locks.minimum(camera, place).changes] for _, place in stays]
        groups: dict[tuple[int, int, bool], list[tuple[int, int]]] = defaultdict(list)
        for one in facts:
            hour = one.hour
            is_held = bool(held and held.within(Timespan(hour, hour + 2 * HOUR)))
            stay = max(bisect_right(begins, hour) - 1, 0)
            turn = turns[stay]
            groups[stay, turn[bisect_right(turn, hour) - 1], is_held].append((hour, one.bytes))
        return groups

    def _cutoffs_of(self, camera: str, place: Place | None, since: int) -> list[int]:
        """For each day, the latest start of footage that has gone, given the lock that ruled ``since``."""
        scopes = tuple(scope for scope in scopes_of(camera, place) if scope in self._known)
        known = self._cutoffs.get((scopes, since))
        if known is None:
            reached, known = _NOTHING, []
            for instant in self._instants:
                longest = self._basis.book.ruling_for(scopes, instant).keep_days_max
                if longest is not None:
                    locked = self._basis.locks.keep_days(camera, place, since, instant)
                    reached = max(reached, instant - max(longest, locked) * DAY)
                known.append(reached)
            self._cutoffs[scopes, since] = known
        return known

    def _rate(self, facts: Sequence[HourFacts]) -> int:
        """Bytes a day over the last days, or over the camera's recorded time if that is shorter."""
        begins = max(self._now - RATE_DAYS * DAY, facts[0].hour)
        recent = sum(one.bytes for one in facts if begins <= one.hour < self._now)
        return recent * DAY // max(self._now - begins, HOUR)
