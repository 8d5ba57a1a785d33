"""Coverage, gaps and segments as JSON."""

from pydantic import BaseModel, Field

from api.schemas.examples import FROM, HASH, KEY, RUN, TO
from archive.canonical import JsonObject
from archive.model.segment import SegmentRef
from archive.timespan import format_instant


class CameraSpanOut(BaseModel):
    """A half-open span of one camera."""

    camera: str = Field(examples=["cam-1"])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])


class CoverageOut(CameraSpanOut):
    """Footage of one run, and how far its times may be wrong.

    ``uncertainty_us`` is null where nothing bounds it: the recorder's clock was not synchronised.
    """

    run: str = Field(examples=[RUN])
    uncertainty_us: int | None = Field(examples=[40000])


class CameraGapOut(CameraSpanOut):
    """A stretch without footage, and its cause."""

    cause: str = Field(examples=["stalled"])


class RecordingsOut(BaseModel):
    """Coverage, gaps, and time still pending: together they make up the whole span of each camera.

    ``coverage`` has each instant once. ``others`` is the footage of other runs there. ``pauses`` are parts of
    the coverage in which no new picture came from the camera: the last one before them stands.
    """

    coverage: list[CoverageOut]
    gaps: list[CameraGapOut]
    pending: list[CameraSpanOut]
    others: list[CoverageOut]
    pauses: list[CameraSpanOut]


class SegmentOut(CameraSpanOut):
    """One segment: an immutable object of the archive; ``uncertainty_us`` as in the coverage."""

    run: str = Field(examples=[RUN])
    seq: int = Field(examples=[1])
    sha256: str = Field(examples=[HASH])
    bytes: int = Field(examples=[31457280])
    codec: str = Field(examples=["avc1.640028"])
    gop: str = Field(examples=["closed"])
    held: bool
    uncertainty_us: int | None = Field(examples=[40000])
    key: str = Field(examples=[KEY])


class SegmentsPage(BaseModel):
    """Some segments by start, camera, run and number; ``next`` is the cursor of the next page, or null."""

    segments: list[SegmentOut]
    next: str | None = Field(examples=[None])


def segment_json(ref: SegmentRef) -> JsonObject:
    """A segment as answers give it."""
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
        "uncertainty_us": ref.uncertainty_us,
        "key": ref.key,
    }
