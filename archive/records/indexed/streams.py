"""The record of a ledger stream: its newest state, as lists and searches may show it.

``at`` is the time of the stream's first entry, which never changes. Every field that enters the index is
named here; a field that is added to a state stays out of the index until it is named.

A request's status is shown together with that of its package, so its record rests on both streams, and an
entry of either makes it anew (:func:`records_of_streams`). Its version is the sum of theirs: who appends to
one reads the other afterwards, so the later of two writers knows both, and its sum is the greater one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from archive.canonical import JsonObject
from archive.errors import IntegrityError, Malformed, NotFound
from archive.model.evidence import EvidenceStatus
from archive.model.request import KIND as REQUEST
from archive.model.request import RequestStatus, joined_status
from archive.persons import person_of
from archive.ports import Record
from archive.records.indexed.terms import term, terms
from archive.records.ledger.streams import Entry
from archive.timespan import Timespan, format_instant

EVIDENCE = "evidence"
STATUS, CAMERA, AGENCY, OF_PERSON = "status", "camera", "agency", "person"
AWAITS_LETTER = "letter:awaited"
"""The word of a request whose letter was due at some time and is not complete."""

ABOUT_FOOTAGE = ("hold", "request", "evidence")
"""Kinds whose streams belong to the custody of the footage that their newest state names."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "camera": ("name", "kecamatan", "kelurahan", "owner", "disabled", "registered_at", "lat", "lon"),
    "recorder": (),
    "policy": ("scope", "terms", "proposal"),
    "hold": (
        "cameras", "from", "to", "case", "owner", "basis", "review_at", "placed_by", "placed_at", "status",
        "release",
    ),
    "request": (
        "status", "agency_account", "case", "purpose", "cameras", "from", "to", "urgent", "filed_at",
        "hold_id", "letter_due_at", "footage_due_at", "evidence_id", "ended_at",
    ),
    "evidence": (
        "evidence_id", "cameras", "from", "to", "case", "actor", "asked_at", "status", "attempts", "kind",
        "request_id", "request_entry", "package", "failure", "waiting",
    ),
    "backfill": ("evidence_id", "request_id", "cameras", "from", "to", "fillings"),
    "grant": (
        "person", "agency", "cameras", "from", "to", "rights", "until", "basis", "request", "given_by",
        "given_at", "revoked",
    ),
    "user": ("name", "roles", "districts", "agency", "issuer", "enabled", "proposed", "hosts"),
    "token": ("revoked", "expires_at"),
    "disposition": (
        "cause", "status", "started_at", "started_by", "from", "to", "segments", "bytes", "list_sha256",
        "policies", "outcome", "stamped_at",
    ),
    "break_glass": (
        "number", "authority", "basis", "cameras", "from", "to", "ordered_by", "ordered_at", "status",
        "approved_by", "approved_at", "disposition", "executed_at",
    ),
    "integrity_incident": (
        "status", "code", "subject", "message", "found_by", "details", "closed_by", "closed_reason",
    ),
}  # fmt: skip
"""The members of each kind's state that enter the index."""

_REQUESTER = ("person", "name", "agency_kind", "agency", "unit")
"""What is kept of a requester: neither the personal number, nor the rank, nor how to reach them."""


class Streams(Protocol):
    """A ledger that is read; :class:`archive.records.ledger.streams.Ledger` is one."""

    def entry(self, kind: str, entity: str, version: int) -> Entry:
        """One entry."""
        ...

    def head(self, kind: str, entity: str) -> Entry:
        """The newest entry of a stream."""
        ...


