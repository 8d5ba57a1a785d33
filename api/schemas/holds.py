"""Legal holds as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import CASE, DECIDED, FILED, FROM, HOLD, REVIEW, TO
from api.schemas.people import People
from archive.lifecycle.holds.service import MAX_CAMERAS, MAX_TEXT
from archive.model.hold import HoldStatus

Short = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Time = Annotated[str, StringConstraints(max_length=64)]
CameraName = Annotated[str, StringConstraints(max_length=63)]


class ReleaseOut(BaseModel):
    """Who proposed the release, and who approved it; "" and null before the approval."""

    proposed_by: str = Field(examples=["user:ani"])
    proposed_at: str = Field(examples=[DECIDED])
    reason: str = Field(examples=["lengkap"])
    approved_by: str = Field(examples=[""])
    approved_at: str | None = Field(examples=[None])


class HoldOut(BaseModel):
    """A hold: cameras, span, case, and status. In force until its release is approved."""

    id: str = Field(examples=[HOLD])
    version: int = Field(examples=[1])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    case: str = Field(examples=[CASE])
    owner: str = Field(examples=["Polrestabes Makassar"])
    basis: str = Field(examples=["KUHAP pasal 39"])
    review_at: str = Field(examples=[REVIEW])
    placed_by: str = Field(examples=["user:citra"])
    placed_at: str = Field(examples=[FILED])
    status: HoldStatus
    release: ReleaseOut | None = Field(examples=[None])
    in_force: bool = Field(examples=[True])
    review_due: bool
    changed_at: str = Field(examples=[DECIDED])
    changed_by: str = Field(examples=["user:citra"])
    reason: str = Field(examples=["lengkap"])


class HoldProgressOut(BaseModel):
    """How far the hold is set in the store: versions covered and their size, verified, kept by other holds.

    ``waits_for`` names what may still add segments: ``span_end``, ``recorders``, or recorder ids.
    """

    in_force: bool = Field(examples=[True])
    swept_at: str = Field(examples=[DECIDED])
    segments: int = Field(examples=[60])
    bytes: int = Field(examples=[31457280])
    verified: int = Field(examples=[60])
    kept: int = Field(examples=[0])
    troubles: int = Field(examples=[0])
    is_verified: bool = Field(examples=[True])
    settled: bool = Field(examples=[True])
    waits_for: list[str] = Field(examples=[[]])


class HoldEntryOut(BaseModel):
    """One change of a hold."""

    version: int = Field(examples=[1])
    at: str = Field(examples=[FROM])
    actor: str = Field(examples=["user:citra"])
    action: str = Field(examples=["hold.placed"])
    reason: str = Field(examples=["lengkap"])


class OneHoldOut(HoldOut):
    """A hold with its progress, null before the first sweep, and its history, oldest first."""

    progress: HoldProgressOut | None
    history: list[HoldEntryOut]
    people: People


class HoldPage(BaseModel):
    """Some holds, the newest first; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    holds: list[HoldOut]
    people: People
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])


class HoldIn(BaseModel):
    """Footage that must stay, for which case, who is responsible, and when the hold must be reviewed."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[CameraName], Field(min_length=1, max_length=MAX_CAMERAS)] = Field(
        examples=[["cam-1"]]
    )
    start: Annotated[Time, Field(alias="from")] = Field(examples=["2026-11-24T14:00:00+08:00"])
    end: Annotated[Time, Field(alias="to")] = Field(examples=["2026-11-24T14:10:00+08:00"])
    case: Short = Field(examples=[CASE])
    owner: Short = Field(examples=["Polrestabes Makassar"])
    basis: Short = Field(examples=["KUHAP pasal 39"])
    review_at: Time = Field(examples=["2027-02-01T08:00:00+08:00"])


class ExtendIn(BaseModel):
    """Cameras to add, a wider span, or both; an edge that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[CameraName], Field(max_length=MAX_CAMERAS)] = Field([], examples=[["cam-1"]])
    start: Annotated[Time, Field(alias="from")] = Field("", examples=["2026-11-24T13:50:00+08:00"])
    end: Annotated[Time, Field(alias="to")] = Field("", examples=["2026-11-24T14:20:00+08:00"])
    reason: Short = Field(examples=["lengkap"])


class ReviewIn(BaseModel):
    """When the hold must be reviewed next, and why the footage must still stay."""

    model_config = ConfigDict(extra="forbid")

    review_at: Time = Field(examples=["2027-05-01T08:00:00+08:00"])
    reason: Short = Field(examples=["lengkap"])


class HoldReason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field(examples=["perkara diputus"])
