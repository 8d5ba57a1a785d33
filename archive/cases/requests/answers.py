"""Requests as the API and the command line show them."""

from collections.abc import Iterable, Sequence

from archive.canonical import JsonObject
from archive.cases.requests.book import RequestHead
from archive.cases.requests.transitions import possible
from archive.model.request import is_expiring, is_letter_overdue, to_state
from archive.records.ledger.streams import Entry
from archive.timespan import format_instant


def request_json(head: RequestHead, now: int) -> JsonObject:
    """One request: its newest state and status, what is late and which acts are possible."""
    request, entry, package = head.request, head.entry, head.evidence
    return {
        "id": request.id,
        "version": entry.version,
        "entry_sha256": entry.digest,
        **to_state(request),
        "status": head.status.value,
        "letter_overdue": is_letter_overdue(request, now),
        "footage_expiring": is_expiring(request),
        "acts": [act.value for act in possible(head.status)],
        "failure": None
        if package is None or not package.failure_code
        else {"code": package.failure_code, "message": package.failure},
        "changed_at": format_instant(entry.at),
        "changed_by": entry.actor,
    }


def brief_json(head: RequestHead, now: int) -> JsonObject:
    """One request in a list: its subject and its status, without people and papers."""
    request = head.request
    return {
        "id": request.id,
        "version": head.entry.version,
        "status": head.status.value,
        "agency_kind": request.requester.agency_kind.value,
        "agency": request.requester.agency,
        "unit": request.requester.unit,
        "case": request.case,
        "cameras": list(request.cameras),
        "from": format_instant(request.span.start),
        "to": format_instant(request.span.end),
        "urgent": request.urgent,
        "letter_due_at": None if request.letter_due_at is None else format_instant(request.letter_due_at),
        "letter_missing": not request.letter.is_complete,
        "letter_overdue": is_letter_overdue(request, now),
        "footage_due_at": None if request.footage_due_at is None else format_instant(request.footage_due_at),
        "footage_expiring": is_expiring(request),
        "hold_id": request.hold_id,
        "evidence_id": request.evidence_id,
        "filed_at": format_instant(request.filed_at),
        "changed_at": format_instant(head.entry.at),
    }


def related(head: RequestHead, others: Iterable[RequestHead]) -> list[RequestHead]:
    """The other requests that share a camera and some time with this one."""
    request = head.request
    return [
        other
        for other in others
        if other.request.id != request.id
        and request.span.overlaps(other.request.span)
        and not set(request.cameras).isdisjoint(other.request.cameras)
    ]


def history_json(entries: Sequence[Entry]) -> list[JsonObject]:
    """Who did what, when and why, oldest first; a decision binds to ``sha256``."""
    return [
        {
            "version": entry.version,
            "at": format_instant(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "reason": entry.reason,
            "sha256": entry.digest,
        }
        for entry in entries
    ]
