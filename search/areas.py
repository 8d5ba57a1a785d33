"""Areas on the ground in which cameras are looked for, and what a camera sees of them.

Every area says three things about a camera: whether it *stands* in the area, how far and in which direction
the area's point or line lies from it, and whether its sight reaches the area. Points are WGS 84 degrees.
Distances are those of a sphere, within 0.6 % of the ellipsoid (:mod:`search.geo`); edges belong to an area.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import atan2, cos, degrees, hypot, isfinite, radians, sin
from typing import Protocol

from archive.errors import Malformed
from archive.model.sight import Sight
from search import plane
from search.geo import distance_m
from search.plane import METRES_PER_DEGREE, LatLon, Offset, Whole

LONGEST_RADIUS_M = 20_000.0
OUTLINE_POINTS = (3, 500)
ROUTE_POINTS = (2, 200)
BUFFER_M = (1.0, 500.0)
LONGEST_SIDE_M = 100_000.0
SMALLEST_M2 = 1.0
PIECE_M = 5_000.0
"""Longer edges of an outline are cut for the local plane, where each piece is a straight line."""

EDGE_M, EDGE_DEGREES = 0.01, 1e-6
"""What lies this near to the edge of a sight is in it: the arithmetic is no finer."""


@dataclass(frozen=True, slots=True)
class Direction:
    """From a camera to the asked point, or to the nearest point of a route."""

    distance_m: float
    bearing: float


class Area(Protocol):
    """Where to look for cameras."""

    def stands_in(self, camera: LatLon) -> bool:
        """Whether a camera there stands in the area."""
        ...

    def direction(self, camera: LatLon) -> Direction | None:
        """The way from there to the area's point or line; None for an area that has neither."""
        ...

    def is_seen(self, camera: LatLon, sight: Sight) -> bool:
        """Whether a camera there sees the area's point, or some of the area."""
        ...

    def written(self) -> dict[str, str]:
        """The area in the words of a request, for the custody record and for cursors."""
        ...


@dataclass(frozen=True, slots=True)
class Near:
    """All points at most ``radius_m`` from a point. A camera sees it if its sight contains the point.

    Raises:
        Malformed: ``bad_place`` for coordinates off the globe; ``bad_radius`` for a radius not in (0, 20 km].
    """

    lat: float
    lon: float
    radius_m: float

    def __post_init__(self) -> None:
        check_point((self.lat, self.lon))
        if not (isfinite(self.radius_m) and 0 < self.radius_m <= LONGEST_RADIUS_M):
            raise Malformed(
                f"a radius of {self.radius_m:g} m cannot be searched",
                code="bad_radius",
                hint="Give a radius above 0 and up to 20000 metres.",
            )

    def stands_in(self, camera: LatLon) -> bool:
        """Whether a camera there is at most ``radius_m`` away."""
        if abs(camera[0] - self.lat) * METRES_PER_DEGREE > self.radius_m + 1:
            return False
        return distance_m((self.lat, self.lon), camera) <= self.radius_m

    def direction(self, camera: LatLon) -> Direction:
        """The way from there to the point."""
        point = (self.lat, self.lon)
        return Direction(distance_m(camera, point), plane.bearing(camera, point))

    def is_seen(self, camera: LatLon, sight: Sight) -> bool:
        """Whether the sight contains the point."""
        if abs(camera[0] - self.lat) * METRES_PER_DEGREE > sight.reach_m + 1:
            return False
        return sight_distance(sight, plane.offset(camera, (self.lat, self.lon))) <= EDGE_M

    def written(self) -> dict[str, str]:
        """The point and the radius."""
        return {"near": f"{self.lat},{self.lon}", "radius_m": f"{self.radius_m:g}"}


