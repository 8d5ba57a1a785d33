"""The stays of a camera: what it was, and where, at each instant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.model.stay import Stay, stays_of, stays_state
from archive.timespan import Timespan

PLACES = {"a": "119.400000", "b": "119.410000"}


def state(where: str = "a", name: str = "Pasar", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "lat": "-5.140000", "lon": PLACES[where], "kecamatan": "73.71.13",
        "kelurahan": "73.71.13.1001", "owner": "public", "disabled": 0, **more,
    }  # fmt: skip


def made(*entries: tuple[int, dict[str, Any]]) -> tuple[Stay, ...]:
    return stays_of("cam-1", stays_state(entries))


def test_only_what_a_search_asks_about_begins_a_stay() -> None:
    looking = {"bearing": 90, "field_of_view": 60, "reach_m": 40}
    found = made(
        (10, state()),
        (20, state(disabled=1)),
        (30, state(**looking)),
        (40, state("b", **looking)),
        (50, state("b", "Terminal", **looking)),
        (60, state("b", "Terminal", address="Jl. Ratulangi 1", **looking)),
    )
    assert [(one.since, one.until) for one in found] == [
        (None, 30), (30, 40), (40, 50), (50, 60), (60, None),
    ]  # fmt: skip
    assert found[0].facts.sight is None
    assert found[1].facts.sight is not None
    assert (found[1].facts.sight.bearing, found[1].facts.place) == (90, found[0].facts.place)
    assert [(one.facts.name, one.facts.address) for one in found[3:]] == [
        ("Terminal", ""), ("Terminal", "Jl. Ratulangi 1"),
    ]  # fmt: skip


def test_the_parts_of_a_span_are_half_open() -> None:
    first, second = made((10, state()), (40, state("b")))
    assert first.within(Timespan(0, 50)) == Timespan(0, 40)
    assert second.within(Timespan(0, 50)) == Timespan(40, 50)
    assert second.within(Timespan(0, 40)) is None
    assert first.within(Timespan(40, 50)) is None


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), min_size=1, max_size=6))
def test_of_an_instant_the_newest_entry_that_is_not_later_counts(entries: list[tuple[int, str]]) -> None:
    """Also where a clock was set back: the rule by which a rebuild places segments."""
    found = made(*((at, state(where)) for at, where in entries))
    for instant in range(-1, 14):
        (stay,) = [one for one in found if one.within(Timespan(instant, instant + 1))]
        expected = next((where for at, where in reversed(entries) if at <= instant), entries[0][1])
        assert str(stay.facts.place.lon) == str(float(PLACES[expected])), instant


@pytest.mark.parametrize("damaged", [{}, {"stays": 7}, {"stays": [{"lat": "1"}]}, {"stays": ["x"]}])
def test_a_damaged_document_is_refused(damaged: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        stays_of("cam-1", damaged)
    assert caught.value.code == "bad_camera"
