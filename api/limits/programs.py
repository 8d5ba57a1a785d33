"""How many FFmpeg processes run at once, by kind: of one process, or of the workers that share a host.

A bound that each worker had for itself would be as many times as large as there are workers, and all of them
share the processors and the memory.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol

from archive.attended import step
from archive.errors import Unavailable

_LOOK_S = 0.02
"""Between two looks for a free place; the parent answers one in a tenth of a millisecond."""


class Program(StrEnum):
    """What an FFmpeg makes: a frame or contact sheet, a viewing copy, or thumbnails and activity."""

    STILL = "still"
    COPY = "copy"
    SKIM = "skim"


class Programs(Protocol):
    """The places for FFmpeg processes. Thread-safe; no method waits."""

    def take(self, kind: Program) -> bool:
        """Take a place, if one is free. Raises Unavailable ``busy`` without a parent."""
        ...

    def give_back(self, kind: Program) -> None:
        """Give a place back."""
        ...


class ProgramPlaces:
    """Places in memory. ``worker`` tells apart processes that share them."""

    def __init__(self, limits: Mapping[Program, int]) -> None:
        self._limits = limits
        self._taken: dict[Program, Counter[int]] = {kind: Counter() for kind in Program}
        self._guard = threading.Lock()

    def take(self, kind: Program, *, worker: int = 0) -> bool:
        """As :class:`Programs`."""
        with self._guard:
            taken = self._taken[kind]
            if taken.total() >= self._limits[kind]:
                return False
            taken[worker] += 1
            return True

    def give_back(self, kind: Program, *, worker: int = 0) -> None:
        """As :class:`Programs`."""
        with self._guard:
            self._taken[kind][worker] -= 1

    def gone(self, worker: int) -> None:
        """A worker died, and its FFmpeg processes with it: its places are free."""
        with self._guard:
            for taken in self._taken.values():
                taken.pop(worker, None)


def places_of(*, stills: int, skims: int, copies: int) -> Mapping[Program, int]:
    """How many of each kind run at once on a host."""
    return {Program.STILL: stills, Program.SKIM: skims, Program.COPY: copies}


def transcoders() -> int:
    """Half of the processors that this process may use, at least one: each transcoder keeps one busy."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def await_place(programs: Programs, kind: Program, patience_s: float) -> bool:
    """Take a place; one is waited for as long as somebody waits for the answer. False: none became free.

    Raises:
        Abandoned: ``client_left``.
        Unavailable: ``busy`` without a parent.
    """
    until = time.monotonic() + patience_s
    while not programs.take(kind):
        step()
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_S)
    return True


@contextmanager
def place_for(programs: Programs, kind: Program, patience_s: float) -> Iterator[None]:
    """A place for the block.

    Raises:
        Abandoned, Unavailable: as :func:`await_place`; ``busy`` if none becomes free.
    """
    if not await_place(programs, kind, patience_s):
        raise Unavailable("all decoders are busy", code="busy", hint="Try again in a few seconds.")
    try:
        yield
    finally:
        programs.give_back(kind)
