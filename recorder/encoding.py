"""How FFmpeg turns JPEG pictures (Motion JPEG) into H.264, which segments hold.

Each picture that came is encoded once, at its own time: none is doubled, none is left out. The encoder looks
at no later picture (``zerolatency``), so that a picture waits for nothing; a keyframe comes with the first
picture that is 2 s or more away from the last one. The decoder is named: pictures of another codec are never
encoded anew. Sides of odd length are made even with one black row or column, as 4:2:0 needs it.

Over RTSP the camera gives each picture's time. Over HTTP nobody does: there a picture has the time at which
it had arrived and been decoded (``RTCTIME``).
"""

import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archive.errors import Malformed
from archive.model.segment import TIMESCALE
from recorder.binary import Binary
from recorder.sources import SourceKind

DECODED: Mapping[str, Any] = MappingProxyType({"c:v": "mjpeg", "threads": 1})
"""Options of the input. One thread decodes: several would hold back as many pictures."""
_SECONDS = 20
_BY_ARRIVAL = f"settb=1/{TIMESCALE},setpts=(RTCTIME-RTCSTART)/(TB*1000000),"
_EVEN = "scale=out_range=tv,format=yuv420p,pad=ceil(iw/2)*2:ceil(ih/2)*2"
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


def is_by_arrival(kind: SourceKind) -> bool:
    """Whether JPEG pictures from such a source have no time but that of their arrival."""
    return kind is not SourceKind.RTSP


def encoded(binary: Binary, kind: SourceKind) -> dict[str, Any]:
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
    times = _BY_ARRIVAL if is_by_arrival(kind) else ""
    return {**_ENCODED, passing: "passthrough", "vf": times + _EVEN}


@lru_cache(maxsize=4)
def _has_encoder(path: Path) -> bool:
    told = subprocess.run(
        [path, "-hide_banner", "-h", "encoder=libx264"],
        capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    return "Encoder libx264" in told.stdout
