"""Reading stored objects in worker processes, if there are many of them."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from archive.errors import Unavailable

RawObject = tuple[str, bytes]
"""Key and bytes of an object."""

Chunk = Sequence[RawObject]
"""Objects that are read together."""

Found = TypeVar("Found")

_LOOK_S = 5.0
"""How long a result is awaited before the pool is asked whether it still works."""
WORTH = 6 << 20
"""Bytes after which workers are started: reading fewer takes less time than starting a process."""


def in_workers(
    chunks: Iterable[Chunk],
    here: Callable[[Chunk], Found],
    there: Callable[[Chunk], tuple[Callable[..., bytes], Sequence[Any]]],
    unpack: Callable[[bytes], Found],
    *,
    worth: int = WORTH,
) -> Generator[Found, None, None]:
    """Read chunks one by one; the results come in the order of the chunks. Close the iterator to end workers.

    This process reads the first ``worth`` bytes with ``here``. For a later chunk ``there`` gives a function
    of a module and its arguments; a worker calls it, and ``unpack`` reads what it returns.

    Raises:
        Unavailable: ``rebuild_worker``: a worker died.
    """
    workers = max(1, (os.cpu_count() or 1) - 1)
    # Not forked: this process has threads. Each worker imports the modules again.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _follow_parent)
    waiting: deque[Future[bytes]] = deque()
    seen = 0
    try:
        for chunk in chunks:
            seen += sum(len(content) for _, content in chunk)
            if seen <= worth:
                yield here(chunk)
                continue
            call, arguments = there(chunk)
            waiting.append(pool.submit(call, *arguments))
            if len(waiting) > workers:
                yield unpack(_result(pool, waiting.popleft()))
        while waiting:
            yield unpack(_result(pool, waiting.popleft()))
    except BrokenProcessPool as error:
        raise Unavailable(
            "a worker process that reads records died",
            code="rebuild_worker",
            hint="Check the free memory of this machine, then run it again.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _result(pool: ProcessPoolExecutor, future: "Future[bytes]") -> bytes:
    """The result of a chunk. Raises BrokenProcessPool if a worker died.

    A pool that breaks fails the chunks it knows without taking its lock (CPython 3.11). A chunk that is
    submitted in that moment never fails and never ends; the next submission is refused.
    """
    while True:
        try:
            return future.result(_LOOK_S)
        except TimeoutError:
            if future.done():
                raise
            pool.submit(_nothing)


def _nothing() -> None:
    """Work for a pool that is asked whether it still works."""


def _follow_parent() -> None:
    """End this worker when its parent is killed: otherwise it would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
