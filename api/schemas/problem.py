"""Problems (RFC 9457) as JSON."""

from typing import Any

from pydantic import BaseModel, Field

from api.problems import MEDIA_TYPE
from api.schemas.examples import FROM, TO

SCHEMA = "#/components/schemas/Problem"


class GapOut(BaseModel):
    """A stretch without footage, ``[from, to)``, and its cause."""

    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    cause: str = Field(examples=["stalled"])


class FieldError(BaseModel):
    """What is wrong with one field, and where: ``query``, ``path``, ``header`` or ``body``."""

    place: str = Field(alias="in", examples=["query"])
    field: str = Field(examples=["from"])
    code: str = Field(examples=["missing"])
    message: str = Field(examples=["Isian ini wajib. / Field required"])


class Problem(BaseModel):
    """Why a request failed. ``code`` is stable; ``detail`` and ``hint`` are for people, in both languages.

    ``segment`` is the key of a stored segment that is damaged.
    """

    type: str = Field(examples=["urn:saksi:problem:naive_time"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(
        examples=[
            "Waktu itu tidak memiliki selisih terhadap UTC. / 'from': '2026-11-24T14:00:00' has no UTC offset"
        ]
    )
    code: str = Field(examples=["naive_time"])
    hint: str = Field(
        examples=[
            "Tambahkan: +08:00 untuk Makassar, Z untuk UTC. / Add the offset: +08:00 for Makassar, Z for UTC."
        ]
    )
    gaps: list[GapOut] = Field([], examples=[[]])
    errors: list[FieldError] = Field([], examples=[[]])
    fits: dict[str, int] = Field({}, examples=[{}])
    incident: str = Field("", examples=[""])
    segment: str = Field("", examples=[""])
    retryable: bool = False


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of an authenticated route: these, and those that every such route has."""
    every = sorted({401, 403, 405, 422, 500, 503, *statuses})
    return {status: UNCHANGED if status == 304 else PROBLEM for status in every}


UNCHANGED: dict[str, Any] = {"description": "The client has it already."}

PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457).",
    "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}}},
}
