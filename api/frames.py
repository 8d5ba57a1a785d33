"""Frames of stored footage: a limited number of decoders at once, and recent pictures kept in memory.

A picture is looked up only through its segment in the index: once the footage is gone, the picture is too.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from api.limits.programs import Program, Programs, place_for
from api.services import Services
from archive.errors import Unavailable
from archive.footage.derive import Form, Frame, StillMaker
from archive.model.segment import SegmentRef

PATIENCE_S = 5.0

Made = TypeVar("Made")


class Picture(StrEnum):
    """Which frame is wanted of an instant: the one on screen then, or the last keyframe, which costs less."""

    EXACT = "exact"
    KEYFRAME = "keyframe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of an instant: which picture, as what, and the width in pixels at most."""

    picture: Picture
    form: Form
    width: int


Key = tuple[str, int, Wanted]
"""SHA-256 of the segment, instant, what was wanted of it."""


class Frames:
    """Makes and keeps stills. Thread-safe."""

    def __init__(self, services: Services, programs: Programs) -> None:
        self._footage = services.stores.footage
        self._maker = services.stills
        self._programs = programs
        self._limit = services.settings.still_cache
        self._guard = threading.Lock()
        self._kept: OrderedDict[Key, Frame] = OrderedDict()
        self._bytes = 0

    def keyframe(self, ref: SegmentRef, instant: int, *, width: int) -> Frame:
        """The last keyframe of a segment at or before ``instant``, as JPEG.

        Raises:
            Unavailable: ``ffmpeg_missing``; ``busy`` if no decoder becomes free within :data:`PATIENCE_S`.
            NotFound, IntegrityError: as :meth:`archive.footage.derive.StillMaker.keyframe`.
        """

        def make(maker: StillMaker) -> Frame:
            still = maker.keyframe(ref, self._footage, instant, width=width)
            return Frame(still.jpeg, Form.JPEG, still.instant)

        wanted = Wanted(picture=Picture.KEYFRAME, form=Form.JPEG, width=width)
        return self._once((ref.sha256, instant, wanted), make)

    def exact(self, refs: Sequence[SegmentRef], instant: int, *, width: int, form: Form) -> Frame:
        """The frame that is on screen at ``instant``, which the last of ``refs`` covers.

        Raises:
            Unavailable: as :meth:`keyframe`.
            NotFound, IntegrityError: as :meth:`archive.footage.derive.StillMaker.exact`.
        """

        def make(maker: StillMaker) -> Frame:
            return maker.exact(refs, self._footage, instant, width=width, form=form)

        wanted = Wanted(picture=Picture.EXACT, form=form, width=width)
        return self._once((refs[-1].sha256, instant, wanted), make)

    def _once(self, key: Key, make: Callable[[StillMaker], Frame]) -> Frame:
        with self._guard:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = self.decode(make)
        with self._guard:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made.content)
            while self._bytes > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.content)
        return made

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
        with place_for(self._programs, Program.STILL, PATIENCE_S):
            return work(self._maker)
