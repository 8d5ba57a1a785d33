"""A bound on how many streams of footage leave one process at once."""

import threading

from archive.errors import Unavailable


class StreamSlots:
    """A fixed number of slots. Taking one never waits: a caller who finds none is told to come back."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._taken = 0
        self._guard = threading.Lock()

    def take(self) -> None:
        """Take a slot. Raises Unavailable ``busy`` where all are taken."""
        with self._guard:
            if self._taken >= self._slots:
                raise Unavailable(
                    f"all {self._slots} streams are taken",
                    code="busy",
                    hint="Others are being served; try again in some seconds.",
                )
            self._taken += 1

    def give_back(self) -> None:
        """Give a slot back."""
        with self._guard:
            self._taken -= 1

    def __enter__(self) -> None:
        """Take a slot for the block."""
        self.take()

    def __exit__(self, *problem: object) -> None:
        """Give it back."""
        self.give_back()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken
