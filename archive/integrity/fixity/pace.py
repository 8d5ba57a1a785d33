"""A budget of bytes per second, kept by elapsed time."""

import threading
from collections.abc import Callable

from archive.clock import Clock
from archive.timespan import SECOND

BURST = 2 * SECOND
"""How much of the budget may be saved up while nothing is read."""

Sleep = Callable[[float], object]
"""Waits this many seconds."""


class Pace:
    """A token bucket on the clock's elapsed time. Thread-safe.

    ``rate`` is in bytes per second; None sets no limit. Bytes are paid for after they were read, so a piece
    may be larger than the whole bucket.
    """

    def __init__(self, rate: int | None, clock: Clock, sleep: Sleep) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._guard = threading.Lock()
        self._last = clock.monotonic()
        self._saved = 0.0

    def spend(self, count: int) -> None:
        """Pay for ``count`` bytes; return when the budget allows the next ones."""
        if self._rate is None:
            return
        with self._guard:
            now = self._clock.monotonic()
            earned = (now - self._last) * self._rate / SECOND
            self._last = now
            self._saved = min(self._saved + earned, self._rate * BURST / SECOND) - count
            wait = -self._saved / self._rate
        if wait > 0:
            self._sleep(wait)
