"""Canonical JSON: the quick path writes what RFC 8785 demands, or leaves it to the slow path."""

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from archive import canonical
from archive.errors import Malformed

TEXT = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(min_codepoint=0, max_codepoint=0x2FF), max_size=8),
    st.sampled_from(["", "\x7f", "\u2028", "\\", '"', "/", "\U0001f600", "\ufb33"]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) - 2, 2**53 + 2), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(TEXT, inner, max_size=5),
    ),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_every_object_is_written_as_rfc_8785_writes_it(value: dict[str, object]) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError:
        expected = None
    try:
        found = canonical.encode(value)
    except Malformed:
        found = None
    assert found == expected
