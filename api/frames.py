"""Frames of stored footage: a limited number of decoders at once, and recent pictures kept in memory.

A picture is looked up only through its segment in the index: once the footage is gone, the picture is too.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from api.services import Services
from archive.errors import Unavailable
from archive.footage.derive import Still, StillMaker
from archive.model.segment import SegmentRef

PATIENCE_S = 5.0

Made = TypeVar("Made")
Key = tuple[str, int, int]
"""SHA-256 of the segment, instant, width."""


class Frames:
    """Makes and keeps stills. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._footage = services.stores.footage
        self._maker = services.stills
        self._decoders = threading.BoundedSemaphore(services.settings.stills)
        self._limit = services.settings.still_cache
        self._guard = threading.Lock()
        self._kept: OrderedDict[Key, Still] = OrderedDict()
        self._bytes = 0

    def still(self, ref: SegmentRef, instant: int, width: int) -> Still:
        """The last keyframe of a segment at or before ``instant``.

        Raises:
            Unavailable: ``ffmpeg_missing``; ``busy`` if no decoder becomes free within :data:`PATIENCE_S`.
            NotFound, IntegrityError: as :meth:`archive.footage.derive.StillMaker.keyframe`.
        """
        key = (ref.sha256, instant, width)
        with self._guard:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = self._make(ref, instant, width)
        with self._guard:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made.jpeg)
            while self._bytes > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.jpeg)
        return made

    def _make(self, ref: SegmentRef, instant: int, width: int) -> Still:
        return self.decode(lambda maker: maker.keyframe(ref, self._footage, instant, width=width))

    def decode(self, work: Callable[[StillMaker], Made]) -> Made:
        """Do this work with one of the decoders.

        Raises:
            Unavailable: ``ffmpeg_missing``; ``busy`` if no decoder becomes free within :data:`PATIENCE_S`.
        """
        if self._maker is None:
            raise Unavailable(
                "this process has no FFmpeg to make frames with",
                code="ffmpeg_missing",
                hint="Install FFmpeg 5 or later, or set its path in the settings.",
            )
        if not self._decoders.acquire(timeout=PATIENCE_S):
            raise Unavailable("all decoders are busy", code="busy", hint="Try again in a few seconds.")
        try:
            return work(self._maker)
        finally:
            self._decoders.release()
