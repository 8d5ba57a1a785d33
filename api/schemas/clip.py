"""Clips as JSON."""

from pydantic import BaseModel, Field

from api.schemas.problem import GapOut


class EdgesOut(BaseModel):
    """A half-open span of time."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class PieceOut(EdgesOut):
    """A run of bytes of one original in the clip, and the wall time that it shows.

    ``at_us`` is where it begins in the clip's own time; ``original`` and ``sha256`` name the segment.
    """

    at_us: int
    run: str
    seq: int
    frames: int
    hidden_frames: int
    original: str
    sha256: str
    original_offset: int
    clip_offset: int
    length: int


class ClipOut(BaseModel):
    """A clip's account of itself. ``actual`` and ``sha256`` are null where nothing can be shown."""

    asked: EdgesOut
    actual: EdgesOut | None
    hidden_preroll_us: int
    hidden_tail_us: int
    frames: int
    hidden_frames: int
    bytes: int
    sha256: str | None
    pieces: list[PieceOut]
    gaps: list[GapOut]
