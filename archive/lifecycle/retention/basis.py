"""The basis of a retention plan: the rules, and what is stored by the hour."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from archive.footage.places import PlaceHistory
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.book import PolicyBook
from archive.lifecycle.retention.changes import adopted, put
from archive.lifecycle.retention.locks import LockHistory
from archive.model.camera import Place
from archive.model.retention import Policy, Scope, Terms
from archive.timespan import SpanSet, Timespan

_ALL_TIME = Timespan(0, 253_402_300_799 * 1_000_000)


class HourFacts(Protocol):
    """The stored segments of one camera that began in one UTC hour."""

    @property
    def camera(self) -> str:
        """The camera's id."""
        ...

    @property
    def hour(self) -> int:
        """The hour's first instant."""
        ...

    @property
    def segments(self) -> int:
        """The number of segments."""
        ...

    @property
    def bytes(self) -> int:
        """Their size."""
        ...


Hours = Callable[[tuple[str, ...], Timespan], Iterable[HourFacts]]
"""Every hour of these cameras with stored footage, ordered by camera, then hour."""


@dataclass(frozen=True, slots=True)
class Change:
    """Terms that are not decided yet, to see their effect."""

    scope: Scope
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBasis:
    """The rules a plan is made by, including ``change`` if one is given.

    ``versions`` names the ledger version of every policy, by scope id.
    """

    book: PolicyBook
    locks: LockHistory
    places: PlaceHistory
    holds: HoldBook
    versions: Mapping[str, int]
    change: Change | None = None

    def stays(self, camera: str) -> list[tuple[int, Place | None]]:
        """Where the camera stood and from when, each move once; the first place covers all earlier time."""
        merged: list[tuple[int, Place | None]] = []
        for since, place in self.places.since(camera):
            if not merged or merged[-1][1] != place:
                merged.append((since, place))
        return merged or [(0, None)]

    def held(self, camera: str) -> SpanSet:
        """The time of the camera that holds in force cover."""
        return SpanSet(hold.span for hold in self.holds.covering(camera, _ALL_TIME))


def basis_with(basis: PlanBasis, change: Change, *, floor_days: int, now: int) -> PlanBasis:
    """The basis as if the change were decided now, by as many people as it needs.

    Its terms apply from their ``effective_from`` on, without the waiting time of a shortening.
    """
    policies = basis.book.policies
    known = next((policy for policy in policies if policy.scope == change.scope), None)
    policy = adopted(known or Policy(scope=change.scope, terms=()), change.terms)
    return PlanBasis(
        book=PolicyBook(put(policies, policy), floor_days=floor_days),
        locks=basis.locks.with_terms(change.scope, change.terms, now=now),
        places=basis.places,
        holds=basis.holds,
        versions=basis.versions,
        change=change,
    )
