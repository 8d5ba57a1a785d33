"""What a camera sees, read from text and from the ledger."""

import pytest

from archive.errors import Malformed
from archive.model import sight
from archive.model.sight import Sight

_NORTH_EAST = {"bearing": "45", "field_of_view": "90", "reach_m": "60"}


def test_what_is_stated_is_kept() -> None:
    found = sight.parse_sight(_NORTH_EAST)
    assert found == Sight(bearing=45, field_of_view=90, reach_m=60)
    assert sight.from_state(sight.to_state(found)) == found


def test_a_camera_of_which_nobody_stated_it_has_none() -> None:
    assert sight.parse_sight({}) is None
    assert sight.to_state(None) == {}
    assert sight.from_state({"id": "cam-1"}) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("bearing", "360"),
        ("bearing", "-1"),
        ("bearing", "4.5"),
        ("bearing", "٤"),
        ("field_of_view", "0"),
        ("field_of_view", "361"),
        ("reach_m", "0"),
        ("reach_m", "5001"),
        ("reach_m", ""),
    ],
)
def test_a_number_out_of_bounds_or_missing_is_named(field: str, text: str) -> None:
    with pytest.raises(Malformed) as caught:
        sight.parse_sight(_NORTH_EAST | {field: text})
    assert caught.value.code == "bad_sight"
    assert field in caught.value.message
