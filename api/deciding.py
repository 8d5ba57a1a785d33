"""What the reader of a request may decide about it, and by whom else it can be decided.

The War Room's pages show a button that would be refused in grey, with the reason and the names of colleagues
who can. Others get an empty list: it is not their business who decides.
"""

from collections.abc import Iterator, Sequence

from api.described.languages import in_languages
from api.request_context import RequestContext
from archive.canonical import JsonObject
from archive.cases.handover.apart import Chance, chances
from archive.cases.handover.requests import RequestFile
from archive.cases.people.listing import all_users
from archive.cases.requests.book import RequestHead
from archive.errors import Unavailable
from archive.model.user import Role, User, in_force
from archive.records.ledger.streams import Entry


def deciding_json(context: RequestContext, history: Sequence[Entry], head: RequestHead) -> list[JsonObject]:
    """One object for each decision that the state of the request allows; none for other roles."""
    principal, services = context.principal, context.services
    if not principal.may("requests.decide"):
        return []
    colleagues = _Colleagues(context)
    file = RequestFile(tuple(history), head.request, head.evidence)
    found = chances(services.ledger, file, principal.id, colleagues, services.clock.now())
    return [_chance_json(one, colleagues) for one in found]


class _Colleagues:
    """The ids of the War Room's people without the reader; read when somebody asks."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._people: dict[str, str] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def name(self, person: str) -> str:
        """The name of a person, or the account's."""
        return self._read().get(person) or person.removeprefix("user:")

    def _read(self) -> dict[str, str]:
        if self._people is None:
            try:
                listed = all_users(self._context.services.index).items
            except Unavailable:
                listed = []  # the index is being made; the reason stands without the names
            named = {f"user:{user.id}": user.name for user, _ in listed if _decides(user)}
            named.pop(self._context.principal.id, None)
            self._people = named
        return self._people


def _decides(user: User) -> bool:
    return user.enabled and Role.WAR_ROOM in in_force(user)


def _chance_json(chance: Chance, colleagues: _Colleagues) -> JsonObject:
    refused = chance.refused
    code, sentence, hint = ("", "", "")
    if refused is not None:
        code = refused.code
        sentence, hint = in_languages(code, str(refused), refused.hint)
    return {
        "act": chance.act.value,
        "may": refused is None,
        "code": code,
        "detail": sentence,
        "hint": hint,
        "others": [{"person": one, "name": colleagues.name(one)} for one in chance.others],
    }
