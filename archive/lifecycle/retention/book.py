"""How the policies in force rule one camera's footage. Pure: no store, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from archive.model.camera import Place
from archive.model.retention import OnPressure, Policy, Scope, ScopeKind, Terms, from_state
from archive.records.ledger.streams import Entry
from archive.timespan import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How long one camera's footage is kept, and which scope rules (None: the floor, no policy)."""

    scope: Scope | None
    keep_days_min: int
    keep_days_max: int | None
    on_pressure: OnPressure = OnPressure.KEEP

    def locked_until(self, start: int) -> int:
        """Until when a segment that starts at ``start`` must be locked."""
        return start + self.keep_days_min * DAY

    def due_at(self, start: int) -> int | None:
        """From when on it must be gone; None if no policy destroys it."""
        return None if self.keep_days_max is None else start + self.keep_days_max * DAY

    def spare_at(self, start: int) -> int | None:
        """From when on it may go to relieve a full store; None if no policy permits that."""
        permitted = self.on_pressure is OnPressure.DISPOSE_PAST_MINIMUM
        return start + self.keep_days_min * DAY if permitted else None


class PolicyBook:
    """All policies of an archive. Footage is kept for ``floor_days`` at least, whatever the policies say.

    Without a policy in force, footage is kept for the floor and never destroyed: only a rule destroys
    footage.
    """

    def __init__(self, policies: Iterable[Policy], *, floor_days: int) -> None:
        self._policies = {policy.scope: policy for policy in policies}
        self._floor_days = floor_days

    @classmethod
    def of_entries(cls, entries: Iterable[Entry], *, floor_days: int) -> "PolicyBook":
        """From ledger heads. Raises Malformed ``bad_policy``."""
        return cls((from_state(entry.state) for entry in entries), floor_days=floor_days)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy, by scope id."""
        return tuple(sorted(self._policies.values(), key=lambda policy: policy.scope.id))

    def ruling(self, camera: str, place: Place | None, at: int) -> Ruling:
        """What rules at ``at`` for footage that the camera recorded at ``place``."""
        return self.ruling_for(scopes_of(camera, place), at)

    def ruling_for(self, scopes: Iterable[Scope], at: int) -> Ruling:
        """What rules at ``at`` for footage that these scopes admit, most specific first."""
        for scope in scopes:
            policy = self._policies.get(scope)
            terms = None if policy is None else policy.in_force(at)
            if terms is not None:
                return self._ruling(scope, terms)
        return Ruling(scope=None, keep_days_min=self._floor_days, keep_days_max=None)

    def _ruling(self, scope: Scope, terms: Terms) -> Ruling:
        shortest = max(terms.keep_days_min, self._floor_days)
        longest = terms.keep_days_max
        return Ruling(
            scope=scope,
            keep_days_min=shortest,
            keep_days_max=None if longest is None else max(longest, shortest),
            on_pressure=terms.on_pressure,
        )


def scopes_of(camera: str, place: Place | None) -> tuple[Scope, ...]:
    """The scopes that admit footage of the camera recorded at the place, most specific first."""
    placed = (
        ()
        if place is None
        else (Scope(ScopeKind.KECAMATAN, place.kecamatan), Scope(ScopeKind.OWNER, place.owner.value))
    )
    return (Scope(ScopeKind.CAMERA, camera), *placed, Scope(ScopeKind.DEFAULT))
