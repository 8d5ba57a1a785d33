"""Reads which pictures of a storm a recording holds, from the bytes of its files alone.

The boxes of MP4 (ISO/IEC 14496-12) are walked here, and each ``mdat`` is a sequence of NAL units with four
bytes of length. No code under test takes part, and nothing is decoded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.storm_camera import MARK, Footage, slices_crc

_TEXT = re.compile(rb"(\d{3})([A-Z])(\d{8})")
_WIDTH_AT = 28
"""Where the width stands after the type ``avc1``: 4 of the type, 6 reserved, 2, 16 and then it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a recording: its camera and number, which footage it says it is of, its slices' CRC."""

    camera: int
    letter: str
    number: int
    crc: int

    def is_of(self, footage: Footage) -> bool:
        """Whether its slices are those that were sent under this number."""
        return self.letter == footage.letter and (
            self.crc == footage.slices[footage.place(self.camera, self.number)]
        )


def pictures(file: bytes) -> list[Picture]:
    """All pictures of an MP4 file in decode order; what is cut off at its end is left out."""
    found: list[Picture] = []
    name: tuple[int, str, int] | None = None
    slices: list[bytes] = []
    for body in _boxes(file, b"mdat"):
        for nal in _units(body):
            kind = nal[0] & 0x1F
            if kind == 6 and (here := _marked(nal)) is not None:
                if name is not None and slices:
                    found.append(Picture(*name, slices_crc(slices)))
                name, slices = here, []
            elif kind in (1, 5):
                slices.append(nal)
    if name is not None and slices:
        found.append(Picture(*name, slices_crc(slices)))
    return found


def width(file: bytes) -> int:
    """The width of the pictures that the file's header announces."""
    at = file.index(b"avc1", file.index(b"stsd"))
    return int.from_bytes(file[at + _WIDTH_AT : at + _WIDTH_AT + 2], "big")


def _marked(nal: bytes) -> tuple[int, str, int] | None:
    at = nal.find(MARK, 0, 32)
    match = _TEXT.match(nal, at + len(MARK)) if at >= 0 else None
    return None if match is None else (int(match[1]), match[2].decode(), int(match[3]))


def _boxes(file: bytes, wanted: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(file):
        size, kind, head = int.from_bytes(file[at : at + 4], "big"), file[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(file[at + 8 : at + 16], "big"), 16
        if size < head:
            return
        if kind == wanted:
            yield file[at + head : at + size]
        at += size


def _units(body: bytes) -> Iterator[bytes]:
    at = 0
    while at + 5 <= len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        if not length or at + 4 + length > len(body):
            return
        yield body[at + 4 : at + 4 + length]
        at += 4 + length
