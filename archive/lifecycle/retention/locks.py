"""Until when each stored segment must be locked. Pure: no store, no clock.

A longer policy extends existing locks; a shorter one never touches them. So a segment's lock follows the
longest minimum that ruled it at any instant from its start until now. That minimum comes from the *histories*
of the policies, entry by entry, not from their newest entries, which a later change could have rewritten.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self

from archive.lifecycle.retention.book import scopes_of
from archive.lifecycle.retention.changes import adopted
from archive.model.camera import Place
from archive.model.retention import KIND, Policy, Scope, Terms, from_state
from archive.ports import ObjectStore
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY


class Minimum:
    """The minimum that some scopes rule, as steps in time; the first step covers all earlier time."""

    def __init__(self, steps: Sequence[tuple[int, int]]) -> None:
        self._instants = [at for at, _ in steps]
        self._days = [days for _, days in steps]

    @property
    def changes(self) -> Sequence[int]:
        """The instants at which the minimum changes, in order."""
        return self._instants[1:]

    def keep_days(self, start: int, now: int) -> int:
        """The longest minimum in force at any instant from ``start`` until ``now``, in days."""
        if len(self._days) == 1:
            return self._days[0]
        return max(self._days[self._step(min(start, now)) : self._step(now) + 1])

    def _step(self, at: int) -> int:
        return max(bisect_right(self._instants, at) - 1, 0)


class LockHistory:
    """What every policy ruled at every instant so far, and will rule by what is decided.

    ``histories`` holds each scope's policy as of each of its entries, oldest first. Not thread-safe: answers
    are cached by scopes.
    """

    def __init__(self, histories: Mapping[Scope, Sequence[tuple[int, Policy]]], *, floor_days: int) -> None:
        self._histories = {scope: tuple(entries) for scope, entries in histories.items()}
        self._floor_days = floor_days
        self._minimums: dict[tuple[Scope, ...], Minimum] = {}

    @classmethod
    def of_entries(cls, entries: Iterable[Entry], *, floor_days: int) -> Self:
        """From every entry of every policy, each stream oldest first. Raises Malformed ``bad_policy``."""
        histories: dict[Scope, list[tuple[int, Policy]]] = {}
        for entry in entries:
            policy = from_state(entry.state)
            histories.setdefault(policy.scope, []).append((entry.at, policy))
        return cls(histories, floor_days=floor_days)

    @classmethod
    def read(cls, ledger: Ledger, records: ObjectStore, *, floor_days: int) -> Self:
        """From the ledger. Raises as the ledger, and IntegrityError if a stream is broken."""
        streams = sorted(ids_of(records, KIND))
        return cls.of_entries(
            (entry for scope in streams for entry in ledger.history(KIND, scope)), floor_days=floor_days
        )

    def with_terms(self, scope: Scope, terms: Terms, *, now: int) -> "LockHistory":
        """The histories as if these terms were adopted now."""
        known = self._histories.get(scope, ())
        policy = adopted(known[-1][1] if known else Policy(scope=scope, terms=()), terms)
        changed = {**self._histories, scope: (*known, (now, replace(policy, proposal=None)))}
        return LockHistory(changed, floor_days=self._floor_days)

    def keep_days(self, camera: str, place: Place | None, start: int, now: int) -> int:
        """The longest minimum that ruled a segment from its start until now, in days; the floor at least."""
        return self.minimum(camera, place).keep_days(start, now)

    def expected_lock(self, camera: str, place: Place | None, start: int, now: int) -> int:
        """Until when a segment must be locked at ``now``.

        ``place`` is where the camera stood at ``start``. Rules that begin only after ``now`` do not count
        yet.
        """
        return start + self.keep_days(camera, place, start, now) * DAY

    def edges(self) -> list[int]:
        """Every instant at which the ruling of any policy may change, in order."""
        return sorted({edge for entries in self._histories.values() for edge in _edges(entries)})

    def minimum(self, camera: str, place: Place | None) -> Minimum:
        """The minimum for footage of the camera recorded at the place; it answers many instants."""
        scopes = tuple(scope for scope in scopes_of(camera, place) if scope in self._histories)
        known = self._minimums.get(scopes)
        if known is None:
            known = self._minimums[scopes] = Minimum(self._timeline(scopes))
        return known

    def _timeline(self, scopes: Sequence[Scope]) -> list[tuple[int, int]]:
        steps = [(0, self._floor_days)]
        for edge in sorted({edge for scope in scopes for edge in _edges(self._histories[scope])}):
            days = self._days(scopes, edge)
            if days != steps[-1][1]:
                steps.append((edge, days))
        return steps

    def _days(self, scopes: Sequence[Scope], at: int) -> int:
        for scope in scopes:
            policy = _as_of(self._histories[scope], at)
            terms = None if policy is None else policy.in_force(at)
            if terms is not None:
                return max(terms.keep_days_min, self._floor_days)
        return self._floor_days


def _as_of(entries: Sequence[tuple[int, Policy]], at: int) -> Policy | None:
    """The policy in its newest entry written until ``at``."""
    return next((policy for written, policy in reversed(entries) if written <= at), None)


def _edges(entries: Sequence[tuple[int, Policy]]) -> Iterable[int]:
    """When an entry was written, and when any of its terms begin or end."""
    for written, policy in entries:
        yield written
        for terms in policy.terms:
            yield terms.effective_from
            if terms.effective_until is not None:
                yield terms.effective_until
