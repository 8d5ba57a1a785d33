"""Judges whether each camera is recorded now, by its registration and the recorders' last heartbeats. Pure.

The HTTP interface, the command line, ``saksi doctor``, the figures for Prometheus and the notices all use
this judgement. Two rules come before all others: a camera without proof that its footage grows is never
``recording``, and a heartbeat that is old, absent or from the future proves nothing.

Times of one recorder are compared with each other, never with another clock, except the age of the
heartbeat itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import JsonObject
from archive.model.camera import Camera
from archive.model.gap import GapCause
from archive.records.heartbeat import Beat
from archive.timespan import SECOND, format_instant

FRESH = 30 * SECOND
"""An older heartbeat says nothing about its cameras now; nor does one from later than this in the future."""
GROWTH = 8 * SECOND
"""A capture whose file has not grown for longer gives no footage: FFmpeg writes each second. A file that
grew in the future, before the clock was set back, proves as little.
"""
CONNECT = 30 * SECOND
"""How long a first connection may take before its camera counts as silent."""
CLOCK_OFF = 5 * SECOND
"""A camera's own clock that is certainly further off than this needs a person."""
CAMERA_CLOCK_OFF = "camera_clock_off"
CAMERA_TAMPERED, CAMERA_VIDEO_LOST = "camera_tampered", "camera_video_lost"
CAMERA_SUB_DOWN = "camera_sub_down"
"""The codes of findings: a camera's clock is off; it says that it was tampered with, or has no picture; its
sub stream does not answer.
"""
NO_RECORDER, RECORDER_SILENT = "no_recorder", "recorder_silent"
RECORDER_CLOCK, RECORDER_VERSION = "recorder_clock", "recorder_version"
"""Causes besides those of gaps: no recorder has the camera; its recorder is silent, its clock is wrong, or
its version is too old to say whether footage grows.
"""

_OF_RECORDER = frozenset({RECORDER_SILENT, RECORDER_CLOCK, RECORDER_VERSION})
_PLANNED = frozenset({"", GapCause.CONNECTING, GapCause.RECORDER_RESTART, GapCause.CLOCK_STEP})
"""Causes that a connection in progress may have without any failure."""


class CameraState(StrEnum):
    """What a camera does now."""

    RECORDING = "recording"
    STARTING = "starting"
    SILENT = "silent"
    UNKNOWN = "unknown"
    NEVER_SEEN = "never_seen"
    DISABLED = "disabled"


