"""Playable history as JSON."""

from pydantic import BaseModel, Field

from api.schemas.examples import FILED, FROM, PLAYLIST, RUN, TO
from api.schemas.problem import GapOut
from archive.model.camera import OwnerKind
from archive.model.sound_permission import Audio


class StretchOut(BaseModel):
    """A half-open stretch of time."""

    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])


class RunOut(StretchOut):
    """Footage of one run, without a break, and how far its times may be wrong.

    ``uncertainty_us`` is null where nothing bounds it: the recorder's clock was not synchronised.
    """

    run: str = Field(examples=[RUN])
    uncertainty_us: int | None = Field(examples=[40000])


class FactsOut(BaseModel):
    """The camera's facts from ``from`` on: until its next facts, or the end of the window.

    ``audio`` says whether its sound was to be recorded; whether there is any, the footage says.
    """

    start: str = Field(alias="from", examples=[FROM])
    name: str = Field(examples=["Simpang Pettarani"])
    lat: float = Field(examples=[-5.1477])
    lon: float = Field(examples=[119.4327])
    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    kelurahan_name: str = Field(examples=["Bontorannu"])
    owner: OwnerKind = Field(examples=["public"])
    disabled: bool
    audio: Audio = Field(examples=["none"])


class CameraHistoryOut(BaseModel):
    """One camera in the window; ``coverage``, ``gaps`` and ``pending`` together make up the window.

    ``pauses`` are parts of the coverage in which no new picture came from the camera.
    ``pending`` is time whose footage may still arrive. ``held`` is time under a legal hold, null for callers
    who may not read every hold. ``playlist`` and ``still`` are null if nothing is recorded, or if the caller
    may not play all of the window.
    """

    camera: str = Field(examples=["cam-1"])
    facts: list[FactsOut]
    coverage: list[RunOut]
    recorded_seconds: float = Field(examples=[600.0])
    gaps: list[GapOut]
    pending: list[StretchOut]
    pauses: list[StretchOut]
    held: list[StretchOut] | None
    playlist: str | None = Field(examples=[PLAYLIST])
    still: str | None = Field(examples=["/v1/cameras/cam-1/frame.jpg?at=2026-11-24T06:00:00Z"])
    view: str = Field(examples=["/masuk?kamera=cam-1"])


class HistoryOut(BaseModel):
    """Some cameras, by id. ``view`` shows the first sixteen; ``next`` is the cursor of the next page."""

    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    asked_at: str = Field(examples=[FILED])
    cameras: list[CameraHistoryOut]
    view: str | None = Field(examples=["/masuk?kamera=cam-1"])
    next: str | None = Field(examples=[None])
