"""Layouts of clips, second half: the bytes of a clip up to its first sample.

docs/reference/evidence-package.md, *Layout 1* and *Layout 2*, is the specification: ``ftyp``, ``moov`` and
the head of ``mdat``, each field of which follows from the cut (:mod:`archive.evidence.verifier.clip_cut`).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from sys import byteorder

from archive.evidence.verifier.clip_cut import TICKS, Cut
from archive.evidence.verifier.clip_sound import SoundCut
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
        moov = _moov(cut, [0] * len(lengths))
        places = list(accumulate(lengths, initial=len(ftyp) + len(moov) + len(mdat)))[:-1]
        if cut.sound is not None and cut.sound.chunks:
            moov = _moov(cut, places)
        else:  # it ends with the places
            moov = moov[: -8 * len(places)] + _big_endian(array("Q", places))
        return ftyp + moov + mdat
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


def _moov(cut: Cut, places: list[int]) -> bytes:
    """The whole box; ``places`` are the offsets of the pieces."""
    sound = cut.sound if cut.sound is not None and cut.sound.chunks else None
    shown = sum(duration for duration, _ in cut.edits)
    at = (cut.start or 0) // 1_000_000 + _FROM_1904
    created = struct.pack(">QQ", at, at)
    shape = max(cut.shapes, key=lambda one: one[-8:])
    mvhd = _full(b"mvhd", 1, 0, created, struct.pack(">IQIH", TICKS, shown, 0x10000, 0x100),
                 bytes(10), _UNITY, bytes(24), struct.pack(">I", 3 if sound else 2))  # fmt: skip
    tkhd = _full(b"tkhd", 1, 7, created, struct.pack(">IIQ", 1, 0, shown), bytes(16), shape)
    mdhd = _full(b"mdhd", 1, 0, created, struct.pack(">IQHH", TICKS, cut.duration, 0x55C4, 0))
    own = [place for place, piece in zip(places, cut.pieces) if piece.track == "pictures"]
    traks = _trak(tkhd, cut.edits, mdhd, b"vide", _full(b"vmhd", 0, 1, bytes(8)), _stbl(cut, own))
    if sound:
        own = [place for place, piece in zip(places, cut.pieces) if piece.track == "sound"]
        traks += _sound_trak(sound, created, shown, own)
    return _box(b"moov", mvhd, traks)


def _sound_trak(sound: SoundCut, created: bytes, shown: int, places: list[int]) -> bytes:
    """The track of sound (13)."""
    edits = sound.edits or [(shown, -1)]
    lasts = sum(duration for duration, _ in edits)
    tkhd = _full(b"tkhd", 1, 7, created, struct.pack(">IIQ", 2, 0, lasts), bytes(12),
                 struct.pack(">HH", 0x100, 0), _UNITY, bytes(8))  # fmt: skip
    head = struct.pack(">IQHH", sound.timescale, sum(sound.durations), 0x55C4, 0)
    stbl = _box(
        b"stbl",
        _full(b"stsd", 0, 0, struct.pack(">I", len(sound.entries)), *sound.entries),
        _table(b"stts", 0, _runs(sound.durations), 2),
        *_places(sound.chunks, sound.sizes, places),
    )
    smhd = _full(b"smhd", 0, 0, bytes(4))
    return _trak(tkhd, edits, _full(b"mdhd", 1, 0, created, head), b"soun", smhd, stbl)


def _trak(
    tkhd: bytes, edits: Iterable[Sequence[int]], mdhd: bytes, kind: bytes, media: bytes, stbl: bytes
) -> bytes:
    made = [struct.pack(">QqI", duration, start, 0x10000) for duration, start in edits]
    elst = _full(b"elst", 1, 0, struct.pack(">I", len(made)), *made)
    hdlr = _full(b"hdlr", 0, 0, bytes(4), kind, bytes(13))
    dref = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    minf = _box(b"minf", media, _box(b"dinf", dref), stbl)
    return _box(b"trak", tkhd, _box(b"edts", elst), _box(b"mdia", mdhd, hdlr, minf))


def _stbl(cut: Cut, places: list[int]) -> bytes:
    """The sample tables of the pictures (7)."""
    made = [_full(b"stsd", 0, 0, struct.pack(">I", len(cut.entries)), *cut.entries)]
    made.append(_table(b"stts", 0, _runs(cut.durations), 2))
    if any(cut.offsets):
        offsets = array("I", cut.offsets.tobytes())
        made.append(_table(b"ctts", int(min(cut.offsets) < 0), _runs(offsets), 2))
    made.append(_table(b"stss", 0, cut.syncs, 1))
    return _box(b"stbl", *made, *_places(cut.chunks, cut.sizes, places))


def _places(chunks: list[tuple[int, int]], sizes: array[int], places: list[int]) -> list[bytes]:
    """The samples of each chunk, their sizes, and where the chunks begin."""
    rows: list[int] = []
    chunk = 1
    for (samples, entry), same in groupby(chunks):
        rows += (chunk, samples, entry)
        chunk += sum(1 for _ in same)
    begins = struct.pack(">I", len(chunks)) + _big_endian(array("Q", places))
    return [
        _table(b"stsc", 0, rows, 3),
        _full(b"stsz", 0, 0, struct.pack(">II", 0, len(sizes)), _big_endian(array("I", sizes))),
        _full(b"co64", 0, 0, begins),
    ]


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
