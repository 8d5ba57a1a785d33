"""The exact clip ``[from, to)``: a plain MP4 that exists only as a plan (design: clips and playback).

Its header is built in memory from the segments' headers; its sample bytes stay in the store until they are
read. It uses no FFmpeg and no temporary file, and re-encodes nothing. Size and ETag are known before the
first byte, and any byte range can be read alone. The same request over the same segments always gives the
same bytes: no clock, random number or environment variable goes in. ``docs/design/clips.md`` describes the
layout.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from itertools import accumulate, islice, pairwise

from archive.attended import each
from archive.canonical import JsonObject
from archive.errors import Malformed, Refused
from archive.footage.choice import RunSpan
from archive.footage.clip.cut import Cut, Piece, cut_portions
from archive.footage.clip.footage import FootageRange, HeaderSource, StoredHeaders, stream_ranges
from archive.footage.clip.joins import starts_anew
from archive.footage.clip.run_changes import RunChange, at_keyframes
from archive.footage.clip.tables import clip_head
from archive.footage.reader import GapSpan, Portion, Reading
from archive.model.segment import TIMESCALE, SegmentRef
from archive.ports import ObjectStore, SegmentIndex
from archive.timespan import HOUR, SECOND, SpanSet, Timespan

LAYOUT, SOUND_LAYOUT = 1, 2
"""Name the layout of a clip without sound, and that of one with it, which is the same but for the sound. Any
change to the bytes of an answer must change it: it is part of every ETag. Packages state it, because the
verifier keeps every layout that was published."""

SHORTEST = SECOND
LONGEST = 2 * HOUR

_CHUNK = 1 << 18

PENDING = "pending"
UNDECODABLE = "undecodable"


class NoFootage(Refused):
    """No part of the span can be shown; ``gaps`` give the cause for each part."""

    default_code = "no_footage"

    def __init__(self, message: str, gaps: Sequence[GapSpan]) -> None:
        super().__init__(message, hint="See the gaps for the causes, or request another span.")
        self.gaps = tuple(gaps)


class NotJoinable(NoFootage):
    """The span has footage, but from connections that no decoder can show in one stream.

    ``spans`` are parts of the span; each makes a clip alone (of 1 s at least).
    """

    default_code = "clip_not_joinable"

    def __init__(self, message: str, gaps: Sequence[GapSpan], spans: Sequence[Timespan]) -> None:
        super().__init__(message, gaps)
        self.spans = tuple(spans)
        self.hint = "Request each part alone: " + ", ".join(map(str, spans))


class Clip:
    """One exact clip, ready to be read. Safe to share between threads.

    ``actual`` is the wall time from the first frame shown to the end of the last. The hidden times (µs) and
    ``hidden_frames`` measure the footage outside the span that is in the bytes because frames refer to it;
    any tool can reveal it. ``duration_us`` is the playing time: the shown frames, without the gaps. ``etag``
    is a strong entity tag, quotes included. ``sound`` names the codec of its sound (RFC 6381), None without;
    ``hidden_sound_us`` measures the sound that is in the bytes and not heard. ``run_changes`` are the changes
    of run while both have footage.
    """

    def __init__(
        self,
        reading: Reading,
        made: Cut,
        shown_from: int,
        earlier: Sequence[SegmentRef],
        footage: ObjectStore,
        pool: Executor | None,
        run_changes: Sequence[RunChange] = (),
    ) -> None:
        self.camera = reading.camera
        self.asked = reading.span
        self.actual = Timespan(shown_from, max(made.shown_to, shown_from + 1))
        self.duration_us = sum(edit.duration for edit in made.edits) * SECOND // TIMESCALE
        self.frames = made.frames
        self.hidden_frames = made.hidden_frames
        self.hidden_preroll_us = _ticks_to_us(made.preroll)
        self.hidden_tail_us = _ticks_to_us(made.tail)
        self.pieces: tuple[Piece, ...] = tuple(made.pieces)
        self.layout = SOUND_LAYOUT if made.sound.sizes else LAYOUT
        self.sound = made.sound_codec
        self.hidden_sound_us = made.sound.hidden_us
        self.gaps = all_gaps(reading, made.undecodable)
        self.others: tuple[RunSpan, ...] = reading.others
        self.run_changes = tuple(run_changes)
        self.etag = clip_etag(reading, earlier, self.layout)
        self._footage = footage
        self._pool = pool
        self._head, self.head_size = clip_head(made.tables, made.edits, shown_from, made.sound)
        self._piece_ends = list(accumulate((piece.length for piece in self.pieces), initial=self.head_size))
        self.size = self._piece_ends[-1]
        self._sha256: str | None = None

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """``length`` bytes from ``start``, or all the rest; nothing else is read.

        Raises:
            Malformed: ``bad_range`` outside the clip, before anything is read.
            IntegrityError: an original is missing or too short.
            Unavailable: the store stopped answering.
        """
        end = self.size if length is None else start + length
        if not 0 <= start < end <= self.size:
            raise Malformed(f"the clip has {self.size} bytes, not {start} to {end}", code="bad_range")
        return self._stream(start, end)

    def footage_us(self, start: int, length: int) -> int:
        """The time (µs) of footage in these bytes: each piece's in proportion to its bytes, rounded up.

        Pictures and sound of one time count once: the longer of the two.
        """
        total, end = {"pictures": 0, "sound": 0}, start + length
        for number in range(max(0, bisect_right(self._piece_ends, start) - 1), len(self.pieces)):
            low, high = max(start, self._piece_ends[number]), min(end, self._piece_ends[number + 1])
            if low >= high:
                break
            piece = self.pieces[number]
            total[piece.track] -= -piece.span.duration * (high - low) // piece.length
        return max(total.values())

    def digest(self) -> str:
        """SHA-256 of the whole clip in hex. The first call reads each original's part; later calls do not."""
        if self._sha256 is None:
            sha256 = hashlib.sha256()
            for chunk in each(self.stream()):
                sha256.update(chunk)
            self._sha256 = sha256.hexdigest()
        return self._sha256

    def outline(self) -> JsonObject:
        """:meth:`describe` without ``sha256``, which needs all the footage to be read."""
        at = self._piece_ends
        return {
            "asked": self.asked.to_json(),
            "actual": self.actual.to_json(),
            "hidden_preroll_us": self.hidden_preroll_us,
            "hidden_tail_us": self.hidden_tail_us,
            "frames": self.frames,
            "hidden_frames": self.hidden_frames,
            "bytes": self.size,
            "pieces": [_piece_json(piece, at[number]) for number, piece in enumerate(self.pieces)],
            "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in self.gaps],
            "others": others_json(self.others),
            "sound": self.sound,
            "hidden_sound_us": self.hidden_sound_us,
            "layout": self.layout,
            **({"run_changes": [one.to_json() for one in self.run_changes]} if self.run_changes else {}),
        }

    def describe(self) -> JsonObject:
        """The clip's description, as ``saksi clip --json`` prints it."""
        return self.outline() | {"sha256": self.digest()}

    def _stream(self, start: int, end: int) -> Iterator[bytes]:
        at = 0
        footage: Iterator[bytes] = iter(())
        if end > self.head_size:
            # Opened before the head is given: the store answers while the head is being sent.
            footage = stream_ranges(self._ranges(max(start, self.head_size), end), self._footage, self._pool)
        for part in self._head:
            if at >= end:
                return
            for low in range(max(0, start - at), min(len(part), end - at), _CHUNK):
                yield bytes(part[low : min(low + _CHUNK, end - at)])
            at += len(part)
        yield from footage

    def _ranges(self, start: int, end: int) -> Iterator[FootageRange]:
        number = bisect_right(self._piece_ends, start) - 1
        while start < end:
            piece = self.pieces[number]
            skip = start - self._piece_ends[number]
            while self._piece_ends[number + 1] < end and self._touches(number):
                number += 1  # one read: a segment's sound stands right behind its last picture
            stop = min(end, self._piece_ends[number + 1])
            yield FootageRange(piece.ref, piece.original_offset + skip, stop - start)
            start = stop
            number += 1

    def _touches(self, number: int) -> bool:
        """Whether the next piece begins in its segment where this one ends."""
        one, other = self.pieces[number : number + 2]
        return one.ref == other.ref and one.original_offset + one.length == other.original_offset


