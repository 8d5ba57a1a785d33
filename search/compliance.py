"""Cameras and their permits: registered, integrated, silent, and retention promised against kept.

Everything comes from hour coverage, high-water marks and heartbeats. An hour of a registered camera is
*accounted for* by footage and gaps together (invariant I6); inside the promised term, time that neither of
them explains is footage that was there and is gone too early.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import JsonObject
from archive.footage.cameras import KIND
from archive.footage.exchange.spreadsheet import guarded
from archive.lifecycle.retention.book import Ruling
from archive.model.camera import Camera, from_public_state
from archive.records.camera_health import CameraHealth, judge
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant, hour_of
from search.index import Index
from search.query import HourCoverage, SegmentQuery

_AT_ONCE = 50
_YEAR = 366 * DAY
COLUMNS = (
    "camera", "name", "kecamatan", "owner", "owner_name", "permit", "registered_at", "integrated_at", "state",
    "since", "cause", "promised_days", "kept_days", "oldest", "missing_seconds", "verdict",
)  # fmt: skip


class RetentionVerdict(StrEnum):
    """Whether the retention that a policy promises is kept."""

    KEPT = "kept"
    SHORT = "short"
    NO_FOOTAGE = "no_footage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """One camera. Times in µs, None for never.

    ``integrated_at`` is when its first footage came and ``oldest`` when its oldest footage of now began, both
    to the hour. ``missing`` is the time (µs) inside the promised term that neither footage nor a gap
    explains, in whole hours that are over.
    """

    health: CameraHealth
    permit: str
    owner_name: str
    integrated_at: int | None
    oldest: int | None
    promised_days: int
    kept: int
    missing: int

    @property
    def id(self) -> str:
        """The camera's id."""
        return self.health.camera.id

    @property
    def is_permitted(self) -> bool:
        """Whether the camera has a permit."""
        return bool(self.permit)

    @property
    def is_there(self) -> bool:
        """Whether its footage came once, and nothing says that none comes now."""
        return self.integrated_at is not None and not self.health.is_bad

    @property
    def short_by(self) -> int:
        """The days by which what is kept is shorter than what is promised; negative if it is longer."""
        return self.promised_days - self.kept // DAY

    @property
    def verdict(self) -> RetentionVerdict:
        """Whether the promise is kept; a young camera keeps it if nothing of its footage is gone."""
        if self.integrated_at is None:
            return RetentionVerdict.NO_FOOTAGE
        return RetentionVerdict.SHORT if self.missing > SECOND else RetentionVerdict.KEPT

    def to_json(self) -> JsonObject:
        """With the names of :data:`COLUMNS`."""
        camera = self.health.camera
        return {
            "camera": camera.id,
            "name": camera.name,
            "kecamatan": camera.place.kecamatan,
            "owner": camera.place.owner.value,
            "owner_name": self.owner_name,
            "permit": self.permit,
            "registered_at": format_instant(camera.registered_at),
            "integrated_at": _instant(self.integrated_at),
            "state": self.health.state.value,
            "since": _instant(self.health.since),
            "cause": self.health.cause,
            "promised_days": self.promised_days,
            "kept_days": self.kept // DAY,
            "oldest": _instant(self.oldest),
            "missing_seconds": self.missing // SECOND,
            "verdict": self.verdict.value,
        }


def compliance(
    index: Index, admits: Callable[[Camera], bool], ruling: Callable[[Camera], Ruling], now: int
) -> list[Compliance]:
    """Every registered camera that is admitted, by id. Raises as the index.

    ``ruling`` says which retention rules a camera's footage that it records now.
    """
    states = {document.id: document.state for document in index.documents(KIND)}
    cameras = [camera for camera in map(from_public_state, states.values()) if admits(camera)]
    beats = index.heartbeats()
    waited = {beat.recorder: int(beat.state.get("oldest_us") or 0) for beat in beats}
    health = list(judge(cameras, beats, now))
    found: list[Compliance] = []
    for at in range(0, len(health), _AT_ONCE):
        some = health[at : at + _AT_ONCE]
        marks = index.high_waters([one.camera.id for one in some])
        hours = _hours(index, [one.camera for one in some], now)
        for one in some:
            state = states[one.camera.id]
            promised = ruling(one.camera).keep_days_min
            mark = marks.get(one.camera.id)
            if mark is not None:  # what still waits in a spool is not gone
                mark = min(mark, now - waited.get(one.recorder, 0) - MINUTE)
            found.append(_of(one, state, promised, mark, hours[one.camera.id], now))
    return found


def compliance_csv(found: Iterable[Compliance]) -> str:
    """The list as CSV with a header line. Texts that a spreadsheet takes for formulas get an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for one in found:
        writer.writerow({name: _cell(value) for name, value in one.to_json().items()})
    return text.getvalue()


def _hours(index: Index, cameras: Sequence[Camera], now: int) -> Mapping[str, dict[int, HourCoverage]]:
    """Every hour with records since the registration of each camera, by camera and hour."""
    found: dict[str, dict[int, HourCoverage]] = {camera.id: {} for camera in cameras}
    begin, end = min(camera.registered_at for camera in cameras), now + 1
    while begin < end:
        span = Timespan(begin, min(begin + _YEAR, end))
        for hour in index.hours(SegmentQuery(span=span, cameras=tuple(found))):
            found[hour.camera][hour.hour] = hour
        begin = span.end
    return found


def _of(
    health: CameraHealth,
    state: JsonObject,
    promised_days: int,
    mark: int | None,
    hours: Mapping[int, HourCoverage],
    now: int,
) -> Compliance:
    registered = health.camera.registered_at
    account = Timespan(registered, mark) if mark is not None and mark > registered else None
    stored = [hour for hour, one in hours.items() if one.segments]
    oldest = None if not stored else max(min(stored), registered)
    promise = max(registered, now - promised_days * DAY)
    return Compliance(
        health=health,
        permit=str(state.get("permit", "")),
        owner_name=str(state.get("owner_name", "")),
        integrated_at=None if account is None else _first_footage(account, hours),
        oldest=oldest,
        promised_days=promised_days,
        kept=0 if oldest is None else now - oldest,
        missing=0 if account is None else _missing(promise, account, hours),
    )


def _first_footage(account: Timespan, hours: Mapping[int, HourCoverage]) -> int | None:
    """The first hour that gaps do not fill: footage came in it, whether it is still there or not."""
    for hour in range(hour_of(account.start), account.end, HOUR):
        inside = account.intersection(Timespan(hour, hour + HOUR))
        known = hours.get(hour)
        gaps = 0 if known is None else sum(known.gaps.values())
        if inside is not None and inside.duration - gaps > SECOND:
            return inside.start
    return None


def _missing(promise: int, account: Timespan, hours: Mapping[int, HourCoverage]) -> int:
    """The unexplained time of the whole hours after ``promise`` that are accounted for."""
    missing = 0
    for hour in range(hour_of(promise - 1) + HOUR, hour_of(account.end), HOUR):
        known = hours.get(hour)
        explained = 0 if known is None else known.covered + sum(known.gaps.values())
        missing += max(0, HOUR - explained)
    return missing


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant(at)


def _cell(value: object) -> object:
    return guarded(value) if isinstance(value, str) else value
