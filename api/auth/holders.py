"""Who holds a token, and how far they reach with it: no further than whoever made it does at that time.

The one judgement of sign-in (:mod:`api.auth.tokens`) and of looking back (:mod:`api.auth.viewers`), so that
nobody is told of as let in who was not. A token that a person made stops with their account and with each
role they lose; one that was made with a token stops with that one. What the host made stops by itself alone.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace

from api.auth.permissions import Reach, reach_of
from api.auth.principal import Principal, unrestricted
from archive.model.token import TokenScope
from archive.model.user import User

Makers = Callable[[str], User | None]
"""Tells who has an account, by id. May raise Unavailable: then nobody is let in."""


@dataclass(frozen=True, slots=True)
class Known:
    """One token, but for the token itself. ``made_by`` is a custody actor, "" for the host."""

    name: str
    sha256: str = field(repr=False)
    made_at: str
    scope: TokenScope = field(default_factory=TokenScope)
    made_by: str = ""

    @property
    def version(self) -> int:
        """What tells this token from a later one of its name: a number up to eight digits."""
        return int(self.sha256[:6], 16) + 1


def holder_of(
    known: Known, standing: Mapping[str, Known], *, makers: Makers | None, now: int | None
) -> Principal | None:
    """The holder, who reaches no further than the maker does at ``now``; None where it lets nobody in.

    ``standing`` are the tokens by name that were not revoked by then. Without ``now`` no token that expires
    lets anybody in, without ``makers`` none that an account made. Raises as ``makers``.
    """
    return _held_to_maker(known, standing, makers, now, frozenset())


def is_over(scope: TokenScope, now: int | None) -> bool:
    """Whether a token has expired; without a time one that ever does."""
    if scope.expires_at is None:
        return False
    return now is None or scope.expires_at <= now


def covers(reach: frozenset[Reach], own: frozenset[str] | None, districts: frozenset[str] | None) -> bool:
    """Whether somebody who reaches so far with an action may hand it on for some districts (None: all).

    What is theirs by name alone (``mine``, ``granted``, ``facts``) is handed on to no machine.
    """
    if Reach.ALL in reach:
        return True
    return Reach.OWN in reach and districts is not None and own is not None and districts <= own


def _held_to_maker(
    known: Known,
    standing: Mapping[str, Known],
    makers: Makers | None,
    now: int | None,
    seen: frozenset[str],
) -> Principal | None:
    if is_over(known.scope, now):
        return None
    made = _principal(known)
    kind, _, maker = known.made_by.partition(":")
    if kind == "user":
        person = makers(maker) if makers is not None else None
        return None if person is None or not person.enabled else _within(made, person)
    if kind == "token":
        other = standing.get(maker)
        if other is None or maker in seen:
            return None
        if other.made_at > known.made_at:  # another token, which took the maker's name over
            return None
        held = _held_to_maker(other, standing, makers, now, seen | {known.name})
        return made if held is not None else None
    return made


def _principal(known: Known) -> Principal:
    whole = unrestricted(f"token:{known.name}")
    actions: Container[str] = whole.actions if known.scope.actions is None else known.scope.actions
    return Principal(whole.id, actions, districts=known.scope.districts, expires_at=known.scope.expires_at)


def _within(made: Principal, maker: User) -> Principal:
    """What a token may do of what it was made for, by what its maker may do everywhere, or in districts."""
    asked = made.actions if isinstance(made.actions, frozenset) else frozenset[str]()
    roles, own = frozenset(maker.roles), frozenset(maker.districts)
    actions = frozenset(action for action in asked if covers(reach_of(roles, action), own, made.districts))
    return replace(made, actions=actions)
