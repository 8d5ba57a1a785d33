"""The authenticated principal: the one value that every route receives, however the caller signed in."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

from api.auth.permissions import NEEDS_PURPOSE, RIGHT_OF, Reach, reach_of
from archive.model.grant import Grant, granted_spans
from archive.model.user import Role
from archive.timespan import SpanSet, Timespan


class _Everything:
    """A set that holds every action."""

    def __contains__(self, _action: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "EVERYTHING"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated person or machine.

    ``id`` is the custody actor, such as ``token:first`` or ``user:citra``; never a secret. A *person* has
    roles, and the reach that the table gives them; a *machine* has ``actions``, which it may do everywhere,
    or only in ``districts`` unless that is None. For people ``districts`` are those of the role
    ``kecamatan``. ``grants`` are those in force when the request came. ``purpose`` is what the session was
    opened for; ``session`` names it in the custody record. ``expires_at`` is when a machine's token ends, in
    µs; None for never.
    """

    id: str
    actions: Container[str] = frozenset()
    roles: frozenset[Role] = frozenset()
    districts: frozenset[str] | None = None
    agency: str = ""
    grants: tuple[Grant, ...] = field(default=(), repr=False)
    session: str = ""
    purpose: str = ""
    expires_at: int | None = None

    @property
    def is_person(self) -> bool:
        """Whether this is a person, who has roles, and not a machine."""
        return bool(self.roles)

    @property
    def role(self) -> str:
        """The capacity in custody events: the person's roles, or ``machine``."""
        return ",".join(sorted(role.value for role in self.roles)) or "machine"

    def may(self, action: str) -> bool:
        """Whether the principal may do the action on anything at all."""
        return bool(self.reach(action))

    def reach(self, action: str) -> frozenset[Reach]:
        """How far the principal reaches with the action; empty if it is denied."""
        if self.is_person:
            return reach_of(self.roles, action)
        if action not in self.actions:
            return frozenset()
        return frozenset({Reach.ALL if self.districts is None else Reach.OWN})

    def reaches_all(self, action: str) -> bool:
        """Whether the principal reaches everything with the action."""
        return Reach.ALL in self.reach(action)

    def needs_purpose(self, action: str) -> bool:
        """Whether a purpose is required. Not of machines: they would only send a constant."""
        return self.is_person and action in NEEDS_PURPOSE

    def district_filter(self, action: str) -> tuple[str, ...] | None:
        """The districts that a search for the action may cover; None for all, empty for none."""
        reach = self.reach(action)
        if reach & {Reach.ALL, Reach.FACTS}:
            return None
        return tuple(sorted(self.districts or ())) if Reach.OWN in reach else ()

    def is_own(self, kecamatan: str) -> bool:
        """Whether a district is one of the principal's."""
        return self.districts is not None and kecamatan in self.districts

    def granted(self, action: str, camera: str, now: int) -> SpanSet:
        """The spans of a camera that grants open for the action; empty if grants do not apply to it."""
        right = RIGHT_OF.get(action)
        if right is None or Reach.GRANTED not in self.reach(action):
            return SpanSet()
        return granted_spans(self.grants, camera, right, now)

    def is_granted(self, action: str, camera: str, span: Timespan, now: int) -> bool:
        """Whether grants open the whole span of a camera for the action at ``now``."""
        return not self.granted(action, camera, now).gaps_within(span)


def unrestricted(principal_id: str) -> Principal:
    """A principal that may do everything: the machine token of an installation without roles."""
    return Principal(principal_id, _Everything())


class TokenVerifier(Protocol):
    """Finds the holder of a bearer token."""

    def principal_of(self, token: str) -> Principal | None:
        """The holder, or None for an unknown token.

        Raises:
            Unavailable: ``tokens_unreadable``: the token file cannot be read; nobody is admitted.
        """
        ...
