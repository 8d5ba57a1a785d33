"""A download counts once even if it breaks off often, and there are never more than were permitted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.cases.handover.fetching import Fetchings, check_session
from archive.clock import ManualClock
from archive.errors import ArchiveError, NotFound, Refused
from archive.model.handover import Recipient, Right
from archive.objects.filesystem import FilesystemStore
from archive.timespan import HOUR, format_instant
from tests.support.leaves import T0

EVIDENCE_ID = "EVD-2026-0123456789"
SIZE = 1000


def a_right(number: int = 1, downloads: int = 3) -> Right:
    return Right(
        evidence_id=EVIDENCE_ID,
        number=number,
        request_id="REQ-2026-0123456789",
        request_entry="aa" * 32,
        recipient=Recipient(person="user:budi", name="Budi"),
        downloads=downloads,
        until=T0 + 72 * HOUR,
        given_by="user:dewi",
        given_at=T0,
        note="",
        tagmanifest_sha256="ab" * 32,
        signer_sha256="cd" * 32,
        tsa="local",
        gen_time=T0,
    )


RIGHT = a_right()


@pytest.fixture
def desk(tmp_path: Path) -> Fetchings:
    clock = ManualClock(T0)
    return Fetchings(FilesystemStore(tmp_path, clock), clock)


def begin(desk: Fetchings, right: Right = RIGHT) -> str:
    return desk.begin(right, secret="5e" * 16, address="10.0.0.1", session="s-1").id


def refused(code: str, kind: type[ArchiveError] = Refused) -> "pytest.RaisesExc[ArchiveError]":
    return pytest.raises(kind, check=lambda error: error.code == code)


def test_exactly_as_many_downloads_begin_as_the_right_allows(desk: Fetchings) -> None:
    def attempt(_: int) -> str:
        try:
            begin(desk)
        except Refused as error:
            return error.code
        return "begun"

    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(attempt, range(40)))
    assert outcomes == {"begun": 3, "downloads_used_up": 37}
    assert [one.count for one in desk.begun(RIGHT)] == [1, 2, 3]


def test_each_handover_counts_for_itself(desk: Fetchings) -> None:
    for _ in range(3):
        begin(desk)
    assert begin(desk, a_right(2)).startswith("2-1-")


def test_a_broken_download_goes_on_without_being_counted(desk: Fetchings) -> None:
    fetching = desk.find(RIGHT, begin(desk))
    for offset, sent in ((0, 400), (400, 300), (700, 0), (700, 300)):
        part = desk.open_part(RIGHT, fetching, offset, SIZE - offset, SIZE)
        desk.end_part(RIGHT, fetching, part, sent, "client_left")
    assert len(desk.begun(RIGHT)) == 1
    assert [part.sent for part in desk.parts(RIGHT, fetching)] == [400, 300, 0, 300]
    with refused("download_complete"):
        desk.open_part(RIGHT, fetching, 0, SIZE, SIZE)


def test_what_died_on_the_way_counts_as_sent(desk: Fetchings) -> None:
    fetching = desk.find(RIGHT, begin(desk))
    opened = 0
    with refused("download_used_up"):
        while True:
            desk.open_part(RIGHT, fetching, 0, SIZE, SIZE)  # its end is never recorded: the process died
            opened += 1
    assert opened == 2


def test_racing_parts_are_numbered_apart(desk: Fetchings) -> None:
    fetching = desk.find(RIGHT, begin(desk))

    def part(number: int) -> int:
        return desk.open_part(RIGHT, fetching, number * 10, 10, SIZE)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(part, range(24))) == list(range(1, 25))


@pytest.mark.parametrize(
    "name", ["", "1-1-" + "00" * 16, "1-2-" + "5e" * 16, "2-1-" + "5e" * 16, "1-9-" + "5e" * 16, "../../x"]
)
def test_no_other_name_is_a_download(desk: Fetchings, name: str) -> None:
    begin(desk)
    with refused("download_not_found", NotFound):
        desk.find(RIGHT, name)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parts=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 1000)), max_size=12))
def test_parts_are_sent_until_all_is_sent_or_twice_as_much(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int]]
) -> None:
    clock = ManualClock(T0)
    desk = Fetchings(FilesystemStore(tmp_path_factory.mktemp("store"), clock), clock)
    fetching = desk.find(RIGHT, begin(desk))
    total, seen = 0, set[int]()
    for offset, wish in parts:
        sent = min(wish, SIZE - offset)
        complete = len(seen) == SIZE
        if complete or total >= 2 * SIZE:
            with refused("download_complete" if complete else "download_used_up"):
                desk.open_part(RIGHT, fetching, offset, SIZE - offset, SIZE)
            return
        number = desk.open_part(RIGHT, fetching, offset, SIZE - offset, SIZE)
        desk.end_part(RIGHT, fetching, number, sent, "client_left")
        total += sent
        seen |= set(range(offset, offset + sent))


def test_a_download_that_was_begun_before_sessions_were_kept_goes_on(desk: Fetchings) -> None:
    older = {"at": format_instant(T0), "count": 1, "secret": "5e" * 16, "address": "10.0.0.1"}
    desk._put(RIGHT, "1/begun.json", older)
    found = desk.find(RIGHT, f"1-1-{'5e' * 16}")
    assert found.session is None
    check_session(found, "any")
    newer = desk.find(RIGHT, begin(desk))
    check_session(newer, "s-1")
    for other in ("s-2", ""):
        with refused("other_session"):
            check_session(newer, other)
