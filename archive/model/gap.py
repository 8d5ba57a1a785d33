"""A stretch that should have footage and has none, and why."""

from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import sha256_hex
from archive.timespan import Timespan


class GapCause(StrEnum):
    """Why there is no footage. Every gap leaf carries exactly one of these."""

    UNREACHABLE = "unreachable"
    AUTH_FAILED = "auth_failed"
    STREAM_ERROR = "stream_error"
    STALLED = "stalled"
    NO_KEYFRAME = "no_keyframe"
    RECORDER_RESTART = "recorder_restart"
    RECORDER_OVERLOAD = "recorder_overload"
    SPOOL_FULL = "spool_full"
    UPLOAD_LOST = "upload_lost"
    DISABLED = "disabled"
    CLOCK_STEP = "clock_step"
    """The recorder's clock was set forward: wall time was skipped, no footage was lost."""
    SET_ASIDE = "set_aside"
    """The footage exists, but no index can take it because of its content. A person decides about it."""
    CONNECTING = "connecting"
    """The camera is new or its registration changed, and the recorder was not connected to it yet."""
    DISPOSED = "disposed"
    """The footage was destroyed under a rule, on record. No recorder writes this cause."""


class RunEnd(StrEnum):
    """Why a run ended: the gap causes, and four ends that may leave no gap."""

    UNREACHABLE = "unreachable"
    AUTH_FAILED = "auth_failed"
    STREAM_ERROR = "stream_error"
    STALLED = "stalled"
    NO_KEYFRAME = "no_keyframe"
    RECORDER_RESTART = "recorder_restart"
    RECORDER_OVERLOAD = "recorder_overload"
    SPOOL_FULL = "spool_full"
    UPLOAD_LOST = "upload_lost"
    DISABLED = "disabled"
    CLOCK_STEP = "clock_step"
    PARAMETER_CHANGE = "parameter_change"
    TIMESTAMPS = "timestamps"
    """The camera's own timestamps ran ahead of elapsed time: its media says nothing about wall time."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One gap of one camera as its recorder records it.

    The recorder writes an open gap again each full hour with the same ``gap`` id and a later ``end``. Of two
    records with the same id, the one with the later end counts.
    """

    camera: str
    recorder: str
    gap: str
    span: Timespan
    cause: GapCause
    ingested_at: int


def id_for_segment(cause: GapCause, run: str, seq: int) -> str:
    """The id of the gap that stands in a segment's place: the same each time it is recorded."""
    return sha256_hex(f"{cause.value}|{run}|{seq}".encode("ascii"))[:16]
