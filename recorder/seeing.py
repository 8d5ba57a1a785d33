"""Which pictures a camera sends: its own H.264 or H.265, which are copied, or JPEG, which are encoded.

Nobody is asked beforehand: every camera is first taken for one whose pictures are copied. FFmpeg's first file
then says what they are, and within a second the attempt is begun again. That is remembered as long as the
recorder runs. A camera set to another codec meanwhile gives nothing to a decoder of JPEG pictures, so it is
taken for an ordinary one again after an attempt without footage that its being away does not explain.
"""

from dataclasses import dataclass

from archive.model.gap import RunEnd
from recorder.archiver import Log
from recorder.sources import Source

MJPEG = "mjpeg"
_DOUBTFUL = (RunEnd.NO_KEYFRAME, RunEnd.STREAM_ERROR, RunEnd.STALLED)


@dataclass(slots=True)
class Seeing:
    """What one camera's pictures are, from one connection to the next."""

    log: Log
    _url: str = ""
    _known: str = ""

    def pictures(self, source: Source) -> str:
        """The codec of pictures to encode; "" for pictures to copy."""
        if source.url != self._url:
            self._url, self._known = source.url, ""
        return self._known

    def sends_jpeg(self, camera: str) -> None:
        """The camera was found to send JPEG pictures."""
        self._known = MJPEG
        self.log.warning("pictures_encoded", camera=camera, codec=MJPEG)

    def gave_nothing(self, cause: RunEnd) -> None:
        """An attempt ended without footage: JPEG pictures may not be what the camera sends now."""
        if cause in _DOUBTFUL:
            self._known = ""
