"""Lists of requests, from the index: a page costs what it returns, however many were ever filed.

The index narrows by words; whether a request belongs is decided here, from its record. A decision about a
request reads the ledger (:mod:`archive.cases.requests.book`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.attended import each
from archive.canonical import JsonObject
from archive.errors import IntegrityError, Malformed
from archive.model.request import ENDED, EXPIRING, KIND, RequestStatus
from archive.persons import person_of, same_person
from archive.ports import Record, RecordIndex, RecordOrder, RecordQuery
from archive.records.indexed import streams
from archive.records.indexed.marks import followed_at
from archive.records.indexed.terms import any_of, term
from archive.records.indexed.unread import refuse_unread_streams
from archive.timespan import parse_instant

_CURSOR = re.compile(r"(\d{1,17})-(REQ-\d{4}-[0-9A-HJKMNP-TV-Z]{10})\Z", re.ASCII)
_TURN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """Requests of one person, or filed by an account of their agency ("" for none)."""

    person: str
    agency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which requests to list; a filter that is empty admits all. ``overdue``: whose letter is overdue."""

    status: RequestStatus | None = None
    agency: str = ""
    camera: str = ""
    overdue: bool = False
    theirs: Theirs | None = None


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests as lists show them, the newest first; ``next`` is the cursor of the next page.

    ``as_of`` (µs) is :func:`archive.records.indexed.marks.followed_at` before the index was asked.
    """

    items: Sequence[JsonObject]
    next: str | None
    as_of: int | None


def list_requests(
    index: RecordIndex, wanted: Wanted, now: int, *, limit: int, cursor: str = ""
) -> RequestPage:
    """At most ``limit`` requests after a cursor.

    Raises:
        Malformed: ``bad_cursor``.
        IntegrityError: an entry of a request or package cannot be read; no list leaves one out silently.
        Unavailable: ``index_incomplete``, or as the index.
    """
    as_of = followed_at(index)
    refuse_unread_streams(index, (), (KIND, streams.EVIDENCE))
    query = _query(wanted, None if not cursor else _position(cursor))
    turn = min(limit + 1, _TURN)
    found: list[Record] = []
    while True:
        records = index.find_records(query, limit=turn)
        for record in each(records):
            if not _belongs(record, wanted, now):
                continue
            if len(found) == limit:
                at, name = found[-1].position
                return RequestPage([brief_of(one, now) for one in found], f"{at}-{name}", as_of)
            found.append(record)
        if len(records) < turn:
            return RequestPage([brief_of(one, now) for one in found], None, as_of)
        query, turn = replace(query, after=records[-1].position), _TURN


def brief_of(record: Record, now: int) -> JsonObject:
    """As :func:`archive.cases.requests.answers.brief_json`, from a record of the index."""
    body = record.body
    state = body["state"]
    requester = state["requester"]
    return {
        "id": record.id,
        "version": body["version"],
        "status": state["status"],
        "agency_kind": requester["agency_kind"],
        "agency": requester["agency"],
        "unit": requester["unit"],
        "case": state["case"],
        "cameras": state["cameras"],
        "from": state["from"],
        "to": state["to"],
        "urgent": state["urgent"],
        "letter_due_at": state["letter_due_at"],
        "letter_overdue": _is_overdue(state, now),
        "footage_due_at": state.get("footage_due_at"),
        "footage_expiring": _is_expiring(state),
        "hold_id": state["hold_id"],
        "evidence_id": state["evidence_id"],
        "filed_at": state["filed_at"],
        "changed_at": body["changed_at"],
    }


def _query(wanted: Wanted, after: tuple[int, str] | None) -> RecordQuery:
    words: list[str] = []
    sets: list[frozenset[str]] = []
    if wanted.status is not None:
        words.append(term(streams.STATUS, wanted.status.value))
    if wanted.agency:
        words.append(term(streams.AGENCY, wanted.agency))
    if wanted.overdue:
        words.append(streams.AWAITS_LETTER)
    if wanted.camera:
        sets.append(any_of(streams.CAMERA, [wanted.camera]))
    if wanted.theirs is not None:
        own = {term(streams.OF_PERSON, person_of(wanted.theirs.person))}
        if wanted.theirs.agency:
            own.add(term(streams.AGENCY, wanted.theirs.agency))
        sets.append(frozenset(own))
    return RecordQuery(
        kind=KIND, terms=tuple(words), any_of=tuple(sets), order=RecordOrder.NEWEST_FIRST, after=after
    )


def _belongs(record: Record, wanted: Wanted, now: int) -> bool:
    try:
        state = record.body["state"]
        requester, theirs = state["requester"], wanted.theirs
        return (
            wanted.status in (None, state["status"])
            and wanted.agency in ("", state["agency_account"], requester["agency"])
            and wanted.camera in ("", *state["cameras"])
            and (not wanted.overdue or _is_overdue(state, now))
            and (
                theirs is None
                or same_person(requester["person"], theirs.person)
                or (theirs.agency != "" and state["agency_account"] == theirs.agency)
            )
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            f"request {record.id} cannot be listed: {error}",
            code="bad_request_record",
            hint="Call the auditor: saksi archive check says what is damaged.",
        ) from error


def _is_overdue(state: JsonObject, now: int) -> bool:
    due = state["letter_due_at"]
    return (
        due is not None
        and not state["letter_complete"]
        and state["status"] not in ENDED
        and now >= parse_instant(due)
    )


def _is_expiring(state: JsonObject) -> bool:
    due = state.get("footage_due_at")
    return due is not None and parse_instant(due) < parse_instant(state["filed_at"]) + EXPIRING


def _position(cursor: str) -> tuple[int, str]:
    match = _CURSOR.match(cursor)
    if match is None:
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    return int(match[1]), match[2]
