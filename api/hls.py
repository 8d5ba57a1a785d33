"""VOD playlists (RFC 8216bis), made from the index alone; no segment is read.

Each segment is listed with its wall time (``EXT-X-PROGRAM-DATE-TIME``), with which players keep several
cameras in step. A new run or a missing segment is a discontinuity; every gap is an ``EXT-X-DATERANGE`` of
class ``saksi.gap`` with its cause. Segments are listed whole: a viewer who may see only a part of one must be
given a clip. Of several runs one is listed at a time (:mod:`archive.footage.choice`); the others are named
as ranges of class ``saksi.other-run``; where the run changes, up to one segment's time is listed twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from archive.errors import Malformed
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import all_gaps, no_footage
from archive.footage.reader import GapSpan, Reading
from archive.model.segment import TIMESCALE, SegmentRef
from archive.timespan import SECOND, format_instant

MEDIA_TYPE = "application/vnd.apple.mpegurl"

GAP_CLASS = "saksi.gap"
OTHER_CLASS = "saksi.other-run"

_VERSION = 7  # EXT-X-MAP without I-frames needs 6, fragmented MP4 in practice 7


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


def stored_view(url: str, ref: SegmentRef, init_bytes: int) -> View:
    """The view of a segment as it is stored, if ``url`` serves the whole object.

    ``init_bytes`` is the length of ``ftyp`` and ``moov`` (``len(SegmentHeader.init)``), the same for a run.
    Only for H.264 with closed GOPs: see :mod:`archive.footage.clip.viewing`.
    """
    return View(Resource(url, 0, init_bytes), Resource(url, init_bytes, ref.size - init_bytes))


def check_playable(reading: Reading) -> None:
    """Check that there is something to play. Raises NoFootage with the gaps."""
    if not reading.segments:
        raise no_footage(reading)


def vod_playlist(reading: Reading, view: Callable[[SegmentRef], View]) -> str:
    """The playlist of a reading: the segments that it shows, in order and whole, its gaps and other runs.

    Raises:
        NoFootage: there is no segment to show.
    """
    check_playable(reading)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, *(_rounded(ref) for ref in reading.shown))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    into = reading.span.start - reading.shown[0].span.start
    if into > 0:
        lines.append(f"#EXT-X-START:TIME-OFFSET={_decimal(into, SECOND)},PRECISE=YES")
    lines += [_gap(number, gap) for number, gap in enumerate(all_gaps(reading))]
    lines += [_other(number, one) for number, one in enumerate(reading.others)]
    before: SegmentRef | None = None
    init: Resource | None = None
    for ref in reading.shown:
        shown = view(ref)
        if before is not None and not _goes_on(before, ref):
            lines.append("#EXT-X-DISCONTINUITY")
            init = None
        if shown.init is not None and shown.init != init:
            lines.append(f'#EXT-X-MAP:URI="{shown.init.url}"{_map_range(shown.init)}')
            init = shown.init
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{format_instant(ref.span.start)}")
        lines.append(f"#EXTINF:{_decimal(ref.media_duration, TIMESCALE)},")
        if shown.media.length:
            lines.append(f"#EXT-X-BYTERANGE:{shown.media.length}@{shown.media.start}")
        lines.append(shown.media.url)
        before = ref
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _goes_on(before: SegmentRef, ref: SegmentRef) -> bool:
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


def _rounded(ref: SegmentRef) -> int:
    return (2 * ref.media_duration + TIMESCALE) // (2 * TIMESCALE)


def _decimal(count: int, unit: int) -> str:
    """``count / unit`` with six decimals, rounded half up, without floats."""
    millionths = (2 * count * 1_000_000 + unit) // (2 * unit)
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
