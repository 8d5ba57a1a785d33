"""Finalising: a closed or torn fragmented MP4 becomes a header-first segment (design §7).

The procedure; each step can be repeated, and a crash between any two leaves the source unchanged:

1. read the source's fragments, up to the last whole one;
2. find the zeros that must be stripped (H.265 only; see :func:`archive.footage.mp4.nal.trailing_zeros`);
3. write ``ftyp moov moof mdat`` beside the target, hashing what is written;
4. fsync it, rename it to the target, fsync the folder.

Other sample bytes are untouched. Sound stands behind the last picture; where it is strange it is left out,
and that is stated (:mod:`archive.footage.mp4.sound_source`). The source is never changed or removed here: the
recorder decides that once the segment is archived. Memory: the size of the source, once.
"""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from archive.durable import BAD_SECTOR, disk_errors
from archive.errors import Malformed, NotFound, Unavailable
from archive.footage.mp4.boxes import bad_segment
from archive.footage.mp4.extent import contiguous_end, first_decodable_pts
from archive.footage.mp4.fragments import LONGEST_DURATION, Fragmented, read_fragments, sample_ranges
from archive.footage.mp4.head import settle_head
from archive.footage.mp4.header import SegmentHeader, parse_header, write_header
from archive.footage.mp4.nal import (
    NalKind,
    is_sequence_parameter_set,
    nal_kind,
    nal_units,
    trailing_zeros,
)
from archive.footage.mp4.parameters import Sets, described, fitting, in_force, of_sequences
from archive.footage.mp4.samples import SampleTable
from archive.footage.mp4.sound_source import PlacedSound, place_sound
from archive.footage.mp4.track import Track
from archive.model.segment import Codec

_VECTORS = 512
_MOST_SOURCE_BYTES = 4 << 30
"""300 s at 100 Mbit/s. The source is read whole and not mapped: a bad sector under a mapping would end the
process and all its cameras; a failed read is an error of this one segment."""

