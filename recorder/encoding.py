"""How FFmpeg turns JPEG pictures (Motion JPEG) into H.264, which segments hold.

Each picture that came is encoded once, at its own time: none is doubled, none is left out. The encoder looks
at no later picture (``zerolatency``), so that a picture waits for nothing; a keyframe comes with the first
picture that is 2 s or more away from the last one. The decoder is named: pictures of another codec are never
encoded anew. Sides of odd length are made even with one black row or column, as 4:2:0 needs it.

Over RTSP the camera gives each picture's time. Over HTTP nobody does: there a picture has the time at which
it had arrived and been decoded (``RTCTIME``), from the beginning of the connection. FFmpeg's own beginning
(``RTCSTART``) is of no use: it makes its filters anew when the form of the pictures changes, and begins at 0.

An encoder has one size. FFmpeg would scale pictures of another one to it, and nobody could tell. So pictures
of another size than was seen at first end the FFmpeg: ``pad`` refuses to make a picture smaller.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archive.errors import Malformed
from archive.model.segment import TIMESCALE
from recorder.binary import Binary
from recorder.sources import SourceKind

DECODED: Mapping[str, Any] = MappingProxyType({
    "c:v": "mjpeg", "threads": 1, "noautorotate": None, "max_pixels": 139_264 << 8,
})  # fmt: skip
"""Options of the input. One thread decodes: several would hold back as many pictures. None is turned.

None is larger than H.264 has room for (level 6.2), which is 8192 x 4352: a pixel takes 20 bytes of memory,
so one camera could take all that its host has.
"""
_SECONDS = 20
_FORM = "scale=out_range=tv,format=yuv420p"
_ENCODED: Mapping[str, Any] = MappingProxyType({
    "c:v": "libx264",
    "preset": "veryfast",
    "tune": "zerolatency",
    "crf": 18,
    "bf": 0,
    "g": 250,
    "sc_threshold": 0,
    "threads": 1,
    "force_key_frames": "expr:if(isnan(prev_forced_t),1,gte(abs(t-prev_forced_t),2))",
    "enc_time_base": f"1:{TIMESCALE}",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class JpegPictures:
    """JPEG pictures to encode: their size, and when the connection began (wall time, µs)."""

    width: int
    height: int
    began: int

    def filters(self, kind: SourceKind) -> str:
        """What a picture goes through before it is encoded."""
        times = ""
        if is_by_arrival(kind):
            times = f"settb=1/{TIMESCALE},setpts=(RTCTIME-{self.began})/(TB*1000000),"
        known = rf"eq(iw\,{self.width})*eq(ih\,{self.height})"
        even = rf"pad=if({known}\,{_even(self.width)}\,1):{_even(self.height)}"
        return f"{times}{_FORM},{even}"


def is_by_arrival(kind: SourceKind) -> bool:
    """Whether JPEG pictures from such a source have no time but that of their arrival."""
    return kind is not SourceKind.RTSP


def encoded(binary: Binary, kind: SourceKind, pictures: JpegPictures) -> dict[str, Any]:
    """Options of the output.

    Raises:
        Malformed: ``codec_not_recorded``: this FFmpeg cannot encode H.264.
    """
    if not _has_encoder(binary.path):
        raise Malformed(
            "the pictures are MJPEG, and this machine's FFmpeg has no libx264 to turn them into H.264",
            code="codec_not_recorded",
            hint="Install one that has it (apt-get install ffmpeg), or set the camera's stream to H.264.",
        )
    passing = "vsync" if binary.major == 5 else "fps_mode"  # 5.0 has the one, 6 has both, 9 the other
    return {**_ENCODED, passing: "passthrough", "vf": pictures.filters(kind)}


def _even(side: int) -> int:
    return side + side % 2


@lru_cache(maxsize=4)
def _has_encoder(path: Path) -> bool:
    told = subprocess.run(
        [path, "-hide_banner", "-h", "encoder=libx264"],
        capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    return "Encoder libx264" in told.stdout
