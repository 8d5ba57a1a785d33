"""Clips as JSON."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.examples import FROM, HASH, KEY, RUN, TO
from api.schemas.problem import GapOut


class EdgesOut(BaseModel):
    """A half-open span of time."""

    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])


class PieceOut(EdgesOut):
    """Consecutive bytes of one original in the clip, and the wall time that they show; of sound: that it has.

    ``at_us`` is where they begin in the clip's own time, ``uncertainty_us`` how far wall time may be wrong:
    null where nothing bounds it, because the recorder's clock was not synchronised. ``original`` and
    ``sha256`` name the segment.
    """

    at_us: int = Field(examples=[0])
    run: str = Field(examples=[RUN])
    seq: int = Field(examples=[1])
    uncertainty_us: int | None = Field(examples=[40000])
    frames: int = Field(examples=[9000])
    hidden_frames: int = Field(examples=[7])
    original: str = Field(examples=[KEY])
    sha256: str = Field(examples=[HASH])
    original_offset: int = Field(examples=[3391])
    clip_offset: int = Field(examples=[4096])
    length: int = Field(examples=[524288])
    track: Literal["pictures", "sound"] = Field(examples=["pictures"])


class OtherRunOut(EdgesOut):
    """Footage of a run where the clip shows another run, which was chosen by the rule of *Exact clips*."""

    run: str = Field(examples=[RUN])


class RunChangeOut(BaseModel):
    """A change of run at ``at`` while both runs have footage.

    ``keyframe`` is the SHA-256 of the keyframe that both have and at which the clip goes from one to the
    other: no frame is missing or shown twice. If it is null they have none in common, and frames may repeat
    or miss within ``uncertainty_us``, which is null where nothing bounds it.
    """

    at: str = Field(examples=["2026-11-30T02:00:00Z"])
    run: str = Field(examples=[RUN])
    next_run: str = Field(examples=[RUN])
    keyframe: str | None = Field(examples=[HASH])
    uncertainty_us: int | None = Field(examples=[100000])


class ClipOut(BaseModel):
    """A clip's description. ``actual`` and ``sha256`` are null if there is nothing to show.

    ``sound`` is the codec of its sound (RFC 6381), null without. ``hidden_sound_us`` of it is in the bytes
    and not heard. ``layout`` is the published layout of the bytes. ``run_changes`` are the changes of run
    while both have footage.
    """

    asked: EdgesOut
    actual: EdgesOut | None
    hidden_preroll_us: int = Field(examples=[466667])
    hidden_tail_us: int = Field(examples=[0])
    frames: int = Field(examples=[9000])
    hidden_frames: int = Field(examples=[7])
    bytes: int = Field(examples=[31457280])
    sha256: str | None = Field(examples=[HASH])
    pieces: list[PieceOut]
    gaps: list[GapOut]
    others: list[OtherRunOut]
    sound: str | None = Field(examples=["mp4a.40.2"])
    hidden_sound_us: int = Field(examples=[128000])
    layout: int = Field(examples=[2])
    run_changes: list[RunChangeOut] = []
