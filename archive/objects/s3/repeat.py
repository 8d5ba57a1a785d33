"""Repeats requests that are safe to repeat."""

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from archive.errors import StoreFull, Unavailable

Answer = TypeVar("Answer")

ATTEMPTS = 4
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0
_HOPELESS = frozenset({"bucket_missing", "store_clock_skewed", "store_timeout"})


def waits(attempts: int = ATTEMPTS) -> Iterator[float]:
    """Seconds to wait before each further attempt: doubling, with jitter so that clients spread out."""
    longest = _FIRST_WAIT
    for _ in range(attempts - 1):
        yield longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreading load, not a secret
        longest = min(2 * longest, _LONGEST_WAIT)


def worthwhile(error: Unavailable) -> bool:
    """Whether an immediate retry may help: not for a full store, nor for one that hung until a time-out."""
    return not isinstance(error, StoreFull) and error.code not in _HOPELESS


def repeated(ask: Callable[[], Answer]) -> Answer:
    """The answer of ``ask``, which is tried up to four times while the store is unavailable."""
    for wait in waits():
        try:
            return ask()
        except Unavailable as error:
            if not worthwhile(error):
                raise
        time.sleep(wait)
    return ask()
