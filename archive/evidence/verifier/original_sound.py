"""The sound of an original: a second track, whose samples stand behind the last picture.

docs/reference/evidence-package.md, *Layout 2*, has the form: ``trak`` and ``traf`` of the sound are the
second ones, its ``tfhd`` states the duration of all samples or its ``trun`` that of each, and sample bytes
of pictures and sound fill ``mdat``.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from itertools import accumulate

from archive.evidence.verifier.mp4 import BadMp4, boxes, path_to, words

_LATEST = 1 << 62
_BASE_IS_MOOF, _DURATION_FOR_ALL = 0x20000, 0x8
_COLUMNS, _COLUMNS_WITH_DURATIONS = 0x201, 0x301  # data offset; sizes, and durations if they differ
_KINDS = (b"mp4a", b"Opus")
_FASTEST = 192_000


@dataclass(frozen=True)
class Sound:
    """Samples in order: when each begins and how long it lasts, in ticks of ``1/timescale`` s, and its size.

    ``entry`` is the whole sample entry, ``start`` the offset of the first sound byte.
    """

    entry: bytes
    timescale: int
    times: list[int]
    durations: array[int]
    sizes: array[int]
    start: int


def read_sound(head: bytes, moov: tuple[int, int], moof: tuple[int, int], pictures: int) -> Sound | None:
    """The sound that an original's bytes up to its first sample describe; None without a second track.

    ``pictures`` is how many bytes its pictures have.

    Raises:
        BadMp4: there are other tracks, or the track of sound is not that of an original.
        struct.error: a box is cut off.
    """
    traks, trafs = _all(head, moov, b"trak"), _all(head, moof, b"traf")
    if len(traks) == len(trafs) == 1:
        return None
    if len(traks) != 2 or len(trafs) != 2:
        raise BadMp4("an original has a track of pictures and at most one of sound")
    mdia = path_to(head, *traks[1], b"mdia")
    if head[slice(*_from(path_to(head, *mdia, b"hdlr"), 8, 4))] != b"soun":
        raise BadMp4("the second track of an original is sound")
    mdhd, _ = path_to(head, *mdia, b"mdhd")
    (timescale,) = struct.unpack_from(">I", head, mdhd + 12)
    if head[mdhd] or not 0 < timescale <= _FASTEST:
        raise BadMp4("mdhd of the sound is not that of an original")
    durations, sizes, tfdt, offset = _run(head, trafs[1])
    start = len(head) + pictures
    if offset != start - (moof[0] - 8) or not all(sizes):
        raise BadMp4("the sound does not stand behind the pictures")
    times = list(accumulate(durations, initial=tfdt))[:-1]
    return Sound(_entry(head, mdia), timescale, times, durations, sizes, start)


def _run(head: bytes, traf: tuple[int, int]) -> tuple[array[int], array[int], int, int]:
    """Durations, sizes, the time of the first sample, and the offset of its bytes in the ``moof``."""
    tfhd, _ = path_to(head, *traf, b"tfhd")
    (flags,) = struct.unpack_from(">I", head, tfhd)
    lasts = 0
    if flags == _BASE_IS_MOOF | _DURATION_FOR_ALL:
        (lasts,) = struct.unpack_from(">I", head, tfhd + 8)
    elif flags != _BASE_IS_MOOF:
        raise BadMp4("tfhd of the sound is not that of an original")
    tfdt, _ = path_to(head, *traf, b"tfdt")
    version, at = struct.unpack_from(">IQ", head, tfdt)
    run, end = path_to(head, *traf, b"trun")
    columns, count, offset = struct.unpack_from(">IIi", head, run)
    width = 4 if columns == _COLUMNS else 8
    if version >> 24 != 1 or at >= _LATEST:
        raise BadMp4("tfdt of the sound is not that of an original")
    if columns not in (_COLUMNS, _COLUMNS_WITH_DURATIONS) or not count or run + 12 + width * count != end:
        raise BadMp4("trun of the sound is not that of an original")
    table = words(head, run + 12, end)
    if width == 4:
        return array("I", [lasts]) * count, table, at, offset
    return table[0::2], table[1::2], at, offset


def _entry(head: bytes, mdia: tuple[int, int]) -> bytes:
    place = mdia
    for kind in (b"minf", b"stbl", b"stsd"):
        place = path_to(head, *place, kind)
    for kind, begin, _, end in boxes(head, place[0] + 8, place[1]):
        if kind not in _KINDS or end != place[1]:
            break
        return head[begin:end]
    raise BadMp4("stsd of the sound does not hold one sample entry of AAC or Opus")


def _all(head: bytes, place: tuple[int, int], wanted: bytes) -> list[tuple[int, int]]:
    """Body and end of each box of a kind."""
    found = []
    for kind, _, body, end in boxes(head, *place):
        if end > place[1]:
            raise BadMp4(f"{kind.decode('latin-1')} is cut off")
        if kind == wanted:
            found.append((body, end))
    return found


def _from(place: tuple[int, int], skip: int, length: int) -> tuple[int, int]:
    return place[0] + skip, min(place[0] + skip + length, place[1])