@dataclass(frozen=True)
class Outline:
    """A polygon, or a box between two parallels and two meridians; see :func:`polygon` and :func:`box`.

    A camera sees it if it stands inside, or if its sight touches an edge.
    """

    name: str
    points: tuple[LatLon, ...]
    ring: tuple[Whole, ...] = field(repr=False)

    def stands_in(self, camera: LatLon) -> bool:
        """Whether a camera there is inside, or on an edge."""
        x, y = point = plane.near_meridian(camera, self._west)
        if not (self._south <= y <= self._north and self._west <= x <= self._east):
            return False
        return plane.is_inside(point, self.ring)

    def direction(self, camera: LatLon) -> None:
        """None: no point of an outline is the one that was asked for."""

    def is_seen(self, camera: LatLon, sight: Sight) -> bool:
        """Whether a camera there stands inside, or sees some of the edge."""
        if self.stands_in(camera):
            return True
        return _reaches(camera, sight, self._pieces, 0.0)

    def written(self) -> dict[str, str]:
        """The points, or the four edges of a box."""
        if self.name == "box":
            (south, west), (north, east) = self.points[0], self.points[2]
            return {"box": f"{south},{west},{north},{east}"}
        return {"polygon": _listed(self.points)}

    @cached_property
    def _west(self) -> int:
        return min(lon for lon, _ in self.ring)

    @cached_property
    def _east(self) -> int:
        return max(lon for lon, _ in self.ring)

    @cached_property
    def _south(self) -> int:
        return min(lat for _, lat in self.ring)

    @cached_property
    def _north(self) -> int:
        return max(lat for _, lat in self.ring)

    @cached_property
    def _pieces(self) -> tuple[LatLon, ...]:
        return tuple(plane.pieces(plane.degrees_of([*self.ring, self.ring[0]]), PIECE_M))


@dataclass(frozen=True)
class Route:
    """The strip of all points at most ``buffer_m`` from a line; see :func:`route`.

    A camera sees it if its sight touches the strip.
    """

    points: tuple[LatLon, ...]
    buffer_m: float
    line: tuple[LatLon, ...] = field(repr=False)

    def stands_in(self, camera: LatLon) -> bool:
        """Whether a camera there is at most ``buffer_m`` from the line."""
        if not _may_reach(camera, self._bounds, self.buffer_m):
            return False
        return self.direction(camera).distance_m <= self.buffer_m

    def direction(self, camera: LatLon) -> Direction:
        """The way from there to the nearest point of the line."""
        offsets = [plane.offset(camera, point) for point in self.line]
        x, y = min((plane.nearest(a, b) for a, b in pairwise(offsets)), key=lambda found: hypot(*found))
        return Direction(hypot(x, y), degrees(atan2(x, y)) % 360.0)

    def is_seen(self, camera: LatLon, sight: Sight) -> bool:
        """Whether the sight comes within ``buffer_m`` of the line."""
        if not _may_reach(camera, self._bounds, self.buffer_m + sight.reach_m):
            return False
        return _reaches(camera, sight, self.line, self.buffer_m)

    def written(self) -> dict[str, str]:
        """The points and the buffer."""
        return {"route": _listed(self.points), "buffer_m": f"{self.buffer_m:g}"}

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        lats = [lat for lat, _ in self.line]
        return min(lats), max(lats)