UNREADABLE = "spool_file_unreadable"
"""The code of :class:`Unavailable` for a source that the disk cannot read: no retry may ever help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalised:
    """The result of finalising.

    All times are ticks of 1/90000 s on the timeline of ``tfdt``. ``media_duration`` is the sum of decode
    durations: from ``header.first_pts`` to the first presentation time of the run's next segment.

    ``contiguous_end`` is where coverage ends if this is the run's last segment (``continues_at`` if it shows
    nothing that joins the previous one). ``first_decodable_pts`` is where coverage starts if this is the
    run's first (None: no sync at all, so nothing can be shown); see :mod:`archive.footage.mp4.extent`.
    ``undecodable`` counts the samples before the first sync. All of them are kept.

    ``prft`` lists (wall time in µs, presentation time) of the producer reference times. FFmpeg takes them
    from the camera's RTCP reports once it has one, and before that from the machine's own clock at the moment
    of writing. The two look alike; only those that advance exactly with the media are the camera's.

    ``parameter_sets`` lists (presentation time, digest) where the sequence parameter sets inside the stream
    first appear and where they change. Empty if the camera sends none in the stream. ``description`` is a
    digest of how the segment is described: another one than that of the segment before is a new picture size
    or profile, and needs a new run. ``sets`` are for the next source of the connection.

    ``stripped`` counts the zero bytes taken from the ends of H.265 NAL units.

    ``starts_at`` is the first decode time on the timeline of the connection, ``header.tfdt`` the same instant
    on that of the run. ``fragment_ends`` has, per fragment of the source, the offset of the byte after it and
    the number of samples up to there.

    ``sound_left_out`` says why the segment holds no sound although its source does; "" if it holds what there
    is. Samples, frames and durations are those of the pictures.
    """

    size: int
    header_bytes: int
    header: SegmentHeader
    sha256: str
    torn: bool
    frames: int
    media_duration: int
    contiguous_end: int
    first_decodable_pts: int | None
    undecodable: int
    prft: list[tuple[int, int]]
    parameter_sets: list[tuple[int, str]]
    description: str
    sets: Sets
    stripped: int
    starts_at: int
    fragment_ends: list[tuple[int, int]]
    sound_left_out: str = ""


def finalise(
    source: Path,
    target: Path,
    *,
    tfdt: int,
    continues_at: int | None = None,
    next_starts_at: int | None = None,
    durations: "array[int] | None" = None,
    sets: Sets = (),
) -> Finalised:
    """Rewrite ``source`` as the segment ``target``, whose first sample is decoded at ``tfdt``.

    ``next_starts_at`` is where the next source of the connection begins (:class:`Opening`): the last sample
    lasts until then. Without it FFmpeg's guess stands, which is false where the frame rate varies.

    ``durations`` replace those of the source, whose timestamps jumped (:mod:`archive.footage.mp4.bridge`).

    ``sets`` are :attr:`Finalised.sets` of the connection's previous source: what parameter sets its stream
    brought last, where they are not those that FFmpeg describes. A segment that begins with other pictures
    than described is described by them (:mod:`archive.footage.mp4.parameters`).

    ``continues_at`` is ``header.first_pts + media_duration`` of the run's previous segment, None for the
    run's first; it affects only ``contiguous_end``.

    When this returns, the target is durable. An existing target is replaced: the same source and ``tfdt``
    always give the same bytes. ``sha256`` is computed from the bytes as they are written.

    Raises:
        Malformed: ``torn_segment`` when the source holds no whole fragment (the recorder records a gap);
            ``codec_not_recorded`` when its pictures are neither H.264 nor H.265; ``bad_segment`` when they
            are not one track of 90,000 ticks per second.
        NotFound: ``no_source``.
        StoreFull: ``spool_full``; no target was made and the source is untouched.
        Unavailable: :data:`UNREADABLE` where the disk answers for the source that it cannot read it;
            ``spool_unavailable`` for other failures of the disk.
    """
    if not 0 <= tfdt < 1 << 62:
        raise Malformed(f"{tfdt} is not a decode time", code="bad_tfdt")
    recorded = memoryview(_read(source))
    found = settle_head(read_fragments(recorded))
    _let_last(found, next_starts_at)
    if durations is not None:
        found = replace(found, samples=replace(found.samples, durations=durations))
    repaired = durations is not None
    placed = place_sound(found.sound, found.samples, found.tfdt, tfdt, repaired=repaired)
    with disk_errors(target.name):
        return _finalise(recorded, found, placed, target, tfdt, continues_at, sets)


def _read(source: Path) -> bytes:
    with disk_errors(source.name):
        try:
            with source.open("rb", buffering=0) as opened:
                size = os.fstat(opened.fileno()).st_size
                if size > _MOST_SOURCE_BYTES:
                    raise bad_segment(f"{source.name} has {size} bytes, more than any segment")
                return opened.readall()
        except FileNotFoundError as error:
            raise NotFound(f"{source} is not there", code="no_source") from error
        except OSError as error:
            if error.errno not in BAD_SECTOR:
                raise
            raise Unavailable(
                f"{source} cannot be read: {error.strerror}",
                code="spool_file_unreadable",
                hint="Check the disk that holds the spool: it has bad sectors.",
            ) from error


def _finalise(
    source: memoryview,
    found: Fragmented,
    placed: PlacedSound,
    target: Path,
    tfdt: int,
    continues_at: int | None,
    sets: Sets,
) -> Finalised:
    stripped = _zeros_of(source, found)
    sizes = found.samples.sizes
    if stripped:
        sizes = array("I", sizes)
        for index, zeros in stripped.items():
            sizes[index] -= zeros
    samples = SampleTable(found.samples.durations, sizes, found.samples.offsets, found.samples.sync)
    first_sync = found.samples.sync.find(1)
    stated = described(found.track)
    brought = list(_brought(source, found))
    at_first, last = _in_force(found.track.codec, sets or stated, brought, first_sync)
    track = fitting(found.track, at_first, dict(brought).get(first_sync, ()))
    try:
        head = write_header(track, tfdt, samples, placed.sound)
        header = parse_header(head)
    except Malformed as error:
        if placed.sound is None:
            raise
        placed = PlacedSound(None, [], error.message)
        head = write_header(track, tfdt, samples)
        header = parse_header(head)
    sound = (source[start:end] for start, end in placed.stretches)
    sha256 = _write(target, head, chain(_payload(source, found, stripped), sound))
    times = header.presentation_times
    description = hashlib.sha256(b"".join((track.sample_entry, *of_sequences(track.codec, at_first))))
    return Finalised(
        size=header.size,
        header_bytes=len(head),
        header=header,
        sha256=sha256,
        torn=found.torn,
        frames=len(samples),
        media_duration=header.decode_duration,
        contiguous_end=contiguous_end(header, continues_at),
        first_decodable_pts=first_decodable_pts(header),
        undecodable=len(samples) if first_sync < 0 else first_sync,
        prft=[(wall, times[index]) for wall, index in found.references],
        parameter_sets=[(times[index], digest) for index, digest in _changes(track.codec, brought)],
        description=description.hexdigest(),
        sets=() if last == stated else last,
        stripped=sum(stripped.values()),
        starts_at=found.tfdt,
        fragment_ends=found.ends,
        sound_left_out=placed.left_out,
    )


def _let_last(found: Fragmented, next_starts_at: int | None) -> None:
    """Let the last sample last until the next source begins."""
    if next_starts_at is None:
        return
    durations = found.samples.durations
    lasts = next_starts_at - found.tfdt - (sum(durations) - durations[-1])
    if 0 < lasts <= LONGEST_DURATION:
        durations[-1] = lasts


def _zeros_of(source: memoryview, found: Fragmented) -> dict[int, int]:
    """How many zeros to strip from which samples.

    A sample whose NAL lengths do not add up is left unchanged: it is the record of what the camera sent.
    """
    if found.track.codec != "hevc":
        return {}
    zeros: dict[int, int] = {}
    for index, (start, end) in enumerate(sample_ranges(found.pieces, found.samples.sizes)):
        try:
            count = sum(
                trailing_zeros(source, unit, "hevc")
                for unit in nal_units(source, start, end, found.track.nal_length_size)
                if source[unit.end - 1] == 0
            )
        except Malformed:
            continue
        if count:
            zeros[index] = count
    return zeros


def _brought(source: memoryview, found: Fragmented) -> Iterator[tuple[int, list[bytes]]]:
    """The samples that bring parameter sets; these stand before a picture's slices."""
    track = found.track
    for index, (start, end) in enumerate(sample_ranges(found.pieces, found.samples.sizes)):
        first = start + track.nal_length_size
        if first < end and nal_kind(track.codec, source[first]) is NalKind.SLICE:
            continue  # most pictures begin so: nothing more is read of them
        sets: list[bytes] = []
        try:
            for unit in nal_units(source, start, end, track.nal_length_size):
                kind = nal_kind(track.codec, source[unit.start])
                if kind is NalKind.SLICE:
                    break
                if kind is NalKind.PARAMETER_SET:
                    sets.append(bytes(source[unit.start : unit.end]).rstrip(b"\0"))
        except Malformed:
            continue
        if sets:
            yield index, sets


