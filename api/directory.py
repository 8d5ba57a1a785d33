"""All registered cameras as one API process sees them: the index's documents, at most a second old.

Searches by place and lists need all cameras; reading every document each time took a third of a search's time
(100 cameras, measured). Whether one of them was put since they were read is asked every second, and only then
are they read again: for 2,000 cameras that is half a megabyte from Elasticsearch. A single camera that is
played or changed is looked up afresh, and its place at the time of recording is read from the ledger: no
permission depends on this directory.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from archive.clock import Clock
from archive.errors import ArchiveError, Unavailable
from archive.model.camera import Camera, from_public_state
from archive.timespan import SECOND
from search.index import Index


@dataclass(frozen=True, slots=True)
class Registered:
    """A camera without its sealed source, and the number of its ledger entries."""

    camera: Camera
    version: int

    @property
    def is_unmoved(self) -> bool:
        """Whether it never stood elsewhere: as far as the index knows, it was never changed at all."""
        return self.version == 1


class Changes(Protocol):
    """Counts changes to cameras, of one process or of several together. Thread-safe."""

    def count(self) -> int:
        """How many changes there were."""
        ...

    def add(self) -> None:
        """Note a change."""
        ...


class OwnChanges:
    """The changes of this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0

    def count(self) -> int:
        """As :class:`Changes`."""
        return self._count

    def add(self) -> None:
        """As :class:`Changes`."""
        with self._guard:
            self._count += 1


class CameraDirectory:
    """The cameras of one index. Thread-safe.

    A list older than ``max_age`` (µs) is read again before an answer. After :meth:`changed` it is read again
    at once, so that this process sees its own changes, and those of workers with the same ``changes``.
    """

    def __init__(
        self, index: Index, clock: Clock, *, max_age: int = SECOND, changes: Changes | None = None
    ) -> None:
        self._changes = changes or OwnChanges()
        self._seen = 0
        self._index = index
        self._clock = clock
        self._max_age = max_age
        self._guard = threading.Lock()
        self._read_at: int | None = None
        self._known: Mapping[str, Registered] = {}
        self._mark: str | None = None
        self._reading: Future[Mapping[str, Registered]] | None = None

    def cameras(self) -> Mapping[str, Registered]:
        """All cameras, by id and in the order of ids. Raises as the index.

        Of concurrent callers only one queries the index; all get its result or error.
        """
        changes = self._changes.count()
        with self._guard:
            now = self._clock.monotonic()
            if changes > self._seen:
                self._seen = changes
                self._read_at = self._reading = None  # a query in progress may have begun before the change
            if self._read_at is not None and now - self._read_at < self._max_age:
                return self._known
            reading = self._reading
            if reading is None:
                mine = self._reading = Future[Mapping[str, Registered]]()
        return self._read(mine, now) if reading is None else reading.result()

    def changed(self) -> None:
        """Note that a camera was added or changed: read the list again before the next answer."""
        self._changes.add()

    def _read(self, reading: "Future[Mapping[str, Registered]]", began: int) -> Mapping[str, Registered]:
        found: Mapping[str, Registered] | None = None
        mark = ""
        failure: ArchiveError = Unavailable("the cameras could not be read", code="index_unavailable")
        try:
            mark, found = self._ask()
        except ArchiveError as error:
            failure = error
            raise
        finally:
            with self._guard:
                if self._reading is reading:
                    self._reading = None
                    if found is not None:
                        self._known, self._mark, self._read_at = found, mark, began
            # Also after an unexpected exception: no caller may wait for ever.
            reading.set_result(found) if found is not None else reading.set_exception(failure)
        return found

    def _ask(self) -> tuple[str, Mapping[str, Registered]]:
        with self._guard:
            known, read = self._known, self._mark
        mark = self._index.documents_mark(
            "camera"
        )  # before the documents: what is put meanwhile is read next
        if mark == read:
            return mark, known
        found: dict[str, Registered] = {}
        for document in self._index.documents("camera"):
            one = known.get(document.id)
            if one is None or one.version != document.version:
                one = Registered(from_public_state(document.state), document.version)
            found[document.id] = one
        return mark, found
