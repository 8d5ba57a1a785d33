"""Activity and thumbnails as JSON."""

from pydantic import BaseModel, Field

from api.schemas.examples import FROM, TO
from api.schemas.problem import GapOut
from api.schemas.war_room import StretchOut

_AT, _SOON = "2026-11-24T06:02:11.000000Z", "2026-11-24T06:02:17.000000Z"
_SHEET = "/v1/cameras/cam-1/sprites/20261124T0600Z/sheet.jpg"


class NoticeOut(BaseModel):
    """What the answer is not, in Indonesian and in English: nobody is recognised."""

    id: str = Field(examples=["Hanya menunjukkan kapan sesuatu berubah dalam gambar."])
    en: str = Field(examples=["Only shows when something in the picture changed."])


class HoursOut(BaseModel):
    """UTC hours of the span: in all, looked at, and left for the next request."""

    total: int = Field(examples=[1])
    done: int = Field(examples=[1])
    left: int = Field(examples=[0])


class IntervalOut(StretchOut):
    """Activity from ``from`` to ``to``, times of keyframes; strongest at ``at``, in multiples of noise."""

    start: str = Field(alias="from", examples=[_AT])
    end: str = Field(alias="to", examples=[_SOON])
    at: str = Field(examples=[_SOON])
    strength: float = Field(examples=[23.5])


class ActivityBucketOut(StretchOut):
    """One bucket of the span: how long there was activity, and how strong it was at most."""

    activity_seconds: float = Field(examples=[6.0])
    strength: float = Field(examples=[23.5])


class CoarseOut(StretchOut):
    """A stretch whose keyframes are more than 5 s apart, and the longest time between two of them."""

    longest_step_seconds: float = Field(examples=[25.0])


class NotLookedAtOut(StretchOut):
    """A stretch that was not looked at, with its reason.

    ``cause`` is that of a gap, ``pending``, or: ``not_yet_looked`` (ask again), ``not_needed`` (enough was
    found before), ``unreadable`` (``what`` names the object), ``whole_picture_changed`` (no cell can be
    judged), ``nothing_to_compare`` (before the first and after the last keyframe).
    """

    cause: str = Field(examples=["stalled"])
    what: str = Field(examples=[""])


class ActivityOut(StretchOut):
    """When something changed in a box of the picture.

    ``complete`` is false while hours are left: the same request again goes on. ``looked_box`` is the box in
    whole cells. Something that comes and goes between two keyframes, ``longest_step_seconds`` at most, is not
    seen. ``buckets`` is null without ``step``.
    """

    camera: str = Field(examples=["cam-1"])
    box: list[float] = Field(examples=[[0.2, 0.5, 0.4, 0.9]])
    looked_box: list[float] = Field(examples=[[0.1875, 0.5, 0.40625, 0.888889]])
    threshold: float = Field(examples=[8.0])
    notice: NoticeOut
    complete: bool = Field(examples=[True])
    hours: HoursOut
    intervals: list[IntervalOut]
    buckets: list[ActivityBucketOut] | None
    looked_seconds: float = Field(examples=[598.0])
    longest_step_seconds: float = Field(examples=[2.0])
    coarse: list[CoarseOut]
    undecodable_keyframes: int = Field(examples=[0])
    not_looked_at: list[NotLookedAtOut]


class SheetOut(StretchOut):
    """A JPEG with the thumbnails of ten minutes; ``url`` is null if the caller may not see all of them."""

    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    url: str | None = Field(examples=[_SHEET])


class SpriteOut(BaseModel):
    """The thumbnail of a keyframe: at (``x``, ``y``) of a sheet, counted from 0."""

    at: str = Field(examples=[FROM])
    sheet: int = Field(examples=[0])
    x: int = Field(examples=[160])
    y: int = Field(examples=[90])
    width: int = Field(examples=[160])
    height: int = Field(examples=[90])


class SpritesOut(StretchOut):
    """Thumbnails of a span for scrubbing, one for each 30 s that have a keyframe; never the exhibit.

    ``until`` is the time until which the camera's footage is in the archive; null if it has none.
    ``complete`` is false while sheets are left that may still be made: the same request again goes on.
    ``gaps`` are the parts of the span without footage; ``unreadable`` those whose footage gives no thumbnail.
    """

    camera: str = Field(examples=["cam-1"])
    until: str | None = Field(examples=[TO])
    complete: bool = Field(examples=[True])
    sheets: list[SheetOut]
    sprites: list[SpriteOut]
    gaps: list[GapOut]
    unreadable: list[StretchOut]
