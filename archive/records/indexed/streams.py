"""The record of a ledger stream: its newest state, as lists and searches may show it.

``at`` is the time of the stream's first entry, which never changes. Every field that enters the index is
named here; a field that is added to a state stays out of the index until it is named.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ports import Record
from archive.records.indexed.terms import term, terms
from archive.records.ledger.streams import Entry
from archive.timespan import Timespan, format_instant

STATUS, CAMERA, AGENCY, OF_PERSON = "status", "camera", "agency", "person"

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
        "evidence_id", "cameras", "from", "to", "case", "actor", "asked_at", "status", "kind", "request_id",
        "package", "failure", "waiting",
    ),
    "grant": (
        "person", "agency", "cameras", "from", "to", "rights", "until", "basis", "request", "given_by",
        "given_at", "revoked",
    ),
    "user": ("name", "roles", "districts", "agency", "enabled", "proposed"),
    "token": ("revoked", "expires_at"),
    "disposition": (
        "cause", "status", "started_at", "started_by", "from", "to", "segments", "bytes", "list_sha256",
        "stamped_at",
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


def record_of_stream(first: Entry, newest: Entry) -> Record:
    """The record of a stream, from its first and its newest entry.

    A state with unreadable times or cameras is indexed all the same: it then touches any footage.
    """
    state = newest.state
    kept = shown_state(newest.kind, state)
    return Record(
        kind=newest.kind,
        id=newest.id,
        version=newest.version,
        at=first.at,
        terms=_terms(newest.kind, state),
        touches=_span(state),
        body={
            "version": newest.version,
            "sha256": newest.digest,
            "changed_at": format_instant(newest.at),
            "changed_by": newest.actor,
            "state": kept,
        },
    )


def shown_state(kind: str, state: Mapping[str, Any]) -> JsonObject:
    """The members of a state that the index keeps."""
    kept: JsonObject = {name: state[name] for name in _FIELDS[kind] if name in state}
    requester = state.get("requester")
    if kind == "request" and isinstance(requester, Mapping):
        kept["requester"] = {name: requester[name] for name in _REQUESTER if name in requester}
        letter = state.get("letter")
        kept["letter_complete"] = int(isinstance(letter, Mapping) and all(letter.values()))
    return kept


def _terms(kind: str, state: Mapping[str, Any]) -> frozenset[str]:
    found: set[str] = set()
    status = state.get("status")
    if isinstance(status, str):
        found.add(term(STATUS, status))
    cameras = state.get("cameras")
    if isinstance(cameras, list | tuple):
        found |= terms(CAMERA, (one for one in cameras if isinstance(one, str)))
    requester = state.get("requester")
    sources = (state, requester if isinstance(requester, Mapping) else {})
    found |= terms(AGENCY, _texts(sources, ("agency", "agency_account")))
    if kind != "camera":  # there the owner is a kind of owner
        found |= terms(OF_PERSON, _texts(sources, ("person", "owner", "actor")))
    return frozenset(found)


def _texts(sources: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    values = [where.get(name) for where in sources for name in names]
    return [one for one in values if isinstance(one, str) and one]


def _span(state: Mapping[str, Any]) -> Timespan | None:
    try:
        return Timespan.parse(state["from"], state["to"])
    except (KeyError, TypeError, AttributeError, Malformed):
        return None
