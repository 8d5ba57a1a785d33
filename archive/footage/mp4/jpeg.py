"""Tells JPEG pictures (Motion JPEG) in a file that FFmpeg is writing. Segments do not hold them."""

from pathlib import Path

from archive.errors import Malformed
from archive.footage.mp4.boxes import boxes, child, whole_box_at
from archive.footage.mp4.sound import decoder_of
from archive.footage.mp4.track import VISUAL_ENTRY

_BEGINNING = 64 << 10
_ENTRIES = (b"jpeg", b"mjpg")
_JPEG = b"\x6c"
"""The object type of JPEG pictures (ISO/IEC 14496-1)."""


def holds_jpeg(path: Path) -> bool | None:
    """Whether the file's pictures are JPEG; None while it is absent, or too short to tell.

    Reads the description at the file's beginning, never footage.
    """
    try:
        with path.open("rb", buffering=0) as opened:
            data = opened.read(_BEGINNING)
        return _is_jpeg(data)
    except OSError:
        return None
    except Malformed:
        return False  # finalising will say what is wrong with it


def _is_jpeg(data: bytes) -> bool | None:
    at = 0
    while (found := whole_box_at(data, at, len(data))) is not None:
        if found.kind == b"moov":
            stsd = child(data, found, b"trak", b"mdia", b"minf", b"stbl", b"stsd")
            entry = next(boxes(data, stsd.body + 8, stsd.end, "stsd"), None)
            if entry is None:
                return False
            if entry.kind != b"mp4v":
                return entry.kind in _ENTRIES
            inside = boxes(data, entry.body + VISUAL_ENTRY, entry.end, "mp4v")
            stated = (data[one.body : one.end] for one in inside if one.kind == b"esds")
            return decoder_of(next(stated, b""))[:1] == _JPEG
        at = found.end
    return None