_BEST = (CameraState.RECORDING, CameraState.STARTING, CameraState.SILENT, CameraState.NEVER_SEEN)
"""Of several recorders of one camera the one that does most for it counts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a camera that needs a person although it is recorded, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """One camera now. Times in µs; None where nothing is known.

    ``since``: recording or starting since the connection began, silent since its footage ended, unknown since
    the last heartbeat. ``cause`` is the open gap's, or one of this module; "" for a recording camera.
    ``newest`` is the end of the newest footage that the index finds, ``lag`` how long ago that is.
    ``failures`` counts failed attempts since its last footage, ``damaged`` packets that came damaged since
    its recorder's start. ``mfps`` (pictures per 1,000 s), ``kbps``,
    ``offset``, ``uncertainty``, ``camera_offset`` and ``drift_ppm`` are of its last segments.
    ``gap_cause`` is the cause of its open gap, and ``gap_from`` up to when the archive has that gap.
    ``device_offset`` is the camera's own clock minus the recorder's by ONVIF, right within ``device_within``,
    when it was asked last, at ``device_asked``. ``tampered`` and ``video_lost``: since when the camera says
    so; None if it does not. ``sub_down``: since when its sub stream does not answer; None if it does.
    """

    camera: Camera
    state: CameraState
    since: int | None
    cause: str = ""
    recorder: str = ""
    seen_at: int | None = None
    newest: int | None = None
    lag: int | None = None
    attempts: int = 0
    failures: int = 0
    damaged: int = 0
    mfps: int | None = None
    kbps: int | None = None
    offset: int | None = None
    uncertainty: int | None = None
    camera_offset: int | None = None
    drift_ppm: int | None = None
    gap_cause: str = ""
    gap_from: int | None = None
    device_offset: int | None = None
    device_within: int | None = None
    device_asked: int | None = None
    tampered: int | None = None
    video_lost: int | None = None
    sub_down: int | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What needs a person although the camera may be recorded."""
        return (*self._alarms(), *self._clock_off(), *self._without_sub())

    def _alarms(self) -> Iterator[Finding]:
        if self.tampered is not None:
            yield Finding(
                CAMERA_TAMPERED,
                f"camera {self.camera.id} says since {format_instant(self.tampered)} that it was turned,"
                " covered or put out of focus",
                "Look at its picture, and send somebody if it is not as it should be.",
            )
        if self.video_lost is not None:
            yield Finding(
                CAMERA_VIDEO_LOST,
                f"camera {self.camera.id} says since {format_instant(self.video_lost)} that it gets no"
                " picture",
                "What is recorded may be black or still. Check its sensor, or the input of its recorder.",
            )

    def _clock_off(self) -> tuple[Finding, ...]:
        if self.device_offset is None or abs(self.device_offset) - (self.device_within or 0) <= CLOCK_OFF:
            return ()
        off = f"{abs(self.device_offset) // SECOND} s {'ahead' if self.device_offset > 0 else 'behind'}"
        return (
            Finding(
                CAMERA_CLOCK_OFF,
                f"the clock of camera {self.camera.id} is {off}",
                "Give the camera a time server, best the one of its recorder. The time of footage is the"
                " recorder's and not affected; a time that the camera writes into its picture is wrong.",
            ),
        )

    def _without_sub(self) -> tuple[Finding, ...]:
        """Only beside a main stream that is recorded: a camera that is away says enough."""
        if self.sub_down is None or self.state is not CameraState.RECORDING:
            return ()
        return (
            Finding(
                CAMERA_SUB_DOWN,
                f"the sub stream of camera {self.camera.id} does not answer since"
                f" {format_instant(self.sub_down)}; its main stream is recorded",
                "Live walls get no small picture of it. Switch the stream on in the camera, or change it:"
                f" saksi camera edit {self.camera.id} --sub URL",
            ),
        )

    @property
    def is_missed(self) -> bool:
        """Whether a recorder tries to record it now and gets nothing."""
        is_silent = self.state in (CameraState.SILENT, CameraState.NEVER_SEEN)
        return is_silent and self.cause != GapCause.DISABLED  # enabled, and the recorder has not read it yet

    @property
    def is_bad(self) -> bool:
        """Whether it is not recorded, or nobody can say that it is, though it should be."""
        return self.state in (CameraState.SILENT, CameraState.NEVER_SEEN, CameraState.UNKNOWN)

    @property
    def is_of_recorder(self) -> bool:
        """Whether its recorder's own trouble explains its state: one trouble, not one of each camera."""
        return self.cause in _OF_RECORDER

    def to_json(self) -> JsonObject:
        """As the HTTP interface and ``saksi health cameras --json`` show it."""
        return {
            "camera": self.camera.id,
            "name": self.camera.name,
            "kecamatan": self.camera.place.kecamatan,
            "state": self.state.value,
            "since": _instant(self.since),
            "cause": self.cause,
            "recorder": self.recorder,
            "seen_at": _instant(self.seen_at),
            "newest": _instant(self.newest),
            "lag_seconds": _thousandths(self.lag, 1000),
            "attempts": self.attempts,
            "failures": self.failures,
            "damaged_packets": self.damaged,
            "fps": _thousandths(self.mfps),
            "kbit_per_second": self.kbps,
            "clock": {
                "offset_ms": _thousandths(self.offset),
                "uncertainty_ms": _thousandths(self.uncertainty),
                "camera_offset_ms": _thousandths(self.camera_offset),
                "drift_ppm": self.drift_ppm,
                "device_offset_ms": _thousandths(self.device_offset),
                "device_uncertainty_ms": _thousandths(self.device_within),
                "device_asked_at": _instant(self.device_asked),
            },
            "findings": [
                {"code": one.code, "message": one.message, "hint": one.hint} for one in self.findings
            ],
        }


def judge(cameras: Iterable[Camera], beats: Iterable[Beat], now: int) -> Iterator[CameraHealth]:
    """Every camera at ``now`` (µs), in the given order."""
    entries: dict[str, list[tuple[Beat, JsonObject]]] = {}
    for beat in beats:
        reported = beat.state.get("cameras")
        for name, entry in (reported if isinstance(reported, dict) else {}).items():
            if isinstance(entry, dict):
                entries.setdefault(name, []).append((beat, entry))
    for camera in cameras:
        yield _judged(camera, entries.get(camera.id, []), now)


