"""People: who they are, which roles and districts they have, and whether they may sign in.

Records hold no secrets: the hash of a local password lies in a file outside the archive, and a person who
signs in through an OpenID provider has no password here. Raising ``epoch`` ends all sessions of a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed, Refused
from archive.ids import check_name

KIND = "user"
"""The ledger kind of people."""

MAX_DISTRICTS = 100
MAX_TEXT = 200


class Role(StrEnum):
    """A person's role in the city's archive (design: access)."""

    ADMIN = "admin"
    WAR_ROOM = "war_room"
    KECAMATAN = "kecamatan"
    POLICE = "police"
    SATPOL_PP = "satpol_pp"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person. ``districts`` are kecamatan codes; they limit only the role ``kecamatan``.

    ``issuer`` and ``subject`` tie the name to one account of one OpenID provider; both are "" for a local
    account. A name once tied is never given to another account.

    ``proposed`` are roles that wait for an administrator's consent, and give no rights before. ``hosts`` are
    the names of the person on hosts of the archive. A ``founder`` is one of the first two administrators,
    who are made on the host without consent.
    """

    id: str
    name: str
    roles: tuple[Role, ...]
    districts: tuple[str, ...] = ()
    agency: str = ""
    issuer: str = ""
    subject: str = ""
    enabled: bool = True
    epoch: int = 0
    proposed: tuple[Role, ...] = ()
    hosts: tuple[str, ...] = ()
    founder: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the person signs in with a local password."""
        return not self.issuer


PRIVILEGED = frozenset({Role.ADMIN, Role.WAR_ROOM, Role.AUDITOR})
"""Roles that decide about others or control them; they take effect by a second person's consent."""

_EXCLUDED: Mapping[Role, frozenset[Role]] = {
    Role.ADMIN: frozenset({Role.WAR_ROOM, Role.POLICE, Role.SATPOL_PP, Role.AUDITOR}),
    Role.AUDITOR: frozenset({Role.WAR_ROOM}),
}


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may reach, the proposed roles included."""

    roles: frozenset[Role] = frozenset()
    districts: frozenset[str] = frozenset()
    agency: frozenset[str] = frozenset()


def access_of(user: User) -> Access:
    """The access of an account."""
    return Access(
        frozenset(user.roles) | frozenset(user.proposed),
        frozenset(user.districts),
        frozenset({user.agency} - {""}),
    )


def check_compatible(user: User) -> User:
    """Accept roles that one person may have together, and return the person.

    An administrator decides who may ask, approve and audit, so they do none of it, and belong to no agency;
    an auditor does not approve what they audit.

    Raises:
        Refused: ``roles_exclude``.
    """
    access = access_of(user)
    for role, excluded in _EXCLUDED.items():
        if role in access.roles and access.roles & excluded:
            other = sorted(access.roles & excluded)[0]
            raise _exclude(user.id, f"the roles {role.value} and {other.value}")
    if Role.ADMIN in access.roles and user.agency:
        raise _exclude(user.id, "the role admin and an agency")
    return user


def in_force(user: User) -> tuple[Role, ...]:
    """The roles that give rights: none if they exclude one another, as version 0.1.0 allowed."""
    try:
        check_compatible(user)
    except Refused:
        return ()
    return user.roles


def parse_role(text: str) -> Role:
    """Read a role. Raises Malformed ``bad_role``."""
    try:
        return Role(text)
    except ValueError as error:
        raise Malformed(
            f"there is no role {text[:40]!r}", code="bad_role", hint=f"Use one of {', '.join(Role)}."
        ) from error


def check_user(user: User) -> User:
    """Accept a person's record, and return it.

    Raises:
        Malformed: ``bad_id``; ``bad_user`` for a text that is too long or unprintable, for invalid district
            codes, and for the role ``kecamatan`` without a district.
    """
    check_name("user", user.id)
    for what, text in (("name", user.name), ("agency", user.agency)):
        if len(text) > MAX_TEXT or not text.isprintable():
            raise _bad(f"the {what} has more than {MAX_TEXT} characters, or unprintable ones")
    for code in user.districts:
        if not (code.isascii() and code.isprintable() and 0 < len(code) <= 32):
            raise _bad(f"{code[:40]!r} is not a district code")
    if len(user.districts) > MAX_DISTRICTS:
        raise _bad(f"a person has at most {MAX_DISTRICTS} districts")
    return user


def to_state(user: User) -> JsonObject:
    """The person as the ledger entry holds it; the id is the stream's."""
    state: JsonObject = {
        "name": user.name,
        "roles": [role.value for role in user.roles],
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "subject": user.subject,
        "enabled": int(user.enabled),
        "epoch": user.epoch,
    }
    added: JsonObject = {
        "proposed": [role.value for role in user.proposed],
        "hosts": list(user.hosts),
        "founder": int(user.founder),
    }
    return state | {name: value for name, value in added.items() if value}


def from_state(user_id: str, state: Mapping[str, Any]) -> User:
    """Read a person back. Raises Malformed ``bad_user_record``: an unreadable record lets nobody in."""
    try:
        return User(
            id=check_name("user", user_id),
            name=state["name"],
            roles=tuple(Role(role) for role in state["roles"]),
            districts=tuple(state["districts"]),
            agency=state["agency"],
            issuer=state["issuer"],
            subject=state["subject"],
            enabled=state["enabled"] == 1,
            epoch=int(state["epoch"]),
            # Version 0.1.0 wrote none of these.
            proposed=tuple(Role(role) for role in state.get("proposed", ())),
            hosts=tuple(state.get("hosts", ())),
            founder=state.get("founder", 0) == 1,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"user {user_id} cannot be read: {error}", code="bad_user_record") from error


def _bad(sentence: str) -> Malformed:
    return Malformed(sentence, code="bad_user", hint="See: saksi user add --help")


def _exclude(user_id: str, what: str) -> Refused:
    return Refused(
        f"{user_id} cannot have {what} together",
        code="roles_exclude",
        hint="Beri peran itu kepada orang lain. / Give one of them to another person.",
    )
