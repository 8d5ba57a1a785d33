"""A limit on how many streams of footage one process sends at once."""

import threading
from typing import Protocol

from archive.errors import Unavailable


class Slots(Protocol):
    """Slots for streams, of one process or of several together. Thread-safe."""

    def take(self) -> None:
        """Take a slot. Raises Unavailable ``busy`` if all are taken."""
        ...

    def give_back(self) -> None:
        """Give a slot back."""
        ...

    def __enter__(self) -> None:
        """Take a slot for the block."""
        ...

    def __exit__(self, *problem: object) -> None:
        """Give the slot back."""
        ...

    @property
    def taken(self) -> int:
        """How many slots are taken."""
        ...


class StreamSlots:
    """A fixed number of slots. Taking one never waits: if all are taken, the caller is asked to retry."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._taken = 0
        self._guard = threading.Lock()

    def take(self) -> None:
        """Take a slot. Raises Unavailable ``busy`` if all are taken."""
        with self._guard:
            if self._taken >= self._slots:
                raise all_taken(self._slots)
            self._taken += 1

    def give_back(self) -> None:
        """Give a slot back."""
        with self._guard:
            self._taken -= 1

    def __enter__(self) -> None:
        """Take a slot for the block."""
        self.take()

    def __exit__(self, *problem: object) -> None:
        """Give the slot back."""
        self.give_back()

    @property
    def taken(self) -> int:
        """How many slots are taken."""
        return self._taken


def all_taken(slots: int) -> Unavailable:
    """The refusal while all slots are taken."""
    return Unavailable(
        f"all {slots} streams are taken",
        code="busy",
        hint="Other clients are being served; try again in a few seconds.",
    )
