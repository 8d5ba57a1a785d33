"""The sample tables of a clip while they grow, and as the boxes of its ``moov``: of pictures, and of sound.

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
from archive.footage.mp4.sound import Sound
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
    """One entry of the edit list: ``duration`` ticks of the movie show the track from ``media_time`` on.

    With ``media_time`` −1 the track is silent or hidden meanwhile.
    """

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
        last = _pop_run(self.durations)
        _extend_runs(self.durations, array("I", (last + ticks,)))
        self.media_duration += ticks


@dataclass(slots=True)
class SoundTables:
    """The sound samples of a clip, in order; empty if it has none. Columns as in :class:`ClipTables`.

    ``timescale`` is that of the track, in ticks a second. ``chunk_after`` says behind how many chunks of
    pictures each chunk stands. ``edits`` last ticks of the movie and begin at ticks of ``timescale``.
    """

    timescale: int = 0
    durations: "array[int]" = field(default_factory=lambda: array("I"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    chunk_bytes: "array[int]" = field(default_factory=lambda: array("Q"))
    chunk_samples: "array[int]" = field(default_factory=lambda: array("I"))
    chunk_entries: "array[int]" = field(default_factory=lambda: array("H"))
    chunk_after: "array[int]" = field(default_factory=lambda: array("I"))
    entries: list[bytes] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    media_duration: int = 0

    @property
    def movie_duration(self) -> int:
        """Ticks of the movie up to the end of the last edit."""
        return sum(edit.duration for edit in self.edits)

    @property
    def hidden_us(self) -> int:
        """How much of the sound is not heard (µs, rounded up): what a decoder needs, and parts of samples."""
        if not self.timescale:
            return 0
        heard = sum(edit.duration for edit in self.edits if edit.media_time >= 0) * SECOND // TIMESCALE
        return max(0, -(-self.media_duration * SECOND // self.timescale) - heard)

    def add(self, sound: Sound, low: int, high: int, pictures: int) -> int:
        """Append samples ``[low, high)`` of a segment behind ``pictures`` chunks; returns their bytes."""
        self.timescale = sound.timescale
        if sound.sample_entry not in self.entries:
            self.entries.append(sound.sample_entry)
        sizes, durations = sound.sizes[low:high], sound.durations[low:high]
        length = sum(sizes)
        self.chunk_bytes.append(length)
        self.chunk_samples.append(len(sizes))
        self.chunk_entries.append(self.entries.index(sound.sample_entry) + 1)
        self.chunk_after.append(pictures)
        self.sizes.extend(sizes)
        _extend_runs(self.durations, durations)
        self.media_duration += sum(durations)
        return length

    def let_last(self, ticks: int) -> None:
        """Let the last sample last so many ticks."""
        self.media_duration += ticks - _pop_run(self.durations)
        _extend_runs(self.durations, array("I", (ticks,)))

    def hear(self, at: int, edit: Edit) -> None:
        """Begin an edit at tick ``at`` of the movie, with silence up to there."""
        silent = at - self.movie_duration
        if silent > 0:
            self.edits.append(Edit(silent, -1))
        self.edits.append(edit)


def clip_head(
    tables: ClipTables, edits: Sequence[Edit], first_instant: int, sound: SoundTables | None = None
) -> tuple[list[Part], int]:
    """``ftyp``, ``moov`` and the head of ``mdat``, with their length.

    Consumes ``tables`` and ``sound``: columns are swapped in place. ``first_instant`` (µs) becomes the
    creation time. Without a sound sample the bytes are those of layout 1, with one those of layout 2.
    """
    sound = SoundTables() if sound is None else sound
    payload = sum(tables.chunk_bytes) + sum(sound.chunk_bytes)
    ftyp = box(b"ftyp", b"isom", bytes(4), b"isomiso4mp41", *sorted({e[4:8] for e in tables.entries}))
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + payload)  # always 64-bit: one layout for all lengths
    chunks = array("Q", tables.chunk_bytes)
    sound_chunks = array("Q", sound.chunk_bytes)
    moov = _moov(tables, edits, first_instant, _sample_boxes(tables, chunks), _sound(sound, sound_chunks))
    length = len(ftyp) + sum(map(len, moov)) + len(mdat)
    _place(length, (chunks, sound_chunks), sound.chunk_after)
    return _joined([ftyp, *moov, mdat]), length


def _place(at: int, tracks: "tuple[array[int], array[int]]", after: "array[int]") -> None:
    """Turn the lengths of both tracks' chunks into their offsets; the first one stands at ``at``."""
    pictures, sounds = tracks
    number = 0
    for index, size in enumerate(pictures):
        pictures[index] = at
        at += size
        while number < len(sounds) and after[number] == index + 1:
            size, sounds[number] = sounds[number], at
            at += size
            number += 1
    _big_endian(pictures)
    _big_endian(sounds)


