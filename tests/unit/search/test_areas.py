"""Areas and sights: held against geometry that is computed in another way, and refused where it has none."""

from collections.abc import Callable
from itertools import pairwise
from math import asin, atan2, cos, degrees, radians, sin

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.model.sight import Sight
from search import plane
from search.areas import Area, Near, Outline, box, one_area, polygon, route
from search.geo import EARTH_RADIUS_M, distance_m
from search.plane import LatLon

CORNER = (-5.147665, 119.432732)
"""A crossing in Makassar."""


def away(origin: LatLon, bearing: float, metres: float) -> LatLon:
    """The point at a distance and a bearing: the direct problem, which the product never solves."""
    lat, lon, course, angle = (
        radians(origin[0]),
        radians(origin[1]),
        radians(bearing),
        metres / EARTH_RADIUS_M,
    )
    north = asin(sin(lat) * cos(angle) + cos(lat) * sin(angle) * cos(course))
    east = lon + atan2(sin(course) * sin(angle) * cos(lat), cos(angle) - sin(lat) * sin(north))
    return degrees(north), (degrees(east) + 540) % 360 - 180


def looking(bearing: int, field: int, reach: int) -> Sight:
    return Sight(bearing=bearing, field_of_view=field, reach_m=reach)


CENTRES = st.sampled_from([CORNER, (0.0, 180.0), (0.0, -179.9999), (11.0, 0.0), (-60.0, 179.9995)])
SIGHTS = st.builds(looking, st.integers(0, 359), st.integers(1, 360), st.integers(1, 5000))


# -- a point ----------------------------------------------------------------------------------------------


@given(CENTRES, SIGHTS, st.floats(0, 359.9), st.floats(0.05, 6000))
def test_a_camera_sees_the_points_of_its_sector(
    camera: LatLon, sight: Sight, bearing: float, metres: float
) -> None:
    point = away(camera, bearing, metres)
    beside = abs((bearing - sight.bearing + 180) % 360 - 180)
    assume(abs(beside - sight.field_of_view / 2) * metres > 0.05 * 57.3 or sight.field_of_view == 360)
    assume(abs(metres - sight.reach_m) > 0.05)
    expected = metres <= sight.reach_m and (beside <= sight.field_of_view / 2 or sight.field_of_view == 360)
    area = Near(*point, 1.0)
    assert area.is_seen(camera, sight) is expected
    direction = area.direction(camera)
    assert direction.distance_m == pytest.approx(metres, abs=0.01)
    assert abs((direction.bearing - bearing + 180) % 360 - 180) * metres < 1


@pytest.mark.parametrize("metres", [0.5, 60.0, 100.0])
@pytest.mark.parametrize("side", [-45.0, 45.0])
def test_the_edges_of_a_sector_belong_to_it(metres: float, side: float) -> None:
    sight = looking(0, 90, 100)
    assert Near(*away(CORNER, side, metres), 1.0).is_seen(CORNER, sight)
    outside = side * 1.2
    assert not Near(*away(CORNER, outside, metres), 1.0).is_seen(CORNER, sight)
    assert not Near(*away(CORNER, side, 100.1), 1.0).is_seen(CORNER, sight)


def test_a_camera_sees_where_it_stands_and_over_north() -> None:
    assert Near(*CORNER, 1.0).is_seen(CORNER, looking(180, 1, 1))
    north = looking(355, 30, 100)
    assert Near(*away(CORNER, 5, 50), 1.0).is_seen(CORNER, north)
    assert not Near(*away(CORNER, 15, 50), 1.0).is_seen(CORNER, north)


@given(CENTRES, st.floats(0, 359.9), st.floats(1, 20_000), st.floats(1, 20_000))
def test_near_is_a_distance_across_180_degrees_too(
    centre: LatLon, bearing: float, metres: float, radius: float
) -> None:
    assume(abs(metres - radius) > 0.01)
    assert Near(*centre, radius).stands_in(away(centre, bearing, metres)) is (metres <= radius)


@pytest.mark.parametrize("radius", [0.0, -1.0, 20_000.1, float("inf"), float("nan")])
def test_a_radius_out_of_bounds_is_refused(radius: float) -> None:
    refused("bad_radius", lambda: Near(*CORNER, radius))


# -- outlines ---------------------------------------------------------------------------------------------


def star(centre: LatLon, radii: list[float]) -> list[LatLon]:
    """An outline that never crosses itself: corners around a centre, at different distances."""
    return [away(centre, 360 * n / len(radii), radius) for n, radius in enumerate(radii)]


RADII = st.lists(st.floats(20, 2_000), min_size=3, max_size=9)


@settings(max_examples=60, deadline=None)
@given(CENTRES, RADII, st.floats(0, 359.9), st.floats(0, 2_500))
def test_inside_is_what_winding_says(
    centre: LatLon, radii: list[float], bearing: float, metres: float
) -> None:
    corners = star(centre, radii)
    point = away(centre, bearing, metres)
    area = polygon(corners)
    offsets = [plane.offset(point, corner) for corner in corners]
    turned = sum(
        atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])
        for a, b in pairwise([*offsets, offsets[0]])
    )
    nearest = min(_to_line(a, b) for a, b in pairwise([*offsets, offsets[0]]))
    assume(nearest > 2.0)  # at 60° an edge of 4 km is drawn half a metre elsewhere in the other plane
    assert area.stands_in(point) is (abs(turned) > 3)


