"""Work on items in order, with a bounded number begun before their turn.

A store behind a network answers slowly: the next answers are on their way while a caller uses one.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

AHEAD = 4
"""Items that are begun while the caller waits for one."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_order(
    work: Callable[[Item], Answer], items: Iterable[Item], pool: Executor | None, *, ahead: int = AHEAD
) -> Generator[Answer, None, None]:
    """``map`` in the pool's threads with at most ``ahead`` items begun; without a pool, in this thread.

    Closing the iterator cancels the items that have not begun.
    """
    if pool is None:
        yield from map(work, items)
        return
    begun: deque[Future[Answer]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()
