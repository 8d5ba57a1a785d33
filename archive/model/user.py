"""People: who they are, which roles and districts they have, and whether they may sign in.

Records hold no secrets: the hash of a local password lies in a file outside the archive, and a person who
signs in through an OpenID provider has no password here. Raising ``epoch`` ends all sessions of a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
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

    @property
    def is_local(self) -> bool:
        """Whether the person signs in with a local password."""
        return not self.issuer


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
    return {
        "name": user.name,
        "roles": [role.value for role in user.roles],
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "subject": user.subject,
        "enabled": int(user.enabled),
        "epoch": user.epoch,
    }


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
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"user {user_id} cannot be read: {error}", code="bad_user_record") from error


def _bad(sentence: str) -> Malformed:
    return Malformed(sentence, code="bad_user", hint="See: saksi user add --help")
