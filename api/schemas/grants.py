"""Grants as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.users import ChangeOut
from archive.cases.people.grants import MAX_CAMERAS, MAX_TEXT
from archive.model.grant import Right

CameraName = Annotated[str, StringConstraints(max_length=63)]
Time = Annotated[str, StringConstraints(max_length=64)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class GivenOut(BaseModel):
    """A grant: cameras, a span of their time, rights, and until when it opens them, to whom.

    ``person`` is an account, or "" where ``agency`` is named. ``basis`` is the paper it rests on.
    """

    id: str
    version: int
    person: str
    agency: str
    cameras: list[str]
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    rights: list[Right]
    until: str
    basis: str
    request: str
    given_by: str
    given_at: str
    revoked: bool
    in_force: bool


class OneGivenOut(GivenOut):
    """A grant with its history, oldest first."""

    history: list[ChangeOut]


class GrantPage(BaseModel):
    """Some grants, the newest first; ``next`` is the cursor that goes on, null at the end."""

    grants: list[GivenOut]
    next: str | None


class GrantIn(BaseModel):
    """Footage to open to one person or one agency. To view is not to download; name both for both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "person": "andi",
                    "cameras": ["cam-17"],
                    "from": "2026-11-24T14:00:00+08:00",
                    "to": "2026-11-24T15:00:00+08:00",
                    "rights": ["view"],
                    "until": "2026-11-27T17:00:00+08:00",
                    "basis": "LP/B/123/XI/2026",
                }
            ]
        },
    )

    person: Annotated[str, StringConstraints(max_length=63)] = ""
    agency: Text = ""
    cameras: Annotated[list[CameraName], Field(min_length=1, max_length=MAX_CAMERAS)]
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    rights: Annotated[list[Right], Field(min_length=1, max_length=len(Right))]
    until: Time
    basis: Reason


class GrantReason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "penyelidikan selesai"}]}
    )

    reason: Reason
