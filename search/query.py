"""Queries to an index, and its answers: frozen values without I/O.

All instants are µs of UTC and all spans are half-open. A segment matches a query when it overlaps the
query's span by at least one microsecond and passes every filter that is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name
from archive.model.camera import OwnerKind
from archive.model.gap import Gap, GapCause
from archive.model.segment import LONGEST_SEGMENT, SegmentRef
from archive.timespan import Timespan
from search.geo import Box, Circle

MAX_PAGE = 1000
MAX_FILTER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentQuery:
    """A span of time and filters on it.

    A filter of None admits everything. A filter that is *empty admits nothing*, so that an operator whose
    list of districts turns out empty sees nothing instead of the whole city. Place filters
    use the camera's place when the segment was recorded.

    Raises:
        Malformed: ``bad_id`` for an invalid camera id; ``bad_filter`` for an invalid area code or more than
            1,000 values.
    """

    span: Timespan
    cameras: tuple[str, ...] | None = None
    kecamatan: tuple[str, ...] | None = None
    owners: tuple[OwnerKind, ...] | None = None
    near: Circle | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        for values in (self.cameras, self.kecamatan, self.owners):
            if values is not None and len(values) > MAX_FILTER:
                raise Malformed(
                    f"a filter has {len(values)} values",
                    code="bad_filter",
                    hint=f"Give at most {MAX_FILTER}, or filter by place.",
                )
        for camera in self.cameras or ():
            check_name("camera", camera)
        for code in self.kecamatan or ():
            if not (code.isascii() and code.isprintable() and 0 < len(code) <= 32):
                raise Malformed(
                    f"{code!r} is not an area code", code="bad_filter", hint="It looks like 73.71.13."
                )

    @property
    def admits_nothing(self) -> bool:
        """Whether one of the filters is empty."""
        return any(
            values is not None and not values for values in (self.cameras, self.kecamatan, self.owners)
        )

    @property
    def earliest_start(self) -> int:
        """No segment that overlaps the span starts before this."""
        return self.span.start - LONGEST_SEGMENT


@dataclass(frozen=True, slots=True)
class Page:
    """Matches in order of (start, camera, run, seq), and the cursor of the next page (None at the end)."""

    items: tuple[SegmentRef, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RunCoverage:
    """Unbroken footage of one camera: consecutive segments of one run, clipped to the query.

    ``uncertainty_us`` is the largest that a segment of the run states within the query; None if nothing
    bounds the error of one of them (see :class:`archive.model.segment.ClockStatement`).
    """

    camera: str
    run: str
    span: Timespan
    uncertainty_us: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch inside a segment of the run in which, as its leaf states, no new picture came."""

    camera: str
    run: str
    span: Timespan


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCoverage:
    """The coverage of one camera in one UTC hour.

    ``covered`` and the values of ``gaps`` are µs inside the hour; ``bytes``, ``segments`` and ``held`` count
    the segments that *start* in it, so that sums over hours count each segment once.
    """

    camera: str
    hour: int
    covered: int
    bytes: int
    segments: int
    held: int
    gaps: Mapping[GapCause, int] = field(default_factory=dict)


class FootageSum(NamedTuple):
    """µs of footage of one camera in a bucket of whole hours that begins at ``start``."""

    camera: str
    start: int
    covered: int


@dataclass(frozen=True, slots=True)
class Document:
    """The newest known state of one ledger stream."""

    kind: str
    id: str
    version: int
    state: JsonObject


@dataclass(frozen=True, slots=True)
class Standing:
    """A camera's document and high-water mark at one moment."""

    document: Document | None
    high_water: int | None


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one camera's span: gap records by start, segments by start, run and seq."""

    gaps: tuple[Gap, ...]
    segments: tuple[SegmentRef, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last heartbeat of a recorder: its time (the recorder's own clock, µs) and the reported state."""

    recorder: str
    at: int
    state: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """The contents of an index.

    ``documents`` and ``records`` count by kind; ``cursors`` are journal batches by recorder.
    """

    kind: str
    location: str
    segments: int
    gaps: int
    runs: int
    documents: Mapping[str, int]
    records: Mapping[str, int]
    cursors: Mapping[str, int]
    first: int | None
    last: int | None

    def to_json(self) -> JsonObject:
        """The status as ``saksi index status --json`` prints it."""
        return {
            "kind": self.kind,
            "location": self.location,
            "segments": self.segments,
            "gaps": self.gaps,
            "runs": self.runs,
            "documents": dict(self.documents),
            "records": dict(self.records),
            "cursors": dict(self.cursors),
            "first": self.first,
            "last": self.last,
        }
