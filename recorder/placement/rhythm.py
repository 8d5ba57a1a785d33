"""The rhythm of one of many recorders: it stays among the others, and follows who records what."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from archive.errors import ArchiveError
from recorder.placement.desk import Log, PlacementDesk
from recorder.placement.membership import BEAT


async def keep_alive(desk: PlacementDesk) -> None:
    """Stay among the recorders until cancelled, whatever else takes its time.

    In a thread of its own: a store that hangs may hold all those that others share.
    """
    loop, own = asyncio.get_running_loop(), ThreadPoolExecutor(1, "beat")
    try:
        while True:
            due = loop.time() + BEAT
            await loop.run_in_executor(own, desk.beat)
            await asyncio.sleep(max(0.0, due - loop.time()))
    finally:
        own.shutdown(wait=False)


async def keep_place(
    desk: PlacementDesk, glance: float, place: Callable[[], Awaitable[None]], log: Log
) -> None:
    """``place`` the cameras until cancelled: at each beat, and at once where another recorder lives or died.

    Every ``glance`` seconds the desk is asked whether one did. Where placing fails the next beat tries again.
    """
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + BEAT
        while loop.time() < due:
            await asyncio.sleep(glance)
            if await asyncio.to_thread(desk.has_moved):
                break
        try:
            await place()
        except ArchiveError as error:
            log.warning("placement_waits", code=error.code, reason=error.message)