def polygon(points: Sequence[LatLon]) -> Outline:
    """A polygon of 3 to 500 points, edges included; its first point may be repeated as the last.

    It may lie across the 180th meridian: each edge goes the shorter way around. Points are rounded to
    10⁻⁷ degrees.

    Raises:
        Malformed: ``bad_place`` for a point off the globe; ``bad_area`` for too few or too many points, a
            point that is repeated, or an outline around a pole; ``area_crosses_itself``; ``area_too_small``
            below 1 m²; ``area_too_large`` beyond 100 km from one side to the other.
    """
    for point in points:
        check_point(point)
    given = points[:-1] if len(points) > 1 and points[0] == points[-1] else points
    _check_count("a polygon", given, OUTLINE_POINTS)
    ring = plane.unwrapped([*given, given[0]])
    first, last = ring[0], ring.pop()
    if last != first:
        raise Malformed(
            "the polygon goes around a pole", code="bad_area", hint="Ask for a kecamatan, or a circle."
        )
    for number, (one, two) in enumerate(pairwise([*ring, first]), 1):
        if one == two:
            raise Malformed(
                f"point {number} of the polygon is repeated", code="bad_area", hint="Give each corner once."
            )
    _check_extent(ring)
    met = None if plane.is_straight(ring) else plane.crossing(ring)
    if met is not None:
        raise Malformed(
            f"the edge after point {met[0] + 1} of the polygon meets the one after point {met[1] + 1}",
            code="area_crosses_itself",
            hint="Give the corners in order around the area; ask twice for two areas.",
        )
    if plane.square_metres(ring) < SMALLEST_M2:
        raise Malformed(
            "the polygon has no area",
            code="area_too_small",
            hint="Its corners lie on one line, or within a metre; ask for a circle or a route instead.",
        )
    return Outline("polygon", tuple(given), tuple(ring))


def box(south: float, west: float, north: float, east: float) -> Outline:
    """The points between two parallels and two meridians, edges included; ``west`` > ``east`` crosses 180°.

    Raises:
        Malformed: ``bad_place`` for coordinates off the globe, or unless south < north; ``area_too_small``;
            ``area_too_large`` beyond 100 km from one side to the other.
    """
    corners = ((south, west), (south, east), (north, east), (north, west))
    for point in corners:
        check_point(point)
    if south >= north or west == east:
        raise Malformed(
            "the box is empty",
            code="bad_place",
            hint="Give south < north and west < east, in degrees; west > east crosses the 180th meridian.",
        )
    left, bottom = plane.whole(corners[0])
    right, top = plane.whole(corners[2])
    right += 360 * plane.UNIT if east < west else 0
    ring = [(left, bottom), (right, bottom), (right, top), (left, top)]
    _check_extent(ring)
    if plane.square_metres(ring) < SMALLEST_M2:
        raise Malformed(
            "the box has no area", code="area_too_small", hint="Ask for a circle around a point instead."
        )
    return Outline("box", corners, tuple(ring))


def route(points: Sequence[LatLon], buffer_m: float) -> Route:
    """The strip along a line of 2 to 200 points, each leg the shorter way around.

    Raises:
        Malformed: ``bad_place`` for a point off the globe; ``bad_area`` for too few or too many points, or a
            point that is repeated at once; ``bad_buffer`` unless the buffer is 1 to 500 m;
            ``area_too_large`` beyond 100 km from one end to the other.
    """
    for point in points:
        check_point(point)
    _check_count("a route", points, ROUTE_POINTS)
    low, high = BUFFER_M
    if not (isfinite(buffer_m) and low <= buffer_m <= high):
        raise Malformed(
            f"a buffer of {buffer_m:g} m cannot be searched",
            code="bad_buffer",
            hint="Give 1 to 500 metres to each side of the line.",
        )
    line = plane.unwrapped(points)
    for number, (one, two) in enumerate(pairwise(line), 1):
        if one == two:
            raise Malformed(
                f"point {number} of the route is repeated", code="bad_area", hint="Give each point once."
            )
    _check_extent(line)
    return Route(tuple(points), buffer_m, tuple(plane.degrees_of(line)))


def one_area(*given: Area | None) -> Area | None:
    """The one area of a question, or None without any. Raises Malformed ``several_areas``."""
    found = [area for area in given if area is not None]
    if len(found) > 1:
        raise Malformed(
            "several areas are given",
            code="several_areas",
            hint="Give one of near, box, polygon and route; kecamatan, owner and text may be added to it.",
        )
    return found[0] if found else None


