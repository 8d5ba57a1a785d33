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

    id: str
    name: str
    source: str
    lat: float
    lon: float
    kecamatan: str
    kelurahan: str
    owner: OwnerKind
    view: Literal["public"]
    segment_seconds: int
    registered_at: str
    disabled: bool
    audio: bool


class CamerasOut(BaseModel):
    """Some cameras, by id."""

    cameras: list[CameraOut]


class CameraIn(BaseModel):
    """A camera to register. ``view`` must be public: a private view is refused."""

    model_config = ConfigDict(extra="forbid")

    id: Short
    source: Annotated[str, StringConstraints(max_length=2000)]
    name: Short
    lat: Degrees
    lon: Degrees
    kecamatan: Short
    kelurahan: Short
    owner: Short
    view: Short
    segment_seconds: int | None = None
    reason: Short = ""

    def form(self) -> CameraForm:
        """The same as the registry wants it: text, not yet judged."""
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
    """The fields to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    name: Short | None = None
    lat: Degrees | None = None
    lon: Degrees | None = None
    kecamatan: Short | None = None
    kelurahan: Short | None = None
    owner: Short | None = None
    view: Short | None = None
    segment_seconds: int | None = None
    reason: Short = ""

    def changes(self) -> dict[str, str]:
        """The given fields as text, for the registry to judge."""
        found = self.model_dump(exclude={"reason"}, exclude_none=True)
        return {
            name: format(value, "f") if isinstance(value, Decimal) else str(value)
            for name, value in found.items()
        }


class Reason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(extra="forbid")

    reason: Short
