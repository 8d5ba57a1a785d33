"""Distances and boxes."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from search.geo import Box, Circle, distance_m

POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m((-5.0, 119.4), (-6.0, 119.4)) == pytest.approx(111_195.08, abs=0.1)


def test_across_the_180th_meridian_it_is_near() -> None:
    assert distance_m((0.0, 179.999), (0.0, -179.999)) == pytest.approx(222.4, abs=0.1)


@given(POINTS, POINTS)
def test_distance_is_symmetric_and_bounded(a: tuple[float, float], b: tuple[float, float]) -> None:
    there, back = distance_m(a, b), distance_m(b, a)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= 20_015_115
    assert distance_m(a, a) == 0


@pytest.mark.parametrize(
    "numbers",
    [(91, 0, 10), (0, 181, 10), (nan, 0, 10), (0, inf, 10), (0, 0, 0), (0, 0, -1), (0, 0, 1e6), (0, 0, nan)],
)
def test_impossible_circles_are_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(Malformed) as caught:
        Circle(*numbers)
    assert caught.value.code == "bad_place"


@pytest.mark.parametrize("edges", [(1, 0, 0, 1), (0, 1, 1, 0), (0, 0, 0, 1), (-91, 0, 0, 1), (0, nan, 1, 1)])
def test_impossible_boxes_are_refused(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(Malformed) as caught:
        Box(*edges)
    assert caught.value.code == "bad_place"


def test_edges_are_inside() -> None:
    box = Box(-5.2, 119.4, -5.1, 119.5)
    assert (-5.2, 119.4) in box
    assert (-5.1, 119.5) in box
    assert (-5.0999, 119.45) not in box
    assert (0.0, 0.0) in Circle(0.0, 0.0, 1)