def counts(found: Iterable[CameraHealth]) -> Mapping[CameraState, int]:
    """How many cameras are in each state; every state is there."""
    numbers = dict.fromkeys(CameraState, 0)
    for one in found:
        numbers[one.state] += 1
    return numbers


def _judged(camera: Camera, entries: list[tuple[Beat, JsonObject]], now: int) -> CameraHealth:
    if not entries:
        if camera.disabled:
            return CameraHealth(
                camera=camera, state=CameraState.DISABLED, since=None, cause=GapCause.DISABLED
            )
        if now - camera.registered_at < FRESH:  # no heartbeat can have named it yet
            return CameraHealth(
                camera=camera, state=CameraState.STARTING, since=camera.registered_at,
                cause=GapCause.CONNECTING,
            )  # fmt: skip
        return CameraHealth(camera=camera, state=CameraState.UNKNOWN, since=None, cause=NO_RECORDER)
    found = [_by(camera, beat, entry, now) for beat, entry in entries]
    return min(found, key=lambda one: (_rank(one.state), -(one.seen_at or 0)))


def _rank(state: CameraState) -> int:
    return _BEST.index(state) if state in _BEST else len(_BEST)


def _by(camera: Camera, beat: Beat, entry: JsonObject, now: int) -> CameraHealth:
    """The camera as one recorder's heartbeat shows it."""
    age = now - beat.at
    until = _number(entry, "until")
    if camera.disabled:
        state, since, cause = CameraState.DISABLED, until or None, GapCause.DISABLED.value
    elif age > FRESH:
        state, since, cause = CameraState.UNKNOWN, beat.at, RECORDER_SILENT
    elif age < -FRESH:
        state, since, cause = CameraState.UNKNOWN, None, RECORDER_CLOCK
    elif "grown" not in entry:
        state, since, cause = CameraState.UNKNOWN, None, RECORDER_VERSION
    else:
        state, since, cause = _state(camera, beat, entry, until)
    newest = _number(entry, "archived") or None
    return CameraHealth(
        camera=camera,
        state=state,
        since=since,
        cause=cause,
        recorder=beat.recorder,
        seen_at=beat.at,
        newest=newest,
        lag=None if newest is None else max(0, now - newest),
        attempts=_number(entry, "attempts") or 0,
        failures=_number(entry, "failures") or 0,
        damaged=_number(entry, "damaged") or 0,
        mfps=_number(entry, "mfps"),
        kbps=_number(entry, "kbps"),
        offset=_number(entry, "offset_us"),
        uncertainty=_number(entry, "uncertainty_us"),
        camera_offset=_number(entry, "camera_offset_us"),
        drift_ppm=_number(entry, "drift_ppm"),
        gap_cause=str(entry.get("cause") or ""),
        gap_from=_number(entry, "gap_from"),
        device_offset=_number(entry, "device_offset_us"),
        device_within=_number(entry, "device_within_us"),
        device_asked=_number(entry, "device_asked"),
        tampered=_number(entry, "device_tamper"),
        video_lost=_number(entry, "device_video_lost"),
        sub_down=_number(entry, "sub_down"),
    )


def _state(
    camera: Camera, beat: Beat, entry: JsonObject, until: int | None
) -> tuple[CameraState, int | None, str]:
    """State, since when and why, by a fresh heartbeat."""
    cause, began = str(entry.get("cause") or ""), _number(entry, "began") or 0
    grown, kept = _number(entry, "grown") or 0, bool(entry.get("kept"))
    if entry.get("capturing") and abs(beat.at - grown) <= GROWTH:
        return CameraState.RECORDING if kept else CameraState.STARTING, began, "" if kept else cause
    if not kept:
        if not entry.get("failures") and cause in _PLANNED and beat.at - began <= CONNECT:
            return CameraState.STARTING, began, cause or GapCause.CONNECTING.value
        cause = cause or GapCause.CONNECTING.value
    if until == 0 and not kept:
        return CameraState.NEVER_SEEN, camera.registered_at, cause
    if not kept or cause:
        return CameraState.SILENT, until, cause
    # The connection stands and gives nothing more; FFmpeg has not noticed it yet.
    return CameraState.SILENT, max(grown, until or 0), GapCause.STALLED.value


def _number(entry: JsonObject, name: str) -> int | None:
    found = entry.get(name)
    return found if isinstance(found, int) else None


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant(at)


def _thousandths(value: int | None, per: int = 1) -> float | None:
    return None if value is None else round(value / (1000 * per), 3)
