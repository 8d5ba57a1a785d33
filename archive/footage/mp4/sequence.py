"""What a sequence parameter set says of the pictures (ITU-T H.264, 7.3.2.1; ITU-T H.265, 7.3.2.2)."""

from dataclasses import dataclass, replace

from archive.footage.mp4.nal import SMALLEST_NAL
from archive.model.segment import Codec

_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""The profiles of H.264 whose parameter sets state chroma format and bit depth."""
_CROP = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
_LONGEST = 1024
_LEVELS = 12
"""Bytes in which H.265 states profile, tier, compatibility, constraints and level."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Size in pixels, chroma format, bits beyond eight, and what a description repeats of the profile.

    ``profile`` is the profile of H.264, or the bytes of H.265 from the profile to the level; ``layers``
    counts the temporal layers of H.265, and ``nested`` is its flag that one may change between them anywhere.
    """

    profile: bytes
    width: int
    height: int
    chroma: int = 1
    luma_bits: int = 0
    chroma_bits: int = 0
    layers: int = 1
    nested: int = 0

    @property
    def states_chroma(self) -> bool:
        """Whether a description of H.264 with this profile states chroma format and bit depth."""
        return self.profile[0] in _WITH_CHROMA


def read_sequence(codec: Codec, unit: bytes) -> Picture | None:
    """What a sequence parameter set says; None if it cannot be read."""
    if not 4 < len(unit) <= _LONGEST:
        return None
    try:
        return _h264(unit) if codec == "h264" else _hevc(unit)
    except IndexError:
        return None


def picture_set_id(codec: Codec, unit: bytes) -> int:
    """The id of a picture parameter set; -1 if it cannot be read."""
    try:
        return _Bits(unit[SMALLEST_NAL[codec] :]).number()
    except IndexError:
        return -1


def _h264(unit: bytes) -> Picture | None:
    profile = unit[1]
    bits = _Bits(unit[4:])
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
        if separate:
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
    crop = _crop(bits)
    return _checked(
        Picture(bytes([profile]), 16 * across, 16 * down * fields, chroma, luma_bits, chroma_bits),
        crop,
        fields,
    )


def _hevc(unit: bytes) -> Picture | None:
    bits = _Bits(unit[2:])
    bits.take(4)  # the id of its video parameter set
    layers, nested = bits.take(3) + 1, bits.take(1)
    profile = bits.take(8 * _LEVELS).to_bytes(_LEVELS, "big")
    if layers > 1:
        stated = [(bits.take(1), bits.take(1)) for _ in range(layers - 1)]
        bits.take(2 * (9 - layers))
        for has_profile, has_level in stated:
            bits.take(88 * has_profile + 8 * has_level)
    bits.number()  # its id
    chroma = bits.number()
    if chroma == 3 and bits.take(1):
        return None  # each colour for itself
    width, height = bits.number(), bits.number()
    crop = _crop(bits)
    luma_bits, chroma_bits = bits.number(), bits.number()
    return _checked(Picture(profile, width, height, chroma, luma_bits, chroma_bits, layers, nested), crop, 1)


def _crop(bits: "_Bits") -> tuple[int, int]:
    """How many steps of the chroma format are cut off across and down."""
    if not bits.take(1):
        return 0, 0
    left, right, top, bottom = (bits.number() for _ in range(4))
    return left + right, top + bottom


def _checked(coded: Picture, crop: tuple[int, int], fields: int) -> Picture | None:
    """The picture as it is shown; None where it cannot be."""
    if coded.chroma not in _CROP or max(coded.luma_bits, coded.chroma_bits) > 6:
        return None
    across, down = _CROP[coded.chroma]
    width, height = coded.width - crop[0] * across, coded.height - crop[1] * down * fields
    if not (0 < width < 1 << 16 and 0 < height < 1 << 16):
        return None
    return replace(coded, width=width, height=height)


def _pass_scaling(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.number()
            following = (last + (-(code // 2) if code % 2 == 0 else code // 2 + 1)) % 256
        last = following or last


class _Bits:
    """Reads bits and Exp-Golomb numbers (ITU-T H.264, 9.1) of a unit. Raises IndexError at the end."""

    def __init__(self, unit: bytes) -> None:
        self._data = unit.replace(b"\0\0\3", b"\0\0")
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
