"""Distances on the ground, computed the same way in every adapter.

Great-circle distance by the haversine formula on a sphere of 6,371,008.7714 m, the mean radius of WGS 84
(IUGG). Elasticsearch computes the same. At city scale it is within 0.6 % of the ellipsoid.
"""

from dataclasses import dataclass
from math import asin, cos, isfinite, radians, sin, sqrt

from archive.errors import Malformed

EARTH_RADIUS_M = 6_371_008.7714
MAX_RADIUS_M = 100_000.0


@dataclass(frozen=True, slots=True)
class Circle:
    """All points at most ``radius_m`` metres from a point (degrees, WGS 84), the edge included.

    Raises:
        Malformed: ``bad_place`` for coordinates off the globe or a radius not in (0, 100 km].
    """

    lat: float
    lon: float
    radius_m: float

    def __post_init__(self) -> None:
        _check_degrees(self.lat, 90)
        _check_degrees(self.lon, 180)
        if not (isfinite(self.radius_m) and 0 < self.radius_m <= MAX_RADIUS_M):
            raise Malformed(
                f"a radius of {self.radius_m} m cannot be searched",
                code="bad_place",
                hint="Give a radius above 0 and up to 100000 metres.",
            )

    def __contains__(self, point: tuple[float, float]) -> bool:
        return distance_m((self.lat, self.lon), point) <= self.radius_m


@dataclass(frozen=True, slots=True)
class Box:
    """All points between two parallels and two meridians (degrees), the edges included.

    Raises:
        Malformed: ``bad_place`` for coordinates off the globe, or if south ≥ north or west ≥ east. An area
            across the 180th meridian needs two boxes.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        for lat in (self.south, self.north):
            _check_degrees(lat, 90)
        for lon in (self.west, self.east):
            _check_degrees(lon, 180)
        if self.south >= self.north or self.west >= self.east:
            raise Malformed(
                "the box is empty",
                code="bad_place",
                hint="Give south < north and west < east, in degrees.",
            )

    def __contains__(self, point: tuple[float, float]) -> bool:
        lat, lon = point
        return self.south <= lat <= self.north and self.west <= lon <= self.east


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance in metres between two points (lat, lon in degrees)."""
    lat_a, lat_b = radians(a[0]), radians(b[0])
    half_lat, half_lon = (lat_b - lat_a) / 2, radians(b[1] - a[1]) / 2
    chord = sin(half_lat) ** 2 + cos(lat_a) * cos(lat_b) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))


def _check_degrees(value: float, limit: int) -> None:
    if not (isfinite(value) and abs(value) <= limit):
        raise Malformed(
            f"{value} is outside ±{limit} degrees",
            code="bad_place",
            hint="Give latitude, then longitude, in decimal degrees.",
        )
