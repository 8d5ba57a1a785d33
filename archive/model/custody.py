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
    """How a recorded act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. ``id`` is ``os:<user>`` on the host, ``user:<name>`` or ``token:<name>`` over HTTP.

    ``role`` is the capacity: a person's roles separated by commas, ``machine`` for a token, ``host`` for a
    person who works on the host, "" if unknown. ``agency`` is the person's agency. Never a secret.
    """

    id: str
    address: str = ""
    session: str = ""
    role: str = ""
    agency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyEvent:
    """One act. ``id`` is random; ``objects`` names the objects touched (cameras, keys, evidence ids).

    ``details`` holds text and integers only, such as the requested span and the bytes sent.
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
        "actor": actor_json(event.actor),
        "objects": list(event.objects),
        "purpose": event.purpose,
        "outcome": event.outcome.value,
        "details": dict(event.details),
    }


def actor_json(actor: Actor) -> JsonObject:
    """The actor as events store it; role and agency only if known."""
    known: JsonObject = {"id": actor.id, "address": actor.address, "session": actor.session}
    if actor.role:
        known["role"] = actor.role
    if actor.agency:
        known["agency"] = actor.agency
    return known


def _check_types(value: Mapping[str, Any], actor: Mapping[str, Any]) -> None:
    """Raise TypeError unless every text is one: what is written by others must not stop a reader."""
    texts = [value["id"], value["type"], value["purpose"], actor["id"], actor["address"], actor["session"]]
    texts += [actor.get("role", ""), actor.get("agency", ""), *value["objects"]]
    if set(map(type, texts)) != {str}:
        raise TypeError("text in one of its fields")
    if not isinstance(value["objects"], list) or not isinstance(value["details"], dict):
        raise TypeError("a list of objects, or an object of details")


def from_json(value: Mapping[str, Any]) -> CustodyEvent:
    """Read a stored event. Raises Malformed ``bad_custody_event``."""
    try:
        actor = value["actor"]
        if value["v"] != VERSION:
            raise ValueError("unknown version")
        _check_types(value, actor)
        return CustodyEvent(
            id=value["id"],
            at=parse_instant(value["at"]),
            type=value["type"],
            actor=Actor(
                id=actor["id"],
                address=actor["address"],
                session=actor["session"],
                role=actor.get("role", ""),
                agency=actor.get("agency", ""),
            ),
            objects=tuple(value["objects"]),
            purpose=value["purpose"],
            outcome=Outcome(value["outcome"]),
            details=value["details"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"a custody event lacks or misnames {error}", code="bad_custody_event") from error
