"""Custody events: who did what to which object, when, why, and with what outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.timespan import format_instant, parse_instant

VERSION = 1


class Outcome(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. ``id`` is ``os:<user>`` on the host, a token's name over HTTP; never a secret."""

    id: str
    address: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyEvent:
    """One act. ``id`` is random; ``objects`` name what was touched (cameras, keys, evidence ids).

    ``details`` holds text and integers only, such as the asked span and the bytes sent.
    """

    id: str
    at: int
    type: str
    actor: Actor
    objects: tuple[str, ...]
    purpose: str
    outcome: Outcome
    details: Mapping[str, Any] = field(default_factory=dict)


def to_json(event: CustodyEvent) -> JsonObject:
    """The event as it is stored."""
    return {
        "v": VERSION,
        "id": event.id,
        "at": format_instant(event.at),
        "type": event.type,
        "actor": {"id": event.actor.id, "address": event.actor.address, "session": event.actor.session},
        "objects": list(event.objects),
        "purpose": event.purpose,
        "outcome": event.outcome.value,
        "details": dict(event.details),
    }


def from_json(value: Mapping[str, Any]) -> CustodyEvent:
    """Read a stored event. Raises Malformed ``bad_custody_event``."""
    try:
        actor = value["actor"]
        if value["v"] != VERSION:
            raise ValueError("unknown version")
        return CustodyEvent(
            id=value["id"],
            at=parse_instant(value["at"]),
            type=value["type"],
            actor=Actor(id=actor["id"], address=actor["address"], session=actor["session"]),
            objects=tuple(value["objects"]),
            purpose=value["purpose"],
            outcome=Outcome(value["outcome"]),
            details=value["details"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"a custody event lacks or misnames {error}", code="bad_custody_event") from error