def plan_clip(
    reading: Reading,
    footage: ObjectStore,
    *,
    pool: Executor | None = None,
    earlier: Sequence[SegmentRef] = (),
    headers: HeaderSource | None = None,
) -> Clip:
    """Plan the exact clip of a reading's span.

    ``pool`` reads headers and opens footage in parallel; this pays for a store behind a network, not for
    files. ``earlier`` is the result of :func:`earlier_segments`. Without it, if the span begins within
    leading pictures, its first frames cannot be shown and are stated as a gap of cause ``undecodable``.
    ``headers`` may keep headers that were read before; without it they are read from the segments.

    Raises:
        Malformed: ``clip_too_short`` under 1 s, ``clip_too_long`` over 2 h.
        NoFootage: ``no_footage``, with the gaps.
        NotJoinable: ``clip_not_joinable``, with the parts that can be had.
        IntegrityError: a segment is missing or contradicts the index.
        Unavailable: the store does not answer.
    """
    check_length(reading.span)
    source = StoredHeaders(footage, pool) if headers is None else headers
    changes: list[RunChange] = []
    shown: Sequence[Portion] = reading.portions
    if reading.others:
        shown, changes = at_keyframes(shown, reading.segments, source, footage)
    portions = _portions(reading, earlier, shown)
    with closing(source.read_all([ref for _, refs in portions for ref in refs])) as found:
        made = cut_portions((span, islice(found, len(refs))) for span, refs in portions)
    if made.shown_from is None:
        raise no_footage(reading, made.undecodable)
    check_joins(reading, made, footage)
    return Clip(reading, made, made.shown_from, earlier, footage, pool, changes)


