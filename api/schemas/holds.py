"""Legal holds as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.lifecycle.holds.service import MAX_CAMERAS, MAX_TEXT
from archive.model.hold import HoldStatus

Short = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Time = Annotated[str, StringConstraints(max_length=64)]
CameraName = Annotated[str, StringConstraints(max_length=63)]


class ReleaseOut(BaseModel):
    """Who proposed the release, and who approved it; null and "" until then."""

    proposed_by: str
    proposed_at: str
    reason: str
    approved_by: str
    approved_at: str | None


class HoldOut(BaseModel):
    """A hold: cameras, span, case, and where it stands. In force until its release is approved."""

    id: str
    version: int
    cameras: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    case: str
    owner: str
    basis: str
    review_at: str
    placed_by: str
    placed_at: str
    status: HoldStatus
    release: ReleaseOut | None
    in_force: bool
    review_due: bool
    changed_at: str
    changed_by: str
    reason: str


class HoldProgressOut(BaseModel):
    """How far the store follows the hold: versions covered, verified by its own answer, kept by other holds.

    ``waits_for`` names what may still bring segments: ``span_end``, ``recorders``, or recorder ids.
    """

    in_force: bool
    swept_at: str
    segments: int
    verified: int
    kept: int
    troubles: int
    is_verified: bool
    settled: bool
    waits_for: list[str]


class HoldEntryOut(BaseModel):
    """One change of a hold."""

    version: int
    at: str
    actor: str
    action: str
    reason: str


class OneHoldOut(HoldOut):
    """A hold with its progress, null before the first sweep, and its history, oldest first."""

    progress: HoldProgressOut | None
    history: list[HoldEntryOut]


class HoldPage(BaseModel):
    """Some holds, the newest first; ``next`` is the cursor that goes on, null at the end."""

    holds: list[HoldOut]
    next: str | None


class HoldIn(BaseModel):
    """What must stay, for which case, who answers for it, and when someone must look again."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[CameraName], Field(min_length=1, max_length=MAX_CAMERAS)]
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    case: Short
    owner: Short
    basis: Short
    review_at: Time


class ExtendIn(BaseModel):
    """Cameras to add, a wider span, or both; the edge that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[CameraName], Field(max_length=MAX_CAMERAS)] = []
    start: Annotated[Time, Field(alias="from")] = ""
    end: Annotated[Time, Field(alias="to")] = ""
    reason: Short


class ReviewIn(BaseModel):
    """When someone must look again, and why the footage must still stay."""

    model_config = ConfigDict(extra="forbid")

    review_at: Time
    reason: Short


class HoldReason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(extra="forbid")

    reason: Short
