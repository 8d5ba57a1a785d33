"""Pauses between attempts: a minute of small ones, then larger ones, and none once the network answers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from archive.timespan import SECOND
from recorder.backoff import BackOff, Question, pause, unless

FOREVER = 3600.0


def question(answers: Callable[[], Coroutine[Any, Any, bool]], every: float) -> Question:
    return Question(answers, lambda: every, asyncio.Event())


def back_off(chance: float = 0.5) -> BackOff:
    return BackOff(lambda: chance, first=0.5, steady=3, steady_for=60, longest=60)


def pauses(of: BackOff, seconds: int) -> Iterator[tuple[float, float]]:
    """When each attempt fails (s), and the pause after it, where attempts take no time."""
    at = 0.0
    while at < seconds:
        wait = of.failed(round(at * SECOND))
        yield at, wait
        at += wait


def test_three_seconds_for_a_minute_and_then_up_to_a_minute() -> None:
    found = list(pauses(back_off(), 600))
    assert found[0] == (0, 0.5)
    assert {wait for at, wait in found if 0 < at < 60} == {3}
    assert [wait for at, wait in found if at >= 60][:6] == [6, 12, 24, 48, 60, 60]


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_chance_spreads_every_pause(chance: float, factor: float) -> None:
    straight, spread = back_off(), back_off(chance)
    for at in (0, 1, 30, 61, 100, 500):
        assert spread.failed(at * SECOND) == pytest.approx(factor * straight.failed(at * SECOND))


def test_footage_makes_it_begin_again() -> None:
    one = back_off()
    assert [wait for _, wait in pauses(one, 300)][-1] == 60
    one.clear()
    assert [one.failed(400 * SECOND), one.failed(401 * SECOND)] == [0.5, 3]


def test_a_long_number_of_failures_is_no_larger_pause() -> None:
    one = back_off()
    assert max(one.failed(at * 60 * SECOND) for at in range(2000)) == 60


def test_the_pause_ends_once_the_network_answers_again() -> None:
    told: list[bool] = []

    async def ask() -> bool:
        told.append(len(told) >= 3)
        return told[-1]

    paused = pause(FOREVER, asyncio.Event(), question=question(ask, 0.01), longest=FOREVER)
    assert asyncio.run(paused)
    assert told == [False, False, False, True]


def test_it_is_asked_sooner_when_it_is_told_so() -> None:
    told: list[bool] = []
    asked = question(lambda: ask(), FOREVER)

    async def ask() -> bool:
        told.append(len(told) >= 2)
        asked.sooner.set()
        return told[-1]

    assert asyncio.run(pause(FOREVER, asyncio.Event(), question=asked, longest=FOREVER))
    assert told == [False, False, True]


def test_while_the_network_does_not_answer_no_attempt_is_made_for_as_long_as_there_may_be_none() -> None:
    told: list[bool] = []

    async def ask() -> bool:
        told.append(len(told) == 20)
        return told[-1]

    # The pause alone is over at once.
    assert asyncio.run(pause(0.0, asyncio.Event(), question=question(ask, 0.001), longest=FOREVER))
    assert len(told) == 21
    told += [False] * 20
    assert not asyncio.run(pause(0.0, asyncio.Event(), question=question(ask, 0.001), longest=0.02))


def test_who_answers_and_still_gives_nothing_is_not_asked_on() -> None:
    told: list[bool] = []

    async def ask() -> bool:
        told.append(True)
        return True

    assert not asyncio.run(pause(0.05, asyncio.Event(), question=question(ask, 0.01), longest=FOREVER))
    assert told == [True]


def test_a_change_ends_the_pause_and_the_question() -> None:
    async def never() -> bool:
        changed.set()
        await asyncio.Event().wait()
        return False

    async def waited() -> None:
        assert not await pause(FOREVER, changed, question=question(never, 0.01), longest=FOREVER)

    changed = asyncio.Event()
    asyncio.run(waited())
    assert changed.is_set()


def test_work_is_given_up_when_something_else_comes_first() -> None:
    async def found() -> tuple[int | None, int | None]:
        async def seven() -> int:
            return 7

        async def never() -> int:
            changed.set()
            await asyncio.Event().wait()
            return 8

        changed = asyncio.Event()
        return await unless(changed, seven()), await unless(changed, never())

    assert asyncio.run(found()) == (7, None)


def test_an_error_of_the_work_is_raised() -> None:
    async def fails() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(unless_never(fails()))


async def unless_never(work: object) -> object:
    return await unless(asyncio.Event(), work)  # type: ignore[arg-type]
