"""NAL units inside length-prefixed samples (ISO/IEC 14496-15), for H.264 and H.265.

A sample is a sequence of NAL units, each after a big-endian length of 1, 2 or 4 bytes. Nothing here looks
deeper than the NAL header: footage is moved, compared and hashed, never decoded.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from archive.errors import Malformed
from archive.footage.mp4.boxes import Readable
from archive.model.segment import Codec


class NalKind(Enum):
    """The kinds of NAL unit that matter to the archive."""

    SLICE = "slice"
    PARAMETER_SET = "parameter set"
    SEI = "sei"
    DELIMITER = "delimiter"
    OTHER = "other"


class NalUnit(NamedTuple):
    """Where a NAL unit lies: its first byte (after the length prefix) and the byte after its last."""

    start: int
    end: int


_H264 = {
    6: NalKind.SEI,
    7: NalKind.PARAMETER_SET,
    8: NalKind.PARAMETER_SET,
    9: NalKind.DELIMITER,
    13: NalKind.PARAMETER_SET,
    15: NalKind.PARAMETER_SET,
} | dict.fromkeys((1, 2, 3, 4, 5, 19, 20), NalKind.SLICE)
_HEVC = {
    32: NalKind.PARAMETER_SET,
    33: NalKind.PARAMETER_SET,
    34: NalKind.PARAMETER_SET,
    35: NalKind.DELIMITER,
    39: NalKind.SEI,
    40: NalKind.SEI,
} | dict.fromkeys(range(32), NalKind.SLICE)
_KINDS = {"h264": _H264, "hevc": _HEVC}

SMALLEST_NAL = {"h264": 1, "hevc": 2}
"""Bytes of the NAL header, the least a NAL unit has."""


def nal_units(source: Readable, start: int, end: int, length_size: int) -> Iterator[NalUnit]:
    """The NAL units of the sample in ``source[start:end]``.

    Raises:
        Malformed: ``bad_nal`` when a length is 0, is cut, or runs past the end of the sample.
    """
    at = start
    while at < end:
        first = at + length_size
        length = int.from_bytes(source[at:first], "big")
        at = first + length
        if length == 0 or at > end:
            raise Malformed(
                f"a NAL length of {length} at byte {first - length_size} does not fit its sample of"
                f" {end - start} bytes",
                code="bad_nal",
                hint="The sample's bytes are damaged, or its NAL units have no length prefixes.",
            )
        yield NalUnit(first, at)


def nal_type(codec: Codec, first_byte: int) -> int:
    """The ``nal_unit_type`` in the first byte of a NAL unit."""
    return first_byte & 0x1F if codec == "h264" else first_byte >> 1 & 0x3F


def nal_kind(codec: Codec, first_byte: int) -> NalKind:
    """The kind of the NAL unit that starts with this byte."""
    return _KINDS[codec].get(nal_type(codec, first_byte), NalKind.OTHER)


def is_sequence_parameter_set(codec: Codec, first_byte: int) -> bool:
    """Whether the NAL unit that starts with this byte states picture size and profile (SPS)."""
    return nal_type(codec, first_byte) == (7 if codec == "h264" else 33)


def trailing_zeros(source: Readable, unit: NalUnit, codec: Codec) -> int:
    """How many zero bytes end the unit; its header is never counted.

    A NAL unit cannot end in 0x00 (ITU-T H.264 and H.265, 7.4.1): such zeros belong to the byte stream that
    carried it. FFmpeg 5.1 appends one zero to each H.265 slice that it records from RTSP.
    """
    least = unit.start + SMALLEST_NAL[codec]
    last = unit.end
    while last > least and source[last - 1] == 0:
        last -= 1
    return unit.end - last
