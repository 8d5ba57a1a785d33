"""Which keyframes of a part are looked at, and where their bytes are. Only headers are read here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import accumulate

from archive.errors import IntegrityError
from archive.footage.clip.entries import track_shape
from archive.footage.clip.footage import HEADERS_AHEAD, read_header
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.footage.reader import Reading
from archive.footage.skim.parts import PART, Part
from archive.model.segment import Codec, SegmentRef
from archive.ports import ObjectStore
from archive.prefetch import in_order
from archive.timespan import SECOND, Timespan

DENSE = SECOND - SECOND // 20
"""Keyframes that follow the last one that is looked at sooner than this (µs) are skipped."""

DENSE_OPEN = 10 * SECOND - SECOND // 20
"""The same for H.264 with open GOPs, whose keyframes have to be decoded one by one."""

SLOT = 30 * SECOND
"""A sheet has the first keyframe of every slot."""

SLOTS = PART // SLOT


@dataclass(frozen=True, slots=True)
class Shape:
    """How samples of a segment are decoded: codec, sample entry, end of ``tkhd``, and pixels."""

    codec: Codec
    entry: bytes
    track: bytes
    width: int
    height: int
    nal_length_size: int


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One keyframe: its instant (µs), and ``size`` bytes at ``offset`` of its segment's object."""

    at: int
    ref: SegmentRef
    offset: int
    size: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment of which nothing could be looked at: its span, its object's key, and the error's code."""

    span: Timespan
    key: str
    code: str


def keyframes_in(
    part: Part, footage: ObjectStore, pool: Executor | None
) -> tuple[list[Keyframe], list[Damage]]:
    """The keyframes of a part that are looked at, in order, and its damaged segments.

    They begin with the last one before the part, if :data:`~archive.footage.skim.parts.LEAD` has one.

    Raises:
        Unavailable: the store does not answer.
    """
    shown = _shown(part.reading)
    found: list[Keyframe] = []
    damaged: list[Damage] = []
    for ref, header in in_order(lambda ref: (ref, _read(ref, footage)), shown, pool, ahead=HEADERS_AHEAD - 1):
        if isinstance(header, IntegrityError):
            damaged.append(Damage(ref.span, ref.key, header.code))
        else:
            found += (one for one in keyframes_of(ref, header) if _within(one.at, shown[ref]))
    found.sort(key=lambda one: one.at)
    before = [one for one in found if one.at < part.start][-1:]
    return [*before, *thinned(one for one in found if one.at >= part.start)], damaged


def keyframes_for_sheet(part: Part, footage: ObjectStore, pool: Executor | None) -> list[Keyframe]:
    """The first keyframe of every slot of a part that has one. A slot whose footage is damaged has none.

    Raises:
        Unavailable: the store does not answer.
    """
    shown = _shown(part.reading)
    slots = [Timespan(at, at + SLOT) for at in range(part.start, part.start + PART, SLOT)]
    found = in_order(lambda slot: _first_in(slot, shown, footage), slots, pool)
    return [one for one in found if one is not None]


def keyframes_of(ref: SegmentRef, header: SegmentHeader) -> Iterator[Keyframe]:
    """Every keyframe of a segment that has bytes, in decode order."""
    samples, pts = header.samples, header.presentation_times
    line = WallLine.of(ref, min(pts))
    shape = Shape(
        header.codec,
        header.sample_entry,
        track_shape(header.init),
        header.width,
        header.height,
        header.nal_length_size,
    )
    at = list(accumulate(samples.sizes, initial=header.header_bytes))
    for index in header.syncs:
        if not samples.sizes[index]:
            continue
        yield Keyframe(line.instant_of(pts[index]), ref, at[index], samples.sizes[index], shape)


def thinned(keyframes: Iterable[Keyframe]) -> Iterator[Keyframe]:
    """At most one keyframe a second, or in ten if their GOPs are open: those that come sooner are skipped."""
    last: int | None = None
    for one in keyframes:
        is_open = one.shape.codec == "h264" and one.ref.gop == "open"
        if last is None or one.at - last >= (DENSE_OPEN if is_open else DENSE):
            last = one.at
            yield one


def slot_of(part: int, at: int) -> int:
    """The number of the slot of an instant in the part that starts at ``part``."""
    return (at - part) // SLOT


def _first_in(
    slot: Timespan, shown: Mapping[SegmentRef, Sequence[Timespan]], footage: ObjectStore
) -> Keyframe | None:
    for ref, spans in shown.items():
        if not ref.span.overlaps(slot):
            continue
        header = _read(ref, footage)
        if isinstance(header, IntegrityError):
            continue
        inside = [one for one in keyframes_of(ref, header) if one.at in slot and _within(one.at, spans)]
        if inside:
            return min(inside, key=lambda one: one.at)
    return None


def _shown(reading: Reading) -> dict[SegmentRef, list[Timespan]]:
    """The segments that a reading shows, in order, each with the stretches in which it is shown."""
    found: dict[SegmentRef, list[Timespan]] = defaultdict(list)
    for portion in reading.portions:
        for ref in portion.segments:
            found[ref].append(portion.span)
    return found


def _within(at: int, spans: Iterable[Timespan]) -> bool:
    return any(at in span for span in spans)


def _read(ref: SegmentRef, footage: ObjectStore) -> SegmentHeader | IntegrityError:
    """The header, or what is wrong with the segment: one damaged segment must not hide the others."""
    try:
        header = read_header(ref, footage)
        WallLine.of(ref, header.first_pts)
    except IntegrityError as error:
        return error
    return header