def _in_force(
    codec: Codec, sets: Sets, brought: Iterable[tuple[int, list[bytes]]], first_sync: int
) -> tuple[Sets, Sets]:
    """The sets in force at the first keyframe, and after the last sample; ``sets`` are those from before."""
    at_first = sets
    for index, units in brought:
        sets = in_force(codec, sets, units)
        if index <= first_sync:
            at_first = sets
    return at_first, sets


def _changes(codec: Codec, brought: Iterable[tuple[int, list[bytes]]]) -> list[tuple[int, str]]:
    """The samples at which the sequence parameter sets in the stream appear or change, with their digest."""
    changes: list[tuple[int, str]] = []
    for index, units in brought:
        sequences = [unit for unit in units if is_sequence_parameter_set(codec, unit[0])]
        digest = hashlib.sha256(b"".join(sequences)).hexdigest()
        if sequences and (not changes or changes[-1][1] != digest):
            changes.append((index, digest))
    return changes


def _payload(source: memoryview, found: Fragmented, stripped: dict[int, int]) -> Iterator[memoryview | bytes]:
    """The sample bytes in decode order; where nothing is stripped, as whole stretches of the source."""
    if not stripped:
        yield from (source[piece.start : piece.end] for piece in found.pieces)
        return
    ranges = sample_ranges(found.pieces, found.samples.sizes)
    for index, (start, end) in enumerate(ranges):
        if index in stripped:
            yield _without_zeros(source, start, end, found.track)
        else:
            yield source[start:end]


def _without_zeros(source: memoryview, start: int, end: int, track: Track) -> bytes:
    parts: list[bytes | memoryview] = []
    for unit in nal_units(source, start, end, track.nal_length_size):
        last = unit.end - trailing_zeros(source, unit, track.codec)
        parts.append((last - unit.start).to_bytes(track.nal_length_size, "big"))
        parts.append(source[unit.start : last])
    return b"".join(parts)


def _write(target: Path, head: bytes, payload: Iterable[memoryview | bytes]) -> str:
    """Write head and payload durably to ``target``; returns the SHA-256 of both, in hexadecimal."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    digest = hashlib.sha256(head)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            _write_all(descriptor, [head])
            parts = iter(payload)
            while batch := list(islice(parts, _VECTORS)):
                for part in batch:
                    digest.update(part)
                _write_all(descriptor, batch)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(unfinished, target)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest.hexdigest()


def _write_all(descriptor: int, parts: list[memoryview | bytes]) -> None:
    written = os.writev(descriptor, parts)
    for part in parts:
        if written >= len(part):
            written -= len(part)
            continue
        rest = memoryview(part)[written:]
        written = 0
        while rest:
            rest = rest[os.write(descriptor, rest) :]
