"""Cameras as JSON, in and out."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.footage.cameras import CameraForm
from archive.model.camera import OwnerKind
from archive.model.camera_details import Signage
from archive.model.sound_permission import Audio

Short = Annotated[str, StringConstraints(max_length=200)]
Degrees = Annotated[Decimal, Field(max_digits=20, allow_inf_nan=False)]
Cleared = Literal[""]
"""For a field of a patch that is not text: it is not known any more."""


class AudioProposalOut(BaseModel):
    """A proposal to record a camera's sound, which waits for a second administrator."""

    by: str = Field(examples=["user:budi"])
    at: str = Field(examples=["2026-03-02T01:00:00.000000Z"])
    reason: str = Field(examples=["Loket pengaduan; pengumuman terpasang"])


class CameraOut(BaseModel):
    """A registered camera. ``source`` is shown without user name, password and query, and so is ``sub``.

    ``sub`` is its smaller stream, for walls that show many cameras live. Saksi does not record it.

    ``audio`` says whether its sound is recorded now; ``audio_since``, ``audio_proposed_by``,
    ``audio_allowed_by`` and ``audio_reason`` say who decided that and why. People and reasons are null to
    those who may see public facts only. Which footage has sound, the footage itself says.

    What is not known is null. Lists have no ``owner_name``; read by itself, a camera shows it to those who
    may see more than public facts. A kecamatan or kelurahan that the table of areas lacks has the name "".
    """

    id: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Simpang Pettarani"])
    source: str = Field(examples=["rtsp://192.0.2.9/1"])
    sub: str | None = Field(examples=["rtsp://192.0.2.9/2"])
    lat: float = Field(examples=[-5.1477])
    lon: float = Field(examples=[119.4327])
    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    kelurahan_name: str = Field(examples=["Bontorannu"])
    owner: OwnerKind = Field(examples=["public"])
    view: Literal["public"]
    segment_seconds: int = Field(examples=[10])
    registered_at: str = Field(examples=["2026-03-02T01:00:00.000000Z"])
    disabled: bool
    audio: Audio = Field(examples=["none"])
    audio_since: str | None = Field(examples=["2026-03-02T02:00:00.000000Z"])
    audio_allowed_by: str | None = Field(examples=["user:ani"])
    audio_proposed_by: str | None = Field(examples=["user:budi"])
    audio_reason: str | None = Field(examples=["Loket pengaduan; pengumuman terpasang"])
    audio_proposal: AudioProposalOut | None
    address: str | None = Field(examples=["Jl. A. P. Pettarani 12"])
    height_m: float | None = Field(examples=[6.5])
    permit: str | None = Field(examples=["503/0147/PTSP/2026"])
    purpose: str | None = Field(examples=["Lalu lintas"])
    signage: Signage = Field(examples=["yes"])
    installed_on: str | None = Field(examples=["2026-02-14"])
    integrated_on: str | None = Field(examples=["2026-03-02"])
    onvif: str | None = Field(examples=["http://192.0.2.9/onvif/device_service"])
    bearing: int | None = Field(examples=[135])
    field_of_view: int | None = Field(examples=[90])
    reach_m: int | None = Field(examples=[40])
    owner_name: str | None = Field(None, examples=["Toko Sinar Jaya"])


class MoveOut(BaseModel):
    """A camera's stay at one point, looking one way. ``until`` is null for the present one.

    ``moved_m`` is the distance from the stay before. ``by`` and ``reason`` are null to those who may see
    public facts only.
    """

    start: str = Field(alias="from", examples=["2026-03-02T01:00:00.000000Z"])
    until: str | None = Field(examples=["2026-06-02T01:00:00.000000Z"])
    lat: float = Field(examples=[-5.1477])
    lon: float = Field(examples=[119.4327])
    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    kelurahan_name: str = Field(examples=["Bontorannu"])
    bearing: int | None = Field(examples=[135])
    field_of_view: int | None = Field(examples=[90])
    reach_m: int | None = Field(examples=[40])
    moved_m: float | None = Field(examples=[38.2])
    version: int = Field(examples=[1])
    by: str | None = Field(examples=["user:budi"])
    reason: str | None = Field(examples=["Pelebaran jalan"])


class MovesOut(BaseModel):
    """Where one camera stood, oldest first."""

    camera: str = Field(examples=["cam-1"])
    moves: list[MoveOut]


class FieldChangeOut(BaseModel):
    """A field before and after, as text; a source as it may be shown."""

    before: str = Field(alias="from", examples=["Simpang Pettarani"])
    after: str = Field(alias="to", examples=["Simpang Pettarani 2"])


class ChangedRowOut(BaseModel):
    """A row that changes a camera, field by field."""

    line: int = Field(examples=[3])
    id: str = Field(examples=["cam-1"])
    fields: dict[str, FieldChangeOut] = Field(
        examples=[{"name": {"from": "Simpang Pettarani", "to": "Simpang Pettarani 2"}}]
    )


