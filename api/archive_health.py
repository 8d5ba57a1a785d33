"""How well the archive is looked after: the scrub of its footage, and how far the index follows it."""

import threading

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.integrity.fixity.status import FixityStatus, fixity_status
from archive.ports import ObjectStore
from archive.timespan import MINUTE, format_instant

REUSE = 5 * MINUTE


class FixityWatch:
    """The status of the scrub, read anew after :data:`REUSE`: it costs one object for each camera.

    Thread-safe; ``days`` is the length of a round.
    """

    def __init__(self, cache: ObjectStore, clock: Clock, *, days: int) -> None:
        self._cache = cache
        self._clock = clock
        self._days = days
        self._guard = threading.Lock()
        self._last: tuple[int, FixityStatus] | None = None

    def status(self) -> FixityStatus:
        """The status, at most five minutes old. Raises Unavailable."""
        with self._guard:
            now = self._clock.monotonic()
            if self._last is None or now - self._last[0] >= REUSE:
                self._last = (now, fixity_status(self._cache, self._clock, days=self._days))
            return self._last[1]


def fixity_json(status: FixityStatus) -> JsonObject:
    """The scrub of all cameras together."""
    return {
        "days": status.days,
        "percent": status.percent,
        "hours": status.hours,
        "findings": sum(one.findings for one in status.cameras),
        "oldest_checked_at": None if status.oldest is None else format_instant(status.oldest),
        "bytes_per_second": status.rate,
    }
