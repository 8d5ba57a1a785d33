"""The description of a track that fits its pictures where a camera changed them in the middle of a stream.

FFmpeg describes an RTSP camera once, by what it announces at the start, and copies what comes later. A camera
that changes its picture in the same connection sends new parameter sets (ITU-T H.264, 7.3.2.1) with the
next keyframe. A segment that begins with them would carry the old description. H.265 is left as it is.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.footage.mp4.boxes import Box, box, boxes
from archive.footage.mp4.track import VISUAL_ENTRY, Track

_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""The profiles whose parameter sets state chroma format and bit depth."""
_CROP = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
_LONGEST = 1024
_MOST_SEQUENCES, _MOST_PICTURES, _LONGEST_SET = 31, 255, 0xFFFF
"""What a description can hold (ISO/IEC 14496-15, 5.3.3.1)."""
_SIDES = struct.Struct(">HH")
_SHOWN = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Picture:
    """What a sequence parameter set says: profile, size in pixels, chroma format, bits beyond eight."""

    profile: int
    width: int
    height: int
    chroma: int = 1
    luma_bits: int = 0
    chroma_bits: int = 0


def fitting(track: Track, units: Sequence[bytes]) -> Track:
    """The track as the NAL ``units`` of its first keyframe describe it; the same where it fits already."""
    sequences = [unit for unit in units if unit[0] & 0x1F == 7]
    pictures = [unit for unit in units if unit[0] & 0x1F == 8]
    if track.codec != "h264" or not _can_be_stated(sequences, pictures):
        return track
    entry = Box(track.sample_entry[4:8], 0, 8, len(track.sample_entry))
    inner = list(boxes(track.sample_entry, entry.body + VISUAL_ENTRY, entry.end, "the sample entry"))
    stated = next(one for one in inner if one.kind == b"avcC")
    found, before = _read(sequences[0]), _read(_first_of(track.sample_entry[stated.body : stated.end]))
    if found is None or found == before:
        return track
    configuration = box(b"avcC", _configuration(found, sequences, pictures, track.nal_length_size))
    head = bytearray(track.sample_entry[entry.body : entry.body + VISUAL_ENTRY])
    _SIDES.pack_into(head, 24, found.width, found.height)
    rest = [track.sample_entry[one.start : one.end] for one in inner if one.kind != b"avcC"]
    shown = _SHOWN.unpack(track.shape[-_SHOWN.size :])
    shape = track.shape[: -_SHOWN.size] + _SHOWN.pack(
        _scaled(shown[0], found.width, track.width), _scaled(shown[1], found.height, track.height)
    )
    return replace(
        track,
        sample_entry=box(entry.kind, bytes(head), configuration, *rest),
        width=found.width,
        height=found.height,
        shape=shape,
    )


def _can_be_stated(sequences: Sequence[bytes], pictures: Sequence[bytes]) -> bool:
    """Whether there are sets of both kinds, and no more and no longer ones than a description holds."""
    return (
        0 < len(sequences) <= _MOST_SEQUENCES
        and 0 < len(pictures) <= _MOST_PICTURES
        and all(len(one) <= _LONGEST_SET for one in (*sequences, *pictures))
    )


def _scaled(shown: int, now: int, before: int) -> int:
    return min(shown * now // before, 0xFFFF_FFFF) if before else now << 16


def _first_of(configuration: bytes) -> bytes:
    """The first sequence parameter set of an ``avcC``; nothing if it has none."""
    length = int.from_bytes(configuration[6:8], "big")
    return configuration[8 : 8 + length] if len(configuration) > 8 and configuration[5] & 0x1F else b""


def _configuration(
    found: Picture, sequences: Sequence[bytes], pictures: Sequence[bytes], length_size: int
) -> bytes:
    """The body of an ``avcC`` (ISO/IEC 14496-15, 5.3.3.1)."""
    parts = [bytes([1]), sequences[0][1:4], bytes([0xFC | length_size - 1, 0xE0 | len(sequences)])]
    parts += [len(one).to_bytes(2, "big") + one for one in sequences]
    parts.append(bytes([len(pictures)]))
    parts += [len(one).to_bytes(2, "big") + one for one in pictures]
    if found.profile in _WITH_CHROMA:
        parts.append(bytes([0xFC | found.chroma, 0xF8 | found.luma_bits, 0xF8 | found.chroma_bits, 0]))
    return b"".join(parts)


def _read(unit: bytes) -> Picture | None:
    """What a sequence parameter set says; None if it cannot be read."""
    if not 4 < len(unit) <= _LONGEST:
        return None
    try:
        return _picture(unit[1], _Bits(unit[4:].replace(b"\0\0\3", b"\0\0")))
    except IndexError:
        return None


def _picture(profile: int, bits: "_Bits") -> Picture | None:
    bits.number()  # its id
    chroma, luma_bits, chroma_bits = 1, 0, 0
    if profile in _WITH_CHROMA:
        chroma = bits.number()
        separate = chroma == 3 and bits.take(1)
        luma_bits, chroma_bits = bits.number(), bits.number()
        bits.take(1)
        if bits.take(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _pass_scaling(bits, 16 if index < 6 else 64)
        if chroma > 3 or max(luma_bits, chroma_bits) > 6 or separate:
            return None
    bits.number()  # frame numbers
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.take(1)
        for _ in range(2):
            bits.number()
        for _ in range(min(bits.number(), 255)):
            bits.number()
    bits.number()  # reference pictures
    bits.take(1)
    across, down = bits.number() + 1, bits.number() + 1
    fields = 2 - bits.take(1)
    if fields == 2:
        bits.take(1)
    bits.take(1)
    width, height = 16 * across, 16 * down * fields
    if bits.take(1):
        left, right, top, bottom = (bits.number() for _ in range(4))
        width -= (left + right) * _CROP[chroma][0]
        height -= (top + bottom) * _CROP[chroma][1] * fields
    if not (0 < width < 1 << 16 and 0 < height < 1 << 16):
        return None
    return Picture(profile, width, height, chroma, luma_bits, chroma_bits)


def _pass_scaling(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.number()
            following = (last + (-(code // 2) if code % 2 == 0 else code // 2 + 1)) % 256
        last = following or last


class _Bits:
    """Reads bits and Exp-Golomb numbers (ITU-T H.264, 9.1). Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> 7 - (self._at & 7) & 1
            self._at += 1
        return value

    def number(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError("no number is so long")
        return (1 << zeros) - 1 + self.take(zeros)