def records_of_streams(ledger: Streams, newest: Entry, first: Entry) -> Sequence[Record]:
    """The records that rest on a stream, whose newest and first entry are given: its own, and a request's.

    Raises:
        Unavailable, Refused: as the ledger.
    """
    if newest.kind == REQUEST:
        return [record_of_stream(first, newest, _head(ledger, EVIDENCE, newest.state.get("evidence_id")))]
    found = [record_of_stream(first, newest)]
    request = _head(ledger, REQUEST, newest.state.get("request_id")) if newest.kind == EVIDENCE else None
    if request is not None and request.state.get("evidence_id") == newest.id:
        filed = request if request.version == 1 else _entry(ledger, REQUEST, request.id)
        if filed is not None:
            found.append(record_of_stream(filed, request, newest))
    return found


def record_of_stream(first: Entry, newest: Entry, package: Entry | None = None) -> Record:
    """The record of a stream, from its first and its newest entry; of a request, with its package's newest.

    A state with unreadable times or cameras is indexed all the same: it then touches any footage.
    """
    state = newest.state
    status = _status(state, package)
    kept = shown_state(newest.kind, state)
    if status:
        kept["status"] = status
    return Record(
        kind=newest.kind,
        id=newest.id,
        version=newest.version + (0 if package is None else package.version),
        at=first.at,
        terms=_terms(newest.kind, state, status),
        touches=_span(state),
        body={
            "version": newest.version,
            "sha256": newest.digest,
            "changed_at": format_instant(newest.at),
            "changed_by": newest.actor,
            "reason": newest.reason,
            "state": kept,
        },
    )


def _status(state: Mapping[str, Any], package: Entry | None) -> str:
    """The status that is shown; "" for a stream without one."""
    status = state.get("status")
    if not isinstance(status, str):
        return ""
    if package is None:
        return status
    try:
        return joined_status(RequestStatus(status), EvidenceStatus(str(package.state.get("status")))).value
    except ValueError:
        return status  # of a kind that this version does not know


def _head(ledger: Streams, kind: str, name: object) -> Entry | None:
    if not isinstance(name, str) or not name:
        return None
    try:
        return ledger.head(kind, name)
    except (NotFound, IntegrityError, Malformed):
        return None  # not there yet, or unreadable; then its own stream says so


def _entry(ledger: Streams, kind: str, name: str) -> Entry | None:
    try:
        return ledger.entry(kind, name, 1)
    except (NotFound, IntegrityError, Malformed):
        return None


def shown_state(kind: str, state: Mapping[str, Any]) -> JsonObject:
    """The members of a state that the index keeps."""
    kept: JsonObject = {name: state[name] for name in _FIELDS[kind] if name in state}
    requester = state.get("requester")
    if kind == "request" and isinstance(requester, Mapping):
        kept["requester"] = {name: requester[name] for name in _REQUESTER if name in requester}
        kept["letter_complete"] = int(_is_complete(state.get("letter")))
    return kept


def _terms(kind: str, state: Mapping[str, Any], status: str) -> frozenset[str]:
    found: set[str] = set()
    if status:
        found.add(term(STATUS, status))
    if kind == REQUEST and state.get("letter_due_at") and not _is_complete(state.get("letter")):
        found.add(AWAITS_LETTER)
    cameras = state.get("cameras")
    if isinstance(cameras, list | tuple):
        found |= terms(CAMERA, (one for one in cameras if isinstance(one, str)))
    requester = state.get("requester")
    sources = (state, requester if isinstance(requester, Mapping) else {})
    found |= terms(AGENCY, _texts(sources, ("agency", "agency_account")))
    if kind != "camera":  # there the owner is a kind of owner
        found |= terms(OF_PERSON, map(person_of, _texts(sources, ("person", "owner", "actor", "placed_by"))))
    return frozenset(found)


def _is_complete(letter: object) -> bool:
    return isinstance(letter, Mapping) and all(letter.get(name) for name in ("number", "date", "sha256"))


def _texts(sources: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    values = [where.get(name) for where in sources for name in names]
    return [one for one in values if isinstance(one, str) and one]


def _span(state: Mapping[str, Any]) -> Timespan | None:
    try:
        return Timespan.parse(state["from"], state["to"])
    except (KeyError, TypeError, AttributeError, Malformed):
        return None
