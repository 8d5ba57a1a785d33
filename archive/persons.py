"""Whether two actors are one person, and whether an actor is a person at all. Rules of two people rest on it.

Actors are named as custody events name them: ``user:<name>``, ``token:<name>``, and on the host

- ``os:<user>``: somebody in their own account;
- ``os:<account>(login:<user>)``: somebody who signed in as ``<user>``, in the account of root or a service;
- ``os:root``, ``os:<account>(unnamed)``, ``os:<account>(says:<user>)``: nobody. What is said is a remark.

Entries of version 0.1.0 have ``os:<account>(sudo:<user>)``. That name came from the environment: it counts
where it makes two acts one person's, and never where a decision needs a person.
"""

import re

from archive.errors import Refused

_TAKEN = re.compile(r"os:[^()]*\((?:login|sudo):([^()]+)\)\Z")
_NAMELESS = re.compile(r"(os:[^()]*)\((?:unnamed|says:[^()]+)\)\Z")
_CLAIMED = re.compile(r"os:[^()]*\(sudo:[^()]+\)\Z")


def person_of(actor: str) -> str:
    """The person behind an actor's id; for one that names nobody, the account."""
    if taken := _TAKEN.match(actor):
        return f"os:{taken[1]}"
    nameless = _NAMELESS.match(actor)
    return actor if nameless is None else nameless[1]


def same_person(one: str, other: str) -> bool:
    """Whether the two ids name one person."""
    return person_of(one) == person_of(other)


def names_person(actor: str) -> bool:
    """Whether the id says which person acted: root and shared accounts do not."""
    if _NAMELESS.match(actor) or _CLAIMED.match(actor):
        return False
    return person_of(actor) != "os:root"


def check_named(*actors: str) -> None:
    """Let a decision of two people be one of people who are known.

    ``actors`` are whoever decides now, and whoever proposed what is decided about.

    Raises:
        Refused: ``person_unknown``.
    """
    for actor in actors:
        if not names_person(actor):
            raise Refused(
                f"{actor} names no person, and this takes two people who are known",
                code="person_unknown",
                hint="Masuk ke host dengan akun sendiri, lalu ulangi, dengan sudo bila perlu; atau pakai API."
                " Usulan dari akun bersama ditarik dan diajukan lagi. / Sign in to the host with your own"
                " account and repeat it, through sudo where needed; or use the API. Withdraw what a shared"
                " account proposed, and propose it again.",
            )