def _moov(
    tables: ClipTables,
    edits: Sequence[Edit],
    first_instant: int,
    stbl: list[Part],
    sound: "tuple[SoundTables, list[Part]] | None",
) -> list[Part]:
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
        struct.pack(">I", 2 if sound is None else 3),
    )
    # flags 7: enabled, in the movie, in the preview
    tkhd = full_box(b"tkhd", 1, 7, created, struct.pack(">IIQ", 1, 0, shown), bytes(16), shape)
    mdhd = full_box(b"mdhd", 1, 0, created, struct.pack(">IQHH", TIMESCALE, tables.media_duration, 0x55C4, 0))
    vmhd = full_box(b"vmhd", 0, 1, bytes(8))
    traks = _trak(tkhd, edits, mdhd, b"vide", [vmhd, *stbl])
    if sound is not None:
        of, stbl = sound
        heard = of.edits or [Edit(shown, -1)]
        head = struct.pack(">IIQ", 2, 0, sum(edit.duration for edit in heard))
        volume = struct.pack(">HH", 0x100, 0)
        tkhd = full_box(b"tkhd", 1, 7, created, head, bytes(12), volume, _UNITY, bytes(8))
        head = struct.pack(">IQHH", of.timescale, of.media_duration, 0x55C4, 0)
        mdhd = full_box(b"mdhd", 1, 0, created, head)
        traks += _trak(tkhd, heard, mdhd, b"soun", [full_box(b"smhd", 0, 0, bytes(4)), *stbl])
    return _nest(b"moov", [mvhd, *traks])


def _trak(tkhd: bytes, edits: Sequence[Edit], mdhd: bytes, kind: bytes, media: list[Part]) -> list[Part]:
    """``media`` are the kind's own header and its sample tables."""
    elst = full_box(
        b"elst",
        1,
        0,
        struct.pack(">I", len(edits)),
        b"".join(struct.pack(">QqI", edit.duration, edit.media_time, 0x10000) for edit in edits),
    )
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), b"\0")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = _nest(b"minf", [media[0], dinf, *media[1:]])
    return _nest(b"trak", [tkhd, box(b"edts", elst), *_nest(b"mdia", [mdhd, hdlr, *minf])])


def _sample_boxes(tables: ClipTables, chunks: "array[int]") -> list[Part]:
    entries = b"".join(tables.entries)
    parts: list[Part] = [full_box(b"stsd", 0, 0, struct.pack(">I", len(tables.entries)), entries)]
    parts += _column(b"stts", 0, len(tables.durations) // 2, tables.durations)
    if len(tables.offsets) > 2 or tables.offsets[1]:
        parts += _column(b"ctts", int(tables.signed), len(tables.offsets) // 2, tables.offsets)
    parts += _column(b"stss", 0, len(tables.sync), tables.sync)
    return _nest(b"stbl", [*parts, *_places(tables, chunks)])


def _sound(tables: SoundTables, chunks: "array[int]") -> "tuple[SoundTables, list[Part]] | None":
    """The tables with their boxes, or None without a sample. Every sound sample is a sync."""
    if not tables.sizes:
        return None
    entries = b"".join(tables.entries)
    parts: list[Part] = [full_box(b"stsd", 0, 0, struct.pack(">I", len(tables.entries)), entries)]
    parts += _column(b"stts", 0, len(tables.durations) // 2, tables.durations)
    return tables, _nest(b"stbl", [*parts, *_places(tables, chunks)])


def _places(tables: ClipTables | SoundTables, chunks: "array[int]") -> list[Part]:
    """Which samples each chunk has, their sizes, and where the chunks begin.

    That is filled in once the length of everything before mdat is known.
    """
    stsc = array("I")
    first = 1
    for (samples, entry), same in groupby(zip(tables.chunk_samples, tables.chunk_entries, strict=True)):
        stsc.extend((first, samples, entry))
        first += sum(1 for _ in same)
    parts = _column(b"stsc", 0, len(stsc) // 3, stsc)
    parts += _column(b"stsz", 0, len(tables.sizes), tables.sizes, struct.pack(">I", 0))
    head = struct.pack(">I4sII", 16 + 8 * len(chunks), b"co64", 0, len(chunks))
    return [*parts, head, memoryview(chunks).cast("B")]


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


def _pop_run(runs: "array[int]") -> int:
    """Take the last value off pairs (count, value)."""
    last = runs[-1]
    runs[-2] -= 1
    if not runs[-2]:
        del runs[-2:]
    return last
