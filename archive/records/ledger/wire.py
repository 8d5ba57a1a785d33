"""The bytes of a ledger entry: two lines of canonical JSON, so that a part of an entry can be shown.

Version 2, each line ended by one LF::

    {"at":…,"commits":{"action":"<hex>",…,"state.case":"<hex>"},"entry_id":…,"id":…,"kind":…,
     "prev":"<hex>","v":2,"version":N}
    {"opens":{"action":["<salt>","request.filed"],…,"state.case":["<salt>","LP/B/1"]},"v":2}

The first line is the entry's *line*: the log has a leaf of its own for it, and its SHA-256 without the LF is
the entry's digest, which the next entry names in ``prev``. It commits to every field without showing it. The
second line opens the fields. An entry is shown by its first line and chosen openings.

A commitment is the SHA-256 of the canonical JSON of ``[name, salt, value]``; a salt is 64 hex digits, random
for each field, so that a value cannot be guessed. Fields are ``actor``, ``action``, ``reason``, and the
members of the state: ``state.case``. An object in the state is committed member by member
(``state.requester.name``), a list of texts element by element (``state.cameras[0]``), so that one can be
shown without the others; everything else is one field.

Version 1 is one line without an LF that holds everything in clear; its digest is over all bytes. Streams may
begin with entries of version 1.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archive import canonical, keys
from archive.canonical import JsonObject, sha256_hex
from archive.errors import IntegrityError, Malformed
from archive.timespan import format_instant, parse_instant

VERSION = 2
_WHOLE = 1
"""The version whose entries hold everything in clear."""
_FIRST = {
    "v", "kind", "id", "version", "entry_id", "at", "actor", "action", "reason", "prev", "state",
}  # fmt: skip
"""The members of an entry of version 1."""
_HEAD = {"v", "kind", "id", "version", "entry_id", "at", "prev", "commits"}
_SECOND = {"v", "opens"}
_NAMED = ("actor", "action", "reason")
_STATE = "state."
_MEMBER = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)
_FIELD = re.compile(
    r"state\.(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<member>.*)|\[(?P<place>0|[1-9]\d{0,8})\])?\Z",
    re.ASCII | re.DOTALL,
)
_SALT = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)

Salts = Callable[[], str]
"""Gives a new salt for each field: 64 lower-case hex digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ledger entry. ``prev`` is the digest of the previous entry, ``digest`` its own."""

    kind: str
    id: str
    version: int
    entry_id: str
    at: int
    actor: str
    action: str
    reason: str
    prev: str
    state: JsonObject
    digest: str

    @property
    def key(self) -> str:
        """The entry's object name."""
        return keys.ledger_key(self.kind, self.id, self.version)


def new_salt() -> str:
    """A random salt of 32 bytes."""
    return secrets.token_hex(32)


def encode(
    *,
    kind: str,
    entity: str,
    version: int,
    entry_id: str,
    at: int,
    actor: str,
    action: str,
    reason: str,
    prev: str,
    state: JsonObject,
    salts: Salts = new_salt,
) -> bytes:
    """The bytes of a new entry.

    Raises:
        Malformed: ``bad_entry``: a member of the state has a name that no field can have. ``not_canonical``.
    """
    fields = {"actor": actor, "action": action, "reason": reason, **flatten(state)}
    opens = {name: [salts(), value] for name, value in fields.items()}
    head = {
        "v": VERSION,
        "kind": kind,
        "id": entity,
        "version": version,
        "entry_id": entry_id,
        "at": format_instant(at),
        "prev": prev,
        "commits": {name: commitment(name, salt, value) for name, (salt, value) in opens.items()},
    }
    return b"%s\n%s\n" % (canonical.encode(head), canonical.encode({"v": VERSION, "opens": opens}))


def decode(key: str, data: bytes) -> Entry:
    """Read an entry of any version.

    Raises:
        IntegrityError: ``bad_entry``: it cannot be read, an opening differs from its commitment, or it is
            the entry of another name.
    """
    try:
        head, fields = _read(data)
        entry = Entry(
            kind=head["kind"],
            id=head["id"],
            version=head["version"],
            entry_id=head["entry_id"],
            at=parse_instant(head["at"]),
            actor=fields["actor"],
            action=fields["action"],
            reason=fields["reason"],
            prev=head["prev"],
            state=_checked_state(fields["state"]),
            digest=digest_of(data),
        )
        if not all(isinstance(one, str) for one in (entry.entry_id, entry.actor, entry.action, entry.reason)):
            raise TypeError("a field of it is not text")
        stated = entry.key
    except (KeyError, TypeError, AttributeError, ValueError, Malformed) as error:
        raise IntegrityError(f"{key} is not a readable ledger entry: {error}", code="bad_entry") from error
    if stated != key:
        raise IntegrityError(f"{key} holds the entry {stated}", code="bad_entry")
    return entry


