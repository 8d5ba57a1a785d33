"""Dispositions as JSON: what was ordered to be destroyed, by which policies, and what came of it."""

from pydantic import BaseModel, ConfigDict, Field

from archive.canonical import JsonObject
from archive.model.disposition import Cause, Disposition, DispositionStatus, to_state


class OrderingActOut(BaseModel):
    """One entry of a policy's history."""

    version: int
    at: str
    actor: str
    action: str


class OrderingPolicyOut(BaseModel):
    """A policy in whose name footage went, as it stood then; ``keep_days_max`` is null without one."""

    scope: str
    version: int
    keep_days_min: int
    keep_days_max: int | None
    basis: str
    segments: int
    bytes: int
    acts: list[OrderingActOut]


class OutcomeOut(BaseModel):
    """What came of it. ``kept`` counts by reason; the hashes are SHA-256."""

    ended_at: str
    destroyed: int
    destroyed_bytes: int
    kept: dict[str, int]
    kept_sha256: str
    record_sha256: str
    pdf_sha256: str
    signer_sha256: str
    retry_at: str


class DispositionOut(BaseModel):
    """One disposition; ``outcome`` is null while it goes on, ``stamped_at`` until it has its time stamp."""

    id: str
    cause: Cause
    status: DispositionStatus
    started_at: str
    started_by: str
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    segments: int
    bytes: int
    list_sha256: str
    policies: list[OrderingPolicyOut]
    outcome: OutcomeOut | None
    stamped_at: str | None


class DispositionsOut(BaseModel):
    """Some dispositions, the newest first; ``next`` is the cursor that goes on, null at the end."""

    dispositions: list[DispositionOut]
    next: str | None


class DispositionRecordOut(BaseModel):
    """The signed record, byte for byte: ``docs/guide/disposition.md`` describes it."""

    model_config = ConfigDict(extra="allow")

    id: str
    cause: Cause
    signer_sha256: str


def disposition_json(found: Disposition) -> JsonObject:
    """A disposition as every answer writes it."""
    return {"id": found.id, **to_state(found)}
