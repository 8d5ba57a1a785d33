"""The names of the people in an answer: a reader who may see an act may know by name who did it.

Accounts are read by few. For all others an answer has ``people``: the name of each account that stands in one
of its fields for an actor, or to whom a grant is given. Texts that people write are never looked up: nobody
learns a name by writing an account into a case or a reason.
"""

from collections.abc import Iterator
from typing import Any

from api.request_context import RequestContext
from archive.canonical import JsonObject

ACTOR_FIELDS = frozenset(
    {
        "actor", "approved_by", "by", "changed_by", "confirmed_by", "given_by", "person", "placed_by",
        "proposed_by", "requested_by",
    }
)  # fmt: skip
"""Fields whose value the archive writes: who did something."""
_PERSON = "user:"


def with_people(context: RequestContext, answer: JsonObject) -> JsonObject:
    """The answer with ``people``: names by actor, such as ``user:citra``; nothing for accounts without one.

    Raises:
        Unavailable: the ledger does not answer.
    """
    people = context.services.people
    actors = sorted(set(_actors_in(answer)))
    names = {} if people is None else {actor: people.name_of(actor.removeprefix(_PERSON)) for actor in actors}
    return answer | {"people": {actor: name for actor, name in names.items() if name}}


def _actors_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for field, inner in value.items():
            if isinstance(inner, str):
                if field in ACTOR_FIELDS and inner.startswith(_PERSON):
                    yield inner
            else:
                yield from _actors_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _actors_in(inner)