def line_of(data: bytes) -> bytes:
    """The line that stands for an entry in the log; ``data`` are the bytes of its object."""
    return data.split(b"\n", 1)[0]


def digest_of(data: bytes) -> str:
    """The digest of an entry: the SHA-256 of its line."""
    return sha256_hex(line_of(data))


def can_show_parts(data: bytes) -> bool:
    """Whether single fields of an entry can be shown; one of version 1 is shown whole or not at all."""
    return b"\n" in data


def openings(data: bytes, chosen: Iterable[str]) -> JsonObject:
    """The chosen fields of an entry of version 2, in the form of its second line; unknown names are left out.

    Raises:
        Malformed: ``bad_entry``, ``bad_json``.
    """
    opens = _lines(data)[1]["opens"]
    return {"v": VERSION, "opens": {name: opens[name] for name in sorted(set(chosen)) if name in opens}}


def commitment(name: str, salt: str, value: Any) -> str:
    """The commitment to one field: a SHA-256 in hex. Raises Malformed ``not_canonical``."""
    one = canonical.encode_value
    return sha256_hex(b"[%s,%s,%s]" % (one(name), one(salt), one(value)))


def flatten(state: Mapping[str, Any]) -> JsonObject:
    """The fields of a state by name. Raises Malformed ``bad_entry``."""
    found: JsonObject = {}
    for name, value in state.items():
        if _MEMBER.match(name) is None:
            raise Malformed(f"a state cannot have a member {name[:40]!r}", code="bad_entry")
        if isinstance(value, Mapping) and value:
            found |= {f"{_STATE}{name}.{member}": item for member, item in value.items()}
        elif isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
            found |= {f"{_STATE}{name}[{place}]": item for place, item in enumerate(value)}
        else:
            found[_STATE + name] = value
    return found


def _unflatten(fields: Mapping[str, Any]) -> JsonObject:
    """The state whose fields these are. Raises Malformed ``bad_entry``."""
    state: JsonObject = {}
    lists: dict[str, dict[int, Any]] = {}
    for field, value in fields.items():
        match = _FIELD.match(field)
        if match is None:
            raise Malformed(f"{field[:60]!r} is not a field of a state", code="bad_entry")
        name = match["name"]
        if match["member"] is not None:
            state.setdefault(name, {})[match["member"]] = value
        elif match["place"] is not None:
            lists.setdefault(name, {})[int(match["place"])] = value
        else:
            state[name] = value
    for name, places in lists.items():
        state[name] = [places[place] for place in range(len(places))]
    if flatten(state) != fields:
        raise Malformed("its fields are not those of one state", code="bad_entry")
    return state


def _read(data: bytes) -> tuple[JsonObject, JsonObject]:
    """The first line of an entry, and actor, action, reason and state."""
    if not can_show_parts(data):
        whole = canonical.decode(data)
        if whole["v"] != _WHOLE or not _FIRST <= set(whole):
            raise Malformed("unknown entry version, or a member is missing", code="bad_entry")
        return whole, whole
    head, opened = _lines(data)
    if head["v"] != VERSION or opened["v"] != VERSION:
        raise Malformed("unknown entry version", code="bad_entry")
    commits, opens = head["commits"], opened["opens"]
    if set(head) != _HEAD or set(opened) != _SECOND or set(commits) != set(opens):
        raise Malformed("its two lines do not have the required form", code="bad_entry")
    for name, (salt, value) in opens.items():
        if _SALT.match(salt) is None or commitment(name, salt, value) != commits[name]:
            raise Malformed(f"the opening of {name[:60]} differs from its commitment", code="bad_entry")
    values = {name: value for name, (_, value) in opens.items()}
    named = {name: values.pop(name) for name in _NAMED}
    return head, named | {"state": _unflatten(values)}


def _lines(data: bytes) -> tuple[JsonObject, JsonObject]:
    """The two lines, each in its one form. Raises Malformed."""
    lines = data.split(b"\n")
    if len(lines) != 3 or lines[2]:
        raise Malformed("it does not have two lines", code="bad_entry")
    head, opened = canonical.decode(lines[0]), canonical.decode(lines[1])
    if (canonical.encode(head), canonical.encode(opened)) != (lines[0], lines[1]):
        raise Malformed("it is not in its one form", code="bad_entry")
    return head, opened


def _checked_state(state: object) -> JsonObject:
    if not isinstance(state, dict):
        raise TypeError("its state is not an object")  # the decoder reports it like any bad field
    return state
