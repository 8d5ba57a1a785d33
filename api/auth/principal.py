"""Who is asking: the one value every route is handed, whatever way the caller signed in."""

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
    """Someone who proved who they are.

    ``id`` is the custody actor, such as ``token:first`` or ``user:citra``; never a secret. A *person* has
    roles, and reaches what the table gives these; a *machine* has ``actions``, which it may do everywhere, or
    where ``districts`` is not None in those. For people ``districts`` are those of the role ``kecamatan``.
    ``grants`` are the ones that were in force when the request came. ``purpose`` is what the session was
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
        """Whether this is somebody with roles, and no machine."""
        return bool(self.roles)

    @property
    def role(self) -> str:
        """In what capacity they act, as custody events say it: their roles, or ``machine``."""
        return ",".join(sorted(role.value for role in self.roles)) or "machine"

    def may(self, action: str) -> bool:
        """Whether there is anything on which the action is theirs to do."""
        return bool(self.reach(action))

    def reach(self, action: str) -> frozenset[Reach]:
        """How far they reach with the action; empty where it is not theirs."""
        if self.is_person:
            return reach_of(self.roles, action)
        if action not in self.actions:
            return frozenset()
        return frozenset({Reach.ALL if self.districts is None else Reach.OWN})

    def needs_purpose(self, action: str) -> bool:
        """Whether a purpose must be named. A machine that had to would send a constant."""
        return self.is_person and action in NEEDS_PURPOSE

    def district_filter(self, action: str) -> tuple[str, ...] | None:
        """The districts that a search for the action may look into; None for all, empty for none."""
        reach = self.reach(action)
        if reach & {Reach.ALL, Reach.FACTS}:
            return None
        return tuple(sorted(self.districts or ())) if Reach.OWN in reach else ()

    def is_own(self, kecamatan: str) -> bool:
        """Whether a district is theirs."""
        return self.districts is not None and kecamatan in self.districts

    def granted(self, action: str, camera: str, now: int) -> SpanSet:
        """The time of a camera that grants open for the action; nothing where no grant can."""
        right = RIGHT_OF.get(action)
        if right is None or Reach.GRANTED not in self.reach(action):
            return SpanSet()
        return granted_spans(self.grants, camera, right, now)

    def is_granted(self, action: str, camera: str, span: Timespan, now: int) -> bool:
        """Whether grants open the whole span of a camera for the action."""
        return not self.granted(action, camera, now).gaps_within(span)


def unrestricted(principal_id: str) -> Principal:
    """A principal that may do everything: the machine token of an installation without roles."""
    return Principal(principal_id, _Everything())


class TokenVerifier(Protocol):
    """Tells whose bearer token this is."""

    def principal_of(self, token: str) -> Principal | None:
        """The holder, or None for a token nobody was given.

        Raises:
            Unavailable: ``tokens_unreadable``: the record of tokens cannot be read; nobody is let in.
        """
        ...
