"""Viewing copies for players: a limited number of transcoders at once, and nothing kept."""

import threading
import time

from api.services import Services
from archive.attended import step
from archive.errors import Unavailable
from archive.footage.viewing_copy import ViewingCopy
from archive.model.segment import SegmentRef

PATIENCE_S = 10.0
_LOOK_S = 0.2


class ViewingCopies:
    """Makes viewing copies. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._footage = services.stores.footage
        self._maker = services.copies
        self._transcoders = threading.BoundedSemaphore(services.settings.copies)

    def copy(self, ref: SegmentRef) -> ViewingCopy:
        """The viewing copy of a segment.

        Raises:
            Abandoned: ``client_left``: nobody waits for it any more.
            Unavailable: ``ffmpeg_missing``; ``busy`` if no transcoder becomes free within :data:`PATIENCE_S`.
            NotFound, IntegrityError: as :meth:`archive.footage.viewing_copy.CopyMaker.copy`.
        """
        if self._maker is None:
            raise Unavailable(
                "this process has no FFmpeg to make viewing copies with",
                code="ffmpeg_missing",
                hint="Install FFmpeg 5.1 or later, or set its path in the settings.",
            )
        self._wait()
        try:
            return self._maker.copy(ref, self._footage)
        finally:
            self._transcoders.release()

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self._transcoders.acquire(timeout=_LOOK_S):
            step()
            if time.monotonic() >= until:
                raise Unavailable("all transcoders are busy", code="busy", hint="Try again in a few seconds.")
