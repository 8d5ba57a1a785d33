"""One act as reports show it: a custody event, or a ledger entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import IntegrityError
from archive.model.custody import Actor, Outcome, actor_json
from archive.ports import Record
from archive.records.custody import StoredEvent
from archive.records.ledger.streams import Entry


class Source(StrEnum):
    """The source of a line."""

    CUSTODY = "custody"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One act of a report. ``proof`` names the stored line or entry behind it (``saksi log prove``)."""

    at: int
    id: str
    source: Source
    type: str
    actor: Actor
    purpose: str
    outcome: Outcome
    objects: tuple[str, ...]
    details: Mapping[str, Any]
    proof: str

    @property
    def position(self) -> tuple[int, str]:
        """Its position in every report: by time, then by id."""
        return self.at, self.id


def line_of_event(stored: StoredEvent) -> Line:
    """The line of a custody event."""
    event = stored.event
    return Line(
        at=event.at,
        id=event.id,
        source=Source.CUSTODY,
        type=event.type,
        actor=event.actor,
        purpose=event.purpose,
        outcome=event.outcome,
        objects=event.objects,
        details=event.details,
        proof=f"{stored.key}#{stored.line}",
    )


def line_of_entry(entry: Entry) -> Line:
    """The line of a ledger entry."""
    details: dict[str, Any] = {"version": entry.version, "sha256": entry.digest}
    if entry.reason:
        details["reason"] = entry.reason
    return Line(
        at=entry.at,
        id=entry.entry_id,
        source=Source.LEDGER,
        type=entry.action,
        actor=Actor(id=entry.actor),
        purpose="",
        outcome=Outcome.DONE,
        objects=(entry.id,),
        details=details,
        proof=entry.key,
    )


def body_of(line: Line) -> JsonObject:
    """The line as the body of its record; time and id are the record's own."""
    return {
        "source": line.source.value,
        "type": line.type,
        "actor": actor_json(line.actor),
        "purpose": line.purpose,
        "outcome": line.outcome.value,
        "objects": list(line.objects),
        "details": dict(line.details),
        "proof": line.proof,
    }


def line_of(record: Record) -> Line:
    """The line in a record of kind ``act``. Raises IntegrityError ``index_damaged``."""
    body = record.body
    try:
        actor = body["actor"]
        return Line(
            at=record.at,
            id=record.id,
            source=Source(body["source"]),
            type=body["type"],
            actor=Actor(
                id=actor["id"],
                address=actor["address"],
                session=actor["session"],
                role=actor.get("role", ""),
                agency=actor.get("agency", ""),
            ),
            purpose=body["purpose"],
            outcome=Outcome(body["outcome"]),
            objects=tuple(body["objects"]),
            details=body["details"],
            proof=body["proof"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"the index holds an act that cannot be read: {error}",
            code="index_damaged",
            hint="Run saksi index rebuild.",
        ) from error
