"""What a host records: a camera is left only when another has footage of it."""

from dataclasses import dataclass
from typing import Any

import pytest

from archive.timespan import SECOND
from recorder.placement.duties import FRESH, Duties, Proven, Witnesses, duties
from recorder.placement.sight import SETTLING, Sight

NOW = 1_800_000_000 * SECOND
LIVE = {"rec-a", "rec-b"}
NOBODY = Witnesses((), NOW)


@dataclass(frozen=True)
class Said:
    recorder: str
    at: int
    state: dict[str, Any]


def said(host: str, camera: str, at: int = NOW, **facts: int) -> Witnesses:
    return Witnesses([Said(host, at, {"cameras": {camera: {"capturing": 1, "kept": 1, **facts}}})], NOW)


def test_its_own_cameras_are_recorded() -> None:
    assert duties("rec-a", {"cam-1": "rec-a", "cam-2": "rec-b"}, (), LIVE, NOBODY) == Duties(
        frozenset({"cam-1"})
    )


def test_a_camera_that_moved_is_recorded_until_the_other_has_footage() -> None:
    moved = {"cam-1": "rec-b"}
    assert duties("rec-a", moved, {"cam-1"}, LIVE, NOBODY).leaving == {"cam-1"}
    assert duties("rec-a", moved, {"cam-1"}, LIVE, said("rec-b", "cam-1")).record == frozenset()


@pytest.mark.parametrize(
    "witnesses",
    [
        said("rec-b", "cam-1", kept=0),
        said("rec-b", "cam-1", capturing=0),
        said("rec-b", "cam-1", at=NOW - FRESH - 1),
        said("rec-b", "cam-1", at=NOW + FRESH + 1),
        said("rec-b", "cam-2"),
        said("rec-c", "cam-1"),
        Witnesses([Said("rec-b", NOW, {"cameras": None})], NOW),
        Witnesses([Said("rec-b", NOW, {})], NOW),
    ],
)
def test_what_is_no_confirmation(witnesses: Witnesses) -> None:
    found = duties("rec-a", {"cam-1": "rec-b"}, {"cam-1"}, LIVE, witnesses)
    assert found.record == found.leaving == {"cam-1"}


def test_a_heartbeat_from_the_future_confirms_no_longer_than_one_of_now() -> None:
    """The host's clock is ahead, and it sends no more: what it said last is old once it was seen for long."""
    proven = Proven()
    proven.saw(frozenset({"rec-b"}))
    state = {"cameras": {"cam-1": {"capturing": 1, "kept": 1}}}

    def confirms(at: int, monotonic: int) -> bool:
        found = Witnesses(proven.of([Said("rec-b", at, state)], monotonic), NOW + monotonic)
        return found.has_footage("rec-b", "cam-1")

    assert not confirms(NOW + FRESH - 1, 0), "it has just appeared"
    assert confirms(NOW + FRESH, 1), "another has come"
    assert confirms(NOW + FRESH, 1 + FRESH)
    assert not confirms(NOW + FRESH, 2 + FRESH)
    assert confirms(NOW + FRESH + SECOND, 3 + FRESH), "it sends again"


def test_a_host_that_is_dead_confirms_nothing() -> None:
    found = duties("rec-a", {"cam-1": "rec-b"}, {"cam-1"}, {"rec-a"}, said("rec-b", "cam-1"))
    assert found.record == {"cam-1"}


def test_a_camera_that_is_not_registered_any_more_is_left() -> None:
    assert duties("rec-a", {"cam-2": "rec-b"}, {"cam-1"}, LIVE, NOBODY).record == frozenset()


def test_if_nothing_is_known_everything_stays() -> None:
    assert duties("rec-a", {}, {"cam-1"}, LIVE, NOBODY).record == {"cam-1"}


# Who is taken to live -----------------------------------------------------------------------------------


def test_in_the_first_seconds_nobody_is_dead() -> None:
    sight = Sight("rec-a", frozenset({"rec-b"}))
    assert sight.saw({"rec-a"}, 0) == {"rec-a", "rec-b"}
    assert not sight.is_settled
    assert sight.saw({"rec-a", "rec-c"}, SETTLING - 1) == {"rec-a", "rec-b", "rec-c"}
    assert sight.saw({"rec-a", "rec-c"}, SETTLING) == {"rec-a", "rec-c"}
    assert sight.is_settled


def test_then_a_host_that_is_missing_is_dead_at_once() -> None:
    sight = settled({"rec-a", "rec-b"})
    assert sight.saw({"rec-a"}, SETTLING + 1) == {"rec-a"}


def test_while_nobody_answers_nobody_dies() -> None:
    sight = settled({"rec-a", "rec-b"})
    assert sight.saw_nothing() == {"rec-a", "rec-b"}


def test_after_that_everybody_has_time_to_join_again() -> None:
    sight = settled({"rec-a", "rec-b"})
    sight.saw_nothing()
    later = 100 * SETTLING
    assert sight.saw({"rec-a"}, later) == {"rec-a", "rec-b"}
    assert sight.saw({"rec-a"}, later + SETTLING) == {"rec-a"}


def test_this_host_lives_even_if_it_is_not_listed() -> None:
    assert "rec-a" in settled({"rec-a", "rec-b"}).saw({"rec-b"}, SETTLING + 1)


def settled(members: set[str]) -> Sight:
    sight = Sight("rec-a", frozenset())
    sight.saw(members, 0)
    sight.saw(members, SETTLING)
    return sight
