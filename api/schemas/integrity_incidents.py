"""Integrity incidents as JSON, in and out."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import DECIDED, FROM, INCIDENT, KEY, TO
from api.schemas.users import ChangeOut
from archive.records.integrity_incidents import MAX_REASON, IntegrityIncidentStatus


class IntegrityIncidentOut(BaseModel):
    """One integrity incident. ``closed_by`` and ``closed_reason`` are "" while it is open.

    ``changed_at`` is when it was last opened, reopened or closed.
    """

    id: str = Field(examples=[INCIDENT])
    version: int = Field(examples=[1])
    status: IntegrityIncidentStatus
    code: str = Field(examples=["sha256_mismatch"])
    subject: str = Field(examples=[KEY])
    message: str = Field(examples=["The stored bytes are not the ones that were recorded."])
    found_by: str = Field(examples=["fixity"])
    details: dict[str, Any] = Field(examples=[{"from": FROM, "to": TO}])
    changed_at: str = Field(examples=[DECIDED])
    closed_by: str = Field(examples=[""])
    closed_reason: str = Field(examples=[""])


class OneIntegrityIncidentOut(IntegrityIncidentOut):
    """One integrity incident with its history, oldest first."""

    history: list[ChangeOut]


class IntegrityIncidentsPage(BaseModel):
    """Some integrity incidents, the newest first; ``next`` is the cursor of the next page, null at the end.

    They stand in order of when each was first found, also those that were reopened. ``as_of`` is the time
    until which the index has what every process wrote; null if no job follows it.
    """

    incidents: list[IntegrityIncidentOut]
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])


class IntegrityIncidentCloseIn(BaseModel):
    """What was done about it; it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=MAX_REASON), Field(min_length=1)] = Field(
        examples=["lengkap"]
    )
