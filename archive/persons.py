"""Whether two actors are one person: what stands behind every rule that needs two people.

Actors are named as custody events name them: ``os:<user>``, ``os:<user>(sudo:<behind>)``, ``token:<name>``.
Someone who acts through ``sudo`` is whoever typed it, not the account they took.
"""

import re

_BEHIND = re.compile(r"os:[^()]*\(sudo:([^()]+)\)\Z")


def person_of(actor: str) -> str:
    """The person behind an actor's id."""
    match = _BEHIND.match(actor)
    return actor if match is None else f"os:{match[1]}"


def same_person(one: str, other: str) -> bool:
    """Whether the two ids name one person."""
    return person_of(one) == person_of(other)
