"""Dispositions as JSON: what was to be destroyed, by which policies, and with what outcome."""

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.examples import DECIDED, DISPOSITION, FROM, HASH, OTHER, PERWALI, SEALED, SIGNER, TO
from archive.canonical import JsonObject
from archive.model.disposition import Cause, Disposition, DispositionStatus, to_state


class OrderingActOut(BaseModel):
    """One entry of a policy's history."""

    version: int = Field(examples=[1])
    at: str = Field(examples=[FROM])
    actor: str = Field(examples=["user:citra"])
    action: str = Field(examples=["hold.placed"])


class OrderingPolicyOut(BaseModel):
    """A policy that ordered the destruction, as of then; ``keep_days_max`` is null if it had none."""

    scope: str = Field(examples=["kecamatan:73.71.01"])
    version: int = Field(examples=[1])
    keep_days_min: int = Field(examples=[30])
    keep_days_max: int | None = Field(examples=[90])
    basis: str = Field(examples=[PERWALI])
    segments: int = Field(examples=[60])
    bytes: int = Field(examples=[31457280])
    acts: list[OrderingActOut]


class OutcomeOut(BaseModel):
    """The outcome. ``kept`` counts segments by reason; the hashes are SHA-256."""

    ended_at: str = Field(examples=[SEALED])
    destroyed: int = Field(examples=[8640])
    destroyed_bytes: int = Field(examples=[45298483200])
    kept: dict[str, int] = Field(examples=[{"held": 12}])
    kept_sha256: str = Field(examples=[OTHER])
    record_sha256: str = Field(examples=[HASH])
    pdf_sha256: str = Field(examples=[OTHER])
    signer_sha256: str = Field(examples=[SIGNER])
    retry_at: str = Field(examples=[""])


class DispositionOut(BaseModel):
    """One disposition; ``outcome`` is null while it is in progress, ``stamped_at`` until its time stamp."""

    id: str = Field(examples=[DISPOSITION])
    cause: Cause
    status: DispositionStatus
    started_at: str = Field(examples=[DECIDED])
    started_by: str = Field(examples=["rule:retention"])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    segments: int = Field(examples=[60])
    bytes: int = Field(examples=[31457280])
    list_sha256: str = Field(examples=[HASH])
    policies: list[OrderingPolicyOut]
    outcome: OutcomeOut | None
    stamped_at: str | None = Field(examples=[SEALED])


class DispositionsOut(BaseModel):
    """Some dispositions, the newest first; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    dispositions: list[DispositionOut]
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])


class DispositionRecordOut(BaseModel):
    """The signed record, byte for byte: ``docs/guide/disposition.md`` describes it."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=[DISPOSITION])
    cause: Cause
    signer_sha256: str = Field(examples=[SIGNER])


def disposition_json(found: Disposition) -> JsonObject:
    """A disposition as all answers give it."""
    return {"id": found.id, **to_state(found)}
