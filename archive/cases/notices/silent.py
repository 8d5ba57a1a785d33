"""Notices of cameras that give no footage: grouped, so that a dead switch is one notice and not two hundred.

Cameras of one recorder that fell silent within the same half hour are one group. A group is announced once,
and again when it has doubled; never while it shrinks. The id of its notice follows from the cameras' state,
so another worker finds the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from archive.cases.notices.notice import HEALTH_PAGE, Event, Notice
from archive.records.camera_health import FRESH, CameraHealth
from archive.timespan import MINUTE, SECOND

AFTER = 15 * SECOND
"""How long ago footage must have ended: a camera that is back sooner was only reconnected."""
TOGETHER = 30 * MINUTE

_Group = tuple[str, int]


@dataclass(slots=True)
class Silence:
    """The groups of silent cameras that were announced, as long as they last. Not thread-safe."""

    _sent: dict[_Group, Notice] = field(default_factory=dict)

    def look(self, found: Iterable[CameraHealth], now: int) -> tuple[Notice, ...]:
        """The notices of the cameras that are silent at ``now`` (µs)."""
        groups: dict[_Group, list[CameraHealth]] = defaultdict(list)
        for one in found:
            if one.is_missed and one.since is not None and _is_long(one.since, now):
                groups[one.recorder, one.since // TOGETHER].append(one)
        self._sent = {group: self._notice(group, cameras) for group, cameras in groups.items()}
        return tuple(self._sent.values())

    def _notice(self, group: _Group, cameras: list[CameraHealth]) -> Notice:
        known = self._sent.get(group)
        if known is not None and not has_doubled(known, len(cameras)):
            return known
        recorder, began = group
        return Notice(
            event=Event.CAMERA_SILENT,
            subject=recorder,
            mark=f"{began}|{len(cameras).bit_length()}",
            at=min(one.since for one in cameras if one.since is not None) + AFTER,
            urgent=True,
            link=HEALTH_PAGE,
            cameras=len(cameras),
            code=Counter(one.cause for one in cameras).most_common(1)[0][0],
        )


def has_doubled(known: Notice, cameras: int) -> bool:
    """Whether a group has grown enough, since its notice, to be announced again."""
    return cameras.bit_length() > known.cameras.bit_length()


def _is_long(since: int, now: int) -> bool:
    """Whether footage ended long enough ago, or in a future that a clock set back has left behind."""
    return now - since >= AFTER or since - now > FRESH
