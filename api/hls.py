"""Playlists (RFC 8216bis) of one camera: VOD, growing ones, those of keyframes, and the one that names them.

Each piece is listed with its wall time (``EXT-X-PROGRAM-DATE-TIME``), with which players keep several
cameras in step. A new run or a missing segment is a discontinuity; every gap is an ``EXT-X-DATERANGE`` of
class ``saksi.gap`` with its cause. Segments are listed whole: a viewer who may see only a part of one must be
given a clip. Of several runs one is listed at a time (:mod:`archive.footage.choice`); the others are named
as ranges of class ``saksi.other-run``; where the run changes, up to one segment's time is listed twice.

A gap is not an ``EXT-X-GAP``: that marks a segment that is absent, so it needs an address for each target
duration of the gap. FFmpeg 5.1 asks for all of them; hls.js 1.7 stalls at the gap, reports an error, and
jumps over the time that the wall has to show (measured).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from api.grown_lists import Grown
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import all_gaps, no_footage
from archive.footage.reader import NOT_YET, GapSpan, Reading
from archive.model.segment import TIMESCALE, SegmentRef
from archive.timespan import SECOND, format_instant

MEDIA_TYPE = "application/vnd.apple.mpegurl"

GAP_CLASS = "saksi.gap"
OTHER_CLASS = "saksi.other-run"

_VERSION = 7  # EXT-X-MAP without I-frames needs 6, fragmented MP4 in practice 7
_KEYFRAMES = "#EXT-X-I-FRAMES-ONLY"


@dataclass(frozen=True, slots=True)
class Resource:
    """A URL, or ``length`` bytes of its content from ``start``; ``length`` 0 means all of it."""

    url: str
    start: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        if any(sign in self.url for sign in '"\r\n') or not self.url:
            raise Malformed(f"{self.url!r} cannot be used in a playlist", code="bad_url")


@dataclass(frozen=True, slots=True)
class View:
    """Where a player fetches one segment: its initialisation, if it needs one, and its pictures."""

    init: Resource | None
    media: Resource


@dataclass(frozen=True, slots=True)
class Piece:
    """What one entry of a playlist shows: from an instant (µs), for ``ticks`` of 1/90000 s of media time."""

    instant: int
    ticks: int
    media: Resource


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of one segment, and the initialisation that they need, if any."""

    init: Resource | None
    pieces: Sequence[Piece]


Lister = Callable[[SegmentRef], Listed]
"""Gives the entries of a segment."""


def stored_view(url: str, ref: SegmentRef, init_bytes: int) -> View:
    """The view of a segment as it is stored, if ``url`` serves the whole object.

    ``init_bytes`` is the length of ``ftyp`` and ``moov`` (``len(SegmentHeader.init)``), the same for a run.
    Only for H.264 with closed GOPs, and sound in every segment or in none: see
    :mod:`archive.footage.clip.viewing`.
    """
    return View(Resource(url, 0, init_bytes), Resource(url, init_bytes, ref.size - init_bytes))


def whole_segments(view: Callable[[SegmentRef], View]) -> Lister:
    """The lister of playlists for playing: one entry for each segment."""

    def listed(ref: SegmentRef) -> Listed:
        shown = view(ref)
        return Listed(shown.init, (Piece(ref.span.start, ref.media_duration, shown.media),))

    return listed


def check_playable(reading: Reading) -> None:
    """Check that there is something to play. Raises NoFootage with the gaps."""
    if not reading.segments:
        raise no_footage(reading)


def vod_playlist(reading: Reading, view: Callable[[SegmentRef], View]) -> str:
    """The playlist of a reading: the segments that it shows, in order and whole, its gaps and other runs.

    Raises:
        NoFootage: there is no segment to show.
    """
    return _finished(reading, whole_segments(view), ())


def keyframe_playlist(reading: Reading, listed: Lister) -> str:
    """The playlist of the keyframes of a reading (``EXT-X-I-FRAMES-ONLY``), for scrubbing.

    Raises:
        NoFootage: there is no segment to show.
    """
    return _finished(reading, listed, (_KEYFRAMES,))


def _finished(reading: Reading, listed: Lister, more: Sequence[str]) -> str:
    check_playable(reading)
    found = [(ref, listed(ref)) for ref in reading.shown]
    longest = max(1, *(_rounded(piece.ticks) for _, one in found for piece in one.pieces))
    lines = _head(reading, longest, "VOD", more)
    lines += [_gap(number, gap) for number, gap in enumerate(all_gaps(reading))]
    lines += [_other(number, one) for number, one in enumerate(reading.others)]
    writer = _Writer()
    for ref, one in found:
        lines += writer.add(ref, one)
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


