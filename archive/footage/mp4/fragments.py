"""A fragmented MP4 as FFmpeg writes it while recording: closed in order, or torn by a crash.

``ftyp moov (prft? moof mdat)* mfra``. Fragments are the unit of loss: a torn source is read up to its last
whole fragment. FFmpeg writes ``mfra`` at an orderly close; without it the source is torn.

Decode times. Inside a fragment the durations of ``trun`` apply; the last sample of a fragment lasts until
the ``tfdt`` of the next one. An edit list is ignored on purpose: FFmpeg derives it from the first sample of
each segment, so it shifts segments that start with an open GOP more than their neighbours. ``trun`` keeps
presentation − decode time as it was in the stream: the same shift over a whole run.

The first ``tfdt`` of a source is its place on the timeline of the connection. Sources of one connection can
be compared: the last sample of one lasts until the first of the next. Sources of recorders before 0.2 all
begin at 0.

A source may hold sound in a second track; a fragment then has samples of one of the two or of both
(:mod:`archive.footage.mp4.sound_source`).
"""

import struct
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box, Readable, bad_segment, boxes, child, fields, whole_box_at
from archive.footage.mp4.fragment_boxes import picture_traf, read_tfdt, read_tfhd
from archive.footage.mp4.nal import nal_units
from archive.footage.mp4.samples import MAX_SAMPLES, SampleTable, read_trun
from archive.footage.mp4.sound_source import SoundReader, SourceSound
from archive.footage.mp4.track import Track, read_track

_NTP_TO_UNIX = 2_208_988_800
_WORD = struct.Struct(">I")
_REFERENCE = struct.Struct(">IIQ")
LONGEST_DURATION = 0xFFFF_FFFF
_MFRO_BYTES = 16


@dataclass(frozen=True, slots=True)
class SampleBytes:
    """Where the bytes of consecutive samples lie, without a hole: ``[start, end)`` of the source."""

    start: int
    end: int
    samples: int


@dataclass(frozen=True, slots=True)
class Fragmented:
    """A fragmented source, read up to its last whole fragment.

    ``references`` are the producer reference times (``prft``): wall time in µs, and the index of the first
    sample after it. ``ends`` has, per fragment, the offset of the byte after it and the number of samples up
    to there. ``tfdt`` is the decode time of the first sample on the connection's timeline. ``torn`` says that
    the source was not closed in order. Samples, pieces and ends are those of the pictures alone.
    """

    track: Track
    samples: SampleTable
    pieces: list[SampleBytes]
    references: list[tuple[int, int]]
    ends: list[tuple[int, int]]
    tfdt: int
    torn: bool
    sound: SourceSound = field(default_factory=SourceSound)


