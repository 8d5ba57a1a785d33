"""Dispositions: what was ordered to be destroyed, under which rule, and the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.timespan import Timespan, format_instant, parse_instant

KIND = "disposition"
"""The ledger kind of dispositions."""


class Cause(StrEnum):
    """Why footage is destroyed.

    A policy's longest term is over; a store is full and a policy permits it; or a lawful order came before a
    lock's end (:mod:`archive.lifecycle.breakglass`).
    """

    RETENTION = "retention"
    PRESSURE = "pressure"
    BREAK_GLASS = "break_glass"


class DispositionStatus(StrEnum):
    """How far a disposition is. ``done`` still waits for its time stamp; ``stamped`` is the end."""

    STARTED = "started"
    DONE = "done"
    STAMPED = "stamped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingPolicy:
    """One policy under which footage is destroyed, in its state at the time of the decision.

    ``version`` is the newest of the policy's stream; ``acts`` are the stream's last entries as (version,
    instant, actor, action): who proposed and who approved the policy. The counts cover the listed segments
    that fall under this policy.
    """

    scope: str
    version: int
    keep_days_min: int
    keep_days_max: int | None
    basis: str
    segments: int
    bytes: int
    acts: tuple[tuple[int, int, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionOutcome:
    """The outcome of a disposition. ``kept`` counts by reason; hashes are SHA-256 of objects beside the list.

    No segment that was kept is tried again before ``retry_at``.
    """

    ended_at: int
    destroyed: int
    destroyed_bytes: int
    kept: Mapping[str, int]
    kept_sha256: str
    record_sha256: str
    pdf_sha256: str
    signer_sha256: str
    retry_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """One disposition. ``list_sha256`` binds the list of keys; ``span`` encloses every segment on it."""

    id: str
    cause: Cause
    status: DispositionStatus
    started_at: int
    started_by: str
    span: Timespan
    segments: int
    bytes: int
    list_sha256: str
    policies: tuple[OrderingPolicy, ...]
    outcome: DispositionOutcome | None = None
    stamped_at: int | None = None


def to_state(found: Disposition) -> JsonObject:
    """The disposition as its ledger entry holds it; its id is the stream's."""
    outcome = found.outcome
    return {
        "cause": found.cause.value,
        "status": found.status.value,
        "started_at": format_instant(found.started_at),
        "started_by": found.started_by,
        "from": format_instant(found.span.start),
        "to": format_instant(found.span.end),
        "segments": found.segments,
        "bytes": found.bytes,
        "list_sha256": found.list_sha256,
        "policies": [policy_to_json(policy) for policy in found.policies],
        "outcome": None
        if outcome is None
        else {
            "ended_at": format_instant(outcome.ended_at),
            "destroyed": outcome.destroyed,
            "destroyed_bytes": outcome.destroyed_bytes,
            "kept": dict(outcome.kept),
            "kept_sha256": outcome.kept_sha256,
            "record_sha256": outcome.record_sha256,
            "pdf_sha256": outcome.pdf_sha256,
            "signer_sha256": outcome.signer_sha256,
            "retry_at": format_instant(outcome.retry_at),
        },
        "stamped_at": None if found.stamped_at is None else format_instant(found.stamped_at),
    }


def from_state(disposition: str, state: Mapping[str, Any]) -> Disposition:
    """Read a disposition back. Raises Malformed ``bad_disposition``."""
    try:
        outcome, stamped = state["outcome"], state["stamped_at"]
        return Disposition(
            id=disposition,
            cause=Cause(state["cause"]),
            status=DispositionStatus(state["status"]),
            started_at=parse_instant(state["started_at"]),
            started_by=state["started_by"],
            span=Timespan.parse(state["from"], state["to"]),
            segments=state["segments"],
            bytes=state["bytes"],
            list_sha256=state["list_sha256"],
            policies=tuple(_policy(value) for value in state["policies"]),
            outcome=None
            if outcome is None
            else DispositionOutcome(
                ended_at=parse_instant(outcome["ended_at"]),
                destroyed=outcome["destroyed"],
                destroyed_bytes=outcome["destroyed_bytes"],
                kept=dict(outcome["kept"]),
                kept_sha256=outcome["kept_sha256"],
                record_sha256=outcome["record_sha256"],
                pdf_sha256=outcome["pdf_sha256"],
                signer_sha256=outcome["signer_sha256"],
                retry_at=parse_instant(outcome["retry_at"]),
            ),
            stamped_at=None if stamped is None else parse_instant(stamped),
        )
    except (KeyError, TypeError, AttributeError, ValueError, Malformed) as error:
        raise Malformed(
            f"disposition {disposition} cannot be read: {error}", code="bad_disposition"
        ) from error


def policy_to_json(policy: OrderingPolicy) -> JsonObject:
    """An ordering policy as the ledger and the disposition's record store it."""
    return {
        "scope": policy.scope,
        "version": policy.version,
        "keep_days_min": policy.keep_days_min,
        "keep_days_max": policy.keep_days_max,
        "basis": policy.basis,
        "segments": policy.segments,
        "bytes": policy.bytes,
        "acts": [
            {"version": version, "at": format_instant(at), "actor": actor, "action": action}
            for version, at, actor, action in policy.acts
        ],
    }


def _policy(value: Mapping[str, Any]) -> OrderingPolicy:
    return OrderingPolicy(
        scope=value["scope"],
        version=value["version"],
        keep_days_min=value["keep_days_min"],
        keep_days_max=value["keep_days_max"],
        basis=value["basis"],
        segments=value["segments"],
        bytes=value["bytes"],
        acts=tuple(
            (act["version"], parse_instant(act["at"]), act["actor"], act["action"]) for act in value["acts"]
        ),
    )
