"""The book of requests: read again once it is old, at once on demand, and no more often than it can bear."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.cases.requests.book import LONGEST_REST, RequestBook
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.ports import ObjectStore, ObjectVersion
from archive.timespan import SECOND
from tests.support.requesting import Requesting, requesting
from tests.support.waiting import until


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Requesting]:
    with requesting(tmp_path) as made:
        yield made


class Slow:
    """The records of a city so large that each listing is slow."""

    def __init__(self, inner: ObjectStore, clock: ManualClock, takes: int) -> None:
        self._inner = inner
        self._clock = clock
        self._takes = takes
        self.listed = 0

    def list(self, prefix: str) -> Iterator[ObjectVersion]:
        self.listed += 1
        self._clock.advance(self._takes)
        return self._inner.list(prefix)


def elsewhere(city: Requesting, takes: int = 0) -> tuple[RequestBook, Slow]:
    """The book of another process, and the records that it reads."""
    records = Slow(city.site.stores.records, city.clock, takes)
    return RequestBook(city.site.ledger, records, city.clock), records  # type: ignore[arg-type]


def test_what_another_process_wrote_is_seen_within_a_second(city: Requesting) -> None:
    book, records = elsewhere(city)
    first = city.file()
    assert [head.request.id for head in book.requests()] == [first.request.id]
    city.clock.advance(SECOND - 1)
    second = city.file()
    assert [head.request.id for head in book.requests()] == [first.request.id]
    assert records.listed == 2
    city.clock.advance(1)
    assert [head.request.id for head in book.requests()] == [second.request.id, first.request.id]


def test_the_newest_is_read_at_once(city: Requesting) -> None:
    book, _ = elsewhere(city)
    book.requests()
    head = city.file()
    assert [one.request.id for one in book.newest()] == [head.request.id]


def test_a_package_that_goes_on_is_seen(city: Requesting) -> None:
    book, _ = elsewhere(city)
    head = city.file()
    before = book.newest()
    approved = city.approve(head)
    (found,) = book.newest()
    assert found.evidence is not None
    assert found.evidence.request.evidence_id == approved.request.evidence_id
    assert found.status == city.requests.book.request(head.request.id).status != before[0].status


def test_what_did_not_change_is_not_put_together_again(city: Requesting) -> None:
    book, _ = elsewhere(city)
    city.approve(city.file())
    known = book.newest()
    assert book.newest() is known
    city.file()
    assert len(book.newest()) == len(known) + 1


@pytest.mark.parametrize(("takes", "rest"), [(SECOND // 10, 2 * SECOND), (SECOND, LONGEST_REST)])
def test_a_look_that_takes_long_is_not_taken_often(city: Requesting, takes: int, rest: int) -> None:
    book, records = elsewhere(city, takes)
    book.requests()
    city.clock.advance(SECOND)
    book.requests()  # the first read proves nothing: it reads what later reads have cached
    assert records.listed == 4
    began = city.clock.now() - 2 * takes
    city.clock.advance(began + rest - 1 - city.clock.now())
    book.requests()
    assert records.listed == 4
    city.clock.advance(1)
    book.requests()
    assert records.listed == 6
    book.newest()
    assert records.listed == 8


class Waiting:
    """Records that block until released; then they answer as ``inner``, or fail."""

    def __init__(self, inner: ObjectStore | None = None) -> None:
        self._inner = inner
        self.let_go = threading.Event()
        self.listed: list[str] = []

    def list(self, prefix: str) -> Iterator[ObjectVersion]:
        self.listed.append(prefix)
        assert self.let_go.wait(30)
        if self._inner is None:
            raise Unavailable("the store does not answer", code="store_timeout")
        return self._inner.list(prefix)


class Counted:
    """A lock that says how many have asked for it."""

    def __init__(self) -> None:
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self.asked = 0

    def __enter__(self) -> None:
        with self._counting:
            self.asked += 1
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("newest", [False, True], ids=["requests", "newest"])
def test_of_many_who_wait_for_a_store_that_hangs_each_waits_for_two_looks_at_most(
    city: Requesting, newest: bool
) -> None:
    records = Waiting()
    book = RequestBook(city.site.ledger, records, city.clock)  # type: ignore[arg-type]
    turn = book._turn = Counted()  # type: ignore[assignment]
    ask = book.newest if newest else book.requests
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask) for _ in range(12)]
        until(lambda: len(records.listed) == 1, "the first look", seconds=10)
        until(lambda: turn.asked == 12, "all wait")
        records.let_go.set()
        errors = [one.exception(30) for one in asked]
    assert all(isinstance(one, Unavailable) for one in errors), errors
    assert len(records.listed) == (2 if newest else 1)


def test_who_waited_for_the_newest_shares_a_look_that_began_after_he_asked(city: Requesting) -> None:
    head = city.file()
    records = Waiting(city.site.stores.records)
    book = RequestBook(city.site.ledger, records, city.clock)  # type: ignore[arg-type]
    turn = book._turn = Counted()  # type: ignore[assignment]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(book.newest) for _ in range(8)]
        until(lambda: len(records.listed) == 1, "the first look", seconds=10)
        until(lambda: turn.asked == 8, "all wait")
        records.let_go.set()
        found = [[one.request.id for one in job.result(30)] for job in asked]
    assert found == [[head.request.id]] * 8
    assert records.listed.count("ledger/request/") == 2
