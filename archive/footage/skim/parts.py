"""Parts: ten minutes of one camera, the unit in which footage is skimmed and cached.

A part's *name* is a hash of the segments that it shows now. Footage that is disposed of, replaced or arrives
late gives another name, so that nothing made from other footage is ever found under it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from archive.errors import Malformed
from archive.footage.clip.exact import clip_etag
from archive.footage.reader import Reading
from archive.model.segment import SegmentRef
from archive.ports import SegmentIndex
from archive.timespan import MINUTE, SpanSet, Timespan, as_datetime, parse_instant

PART = 10 * MINUTE
LEAD = MINUTE
"""How far before a part its first keyframe may be compared with: a part's first step begins there."""

FORMAT = b"saksi-skim/2\n"
"""Names what is made of a part. Any change to it must change this, so that older copies are not found."""

_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Ten minutes from ``start`` (a multiple of ten minutes, UTC), as the index has them now.

    ``reading`` also has the footage of :data:`LEAD` before.
    """

    camera: str
    start: int
    reading: Reading
    name: str

    @property
    def span(self) -> Timespan:
        """The ten minutes."""
        return Timespan(self.start, self.start + PART)

    @property
    def recorded(self) -> Timespan | None:
        """From the first to the last footage in the ten minutes themselves; None if there is none."""
        found = list(self.reading.coverage.within(self.span))
        return Timespan(found[0].start, found[-1].end) if found else None


def starts_in(span: Timespan) -> range:
    """The starts of the parts that a span touches."""
    return range(span.start - span.start % PART, span.end, PART)


def skimmed_span(start: int) -> Timespan:
    """The footage that a part is made of: the part, and :data:`LEAD` before it."""
    return Timespan(start - LEAD, start + PART)


def part_of(camera: str, start: int, segments: Iterable[SegmentRef]) -> Part:
    """A part, from segments of the camera in order of the index; others than its own are ignored.

    A part depends on its own segments alone, whatever else was asked for: one part, one name.
    """
    span = skimmed_span(start)
    mine = tuple(ref for ref in segments if ref.span.overlaps(span))
    coverage = SpanSet(ref.span for ref in mine).within(span)
    reading = Reading(camera, span, mine, coverage, (), SpanSet())
    return Part(camera, start, reading, sha256(FORMAT + clip_etag(reading).encode()).hexdigest()[:32])


def parts_of(camera: str, span: Timespan, segments: Sequence[SegmentRef]) -> list[Part]:
    """The parts that a span touches, from all segments of :func:`skimmed_span` of each of them."""
    return [part_of(camera, start, segments) for start in starts_in(span)]


def read_part(index: SegmentIndex, camera: str, start: int) -> Part:
    """The part as the index has it at this moment."""
    return part_of(camera, start, index.segments(camera, skimmed_span(start)))


def stamp_of(start: int) -> str:
    """The start of a part in names and addresses: ``20261124T0600Z``."""
    return as_datetime(start).strftime("%Y%m%dT%H%MZ")


def start_of(stamp: str) -> int:
    """Read a stamp. Raises Malformed ``bad_part`` unless it is the start of a part."""
    found = _STAMP.match(stamp)
    if found is not None:
        year, month, day, hour, minute = found.groups()
        try:
            start = parse_instant(f"{year}-{month}-{day}T{hour}:{minute}:00Z")
        except Malformed:
            start = 1
        if start % PART == 0:
            return start
    raise Malformed(
        f"{stamp[:20]!r} does not name ten minutes",
        code="bad_part",
        hint="Take the sheet's address from the answer of /v1/cameras/<camera>/sprites.",
    )