def check_joins(reading: Reading, made: Cut, footage: ObjectStore) -> None:
    """Refuse a clip over runs whose pictures a decoder would mix up, or whose sound needs another decoder.

    :mod:`archive.footage.clip.joins` has the rule for pictures, :mod:`archive.footage.clip.sound` for sound.

    Raises:
        NotJoinable: ``clip_not_joinable``, with the parts that can be had.
        IntegrityError, Unavailable: as :func:`plan_clip`.
    """
    codec = made.pieces[0].ref.codec  # players use the first sample entry's codec for the whole track
    bad = [join.at for join in made.joins if join.codec != codec or not starts_anew(join, footage)]
    bad = sorted({*bad, *made.sound_breaks})
    if not bad:
        return
    edges = [reading.span.start, *bad, reading.span.end]
    spans = [Timespan(*edge) for edge in pairwise(edges) if edge[1] - edge[0] >= SHORTEST]
    raise NotJoinable(
        f"camera {reading.camera} reconnected or changed its sound within {reading.span}, and no decoder"
        " plays the parts as one clip",
        all_gaps(reading, made.undecodable),
        spans,
    )


def check_length(span: Timespan) -> None:
    """Refuse clips out of bounds. Raises Malformed ``clip_too_short`` or ``clip_too_long``."""
    if span.duration < SHORTEST:
        raise Malformed(
            f"a clip of {span.duration} µs is too short", code="clip_too_short", hint="Request 1 s or more."
        )
    if span.duration > LONGEST:
        raise Malformed(
            f"a clip of {span.duration // SECOND} s is too long",
            code="clip_too_long",
            hint="Request at most 2 h, or let a sealing job collect the segments of a longer span.",
        )


def earlier_segments(reading: Reading, index: SegmentIndex) -> tuple[SegmentRef, ...]:
    """The segment before the first one of each run, if a clip may need it.

    With an open GOP the first frames of a segment are leading pictures, which refer to the previous segment.
    If the span begins at or after the end of that one, the reading does not include it.
    """
    firsts = {ref.run: ref for ref in reversed(reading.segments)}
    found: list[SegmentRef] = []
    for first in sorted(firsts.values(), key=lambda ref: (ref.span, ref.run)):
        if _begins_open(first, reading.span):
            before = Timespan(first.span.start - 1, first.span.start)
            told = index.segments(reading.camera, before)
            found += (ref for ref in told if (ref.run, ref.seq) == (first.run, first.seq - 1))
    return tuple(found)


