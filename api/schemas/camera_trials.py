"""Connection tests of cameras as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import DECIDED, FILED
from archive.footage.trials import TrialStatus

TRIAL = "trial-0a1b2c3d4e5f60718293a4b5"


class CameraTrialIn(BaseModel):
    """What a recorder is to try: a registered camera by its stored source, or a source that is given here.

    With both, the given source is tried, and rather by the recorder that has the camera. ``stream`` says
    which of a registered camera's own streams is tried.
    """

    model_config = ConfigDict(extra="forbid")

    camera: Annotated[str, StringConstraints(max_length=63)] = Field("", examples=["cam-1"])
    source: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", examples=["rtsp://viewer:secret@192.0.2.9/1"]
    )
    stream: Literal["main", "sub"] = Field("main", examples=["main"])


class SightingOut(BaseModel):
    """What the camera sends. ``sound`` is the codec of its sound, "" for none, null if it does not tell.

    ``made_from`` is the codec of its pictures where the recorder encodes them (``mjpeg``), and ``codec`` what
    it makes of them; else it is "".
    """

    codec: str = Field(examples=["avc1.640028"])
    width: int = Field(examples=[1920])
    height: int = Field(examples=[1080])
    fps: float = Field(examples=[15.0])
    sound: str | None = Field(examples=[""])
    made_from: str = Field(examples=[""])


class TrialFailureOut(BaseModel):
    """Why nothing came: a code, and with ``camera_gives_nothing`` the cause, as gaps have it."""

    code: str = Field(examples=["camera_gives_nothing"])
    cause: str = Field(examples=["auth_failed"])


class CameraTrialOut(BaseModel):
    """A connection test. ``source`` is shown without user name, password and query.

    ``status``: ``waiting`` for a recorder, ``taken`` by one, ``done``, ``failed``, or ``unanswered`` because
    no recorder took or answered it in time. ``still`` is the path of the picture, null without one. All of it
    is gone at ``until``.
    """

    id: str = Field(examples=[TRIAL])
    status: TrialStatus = Field(examples=["done"])
    camera: str | None = Field(examples=["cam-1"])
    source: str = Field(examples=["rtsp://192.0.2.9/1"])
    asked_at: str = Field(examples=[FILED])
    until: str = Field(examples=[DECIDED])
    recorder: str = Field(examples=["rec-1"])
    answered_at: str | None = Field(examples=[FILED])
    found: SightingOut | None
    failure: TrialFailureOut | None = Field(examples=[None])
    still: str | None = Field(examples=[f"/v1/camera-trials/{TRIAL}/still.jpg"])
