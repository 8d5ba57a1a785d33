"""Integrity incidents: a broken hash, a missing object, a second version; recorded once, never repaired.

An incident's id follows from its code and its object, so that a check that finds the same damage every hour
opens one incident, not a thousand. A person closes it, with a reason; if the same damage is found again
after that, it opens again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject, sha256_hex
from archive.errors import Conflict, IntegrityError, Malformed, NotFound
from archive.ids import check_name
from archive.records.indexed.newest import Said
from archive.records.ledger.streams import Entry, Ledger, printable
from archive.timespan import format_instant

KIND = "integrity_incident"
MAX_REASON = 1000


class IntegrityIncidentStatus(StrEnum):
    """Whether a person has dealt with it."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityIncident:
    """One incident, from its newest entry. ``closed_by`` and ``closed_reason`` are "" while it is open.

    ``changed_at`` is when it was last opened, opened again or closed; ``version`` counts its entries.
    """

    id: str
    version: int
    status: IntegrityIncidentStatus
    code: str
    subject: str
    message: str
    found_by: str
    details: JsonObject
    changed_at: int
    closed_by: str
    closed_reason: str

    def to_json(self) -> JsonObject:
        """The incident as the API and ``saksi integrity-incident --json`` show it."""
        return {
            "id": self.id,
            "version": self.version,
            "status": self.status.value,
            "code": self.code,
            "subject": self.subject,
            "message": self.message,
            "found_by": self.found_by,
            "details": self.details,
            "changed_at": format_instant(self.changed_at),
            "closed_by": self.closed_by,
            "closed_reason": self.closed_reason,
        }


def incident_id(code: str, subject: str) -> str:
    """``inc-`` and 24 hex digits, the same for the same finding."""
    return f"inc-{sha256_hex(f'{code}|{subject}'.encode())[:24]}"


def open_integrity_incident(
    ledger: Ledger, *, code: str, subject: str, message: str, found_by: str, details: JsonObject | None = None
) -> Entry:
    """Record a finding; an open incident is returned unchanged, a closed one is opened again.

    Raises:
        Unavailable, IntegrityError: as the ledger; the caller must then report the finding again.
    """
    entity = incident_id(code, subject)
    state: JsonObject = {
        "status": IntegrityIncidentStatus.OPEN.value,
        "code": code,
        "subject": subject,
        "message": message,
        "found_by": found_by,
        "details": details or {},
    }
    while True:
        try:
            head = ledger.head(KIND, entity)
        except NotFound:
            head = None
        if head is not None and head.state["status"] == IntegrityIncidentStatus.OPEN:
            return head
        try:
            return ledger.append(
                KIND,
                entity,
                state,
                expected=0 if head is None else head.version,
                actor=found_by,
                action="integrity_incident.opened" if head is None else "integrity_incident.reopened",
                reason=printable(message[:300]),
            )
        except Conflict:
            continue  # another process found it too; read again


def incidents(ledger: Ledger, status: IntegrityIncidentStatus | None = None) -> Iterator[IntegrityIncident]:
    """Every incident, or those with that status, by id. Raises IntegrityError ``bad_incident``."""
    for entry in ledger.heads(KIND):
        found = _incident(entry)
        if status in (None, found.status):
            yield found


def find_integrity_incident(ledger: Ledger, entity: str) -> IntegrityIncident:
    """One incident. Raises NotFound ``integrity_incident_not_found``."""
    return _incident(ledger.head(KIND, check_name("incident", entity)))


def close_integrity_incident(
    ledger: Ledger, entity: str, *, actor: str, reason: str, expected: int | None = None
) -> IntegrityIncident:
    """Close an incident with a person's reason; ``expected`` is the version that the person has read.

    Raises:
        NotFound: ``integrity_incident_not_found``.
        Malformed: ``reason_missing``, ``bad_reason``.
        Conflict: ``incident_closed``; ``ledger_conflict`` if it was opened again or closed since it was
            read.
    """
    reason = reason.strip()
    if not reason:
        raise Malformed("a reason is needed", code="reason_missing", hint="Say what was done about it.")
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise Malformed(
            "the reason cannot be recorded",
            code="bad_reason",
            hint=f"Use at most {MAX_REASON} printable characters.",
        )
    head = ledger.head_at(KIND, check_name("incident", entity), expected)
    found = _incident(head)
    if found.status is IntegrityIncidentStatus.CLOSED:
        raise Conflict(
            f"incident {entity} was closed by {found.closed_by}",
            code="incident_closed",
            hint="It opens again by itself when the same damage is found again.",
        )
    state = head.state | {
        "status": IntegrityIncidentStatus.CLOSED.value,
        "closed_by": actor,
        "closed_reason": reason,
    }
    entry = ledger.append(
        KIND,
        entity,
        state,
        expected=head.version,
        actor=actor,
        action="integrity_incident.closed",
        reason=reason,
    )
    return _incident(entry)


def _incident(entry: Entry) -> IntegrityIncident:
    return from_state(entry.id, entry.state, entry)


def from_state(name: str, state: Mapping[str, Any], newest: Said) -> IntegrityIncident:
    """Read an incident back. Raises IntegrityError ``bad_incident``."""
    try:
        return IntegrityIncident(
            id=name,
            version=newest.version,
            status=IntegrityIncidentStatus(state["status"]),
            code=state["code"],
            subject=state["subject"],
            message=state["message"],
            found_by=state["found_by"],
            details=state["details"],
            changed_at=newest.at,
            closed_by=state.get("closed_by", ""),
            closed_reason=state.get("closed_reason", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"incident {name} cannot be read: {error}", code="bad_incident") from error
