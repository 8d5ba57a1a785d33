"""The rhythm of one of many recorders: it stays among the others, and follows who records what."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

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


async def take_leave(desk: PlacementDesk, patience: float, log: Log) -> None:
    """Let others take over, and wait for their servers no longer than ``patience`` seconds.

    In a thread of its own, which nothing waits for at the end of the process. If the servers do not answer in
    time, others take over once the last beat is old.
    """
    loop, has_left = asyncio.get_running_loop(), asyncio.Event()

    def leave() -> None:
        desk.leave()
        with suppress(RuntimeError):  # the loop may be over by now
            loop.call_soon_threadsafe(has_left.set)

    threading.Thread(target=leave, name="leave", daemon=True).start()
    try:
        async with asyncio.timeout(patience):
            await has_left.wait()
    except TimeoutError:
        log.warning("place_not_left", waited=patience)


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