@dataclass(slots=True)
class _Columns:
    """The sample table while it grows."""

    durations: "array[int]" = field(default_factory=lambda: array("I"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    offsets: "array[int]" = field(default_factory=lambda: array("i"))
    sync: bytearray = field(default_factory=bytearray)

    def extend(self, table: SampleTable) -> None:
        self.durations.extend(table.durations)
        self.sizes.extend(table.sizes)
        self.offsets.extend(table.offsets)
        self.sync += table.sync


@dataclass(frozen=True, slots=True)
class _Fragment:
    tfdt: int
    table: SampleTable
    pieces: list[SampleBytes]
    references: list[int]
    end: int


def read_fragments(source: Readable) -> Fragmented:
    """Read the whole source.

    A torn source ends at the last fragment that is whole and valid. A source that was closed in order is
    read to its end or not at all: damage in its middle must not quietly cost the footage behind it.

    Raises:
        Malformed: ``torn_segment`` if there is no whole fragment; ``bad_segment`` if whole boxes have
            impossible content.
    """
    size = len(source)
    torn = not _closed_in_order(source)
    track: Track | None = None
    sound: SoundReader | None = None
    fragments: list[_Fragment] = []
    moof: Box | None = None
    walls: list[int] = []
    at = 0
    while (found := whole_box_at(source, at, size)) is not None:
        at = found.end
        if found.kind == b"moov" and track is None:
            track = read_track(source, found)
            sound = SoundReader(source, found)
        elif found.kind == b"prft":
            walls.append(_read_prft(source, found))
        elif found.kind == b"moof":
            moof = found
        elif found.kind == b"mdat" and moof is not None:
            if track is None or sound is None:
                raise bad_segment("a moof stands before moov")
            try:
                traf = picture_traf(source, moof, track, has_sound=sound.is_there)
                if traf is not None:
                    fragments.append(_read_fragment(source, track, moof, traf, found, walls))
            except Malformed:
                if not torn:
                    raise
                break
            sound.read(moof, found)
            moof, walls = None, []
    if not torn and at != size:
        raise bad_segment(f"the source was closed in order, but no box ends at byte {at} of {size}")
    heard = SourceSound()
    if track is not None and torn:
        _drop_damaged_tail(source, track, fragments)
    if sound is not None and fragments:
        heard = sound.result(torn=torn, end=fragments[-1].end if torn else size)
    fragments = [fragment for fragment in fragments if len(fragment.table)]
    if track is None or not fragments:
        raise Malformed(
            f"{size} bytes hold no whole fragment",
            code="torn_segment",
            hint="Nothing in it can be shown; record its time as a gap.",
        )
    return _join(track, fragments, torn, heard)


def _closed_in_order(source: Readable) -> bool:
    """Whether ``mfra`` ends the source: ``mfro``, its last box, repeats its length."""
    size = len(source)
    last = whole_box_at(source, size - _MFRO_BYTES, size) if size > _MFRO_BYTES else None
    if last is None or last.kind != b"mfro":
        return False
    (length,) = fields(source, last, _WORD, 4)
    mfra = whole_box_at(source, size - length, size) if _MFRO_BYTES < length <= size else None
    return mfra is not None and mfra.kind == b"mfra" and mfra.end == size


def _join(track: Track, fragments: list[_Fragment], torn: bool, sound: SourceSound) -> Fragmented:
    columns = _Columns()
    pieces: list[SampleBytes] = []
    references: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []
    last_tfdt = 0
    for fragment in fragments:
        if columns.sizes:
            lasts = fragment.tfdt - last_tfdt
            if 0 < lasts <= LONGEST_DURATION:
                columns.durations[-1] = lasts
        references.extend((wall, len(columns.sizes)) for wall in fragment.references)
        columns.extend(fragment.table)
        pieces.extend(fragment.pieces)
        ends.append((fragment.end, len(columns.sizes)))
        last_tfdt = fragment.tfdt + sum(fragment.table.durations) - fragment.table.durations[-1]
    if len(columns.sizes) > MAX_SAMPLES:
        raise bad_segment(f"the segment holds {len(columns.sizes)} samples")
    table = SampleTable(columns.durations, columns.sizes, columns.offsets, bytes(columns.sync))
    return Fragmented(track, table, pieces, references, ends, fragments[0].tfdt, torn, sound)


def _read_fragment(
    source: Readable, track: Track, moof: Box, traf: Box, mdat: Box, walls: list[int]
) -> _Fragment:
    defaults, base = read_tfhd(source, child(source, traf, b"tfhd"), track, moof)
    tfdt = read_tfdt(source, child(source, traf, b"tfdt"))
    tables: list[SampleTable] = []
    pieces: list[SampleBytes] = []
    at, samples = mdat.body, 0
    for trun in (found for found in boxes(source, traf.body, traf.end, "traf") if found.kind == b"trun"):
        offset, table = read_trun(source, trun, defaults)
        start = at if offset is None else base + offset
        at = start + sum(table.sizes)
        if start < mdat.body or at > mdat.end:
            raise bad_segment(f"trun at byte {trun.start} points outside the mdat that follows it")
        samples += len(table)
        if samples > MAX_SAMPLES:
            raise bad_segment(f"the fragment at byte {moof.start} holds too many samples")
        tables.append(table)
        pieces.append(SampleBytes(start, at, len(table)))
    return _Fragment(tfdt, _joined(tables), pieces, walls, mdat.end)


def _joined(tables: list[SampleTable]) -> SampleTable:
    """The tables of one fragment as one; FFmpeg writes one."""
    if len(tables) == 1:
        return tables[0]
    columns = _Columns()
    for table in tables:
        columns.extend(table)
    return SampleTable(columns.durations, columns.sizes, columns.offsets, bytes(columns.sync))


def _read_prft(source: Readable, prft: Box) -> int:
    """The wall time of a ``prft`` in µs since the Unix epoch, rounded."""
    _, _, ntp = fields(source, prft, _REFERENCE)
    return ((ntp * 1_000_000 + (1 << 31)) >> 32) - _NTP_TO_UNIX * 1_000_000


def _drop_damaged_tail(source: Readable, track: Track, fragments: list[_Fragment]) -> None:
    """Drop last fragments whose bytes never reached the disk: after a power cut they read as zeros."""
    while fragments:
        last = fragments[-1]
        try:
            for start, end in sample_ranges(last.pieces, last.table.sizes):
                for _ in nal_units(source, start, end, track.nal_length_size):
                    pass
        except Malformed:
            fragments.pop()
        else:
            return


def sample_ranges(pieces: Iterable[SampleBytes], sizes: "array[int]") -> Iterator[tuple[int, int]]:
    """Where each sample lies in the source, in decode order."""
    index = 0
    for piece in pieces:
        at = piece.start
        for size in sizes[index : index + piece.samples]:
            yield at, at + size
            at += size
        index += piece.samples
