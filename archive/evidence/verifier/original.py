"""The header of an original: the facts that a clip's header follows from.

An original is ``ftyp moov moof mdat`` as the recorder writes it: one track with one sample entry, and one
``trun`` that lists duration, size, flags and composition offset of each sample. Behind it may stand
a track of sound (:mod:`archive.evidence.verifier.original_sound`).
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from archive.evidence.verifier.mp4 import BadMp4, boxes, path_to, words
from archive.evidence.verifier.original_sound import Sound, read_sound

_COLUMNS = 0xF01  # data offset; duration, size, flags and composition offset of each sample
_NOT_SYNC = 0x10000
_LATEST = 1 << 62
_PARAMETER_SETS = {32, 33, 34}  # VPS, SPS, PPS
_SHAPE = 44  # bytes of matrix, width and height, which end a tkhd


@dataclass(frozen=True)
class Header:
    """Samples in decode order, a column for each fact; ``syncs`` are the indices of sync samples.

    ``tfdt`` is the decode time of the first sample, in ticks of 1/90000 s. ``entry`` is the whole sample
    entry, ``shape`` the end of ``tkhd`` (matrix, width, height), ``length`` the offset of the first sample.
    """

    tfdt: int
    durations: array[int]
    sizes: array[int]
    offsets: array[int]
    syncs: list[int]
    entry: bytes
    shape: bytes
    length: int
    sound: Sound | None = None


def read_header(head: bytes) -> Header:
    """The header of an original from its bytes up to its first sample. Raises BadMp4."""
    try:
        moov = path_to(head, 0, len(head), b"moov")
        moof = path_to(head, 0, len(head), b"moof")
        traf = path_to(head, *moof, b"traf")
        trak = path_to(head, *moov, b"trak")
        tkhd = path_to(head, *trak, b"tkhd")
        body, _ = path_to(head, *traf, b"tfdt")
        version, tfdt = struct.unpack_from(">IQ", head, body)
        if version >> 24 != 1 or tfdt >= _LATEST:
            raise BadMp4("tfdt is not that of an original")
        run, end = path_to(head, *traf, b"trun")
        flags, count = struct.unpack_from(">II", head, run)
        if flags & 0xFFFFFF != _COLUMNS or not count or run + 12 + 16 * count != end:
            raise BadMp4("trun is not that of an original")
        columns = words(head, run + 12, end)
        return Header(
            tfdt,
            columns[0::4],
            columns[1::4],
            array("i", columns[3::4].tobytes()),
            [number for number, one in enumerate(columns[2::4]) if not one & _NOT_SYNC],
            _entry(head, trak),
            head[tkhd[1] - _SHAPE : tkhd[1]],
            len(head),
            read_sound(head, moov, moof, sum(columns[1::4])),
        )
    except (struct.error, ValueError) as error:
        raise BadMp4("a header that is cut off") from error


def shown_entry(entry: bytes) -> bytes:
    """A sample entry as clips have it: ``hev1`` becomes ``hvc1`` where all parameter sets are in it (8)."""
    if entry[4:8] != b"hev1":
        return entry
    for kind, _, body, end in boxes(entry, 86, len(entry)):
        if kind == b"hvcC":
            if end > len(entry):
                raise BadMp4("hvcC is cut off")
            return _relabelled(entry, body + 22, end)
    return entry


def _relabelled(entry: bytes, at: int, end: int) -> bytes:
    """The entry with its arrays of parameter sets marked complete; ``at`` is where their number is."""
    made = bytearray(entry)
    found = set()
    if at >= end:
        return entry
    arrays, at = entry[at], at + 1
    for _ in range(arrays):
        kind, units, begin = entry[at] & 0x3F if at < end else 0, entry[at + 1 : at + 3], at
        at += 3
        for _ in range(int.from_bytes(units, "big")):
            if at + 2 > end:
                return entry
            at += 2 + int.from_bytes(entry[at : at + 2], "big")
        if at > end:
            return entry
        if kind in _PARAMETER_SETS and any(units):
            found.add(kind)
            made[begin] |= 0x80
    if found != _PARAMETER_SETS:
        return entry
    made[4:8] = b"hvc1"
    return bytes(made)


def _entry(head: bytes, trak: tuple[int, int]) -> bytes:
    place = trak
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        place = path_to(head, *place, kind)
    for _, begin, _, end in boxes(head, place[0] + 8, place[1]):
        return head[begin:end]
    raise BadMp4("stsd holds no sample entry")