def check_point(point: LatLon) -> None:
    """Accept a point on the globe. Raises Malformed ``bad_place``."""
    for value, limit in zip(point, (90, 180), strict=True):
        if not (isfinite(value) and abs(value) <= limit):
            raise Malformed(
                f"{value} is outside ±{limit} degrees",
                code="bad_place",
                hint="Give latitude, then longitude, in decimal degrees.",
            )


def sight_distance(sight: Sight, point: Offset) -> float:
    """The distance in metres from a point of the camera's local plane to what the camera sees; 0 inside."""
    away = hypot(*point)
    if away <= EDGE_M:
        return 0.0
    direction = degrees(atan2(*point))
    beside = abs((direction - sight.bearing + 180.0) % 360.0 - 180.0)
    if beside <= sight.field_of_view / 2 + EDGE_DEGREES:
        return max(0.0, away - sight.reach_m)
    x, y = point
    return min(hypot(*plane.nearest((-x, -y), (end[0] - x, end[1] - y))) for end in _ends(sight))


def _line_distance(sight: Sight, a: Offset, b: Offset) -> float:
    """The distance from a line of the local plane to what the camera sees; 0 if they meet.

    A line that meets neither side of the sector and ends outside it can only cut the arc; then the line's
    nearest point to the camera lies in the sector.
    """
    least = min(sight_distance(sight, point) for point in (a, b, plane.nearest(a, b)))
    if least == 0.0 or sight.field_of_view == 360:
        return least
    return min(least, *(plane.line_distance((0.0, 0.0), end, a, b) for end in _ends(sight)))


def _ends(sight: Sight) -> list[Offset]:
    """Where the two sides of the sector end."""
    half = sight.field_of_view / 2
    angles = (radians(sight.bearing - half), radians(sight.bearing + half))
    return [(sight.reach_m * sin(angle), sight.reach_m * cos(angle)) for angle in angles]


def _reaches(camera: LatLon, sight: Sight, line: Sequence[LatLon], buffer_m: float) -> bool:
    """Whether the sight comes within ``buffer_m`` of a line of degrees."""
    limit = buffer_m + EDGE_M
    far = sight.reach_m + limit
    if not _may_reach(camera, (min(lat for lat, _ in line), max(lat for lat, _ in line)), far):
        return False
    margin = far / METRES_PER_DEGREE
    before: tuple[LatLon, Offset] | None = None
    for a, b in pairwise(line):
        if max(a[0], b[0]) + margin < camera[0] or min(a[0], b[0]) - margin > camera[0]:
            before = None
            continue
        start = before[1] if before is not None and before[0] is a else plane.offset(camera, a)
        end = plane.offset(camera, b)
        before = (b, end)
        if hypot(*plane.nearest(start, end)) <= far and _line_distance(sight, start, end) <= limit:
            return True
    return False


def _may_reach(camera: LatLon, bounds: tuple[float, float], far: float) -> bool:
    """Whether a camera's latitude is within ``far`` metres of those of a line. Cheap."""
    margin = far / METRES_PER_DEGREE + 0.001
    return bounds[0] - margin <= camera[0] <= bounds[1] + margin


def _check_count(what: str, points: Sequence[LatLon], bounds: tuple[int, int]) -> None:
    low, high = bounds
    if not low <= len(points) <= high:
        raise Malformed(
            f"{what} of {len(points)} points cannot be searched",
            code="bad_area",
            hint=f"Give {low} to {high} points.",
        )


def _check_extent(points: Sequence[Whole]) -> None:
    wide, high = plane.extent_m(points)
    if max(wide, high) > LONGEST_SIDE_M:
        raise Malformed(
            f"the area is {max(wide, high) / 1000:.0f} km long",
            code="area_too_large",
            hint="At most 100 km at a time. Check that latitude comes first, and that west and east are not "
            "swapped.",
        )


def _listed(points: Sequence[LatLon]) -> str:
    return ";".join(f"{lat},{lon}" for lat, lon in points)
