import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.list_pages import page_of
from archive.errors import Malformed


@given(st.lists(st.integers(0, 50), unique=True), st.integers(1, 12))
def test_page_by_page_everything_is_met_once_in_its_order(found: list[int], limit: int) -> None:
    met: list[int] = []
    cursor = ""
    while True:
        page, following = page_of(found, cursor, limit, str)
        assert len(page) <= limit
        assert page or not found, "no cursor leads to a page of nothing"
        assert not set(page) & set(met)
        met += page
        if following is None:
            break
        assert len(page) == limit
        cursor = following
    assert met == found


def test_behind_the_last_item_there_is_nothing() -> None:
    assert page_of(["a", "b"], "b", 1, str) == ([], None)


@pytest.mark.parametrize("cursor", ["c", "A", " "])
def test_a_cursor_of_no_item_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed) as refused:
        page_of(["a", "b"], cursor, 1, str)
    assert refused.value.code == "bad_cursor"
