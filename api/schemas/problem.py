"""Problems (RFC 9457) as JSON."""

from typing import Any

from pydantic import BaseModel, Field

from api.problems import MEDIA_TYPE

SCHEMA = "#/components/schemas/Problem"


class GapOut(BaseModel):
    """A stretch without footage, ``[from, to)``, and its cause."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    cause: str


class FieldError(BaseModel):
    """What is wrong with one field, and where: ``query``, ``path``, ``header`` or ``body``."""

    place: str = Field(alias="in")
    field: str
    code: str
    message: str


class Problem(BaseModel):
    """Why an answer is not what was asked for. ``code`` is stable; ``detail`` and ``hint`` are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    gaps: list[GapOut] = []
    errors: list[FieldError] = []
    fits: dict[str, int] = {}
    incident: str = ""
    retryable: bool = False


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a guarded route: these, and those that every such route has."""
    every = sorted({401, 403, 405, 422, 500, 503, *statuses})
    return {status: UNCHANGED if status == 304 else PROBLEM for status in every}


UNCHANGED: dict[str, Any] = {"description": "The client has it already."}

PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457).",
    "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}}},
}
