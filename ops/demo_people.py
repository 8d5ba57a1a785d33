"""The accounts of the demo: an officer, an operator and an administrator, invited by codes that work once.

Opening such accounts takes two administrators. In the demo the program plays both; a city has two people.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archive.model.user import Role, User
from ops.accounts import administration_of
from ops.settings import Settings
from ops.tokens import machines_of
from ops.wiring import Site

ADMINISTRATORS = ("kominfo-1", "kominfo-2")
_REASON = "demo"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to sign in as, and a minute's worth to try, with ``{since}`` and ``{until}`` in it."""

    id: str
    name: str
    role: Role
    agency: str
    what: str
    minute: str


PEOPLE = (
    Person(
        "dewi", "Dewi Anggraini", Role.POLICE, "polrestabes", "an officer of the police",
        "Temukan: place Karebosi, from {since}, to {until}. Tick Alun-alun Karebosi, then Ajukan "
        "permintaan: any case, article and purpose, Mendesak instead of a letter, a name and number of an "
        "officer, Kirim. The footage is held at once.",
    ),
    Person(
        "citra", "Citra Lestari", Role.WAR_ROOM, "", "an operator of the War Room",
        "Tinjau: from {since}, to {until}, all three cameras, any purpose; the space bar plays them over "
        "Balai Kota's gap. Antrean: open what the officer filed, and Setujui; it is sealed within a minute.",
    ),
    Person(
        "ada", "Ada Paramita", Role.ADMIN, "", "an administrator",
        "Kesehatan: which cameras are recorded now, and what is red, with its remedy. Retensi: open Seluruh "
        "kota, type a number of days, and see what that would destroy before anything is saved.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invited:
    """A person with the code of their invitation."""

    person: Person
    code: str = field(repr=False)


def invite_people(home: Path, people: Iterable[Person] = PEOPLE, *, founder: str) -> list[Invited]:
    """Open the accounts in the installation at ``home``; ``founder`` is who runs the demo.

    Raises:
        ArchiveError: as the ledger, for one that there is already.
    """
    first, second = (f"user:{name}" for name in ADMINISTRATORS)
    found = []
    with Site(Settings.load({"SAKSI_HOME": str(home)})) as site:
        administration = administration_of(site, machines_of(site))
        for name in ADMINISTRATORS:
            administration.open_account(
                User(id=name, name=name, roles=(Role.ADMIN,)), actor=founder, reason=_REASON
            )
        for one in people:
            user = User(id=one.id, name=one.name, roles=(one.role,), agency=one.agency)
            if administration.open_account(user, actor=first, reason=_REASON).proposed:
                administration.consent(one.id, actor=second, reason=_REASON)
            halves = (
                administration.invite(one.id, actor=first, reason=_REASON),
                administration.complete_invitation(one.id, actor=second, reason=_REASON),
            )
            found.append(Invited(one, " ".join(half.code for half in halves)))
    return found
