"""Query parameters that are the same on every route: times, spans, places."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query

from archive.errors import Malformed
from archive.ids import check_name
from archive.model.camera import OwnerKind
from archive.timespan import Timespan, parse_instant
from search.asking import numbers
from search.geo import Box, Circle

_LOST_PLUS = re.compile(r"(:\d\d(?:\.\d{1,9})?) (\d\d:\d\d)\Z", re.ASCII)
_MAX_TIME_LENGTH = 64
DEFAULT_RADIUS_M = 500


def none_given() -> list[str]:
    """The default of a parameter that may be repeated.

    Not ``list``: pydantic reads the signature of a factory at each request, which takes 90 µs for a type and
    4 µs for a function (measured).
    """
    return []


FromText = Annotated[
    str,
    Query(
        alias="from",
        description="Start, inclusive: RFC 3339 with an offset.",
        examples=["2026-11-24T14:00:00+08:00"],
    ),
]
ToText = Annotated[
    str,
    Query(
        alias="to",
        description="End, exclusive: RFC 3339 with an offset.",
        examples=["2026-11-24T14:01:00+08:00"],
    ),
]


def instant(name: str, text: str) -> int:
    """Parse the time given for a parameter, in µs.

    A ``+`` that was not written ``%2B`` arrives as a space. A space that can only have been the sign of an
    offset is read as one.

    Raises:
        Malformed: ``naive_time``, ``bad_time``.
    """
    try:
        return parse_instant(_LOST_PLUS.sub(r"\1+\2", text[:_MAX_TIME_LENGTH]))
    except Malformed as error:
        raise Malformed(f"'{name}': {error.message}", code=error.code, hint=error.hint) from error


async def asked_camera(
    camera: Annotated[str, Path(description="The camera's id.", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("camera", camera)


CameraId = Annotated[str, Depends(asked_camera)]


async def asked_span(from_: FromText, to: ToText) -> Timespan:
    """The span ``[from, to)``. Raises Malformed ``naive_time``, ``bad_time``, ``empty_span``."""
    return Timespan(instant("from", from_), instant("to", to))


async def asked_box(
    box: Annotated[
        str,
        Query(
            description="south,west,north,east in degrees, edges included.",
            examples=["-5.16,119.40,-5.12,119.45"],
        ),
    ] = "",
) -> Box | None:
    """The box to look in. Raises Malformed ``bad_place``."""
    if not box:
        return None
    south, west, north, east = numbers("box", box, 4)
    return Box(south, west, north, east)


async def asked_circle(
    near: Annotated[str, Query(description="lat,lon in degrees.", examples=["-5.1477,119.4327"])] = "",
    radius_m: Annotated[
        str, Query(description=f"Metres around 'near'; default {DEFAULT_RADIUS_M}.", examples=["300"])
    ] = "",
) -> Circle | None:
    """The circle to look in. Raises Malformed ``bad_place``."""
    if not near:
        if radius_m:
            raise Malformed("a radius needs a centre", code="bad_place", hint="Add near=<lat>,<lon>.")
        return None
    lat, lon = numbers("near", near, 2)
    (radius,) = numbers("radius_m", radius_m or str(DEFAULT_RADIUS_M), 1)
    return Circle(lat, lon, radius)


async def asked_owners(
    owner: Annotated[
        list[str],
        Query(default_factory=none_given, description="Owner kinds; may be repeated.", examples=[["public"]]),
    ],
) -> tuple[OwnerKind, ...] | None:
    """The owner kinds to keep; None for all. Raises Malformed ``bad_filter``."""
    try:
        return tuple(OwnerKind(text) for text in owner) or None
    except ValueError as error:
        raise Malformed(
            "the owner kind is unknown", code="bad_filter", hint=f"Use: {', '.join(OwnerKind)}."
        ) from error


def camera_ids(texts: list[str], limit: int) -> tuple[str, ...]:
    """Camera ids, each once, in the order given.

    Raises:
        Malformed: ``bad_id``; ``too_many_cameras`` beyond ``limit``.
    """
    found = tuple(dict.fromkeys(check_name("camera", text) for text in texts))
    if len(found) > limit:
        raise Malformed(
            f"{len(found)} cameras are too many for one request",
            code="too_many_cameras",
            hint=f"Ask for at most {limit} at a time, or filter by place.",
        )
    return found
