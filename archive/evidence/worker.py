"""A worker thread that does its steps in order, beside other workers."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

QUEUE = 4
"""How many steps may wait for one worker. With pieces of 1 MiB, a worker holds 5 MiB at most."""


class Worker:
    """A thread that runs steps one after the other, at most :data:`QUEUE` behind its caller.

    It helps with work that releases the interpreter lock, as hashing does. Use it as a context manager. A
    step's exception is raised by a later :meth:`do` or by :meth:`settle`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[object]] = deque()

    def do(self, step: Callable[..., object], *arguments: object) -> None:
        """Queue a step after those given before."""
        while len(self._waiting) >= QUEUE:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(step, *arguments))

    def settle(self) -> None:
        """Wait until everything given so far is done."""
        while self._waiting:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._thread.shutdown()
