"""Exports as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import CASE, DECIDED, FROM, TO
from archive.cases.exports.model import ExportStatus

EXPORT = "exp-0a1b2c3d4e5f60718293a4b5"


class ExportIn(BaseModel):
    """Which footage to export. Times are RFC 3339 with an offset; the time must be over."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[Annotated[str, StringConstraints(max_length=63)]], Field(min_length=1)] = Field(
        examples=[["cam-1", "cam-2"]]
    )
    start: Annotated[str, StringConstraints(max_length=64), Field(alias="from")] = Field(
        examples=["2026-11-24T14:00:00+08:00"]
    )
    end: Annotated[str, StringConstraints(max_length=64), Field(alias="to")] = Field(
        examples=["2026-11-24T18:00:00+08:00"]
    )


class ExportChangeIn(BaseModel):
    """What an export is to become: ``queued`` continues one that is paused."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["queued", "paused", "cancelled"] = Field(examples=["paused"])


class ExportOut(BaseModel):
    """An export. It is made in ``parts``: a camera and at most half an hour each; ``parts_done`` are made.

    ``bytes`` is the size of the footage, about what it will have; ``bytes_done`` is what is made.
    ``until`` is when a finished one is removed. ``code`` and ``message`` say why it failed or is outdated.
    """

    export_id: str = Field(examples=[EXPORT])
    status: ExportStatus = Field(examples=["running"])
    cameras: list[str] = Field(examples=[["cam-1", "cam-2"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    purpose: str = Field(examples=[CASE])
    ordered_at: str = Field(examples=[DECIDED])
    parts: int = Field(examples=[16])
    parts_done: int = Field(examples=[4])
    bytes: int = Field(examples=[3_221_225_472])
    bytes_done: int = Field(examples=[805_306_368])
    until: str | None = Field(examples=[DECIDED])
    code: str = Field(examples=[""])
    message: str = Field(examples=[""])


class ExportList(BaseModel):
    """The caller's exports, the newest first."""

    exports: list[ExportOut]