@dataclass(slots=True)
class Growing:
    """A playlist of a span that is not over (``EVENT``). What it has listed stays as it is.

    It lists the segments up to the first instant about which the archive cannot say yet whether there is
    footage, so that none has to be inserted later. Footage that arrives behind that instant afterwards, from
    another recorder or an import, is in the next playlist of the span and not in this one. When the whole
    span is known, or a segment comes that is longer than the playlist promised, the list ends. Hold ``turn``
    while using it. ``firsts`` is for the caller: the first segment that it listed of each run, which serves
    the whole run with its initialisation. ``number`` is that of the list that it follows
    (:mod:`api.grown_lists`), 0 before there is one.
    """

    more: Sequence[str] = ()
    turn: threading.Lock = field(default_factory=threading.Lock)
    firsts: dict[str, int] = field(default_factory=dict)
    number: int = 0
    lines: list[str] = field(default_factory=list, init=False)
    _writer: "_Writer" = field(default_factory=lambda: _Writer(), init=False)
    _longest: int = field(default=0, init=False)
    _known: int = field(default=0, init=False)
    _gaps: int = field(default=0, init=False)
    _ended: bool = field(default=False, init=False)

    @classmethod
    def of_keyframes(cls) -> "Growing":
        """One that lists keyframes only."""
        return cls((_KEYFRAMES,))

    def follow(self, grown: Grown) -> None:
        """Become what the shared list is; what this one had beyond it is forgotten."""
        state = grown.state
        self.number = grown.number
        self.lines[grown.start :] = grown.lines
        self.firsts.clear()
        self.firsts.update(state["firsts"])
        last, init = state["last"], state["init"]
        self._writer = _Writer(last and _Last(*last), init and Resource(*init))
        self._longest, self._known, self._gaps = state["longest"], state["known"], state["gaps"]
        self._ended = state["ended"]

    def state(self) -> JsonObject:
        """Where it stands after its lines, for :meth:`follow` in another process."""
        last, init = self._writer.before, self._writer.init
        return {
            "firsts": dict(self.firsts),
            "last": last and [last.run, last.seq, last.end],
            "init": init and [init.url, init.start, init.length],
            "longest": self._longest,
            "known": self._known,
            "gaps": self._gaps,
            "ended": self._ended,
        }

    def text(self, reading: Reading, listed: Lister) -> str:
        """The playlist as of a reading of its span.

        Raises:
            NoFootage: there is nothing to list yet.
        """
        if not self._ended:
            self._grow(reading, listed)
        if not self.lines:
            raise no_footage(reading)
        return "\n".join([*self.lines, ""])

    def news(self, reading: Reading) -> list[SegmentRef]:
        """The segments of a reading that are to be listed next, in order."""
        if self._ended:
            return []
        until = settled_until(reading)
        last, found = self._writer.before, []
        for ref in reading.shown:
            if min(ref.span.end, reading.span.end) > until:
                break
            if last is None or _goes_beyond(last, ref):
                found.append(ref)
                last = _Last.of(ref)
        return found

    def _grow(self, reading: Reading, listed: Lister) -> None:
        for ref in self.news(reading):
            if not self._add(reading, ref, listed(ref)):
                return
        if self.lines and settled_until(reading) >= reading.span.end:
            self._name_gaps(reading, reading.span.end)
            self._end()

    def _add(self, reading: Reading, ref: SegmentRef, one: Listed) -> bool:
        longest = max((_rounded(piece.ticks) for piece in one.pieces), default=0)
        if not self.lines:
            # A segment is cut at a keyframe, so a later one may be longer.
            self._longest = max(1, longest + longest // 2)
            self._known = reading.span.start
            self.lines = _head(reading, self._longest, "EVENT", self.more)
        elif longest > self._longest:
            self._end()
            return False
        self._name_gaps(reading, ref.span.start)
        self.lines += self._writer.add(ref, one)
        self._known = max(self._known, ref.span.end)
        return True

    def _name_gaps(self, reading: Reading, until: int) -> None:
        for gap in all_gaps(reading):
            if self._known <= gap.span.start and gap.span.end <= until:
                self.lines.append(_gap(self._gaps, gap))
                self._gaps += 1
                self._known = gap.span.end

    def _end(self) -> None:
        self.lines.append("#EXT-X-ENDLIST")
        self._ended = True


def settled_until(reading: Reading) -> int:
    """The instant (µs) up to which no further footage of a reading's span is awaited."""
    open_from = [span.start for span in reading.pending]
    open_from += [gap.span.start for gap in reading.gaps if gap.cause == NOT_YET]
    return min(open_from, default=reading.span.end)


@dataclass(frozen=True, slots=True)
class Variant:
    """What the playlist of playlists says about one camera: addresses, and the media behind them.

    ``bandwidth`` is the highest rate of a segment in bits a second, ``codecs`` as RFC 6381 names them.
    ``sound`` is the codec of the sound that ``media`` has; keyframes have none.
    """

    media: Resource
    keyframes: Resource | None
    bandwidth: int
    codecs: Sequence[str]
    width: int
    height: int
    sound: str | None = None


def master_playlist(variant: Variant) -> str:
    """The multivariant playlist: one stream, and its keyframes for scrubbing if they have a playlist."""
    size = f"RESOLUTION={variant.width}x{variant.height}"
    shape = f'CODECS="{",".join(variant.codecs)}",{size}'
    heard = [*variant.codecs, *([variant.sound] if variant.sound else [])]
    rate = f"BANDWIDTH={max(1, variant.bandwidth)}"
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-STREAM-INF:{rate},CODECS="{",".join(heard)}",{size}',
        variant.media.url,
    ]
    if variant.keyframes is not None:
        lines.append(f'#EXT-X-I-FRAME-STREAM-INF:{rate},{shape},URI="{variant.keyframes.url}"')
    return "\n".join([*lines, ""])


