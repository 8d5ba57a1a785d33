"""When an old recorder may be stopped: never before the new one has footage of all that the old one has."""

from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import JsonObject
from archive.timespan import SECOND
from recorder.placement.succession import Succession
from search.query import Heartbeat

NOW = 10**15
KEPT: JsonObject = {"capturing": 1, "kept": 1}
TRIES: JsonObject = {"capturing": 1, "kept": 0}


def beat(recorder: str, at: int, **cameras: JsonObject) -> Heartbeat:
    return Heartbeat(recorder, at, {"cameras": cameras})


def test_a_heartbeat_of_before_proves_nothing() -> None:
    found = Succession("old", "new")
    old, stale = beat("old", NOW, a=KEPT), beat("new", NOW - SECOND, a=KEPT)
    assert found.missing([old, stale], NOW) is None
    assert found.missing([old, stale], NOW + SECOND) is None
    assert found.missing([old, beat("new", NOW + SECOND, a=TRIES)], NOW + SECOND) == frozenset("a")
    assert found.missing([old, beat("new", NOW + 2 * SECOND, a=KEPT)], NOW + 2 * SECOND) == frozenset()


def test_one_that_was_never_heard_counts_from_its_first_heartbeat() -> None:
    found = Succession("old", "new")
    assert found.missing([beat("old", NOW, a=KEPT)], NOW) is None
    assert found.missing([beat("old", NOW, a=KEPT), beat("new", NOW, a=KEPT)], NOW) == frozenset()


def test_a_camera_that_the_old_one_has_not_is_not_waited_for() -> None:
    found = Succession("old", "new")
    found.missing([], NOW)
    assert found.missing([beat("old", NOW, a=TRIES, b=KEPT), beat("new", NOW, b=KEPT)], NOW) == frozenset()


def test_an_old_one_that_is_not_heard_may_record_all_the_same() -> None:
    found = Succession("old", "new")
    found.missing([], NOW)
    new, stale = beat("new", NOW, a=TRIES), beat("old", NOW - 21 * SECOND, a=KEPT)
    assert found.missing([new], NOW) is None
    assert found.missing([stale, new], NOW) is None
    ended = Heartbeat("old", NOW - 21 * SECOND, {"stopped": 1, "cameras": {"a": KEPT}})
    assert found.missing([ended, new], NOW) == frozenset(), "it said that it stopped"


@given(
    old=st.dictionaries(st.sampled_from("abcdef"), st.booleans()),
    new=st.dictionaries(st.sampled_from("abcdef"), st.booleans()),
    age=st.integers(0, 60),
)
def test_it_misses_what_the_old_one_keeps_and_the_new_one_does_not(
    old: dict[str, bool], new: dict[str, bool], age: int
) -> None:
    def facts(kept: dict[str, bool]) -> dict[str, JsonObject]:
        return {name: KEPT if is_kept else TRIES for name, is_kept in kept.items()}

    found = Succession("old", "new")
    found.missing([], NOW)
    said = [beat("old", NOW, **facts(old)), beat("new", NOW - age * SECOND, **facts(new))]
    has = {name for name, is_kept in new.items() if is_kept} if age <= 20 else set()
    kept = frozenset(name for name, is_kept in old.items() if is_kept)
    assert found.missing(said, NOW) == kept - has
