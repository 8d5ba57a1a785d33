"""Every index: which segments are under legal hold, as the holds job marks them."""

from archive.timespan import HOUR
from search.index import Index
from tests.support.indexes import ANY, DAY_OF_T0, IndexUnderTest, all_pages, entry, everything, run_id
from tests.support.leaves import RUN, T0, segment


def held(index: Index) -> list[int]:
    found = [one.seq for one in index.search(ANY).items if one.held]
    assert found == [one.seq for one in index.segments("cam-1", DAY_OF_T0) if one.held]
    assert sum(one.held for one in index.hours(ANY)) == len(found)
    return found


def test_marks_come_and_go_and_change_nothing_else(index: Index) -> None:
    leaves = [segment(n) for n in range(6)]
    index.add([entry(one) for one in leaves])
    free = everything(index)
    for _ in range(2):  # idempotent
        index.mark_held(leaf.ref() for leaf in leaves[2:5])
        assert held(index) == [2, 3, 4]
    index.mark_free([leaves[3].ref(held=True)])
    assert held(index) == [2, 4]
    found = index.segment(RUN, 2)
    assert found == leaves[2].ref(held=True)
    for _ in range(2):
        index.mark_free([leaf.ref() for leaf in leaves])
    assert everything(index) == free


def test_marks_on_what_is_not_there_make_nothing(index: Index) -> None:
    index.mark_held([segment(0).ref()])  # nothing was ever added: no month, no camera
    index.mark_held([])
    assert index.status().segments == 0
    index.add([entry(segment(n)) for n in range(2)])
    index.mark_held([segment(1).ref(), segment(9).ref(), segment(0, run=run_id(7)).ref()])
    index.mark_free([segment(9, start=T0 + 40 * 24 * HOUR).ref()])
    assert held(index) == [1]
    assert index.status().segments == 2


def test_many_are_marked_at_once(index: Index) -> None:
    leaves = [segment(n, seconds=2) for n in range(2_500)]
    index.add([entry(one) for one in leaves])
    index.mark_held([one.ref() for one in leaves[:2_100]])
    assert sum(one.held for one in all_pages(index, ANY)) == 2_100


def test_marks_of_others_survive_a_rebuild(under_test: IndexUnderTest) -> None:
    """The holds job continues while the index is rebuilt from an earlier state of the archive."""
    index, other = under_test.index, under_test.reopened()
    leaves = [segment(n) for n in range(4)]
    index.add([entry(one) for one in leaves])
    index.mark_held([leaves[3].ref()])
    with index.rebuild() as fresh:
        fresh.add([entry(one, held=one.seq == 3) for one in leaves])
        other.mark_held([leaves[0].ref()])
        other.mark_free([leaves[3].ref()])
    other.close()
    assert held(index) == [0]
