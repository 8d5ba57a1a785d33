"""Looks at the archive that many readers share: two hundred open pages cost as much as one.

A look runs in a thread of its own, never in a request's: a reader who leaves ends nobody else's look, and
readers who wait hold no thread and no connection of an index.
"""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from archive.errors import Unavailable

T = TypeVar("T")

PATIENCE_S = 10.0
"""A look that takes longer counts as failed."""
_KEPT_S = 60.0
_THREADS = 2


@dataclass(frozen=True, slots=True)
class _Look:
    began: float
    found: Future[Any]

    def serves(self, now: float, every_s: float) -> bool:
        """Whether a reader gets this one. A look that failed serves those alone who waited for it."""
        if not self.found.done():
            return True
        return now - self.began < every_s and self.found.exception() is None


class SharedLooks:
    """The newest look of each kind. ``now`` is a clock that never goes back, in seconds. Thread-safe."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._looks: dict[Hashable, _Look] = {}
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, "changes")

    async def look(self, key: Hashable, read: Callable[[], T], every_s: float) -> T:
        """What ``read`` found less than ``every_s`` ago, by whichever reader; else it looks again.

        Raises:
            Unavailable: ``busy``: the look takes too long; or what ``read`` raises, for all who waited.
        """
        found = asyncio.wrap_future(self._started(key, read, every_s))
        try:
            # Shielded: the look belongs to the others too.
            return await asyncio.wait_for(asyncio.shield(found), PATIENCE_S)
        except TimeoutError as error:
            raise Unavailable(
                "it takes too long to see what changed", code="busy", hint="Read the list itself."
            ) from error

    def close(self) -> None:
        """Start no more looks."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _started(self, key: Hashable, read: Callable[[], Any], every_s: float) -> Future[Any]:
        with self._guard:
            now = self._now()
            known = self._looks.get(key)
            if known is not None and known.serves(now, every_s):
                return known.found
            for other, one in list(self._looks.items()):
                if one.found.done() and now - one.began >= _KEPT_S:
                    del self._looks[other]
            self._looks[key] = _Look(now, self._threads.submit(read))
            return self._looks[key].found
