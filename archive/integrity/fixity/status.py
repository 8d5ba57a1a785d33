"""How far the scrub is: the share checked within the round, and the oldest check."""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.integrity.fixity import hours
from archive.integrity.fixity.hours import NEVER, CameraHours
from archive.ports import ObjectStore
from archive.timespan import DAY, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFixity:
    """One camera: its hours, how many were checked within the round, bytes hashed in those, findings.

    ``oldest`` is the time of its oldest check; None if an hour was never checked.
    """

    camera: str
    hours: int
    within: int
    size: int
    findings: int
    oldest: int | None

    @property
    def percent(self) -> int:
        """The percentage of hours checked within the round, rounded down; 100 if there are no hours."""
        return 100 if self.hours == 0 else 100 * self.within // self.hours

    def to_json(self) -> JsonObject:
        """As ``saksi fixity status --json`` prints it."""
        return {
            "camera": self.camera,
            "hours": self.hours,
            "checked_hours": self.within,
            "percent": self.percent,
            "bytes": self.size,
            "findings": self.findings,
            "oldest_checked_at": None if self.oldest is None else format_instant(self.oldest),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FixityStatus:
    """All cameras. ``days`` is the length of a round; ``rate`` is bytes per second hashed in the last day."""

    days: int
    rate: int
    cameras: tuple[CameraFixity, ...]

    @property
    def hours(self) -> int:
        """The number of known hours of all cameras."""
        return sum(camera.hours for camera in self.cameras)

    @property
    def percent(self) -> int:
        """As :attr:`CameraFixity.percent`, for all cameras."""
        within = sum(camera.within for camera in self.cameras)
        return 100 if self.hours == 0 else 100 * within // self.hours

    @property
    def oldest(self) -> int | None:
        """The time of the oldest check; None if an hour was never checked, or there are no hours."""
        found = [camera.oldest for camera in self.cameras if camera.hours]
        return min((at for at in found if at is not None), default=None) if None not in found else None

    def to_json(self) -> JsonObject:
        """As ``saksi fixity status --json`` prints it."""
        return {
            "days": self.days,
            "percent": self.percent,
            "hours": self.hours,
            "bytes_per_second": self.rate,
            "oldest_checked_at": None if self.oldest is None else format_instant(self.oldest),
            "cameras": [camera.to_json() for camera in self.cameras],
        }


def fixity_status(cache: ObjectStore, clock: Clock, *, days: int) -> FixityStatus:
    """The status from the scrub's states in the cache bucket. Raises Unavailable."""
    now = clock.now()
    found, recent = [], 0
    for known in _all_hours(cache):
        states = list(known.hours.values())
        since = now - days * DAY
        within = [state for state in states if state.checked_at >= since]
        recent += sum(state.size for state in states if state.checked_at >= now - DAY)
        oldest = min((state.checked_at for state in states), default=NEVER)
        found.append(
            CameraFixity(
                camera=known.camera,
                hours=len(states),
                within=len(within),
                size=sum(state.size for state in within),
                findings=sum(state.findings for state in states),
                oldest=None if oldest == NEVER else oldest,
            )
        )
    return FixityStatus(days=days, rate=recent // (DAY // 1_000_000), cameras=tuple(found))


def _all_hours(cache: ObjectStore) -> Iterator[CameraHours]:
    for camera in hours.names(cache, "hours"):
        yield CameraHours.load(cache, camera)
