"""The verifier's arithmetic of time, compared with sets of instants."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.verifier import spans

SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=6)


def instants(found: list[tuple[int, int]]) -> set[int]:
    return {instant for start, end in found for instant in range(start, end)}


@given(SPANS, SPANS)
def test_spans_are_sets_of_instants(these: list[tuple[int, int]], those: list[tuple[int, int]]) -> None:
    mine, yours = instants(these), instants(those)
    for found, wanted in (
        (spans.union(these), mine),
        (spans.both(these, those), mine & yours),
        (spans.without(these, those), mine - yours),
    ):
        assert instants(found) == wanted
        assert found == sorted(found)
        assert all(before[1] < after[0] for before, after in pairwise(found))
