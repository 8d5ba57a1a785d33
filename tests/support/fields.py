"""Interlaced H.264 in which each picture is two fields, and how cameras send it.

No encoder at hand makes it, so it is written here: 32 x 32 pixels of one colour, each macroblock unpacked
(I_PCM). FFmpeg decodes it. What no test with it proves: what fields of P and B pictures do.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.timespan import SECOND
from tests.support.camera_memory import Card

FPS, GOP = 25, 10
_NTP = 2_208_988_800


@dataclass(slots=True)
class _Bits:
    said: list[int] = field(default_factory=list)

    def u(self, length: int, value: int) -> "_Bits":
        self.said += [value >> at & 1 for at in reversed(range(length))]
        return self

    def ue(self, *values: int) -> "_Bits":
        for value in values:
            length = (value + 1).bit_length()
            self.u(2 * length - 1, value + 1)
        return self

    def padded(self) -> "_Bits":
        return self.u(-len(self.said) % 8, 0)

    def unit(self, head: int) -> bytes:
        self.u(1, 1).padded()
        found, zeros = bytearray([head]), 0
        for at in range(0, len(self.said), 8):
            value = int("".join(map(str, self.said[at : at + 8])), 2)
            if zeros >= 2 and value <= 3:
                found.append(3)
                zeros = 0
            found.append(value)
            zeros = zeros + 1 if value == 0 else 0
        return bytes(found)


SETS = (
    _Bits().u(24, 0x4D001E).ue(0, 0, 0, 4, 1).u(1, 0).ue(1, 0).u(5, 0b00100).unit(0x67),
    _Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0).unit(0x68),
)


def coded_field(number: int, bottom: int) -> bytes:
    """One field of a picture; the upper one of each group's first picture is an IDR."""
    place = number % GOP
    is_idr = place == 0 and not bottom
    made = _Bits().ue(0, 7, 0).u(4, place).u(2, 2 | bottom)
    if is_idr:
        made.ue(number // GOP % 2)
    made.u(8, 2 * place + bottom).u(2 if is_idr else 1, 0).ue(0)
    for _ in range(2):
        made.ue(25).padded()
        for value in [40 + number % 150] * 256 + [128] * 128:
            made.u(8, value)
    return made.unit(0x65 if is_idr else 0x61)


@dataclass(slots=True, kw_only=True)
class FieldCard(Card):
    """Sends ``pictures`` pictures from its first piece's start on.

    ``has_own_times``: the second field has a time and a mark of its own. Otherwise it has the first one's
    time; ``has_own_marker`` and ``has_own_mark`` say what else it has.
    """

    count: int = 100
    has_own_times: bool = False
    has_own_marker: bool = False
    has_own_mark: bool = False

    def packets(self) -> Iterator[bytes]:
        """What it sends after the last PLAY."""
        sequence = 0
        for number in range(self.count):
            for bottom in (0, 1):
                late = SECOND // FPS // 2 if bottom and self.has_own_times else 0
                at = self.pieces[0].start + number * SECOND // FPS + late
                units = [*(SETS if number % GOP == 0 and not bottom else ()), coded_field(number, bottom)]
                for unit in units:
                    has_mark = unit is units[0] and (not bottom or self.has_own_times or self.has_own_mark)
                    ends = unit is units[-1] and (bottom or self.has_own_times or self.has_own_marker)
                    yield _packet(at, sequence, unit, has_mark, bool(ends), number % GOP == 0 and not bottom)
                    sequence += 1


def _packet(at: int, sequence: int, unit: bytes, has_mark: bool, ends: bool, is_key: bool) -> bytes:
    ticks = at * 9 // 100 % (1 << 32)
    head = struct.pack(
        "!BBHII", 0x90 if has_mark else 0x80, 96 | (0x80 if ends else 0), sequence & 0xFFFF, ticks, 7
    )
    if has_mark:
        seconds, rest = divmod(at, SECOND)
        flags = 0x80 if is_key else 0
        head += struct.pack("!HHIIBBH", 0xABAC, 3, seconds + _NTP, (rest << 32) // SECOND, flags, 0, 0)
    return head + unit
