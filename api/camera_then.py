"""Cameras as they were registered when their footage was recorded, for the names of downloads."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from archive.errors import IntegrityError, Malformed, NotFound
from archive.model.camera import Camera, from_state
from archive.records.ledger.streams import Entry

MOST = 2000
"""Cameras whose entries one process keeps."""


class CameraHistories:
    """The entries of cameras, kept by the version of the camera's document. Thread-safe.

    ``history`` reads them from the ledger: once for each version, because entries never change.
    """

    def __init__(self, history: Callable[[str], Iterable[Entry]]) -> None:
        self._history = history
        self._guard = threading.Lock()
        self._known: OrderedDict[str, tuple[int, tuple[tuple[int, Camera], ...]]] = OrderedDict()

    def then(self, newest: Camera, version: int, instant: int) -> Camera:
        """A camera as it was registered at ``instant``; its first entry for an earlier instant.

        ``newest`` are its present facts, of which ``version`` is the number (0: not known); they are the
        answer where the entries cannot be read. Raises Unavailable as the ledger.
        """
        if version == 1:
            return newest
        found = newest
        for number, (at, camera) in enumerate(self._entries(newest.id, version)):
            if number and at > instant:
                break
            found = camera
        return found

    def _entries(self, name: str, version: int) -> tuple[tuple[int, Camera], ...]:
        with self._guard:
            known = self._known.get(name)
            if known is not None and known[0] >= version > 0:
                self._known.move_to_end(name)
                return known[1]
        try:
            read = tuple((entry.at, from_state(entry.state)) for entry in self._history(name))
        except (IntegrityError, Malformed, NotFound):
            # archive check names the damaged entry; footage must not be out of reach for want of a name.
            return ()
        with self._guard:
            self._known[name] = (version, read)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return read
