"""Geometry around one point, and exact geometry of degrees.

Two planes, each for what it is exact in:

- The *local* plane of a point (azimuthal equidistant): metres east and north of it. Distances and bearings
  from the point are those of the sphere (:mod:`search.geo`). A sector around the point is a sector there.
- The plane of *degrees*: longitude and latitude in integers of 10⁻⁷ degrees, about a centimetre. RFC 7946
  draws an outline's edges as straight lines of this plane, and integers decide exactly on which side of an
  edge a point lies.

An outline's edge of length L at latitude φ deviates from the local plane's straight line by at most
L² · tan φ / 8R: 0.4 m for 10 km at 11°, the southernmost latitude of Indonesia.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import atan2, ceil, cos, degrees, hypot, radians, sin

from search.geo import EARTH_RADIUS_M, distance_m

LatLon = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""

Offset = tuple[float, float]
"""Metres east and north of a point."""

Whole = tuple[int, int]
"""Longitude and latitude in 10⁻⁷ degrees; longitudes may go beyond ±180°, see :func:`unwrapped`."""

UNIT = 10_000_000
_TURN = 360 * UNIT
METRES_PER_DEGREE = radians(1) * EARTH_RADIUS_M
"""The length of one degree of latitude, and of longitude at the equator."""


def bearing(a: LatLon, b: LatLon) -> float:
    """The initial bearing from ``a`` to ``b``: degrees clockwise from true north, in [0, 360); 0 if equal."""
    lat_a, lat_b, east = radians(a[0]), radians(b[0]), radians(b[1] - a[1])
    along = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(east)
    return degrees(atan2(sin(east) * cos(lat_b), along)) % 360.0


def offset(origin: LatLon, point: LatLon) -> Offset:
    """Where ``point`` lies in the local plane of ``origin``."""
    distance, direction = distance_m(origin, point), radians(bearing(origin, point))
    return distance * sin(direction), distance * cos(direction)


def nearest(a: Offset, b: Offset) -> Offset:
    """The point of the line from ``a`` to ``b`` that is nearest to the origin."""
    along = (b[0] - a[0], b[1] - a[1])
    squared = along[0] ** 2 + along[1] ** 2
    if squared == 0.0:
        return a
    share = min(1.0, max(0.0, -(a[0] * along[0] + a[1] * along[1]) / squared))
    return a[0] + share * along[0], a[1] + share * along[1]


def line_distance(a: Offset, b: Offset, c: Offset, d: Offset) -> float:
    """The distance between the line from ``a`` to ``b`` and the one from ``c`` to ``d``; 0 if they meet."""
    if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
        return 0.0
    return min(
        _point_distance(a, c, d),
        _point_distance(b, c, d),
        _point_distance(c, a, b),
        _point_distance(d, a, b),
    )


def _point_distance(point: Offset, a: Offset, b: Offset) -> float:
    x, y = point
    return hypot(*nearest((a[0] - x, a[1] - y), (b[0] - x, b[1] - y)))


def _side(a: Offset, b: Offset, point: Offset) -> float:
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


# -- degrees ----------------------------------------------------------------------------------------------


def whole(point: LatLon) -> Whole:
    """A point in the plane of degrees, rounded to 10⁻⁷ degrees."""
    return round(point[1] * UNIT), round(point[0] * UNIT)


def unwrapped(points: Sequence[LatLon]) -> list[Whole]:
    """Points in the plane of degrees, each by the shorter way around from the one before.

    A line across the 180th meridian goes on beyond ±180° instead of around the globe.
    """
    found: list[Whole] = []
    for point in points:
        lon, lat = whole(point)
        found.append((_near(lon, found[-1][0]) if found else lon, lat))
    return found


def near_meridian(point: LatLon, lon: int) -> Whole:
    """A point in the plane of degrees, on the turn that is nearest to the longitude ``lon``."""
    mine, lat = whole(point)
    return _near(mine, lon), lat


def _near(lon: int, other: int) -> int:
    return lon - _TURN * round((lon - other) / _TURN)


def is_inside(point: Whole, ring: Sequence[Whole]) -> bool:
    """Whether a point lies inside a closed ring of edges, or on one of them. Exact."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in _edges(ring):
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and (side > 0) == (by > ay):
            inside = not inside
    return inside


