"""Every registered camera as one API process sees them: the index's documents, at most a moment old.

A search by place and a list ask for all cameras there are; to fetch and read every document each time took
a third of a search's time (100 cameras, measured). One camera that is named to be played or changed is looked
up by itself, and where it stood when it was recorded is the ledger's to say: nothing is let through by this.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from archive.clock import Clock
from archive.errors import ArchiveError, Unavailable
from archive.footage.cameras import from_public_state
from archive.model.camera import Camera
from archive.timespan import SECOND
from search.index import Index


@dataclass(frozen=True, slots=True)
class Registered:
    """A camera without its sealed source, and how many entries the ledger has of it."""

    camera: Camera
    version: int

    @property
    def is_unmoved(self) -> bool:
        """Whether it never stood anywhere else: as far as the index knows it was never changed at all."""
        return self.version == 1


class CameraDirectory:
    """The cameras of one index. Thread-safe.

    What is older than ``max_age`` (µs) is read anew before an answer. What this process changed is seen at
    once where it says so with :meth:`changed`.
    """

    def __init__(self, index: Index, clock: Clock, *, max_age: int = SECOND) -> None:
        self._index = index
        self._clock = clock
        self._max_age = max_age
        self._guard = threading.Lock()
        self._read_at: int | None = None
        self._known: Mapping[str, Registered] = {}
        self._reading: Future[Mapping[str, Registered]] | None = None

    def cameras(self) -> Mapping[str, Registered]:
        """All cameras, by id and in the order of ids. Raises as the index.

        Of many at once one asks, and what comes of it, an error too, is for all of them.
        """
        with self._guard:
            now = self._clock.monotonic()
            if self._read_at is not None and now - self._read_at < self._max_age:
                return self._known
            reading = self._reading
            if reading is None:
                mine = self._reading = Future[Mapping[str, Registered]]()
        return self._read(mine, now) if reading is None else reading.result()

    def changed(self) -> None:
        """A camera was added or changed: read anew before the next answer."""
        with self._guard:
            self._read_at = None
            self._reading = None  # one that is going on may have been too early

    def _read(self, reading: "Future[Mapping[str, Registered]]", began: int) -> Mapping[str, Registered]:
        found: Mapping[str, Registered] | None = None
        failure: ArchiveError = Unavailable("the cameras could not be read", code="index_unavailable")
        try:
            found = self._ask()
        except ArchiveError as error:
            failure = error
            raise
        finally:
            with self._guard:
                if self._reading is reading:
                    self._reading = None
                    if found is not None:
                        self._known, self._read_at = found, began
            # Also where something unforeseen came of it: nobody may wait for ever.
            reading.set_result(found) if found is not None else reading.set_exception(failure)
        return found

    def _ask(self) -> dict[str, Registered]:
        found: dict[str, Registered] = {}
        for document in self._index.documents("camera"):
            known = self._known.get(document.id)
            if known is None or known.version != document.version:
                known = Registered(from_public_state(document.state), document.version)
            found[document.id] = known
        return found
