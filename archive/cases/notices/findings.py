"""Notices of what recorded cameras need a person for: a clock that is off, tamper, a picture that is lost.

Grouped as silent cameras are (:mod:`archive.cases.notices.silent`). A camera's clock is asked for once a day,
and so a clock that stays off is told once a day; an alarm, once for those that began in the same half hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archive.cases.notices.notice import HEALTH_PAGE, Event, Notice
from archive.cases.notices.silent import AFTER, TOGETHER, has_doubled
from archive.records.camera_health import (
    CAMERA_CLOCK_OFF,
    CAMERA_TAMPERED,
    CAMERA_VIDEO_LOST,
    CameraHealth,
    CameraState,
)
from archive.timespan import DAY

_NOT_KNOWN = (CameraState.UNKNOWN, CameraState.DISABLED)

_Group = tuple[Event, str, str, int]
"""The event, the finding's code, the recorder, and the half hour or day."""


@dataclass(slots=True)
class Findings:
    """The groups that were announced, as long as they last. Not thread-safe."""

    _sent: dict[_Group, Notice] = field(default_factory=dict)

    def look(self, found: Iterable[CameraHealth], now: int) -> tuple[Notice, ...]:
        """The notices of the cameras with findings at ``now`` (µs)."""
        groups: dict[_Group, list[int]] = defaultdict(list)
        for one in found:
            for group, since in _findings_of(one):
                if now - since >= AFTER:
                    groups[group].append(since)
        self._sent = {group: self._notice(group, since) for group, since in groups.items()}
        return tuple(self._sent.values())

    def _notice(self, group: _Group, since: list[int]) -> Notice:
        known = self._sent.get(group)
        if known is not None and not has_doubled(known, len(since)):
            return known
        event, code, recorder, began = group
        return Notice(
            event=event,
            subject=recorder,
            mark=f"{code}|{began}|{len(since).bit_length()}",
            at=min(since) + AFTER,
            urgent=event is Event.CAMERA_ALARM,
            link=HEALTH_PAGE,
            cameras=len(since),
            code=code,
        )


def _findings_of(one: CameraHealth) -> Iterator[tuple[_Group, int]]:
    """The groups that a camera belongs to, and since when; none of one that nobody knows anything of now."""
    if one.state in _NOT_KNOWN:
        return
    codes = {finding.code for finding in one.findings}
    if CAMERA_CLOCK_OFF in codes and one.device_asked is not None:
        day = one.device_asked // DAY
        yield (Event.CAMERA_CLOCK_OFF, CAMERA_CLOCK_OFF, one.recorder, day), one.device_asked
    for code, since in ((CAMERA_TAMPERED, one.tampered), (CAMERA_VIDEO_LOST, one.video_lost)):
        if code in codes and since is not None:
            yield (Event.CAMERA_ALARM, code, one.recorder, since // TOGETHER), since
