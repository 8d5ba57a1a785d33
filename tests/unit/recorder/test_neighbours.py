"""Cameras that cannot be reached: hundreds are asked as often as some, and neighbours hear of an answer."""

import asyncio
from contextlib import ExitStack

import pytest

from recorder.neighbours import Neighbours, network_of
from tests.support.waiting import until_async

SHORTEST = 3.0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("10.1.2.254", "10.1.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("camera.example", ""),
        ("", ""),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_one_camera_is_asked_every_few_seconds_and_more_rarely_while_it_is_away() -> None:
    neighbours = Neighbours(lambda: 0.5)
    with neighbours.waiting("10.1.2.0/24"):
        assert [neighbours.every(away, SHORTEST) for away in (0, 30, 60, 90, 3600)] == [3, 3, 6, 9, 9]


@pytest.mark.parametrize("cameras", [1, 100, 450, 2000])
def test_all_cameras_together_are_asked_at_most_so_often(cameras: int) -> None:
    neighbours = Neighbours(lambda: 0.5)
    with ExitStack() as waiting:
        for number in range(cameras):
            waiting.enter_context(neighbours.waiting(f"10.1.{number // 250}.0/24"))
        assert cameras / neighbours.every(3600, SHORTEST) <= 15
    with neighbours.waiting("10.1.0.0/24"):
        assert neighbours.every(3600, SHORTEST) == 9


def test_questions_are_spread() -> None:
    assert [round(Neighbours(lambda at=at: at).every(0, 10), 1) for at in (0.0, 0.5, 1.0)] == [8, 10, 12]  # type: ignore[misc]


def test_the_others_of_a_network_hear_of_an_answer_and_no_other_camera_does() -> None:
    async def told() -> list[bool]:
        neighbours = Neighbours(lambda: 0.0)
        with (
            neighbours.waiting("10.1.2.0/24") as one,
            neighbours.waiting("10.1.2.0/24") as two,
            neighbours.waiting("10.1.3.0/24") as other,
            neighbours.waiting("") as unknown,
        ):
            neighbours.answered("10.1.2.0/24")
            neighbours.answered("")
            await until_async(lambda: one.is_set() and two.is_set(), "both heard of it")
            return [other.is_set(), unknown.is_set()]

    assert asyncio.run(told()) == [False, False]


def test_a_camera_that_comes_and_goes_makes_no_crowd() -> None:
    async def told() -> bool:
        neighbours = Neighbours(lambda: 0.0)
        with neighbours.waiting("10.1.2.0/24") as one:
            neighbours.answered("10.1.2.0/24")
            await until_async(one.is_set, "it heard of it")
            one.clear()
            neighbours.answered("10.1.2.0/24")
            with neighbours.waiting("10.1.3.0/24") as later:
                neighbours.answered("10.1.3.0/24")
                await until_async(later.is_set, "what was told afterwards is heard")
            return one.is_set()

    assert not asyncio.run(told())
