"""Layout 1 of clips, second half: the bytes of a clip up to its first sample.

docs/reference/evidence-package.md, *Layout 1*, is the specification: ``ftyp``, ``moov`` and the head of
``mdat``, each field of which follows from the cut (:mod:`archive.evidence.verifier.clip_cut`).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from itertools import accumulate, groupby
from sys import byteorder

from archive.evidence.verifier.clip_cut import TICKS, Cut
from archive.evidence.verifier.mp4 import BadMp4, boxes

_FROM_1904 = 2_082_844_800  # seconds from 1904-01-01 to 1970-01-01
_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_NESTED = (b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl")


def make_head(cut: Cut) -> bytes:
    """``ftyp``, ``moov`` and the head of ``mdat``. Raises BadMp4 where a number does not fit its field."""
    lengths = [piece.length for piece in cut.pieces]
    try:
        ftyp = _box(
            b"ftyp", b"isom", bytes(4), b"isomiso4mp41", *sorted({entry[4:8] for entry in cut.entries})
        )
        mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + sum(lengths))
        moov = _moov(cut)
        first = len(ftyp) + len(moov) + len(mdat)
        places = _big_endian(array("Q", list(accumulate(lengths, initial=first))[:-1]))
        return ftyp + moov[: -len(places)] + places + mdat
    except (struct.error, OverflowError) as error:
        raise BadMp4("a number does not fit its field") from error


def where_differs(head: bytes, made: bytes) -> str:
    """The first byte at which a clip's header differs from the one made anew, and the box it is in."""
    at = next(
        (n for n, (one, other) in enumerate(zip(head, made)) if one != other), min(len(head), len(made))
    )
    inside, start, end = [], 0, len(made)
    while start < end:
        for kind, _, body, stop in boxes(made, start, end):
            if at < stop:
                inside.append(kind.decode("latin-1"))
                start, end = body, stop if kind in _NESTED and at >= body else 0
                break
        else:
            break
    return f"byte {at}, in {'.'.join(inside)}"


def _moov(cut: Cut) -> bytes:
    """The whole box; it ends with the offsets of the chunks, which are 0 here."""
    shown = sum(duration for duration, _ in cut.edits)
    at = (cut.start or 0) // 1_000_000 + _FROM_1904
    created = struct.pack(">QQ", at, at)
    shape = max(cut.shapes, key=lambda one: one[-8:])
    edits = b"".join(struct.pack(">QqI", duration, start, 0x10000) for duration, start in cut.edits)
    mvhd = _full(b"mvhd", 1, 0, created, struct.pack(">IQIH", TICKS, shown, 0x10000, 0x100),
                 bytes(10), _UNITY, bytes(24), struct.pack(">I", 2))  # fmt: skip
    tkhd = _full(b"tkhd", 1, 7, created, struct.pack(">IIQ", 1, 0, shown), bytes(16), shape)
    elst = _full(b"elst", 1, 0, struct.pack(">I", len(cut.edits)), edits)
    mdhd = _full(b"mdhd", 1, 0, created, struct.pack(">IQHH", TICKS, cut.duration, 0x55C4, 0))
    hdlr = _full(b"hdlr", 0, 0, bytes(4), b"vide", bytes(13))
    dref = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    minf = _box(b"minf", _full(b"vmhd", 0, 1, bytes(8)), _box(b"dinf", dref), _stbl(cut))
    trak = _box(b"trak", tkhd, _box(b"edts", elst), _box(b"mdia", mdhd, hdlr, minf))
    return _box(b"moov", mvhd, trak)


def _stbl(cut: Cut) -> bytes:
    """The sample tables (7)."""
    made = [_full(b"stsd", 0, 0, struct.pack(">I", len(cut.entries)), *cut.entries)]
    made.append(_table(b"stts", 0, _runs(cut.durations), 2))
    if any(cut.offsets):
        offsets = array("I", cut.offsets.tobytes())
        made.append(_table(b"ctts", int(min(cut.offsets) < 0), _runs(offsets), 2))
    made.append(_table(b"stss", 0, cut.syncs, 1))
    rows: list[int] = []
    chunk = 1
    for (samples, entry), same in groupby(cut.chunks):
        rows += (chunk, samples, entry)
        chunk += sum(1 for _ in same)
    made.append(_table(b"stsc", 0, rows, 3))
    sizes = _big_endian(array("I", cut.sizes))
    made.append(_full(b"stsz", 0, 0, struct.pack(">II", 0, len(cut.sizes)), sizes))
    count = len(cut.chunks)
    made.append(_full(b"co64", 0, 0, struct.pack(">I", count), bytes(8 * count)))
    return _box(b"stbl", *made)


def _runs(values: Iterable[int]) -> list[int]:
    """Equal neighbours as pairs of their number and the value."""
    found: list[int] = []
    for value, same in groupby(values):
        found += (sum(1 for _ in same), value)
    return found


def _table(kind: bytes, version: int, column: Iterable[int], width: int) -> bytes:
    values = array("I", column)
    return _full(kind, version, 0, struct.pack(">I", len(values) // width), _big_endian(values))


def _big_endian(values: array[int]) -> bytes:
    if byteorder == "little":
        values.byteswap()
    return values.tobytes()


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body
