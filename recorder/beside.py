"""Work beside the recording: tests of connections, cameras' clocks and memories, their smaller streams.

None of it may end the recording. Where it fails with an error that it does not know, a person is told, and it
begins again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from archive.model.camera import Camera
from recorder.archiver import Log

_AT_ONCE = 4
AGAIN = 60.0
"""Seconds until work that failed begins again."""


async def beside(
    what: str, work: Callable[[], Coroutine[object, object, None]], log: Log, *, pause: float = AGAIN
) -> None:
    """Do ``work``, and begin it again ``pause`` seconds after it failed; ends when it ends or is cancelled.

    The log gets the kind of the error and where it came from, not its words: they may hold an address with a
    password.
    """
    while True:
        task = asyncio.create_task(work())
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        failure = task.exception()
        if failure is None:
            return
        log.error("side_work_failed", what=what, error=type(failure).__name__, at=_place(failure))
        await asyncio.sleep(pause)


async def ask_in_turn(
    due: Callable[[], Sequence[Camera]], ask: Callable[[Camera], Awaitable[None]], *, every: float
) -> None:
    """Ask the cameras that are due, four at once, until cancelled; look for them each ``every`` seconds."""
    while True:
        cameras = due()
        for start in range(0, len(cameras), _AT_ONCE):
            await asyncio.gather(*(ask(camera) for camera in cameras[start : start + _AT_ONCE]))
        await asyncio.sleep(every)


def _place(failure: BaseException) -> str:
    """The last line of ours that it passed: ``module:line``."""
    found, trace = "", failure.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        found = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
