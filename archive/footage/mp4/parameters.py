"""The description of a track that fits its pictures where a camera changed them in the middle of a stream.

FFmpeg describes an RTSP camera once, by what it announces at the start, and copies what comes later. A camera
that changes its picture in the same connection sends new parameter sets (ITU-T H.264, 7.3.2; H.265, 7.3.2)
with the next keyframe, some of them only that once. So the sets that the stream brought last are carried from
segment to segment of a connection, and a segment that needs them is described by them.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archive.footage.mp4.boxes import Box, box, boxes
from archive.footage.mp4.nal import SMALLEST_NAL, nal_type
from archive.footage.mp4.sequence import Picture, picture_set_id, read_sequence
from archive.footage.mp4.track import CONFIGURATIONS, VISUAL_ENTRY, Track
from archive.model.segment import Codec

_KINDS = {"h264": (7, 8), "hevc": (32, 33, 34)}
"""The sets of a description in its order; the last two are those of sequences and of pictures."""
_MOST = {7: 31, 8: 255, 32: 16, 33: 16, 34: 64}
"""How many sets of a kind a description can hold (ISO/IEC 14496-15, 5.3.3.1), or a stream (H.265, 7.4.3)."""
_MOST_BYTES = 0xFFFF
"""All sets together. A real camera's have a hundred bytes; each ticket of a segment holds them."""
_HVCC_ARRAYS = 22
_SIDES = struct.Struct(">HH")
_SHOWN = struct.Struct(">II")

Sets = tuple[bytes, ...]
"""Parameter sets, in the order of a description."""


def described(track: Track) -> Sets:
    """The parameter sets of a track's description; none if it cannot be read."""
    stated = _stated(track)
    body = track.sample_entry[stated.body : stated.end]
    found = _of_avcc(body) if track.codec == "h264" else _of_hvcc(body)
    return _in_order(track.codec, [one.rstrip(b"\0") for one in found])


def in_force(codec: Codec, before: Sets, brought: Sequence[bytes]) -> Sets:
    """The sets after a picture that ``brought`` some: those of a new sequence replace all of their kind.

    Sets of pictures alone, or with a sequence that is in force already, replace those with the same id. Sets
    that no description can hold change nothing.
    """
    *_, sequence, picture = _KINDS[codec]
    new = _in_order(codec, brought)
    kinds = {nal_type(codec, one[0]) for one in new}
    kept = [one for one in before if nal_type(codec, one[0]) not in kinds]
    repeated = [one for one in new if nal_type(codec, one[0]) == sequence]
    if picture in kinds and {*repeated} <= {*before}:
        ids = {picture_set_id(codec, one) for one in new if nal_type(codec, one[0]) == picture}
        others = [one for one in before if nal_type(codec, one[0]) == picture]
        kept += [one for one in others if picture_set_id(codec, one) not in ids]
    after = _in_order(codec, [*kept, *new])
    return after if _can_be_stated(codec, after) else before


def of_sequences(codec: Codec, sets: Sequence[bytes]) -> list[bytes]:
    """Only the sets that say what the pictures are: all but those of single pictures."""
    return [one for one in sets if nal_type(codec, one[0]) != _KINDS[codec][-1]]


def fitting(track: Track, sets: Sets, brought: Sequence[bytes] = ()) -> Track:
    """The track as ``sets``, those in force at its first keyframe, describe it.

    It is the same where it fits already: where the sequences are as described, and each set of pictures is
    described or ``brought`` by that keyframe itself.
    """
    codec = track.codec
    stated = described(track)
    if of_sequences(codec, sets) == of_sequences(codec, stated) and {*sets} <= {*stated, *brought}:
        return track
    sequence = next((one for one in sets if nal_type(codec, one[0]) == _KINDS[codec][-2]), b"")
    found = read_sequence(codec, sequence)
    if found is None or not _can_be_stated(codec, sets):
        return track
    entry = Box(track.sample_entry[4:8], 0, 8, len(track.sample_entry))
    size = track.nal_length_size
    made = _avcc(found, sets, size) if codec == "h264" else _hvcc(found, sets, size)
    head = bytearray(track.sample_entry[entry.body : entry.body + VISUAL_ENTRY])
    _SIDES.pack_into(head, 24, found.width, found.height)
    rest = [
        track.sample_entry[one.start : one.end]
        for one in boxes(track.sample_entry, entry.body + VISUAL_ENTRY, entry.end, "the sample entry")
        if one.kind != CONFIGURATIONS[codec]
    ]
    shown = _SHOWN.unpack(track.shape[-_SHOWN.size :])
    shape = track.shape[: -_SHOWN.size] + _SHOWN.pack(
        _scaled(shown[0], found.width, track.width), _scaled(shown[1], found.height, track.height)
    )
    return replace(
        track,
        sample_entry=box(entry.kind, bytes(head), box(CONFIGURATIONS[codec], made), *rest),
        width=found.width,
        height=found.height,
        shape=shape,
    )


