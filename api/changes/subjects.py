"""What a reader can follow, and how far: never further than the lists of the same action would show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from api.auth.permissions import Reach
from api.auth.principal import Principal
from archive.errors import Refused


class Subject(StrEnum):
    """What changed.

    ``requests`` are those that the reader sees, ``queue`` those that wait for a decision or a handover,
    ``packages`` the evidence packages that are being made, ``exports`` and ``trials`` the reader's own
    exports and connection tests of cameras.
    """

    REQUESTS = "requests"
    QUEUE = "queue"
    PACKAGES = "packages"
    EXPORTS = "exports"
    TRIALS = "trials"


ACTION: Mapping[Subject, str] = MappingProxyType(
    {
        Subject.REQUESTS: "requests.read",
        Subject.QUEUE: "requests.decide",
        Subject.PACKAGES: "evidence.read",
        Subject.EXPORTS: "clips.download",
        Subject.TRIALS: "cameras.edit",
    }
)
"""The action that a reader needs to follow a subject: that of the route that they then read."""

_OWN = frozenset({Subject.EXPORTS, Subject.TRIALS})
"""They belong to who ordered them, whatever else one may see."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose things a reader follows: everybody's, or their own and their agency's ("" for none).

    Of packages also those whose cameras stood in ``districts`` while they recorded them.
    """

    person: str = ""
    agency: str = ""
    districts: frozenset[str] = frozenset()
    is_whole: bool = False


EVERYBODY = Scope(is_whole=True)


def scope_of(principal: Principal, subject: Subject) -> Scope | None:
    """How far a principal follows a subject; None for not at all.

    A machine that is limited to districts follows the packages of its districts; requests have none, and its
    lists of them are empty. What a grant opens is followed by nobody: those lists are read by the clock.
    """
    reach = principal.reach(ACTION[subject])
    if subject in _OWN:
        return Scope(principal.id) if reach else None
    if Reach.ALL in reach:
        return EVERYBODY
    own = frozenset(principal.districts or ()) if Reach.OWN in reach else frozenset()
    if subject is Subject.PACKAGES and own:
        return Scope(districts=own)
    if Reach.MINE in reach and subject is not Subject.QUEUE:
        return Scope(principal.id, principal.agency)
    return None


def subjects_for(principal: Principal, asked: Iterable[Subject]) -> tuple[Subject, ...]:
    """The subjects that were asked for, or all that the principal may have.

    Raises:
        Refused: ``not_permitted``: one that was asked for is not theirs.
    """
    wanted = tuple(dict.fromkeys(asked))
    for subject in wanted:
        if not principal.may(ACTION[subject]):
            raise Refused(
                f"you do not have the permission {ACTION[subject]}",
                code="not_permitted",
                hint="Ask an administrator for a role that includes it.",
            )
    return wanted or tuple(one for one in Subject if principal.may(ACTION[one]))
