"""RTP packets of a replay (RFC 3550) and the mark of ONVIF in them: when each picture was taken. Pure.

The mark is a header extension of the number 0xABAC (ONVIF Streaming Specification, *RTP header extension*):
an NTP time stamp, flags and a counter. The first packet of each picture has one.
"""

import struct
from dataclasses import dataclass

from archive.footage.mp4.nal import is_sequence_parameter_set, nal_type
from archive.model.segment import Codec
from archive.timespan import SECOND

_NUMBER = 0xABAC
_NTP_TO_UNIX_S, _ERA_HALF = 2_208_988_800, 1 << 31
_HEAD, _EXTENSION, _WORD = 12, 4, 4
_KEY, _DISCONTINUITY, _LAST = 0x80, 0x20, 0x10
_BYE = 203
_UNITS = {"h264": (1, 24), "hevc": (2, 48)}
"""Bytes of a unit's head, and the kind of a packet with several units."""
_FRAGMENT, _SLICES = 28, (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Mark:
    """What the camera says of a picture.

    ``at`` is its own clock (µs). ``is_key``: a decoder can begin here. ``follows_hole``: what was before
    it is not kept. ``is_last``: nothing follows.
    """

    at: int
    is_key: bool
    follows_hole: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. ``ticks`` is its RTP time, ``ends_picture`` the marker; ``mark`` None if it has none.

    Its payload begins at ``body``.
    """

    sequence: int
    ticks: int
    ends_picture: bool
    mark: Mark | None
    body: int


def read_packet(data: bytes) -> Packet | None:
    """Read a packet's head; None for other bytes."""
    if len(data) < _HEAD or data[0] >> 6 != 2:
        return None
    sequence, ticks = struct.unpack_from("!HI", data, 2)
    mark, at = None, _HEAD + _WORD * (data[0] & 0x0F)
    if data[0] & 0x10:
        if len(data) < at + _EXTENSION:
            return None
        number, words = struct.unpack_from("!HH", data, at)
        at += _EXTENSION
        if len(data) < at + _WORD * words:
            return None
        if number == _NUMBER and words >= 3:
            mark = _mark(data, at)
        at += _WORD * words
    return Packet(sequence, ticks, bool(data[1] & 0x80), mark, at)


def parameter_sets(codec: Codec, payload: bytes) -> list[bytes]:
    """The sequence parameter sets in a packet: alone, or with other units.

    They are too small to be sent in fragments. What is cut off is passed over.
    """
    return [one for one in _units(codec, payload) if is_sequence_parameter_set(codec, one[0])]


def first_slices(codec: Codec, payload: bytes) -> int:
    """How many coded pictures of H.264 begin in a packet: slices of the first macroblock. H.265: 0.

    An interlaced picture may be coded as two fields, each a coded picture of its own.
    """
    if codec != "h264":
        return 0
    if len(payload) > 2 and nal_type(codec, payload[0]) == _FRAGMENT:
        begins = payload[1] & 0x80 and nal_type(codec, payload[1]) in _SLICES
        return int(bool(begins and payload[2] & 0x80))
    return sum(
        nal_type(codec, one[0]) in _SLICES and len(one) > 1 and one[1] & 0x80 != 0
        for one in _units(codec, payload)
    )


def _units(codec: Codec, payload: bytes) -> list[bytes]:
    """The whole units in a packet (RFC 6184, 5.7.1; RFC 7798, 4.4.2)."""
    length, several = _UNITS[codec]
    if len(payload) <= length:
        return []
    if nal_type(codec, payload[0]) != several:
        return [payload]
    found: list[bytes] = []
    at = length
    while at + 2 < len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : end]
        if end <= len(payload) and unit:
            found.append(unit)
        at = end
    return found


def is_bye(data: bytes) -> bool:
    """Whether a compound RTCP packet says that the sender ends."""
    at = 0
    while at + 4 <= len(data):
        if data[at + 1] == _BYE:
            return True
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def ticks_between(before: int, after: int) -> int:
    """From one RTP time to another one, over the wrap of 32 bits; negative if it is earlier."""
    return (after - before + (1 << 31)) % (1 << 32) - (1 << 31)


def _mark(data: bytes, at: int) -> Mark:
    seconds, fraction = struct.unpack_from("!II", data, at)
    flags = data[at + 8]
    if seconds < _ERA_HALF:  # After 2036 (RFC 4330, 3); no camera's clock is before 1968.
        seconds += 2 * _ERA_HALF
    taken = (seconds - _NTP_TO_UNIX_S) * SECOND + (fraction * SECOND + (1 << 31) >> 32)
    return Mark(taken, bool(flags & _KEY), bool(flags & _DISCONTINUITY), bool(flags & _LAST))
