"""Grants as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import FROM, GRANT, REQUEST, SEALED, TO
from api.schemas.people import People
from api.schemas.users import ChangeOut
from archive.cases.people.grants import MAX_CAMERAS, MAX_TEXT
from archive.model.grant import Right

CameraName = Annotated[str, StringConstraints(max_length=63)]
Time = Annotated[str, StringConstraints(max_length=64)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class GivenOut(BaseModel):
    """A grant: to whom it opens which cameras, in which span, with which rights, and until when.

    ``person`` is an account, or "" if ``agency`` is named. ``basis`` is the document it is based on.
    """

    id: str = Field(examples=[GRANT])
    version: int = Field(examples=[1])
    person: str = Field(examples=["user:dewi"])
    agency: str = Field(examples=["polrestabes"])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: Annotated[str, Field(alias="from")] = Field(examples=[FROM])
    end: Annotated[str, Field(alias="to")] = Field(examples=[TO])
    rights: list[Right]
    until: str = Field(examples=["2026-11-27T09:43:17.904000Z"])
    basis: str = Field(examples=["KUHAP pasal 39"])
    request: str = Field(examples=[REQUEST])
    given_by: str = Field(examples=["user:citra"])
    given_at: str = Field(examples=[SEALED])
    revoked: bool
    in_force: bool


class OneGivenOut(GivenOut):
    """A grant with its history, oldest first."""

    history: list[ChangeOut]
    people: People


class GrantPage(BaseModel):
    """Some grants, the newest first; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    grants: list[GivenOut]
    people: People
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])


class GrantIn(BaseModel):
    """Footage to open to one person or one agency. Viewing and downloading are separate rights."""

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

    person: Annotated[str, StringConstraints(max_length=63)] = Field("", examples=["user:dewi"])
    agency: Text = Field("", examples=["polrestabes"])
    cameras: Annotated[list[CameraName], Field(min_length=1, max_length=MAX_CAMERAS)] = Field(
        examples=[["cam-1"]]
    )
    start: Annotated[Time, Field(alias="from")] = Field(examples=["2026-11-24T14:00:00+08:00"])
    end: Annotated[Time, Field(alias="to")] = Field(examples=["2026-11-24T14:10:00+08:00"])
    rights: Annotated[list[Right], Field(min_length=1, max_length=len(Right))]
    until: Time = Field(examples=["2026-11-28T17:00:00+08:00"])
    basis: Reason = Field(examples=["KUHAP pasal 39"])


class GrantReason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "penyelidikan selesai"}]}
    )

    reason: Reason = Field(examples=["lengkap"])
