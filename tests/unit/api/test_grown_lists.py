"""A growing playlist is one list, whichever of several processes answers, and whatever each has forgotten."""

from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.audit import AuditTrail
from api.grown_lists import Grown, GrownLists
from api.hls import Growing, whole_segments
from api.playback import PlaybackSessions
from api.playback_book import OpenSessions
from archive.clock import ManualClock
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import Reading
from archive.model.custody import Actor
from archive.objects.filesystem import FilesystemStore
from archive.records.custody import CustodyWriter
from archive.timespan import MINUTE
from tests.support.leaves import T0
from tests.unit.api.test_hls import known, numbers_of, refs, stored

ACTOR = Actor(id="user:ani", address="10.0.0.1")
NAMES = count()


class Workers:
    """Three processes over one book."""

    def __init__(self, folder: Path) -> None:
        clock = ManualClock(T0)
        audit = AuditTrail(CustodyWriter(FilesystemStore(folder, clock), clock, writer="api-test"))
        self.book = OpenSessions(clock)
        self.each = [PlaybackSessions(audit, self.book, idle=MINUTE) for _ in range(3)]
        self.session = self.each[0].open(ACTOR, "cam-1", "shift 2", known([], 0).span)

    def text(self, worker: int, name: str, reading: Reading, *, is_over: bool = False) -> str | None:
        """What a worker answers; "" if there is nothing yet."""
        try:
            return self.each[worker].grown(
                self.session,
                ACTOR,
                "cam-1",
                "shift 2",
                name=name,
                made=Growing,
                is_over=is_over,
                text_of=lambda growing: growing.text(reading, whole_segments(stored)),
            )
        except NoFootage:
            return ""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Workers:
    return Workers(tmp_path_factory.mktemp("records"))


def test_each_worker_gives_the_same_and_what_came_late_stays_out_of_all(workers: Workers) -> None:
    name = f"list {next(NAMES)}"
    with_gap, filled = known(refs(0, 2), 30), known(refs(0, 1, 2, 3), 40)
    first = [workers.text(n, name, with_gap) for n in range(3)]
    assert first[0] == first[1] == first[2]
    later = [workers.text(n, name, filled) for n in (2, 0, 1)]
    assert later[0] == later[1] == later[2]
    assert numbers_of(str(later[0])) == [0, 2, 3], "a list of its own would have 1"
    over = known(refs(0, 1, 2, 3, 4, 5), 60)
    ends = [workers.text(n, name, over, is_over=True) for n in (1, 2, 0)]
    assert ends[0] == ends[1] == ends[2]
    assert str(ends[0]).endswith("#EXT-X-ENDLIST\n")
    assert workers.text(0, "another", over, is_over=True) is None, "none is begun for a span that is over"


def test_a_worker_that_took_over_goes_on_where_the_dead_one_was(workers: Workers) -> None:
    name = f"list {next(NAMES)}"
    before = str(workers.text(0, name, known(refs(0, 2), 30)))
    workers.each[0]._lists.clear()
    after = [str(workers.text(n, name, known(refs(0, 1, 2, 3), 40))) for n in (0, 1)]
    assert after[0] == after[1]
    assert after[0].startswith(before.removesuffix("\n"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sets(st.integers(0, 5)), st.integers(0, 60), st.booleans()),
        min_size=2,
        max_size=10,
    )
)
def test_whichever_answers_and_forgets_a_list_only_grows(
    workers: Workers, steps: list[tuple[int, set[int], int, bool]]
) -> None:
    """In each step one worker answers; before it, it may have forgotten what it followed."""
    name, here, until = f"list {next(NAMES)}", set[int](), 0
    found = [""]
    for worker, more, mark, forgets in steps:
        here, until = here | more, max(until, mark)
        if forgets:
            workers.each[worker]._lists.clear()
        found.append(str(workers.text(worker, name, known(refs(*sorted(here)), until))))
    for before, after in pairwise(found):
        assert after.startswith(before.removesuffix("\n"))


def test_what_the_book_forgot_it_is_given_again(workers: Workers) -> None:
    name = f"list {next(NAMES)}"
    before = str(workers.text(0, name, known(refs(0, 2), 30)))
    workers.text(1, name, known(refs(0, 2), 30))
    workers.book._lists = GrownLists()
    after = [str(workers.text(n, name, known(refs(0, 1, 2, 3), 40))) for n in (0, 1, 2)]
    assert after[0] == after[1] == after[2]
    assert after[0].startswith(before.removesuffix("\n"))


def test_lines_are_added_only_where_the_list_ends() -> None:
    lists = GrownLists()
    assert lists.read("a", 0, 0) is None
    assert lists.add("a", 7, 2, ["x"], {}) == 0, "there is no such list"
    number = lists.add("a", 0, 0, ["x", "y"], {"n": 1})
    assert number
    assert lists.add("a", 0, 0, ["z"], {}) == 0, "somebody else began it"
    assert lists.add("a", number, 1, ["z"], {}) == 0, "somebody else was faster"
    assert lists.add("a", number, 2, ["z"], {"n": 2}) == number
    assert lists.read("a", number, 2) == Grown(number, 2, ["z"], {"n": 2})
    assert lists.read("a", number + 1, 2) == Grown(number, 0, ["x", "y", "z"], {"n": 2})
    assert lists.read("a", number, 9) == Grown(number, 0, ["x", "y", "z"], {"n": 2})


def test_lists_are_bounded_in_number_and_size_and_the_one_least_asked_for_goes() -> None:
    lists = GrownLists(most=2, most_characters=100)
    for name in "abc":
        lists.add(name, 0, 0, ["x" * 10], {})
        lists.read("a", 0, 0)
    assert [lists.read(name, 0, 0) is not None for name in "abc"] == [True, False, True]
    lists.add("d", 0, 0, ["x" * 95], {})
    assert [lists.read(name, 0, 0) is not None for name in "acd"] == [False, False, True]
    lists.add("e", 0, 0, ["x" * 1000], {})
    assert lists.read("e", 0, 0) is not None, "a list that is larger is kept alone"
