"""The health of cameras and recorders, and the compliance list, as JSON."""

from pydantic import BaseModel, Field

from api.schemas.examples import FROM, TO
from archive.model.camera import OwnerKind
from archive.records.camera_health import CameraState
from search.compliance import RetentionVerdict


class CameraFindingOut(BaseModel):
    """Something about a camera that needs a person although it is recorded, and what to do."""

    code: str = Field(examples=["camera_clock_off"])
    message: str = Field(examples=["the clock of camera cam-1 is 61 s ahead"])
    hint: str = Field(examples=["Give the camera a time server, best the one of its recorder."])


class CameraClockOut(BaseModel):
    """A camera's times, by its last segments; null where nothing is known.

    ``offset_ms``: observed minus stated start of the newest segment. ``uncertainty_ms``: what bounds the
    error of its wall time. ``camera_offset_ms``: the camera's own clock minus the recorder's, if the camera
    sends it. ``drift_ppm``: how much faster its media runs than the recorder's clock.
    ``device_offset_ms``: the camera's clock minus the recorder's as ONVIF told it at ``device_asked_at``,
    right within ``device_uncertainty_ms``.
    """

    offset_ms: float | None = Field(examples=[1.2])
    uncertainty_ms: float | None = Field(examples=[40.0])
    camera_offset_ms: float | None = Field(examples=[-350.0])
    drift_ppm: int | None = Field(examples=[12])
    device_offset_ms: float | None = Field(examples=[61000.0])
    device_uncertainty_ms: float | None = Field(examples=[503.0])
    device_asked_at: str | None = Field(examples=[FROM])


class CameraHealthOut(BaseModel):
    """One camera now.

    ``since``: recording since its connection began, silent since its footage ended, unknown since its
    recorder's last heartbeat. ``cause``: that of its open gap, or ``recorder_silent``, ``recorder_clock``,
    ``recorder_version``, ``no_recorder``. ``newest``: the end of the newest footage that can be found,
    ``lag_seconds`` ago. ``failures``: failed attempts since its last footage.
    ``damaged_packets``: since its recorder's start. ``gaps_today_seconds``: missing
    time of the city's day, by cause.
    """

    camera: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Jl. Metro Tanjung"])
    kecamatan: str = Field(examples=["73.71.01"])
    state: CameraState = Field(examples=["silent"])
    since: str | None = Field(examples=[FROM])
    cause: str = Field(examples=["unreachable"])
    recorder: str = Field(examples=["rec-1"])
    seen_at: str | None = Field(examples=[TO])
    newest: str | None = Field(examples=[FROM])
    lag_seconds: float | None = Field(examples=[600.0])
    attempts: int = Field(examples=[3])
    failures: int = Field(examples=[180])
    damaged_packets: int = Field(examples=[0])
    fps: float | None = Field(examples=[15.0])
    kbit_per_second: int | None = Field(examples=[2048])
    clock: CameraClockOut
    findings: list[CameraFindingOut]
    gaps_today_seconds: dict[str, int] = Field(examples=[{"unreachable": 600}])


class DistrictHealthOut(BaseModel):
    """The cameras of one district together: by state, and those that are not recorded by cause."""

    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    counts: dict[str, int] = Field(examples=[{"recording": 76, "silent": 1}])
    causes: dict[str, int] = Field(examples=[{"unreachable": 1}])


class CamerasHealthPage(BaseModel):
    """Some cameras, in the order asked for; ``next`` is the cursor of the next page or null.

    ``counts`` are all cameras that pass the filters on place, by state; ``districts`` are the same cameras by
    district. ``states`` has the ids of cameras by state, if only those are asked for; else it is null.
    """

    as_of: str = Field(examples=[TO])
    counts: dict[str, int] = Field(examples=[{"recording": 76, "silent": 1}])
    districts: list[DistrictHealthOut]
    states: dict[CameraState, list[str]] | None = Field(examples=[None])
    cameras: list[CameraHealthOut]
    next: str | None = Field(examples=[None])


class TroubleOut(BaseModel):
    """One problem of a recorder, and what to do."""

    code: str = Field(examples=["store_error"])
    message: str = Field(examples=["rec-1: the store takes no footage (store_unavailable)"])
    hint: str = Field(examples=["New footage waits in the spool. Check the recorder's log."])


