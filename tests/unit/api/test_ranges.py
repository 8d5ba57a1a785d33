"""Range requests by RFC 9110."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ranges import (
    ByteRange,
    RangeNotSatisfiable,
    is_unmodified,
    precondition_fails,
    range_to_serve,
    requested_range,
)

ETAG = '"0a1b"'


@pytest.mark.parametrize(
    ("field", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-499", 0, 500),
        ("bytes=500-", 500, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-5000", 0, 1000),
        ("bytes=999-999999", 999, 1000),
        ("Bytes = 10-20 ", 10, 21),
    ],
)
def test_one_range_is_served(field: str, start: int, end: int) -> None:
    assert requested_range(field, 1000) == ByteRange(start, end, 1000)


@pytest.mark.parametrize("field", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=" + "9" * 18 + "-"])
def test_a_range_outside_is_refused_with_the_size(field: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        requested_range(field, 1000)
    assert caught.value.content_range == "bytes */1000"
    assert caught.value.code == "range_not_satisfiable"


@pytest.mark.parametrize(
    "field",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=0-1,5-6",
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1--2",
        "bytes=1-2-3",
        "seconds=1-2",
        "bytes=٣-٤",
        "bytes=0-" + "9" * 400_000,
        "bytes=0-1\n",
    ],
)
def test_what_does_not_follow_the_grammar_is_ignored(field: str | None) -> None:
    assert requested_range(field, 1000) is None


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50))
def test_a_range_is_the_slice_it_names(first: int, last: int, size: int) -> None:
    body = bytes(range(size))
    if last < first:
        assert requested_range(f"bytes={first}-{last}", size) is None
    elif first >= size:
        with pytest.raises(RangeNotSatisfiable):
            requested_range(f"bytes={first}-{last}", size)
    else:
        found = requested_range(f"bytes={first}-{last}", size)
        assert found is not None
        assert body[found.start : found.end] == body[first : last + 1]
        assert found.length == found.end - found.start
        assert found.content_range == f"bytes {first}-{min(last, size - 1)}/{size}"


@given(st.text(max_size=40))
def test_no_field_breaks_the_parser(field: str) -> None:
    for text in (field, f"bytes={field}"):
        try:
            found = requested_range(text, 100)
        except RangeNotSatisfiable:
            continue
        assert found is None or 0 <= found.start < found.end <= 100
    is_unmodified(field, ETAG)


@pytest.mark.parametrize(
    ("if_range", "partial"),
    [
        (None, True),
        (ETAG, True),
        (f" {ETAG} ", True),
        (f"W/{ETAG}", False),
        ('"other"', False),
        ("Tue, 24 Nov 2026 06:00:00 GMT", False),
    ],
)
def test_if_range_asks_for_the_whole_when_it_is_stale(if_range: str | None, partial: bool) -> None:
    assert (range_to_serve("bytes=0-9", if_range, ETAG, 1000) is not None) is partial


def test_a_stale_if_range_is_never_unsatisfiable() -> None:
    assert range_to_serve("bytes=5000-", '"old"', ETAG, 1000) is None


@pytest.mark.parametrize(
    ("field", "weakly", "strongly"),
    [
        (ETAG, True, True),
        (f"W/{ETAG}", True, False),
        (f'"x", {ETAG}', True, True),
        (f'"a,b",{ETAG}', True, True),
        ("*", True, True),
        ('"x"', False, False),
        ("", False, False),
        ("0a1b", False, False),
        (f"{ETAG} {ETAG}", False, False),
        (f"junk{ETAG}", False, False),
    ],
)
def test_entity_tags_are_compared_weakly_and_strongly(field: str, weakly: bool, strongly: bool) -> None:
    assert is_unmodified(field, ETAG) is weakly
    assert precondition_fails(field, ETAG) is not strongly


def test_absent_conditions_hold() -> None:
    assert not is_unmodified(None, ETAG)
    assert not precondition_fails(None, ETAG)
