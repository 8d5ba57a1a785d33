"""Segments as players receive them over HLS and MSE.

With closed GOPs the stored bytes play unchanged; H.265 needs only another label in its initialisation. With
open GOPs players break, at the start and after a seek: a leading picture refers to a picture that the
decoder never received. Such a segment is viewed through a rewritten ``moof`` that leaves out the leading
pictures of every GOP. Frames are skipped only in viewing, and the viewer says so; never in a clip or in
evidence.

A player that was given sound stops where a segment has none, because it needs both tracks at each instant.
So a playlist has sound only where all its segments have it; else they are viewed through a rewritten ``moof``
and initialisation without it (:func:`pictures_of`).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate

from archive.errors import IntegrityError, Malformed
from archive.footage.clip.entries import shown_init
from archive.footage.clip.footage import FootageRange, stream_ranges
from archive.footage.clip.sound import decoded_alike
from archive.footage.mp4.boxes import Box, child
from archive.footage.mp4.header import SampleTable, SegmentHeader, write_header
from archive.footage.mp4.track import Track, read_track, write_init
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore


def viewing_init(header: SegmentHeader) -> bytes:
    """``ftyp`` and ``moov`` for a player: that of the segment, with H.265 labelled ``hvc1``."""
    return shown_init(header.init, header.sample_entry)


def pictures_of(header: SegmentHeader) -> SegmentHeader:
    """The header of a segment as if it had been recorded without sound; its pictures stay where they are."""
    return header if header.sound is None else replace(header, init=write_init(_track(header)), sound=None)


def heard_together(headers: Iterable[SegmentHeader]) -> bool:
    """Whether one player can play all these segments with their sound: each has some, and all are alike."""
    first = None
    for header in headers:
        if header.sound is None or (first is not None and not decoded_alike(first, header.sound)):
            return False
        first = header.sound
    return True


class ViewingSegment:
    """``moof`` and ``mdat`` of a segment without the leading pictures of any GOP; sound stays.

    It has ``size`` bytes, the same each time. ``skipped`` counts the frames left out.
    """

    def __init__(self, ref: SegmentRef, header: SegmentHeader, footage: ObjectStore) -> None:
        self._ref = ref
        self._footage = footage
        kept = _kept(header)
        if not kept:
            raise IntegrityError(f"{ref.key} has no sync sample", code="segment_unreadable")
        tfdt = header.tfdt + sum(header.samples.durations[: kept[0][0]])
        self.skipped = len(header.samples) - sum(end - start for start, end in kept)
        track, sound = _track(header), header.sound
        head = write_header(track, tfdt, _thinned(header, kept), sound)
        self._head = head[len(write_init(track, None if sound is None else sound.track)) :]
        at = list(accumulate(header.samples.sizes, initial=header.header_bytes))
        self._ranges = [(at[start], at[end] - at[start]) for start, end in kept]
        if sound is not None:
            self._ranges.append((sound.start, sum(sound.sizes)))
        self._ends = list(accumulate((length for _, length in self._ranges), initial=len(self._head)))
        self.size = self._ends[-1]

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """``length`` bytes from ``start``, or all the rest.

        Raises:
            Malformed: ``bad_range`` outside the segment.
            IntegrityError, Unavailable: as :func:`archive.footage.clip.footage.stream_ranges`.
        """
        end = self.size if length is None else start + length
        if not 0 <= start < end <= self.size:
            raise Malformed(f"the segment has {self.size} bytes, not {start} to {end}", code="bad_range")
        return self._stream(start, end)

    def source_of(self, start: int, end: int) -> tuple[int, int]:
        """From where to where the bytes ``[start, end)`` lie in the segment's object; equal if nowhere."""
        ranges = list(self._wanted(max(start, len(self._head)), end))
        return (ranges[0].start, ranges[-1].start + ranges[-1].length) if ranges else (0, 0)

    def _stream(self, start: int, end: int) -> Iterator[bytes]:
        if start < len(self._head):
            yield self._head[start:end]
        if end > len(self._head):
            yield from stream_ranges(self._wanted(max(start, len(self._head)), end), self._footage, None)

    def _wanted(self, start: int, end: int) -> Iterator[FootageRange]:
        number = bisect_right(self._ends, start) - 1
        while start < end:
            stop = min(end, self._ends[number + 1])
            skip = start - self._ends[number]
            yield FootageRange(self._ref, self._ranges[number][0] + skip, stop - start)
            start = stop
            number += 1


def _track(header: SegmentHeader) -> Track:
    return read_track(header.init, child(header.init, Box(b"file", 0, 0, len(header.init)), b"moov"))


def _kept(header: SegmentHeader) -> list[tuple[int, int]]:
    """Ranges of samples, in decode order, that are not leading pictures; syncs always stay."""
    pts, sync = header.presentation_times, header.samples.sync
    ranges: list[tuple[int, int]] = []
    shown: int | None = None
    for index, one in enumerate(pts):
        if sync[index]:
            shown = one
        if shown is None or one < shown:
            continue
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))
    return ranges


def _thinned(header: SegmentHeader, kept: list[tuple[int, int]]) -> SampleTable:
    """The table of the kept samples; each lasts until the next kept one, so that times stay."""
    samples = header.samples
    durations, sizes, offsets, sync = array("I"), array("I"), array("i"), bytearray()
    for number, (start, end) in enumerate(kept):
        following = kept[number + 1][0] if number + 1 < len(kept) else len(samples)
        durations.extend(samples.durations[start:end])
        durations[-1] += sum(samples.durations[end:following])
        sizes.extend(samples.sizes[start:end])
        offsets.extend(samples.offsets[start:end])
        sync += samples.sync[start:end]
    return SampleTable(durations, sizes, offsets, bytes(sync))