class RecorderHealthOut(BaseModel):
    """One recorder by its last heartbeat; null for what it does not say.

    ``waiting`` entries are in the spool, the oldest for ``oldest_seconds``. ``commit_age_seconds``: how long
    none of them has got through. ``spool_full_in_seconds``: at the present rate, if the spool does not empty.
    """

    recorder: str = Field(examples=["rec-1"])
    seen_at: str = Field(examples=[TO])
    seen_seconds_ago: int = Field(examples=[3])
    version: str = Field(examples=["0.3.0"])
    started_at: str | None = Field(examples=[FROM])
    cameras: int = Field(examples=[77])
    waiting: int | None = Field(examples=[4])
    oldest_seconds: int | None = Field(examples=[2])
    commit_age_seconds: int | None = Field(examples=[0])
    spool_bytes: int | None = Field(examples=[8388608])
    spool_room_bytes: int | None = Field(examples=[21474836480])
    spool_full_in_seconds: int | None = Field(examples=[None])
    disk_free_bytes: int | None = Field(examples=[107374182400])
    store_error: str = Field(examples=[""])
    index_error: str = Field(examples=[""])
    journal_error: str = Field(examples=[""])
    lost: int | None = Field(examples=[0])
    set_aside: int | None = Field(examples=[0])
    troubles: list[TroubleOut]


class RecordersHealthOut(BaseModel):
    """Every recorder that was ever seen, by id."""

    as_of: str = Field(examples=[TO])
    recorders: list[RecorderHealthOut]


class FixityOut(BaseModel):
    """The scrub of the footage: in a round of ``days`` every stored hour is read and hashed again.

    ``percent`` of the known ``hours`` were checked within the round. ``oldest_checked_at`` is null if an hour
    was never checked. ``findings`` were found; each is an integrity incident.
    """

    days: int = Field(examples=[90])
    percent: int = Field(examples=[97])
    hours: int = Field(examples=[13440])
    findings: int = Field(examples=[0])
    oldest_checked_at: str | None = Field(examples=[FROM])
    bytes_per_second: int = Field(examples=[8388608])


class ArchiveHealthOut(BaseModel):
    """How well the archive is looked after. The scrub's numbers are at most five minutes old.

    ``index_followed_seconds_ago``: since the index last had all that was written; null if never.
    """

    as_of: str = Field(examples=[TO])
    fixity: FixityOut
    index_followed_seconds_ago: float | None = Field(examples=[2.5])


class CameraComplianceOut(BaseModel):
    """One camera with its permit.

    ``integrated_at``: when its first footage came, to the hour; null for never. ``promised_days``: how long
    footage that it records now must be kept. ``oldest``: its oldest stored footage, to the hour.
    ``missing_seconds``: time within the promised term that neither footage nor a gap explains.
    """

    camera: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Jl. Metro Tanjung"])
    kecamatan: str = Field(examples=["73.71.01"])
    owner: OwnerKind = Field(examples=["business"])
    owner_name: str = Field(examples=["Toko Makmur"])
    permit: str = Field(examples=["PTSP/123/2026"])
    registered_at: str = Field(examples=[FROM])
    integrated_at: str | None = Field(examples=[FROM])
    state: CameraState = Field(examples=["recording"])
    since: str | None = Field(examples=[FROM])
    cause: str = Field(examples=[""])
    promised_days: int = Field(examples=[30])
    kept_days: int = Field(examples=[30])
    oldest: str | None = Field(examples=[FROM])
    missing_seconds: int = Field(examples=[0])
    verdict: RetentionVerdict = Field(examples=["kept"])


class PermitsOut(BaseModel):
    """How many cameras have a permit, and of how many of those no footage came, or none comes now."""

    registered: int = Field(examples=[1200])
    missing: int = Field(examples=[3])


class ComplianceOut(BaseModel):
    """Cameras in the order asked for; ``next`` is the cursor of the next page or null.

    ``counts`` by verdict and ``permits`` are of all cameras that pass the filters on place.
    """

    counts: dict[str, int] = Field(examples=[{"kept": 76, "short": 1, "no_footage": 0}])
    permits: PermitsOut
    cameras: list[CameraComplianceOut]
    next: str | None = Field(examples=[None])
