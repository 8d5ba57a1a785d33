"""Questions about places as people write them: in addresses over HTTP, and at the command line."""

import hashlib

from archive.errors import Malformed
from search.areas import Area, Near, box, one_area, polygon, route
from search.plane import LatLon
from search.where import CameraFilter

DEFAULT_RADIUS_M = 500.0
DEFAULT_BUFFER_M = 25.0
_LONGEST_POINTS = 40_000
_LONGEST_DETAIL = 600


def area_of(
    *,
    near: str = "",
    radius_m: str = "",
    box_: str = "",
    polygon_: str = "",
    route_: str = "",
    buffer_m: str = "",
) -> Area | None:
    """The area of a question, from texts such as ``lat,lon`` and ``lat,lon;lat,lon``; None without any.

    Raises:
        Malformed: ``several_areas``; ``bad_place``; the errors of :mod:`search.areas`.
    """
    if radius_m and not near:
        raise Malformed("a radius needs a centre", code="bad_place", hint="Add near=<lat>,<lon>.")
    if buffer_m and not route_:
        raise Malformed("a buffer needs a route", code="bad_place", hint="Add route=<lat>,<lon>;<lat>,<lon>.")
    (radius,) = numbers("radius_m", radius_m or str(DEFAULT_RADIUS_M), 1)
    (buffer,) = numbers("buffer_m", buffer_m or str(DEFAULT_BUFFER_M), 1)
    lat, lon = numbers("near", near, 2) if near else (0.0, 0.0)
    return one_area(
        Near(lat, lon, radius) if near else None,
        box(*numbers("box", box_, 4)) if box_ else None,
        polygon(_points("polygon", polygon_)) if polygon_ else None,
        route(_points("route", route_), buffer) if route_ else None,
    )


def details_of(wanted: CameraFilter) -> dict[str, str]:
    """The filters in the form of custody events.

    A long list of points is recorded by its first characters and the SHA-256 of the whole, so that a claim of
    another question can be refuted.
    """
    return {name: _bounded(text) for name, text in wanted.written().items()}


def numbers(name: str, text: str, count: int) -> list[float]:
    """The numbers of a parameter, separated by commas. Raises Malformed ``bad_place``."""
    parts = text.split(",")
    try:
        if len(parts) != count or len(text) > 200:
            raise ValueError(name)
        return [float(part) for part in parts]
    except ValueError as error:
        raise Malformed(
            f"'{name}' is not {count} number{'s' if count > 1 else ''}",
            code="bad_place",
            hint="Write decimal degrees separated by commas, latitude first, without spaces.",
        ) from error


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST_DETAIL:
        return text
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{text[:_LONGEST_DETAIL]}… ({len(text)} characters, SHA-256 {digest})"


def _points(name: str, text: str) -> list[LatLon]:
    if len(text) > _LONGEST_POINTS:
        raise Malformed(
            f"'{name}' is too long", code="bad_area", hint="Give fewer points, with up to 7 decimals each."
        )
    found = []
    for part in text.split(";"):
        lat, lon = numbers(name, part, 2)
        found.append((lat, lon))
    return found
