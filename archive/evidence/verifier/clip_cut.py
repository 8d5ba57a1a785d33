"""Layouts of clips, first half: which samples of which originals make a clip, and when each is shown.

docs/reference/evidence-package.md, *Layout 1*, is the specification; the numbers in comments are its rules.
*Layout 2* adds sound (:mod:`archive.evidence.verifier.clip_sound`).
Times of samples are ticks of 1/90000 s on their run's timeline, wall times are µs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add
from typing import Any

from archive.evidence.verifier import times
from archive.evidence.verifier.clip_sound import SoundCut
from archive.evidence.verifier.mp4 import BadMp4
from archive.evidence.verifier.original import Header, shown_entry

TICKS = 90_000


class Segment:
    """An original with its leaf: when its samples are shown, in ticks and in wall time."""

    def __init__(self, path: str, header: Header, leaf: dict[str, Any]) -> None:
        self.path = path
        self.header = header
        self.run: str = leaf["run"]
        self.seq: int = leaf["seq"]
        self.start: int = times.parse(leaf["start"])
        self.end: int = times.parse(leaf["end"])
        self._ticks: int = leaf["media_duration"]
        if self._ticks < 1:
            raise BadMp4("its leaf states no media duration")
        decoded = accumulate(header.durations, initial=header.tfdt)
        self.pts: array[int] = array("q", map(add, decoded, header.offsets))
        self.next_tfdt = header.tfdt + sum(header.durations)
        self.first: int = min(self.pts)
        self.samples = len(self.pts) + (0 if header.sound is None else len(header.sound.times))

    def tick(self, instant: int) -> int:
        """The smallest presentation time whose wall time is not before an instant (1)."""
        return self.first - (self.start - instant) * self._ticks // (self.end - self.start)

    def wall(self, pts: int) -> int:
        """The wall time of a presentation time (1)."""
        return self.start + (pts - self.first) * (self.end - self.start) // self._ticks

    def goes_on_in(self, other: Segment) -> bool:
        """Whether the other original continues the same stretch (2)."""
        return (
            (self.run, self.seq + 1, self.next_tfdt) == (other.run, other.seq, other.header.tfdt)
            and self.header.entry == other.header.entry
            and max(self.pts) < other.first
        )

    def earliest(self, low: int, end: int | None) -> int | None:
        """The smallest presentation time in ``[low, end)``."""
        return min((one for one in self.pts if low <= one and (end is None or one < end)), default=None)

    def sync_for(self, shown: int) -> int | None:
        """The last sync, in decode order, that is shown at ``shown`` or before (3)."""
        return next((one for one in reversed(self.header.syncs) if self.pts[one] <= shown), None)

    def after_last(self, end: int | None) -> int:
        """The number of samples up to the last one, in decode order, that is shown before ``end`` (4)."""
        stop = len(self.pts)
        while end is not None and stop and self.pts[stop - 1] >= end:
            stop -= 1
        return stop


@dataclass(frozen=True)
class CutPiece:
    """A chunk of a clip: the bytes of an original, the wall time of its frames, and how many it shows.

    A chunk of sound shows none, and has the wall time of its samples.
    """

    original: str
    original_offset: int
    length: int
    start: int
    end: int
    frames: int
    track: str = "pictures"


@dataclass(frozen=True)
class _Stretch:
    """Originals that continue one another, and what is shown of them.

    ``shown`` is the first shown frame, ``stop`` the presentation time before which the last one ends, and
    ``end`` (µs) the end of the span asked for. The first sample has the number ``first`` in the clip.
    """

    segments: list[Segment]
    shown: int
    stop: int
    end: int
    first: int

    def stop_in(self, one: Segment) -> int | None:
        """The presentation time before which it ends in an original; None where it goes on after it."""
        return self.stop if one is self.segments[-1] else None


@dataclass
class Cut:
    """The samples of a clip in decode order, its chunks, edits and entries, and what it shows.

    ``chunks`` are (samples, sample entry from 1); ``edits`` are [duration, media time]; ``entries`` are
    sample entries as clips have them, each with the shape of the first original that has it. ``hidden``
    counts frames; ``preroll`` and ``tail`` are ticks. ``undecodable`` lists spans of wall time; ``start`` is
    None where nothing is shown. ``sound`` is None for layout 1, which has none.
    """

    durations: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("i"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    syncs: array[int] = field(default_factory=lambda: array("I"))
    chunks: list[tuple[int, int]] = field(default_factory=list)
    edits: list[list[int]] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    shapes: list[bytes] = field(default_factory=list)
    pieces: list[CutPiece] = field(default_factory=list)
    undecodable: list[tuple[int, int]] = field(default_factory=list)
    start: int | None = None
    end: int = 0
    frames: int = 0
    hidden: int = 0
    preroll: int = 0
    tail: int = 0
    duration: int = 0
    sound: SoundCut | None = None
    _used_to: int = 0
    _shown_to: int | None = None

    def add(self, segments: list[Segment], start: int, end: int) -> None:
        """Append what these originals, in order, show of ``[start, end)``.

        Raises BadMp4 where they have sound and the layout has none.
        """
        if self.sound is None and any(one.header.sound is not None for one in segments):
            raise BadMp4("its originals have sound, which clips of layout 1 leave out")
        for stretch in _stretches([one for one in segments if one.start < end]):
            self._add_stretch(stretch, start, end)

    def _add_stretch(self, segments: list[Segment], start: int, end: int) -> None:
        last = segments[-1]
        until = min(end, last.end)
        if until <= start:
            return
        stop = last.tick(until)
        begin = self._begin(segments, start, until, stop)
        if begin is None:
            return
        number, sync, shown, shown_in = begin
        head = segments[number]
        stretch = _Stretch(segments, shown, stop, end, len(self.sizes) + 1)
        shift = self._join(head, sync, stretch)
        if self.sound is not None:
            self.sound.begin(shown, sum(duration for duration, _ in self.edits) - (stop - shown))
        for one in segments[number:]:
            upto = one.after_last(stretch.stop_in(one))
            ranges = _without_leading(one, sync, upto) if one is head else [(0, upto)]
            self._append(stretch, one, ranges, upto)
            if one is not head or shown_in == number or _sounds_alike(head, segments[shown_in]):
                self._append_sound(one, stretch.stop_in(one))
        if self.sound is not None:
            self.sound.end(stop)
        upto = last.after_last(stop)
        self._used_to = shift + max(map(add, last.pts[:upto], last.header.durations))
        self._shown_to = None if max(last.pts[:upto]) >= stop else stop + shift
        self.end = max(self.end, until)

    def _begin(
        self, segments: list[Segment], start: int, until: int, stop: int
    ) -> tuple[int, int, int, int] | None:
        """The original and the sync that a stretch begins with, the first frame it shows, and whose (3)."""
        for number, one in enumerate(segments):
            own_stop = stop if one is segments[-1] else None
            shown = one.earliest(one.tick(start), own_stop) if one.end > start else None
            if shown is None:
                continue
            wall = one.wall(shown)
            head, sync = number, one.sync_for(shown)
            if sync is None and number:
                head, sync = number - 1, segments[number - 1].sync_for(shown)
            if sync is None:
                syncs = one.header.syncs
                decodable = one.earliest(one.pts[syncs[0]], own_stop) if syncs else None
                lost_to = min(until, one.end) if decodable is None else one.wall(decodable)
                if wall < lost_to:
                    self.undecodable.append((wall, lost_to))
                if decodable is None:
                    continue
                head, sync, shown, wall = number, syncs[0], decodable, lost_to
            if self.start is None:
                self.start = wall
            return head, sync, shown, number
        return None

    def _join(self, head: Segment, sync: int, stretch: _Stretch) -> int:
        """Place a stretch on the track, behind what is there (5); returns track time − run time."""
        shown, stop = stretch.shown, stretch.stop
        dts = head.header.tfdt + sum(head.header.durations[:sync])
        placed = self.duration + head.pts[sync] - dts
        shares = self._shown_to is not None and head.pts[sync] == shown
        free = self._shown_to if shares and self._shown_to is not None else self._used_to
        if free > placed and self.durations:
            self.durations[-1] += free - placed
            self.duration += free - placed
        shift = self.duration - dts
        if shares:
            self.edits[-1][0] = stop + shift - self.edits[-1][1]
        else:
            self.edits.append([stop - shown, shown + shift])
        self.preroll += shown - head.pts[sync]
        entry = shown_entry(head.header.entry)
        if entry not in self.entries:
            self.entries.append(entry)
            self.shapes.append(head.header.shape)
        return shift

    def _append(self, stretch: _Stretch, one: Segment, ranges: list[tuple[int, int]], upto: int) -> None:
        """Append ranges of an original's samples, a chunk each; a sample left out prolongs the one before."""
        header = one.header
        entry = self.entries.index(shown_entry(header.entry)) + 1
        places = list(accumulate(header.sizes, initial=header.length))
        for (low, high), following in zip(ranges, [*(low for low, _ in ranges[1:]), upto]):
            self._list_syncs(stretch, one, low, high)
            self.durations.extend(array("q", header.durations[low:high]))
            self.durations[-1] += sum(header.durations[high:following])
            self.duration += sum(header.durations[low:following])
            self.offsets += header.offsets[low:high]
            self.sizes += header.sizes[low:high]
            self.chunks.append((high - low, entry))
            self._note(stretch, one, (low, high), (places[low], places[high]))

    def _append_sound(self, one: Segment, stop: int | None) -> None:
        """Append an original's sound behind its pictures, as a chunk and a piece (9, 12)."""
        sound = one.header.sound
        taken = None if self.sound is None or sound is None else self.sound.take(sound, one.first, stop)
        if taken is not None:
            start, end = one.wall(taken.low), one.wall(taken.high)
            self.pieces.append(
                CutPiece(one.path, taken.start, taken.length, start, max(end, start + 1), 0, "sound")
            )

    def _list_syncs(self, stretch: _Stretch, one: Segment, low: int, high: int) -> None:
        """List the syncs at which a decoder may start (4)."""
        syncs = one.header.syncs
        for sync, following in zip(syncs, [*syncs[1:], len(one.pts)]):
            number = len(self.sizes) + 1 + sync - low
            if low <= sync < high and (
                number == stretch.first or min(one.pts[sync:following]) == one.pts[sync]
            ):
                self.syncs.append(number)

    def _note(self, stretch: _Stretch, one: Segment, part: tuple[int, int], place: tuple[int, int]) -> None:
        """Note the piece of a chunk (6)."""
        pts, stop = one.pts[part[0] : part[1]], stretch.stop_in(one)
        visible = [at for at in pts if at >= stretch.shown and (stop is None or at < stop)]
        shown = visible or pts
        following = one.earliest(max(shown) + 1, stop)
        start = one.wall(min(shown))
        if following is not None:
            end = one.wall(following)
        else:
            end = min(stretch.end, one.end) if visible else one.end
        self.frames += len(visible)
        self.hidden += len(pts) - len(visible)
        if stop is not None:
            ends = map(add, pts, one.header.durations[part[0] : part[1]])
            self.tail += max((to for at, to in zip(pts, ends) if at >= stop), default=stop) - stop
        piece = CutPiece(one.path, place[0], place[1] - place[0], start, max(end, start + 1), len(visible))
        self.pieces.append(piece)


def _stretches(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Originals in order, grouped where each continues the one before (2)."""
    group: list[Segment] = []
    for one in segments:
        if group and not group[-1].goes_on_in(one):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _without_leading(one: Segment, sync: int, upto: int) -> list[tuple[int, int]]:
    """The samples from a sync on, without those that follow it and are shown before it (4)."""
    following = next((other for other in one.header.syncs if other > sync), len(one.pts))
    ranges = []
    low = sync
    for sample in range(sync + 1, min(following, upto)):
        if one.pts[sample] < one.pts[sync]:
            if low < sample:
                ranges.append((low, sample))
            low = sample + 1
    return [*ranges, (low, upto)] if low < upto else ranges


def _sounds_alike(one: Segment, other: Segment) -> bool:
    """Whether the sound of the original before the first one shown leads into that one's (9)."""
    before, after = one.header.sound, other.header.sound
    if before is None or after is None:
        return False
    return (before.entry, before.timescale) == (after.entry, after.timescale)
