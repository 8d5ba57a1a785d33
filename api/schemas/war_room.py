"""Playable history as JSON."""

from pydantic import BaseModel, Field

from api.schemas.problem import GapOut
from archive.model.camera import OwnerKind


class StretchOut(BaseModel):
    """A half-open stretch of time."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class RunOut(StretchOut):
    """Footage of one run, without a break."""

    run: str


class FactsOut(BaseModel):
    """What the camera was from ``from`` on: until the next of its facts, or the end of the window."""

    start: str = Field(alias="from")
    name: str
    lat: float
    lon: float
    kecamatan: str
    kelurahan: str
    owner: OwnerKind
    disabled: bool


class CameraHistoryOut(BaseModel):
    """One camera in the window, which ``coverage``, ``gaps`` and ``pending`` make up together.

    ``pending`` is footage that may still be on its way. ``held`` is what a legal hold keeps, null for those
    who may not read every hold. ``playlist`` and ``still`` are null where nothing is recorded, or where not
    all of the window may be played.
    """

    camera: str
    facts: list[FactsOut]
    coverage: list[RunOut]
    recorded_seconds: float
    gaps: list[GapOut]
    pending: list[StretchOut]
    held: list[StretchOut] | None
    playlist: str | None
    still: str | None
    view: str


class HistoryOut(BaseModel):
    """Some cameras, by id. ``view`` shows the first nine of them; ``next`` is the cursor that goes on."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    asked_at: str
    cameras: list[CameraHistoryOut]
    view: str | None
    next: str | None
