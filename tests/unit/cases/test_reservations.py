"""Announcements: a filer delayed between reading and putting has not seen all, and notices that."""

from collections.abc import Mapping

import pytest

from archive.cases.requests.reservations import LASTS, PREFIX, Announced, Reservations
from archive.clock import ManualClock
from archive.errors import Conflict, Unavailable
from archive.ports import ObjectStore, ObjectVersion
from tests.support import held_up
from tests.support.held_up import HeldUp

ACCOUNT = "agency:polrestabes"
LIMIT = 3


clock = held_up.clock
cache = held_up.cache


class Book:
    """Filed items of one unit each; it applies the limit of an account to the open ones."""

    def __init__(self) -> None:
        self.filed: dict[str, int] = {}
        self.closed: set[str] = set()

    def judge(self, announced: Mapping[str, int]) -> dict[str, int]:
        if len((announced.keys() | self.filed.keys()) - self.closed) >= LIMIT:
            raise Conflict("it is too much", code="too_much", hint="Less.")
        return dict(self.filed)


def reservations(cache: ObjectStore, clock: ManualClock) -> Reservations:
    return Reservations(cache, clock, pause=lambda _seconds: None)


def file(cache: ObjectStore, clock: ManualClock, book: Book, name: str) -> None:
    reservations(cache, clock).announce(ACCOUNT, Announced(name, 1), book.judge)
    book.filed[name] = 1


def row(cache: ObjectStore) -> list[ObjectVersion]:
    return list(cache.list(PREFIX))


def test_one_held_up_while_others_filed_and_were_removed_is_refused(
    cache: ObjectStore, clock: ManualClock
) -> None:
    book = Book()
    file(cache, clock, book, "first")

    def others_file() -> None:
        # The place after the first is taken, filed, and removed by the third filer: it is free again.
        file(cache, clock, book, "second")
        file(cache, clock, book, "third")
        book.closed.add("first")
        file(cache, clock, book, "fourth")

    slow = HeldUp(cache, others_file)
    with pytest.raises(Conflict):
        file(slow, clock, book, "slow")
    assert slow.left == 0
    assert book.filed.keys() == {"first", "second", "third", "fourth"}
    # A refused item is no longer announced, so it blocks no other filing.
    assert all(b'"slow"' not in cache.get(one.key) for one in row(cache))
    book.closed.add("second")
    file(cache, clock, book, "fifth")


def test_one_held_up_is_filed_where_there_is_room_for_all(cache: ObjectStore, clock: ManualClock) -> None:
    book = Book()
    file(cache, clock, book, "first")

    def others_file() -> None:
        for name in ("second", "third", "fourth"):
            book.closed |= book.filed.keys()
            file(cache, clock, book, name)

    file(HeldUp(cache, others_file), clock, book, "slow")
    assert "slow" in book.filed
    said = [one for one in row(cache) if b'"slow"' in cache.get(one.key)]
    assert said == row(cache)[-1:], "it stands once, in the last place"


def test_who_keeps_being_overtaken_files_nothing(cache: ObjectStore, clock: ManualClock) -> None:
    book = Book()
    file(cache, clock, book, "first")
    count = iter(range(10_000))

    def others_file() -> None:
        for _ in range(3):
            book.closed |= book.filed.keys()
            file(cache, clock, book, f"other-{next(count)}")
        book.closed |= book.filed.keys()

    with pytest.raises(Unavailable) as told:
        file(HeldUp(cache, others_file, times=1_000), clock, book, "slow")
    assert told.value.code == "filing_busy"
    assert "slow" not in book.filed
    assert all(b'"slow"' not in cache.get(one.key) for one in row(cache))


def test_an_announcement_that_came_to_nothing_counts_for_a_while(
    cache: ObjectStore, clock: ManualClock
) -> None:
    book = Book()
    for name in ("a", "b", "c"):
        reservations(cache, clock).announce(ACCOUNT, Announced(name, 1), book.judge)
    with pytest.raises(Conflict):
        file(cache, clock, book, "d")
    clock.advance(LASTS + 1)
    file(cache, clock, book, "d")


def test_accounts_have_rows_of_their_own(cache: ObjectStore, clock: ManualClock) -> None:
    full = Book()
    for name in ("a", "b", "c"):
        file(cache, clock, full, name)
    seen: list[Mapping[str, int]] = []

    def judge(announced: Mapping[str, int]) -> dict[str, int]:
        seen.append(dict(announced))
        return {}

    reservations(cache, clock).announce("agency:satpol-pp", Announced("d", 1), judge)
    assert seen
    assert all(set(one) <= {"d"} for one in seen), (
        "the other account's announcements are not before the judge"
    )
    with pytest.raises(Conflict):
        file(cache, clock, full, "d")