def _to_line(a: tuple[float, float], b: tuple[float, float]) -> float:
    x, y = plane.nearest(a, b)
    return float((x * x + y * y) ** 0.5)


@settings(max_examples=60, deadline=None)
@given(RADII, SIGHTS, st.floats(0, 359.9), st.floats(0, 4_000))
@example([100.0] * 4, looking(180, 10, 500), 0.0, 400.0)
def test_an_outline_is_seen_where_a_point_of_it_is_seen(
    radii: list[float], sight: Sight, bearing: float, metres: float
) -> None:
    camera = away(CORNER, bearing, metres)
    area = polygon(star(CORNER, radii))
    shares = [n / 12 for n in range(13)]
    seen = [
        away(camera, sight.bearing + (side - 0.5) * sight.field_of_view, part * sight.reach_m)
        for side in shares
        for part in shares
    ]
    if any(area.stands_in(point) for point in seen):
        assert area.is_seen(camera, sight)
    elif area.is_seen(camera, sight):
        # The touch lies between the points that were tried: some corner or edge is that near to the sector.
        corners = [*area.points, area.points[0]]
        tried = [
            plane.offset(camera, (a[0] + (b[0] - a[0]) * n / 200, a[1] + (b[1] - a[1]) * n / 200))
            for a, b in pairwise(corners)
            for n in range(201)
        ]
        assert any(_in_sector(sight, x, y, slack=25.0) for x, y in tried)


def _in_sector(sight: Sight, x: float, y: float, *, slack: float) -> bool:
    far = (x * x + y * y) ** 0.5
    beside = abs((degrees(atan2(x, y)) - sight.bearing + 180) % 360 - 180) - sight.field_of_view / 2
    return far <= sight.reach_m + slack and (beside <= 0 or far * sin(radians(min(beside, 90))) <= slack)


def test_a_sector_that_only_crosses_an_outline_sees_it() -> None:
    """No corner of one lies in the other."""
    wall = polygon([away(CORNER, 90, 1000), away(CORNER, 270, 1000), away(away(CORNER, 270, 1000), 0, 5)])
    south = away(CORNER, 180, 100)
    assert wall.is_seen(south, looking(0, 2, 150))
    assert not wall.is_seen(south, looking(0, 2, 90))
    assert not wall.is_seen(south, looking(180, 90, 150))
    assert wall.is_seen(south, looking(90, 90, 150)), "by its left side alone"
    assert not wall.is_seen(south, looking(90, 90, 120))


def test_an_outline_across_the_180th_meridian() -> None:
    corners = [(-1.0, 179.9), (-1.0, -179.9), (-0.9, -179.9), (-0.9, 179.9)]
    for area in (polygon(corners), box(-1.0, 179.9, -0.9, -179.9)):
        assert area.stands_in((-0.95, 180.0))
        assert area.stands_in((-0.95, -180.0))
        assert area.stands_in((-0.95, -179.95))
        assert area.stands_in((-0.9, 179.9)), "edges belong to it"
        assert not area.stands_in((-0.95, 179.85))
        assert not area.stands_in((-0.95, -179.85))
        assert area.is_seen(away((-0.95, 179.9), 270, 50), looking(90, 30, 60))
        assert not area.is_seen(away((-0.95, 179.9), 270, 50), looking(270, 30, 60))


def test_a_box_has_its_edges() -> None:
    area = box(-5.16, 119.40, -5.12, 119.45)
    for point in [(-5.16, 119.40), (-5.12, 119.45), (-5.14, 119.45), (-5.14, 119.42)]:
        assert area.stands_in(point)
    for point in [(-5.1600001, 119.42), (-5.14, 119.4500001), (-5.14, -119.42)]:
        assert not area.stands_in(point)
    assert area.direction((-5.0, 119.4)) is None
    assert area.written() == {"box": "-5.16,119.4,-5.12,119.45"}


SQUARE = [(-5.15, 119.43), (-5.15, 119.44), (-5.14, 119.44), (-5.14, 119.43)]


def test_a_ring_may_be_closed_and_may_turn_either_way() -> None:
    rings = (SQUARE, [*SQUARE, SQUARE[0]], SQUARE[::-1])
    areas: list[Outline] = [polygon(one) for one in rings]
    assert all(area.stands_in((-5.145, 119.435)) for area in areas)
    assert not any(area.stands_in((-5.155, 119.435)) for area in areas)


