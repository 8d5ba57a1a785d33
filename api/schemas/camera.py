"""Cameras as JSON, in and out."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.footage.cameras import CameraForm
from archive.model.camera import OwnerKind

Short = Annotated[str, StringConstraints(max_length=200)]
Degrees = Annotated[Decimal, Field(max_digits=20, allow_inf_nan=False)]


class CameraOut(BaseModel):
    """A registered camera. ``source`` is shown without user name, password and query."""

    id: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Simpang Pettarani"])
    source: str = Field(examples=["rtsp://192.0.2.9/1"])
    lat: float = Field(examples=[-5.1477])
    lon: float = Field(examples=[119.4327])
    kecamatan: str = Field(examples=["73.71.01"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    owner: OwnerKind = Field(examples=["public"])
    view: Literal["public"]
    segment_seconds: int = Field(examples=[10])
    registered_at: str = Field(examples=["2026-03-02T01:00:00.000000Z"])
    disabled: bool
    audio: bool


class CamerasOut(BaseModel):
    """Some cameras, by id."""

    cameras: list[CameraOut]


class CameraIn(BaseModel):
    """A camera to register. ``view`` must be public: a private view is refused."""

    model_config = ConfigDict(extra="forbid")

    id: Short = Field(examples=["cam-1"])
    source: Annotated[str, StringConstraints(max_length=2000)] = Field(
        examples=["rtsp://viewer:secret@192.0.2.9/1"]
    )
    name: Short = Field(examples=["Simpang Pettarani"])
    lat: Degrees = Field(examples=[-5.1477])
    lon: Degrees = Field(examples=[119.4327])
    kecamatan: Short = Field(examples=["73.71.01"])
    kelurahan: Short = Field(examples=["73.71.01.1001"])
    owner: Short = Field(examples=["public"])
    view: Short = Field(examples=["public"])
    segment_seconds: int | None = Field(None, examples=[10])
    reason: Short = Field("", examples=["Izin 7/2026"])

    def form(self) -> CameraForm:
        """The form that the registry takes: text, not yet checked."""
        return CameraForm(
            id=self.id,
            source=self.source,
            name=self.name,
            lat=format(self.lat, "f"),
            lon=format(self.lon, "f"),
            kecamatan=self.kecamatan,
            kelurahan=self.kelurahan,
            owner=self.owner,
            view=self.view,
            segment_seconds="" if self.segment_seconds is None else str(self.segment_seconds),
        )


class CameraPatch(BaseModel):
    """The fields to change; a field that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = Field(
        None, examples=["rtsp://viewer:secret@192.0.2.9/2"]
    )
    name: Short | None = Field(None, examples=["Simpang Pettarani 2"])
    lat: Degrees | None = Field(None, examples=[-5.1477])
    lon: Degrees | None = Field(None, examples=[119.4327])
    kecamatan: Short | None = Field(None, examples=["73.71.01"])
    kelurahan: Short | None = Field(None, examples=["73.71.01.1001"])
    owner: Short | None = Field(None, examples=["public"])
    view: Short | None = Field(None, examples=["public"])
    segment_seconds: int | None = Field(None, examples=[10])
    reason: Short = Field("", examples=["lengkap"])

    def changes(self) -> dict[str, str]:
        """The given fields as text, for the registry to check."""
        found = self.model_dump(exclude={"reason"}, exclude_none=True)
        return {
            name: format(value, "f") if isinstance(value, Decimal) else str(value)
            for name, value in found.items()
        }


class Reason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field(examples=["Perbaikan tiang"])
