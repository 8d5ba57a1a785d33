"""Integrity incidents: a broken hash, a missing object, a second version, on record once, never repaired.

An incident's id follows from its code and its object, so that a check that finds the same thing every hour
opens one incident, not a thousand. Closing one is a person's act, with a reason.
"""

from archive.canonical import JsonObject, sha256_hex
from archive.errors import Conflict, NotFound
from archive.ledger import Entry, Ledger

KIND = "integrity_incident"


def incident_id(code: str, subject: str) -> str:
    """``inc-`` and 24 hex digits, the same for the same finding."""
    return f"inc-{sha256_hex(f'{code}|{subject}'.encode())[:24]}"


def open_incident(
    ledger: Ledger, *, code: str, subject: str, message: str, found_by: str, details: JsonObject | None = None
) -> Entry:
    """Put a finding on record; one that is open already is returned as it is, a closed one is opened again.

    Raises:
        Unavailable, IntegrityError: as the ledger; the finding must then be told again.
    """
    entity = incident_id(code, subject)
    state: JsonObject = {
        "status": "open",
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
        if head is not None and head.state["status"] == "open":
            return head
        try:
            return ledger.append(
                KIND,
                entity,
                state,
                expected=0 if head is None else head.version,
                actor=found_by,
                action="integrity_incident.opened" if head is None else "integrity_incident.reopened",
                reason=message[:300],
            )
        except Conflict:
            continue  # another process found it too; look again
