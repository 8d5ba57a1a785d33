"""Integrity incidents as JSON, in and out."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.records.integrity_incidents import MAX_REASON, IncidentStatus


class IncidentOut(BaseModel):
    """One incident. ``closed_by`` and ``closed_reason`` are "" while it is open.

    ``changed_at`` is when it was opened, opened again or closed last.
    """

    id: str
    version: int
    status: IncidentStatus
    code: str
    subject: str
    message: str
    found_by: str
    details: dict[str, Any]
    changed_at: str
    closed_by: str
    closed_reason: str


class IncidentsPage(BaseModel):
    """Some incidents, the one changed last first; ``next`` is the cursor that goes on, null at the end."""

    incidents: list[IncidentOut]
    next: str | None


class IncidentCloseIn(BaseModel):
    """What was done about it; it goes on record."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=MAX_REASON), Field(min_length=1)]
