"""Who could see a camera's footage at a past time: the ledger as of then, read with the permission table.

An inspectorate asks this after a leak. Accounts, grants and tokens are taken as of ``at``, and a token has
the reach it had then, limited by its maker's; the camera's place is taken as of ``footage_at``. The table is
that of this program: if it changed since, the answer says what these roles reach today.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from api.auth.holders import Known, holder_of
from api.auth.permissions import RIGHT_OF, Reach, reach_of
from api.auth.principal import Principal
from api.auth.tokens_then import tokens_at
from archive.canonical import JsonObject
from archive.model import camera as cameras
from archive.model import grant as grants
from archive.model import user as users
from archive.model.grant import Grant
from archive.model.user import User
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import format_instant

ACTIONS = ("footage.play", "clips.download", "evidence.download")
"""Actions that show or download footage."""


@dataclass(frozen=True, slots=True)
class _Question:
    camera: str
    kecamatan: str
    at: int
    footage_at: int


def who_could_see(
    ledger: Ledger,
    camera_history: Iterable[Entry],
    known: Iterable[Known],
    *,
    camera: str,
    at: int,
    footage_at: int,
) -> JsonObject:
    """Everybody who could see, at ``at``, what a camera recorded at ``footage_at``.

    ``known`` are the tokens in the token file now (:mod:`api.auth.tokens_then`).

    Raises:
        Unavailable: the ledger does not answer. IntegrityError, Malformed: one of its streams is unreadable.
    """
    asked = _Question(camera, _kecamatan(camera_history, footage_at), at, footage_at)
    people = {
        name: users.from_state(name, entry.state) for name, entry in _as_of(ledger, users.KIND, at).items()
    }
    given = [grants.from_state(name, entry.state) for name, entry in _as_of(ledger, grants.KIND, at).items()]
    viewers = [*_people(people, given, asked), *_machines(tokens_at(ledger, known, at), people, asked)]
    return {
        "camera": camera,
        "at": format_instant(at),
        "footage_at": format_instant(footage_at),
        "kecamatan": asked.kecamatan,
        "viewers": viewers,
    }


def _people(people: Mapping[str, User], given: Iterable[Grant], asked: _Question) -> Iterator[JsonObject]:
    opened = [one for one in given if one.in_force(asked.at) and _opens(one, asked)]
    for user in people.values():
        theirs = [one for one in opened if one.is_for(user.id, user.agency)]
        sights = [sight for action in ACTIONS for sight in _sights(user, action, theirs, asked)]
        if user.enabled and sights:
            yield {
                "who": f"user:{user.id}",
                "name": user.name,
                "roles": sorted(role.value for role in user.roles),
                "agency": user.agency,
                "sights": sights,
            }


def _sights(user: User, action: str, theirs: Iterable[Grant], asked: _Question) -> Iterator[JsonObject]:
    reach = reach_of(frozenset(user.roles), action)
    if Reach.ALL in reach:
        yield {"action": action, "by": "role", "grant": ""}
    elif Reach.OWN in reach and asked.kecamatan in user.districts:
        yield {"action": action, "by": "district", "grant": ""}
    if Reach.GRANTED in reach:
        for grant in theirs:
            if RIGHT_OF[action] in grant.rights:
                yield {"action": action, "by": "grant", "grant": grant.id}


def _machines(
    standing: Mapping[str, Known], people: Mapping[str, User], asked: _Question
) -> Iterator[JsonObject]:
    for token in standing.values():
        holder = holder_of(token, standing, makers=people.get, now=asked.at)
        actions = [action for action in ACTIONS if holder is not None and _reaches(holder, action, asked)]
        if actions:
            yield {
                "who": f"token:{token.name}",
                "name": token.name,
                "roles": [],
                "agency": "",
                "sights": [{"action": action, "by": "scope", "grant": ""} for action in actions],
            }


def _reaches(holder: Principal, action: str, asked: _Question) -> bool:
    reach = holder.reach(action)
    return Reach.ALL in reach or (Reach.OWN in reach and holder.is_own(asked.kecamatan))


def _opens(grant: Grant, asked: _Question) -> bool:
    return asked.camera in grant.cameras and grant.span.start <= asked.footage_at < grant.span.end


def _kecamatan(history: Iterable[Entry], at: int) -> str:
    """The district where the camera stood; before its registration, where it first stood."""
    found = ""
    for entry in history:
        if entry.at <= at or not found:
            found = cameras.from_state(entry.state).place.kecamatan
    return found


def _as_of(ledger: Ledger, kind: str, at: int) -> dict[str, Entry]:
    """The newest entry of each stream of a kind as of a time, by id."""
    found: dict[str, Entry] = {}
    for head in ledger.heads(kind):
        if head.at <= at:
            found[head.id] = head
            continue
        for entry in ledger.history(kind, head.id):
            if entry.at <= at:
                found[head.id] = entry
    return dict(sorted(found.items()))
