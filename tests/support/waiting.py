"""Waiting for a state, never for a while: look until it is so, and say what was waited for if it never is."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE_S = 120.0
"""How long a state may take where nothing else is said: far beyond what a busy machine needs."""


def until(look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_S, every: float = 0.02) -> Found:
    """What ``look`` gives once it is true; an ``AssertionError`` that names ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(every)
    return found


async def until_async(
    look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_S, every: float = 0.02
) -> Found:
    """As :func:`until`, while the event loop goes on."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        await asyncio.sleep(every)
    return found
