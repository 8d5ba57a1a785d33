"""One notice to people. It names no person, no case, no camera's address, and no footage."""

from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import sha256_hex


class Event(StrEnum):
    """What happened."""

    REQUEST_NEW = "request_new"
    REQUEST_URGENT = "request_urgent"
    LETTER_OVERDUE = "letter_overdue"
    HOLD_REVIEW_DUE = "hold_review_due"
    SEALED = "sealed"
    SEAL_FAILED = "seal_failed"
    HANDED_OVER = "handed_over"
    INTEGRITY_INCIDENT = "integrity_incident"
    CANARY_RED = "canary_red"
    ARCHIVE_PRESSURE = "archive_pressure"
    RECORDER_TROUBLE = "recorder_trouble"
    CAMERA_SILENT = "camera_silent"
    CAMERA_ALARM = "camera_alarm"
    CAMERA_CLOCK_OFF = "camera_clock_off"
    INDEX_BEHIND = "index_behind"
    REQUEST_APPROVED = "request_approved"
    REQUEST_REJECTED = "request_rejected"
    GRANT_ENDING = "grant_ending"
    GRANT_FOOTAGE_ENDING = "grant_footage_ending"
    REQUEST_FOOTAGE_ENDING = "request_footage_ending"
    PACKAGE_FILLED = "package_filled"
    EXPORT_READY = "export_ready"
    EXPORT_FAILED = "export_failed"
    TEST = "test"


VIEW_PAGE = "/tinjau"
"""The page where people view footage."""
DOWNLOADS_PAGE = "/unduhan"
"""The page of a person's own exports."""
INCIDENTS_PAGE = "/insiden"
"""The page of integrity incidents, the open ones first."""
HEALTH_PAGE = "/kesehatan"
"""The page that says whether everything is recorded and kept."""


def request_page(request_id: str) -> str:
    """The page of a request, for its agency and for the War Room."""
    return f"/permintaan/{request_id}"


def package_page(evidence_id: str) -> str:
    """The page of an evidence package."""
    return f"/paket/{evidence_id}"


URGENT = frozenset(
    {
        Event.REQUEST_URGENT,
        Event.INTEGRITY_INCIDENT,
        Event.CANARY_RED,
        Event.RECORDER_TROUBLE,
        Event.CAMERA_SILENT,
        Event.CAMERA_ALARM,
        Event.INDEX_BEHIND,
        Event.TEST,
    }
)
"""Delivered at any hour; quiet hours delay the others. A store above its red mark is urgent too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened, when (µs), and to which subject.

    ``subject`` is an id: of a request, a hold, a package, a grant, an export, an incident, a recorder, a job.
    ``mark``
    distinguishes two occurrences of one event at one subject. ``agency`` is the account of the agency that it
    concerns, "" for the city itself; ``agency_name`` and ``unit`` are as in the request. ``cameras`` is their
    number; ``due_at`` is the due date, if any; ``code`` is the reason of a failure or a gap, an incident's
    code or a level.
    ``link`` is the path of a page for people; "" where there is none, for what programs read serves nobody.
    """

    event: Event
    subject: str
    mark: str
    at: int
    urgent: bool
    link: str = ""
    agency: str = ""
    agency_name: str = ""
    unit: str = ""
    cameras: int = 0
    due_at: int | None = None
    code: str = ""

    @property
    def id(self) -> str:
        """``ntc-`` and 24 hex digits; the same occurrence always has the same id."""
        return f"ntc-{sha256_hex(f'{self.event.value}|{self.subject}|{self.mark}'.encode())[:24]}"
