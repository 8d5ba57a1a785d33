"""Invented sound for invented runs: each sample's size is its number, so that it is known wherever it is."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.footage.mp4.header import SegmentHeader, write_header
from archive.footage.mp4.sound import Sound
from archive.footage.mp4.track import Track, write_init
from archive.model.segment import TIMESCALE, SegmentRef
from tests.support import fragmented

Footage = list[tuple[SegmentRef, SegmentHeader]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound sample: its number, whose it is, and from when to when it sounds on the run's timeline."""

    number: int
    ref: SegmentRef
    start: int
    end: int
    timescale: int


def entry(rate: int) -> bytes:
    """A sample entry of AAC in mono that states a bit rate, so that two may differ and be decoded alike."""
    made = bytearray(fragmented.sound_entry())
    made[-9] = rate
    return bytes(made)


def with_sound(
    footage: Footage,
    *,
    first: int = 1,
    timescale: int = 8000,
    lasts: Sequence[int] = (1024,),
    late: int = 0,
    holes: Sequence[int] = (),
    silent: Sequence[int] = (),
    stated: int = 0,
) -> Footage:
    """Segments of one run with sound that goes on from one to the next.

    ``late`` are ticks of sound by which it begins after the first picture (negative: before it, and then some
    is in no segment). Samples last what ``lasts`` says in turn. Segments numbered in ``silent`` have none;
    before those numbered in ``holes`` there is a hole of three samples.
    """
    number, at = first, None
    made: Footage = []
    for index, (ref, header) in enumerate(footage):
        begin = header.first_pts * timescale // TIMESCALE + late
        if at is None:
            at = max(0, begin)
        if index in holes:
            at += 3 * lasts[0]
        end = (header.tfdt + header.decode_duration) * timescale // TIMESCALE + late
        durations: list[int] = []
        start = at
        while at < end:
            durations.append(lasts[len(durations) % len(lasts)])
            at += durations[-1]
        if index in silent or not durations:
            made.append((ref, header))
            continue
        sound = Sound(
            sample_entry=entry(stated),
            timescale=timescale,
            channels=1,
            tfdt=start,
            durations=array("I", durations),
            sizes=array("I", range(number, number + len(durations))),
            start=header.header_bytes + sum(header.samples.sizes),
        )
        number += len(durations)
        made.append((ref, replace(header, sound=sound)))
    return made


def heard_in(footage: Footage) -> list[Heard]:
    """All samples of the segments, in order."""
    return [
        Heard(size, ref, at, at + lasts, header.sound.timescale)
        for ref, header in footage
        if header.sound is not None
        for size, at, lasts in zip(
            header.sound.sizes, header.sound.times, header.sound.durations, strict=True
        )
    ]


def written(track: Track, header: SegmentHeader) -> bytes:
    """The header as the bytes that a recorder writes."""
    return write_header(track, header.tfdt, header.samples, header.sound)


def init_of(track: Track, header: SegmentHeader) -> bytes:
    """Its initialisation."""
    return write_init(track, None if header.sound is None else header.sound.track)
