"""Whether two actors are the same person, and whether an actor is a known person at all.

Every rule that needs two people rests on it (:mod:`archive.separation`). Actors have the ids of custody
events: ``user:<name>``, ``token:<name>``, and on the host

- ``os:<user>``: a person in their own account;
- ``os:<account>(login:<user>)``: a person who signed in as ``<user>`` and works as root or a service;
- ``os:root``, ``os:<account>(unnamed)``, ``os:<account>(says:<user>)``: no known person. The name after
  ``says`` is a claim without proof.

Entries of version 0.1.0 have ``os:<account>(sudo:<user>)``. That name came from the environment. It counts
when it shows that two steps were taken by one person, and never when a decision needs a known person.
"""

import re

from archive.errors import Refused

_TAKEN = re.compile(r"os:[^()]*\((?:login|sudo):([^()]+)\)\Z")
_NAMELESS = re.compile(r"(os:[^()]*)\((?:unnamed|says:[^()]+)\)\Z")
_CLAIMED = re.compile(r"os:[^()]*\(sudo:[^()]+\)\Z")


def person_of(actor: str) -> str:
    """The person behind an actor's id; the account where the id names no person."""
    if taken := _TAKEN.match(actor):
        return f"os:{taken[1]}"
    nameless = _NAMELESS.match(actor)
    return actor if nameless is None else nameless[1]


def same_person(one: str, other: str) -> bool:
    """Whether the two ids name the same person."""
    return person_of(one) == person_of(other)


def names_person(actor: str) -> bool:
    """Whether the id names a person: root and shared accounts do not."""
    if _NAMELESS.match(actor) or _CLAIMED.match(actor):
        return False
    return person_of(actor) != "os:root"


def unknown_person(actor: str) -> Refused:
    """The error for an actor that names no person, in a decision that needs two known people."""
    return Refused(
        f"{actor} names no person, and this decision needs two known people",
        code="person_unknown",
        hint="Masuk ke host dengan akun sendiri, lalu ulangi, dengan sudo bila perlu; atau gunakan"
        " API. Tarik usulan dari akun bersama dan ajukan lagi. / Sign in to the host with your own"
        " account and repeat the command, with sudo if needed; or use the API. Withdraw a proposal"
        " that came from a shared account, and make it again.",
    )
