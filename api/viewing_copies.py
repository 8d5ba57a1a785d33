"""Viewing copies for players: a limited number of transcoders at once, and nothing kept."""

from api.limits.programs import Program, Programs, place_for
from api.services import Services
from archive.errors import Unavailable
from archive.footage.viewing_copy import ViewingCopy
from archive.model.segment import SegmentRef

PATIENCE_S = 10.0


class ViewingCopies:
    """Makes viewing copies. Thread-safe."""

    def __init__(self, services: Services, programs: Programs) -> None:
        self._footage = services.stores.footage
        self._maker = services.copies
        self._programs = programs

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
        with place_for(self._programs, Program.COPY, PATIENCE_S):
            return self._maker.copy(ref, self._footage)
