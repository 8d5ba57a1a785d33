"""Waiting for a state, never for a while: look until it is so, and say what was waited for if it never is."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE_S = 120.0
"""How long a state may take where nothing else is said: far beyond what a busy machine needs."""
_LONGEST_PAUSE_S, _SHARE = 0.1, 20


def _pause(every: float, began: float) -> float:
    """Seconds until the next look: a twentieth of the wait so far, so that a long wait is not all looking."""
    return max(every, min(_LONGEST_PAUSE_S, (time.monotonic() - began) / _SHARE))


def until(look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_S, every: float = 0.02) -> Found:
    """What ``look`` gives once it is true; an ``AssertionError`` that names ``what`` after ``seconds``."""
    began = time.monotonic()
    deadline = began + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(_pause(every, began))
    return found


async def until_async(
    look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_S, every: float = 0.02
) -> Found:
    """As :func:`until`, while the event loop goes on."""
    began = time.monotonic()
    deadline = began + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        await asyncio.sleep(_pause(every, began))
    return found
