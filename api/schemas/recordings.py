"""Coverage, gaps and segments as JSON."""

from pydantic import BaseModel, Field

from archive.canonical import JsonObject
from archive.model.segment import SegmentRef
from archive.timespan import format_instant


class CameraSpanOut(BaseModel):
    """A half-open span of one camera."""

    camera: str
    start: str = Field(alias="from")
    end: str = Field(alias="to")


class CoverageOut(CameraSpanOut):
    """Footage of one run."""

    run: str


class CameraGapOut(CameraSpanOut):
    """A stretch without footage, and its cause."""

    cause: str


class RecordingsOut(BaseModel):
    """What is covered, what is not, and what is still on its way: together the whole span of each camera."""

    coverage: list[CoverageOut]
    gaps: list[CameraGapOut]
    pending: list[CameraSpanOut]


class SegmentOut(CameraSpanOut):
    """One segment: an immutable object of the archive."""

    run: str
    seq: int
    sha256: str
    bytes: int
    codec: str
    gop: str
    held: bool
    key: str


class SegmentsPage(BaseModel):
    """Some segments by start, camera, run and number; ``next`` is the cursor that goes on, or null."""

    segments: list[SegmentOut]
    next: str | None


def segment_json(ref: SegmentRef) -> JsonObject:
    """A segment as answers write it."""
    return {
        "camera": ref.camera,
        "from": format_instant(ref.span.start),
        "to": format_instant(ref.span.end),
        "run": ref.run,
        "seq": ref.seq,
        "sha256": ref.sha256,
        "bytes": ref.size,
        "codec": ref.codec,
        "gop": ref.gop,
        "held": ref.held,
        "key": ref.key,
    }
