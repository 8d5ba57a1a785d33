"""Turns: bounds by person and in all, order, and waiting that ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.limits.turns import TooManyAtOnce, Turns
from api.limits.work import Bound
from archive.errors import Unavailable
from tests.support.waiting import until_async

Scenario = Callable[[Turns], Awaitable[None]]


def run(scenario: Scenario, bound: Bound, **options: float) -> None:
    asyncio.run(scenario(Turns(bound, **options)))  # type: ignore[arg-type]


def stays() -> asyncio.Event:
    return asyncio.Event()


def test_a_person_has_a_bound_and_all_have_another() -> None:
    async def scenario(turns: Turns) -> None:
        assert await turns.take("ani", stays())
        assert await turns.take("ani", stays())
        with pytest.raises(TooManyAtOnce) as own:
            await turns.take("ani", stays())
        assert own.value.code == "too_many_at_once"
        assert await turns.take("budi", stays())
        with pytest.raises(Unavailable) as others:
            await turns.take("citra", stays())
        assert others.value.code == "busy"
        assert (turns.running, turns.waiting) == (3, 0)

    run(scenario, Bound(2, 3), patience_s=0.01)


def test_those_who_wait_are_served_one_person_after_the_other() -> None:
    async def scenario(turns: Turns) -> None:
        served: list[str] = []

        async def work(person: str) -> None:
            assert await turns.take(person, stays())
            served.append(person)

        assert await turns.take("first", stays())
        tasks = [asyncio.create_task(work("greedy")) for _ in range(4)]
        await until_async(lambda: turns.waiting == 4, "they wait")
        tasks.append(asyncio.create_task(work("modest")))
        await until_async(lambda: turns.waiting == 5, "all wait")
        turns.end("first")
        for number in range(1, 5):
            await until_async(lambda wanted=number: len(served) == wanted, "the next is served")  # type: ignore[misc]
            turns.end(served[-1])
        await asyncio.gather(*tasks)
        assert served == ["greedy", "modest", "greedy", "greedy", "greedy"]
        turns.end("greedy")
        assert (turns.running, turns.waiting) == (0, 0)

    run(scenario, Bound(1, 1))


@pytest.mark.parametrize("gone", ["one", "cancelled"])
def test_who_leaves_while_waiting_takes_no_turn(gone: str) -> None:
    async def scenario(turns: Turns) -> None:
        assert await turns.take("ani", stays())
        left = asyncio.Event()
        waiting = asyncio.create_task(turns.take("ani", left))
        await until_async(lambda: turns.waiting == 1, "it waits")
        if gone == "cancelled":
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        else:
            left.set()
            assert not await waiting
        assert (turns.running, turns.waiting) == (1, 0)

    run(scenario, Bound(1, 1))


def test_a_turn_that_comes_as_its_client_leaves_goes_to_the_next() -> None:
    async def scenario(turns: Turns) -> None:
        assert await turns.take("ani", stays())
        left = asyncio.Event()
        leaver = asyncio.create_task(turns.take("ani", left))
        next_one = asyncio.create_task(turns.take("budi", stays()))
        await until_async(lambda: turns.waiting == 2, "both wait")
        left.set()
        turns.end("ani")
        assert not await leaver
        assert await next_one
        assert (turns.running, turns.waiting) == (1, 0)

    run(scenario, Bound(1, 1))


def test_only_so_many_of_one_person_may_wait() -> None:
    async def scenario(turns: Turns) -> None:
        assert await turns.take("ani", stays())
        waiting = [asyncio.create_task(turns.take("ani", stays())) for _ in range(2)]
        await until_async(lambda: turns.waiting == 2, "they wait")
        with pytest.raises(TooManyAtOnce):
            await turns.take("ani", stays())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert turns.waiting == 0

    run(scenario, Bound(1, 1), max_waiting=2)


def test_a_place_that_rests_is_its_persons_alone_and_counts_not_among_all() -> None:
    async def scenario(turns: Turns) -> None:
        assert await turns.take("greedy", stays())
        waiting = asyncio.create_task(turns.take("greedy", stays()))
        await until_async(lambda: turns.waiting == 1, "it waits")
        turns.end("greedy", rest_if_waited_s=0.05)
        assert (turns.running, turns.waiting) == (0, 1)
        assert await turns.take("modest", stays())  # at once, though all have but one place
        turns.end("modest")
        assert turns.waiting == 1
        assert await waiting
        turns.end("greedy", rest_if_waited_s=60)
        assert await turns.take("greedy", stays())  # nobody waited: its place does not rest

    run(scenario, Bound(1, 1))
