"""Connection tests that people order: found in the cache, tried here, answered there.

A test never disturbs recording: few at a time, each with an end, and none that fails ends the recorder. A
camera that this recorder has is tried at once; another one after a moment, so that a recorder that has it
takes it first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from archive.clock import Clock
from archive.errors import ArchiveError
from archive.footage.source_url import Source, parse_source
from archive.footage.trials import Sighting, TrialFailure, TrialOrder
from archive.timespan import SECOND

LOOK_EVERY = 2.0
"""Seconds from one look for orders to the next; each costs one listing of a folder that is mostly empty."""
LONGEST = 10.0
"""Seconds that one test may take, so that its answer is there within fifteen."""
MOST_AT_ONCE = 3
_COURTESY = 3 * SECOND
_NOTHING = "camera_gives_nothing"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a source sends, and a picture of it, if one could be made."""

    sighting: Sighting
    still: bytes | None


Look = Callable[[Source], Awaitable[Seen]]


class Board(Protocol):
    """The part of :class:`archive.footage.trials.TrialBoard` that a recorder uses."""

    def orders(self, known: Collection[str]) -> Any:
        """The fresh orders that are not known yet."""
        ...

    def take(self, order: TrialOrder, recorder: str) -> bool:
        """Take an order, unless another recorder has it."""
        ...

    def answer(
        self, order: TrialOrder, recorder: str, found: Sighting | TrialFailure, still: bytes | None = None
    ) -> None:
        """Put what was found."""
        ...


@dataclass(slots=True)
class TrialDesk:
    """Takes orders and answers them: ``opened`` opens a sealed source, ``look`` tries it in ``longest`` s.

    The log names neither the source nor its address.
    """

    board: Board
    opened: Callable[[str], str]
    look: Look
    clock: Clock
    log: Any
    longest: float = LONGEST
    _known: set[str] = field(default_factory=set)
    _running: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, recorder: str, cameras: Callable[[], Collection[str]]) -> None:
        """Look for orders until cancelled. ``cameras`` are those that this recorder has now."""
        logged = ""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                try:
                    await self._look_for_orders(recorder, cameras())
                    logged = ""
                except ArchiveError as error:
                    if error.code != logged:  # once, not every two seconds
                        self.log.warning("trials_wait", code=error.code, reason=error.message)
                    logged = error.code
        finally:
            for task in self._running:
                task.cancel()

    async def _look_for_orders(self, recorder: str, cameras: Collection[str]) -> None:
        """Begin the tests that are for us, as far as there is room for them."""
        for order in await asyncio.to_thread(lambda: list(self.board.orders(self._known))):
            is_ours = not order.camera or order.camera in cameras
            if len(self._running) >= MOST_AT_ONCE:
                return
            if is_ours or self.clock.now() - order.asked_at >= _COURTESY:
                self._known.add(order.id)
                task = asyncio.create_task(self._attend(order, recorder))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _attend(self, order: TrialOrder, recorder: str) -> None:
        """Take one order, unless another recorder has it, and answer it."""
        try:
            if not await asyncio.to_thread(self.board.take, order, recorder):
                return
            found, still = await self._try(order)
            code = found.code if isinstance(found, TrialFailure) else ""
            self.log.info("trial_answered", trial=order.id, camera=order.camera, code=code)
            await asyncio.to_thread(self.board.answer, order, recorder, found, still)
        except ArchiveError as error:
            self.log.warning("trial_unanswered", trial=order.id, code=error.code, reason=error.message)

    async def _try(self, order: TrialOrder) -> tuple[Sighting | TrialFailure, bytes | None]:
        """What the source gives, or why it gives nothing."""
        try:
            source = parse_source(self.opened(order.sealed_source))
            async with asyncio.timeout(self.longest):
                seen = await self.look(source)
        except TimeoutError:
            return TrialFailure(code=_NOTHING, cause="stalled"), None
        except ArchiveError as error:
            cause = error.message.rpartition(": ")[2] if error.code == _NOTHING else ""
            return TrialFailure(code=error.code, cause=cause), None
        return seen.sighting, seen.still