class RefusedRowOut(BaseModel):
    """A row that is not taken. ``field`` is empty if the row as a whole is wrong."""

    line: int = Field(examples=[4])
    id: str = Field(examples=["cam-2"])
    field: str = Field(examples=["lat"])
    code: str = Field(examples=["bad_place"])
    message: str = Field(examples=["Lokasi tidak sah. / lat '95' is outside ±90 degrees"])
    hint: str = Field(examples=[""])


class RowRemarkOut(BaseModel):
    """A row that is taken and more often a slip, in Indonesian and in English."""

    line: int = Field(examples=[5])
    camera: str = Field(examples=["cam-3"])
    code: str = Field(examples=["outside_city"])
    id: str = Field(examples=["titik -6.2, 106.8 di luar kota; periksa lintang dan bujur"])
    en: str = Field(examples=["the point -6.2, 106.8 is outside the city; check latitude and longitude"])


class ImportOut(BaseModel):
    """What an import did, or with ``dry_run`` would do; each row stands in one list of the first four.

    ``line`` is the line of the CSV, or the number of the feature. ``ignored`` are columns that Saksi sets
    itself.
    """

    dry_run: bool
    added: list[str] = Field(examples=[["cam-7"]])
    changed: list[ChangedRowOut]
    unchanged: list[str] = Field(examples=[["cam-8"]])
    refused: list[RefusedRowOut]
    remarks: list[RowRemarkOut]
    ignored: list[str] = Field(examples=[["registered_at"]])


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
    bearing: int | None = Field(None, examples=[135])
    field_of_view: int | None = Field(None, examples=[90])
    reach_m: int | None = Field(None, examples=[40])
    address: Short = Field("", examples=["Jl. A. P. Pettarani 12"])
    height_m: Degrees | None = Field(None, examples=[6.5])
    owner_name: Short = Field("", examples=["Toko Sinar Jaya"])
    permit: Short = Field("", examples=["503/0147/PTSP/2026"])
    purpose: Short = Field("", examples=["Lalu lintas"])
    signage: Short = Field("", examples=["yes"])
    installed_on: Short = Field("", examples=["2026-02-14"])
    integrated_on: Short = Field("", examples=["2026-03-02"])
    onvif: Short = Field("", examples=["192.0.2.9"])
    sub: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", examples=["rtsp://viewer:secret@192.0.2.9/2"]
    )
    reason: Short = Field("", examples=["Izin 7/2026"])

    def form(self) -> CameraForm:
        """The form that the registry takes: text, not yet checked."""
        return CameraForm(**_texts(self))


class CameraPatch(BaseModel):
    """The fields to change; a field that is left out stays, an optional one that is "" is cleared.

    ``sub`` is cleared by "none"; "" leaves it as it is.
    """

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
    bearing: int | Cleared | None = Field(None, examples=[135])
    field_of_view: int | Cleared | None = Field(None, examples=[90])
    reach_m: int | Cleared | None = Field(None, examples=[40])
    address: Short | None = Field(None, examples=["Jl. A. P. Pettarani 14"])
    height_m: Degrees | Cleared | None = Field(None, examples=[6.5])
    owner_name: Short | None = Field(None, examples=["Toko Sinar Jaya"])
    permit: Short | None = Field(None, examples=["503/0147/PTSP/2026"])
    purpose: Short | None = Field(None, examples=["Lalu lintas"])
    signage: Short | None = Field(None, examples=["yes"])
    installed_on: Short | None = Field(None, examples=["2026-02-14"])
    integrated_on: Short | None = Field(None, examples=["2026-03-02"])
    onvif: Short | None = Field(None, examples=["192.0.2.9:8000"])
    sub: Annotated[str, StringConstraints(max_length=2000)] | None = Field(None, examples=["none"])
    reason: Short = Field("", examples=["lengkap"])

    def changes(self) -> dict[str, str]:
        """The given fields as text, for the registry to check."""
        return _texts(self)


def _texts(form: BaseModel) -> dict[str, str]:
    """The fields that are given, except the reason, as text."""
    found = form.model_dump(exclude={"reason"}, exclude_none=True)
    return {
        name: format(value, "f") if isinstance(value, Decimal) else str(value)
        for name, value in found.items()
    }


class AudioIn(BaseModel):
    """What shall become of a camera's sound, and why; it is recorded.

    ``keep`` is a proposal, which a second administrator approves; ``none`` holds at once.
    """

    model_config = ConfigDict(extra="forbid")

    audio: Audio = Field(examples=["keep"])
    reason: Short = Field(examples=["Loket pengaduan; pengumuman terpasang"])


class AudioApproval(BaseModel):
    """A remark, if any; it is recorded. The version in If-Match is what is approved."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field("", examples=["setuju"])


class Reason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field(examples=["Perbaikan tiang"])
