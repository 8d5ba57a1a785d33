"""Who holds a token, and how far they reach with it: never further than its maker does at that time.

Authentication (:mod:`api.auth.tokens`) and the report on past access (:mod:`api.auth.viewers`) share these
rules, so that the report names exactly the tokens that were accepted. A token made by a person ends with
their account and loses each role they lose; one made with another token ends with that token. A token made on
the host ends only when it expires or is revoked.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace

from api.auth.permissions import Reach, reach_of
from api.auth.principal import Principal, unrestricted
from archive.model.token import TokenScope
from archive.model.user import User

Makers = Callable[[str], User | None]
"""Looks up an account by id. May raise Unavailable: then no token is accepted."""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts about one token, without its secret. ``made_by`` is a custody actor, "" for the host."""

    name: str
    sha256: str = field(repr=False)
    made_at: str
    scope: TokenScope = field(default_factory=TokenScope)
    made_by: str = ""

    @property
    def version(self) -> int:
        """A number of up to eight digits that differs from that of a later token of the same name."""
        return int(self.sha256[:6], 16) + 1


def holder_of(
    known: Known, standing: Mapping[str, Known], *, makers: Makers | None, now: int | None
) -> Principal | None:
    """The holder, who reaches no further than the maker does at ``now``; None if the token is not accepted.

    ``standing`` are the tokens by name that were not revoked by then. Without ``now`` no token that can
    expire is accepted, without ``makers`` none that an account made. Raises as ``makers``.
    """
    return _held_to_maker(known, standing, makers, now, frozenset())


def is_over(scope: TokenScope, now: int | None) -> bool:
    """Whether a token has expired; without a time, whether it can expire at all."""
    if scope.expires_at is None:
        return False
    return now is None or scope.expires_at <= now


def covers(reach: frozenset[Reach], own: frozenset[str] | None, districts: frozenset[str] | None) -> bool:
    """Whether a principal with this reach may give an action to a token for some districts (None: all).

    The reaches ``mine``, ``granted`` and ``facts`` belong to a person and cannot be given to a machine.
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
        if other.made_at > known.made_at:  # a later token that reuses the maker's name
            return None
        held = _held_to_maker(other, standing, makers, now, seen | {known.name})
        return made if held is not None else None
    return made


def _principal(known: Known) -> Principal:
    whole = unrestricted(f"token:{known.name}")
    actions: Container[str] = whole.actions if known.scope.actions is None else known.scope.actions
    return Principal(whole.id, actions, districts=known.scope.districts, expires_at=known.scope.expires_at)


def _within(made: Principal, maker: User) -> Principal:
    """The token's principal, limited to the actions that its maker may do in the token's districts now."""
    asked = made.actions if isinstance(made.actions, frozenset) else frozenset[str]()
    roles, own = frozenset(maker.roles), frozenset(maker.districts)
    actions = frozenset(action for action in asked if covers(reach_of(roles, action), own, made.districts))
    return replace(made, actions=actions)
