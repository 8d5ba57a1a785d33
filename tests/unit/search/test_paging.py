"""Cursors and queries."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.model.camera import OwnerKind
from archive.timespan import Timespan
from search.geo import Circle
from search.paging import read_cursor, write_cursor
from search.query import SegmentQuery
from tests.support.leaves import RUN, T0

QUERY = SegmentQuery(span=Timespan(T0, T0 + 1))


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_a_cursor_says_where_the_page_ended(start: int, seq: int) -> None:
    where = (start, "cam-1", RUN, seq)
    cursor = write_cursor(QUERY, where)
    assert read_cursor(QUERY, cursor) == where
    assert cursor.isascii()
    assert set("+/=&?# ").isdisjoint(cursor)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_cursor(QUERY, text)
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, span=Timespan(T0, T0 + 2)),
        replace(QUERY, cameras=("cam-1",)),
        replace(QUERY, cameras=()),
        replace(QUERY, kecamatan=("73.71.13",)),
        replace(QUERY, owners=(OwnerKind.PUBLIC,)),
        replace(QUERY, near=Circle(-5.0, 119.0, 10)),
    ],
)
def test_a_cursor_belongs_to_its_query(other: SegmentQuery) -> None:
    cursor = write_cursor(QUERY, (T0, "cam-1", RUN, 0))
    with pytest.raises(Malformed, match="another query"):
        read_cursor(other, cursor)


def test_the_order_of_filters_does_not_matter_to_a_cursor() -> None:
    one, two = (replace(QUERY, cameras=cameras) for cameras in (("a", "b"), ("b", "a")))
    assert read_cursor(two, write_cursor(one, (T0, "a", RUN, 0)))[1] == "a"


def test_queries_are_judged() -> None:
    for bad, code in [
        ({"cameras": ("no/slash",)}, "bad_id"),
        ({"cameras": tuple(f"c{n}" for n in range(1_001))}, "bad_filter"),
        ({"kecamatan": ("",)}, "bad_filter"),
        ({"kecamatan": ("73.71\n",)}, "bad_filter"),
        ({"kecamatan": ("\ud800",)}, "bad_filter"),
    ]:
        with pytest.raises(Malformed) as caught:
            replace(QUERY, **bad)
        assert caught.value.code == code


def test_an_empty_filter_admits_nothing_and_none_admits_everything() -> None:
    assert not QUERY.admits_nothing
    assert replace(QUERY, kecamatan=()).admits_nothing
    assert not replace(QUERY, kecamatan=("73.71.13",)).admits_nothing
