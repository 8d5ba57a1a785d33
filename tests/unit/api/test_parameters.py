import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.parameters import asked_box, asked_circle, asked_owners, asked_span, camera_ids, instant
from api.request_context import check_purpose
from archive.errors import Malformed
from archive.model.camera import OwnerKind
from archive.timespan import format_instant
from search.geo import Box, Circle

AT = 1_795_500_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T14:00:00+08:00",
        "2026-11-24T14:00:00 08:00",  # a plus that was not written %2B
        "2026-11-24 14:00:00+08:00",
        "2026-11-24T06:00:00Z",
        "2026-11-24T01:00:00-05:00",
    ],
)
def test_times_with_an_offset_are_read(text: str) -> None:
    assert instant("from", text) == AT


def test_a_lost_plus_is_found_after_a_fraction() -> None:
    assert instant("from", "2026-11-24T14:00:00.25 08:00") == AT + 250_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-11-24T14:00:00", "naive_time"),
        ("2026-11-24 14:00:00", "naive_time"),
        ("2026-11-24", "bad_time"),
        ("14:00", "bad_time"),
        ("", "bad_time"),
        ("now", "bad_time"),
        ("1795500000", "bad_time"),
        ("2026-11-24T14:00:60+08:00", "bad_time"),
        ("2026-11-24T14:00:00+08:00" + "0" * 5000, "bad_time"),
    ],
)
def test_other_times_are_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        instant("to", text)
    assert refused.value.code == code
    assert refused.value.message.startswith("'to'")
    assert len(refused.value.message) < 200


@given(st.integers(0, 2 * AT))
def test_every_time_that_is_written_is_read_back(at: int) -> None:
    assert instant("from", format_instant(at)) == at


def test_an_empty_or_backward_span_is_refused() -> None:
    for end in (AT, AT - 1):
        with pytest.raises(Malformed) as refused:
            asyncio.run(asked_span(format_instant(AT), format_instant(end)))
        assert refused.value.code == "empty_span"


def test_places_are_read() -> None:
    assert asyncio.run(asked_box("-5.2,119.3,-5.1,119.5")) == Box(-5.2, 119.3, -5.1, 119.5)
    assert asyncio.run(asked_box("")) is None
    assert asyncio.run(asked_circle("-5.1,119.4", "")) == Circle(-5.1, 119.4, 500)
    assert asyncio.run(asked_circle("-5.1,119.4", "20.5")) == Circle(-5.1, 119.4, 20.5)
    assert asyncio.run(asked_circle("", "")) is None
    assert asyncio.run(asked_owners([])) is None
    assert asyncio.run(asked_owners(["public"])) == (OwnerKind.PUBLIC,)


@pytest.mark.parametrize(
    "box", ["1", "1,2,3", "a,b,c,d", "1,2,3,nan", "5,0,4,1", "0,0,91,1", ",,,", "0,0,1e999,1"]
)
def test_boxes_that_cannot_be_are_refused(box: str) -> None:
    with pytest.raises(Malformed) as refused:
        asyncio.run(asked_box(box))
    assert refused.value.code == "bad_place"


@pytest.mark.parametrize(
    ("near", "radius"),
    [("1", ""), ("1,2,3", ""), ("91,0", ""), ("1,2", "0"), ("1,2", "x"), ("", "5"), ("1,2", "inf")],
)
def test_circles_that_cannot_be_are_refused(near: str, radius: str) -> None:
    with pytest.raises(Malformed) as refused:
        asyncio.run(asked_circle(near, radius))
    assert refused.value.code == "bad_place"


def test_cameras_are_counted_once() -> None:
    assert camera_ids(["b", "a", "b"], 2) == ("b", "a")
    with pytest.raises(Malformed) as refused:
        camera_ids(["a", "b", "c"], 2)
    assert refused.value.code == "too_many_cameras"
    with pytest.raises(Malformed):
        camera_ids(["../a"], 2)


def test_a_purpose_is_printable_and_short() -> None:
    assert check_purpose("  LP/B/123/XI/2026 ") == "LP/B/123/XI/2026"
    for bad in ("a\nb", "\x00", "x" * 201):
        with pytest.raises(Malformed) as refused:
            check_purpose(bad)
        assert refused.value.code == "bad_purpose"


def test_owners_that_are_not_known_are_refused() -> None:
    with pytest.raises(Malformed) as refused:
        asyncio.run(asked_owners(["hotel"]))
    assert refused.value.code == "bad_filter"