def crossing(ring: Sequence[Whole]) -> tuple[int, int] | None:
    """Two edges of a closed ring that meet elsewhere than where they follow each other; None without.

    Edges are numbered by their first point. Exact. Edges are compared only where their longitudes overlap.
    """
    edges = list(_edges(ring))
    count = len(edges)
    order = sorted(range(count), key=lambda n: min(edges[n][0][0], edges[n][1][0]))
    active: list[int] = []
    for n in order:
        a, b = edges[n]
        west = min(a[0], b[0])
        active = [m for m in active if max(edges[m][0][0], edges[m][1][0]) >= west]
        for m in active:
            first, second = min(m, n), max(m, n)
            if _meet(edges[first], edges[second], follows=_follows(first, second, count)):
                return first, second
        active.append(n)
    return None


def is_straight(points: Sequence[Whole]) -> bool:
    """Whether all points lie on one line. Exact."""
    return all(_turn(points[0], points[1], point) == 0 for point in points)


def _follows(first: int, second: int, count: int) -> bool:
    return second == first + 1 or (first == 0 and second == count - 1)


def _meet(one: tuple[Whole, Whole], two: tuple[Whole, Whole], *, follows: bool) -> bool:
    """Whether two edges meet; of two that follow each other whether they meet in more than their corner."""
    (a, b), (c, d) = one, two
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    if follows:
        corner, back, on = (b, a, d) if b == c else (a, b, c)
        straight = _turn(back, corner, on) == 0
        return (
            straight
            and (back[0] - corner[0]) * (on[0] - corner[0]) + (back[1] - corner[1]) * (on[1] - corner[1]) > 0
        )
    sides = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    return any(
        side == 0 and _between(point, *edge)
        for side, point, edge in zip(sides, (c, d, a, b), ((a, b), (a, b), (c, d), (c, d)), strict=True)
    )


def _turn(a: Whole, b: Whole, c: Whole) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(point: Whole, a: Whole, b: Whole) -> bool:
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def square_metres(ring: Sequence[Whole]) -> float:
    """The area of a closed ring, with longitudes shortened as at its middle latitude."""
    twice = sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(ring))
    per_unit = METRES_PER_DEGREE / UNIT
    return abs(twice) / 2 * per_unit**2 * cos(_middle(ring))


def extent_m(points: Sequence[Whole]) -> tuple[float, float]:
    """Metres from the westernmost to the easternmost point, and from the southernmost to the northernmost."""
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    per_unit = METRES_PER_DEGREE / UNIT
    return (max(lons) - min(lons)) * per_unit * cos(_middle(points)), (max(lats) - min(lats)) * per_unit


def _middle(points: Sequence[Whole]) -> float:
    lats = [lat for _, lat in points]
    return radians((min(lats) + max(lats)) / 2 / UNIT)


def _edges(ring: Sequence[Whole]) -> Iterator[tuple[Whole, Whole]]:
    return pairwise([*ring, ring[0]])


def degrees_of(points: Sequence[Whole]) -> list[LatLon]:
    """Points of the plane of degrees as latitude and longitude; longitudes may go beyond ±180°."""
    return [(lat / UNIT, lon / UNIT) for lon, lat in points]


def pieces(points: Sequence[LatLon], longest_m: float) -> list[LatLon]:
    """A line of degrees with more points on it, so that no piece is much longer than ``longest_m``."""
    found = [points[0]]
    for a, b in pairwise(points):
        count = max(1, ceil(distance_m(a, b) / longest_m))
        found += (
            (a[0] + (b[0] - a[0]) * n / count, a[1] + (b[1] - a[1]) * n / count) for n in range(1, count + 1)
        )
    return found
