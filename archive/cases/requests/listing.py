"""Lists of requests, from the index: a page costs what it returns, however many were ever filed.

The index narrows by words; whether a request belongs is decided here, from its record. A decision about a
request reads the ledger (:mod:`archive.cases.requests.book`).
"""

from dataclasses import dataclass, replace

from archive.canonical import JsonObject
from archive.errors import IntegrityError
from archive.model.request import ENDED, EXPIRING, KIND, Request, RequestStatus
from archive.persons import person_of, same_person
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed import streams
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.terms import any_of, term
from archive.timespan import parse_instant


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


def list_requests(
    index: RecordIndex, wanted: Wanted, now: int, *, limit: int, cursor: str = ""
) -> Page[JsonObject]:
    """At most ``limit`` requests after a cursor, as lists show them, the newest first.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(record: Record) -> JsonObject | None:
        return brief_of(record, now) if _belongs(record, wanted, now) else None

    query = _query(wanted)
    return newest_first(index, query, read, limit=limit, cursor=cursor, rests_on=(streams.EVIDENCE,))


def list_related(
    index: RecordIndex, request: Request, theirs: Theirs | None, now: int, *, limit: int
) -> Page[JsonObject]:
    """At most ``limit`` other requests that share a camera and some time with one, the newest first.

    Only those that ``theirs`` admits. Raises as :func:`list_requests`.
    """
    wanted = Wanted(theirs=theirs)

    def read(record: Record) -> JsonObject | None:
        is_other = record.id != request.id and _belongs(record, wanted, now)
        return brief_of(record, now) if is_other and _shares(record, request) else None

    query = _query(wanted)
    query = replace(
        query,
        any_of=(*query.any_of, any_of(streams.CAMERA, request.cameras)),
        touching=request.span,
    )
    return newest_first(index, query, read, limit=limit, rests_on=(streams.EVIDENCE,))


def _shares(record: Record, request: Request) -> bool:
    if record.touches is None or not record.touches.overlaps(request.span):
        return False
    return not set(record.body["state"]["cameras"]).isdisjoint(request.cameras)


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
        "letter_missing": not state["letter_complete"],
        "letter_overdue": _is_overdue(state, now),
        "footage_due_at": state.get("footage_due_at"),
        "footage_expiring": _is_expiring(state),
        "hold_id": state["hold_id"],
        "evidence_id": state["evidence_id"],
        "filed_at": state["filed_at"],
        "changed_at": body["changed_at"],
    }


def _query(wanted: Wanted) -> RecordQuery:
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
    return RecordQuery(kind=KIND, terms=tuple(words), any_of=tuple(sets))


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