def _in_order(codec: Codec, units: Sequence[bytes]) -> Sets:
    """The units that a description holds, each once, in its order."""
    once = dict.fromkeys(one for one in units if len(one) > SMALLEST_NAL[codec])
    return tuple(one for kind in _KINDS[codec] for one in once if nal_type(codec, one[0]) == kind)


def _can_be_stated(codec: Codec, sets: Sets) -> bool:
    """Whether there are sets of each kind, and no more than a description holds."""
    counts = [sum(nal_type(codec, one[0]) == kind for one in sets) for kind in _KINDS[codec]]
    fit = all(0 < count <= _MOST[kind] for kind, count in zip(_KINDS[codec], counts, strict=True))
    return fit and sum(len(one) for one in sets) <= _MOST_BYTES


def _scaled(shown: int, now: int, before: int) -> int:
    return min(shown * now // before, 0xFFFF_FFFF) if before else now << 16


def _stated(track: Track) -> Box:
    entry = Box(track.sample_entry[4:8], 0, 8, len(track.sample_entry))
    inner = boxes(track.sample_entry, entry.body + VISUAL_ENTRY, entry.end, "the sample entry")
    return next(one for one in inner if one.kind == CONFIGURATIONS[track.codec])


def _of_avcc(body: bytes) -> Iterator[bytes]:
    at = 5
    for mask in (0x1F, 0xFF):
        if at < len(body):
            count, at = body[at] & mask, at + 1
            for _ in range(count):
                length = int.from_bytes(body[at : at + 2], "big")
                yield body[at + 2 : at + 2 + length]
                at += 2 + length


def _of_hvcc(body: bytes) -> Iterator[bytes]:
    at = _HVCC_ARRAYS + 1
    for _ in range(body[at - 1] if at <= len(body) else 0):
        count = int.from_bytes(body[at + 1 : at + 3], "big")
        at += 3
        for _ in range(min(count, len(body))):
            length = int.from_bytes(body[at : at + 2], "big")
            yield body[at + 2 : at + 2 + length]
            at += 2 + length


def _avcc(found: Picture, sets: Sets, length_size: int) -> bytes:
    """The body of an ``avcC`` (ISO/IEC 14496-15, 5.3.3.1)."""
    sequences, pictures = _by_kind("h264", sets)
    parts = [bytes([1]), sequences[0][1:4], bytes([0xFC | length_size - 1, 0xE0 | len(sequences)])]
    parts += [*map(_with_length, sequences), bytes([len(pictures)]), *map(_with_length, pictures)]
    if found.states_chroma:
        parts.append(bytes([0xFC | found.chroma, 0xF8 | found.luma_bits, 0xF8 | found.chroma_bits, 0]))
    return b"".join(parts)


def _hvcc(found: Picture, sets: Sets, length_size: int) -> bytes:
    """The body of an ``hvcC`` (ISO/IEC 14496-15, 8.3.3.1): as FFmpeg's, for ``hev1``."""
    depths = bytes([0xFC | found.chroma, 0xF8 | found.luma_bits, 0xF8 | found.chroma_bits])
    layers = bytes([found.layers << 3 | found.nested << 2 | length_size - 1])
    parts = [bytes([1]), found.profile, b"\xf0\0\xfc", depths, bytes(2), layers]
    kinds = _by_kind("hevc", sets)
    parts.append(bytes([len(kinds)]))
    for kind, units in zip(_KINDS["hevc"], kinds, strict=True):
        parts += [bytes([kind]), len(units).to_bytes(2, "big"), *map(_with_length, units)]
    return b"".join(parts)


def _by_kind(codec: Codec, sets: Sets) -> list[list[bytes]]:
    return [[one for one in sets if nal_type(codec, one[0]) == kind] for kind in _KINDS[codec]]


def _with_length(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit
