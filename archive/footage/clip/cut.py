"""Cutting: which samples of which segments make the clip ``[from, to)``, and how they are laid out.

Pure: segment headers in; sample tables, edits and pieces out. The rules, measured on B-frames, open GOPs and
H.265 in FFmpeg and in a browser, are those of ``docs/design/clips.md``:

1. The first sample of a stretch is the last sync, in decode order, that is shown no later than the first
   visible frame; the last sample is the last visible one in decode order. Invisible samples between them
   stay, because visible ones refer to them, and are counted: *pre-roll* before, *tail* after.
2. An edit shows from the first visible frame to the end of the span or of the stretch. Stretches share an
   edit if nothing is hidden between them, which every player understands; otherwise each has its own.
3. Leading pictures of a stretch's first sync are left out, and the sample before them lasts longer.
4. Only first samples and syncs without leading pictures are listed as sync.

A *stretch* is a series of segments on one seamless media timeline: one run, consecutive numbers. The clip
shows stretches one after the other, without the gap between them; each piece states its wall time.

A frame is visible when ``from ≤ wall < to``. The edit starts on the first visible frame itself and not at
``from``, because a player that starts between two frames shows the earlier one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import add
from typing import Literal

from archive.footage.clip.entries import shown_entry, track_shape
from archive.footage.clip.joins import Join
from archive.footage.clip.sound import SoundCutter, codec_of
from archive.footage.clip.tables import ClipTables, Edit, SoundTables
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import TIMESCALE, SegmentRef
from archive.timespan import SECOND, Timespan

_Ranges = list[tuple[int, int]]
"""Half-open ranges of sample indices, in order."""


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes from ``original_offset`` of a segment, unchanged in the clip.

    ``span`` is the wall time of the frames that it shows, and ``at_us`` their place in the clip, in µs of
    presentation. If it shows none (``frames`` is 0), both are those of its hidden frames. A piece of sound
    has no frames; both are those of its samples.
    """

    ref: SegmentRef
    original_offset: int
    length: int
    span: Timespan
    at_us: int
    frames: int
    hidden_frames: int
    track: Literal["pictures", "sound"] = "pictures"


@dataclass(slots=True)
class Cut:
    """The outcome. Frame counts cover the whole clip; hidden times are in ticks, summed over stretches.

    ``sound`` has no samples where no segment has any; ``sound_breaks`` are instants from which its sound
    needs another decoder, which no player provides.

    ``undecodable`` lists parts of the span whose frames exist but need a picture that was never recorded
    (leading pictures at a run's start). ``shown_from`` is the instant of the first visible frame, None
    without one, and ``shown_to`` the end of the last.
    """

    tables: ClipTables = field(default_factory=ClipTables)
    edits: list[Edit] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    sound: SoundTables = field(default_factory=SoundTables)
    sound_breaks: list[int] = field(default_factory=list)
    undecodable: list[Timespan] = field(default_factory=list)
    preroll: int = 0
    tail: int = 0
    shown_from: int | None = None
    shown_to: int = 0

    @property
    def frames(self) -> int:
        """Frames shown."""
        return sum(piece.frames for piece in self.pieces)

    @property
    def sound_codec(self) -> str | None:
        """The codec of its sound (RFC 6381), None without sound."""
        entries = self.sound.entries
        return codec_of(entries[0]) if entries else None

    @property
    def hidden_frames(self) -> int:
        """Frames that are in the clip and not shown."""
        return sum(piece.hidden_frames for piece in self.pieces)


Segments = Iterable[tuple[SegmentRef, SegmentHeader]]
"""Segments in order, with their headers."""


def cut(span: Timespan, segments: Segments) -> Cut:
    """Cut ``span`` out of segments in order; at most two of them are in memory at a time.

    Segments that end before the span are welcome: they serve as pre-roll of those that follow.
    """
    return cut_portions([(span, segments)])


def cut_portions(portions: Iterable[tuple[Timespan, Segments]]) -> Cut:
    """Cut several spans, in order and apart from one another, each out of its own segments as :func:`cut`."""
    cutter = _Cutter()
    for span, segments in portions:
        cutter.begin(span)
        for ref, header in segments:
            cutter.take(ref, header)
    return cutter.finish()


class _Timed:
    """A segment with the presentation times of its samples, in decode order."""

    __slots__ = ("header", "line", "next_tfdt", "pts", "ref")

    def __init__(self, ref: SegmentRef, header: SegmentHeader) -> None:
        self.ref = ref
        self.header = header
        self.pts = header.presentation_times
        self.line = WallLine.of(ref, min(self.pts))
        self.next_tfdt = header.tfdt + sum(header.samples.durations)

    def goes_on_in(self, other: "_Timed") -> bool:
        """Whether the other continues the same media timeline, without a seam."""
        return (
            self.ref.run == other.ref.run
            and self.ref.seq + 1 == other.ref.seq
            and self.next_tfdt == other.header.tfdt
            and self.header.sample_entry == other.header.sample_entry
            and max(self.pts) < other.line.first_pts
        )

    def next_sync(self, index: int) -> int:
        """The first sync after a sample, or the number of samples."""
        found = self.header.samples.sync.find(1, index + 1)
        return len(self.pts) if found < 0 else found

    def sync_for(self, shown: int) -> int | None:
        """The last sync, in decode order, that is shown at or before ``shown``."""
        index = len(self.pts)
        while (index := self.header.samples.sync.rfind(1, 0, index)) >= 0:
            if self.pts[index] <= shown:
                return index
        return None

    def first_between(self, low: int, end: int | None) -> int | None:
        """The smallest presentation time in ``[low, end)``; no upper edge if ``end`` is None."""
        return min((pts for pts in self.pts if low <= pts and (end is None or pts < end)), default=None)

    def stop_before(self, end: int | None) -> int:
        """The index after the last sample, in decode order, that is shown before ``end``."""
        stop = len(self.pts)
        if end is not None:
            while stop and self.pts[stop - 1] >= end:
                stop -= 1
        return stop

    def without_leading(self, index: int, stop: int) -> "_Ranges":
        """The samples from a sync to ``stop``, without the sync's leading pictures."""
        ranges: _Ranges = []
        start = index
        for leading in range(index + 1, min(self.next_sync(index), stop)):
            if self.pts[leading] < self.pts[index]:
                if start < leading:
                    ranges.append((start, leading))
                start = leading + 1
        if start < stop:
            ranges.append((start, stop))
        return ranges


class _Cutter:
    """Takes segments one by one; lays one out once it is known whether the next one continues it."""

    def __init__(self) -> None:
        self._span = Timespan(0, 1)
        self._latest: _Timed | None = None
        self._earlier: _Timed | None = None  # before the latest, until a frame of the stretch is visible
        self._stretch: _Stretch | None = None
        self._sound = SoundCutter()
        self._cut = Cut(sound=self._sound.tables, sound_breaks=self._sound.breaks)
        self._presented = 0  # ticks of presentation before the stretch
        self._composed_to = 0  # track time at which the earlier stretches end, hidden frames included
        self._shown_to: int | None = None  # the same for shown frames, if none is hidden after them

    def begin(self, span: Timespan) -> None:
        """From here on take segments for this span."""
        self.finish()
        self._span = span

    def take(self, ref: SegmentRef, header: SegmentHeader) -> None:
        if ref.span.start >= self._span.end:
            return
        timed = _Timed(ref, header)
        if self._latest is not None:
            if self._latest.goes_on_in(timed):
                self._lay_out(self._latest, None)
            else:
                self._end_stretch(self._latest)
        self._latest = timed

    def finish(self) -> Cut:
        if self._latest is not None:
            self._end_stretch(self._latest)
            self._latest = None
        return self._cut

    def _end_stretch(self, last: _Timed) -> None:
        shown_to = min(self._span.end, last.ref.span.end)
        if shown_to > self._span.start:
            end = last.line.tick_at(shown_to)
            self._lay_out(last, end)
            if self._stretch is not None:
                self._end_edit(self._stretch, last, end)
                self._sound.end(end)
                self._cut.shown_to = max(self._cut.shown_to, shown_to)
        self._stretch = None
        self._earlier = None

    def _end_edit(self, stretch: "_Stretch", last: _Timed, end: int) -> None:
        edits, start = self._cut.edits, stretch.shown_from + stretch.shift
        if stretch.shares_edit:
            before = edits.pop()
            edits.append(Edit(end + stretch.shift - before.media_time, before.media_time))
        else:
            edits.append(Edit(end - stretch.shown_from, start))
        self._presented = sum(edit.duration for edit in edits)
        stop = last.stop_before(end)
        hides = max(last.pts[:stop]) >= end
        self._shown_to = None if hides else end + stretch.shift
        self._composed_to = stretch.shift + max(map(add, last.pts[:stop], last.header.samples.durations))

    def _lay_out(self, timed: _Timed, end: int | None) -> None:
        """Lay out a segment; ``end`` (pts) is where the stretch ends, None if it goes on."""
        if self._stretch is None:
            self._begin(timed, end)
        else:
            stop = timed.stop_before(end)
            self._append(self._stretch, timed, [(0, stop)], stop, end)
            self._append_sound(self._stretch, timed, end)

    def _begin(self, timed: _Timed, end: int | None) -> None:
        """Open a stretch at the sync that the first visible frame needs, if any frame is visible."""
        first = None
        if timed.ref.span.end > self._span.start:
            first = timed.first_between(timed.line.tick_at(self._span.start), end)
        if first is None:
            self._earlier = timed
            return
        head, index = timed, timed.sync_for(first)
        if index is None and self._earlier is not None:
            head, index = self._earlier, self._earlier.sync_for(first)
        if index is None:
            head, index = timed, timed.next_sync(-1)
            decodable = None if index == len(timed.pts) else timed.first_between(timed.pts[index], end)
            self._note_undecodable(timed, first, decodable)
            if decodable is None:
                return
            first = decodable
        shown_from = max(self._span.start, timed.ref.span.start)
        self._stretch = stretch = self._open(head, index, first, shown_from)
        self._sound.begin(first, self._presented)
        self._cut.preroll += first - head.pts[index]
        if self._cut.shown_from is None:
            self._cut.shown_from = timed.line.instant_of(first)
        if head is not timed:
            stop = len(head.pts)
            self._append(stretch, head, head.without_leading(index, stop), stop, None)
            if _sounds_alike(head, timed):
                self._append_sound(stretch, head, None)
            index = 0
        stop = timed.stop_before(end)
        ranges = timed.without_leading(index, stop) if head is timed else [(0, stop)]
        self._append(stretch, timed, ranges, stop, end)
        self._append_sound(stretch, timed, end)

    def _open(self, head: _Timed, index: int, first: int, at: int) -> "_Stretch":
        """Make room on the track for a stretch whose first sample is sync ``index`` of ``head``.

        It is shown from the instant ``at``.
        """
        tables, samples = self._cut.tables, head.header.samples
        dts = head.header.tfdt + sum(samples.durations[:index])
        composed = tables.media_duration + head.pts[index] - dts
        shares_edit = self._shown_to is not None and head.pts[index] == first
        free = self._composed_to
        if shares_edit and self._shown_to is not None:
            free = self._shown_to
            self._presented += max(0, composed - free)  # the previous frame is shown longer by this
        # Runs differ in their composition offsets; without this the edit of one could show another's frames.
        tables.wait(free - composed)
        shift = tables.media_duration - dts
        if tables.sizes:
            start = head.header.header_bytes + sum(samples.sizes[:index])
            self._cut.joins.append(
                Join(
                    head.ref, head.header.codec, head.header.nal_length_size, start, samples.sizes[index], at
                )
            )
        return _Stretch(
            shown_from=first,
            shift=shift,
            entry=tables.entry_number(shown_entry(head.header.sample_entry), track_shape(head.header.init)),
            first_sample=len(tables.sizes) + 1,
            shares_edit=shares_edit,
        )

    def _note_undecodable(self, timed: _Timed, first: int, decodable: int | None) -> None:
        start = timed.line.instant_of(first)
        end = min(self._span.end, timed.ref.span.end)
        if decodable is not None:
            end = timed.line.instant_of(decodable)
        if start < end:
            self._cut.undecodable.append(Timespan(start, end))

    def _append(
        self, stretch: "_Stretch", timed: _Timed, ranges: "_Ranges", stop: int, end: int | None
    ) -> None:
        """Append ranges of a segment's samples; samples between the ranges, up to ``stop``, are left out."""
        tables, samples = self._cut.tables, timed.header.samples
        offset, counted = timed.header.header_bytes, 0
        for number, (start, until) in enumerate(ranges):
            offset += sum(samples.sizes[counted:start])
            counted = until
            following = ranges[number + 1][0] if number + 1 < len(ranges) else stop
            durations = samples.durations[start:until]
            durations[-1] += sum(samples.durations[until:following])
            self._list_syncs(stretch, timed, start, until)
            length = tables.add(
                stretch.entry, durations, samples.offsets[start:until], samples.sizes[start:until]
            )
            self._cut.pieces.append(self._piece(stretch, timed, (start, until), end, offset, length))
            offset += length

    def _append_sound(self, stretch: "_Stretch", timed: _Timed, end: int | None) -> None:
        """Append what a stretch needs of a segment's sound, behind its pictures."""
        if timed.header.sound is None:
            return
        taken = self._sound.take(
            timed.header.sound,
            timed.line.first_pts,
            end,
            instant=max(self._span.start, timed.ref.span.start),
            pictures=len(self._cut.tables.chunk_bytes),
        )
        if taken is None:
            return
        start, length, low, high = taken
        sounds_from = timed.line.instant_of(low)
        self._cut.pieces.append(
            Piece(
                ref=timed.ref,
                original_offset=start,
                length=length,
                span=Timespan(sounds_from, max(timed.line.instant_of(high), sounds_from + 1)),
                at_us=(self._presented + low - stretch.shown_from) * SECOND // TIMESCALE,
                frames=0,
                hidden_frames=0,
                track="sound",
            )
        )

    def _list_syncs(self, stretch: "_Stretch", timed: _Timed, start: int, until: int) -> None:
        """List the samples at which a decoder may start (rule 4)."""
        number = len(self._cut.tables.sizes) + 1 - start  # the clip's number of this segment's sample 0
        index = start
        while index < until:
            following = timed.next_sync(index)
            if timed.header.samples.sync[index] and (
                number + index == stretch.first_sample or min(timed.pts[index:following]) == timed.pts[index]
            ):
                self._cut.tables.sync.append(number + index)
            index = following

    def _piece(
        self,
        stretch: "_Stretch",
        timed: _Timed,
        part: tuple[int, int],
        end: int | None,
        offset: int,
        length: int,
    ) -> Piece:
        pts = timed.pts[slice(*part)]
        low, high = min(pts), max(pts)
        frames = len(pts)
        if low < stretch.shown_from or (end is not None and high >= end):
            visible = [one for one in pts if one >= stretch.shown_from and (end is None or one < end)]
            frames = len(visible)
            if visible:
                low, high = min(visible), max(visible)
            if end is not None:
                lasts = timed.header.samples.durations[slice(*part)]
                ends = [one + lasts[index] for index, one in enumerate(pts) if one >= end]
                self._cut.tail += max(ends, default=end) - end
        until = timed.first_between(high + 1, end)
        if until is not None:
            shown_to = timed.line.instant_of(until)
        elif frames:
            shown_to = min(self._span.end, timed.ref.span.end)
        else:
            shown_to = timed.ref.span.end
        shown_from = timed.line.instant_of(low)
        return Piece(
            ref=timed.ref,
            original_offset=offset,
            length=length,
            span=Timespan(shown_from, max(shown_to, shown_from + 1)),
            at_us=(self._presented + low - stretch.shown_from) * SECOND // TIMESCALE,
            frames=frames,
            hidden_frames=len(pts) - frames,
        )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch in progress; ``shift`` is track time − run time, ``first_sample`` its number, from 1.

    ``shares_edit`` says that the previous stretch's edit shows it too.
    """

    shown_from: int
    shift: int
    entry: int
    first_sample: int
    shares_edit: bool


def _sounds_alike(head: _Timed, following: _Timed) -> bool:
    """Whether the sound of the segment before the first one shown leads into that one's."""
    one, other = head.header.sound, following.header.sound
    if one is None or other is None:
        return False
    return (one.sample_entry, one.timescale) == (other.sample_entry, other.timescale)
