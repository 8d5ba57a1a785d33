"""The clock is a parameter.

Nothing in the five packages reads the system clock except :class:`SystemClock`, which ``ops.wiring``
makes once and passes on. Elapsed time always comes from ``monotonic``; ``now`` may step.
"""

import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Wall time and elapsed time, both in integer microseconds."""

    def now(self) -> int:
        """UTC wall time, microseconds since 1970-01-01T00:00:00Z."""
        ...

    def monotonic(self) -> int:
        """Elapsed time from an arbitrary start (CLOCK_MONOTONIC), microseconds; never steps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        """UTC wall time, microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC in microseconds."""
        return time.monotonic_ns() // 1000


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only on command: for tests and simulations."""

    wall: int
    elapsed: int = field(default=0)

    def now(self) -> int:
        """The wall time it was set to."""
        return self.wall

    def monotonic(self) -> int:
        """The sum of all :meth:`advance` calls."""
        return self.elapsed

    def advance(self, microseconds: int) -> None:
        """Let time pass on both clocks."""
        self.wall += microseconds
        self.elapsed += microseconds

    def step(self, microseconds: int) -> None:
        """Step the wall clock alone, as NTP or an operator does."""
        self.wall += microseconds
