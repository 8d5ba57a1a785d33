"""The stays of all cameras as one process sees them: where each stood, from when until when.

A city has some thousands of cameras, so areas and sights are judged in memory over stays, and the index is
then asked by camera and time. So every index gives the same answer, and a camera that moved is judged by
where it stood.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from archive.errors import IntegrityError, Malformed, NotFound
from archive.model.camera import Camera, public_state, to_state
from archive.model.stay import KIND, Stay, stays_of, stays_state
from archive.records.ledger.streams import Entry
from search.index import Index


class KnownCamera(Protocol):
    """A camera of the index's documents, and the number of its ledger entries."""

    @property
    def camera(self) -> Camera:
        """Its newest facts."""
        ...

    @property
    def version(self) -> int:
        """The version of its document."""
        ...


class StayBook:
    """The stays of one index. Thread-safe.

    They are kept by the version of the camera's document: only cameras that changed are read again. Where the
    index has no stays of a version yet, as after an upgrade, they are made of the camera's entries, which
    ``history`` reads from the ledger. If those cannot be read, the last stays known count, or else the
    camera's present place.
    """

    def __init__(self, index: Index, history: Callable[[str], Iterable[Entry]]) -> None:
        self._index = index
        self._history = history
        self._guard = threading.Lock()
        self._known: dict[str, tuple[int, tuple[Stay, ...]]] = {}
        self._has_read_all = False

    def stays(self, cameras: Mapping[str, KnownCamera]) -> Mapping[str, tuple[Stay, ...]]:
        """The stays of these cameras, each the oldest first. Raises as the index and the ledger."""
        with self._guard:
            if not self._has_read_all:
                self._read_all()
            known = self._known
            new = {
                name: self._read(name, one)
                for name, one in cameras.items()
                if name not in known or known[name][0] < one.version
            }
            if new:
                self._known = known = {**known, **new}
            return {name: known[name][1] for name in cameras}

    def _read_all(self) -> None:
        for document in self._index.documents(KIND):
            self._known[document.id] = document.version, stays_of(document.id, document.state)
        self._has_read_all = True

    def _read(self, name: str, one: KnownCamera) -> tuple[int, tuple[Stay, ...]]:
        if one.version == 1:
            return 1, _as_now(one.camera)
        document = self._index.document(KIND, name)
        if document is not None and document.version >= one.version:
            return document.version, stays_of(name, document.state)
        try:
            entries = [(entry.at, entry.state) for entry in self._history(name)]
            return one.version, stays_of(name, stays_state(entries))
        except (IntegrityError, Malformed, NotFound):
            # archive check names the damaged entry; the camera must not be missing from every search.
            last = stays_of(name, document.state) if document is not None else _as_now(one.camera)
            return one.version, last


def _as_now(camera: Camera) -> tuple[Stay, ...]:
    """One stay at the camera's present place: exact for a camera that was never changed."""
    return stays_of(camera.id, stays_state([(camera.registered_at, public_state(to_state(camera)))]))