@pytest.mark.parametrize(
    ("corners", "code"),
    [
        ([], "bad_area"),
        (SQUARE[:2], "bad_area"),
        ([SQUARE[0], SQUARE[1], SQUARE[0]], "bad_area"),
        ([*SQUARE[:2], SQUARE[1], *SQUARE[2:]], "bad_area"),
        ([SQUARE[0], (-5.150000001, 119.430000001), *SQUARE[1:]], "bad_area"),
        ([away(CORNER, n * 0.7, 500) for n in range(501)], "bad_area"),
        ([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]], "area_crosses_itself"),
        ([(0, 0), (0, 0.1), (0, 0.05), (0.1, 0.05)], "area_crosses_itself"),
        ([(0, 0), (0, 0.2), (0.1, 0.2), (0, 0.1), (0.1, 0)], "area_crosses_itself"),
        ([(0, 0), (0, 0.1), (0, 0.2)], "area_too_small"),
        ([(0, 0), (0, 0.000001), (0.000001, 0)], "area_too_small"),
        ([(0, 0), (0, 1), (1, 1)], "area_too_large"),
        ([(89.9, 0), (89.9, 120), (89.9, -120)], "bad_area"),
        ([(91, 0), (0, 1), (1, 1)], "bad_place"),
        ([(0, 181), (0, 1), (1, 1)], "bad_place"),
        ([(float("nan"), 0), (0, 1), (1, 1)], "bad_place"),
        ([(119.43, -5.15), (119.44, -5.15), (119.44, -5.14)], "bad_place"),
    ],
)
def test_an_outline_without_a_meaning_is_refused(corners: list[LatLon], code: str) -> None:
    refused(code, lambda: polygon(corners))


@pytest.mark.parametrize(
    ("edges", "code"),
    [
        ((1, 0, 0, 1), "bad_place"),
        ((0, 1, 1, 1), "bad_place"),
        ((-5.16, 119.45, -5.12, 119.40), "area_too_large"),
        ((0, 0, 1.5, 0.1), "area_too_large"),
        ((0, 0, 0.000001, 0.000001), "area_too_small"),
    ],
)
def test_a_box_without_a_meaning_is_refused(edges: tuple[float, ...], code: str) -> None:
    refused(code, lambda: box(*edges))


def test_five_hundred_corners_in_the_worst_order_are_judged_quickly() -> None:
    comb = [(0.0 if n % 2 else 0.5, n * 0.001) for n in range(498)]
    area = polygon([*comb, (-0.1, 0.497), (-0.1, 0.0)])
    assert area.stands_in((-0.05, 0.2))


# -- routes -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    CENTRES,
    st.lists(st.tuples(st.floats(0, 359.9), st.floats(50, 3_000)), min_size=1, max_size=5),
    st.floats(1, 500),
    st.floats(0, 359.9),
    st.floats(0, 3_000),
    SIGHTS,
)
def test_a_route_is_the_strip_along_its_line(
    start: LatLon,
    legs: list[tuple[float, float]],
    buffer: float,
    bearing: float,
    metres: float,
    sight: Sight,
) -> None:
    points = [start]
    for turn, length in legs:
        points.append(away(points[-1], turn, length))
    area = route(points, buffer)
    camera = away(start, bearing, metres)
    tried = [
        away(a, plane.bearing(a, b), distance_m(a, b) * n / 300)
        for a, b in pairwise(points)
        for n in range(301)
    ]
    least = min(distance_m(camera, one) for one in tried)
    assert area.direction(camera).distance_m <= least + 0.01
    assert area.direction(camera).distance_m >= least - 10.1, "the samples lie 10 m apart at most"
    if abs(least - buffer) > 10.1:
        assert area.stands_in(camera) is (least <= buffer)
    near = [plane.offset(camera, one) for one in tried]
    if any(_in_sector(sight, x, y, slack=0.0) for x, y in near):
        assert area.is_seen(camera, sight)
    if not any(_in_sector(sight, x, y, slack=buffer + 20.0) for x, y in near):
        assert not area.is_seen(camera, sight)


@pytest.mark.parametrize(
    ("points", "buffer", "code"),
    [
        ([CORNER], 25, "bad_area"),
        ([CORNER, CORNER], 25, "bad_area"),
        ([away(CORNER, 0, n) for n in range(0, 2010, 10)], 25, "bad_area"),
        ([CORNER, away(CORNER, 0, 100)], 0, "bad_buffer"),
        ([CORNER, away(CORNER, 0, 100)], 500.5, "bad_buffer"),
        ([CORNER, away(CORNER, 0, 100)], float("nan"), "bad_buffer"),
        ([CORNER, away(CORNER, 0, 101_000)], 25, "area_too_large"),
        ([CORNER, (95, 0)], 25, "bad_place"),
    ],
)
def test_a_route_without_a_meaning_is_refused(points: list[LatLon], buffer: float, code: str) -> None:
    refused(code, lambda: route(points, buffer))


def test_one_area_at_a_time() -> None:
    near, square = Near(*CORNER, 1.0), polygon(SQUARE)
    assert one_area(None, None) is None
    assert one_area(None, near) is near
    refused("several_areas", lambda: one_area(near, square))


def refused(code: str, make: Callable[[], Area | None]) -> None:
    with pytest.raises(Malformed) as caught:
        make()
    assert caught.value.code == code
    assert caught.value.hint