def clip_etag(reading: Reading, earlier: Sequence[SegmentRef] = (), layout: int = LAYOUT) -> str:
    """The ETag of the clip of a reading, without reading a header: a hash of span, choice and segments.

    Segments never change, and they decide the ``layout``; without it the hash still names one clip.
    """
    sha256 = hashlib.sha256(b"saksi-clip/%d\n" % layout)
    sha256.update(f"{reading.camera} {reading.span.start} {reading.span.end}\n".encode())
    if reading.others:
        sha256.update(b"run_changes at keyframes\n")
    for span, refs in (*_portions(reading, earlier, reading.portions), *_beside(reading)):
        if reading.others:
            sha256.update(f"portion {span.start} {span.end}\n".encode())
        for ref in refs:
            line = f"{ref.sha256} {ref.run} {ref.seq} {ref.span.start} {ref.span.end} {ref.media_duration}\n"
            sha256.update(line.encode())
    return f'"{sha256.hexdigest()}"'


def all_gaps(reading: Reading, undecodable: Sequence[Timespan] = ()) -> tuple[GapSpan, ...]:
    """Every part of the span that cannot be shown, in order: gaps, pending time, undecodable frames."""
    found = [*reading.gaps, *(GapSpan(span, PENDING) for span in reading.pending)]
    found += [GapSpan(span, UNDECODABLE) for span in SpanSet(undecodable).within(reading.span)]
    return tuple(sorted(found, key=lambda gap: gap.span))


def others_json(others: Sequence[RunSpan]) -> list[JsonObject]:
    """Footage of runs where another run is shown, as answers state it."""
    return [one.span.to_json() | {"run": one.run} for one in others]


def no_clip_json(asked: Timespan, gaps: Sequence[GapSpan]) -> JsonObject:
    """:meth:`Clip.describe` of a span that has no clip, because it lies wholly in these gaps."""
    return {
        "asked": asked.to_json(),
        "actual": None,
        "hidden_preroll_us": 0,
        "hidden_tail_us": 0,
        "frames": 0,
        "hidden_frames": 0,
        "bytes": 0,
        "sha256": None,
        "pieces": [],
        "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in gaps],
        "others": [],
        "sound": None,
        "hidden_sound_us": 0,
        "layout": LAYOUT,
    }


def no_footage(reading: Reading, undecodable: Sequence[Timespan] = ()) -> NoFootage:
    """The refusal of a clip that has nothing to show."""
    gaps = all_gaps(reading, undecodable)
    causes = ", ".join(sorted({gap.cause for gap in gaps})) or "no frame falls into it"
    return NoFootage(f"camera {reading.camera} has no footage in {reading.span}: {causes}", gaps)


def _beside(reading: Reading) -> list[tuple[Timespan, tuple[SegmentRef, ...]]]:
    """What is shown nowhere: where a run changes it may decide at which keyframe."""
    shown = set(reading.shown)
    unseen = tuple(ref for ref in reading.segments if ref not in shown)
    return [(reading.span, unseen)] if unseen else []


def _portions(
    reading: Reading, earlier: Sequence[SegmentRef], portions: Sequence[Portion]
) -> list[tuple[Timespan, tuple[SegmentRef, ...]]]:
    """The portions of a reading, each with the segment before it that its leading pictures may refer to."""
    known = {(ref.run, ref.seq): ref for ref in (*reading.segments, *earlier)}
    found = []
    for portion in portions:
        first, refs = portion.segments[0], portion.segments
        before = known.get((first.run, first.seq - 1)) if _begins_open(first, portion.span) else None
        found.append((portion.span, refs if before is None else (before, *refs)))
    return found


def _begins_open(first: SegmentRef, span: Timespan) -> bool:
    """Whether a span may begin within leading pictures, which refer to the segment before its first."""
    return first.gop == "open" and first.seq > 0 and first.span.start <= span.start


def _piece_json(piece: Piece, clip_offset: int) -> JsonObject:
    return piece.span.to_json() | {
        "at_us": piece.at_us,
        "run": piece.ref.run,
        "seq": piece.ref.seq,
        "uncertainty_us": piece.ref.uncertainty_us,
        "frames": piece.frames,
        "hidden_frames": piece.hidden_frames,
        "original": piece.ref.key,
        "sha256": piece.ref.sha256,
        "original_offset": piece.original_offset,
        "clip_offset": clip_offset,
        "length": piece.length,
        "track": piece.track,
    }


def _ticks_to_us(ticks: int) -> int:
    """Rounded up: hidden footage is never understated."""
    return -(-ticks * SECOND // TIMESCALE)