def highest_rate(refs: Sequence[SegmentRef]) -> int:
    """The highest rate of some segments, in bits a second."""
    return max(8 * ref.size * TIMESCALE // max(1, ref.media_duration) for ref in refs)


@dataclass(frozen=True, slots=True)
class _Last:
    """Which segment was listed last, and the end of its wall time."""

    run: str
    seq: int
    end: int

    @classmethod
    def of(cls, ref: SegmentRef) -> "_Last":
        return cls(ref.run, ref.seq, ref.span.end)


@dataclass(slots=True)
class _Writer:
    """Writes the entries of segments in order; it knows the one before."""

    before: _Last | None = None
    init: Resource | None = None

    def add(self, ref: SegmentRef, one: Listed) -> list[str]:
        """The lines of the next segment."""
        lines = []
        if self.before is not None and not _goes_on(self.before, ref):
            lines.append("#EXT-X-DISCONTINUITY")
            self.init = None
        if one.init is not None and one.init != self.init:
            lines.append(f'#EXT-X-MAP:URI="{one.init.url}"{_map_range(one.init)}')
            self.init = one.init
        for piece in one.pieces:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{format_instant(piece.instant)}")
            lines.append(f"#EXTINF:{_decimal(piece.ticks, TIMESCALE)},")
            if piece.media.length:
                lines.append(f"#EXT-X-BYTERANGE:{piece.media.length}@{piece.media.start}")
            lines.append(piece.media.url)
        self.before = _Last.of(ref)
        return lines


def _head(reading: Reading, longest: int, kind: str, more: Sequence[str]) -> list[str]:
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{longest}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{kind}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *more,
    ]
    into = reading.span.start - reading.shown[0].span.start
    if into > 0:
        lines.append(f"#EXT-X-START:TIME-OFFSET={_decimal(into, SECOND)},PRECISE=YES")
    return lines


def _goes_beyond(last: _Last, ref: SegmentRef) -> bool:
    """Whether a segment shows something later than the last one."""
    return ref.span.end > last.end and (ref.run != last.run or ref.seq > last.seq)


def _goes_on(before: _Last, ref: SegmentRef) -> bool:
    return before.run == ref.run and before.seq + 1 == ref.seq


def _gap(number: int, gap: GapSpan) -> str:
    return (
        f'#EXT-X-DATERANGE:ID="gap-{number}",CLASS="{GAP_CLASS}",'
        f'START-DATE="{format_instant(gap.span.start)}",'
        f'DURATION={_decimal(gap.span.duration, SECOND)},X-CAUSE="{gap.cause}"'
    )


def _other(number: int, one: RunSpan) -> str:
    return (
        f'#EXT-X-DATERANGE:ID="other-{number}",CLASS="{OTHER_CLASS}",'
        f'START-DATE="{format_instant(one.span.start)}",'
        f'DURATION={_decimal(one.span.duration, SECOND)},X-RUN="{one.run}"'
    )


def _map_range(init: Resource) -> str:
    return f',BYTERANGE="{init.length}@{init.start}"' if init.length else ""


def _rounded(ticks: int) -> int:
    return (2 * ticks + TIMESCALE) // (2 * TIMESCALE)


def _decimal(count: int, unit: int) -> str:
    """``count / unit`` with six decimals, rounded half up, without floats."""
    millionths = (2 * count * 1_000_000 + unit) // (2 * unit)
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
