"""Which keyframes of a part are looked at, and where their bytes are. Only headers are read here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import accumulate

from archive.errors import IntegrityError
from archive.footage.clip.entries import track_shape
from archive.footage.clip.footage import HeaderSource
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.footage.reader import Reading
from archive.footage.skim.parts import PART, Part
from archive.model.segment import Codec, SegmentRef
from archive.timespan import SECOND, Timespan

DENSE = 3 * SECOND - SECOND // 10
"""Keyframes that follow the last one that is looked at sooner than this (µs) are skipped.

A keyframe costs about 10 ms to decode at 1080p. So with GOPs of 2 s every second one is looked at.
"""

DENSE_OPEN = 10 * SECOND - SECOND // 20
"""The same for H.264 with open GOPs, whose keyframes have to be decoded one by one."""

SLOT = 30 * SECOND
"""A sheet has one keyframe of every slot: :func:`chosen_in` says which."""

SLOTS = PART // SLOT

EARLY = 12 * SECOND
"""How far into a slot (µs) a segment may begin for its first keyframe to be the slot's.

Segments begin with a keyframe. So one header tells the place of a slot's keyframe, and not also that of the
segment in which the slot begins.
"""


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


@dataclass(frozen=True, slots=True)
class PartKeyframes:
    """The keyframes of a part that are looked at, in order; those of them for its sheet; what is damaged.

    They begin with the last one before the part, if :data:`~archive.footage.skim.parts.LEAD` has one.
    """

    looked_at: list[Keyframe]
    for_sheet: list[Keyframe]
    damaged: list[Damage]


def keyframes_in(part: Part, headers: HeaderSource) -> PartKeyframes:
    """The keyframes of a part.

    Raises:
        Unavailable: the store does not answer.
    """
    shown = _shown(part.reading)
    found: list[Keyframe] = []
    damaged: list[Damage] = []
    inside: dict[SegmentRef, list[Keyframe]] = {}
    for ref, header in _read_all(list(shown), headers):
        if isinstance(header, IntegrityError):
            damaged.append(Damage(ref.span, ref.key, header.code))
        else:
            inside[ref] = list(keyframes_of(ref, header))
            found += (one for one in inside[ref] if _within(one.at, shown[ref]))
    chosen = [one for slot in _slots_of(part, shown) if (one := slot.choose(inside)) is not None]
    found.sort(key=lambda one: one.at)
    before = [one for one in found if one.at < part.start][-1:]
    within = (one for one in found if part.start <= one.at < part.start + PART)
    return PartKeyframes([*before, *thinned(within, frozenset(chosen))], chosen, damaged)


def keyframes_for_sheets(parts: Sequence[Part], headers: HeaderSource) -> list[list[Keyframe]]:
    """The keyframe of every slot of each part that has one. A slot whose footage is damaged may have none.

    Headers are read for all of them together, and only those that are needed.

    Raises:
        Unavailable: the store does not answer.
    """
    slots = [_slots_of(part, _shown(part.reading)) for part in parts]
    inside: dict[SegmentRef, list[Keyframe]] = {}
    while wanted := dict.fromkeys(
        ref for each in slots for slot in each if (ref := slot.next_unread(inside)) is not None
    ):
        for ref, header in _read_all(list(wanted), headers):
            inside[ref] = [] if isinstance(header, IntegrityError) else list(keyframes_of(ref, header))
    return [[one for slot in each if (one := slot.choose(inside)) is not None] for each in slots]


@dataclass(slots=True)
class _Slot:
    """A slot, and the segments in which its keyframe is sought, in order, with where they are shown."""

    span: Timespan
    candidates: list[tuple[SegmentRef, Sequence[Timespan]]] = field(default_factory=list)

    def choose(self, inside: Mapping[SegmentRef, Sequence[Keyframe]]) -> Keyframe | None:
        """Its keyframe, from the keyframes of the segments that were read; damaged ones have none."""
        for ref, spans in self.candidates:
            found = self._first(inside.get(ref, ()), spans)
            if found is not None:
                return found
        return None

    def next_unread(self, inside: Mapping[SegmentRef, Sequence[Keyframe]]) -> SegmentRef | None:
        """The segment to be read next for it; None if it has its keyframe, or no segment is left."""
        for ref, spans in self.candidates:
            if ref not in inside:
                return ref
            if self._first(inside[ref], spans) is not None:
                return None
        return None

    def _first(self, keyframes: Sequence[Keyframe], spans: Sequence[Timespan]) -> Keyframe | None:
        mine = (one for one in keyframes if one.at in self.span and _within(one.at, spans))
        return min(mine, key=lambda one: one.at, default=None)


def _slots_of(part: Part, shown: Mapping[SegmentRef, Sequence[Timespan]]) -> list[_Slot]:
    """The slots of a part, each with its candidates: a segment that begins early in it comes first."""
    slots = [_Slot(Timespan(at, at + SLOT)) for at in range(part.start, part.start + PART, SLOT)]
    for slot in slots:
        mine = [(ref, spans) for ref, spans in shown.items() if ref.span.overlaps(slot.span)]
        early = [one for one in mine if slot.span.start <= one[0].span.start <= slot.span.start + EARLY][:1]
        slot.candidates = [*early, *(one for one in mine if one not in early)]
    return slots


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


def thinned(keyframes: Iterable[Keyframe], chosen: frozenset[Keyframe]) -> Iterator[Keyframe]:
    """Those that were chosen for a sheet, and those that do not come too soon after one that is looked at.

    :data:`DENSE` and :data:`DENSE_OPEN` say what is too soon.
    """
    last: Keyframe | None = None
    for one in keyframes:
        is_open = one.shape.codec == "h264" and one.ref.gop == "open"
        if last is None or one in chosen or one.at - last.at >= (DENSE_OPEN if is_open else DENSE):
            last = one
            yield one


def slot_of(part: int, at: int) -> int:
    """The number of the slot of an instant in the part that starts at ``part``."""
    return (at - part) // SLOT


def _shown(reading: Reading) -> dict[SegmentRef, list[Timespan]]:
    """The segments that a reading shows, in order, each with the stretches in which it is shown."""
    found: dict[SegmentRef, list[Timespan]] = defaultdict(list)
    for portion in reading.portions:
        for ref in portion.segments:
            found[ref].append(portion.span)
    return found


def _within(at: int, spans: Iterable[Timespan]) -> bool:
    return any(at in span for span in spans)


def _read_all(
    refs: Sequence[SegmentRef], headers: HeaderSource
) -> Iterator[tuple[SegmentRef, SegmentHeader | IntegrityError]]:
    """The headers in order, or what is wrong with a segment: a damaged one must not hide the others."""
    left = list(refs)
    while left:
        done = 0
        try:
            with closing(headers.read_all(left)) as found:
                for ref, header in found:
                    WallLine.of(ref, header.first_pts)
                    done += 1
                    yield ref, header
            return
        except IntegrityError as error:
            yield left[done], error
            del left[: done + 1]
