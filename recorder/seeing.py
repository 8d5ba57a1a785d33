"""Which pictures a camera sends: its own H.264 or H.265, which are copied, or JPEG, which are encoded.

Nobody is asked beforehand: every camera is first taken for one whose pictures are copied. FFmpeg's first file
then says what they are, and of which size, and within a second the attempt is begun again. That is remembered
as long as the connection is sound. A camera set to another codec or another size meanwhile ends the attempt,
so after one that its being away does not explain it is taken for an ordinary one again.
"""

from dataclasses import dataclass

from archive.model.gap import RunEnd
from recorder.archiver import Log
from recorder.sources import Source

MJPEG = "mjpeg"
Size = tuple[int, int]
"""Width and height of a picture."""
_DOUBTFUL = (RunEnd.NO_KEYFRAME, RunEnd.STREAM_ERROR, RunEnd.STALLED)


@dataclass(slots=True)
class Seeing:
    """What one camera's pictures are, from one connection to the next."""

    log: Log
    _url: str = ""
    _known: Size | None = None
    _told: Size | None = None

    def jpeg(self, source: Source) -> Size | None:
        """The size of JPEG pictures, which are encoded; None for pictures to copy."""
        if source.url != self._url:
            self._url, self._known, self._told = source.url, None, None
        return self._known

    def sends_jpeg(self, camera: str, size: Size) -> None:
        """The camera was found to send JPEG pictures. Said once, and again if their size changes."""
        if size != self._told:
            width, height = size
            self.log.warning("pictures_encoded", camera=camera, codec=MJPEG, width=width, height=height)
        self._known = self._told = size

    def ended(self, cause: RunEnd) -> None:
        """An attempt ended: such JPEG pictures may not be what the camera sends now."""
        if cause in _DOUBTFUL:
            self._known = None
