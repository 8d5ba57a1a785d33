"""The sample tables of a clip while they grow, and as the boxes of its ``moov``.

Columns are arrays that are swapped to big-endian in place and become the box bodies: a clip costs 4 to 20
bytes for each frame, and nothing is copied. No clock is read: the same samples give the same bytes.
"""

import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from archive.footage.mp4.boxes import box, full_box
from archive.model.segment import TIMESCALE
from archive.timespan import SECOND

Part = bytes | memoryview
"""Bytes of a clip's header; a memoryview if they are a column of a table."""

_EPOCH_1904 = 2_082_844_800  # seconds from 1904-01-01 to 1970-01-01 (ISO/IEC 14496-12, 8.2.2)
_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SHORT = 1 << 14
_SWAP = sys.byteorder == "little"


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of the edit list: ``duration`` ticks of the movie show the track from ``media_time`` on."""

    duration: int
    media_time: int


@dataclass(slots=True)
class ClipTables:
    """The samples of a clip, in decode order.

    ``durations`` and ``offsets`` are run-length pairs (count, value), as ``stts`` and ``ctts`` keep them;
    negative offsets are in two's complement. ``sync`` counts samples from 1. A chunk is a run of bytes of one
    original; ``entries`` are the sample entries and ``chunk_entries`` names one for each chunk, from 1.
    """

    durations: "array[int]" = field(default_factory=lambda: array("I"))
    offsets: "array[int]" = field(default_factory=lambda: array("I"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    sync: "array[int]" = field(default_factory=lambda: array("I"))
    chunk_bytes: "array[int]" = field(default_factory=lambda: array("Q"))
    chunk_samples: "array[int]" = field(default_factory=lambda: array("I"))
    chunk_entries: "array[int]" = field(default_factory=lambda: array("H"))
    entries: list[bytes] = field(default_factory=list)
    shapes: list[bytes] = field(default_factory=list)
    signed: bool = False
    media_duration: int = 0

    def entry_number(self, entry: bytes, shape: bytes) -> int:
        """The number of a sample entry, from 1; a new entry gets a new number."""
        if entry not in self.entries:
            self.entries.append(entry)
            self.shapes.append(shape)
        return self.entries.index(entry) + 1

    def add(self, entry: int, durations: "array[int]", offsets: "array[int]", sizes: "array[int]") -> int:
        """Append samples as one chunk; returns its length in bytes."""
        length = sum(sizes)
        self.chunk_bytes.append(length)
        self.chunk_samples.append(len(sizes))
        self.chunk_entries.append(entry)
        self.sizes.extend(sizes)
        _extend_runs(self.durations, durations)
        if min(offsets) < 0:
            self.signed = True
            offsets = array("I", offsets.tobytes())
        _extend_runs(self.offsets, offsets)
        self.media_duration += sum(durations)
        return length

    def wait(self, ticks: int) -> None:
        """Let the last sample, if there is one, last ``ticks`` longer."""
        if ticks <= 0 or not self.durations:
            return
        last = self.durations[-1]
        self.durations[-2] -= 1
        if not self.durations[-2]:
            del self.durations[-2:]
        _extend_runs(self.durations, array("I", (last + ticks,)))
        self.media_duration += ticks


def clip_head(tables: ClipTables, edits: Sequence[Edit], first_instant: int) -> tuple[list[Part], int]:
    """``ftyp``, ``moov`` and the head of ``mdat``, with their length.

    Consumes ``tables``: its columns are swapped in place. ``first_instant`` (µs) becomes the creation time.
    """
    payload = sum(tables.chunk_bytes)
    ftyp = box(b"ftyp", b"isom", bytes(4), b"isomiso4mp41", *sorted({e[4:8] for e in tables.entries}))
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + payload)  # always 64-bit: one layout for all lengths
    chunks = array("Q", tables.chunk_bytes)
    stbl = _sample_boxes(tables, chunks)
    moov = _moov(tables, edits, first_instant, stbl)
    length = len(ftyp) + sum(map(len, moov)) + len(mdat)
    at = length
    for index, size in enumerate(tables.chunk_bytes):
        chunks[index] = at
        at += size
    _big_endian(chunks)
    return _joined([ftyp, *moov, mdat]), length


def _moov(tables: ClipTables, edits: Sequence[Edit], first_instant: int, stbl: list[Part]) -> list[Part]:
    created = struct.pack(">QQ", *[first_instant // SECOND + _EPOCH_1904] * 2)
    shown = sum(edit.duration for edit in edits)
    shape = max(tables.shapes, key=lambda one: one[-8:])
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        created,
        struct.pack(">IQIH", TIMESCALE, shown, 0x10000, 0x100),
        bytes(10),
        _UNITY,
        bytes(24),
        struct.pack(">I", 2),
    )
    # flags 7: enabled, in the movie, in the preview
    tkhd = full_box(b"tkhd", 1, 7, created, struct.pack(">IIQ", 1, 0, shown), bytes(16), shape)
    elst = full_box(
        b"elst",
        1,
        0,
        struct.pack(">I", len(edits)),
        b"".join(struct.pack(">QqI", edit.duration, edit.media_time, 0x10000) for edit in edits),
    )
    mdhd = full_box(b"mdhd", 1, 0, created, struct.pack(">IQHH", TIMESCALE, tables.media_duration, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"\0")
    vmhd = full_box(b"vmhd", 0, 1, bytes(8))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = _nest(b"minf", [vmhd, dinf, *stbl])
    mdia = _nest(b"mdia", [mdhd, hdlr, *minf])
    trak = _nest(b"trak", [tkhd, box(b"edts", elst), *mdia])
    return _nest(b"moov", [mvhd, *trak])


def _sample_boxes(tables: ClipTables, chunks: "array[int]") -> list[Part]:
    entries = b"".join(tables.entries)
    parts: list[Part] = [full_box(b"stsd", 0, 0, struct.pack(">I", len(tables.entries)), entries)]
    parts += _column(b"stts", 0, len(tables.durations) // 2, tables.durations)
    if len(tables.offsets) > 2 or tables.offsets[1]:
        parts += _column(b"ctts", int(tables.signed), len(tables.offsets) // 2, tables.offsets)
    parts += _column(b"stss", 0, len(tables.sync), tables.sync)
    stsc = array("I")
    first = 1
    for (samples, entry), same in groupby(zip(tables.chunk_samples, tables.chunk_entries, strict=True)):
        stsc.extend((first, samples, entry))
        first += sum(1 for _ in same)
    parts += _column(b"stsc", 0, len(stsc) // 3, stsc)
    parts += _column(b"stsz", 0, len(tables.sizes), tables.sizes, struct.pack(">I", 0))
    # Filled in once the length of everything before mdat is known.
    head = struct.pack(">I4sII", 16 + 8 * len(chunks), b"co64", 0, len(chunks))
    parts += [head, memoryview(chunks).cast("B")]
    return _nest(b"stbl", parts)


def _column(kind: bytes, version: int, count: int, column: "array[int]", before: bytes = b"") -> list[Part]:
    """A full box whose body ends in a count and a column of 32-bit words."""
    size = 16 + len(before) + 4 * len(column)
    head = struct.pack(">I4sI", size, kind, version << 24) + before + struct.pack(">I", count)
    _big_endian(column)
    return [head, memoryview(column).cast("B")]


def _joined(parts: list[Part]) -> list[Part]:
    """The same bytes in fewer parts: short neighbours become one, long columns stay uncopied."""
    joined: list[Part] = []
    short: list[Part] = []
    for part in parts:
        if len(part) <= _SHORT:
            short.append(part)
            continue
        joined += [b"".join(short), part]
        short = []
    return [*joined, b"".join(short)]


def _nest(kind: bytes, parts: list[Part]) -> list[Part]:
    return [struct.pack(">I4s", 8 + sum(map(len, parts)), kind), *parts]


def _big_endian(column: "array[int]") -> None:
    if _SWAP:
        column.byteswap()


def _extend_runs(runs: "array[int]", values: "array[int]") -> None:
    """Append values as pairs (count, value); equal values extend the last pair."""
    if values.count(values[0]) == len(values):  # the common case, at the speed of C
        pairs = [(values[0], len(values))]
    else:
        pairs = [(value, sum(1 for _ in same)) for value, same in groupby(values)]
    first, count = pairs[0]
    if runs and runs[-1] == first:
        runs[-2] += count
        del pairs[0]
    for value, count in pairs:
        runs.append(count)
        runs.append(value)
