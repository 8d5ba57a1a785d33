"""Token buckets of many keys in a fixed amount of memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from archive.clock import Clock
from archive.timespan import SECOND

MAX_KEYS = 20_000
"""Keys that one set of buckets remembers: about 5 MB. The least recently used key is forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_minute``. ``per_minute`` 0 means no limit."""

    per_minute: int
    burst: int

    @property
    def is_bounded(self) -> bool:
        """Whether there is a limit."""
        return self.per_minute > 0

    @property
    def window_s(self) -> int:
        """Seconds until an empty bucket is full again."""
        return -(-self.burst * 60 // self.per_minute) if self.is_bounded else 0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: int


class TakingTokens(Protocol):
    """One bucket for each key, of one process or of several together. Thread-safe."""

    rate: Rate

    def take(self, key: str) -> int:
        """Take one token: 0 if there was one, else the seconds until there is one."""
        ...


class Buckets:
    """One bucket for each key. Thread-safe; never waits; one call takes some microseconds."""

    def __init__(self, rate: Rate, clock: Clock, *, max_keys: int = MAX_KEYS) -> None:
        self.rate = rate
        self._clock = clock
        self._max_keys = max_keys
        self._kept: OrderedDict[str, _Bucket] = OrderedDict()
        self._guard = threading.Lock()

    def take(self, key: str) -> int:
        """Take one token: 0 if there was one, else the seconds until there is one."""
        if not self.rate.is_bounded:
            return 0
        now = self._clock.monotonic()
        per_microsecond = self.rate.per_minute / (60 * SECOND)
        with self._guard:
            bucket = self._kept.get(key)
            if bucket is None:
                bucket = self._kept[key] = _Bucket(self.rate.burst, now)
                while len(self._kept) > self._max_keys:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
                gained = max(0, now - bucket.at) * per_microsecond
                bucket.tokens = min(self.rate.burst, bucket.tokens + gained)
                bucket.at = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return 0
            return max(1, -int(-(1 - bucket.tokens) / per_microsecond // SECOND))

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._kept)
