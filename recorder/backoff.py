"""When a camera that failed is tried again.

The first attempt after sound footage comes at once: most connections that end can be made again. Then about
every three seconds for a minute, in which a camera that restarts is back. Then ever more rarely, up to once a
minute, since each attempt costs a process. The pauses are spread by chance, so that a thousand cameras behind
one switch are not tried in the same instant.

A camera that cannot be reached is only asked for a connection meanwhile. That costs one packet, and the pause
ends as soon as it answers. Until then it is tried only once in the longest pause, for no attempt can succeed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from archive.timespan import SECOND

T = TypeVar("T")
Chance = Callable[[], float]
"""A random number from 0 up to 1."""

_SPREAD = 0.2


@dataclass(slots=True)
class BackOff:
    """The pauses of one camera, in seconds.

    ``first`` is the pause after the first failure, ``steady`` that of the first ``steady_for`` seconds,
    ``longest`` the bound of those after it, each of which is twice as long as the one before.
    """

    chance: Chance
    first: float
    steady: float
    steady_for: float
    longest: float
    _since: int | None = None
    _rising: int = 0

    def failed(self, now: int) -> float:
        """An attempt failed at ``now`` (monotonic, µs): how long to wait before the next."""
        if self._since is None:
            self._since = now
            return self._spread(self.first)
        if now - self._since < self.steady_for * SECOND:
            return self._spread(self.steady)
        self._rising += 1
        return self._spread(self.steady * 2.0 ** min(self._rising, 16))

    def lasting(self, now: int) -> float:
        """Since how many seconds attempts fail; 0 if none did."""
        return 0.0 if self._since is None else (now - self._since) / SECOND

    def clear(self) -> None:
        """Footage came, or the camera's registration changed: begin again."""
        self._since, self._rising = None, 0

    def _spread(self, pause: float) -> float:
        return min(pause, self.longest) * (1 + _SPREAD * (2 * self.chance() - 1))


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``; None if the event is set first, and then the work is cancelled."""
    waiting = asyncio.create_task(event.wait())
    try:
        return await _first(waiting, work)
    finally:
        waiting.cancel()


async def _first(other: asyncio.Task[Any], work: Coroutine[Any, Any, T]) -> T | None:
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        task.cancel()


@dataclass(frozen=True, slots=True)
class Question:
    """How a camera that cannot be reached is asked for a connection.

    ``answers`` asks it; ``every`` gives the seconds until it is asked again. It is asked at once when
    ``sooner`` is set, which is cleared then.
    """

    answers: Callable[[], Coroutine[Any, Any, bool]]
    every: Callable[[], float]
    sooner: asyncio.Event


async def pause(seconds: float, changed: asyncio.Event, *, question: Question | None, longest: float) -> bool:
    """Wait for so long, or until ``changed`` is set, or until the camera answers yes after it answered no.

    It is asked at once, and then again and again. Where its first answer is yes, what is awaited is not the
    network. Where it is no, only another answer makes an attempt worth its cost, so the pause is ``longest``
    then.

    Returns:
        Whether it ended because the camera answers again.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    change = asyncio.create_task(changed.wait())
    try:
        if question is None or await _first(change, question.answers()):
            await asyncio.wait({change}, timeout=max(0.0, ends - loop.time()))
            return False
        ends = loop.time() + max(seconds, longest)
        while not change.done() and (rest := ends - loop.time()) > 0:
            await _sooner(change, question, rest)
            if not change.done() and loop.time() < ends and await _first(change, question.answers()):
                return True
    finally:
        change.cancel()
    return False


async def _sooner(change: asyncio.Task[Any], question: Question, rest: float) -> None:
    """Wait until the next question, at most ``rest`` seconds."""
    told = asyncio.create_task(question.sooner.wait())
    try:
        await asyncio.wait(
            {change, told}, timeout=min(rest, question.every()), return_when=asyncio.FIRST_COMPLETED
        )
        question.sooner.clear()
    finally:
        told.cancel()
