"""Sample entries in clips and playlists.

H.265 is recorded as ``hev1`` and shown as ``hvc1`` (ISO/IEC 14496-15, 8.4.1): Apple's players accept
nothing else. ``hvc1`` requires the parameter sets in ``hvcC``, each kind marked complete. If the recorder
did not put them there, the entry stays ``hev1``, which is correct. Sample bytes are never touched.
"""

import struct

from archive.footage.mp4.boxes import Box, box_name, boxes, child

_HEVC_PARAMETER_SETS = {32, 33, 34}
_VISUAL_ENTRY = 78  # bytes of a VisualSampleEntry's body before its boxes
_HVCC_FIXED = 22  # bytes of hvcC before numOfArrays
_COMPLETE = 0x80
_SHAPE_BYTES = 44  # matrix, width and height end a tkhd


def shown_entry(entry: bytes) -> bytes:
    """The sample entry of a segment, relabelled for playback; always of the same length."""
    if entry[4:8] != b"hev1":
        return entry
    found = _configuration(entry)
    if found is None:
        return entry
    marked = bytearray(entry)
    kinds = set()
    for at in _arrays(entry, found):
        kind = entry[at] & 0x3F
        if kind in _HEVC_PARAMETER_SETS:
            kinds.add(kind)
            marked[at] |= _COMPLETE
    if kinds != _HEVC_PARAMETER_SETS:
        return entry
    marked[4:8] = b"hvc1"
    return bytes(marked)


def shown_init(init: bytes, entry: bytes) -> bytes:
    """The ``ftyp`` and ``moov`` of a segment with its sample entry relabelled; of the same length."""
    return init.replace(entry, shown_entry(entry), 1)


def track_shape(init: bytes) -> bytes:
    """The end of ``tkhd``: matrix, width and height, so that a turned camera stays turned."""
    whole = Box(b"file", 0, 0, len(init))
    tkhd = child(init, whole, b"moov", b"trak", b"tkhd")
    return init[tkhd.end - _SHAPE_BYTES : tkhd.end]


def _configuration(entry: bytes) -> Box | None:
    for found in boxes(entry, 8 + _VISUAL_ENTRY, len(entry), box_name(entry[4:8])):
        if found.kind == b"hvcC":
            return found
    return None


def _arrays(entry: bytes, hvcc: Box) -> list[int]:
    """Where each array of NAL units begins; only arrays that lie wholly inside ``hvcC`` and hold a unit."""
    at = hvcc.body + _HVCC_FIXED + 1
    if at > hvcc.end:
        return []
    starts = []
    for _ in range(entry[at - 1]):
        start = at
        if at + 3 > hvcc.end:
            return []
        (units,) = struct.unpack_from(">H", entry, at + 1)
        at += 3
        for _ in range(units):
            if at + 2 > hvcc.end:
                return []
            at += 2 + int.from_bytes(entry[at : at + 2])
        if at > hvcc.end:
            return []
        if units:
            starts.append(start)
    return starts
