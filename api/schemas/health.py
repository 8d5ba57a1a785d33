"""Health as JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Each part is ``ok``, ``no answer`` or an error code; only those who may read the metrics see them."""

    status: Literal["ok", "not_ready"]
    parts: dict[str, str] | None = Field(default=None, examples=[{"records": "ok"}])


class AnyObject(BaseModel):
    """An object described elsewhere."""

    model_config = ConfigDict(extra="allow")
