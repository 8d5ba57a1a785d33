"""Tells JPEG pictures (Motion JPEG) in a file that FFmpeg is writing. Segments do not hold them."""

import struct
from pathlib import Path

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box, bad_segment, boxes, child, whole_box_at
from archive.footage.mp4.sound import decoder_of
from archive.footage.mp4.track import VISUAL_ENTRY

_BEGINNING = 64 << 10
_ENTRIES = (b"jpeg", b"mjpg")
_SIZE, _SIZE_AT = struct.Struct(">HH"), 24
"""Width and height in a VisualSampleEntry (ISO/IEC 14496-12)."""
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


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of the file's pictures; None while it is absent, or too short to tell."""
    try:
        with path.open("rb", buffering=0) as opened:
            data = opened.read(_BEGINNING)
        entry = _entry(data)
    except (OSError, Malformed):
        return None
    if entry is None or entry.end - entry.body < VISUAL_ENTRY:
        return None
    width, height = _SIZE.unpack_from(data, entry.body + _SIZE_AT)
    return width, height


def _is_jpeg(data: bytes) -> bool | None:
    entry = _entry(data)
    if entry is None:
        return None
    if entry.kind != b"mp4v":
        return entry.kind in _ENTRIES
    inside = boxes(data, entry.body + VISUAL_ENTRY, entry.end, "mp4v")
    stated = (data[one.body : one.end] for one in inside if one.kind == b"esds")
    return decoder_of(next(stated, b""))[:1] == _JPEG


def _entry(data: bytes) -> Box | None:
    """The first sample entry; None before the description is whole."""
    at = 0
    while (found := whole_box_at(data, at, len(data))) is not None:
        if found.kind == b"moov":
            stsd = child(data, found, b"trak", b"mdia", b"minf", b"stbl", b"stsd")
            entry = next(boxes(data, stsd.body + 8, stsd.end, "stsd"), None)
            if entry is None:
                raise bad_segment("stsd is empty")
            return entry
        at = found.end
    return None
