from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from archive.prefetch import in_order


def counted(taken: list[int], number: int = 20) -> Iterator[int]:
    for one in range(number):
        taken.append(one)
        yield one


@pytest.mark.parametrize("ahead", [0, 1, 7, 50])
def test_answers_come_in_order_and_few_items_are_begun(ahead: int) -> None:
    taken: list[int] = []
    with ThreadPoolExecutor(3) as pool:
        for number, answer in enumerate(in_order(lambda one: one * one, counted(taken), pool, ahead=ahead)):
            assert answer == number * number
            assert len(taken) <= min(20, number + 1 + ahead)
    assert taken == list(range(20))


def test_without_a_pool_nothing_is_begun_early() -> None:
    taken: list[int] = []
    answers = in_order(str, counted(taken), None)
    assert next(answers) == "0"
    assert taken == [0]


def test_an_error_comes_at_its_turn_and_ends_it() -> None:
    def work(one: int) -> int:
        return 6 // (2 - one)

    with ThreadPoolExecutor(2) as pool:
        answers = in_order(work, range(5), pool)
        assert [next(answers), next(answers)] == [3, 6]
        with pytest.raises(ZeroDivisionError):
            next(answers)


def test_closing_cancels_what_has_not_begun() -> None:
    go, seen = Event(), []

    def work(one: int) -> int:
        if one:
            go.wait(10)
        seen.append(one)
        return one

    with ThreadPoolExecutor(1) as pool:
        answers = in_order(work, range(9), pool, ahead=5)
        assert next(answers) == 0
        answers.close()  # type: ignore[attr-defined]
        go.set()
    assert len(seen) <= 2, "only the one that was being worked on came to its end"
