"""Entries that turn up late, and followers that stand in for one another."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive import keys
from archive.clock import ManualClock
from archive.errors import ArchiveError
from archive.integrity.rebuild.follow import Follower
from archive.integrity.rebuild.putting import Followed
from archive.integrity.rebuild.report import Progress
from archive.integrity.rebuild.standing_in import StandIn
from archive.ports import Content
from archive.records.custody import CustodyWriter
from archive.records.indexed.events import ACT
from archive.records.indexed.marks import followed_at
from archive.records.indexed.unread import refuse_unread_streams
from archive.timespan import DAY, HOUR, MINUTE, SECOND
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, small_archive
from tests.support.leaves import T0
from tests.unit.integrity.test_follow import act, everything, fill, followed, ids, writer


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


@pytest.mark.parametrize("missing", [(1,), (2,), (2, 3)])
def test_an_entry_that_turns_up_later_is_read_in_the_next_turn(
    archive: SmallArchive, missing: tuple[int, ...]
) -> None:
    for version in range(4):
        state = {"name": f"{version}"}
        archive.ledger.append("user", "ani", state, expected=version, actor="os:a", action="user.x")
    records = archive.stores.records
    archive.clock.advance(4000 * DAY)
    away = {key: records.get(key) for key in (keys.ledger_key("user", "ani", one) for one in missing)}
    for key in away:
        records.delete_version(key, version=records.head(key).version)
    follower = followed(archive)
    assert follower.run().entries == 4 - len(missing)
    archive.clock.advance(6 * SECOND)
    assert follower.run().changes == 0, "nothing is read again while it is missing"
    for key in away:
        with pytest.raises(ArchiveError) as caught:
            refuse_unread_streams(archive.index, (), ["user"])
        assert caught.value.code == "ledger_broken"
        records.put(key, Content.of_bytes(away[key]))
        archive.clock.advance(6 * SECOND)
        assert follower.run().entries > 0
    refuse_unread_streams(archive.index, (), ["user"])
    archive.clock.advance(6 * SECOND)
    assert follower.run().changes == 0
    found = everything(archive)
    assert (len(found[ACT]), len(found["user"])) == (4, 1)
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found


def test_an_entry_that_turns_up_and_cannot_be_read_stays_set_aside(archive: SmallArchive) -> None:
    for version in range(2):
        archive.ledger.append("user", "ani", {}, expected=version, actor="os:a", action="user.x")
    records, first = archive.stores.records, keys.ledger_key("user", "ani", 1)
    archive.clock.advance(4000 * DAY)
    records.delete_version(first, version=records.head(first).version)
    follower = followed(archive)
    follower.run()
    records.put(first, Content.of_bytes(b"{}"))
    for entries in (1, 0):  # the second entry is read again, once
        archive.clock.advance(6 * SECOND)
        assert follower.run().entries == entries
        with pytest.raises(ArchiveError) as caught:
            refuse_unread_streams(archive.index, (), ["user"])
        assert caught.value.code == "bad_entry"


def test_a_follower_that_slept_finds_what_was_written_meanwhile(archive: SmallArchive) -> None:
    follower = followed(archive)
    made = {act(writer(archive), "cam-1")}
    follower.run()
    for number in range(30):
        archive.clock.advance(HOUR // 2)
        made.add(act(writer(archive, f"api-{number + 2}"), "cam-1"))
    archive.clock.advance(SECOND)
    assert follower.run().events == 30
    assert ids(archive) == made


def test_what_is_new_does_not_wait_for_the_look_at_everything(archive: SmallArchive) -> None:
    made = set()
    for number in range(12):
        made.add(act(writer(archive, f"api-{number}"), "cam-1"))
        archive.clock.advance(HOUR)
    clock = Passing(archive.clock.now())
    archive.clock = clock
    follower = followed(archive)
    follower.run()
    clock.wall += HOUR
    late = act(CustodyWriter(archive.stores.records, ManualClock(T0 + 6 * HOUR), writer="late"), "cam-1")
    clock.wall += DAY
    turns = 0
    while late not in ids(archive):
        turns += 1
        clock.wall += 3 * SECOND
        made.add(act(writer(archive, f"new-{turns}"), "cam-1"))
        follower.run()
        assert made <= ids(archive)
        assert followed_at(archive.index) is not None
        assert turns < 20
    for _ in range(20):
        clock.wall += 3 * SECOND
        follower.run()
    clock.wall += DAY - MINUTE
    assert follower.run().changes == 0


class Passing(ManualClock):
    """A clock on which every look at it takes a second."""

    def monotonic(self) -> int:
        self.elapsed += SECOND
        return self.elapsed


PATIENCE = 15 * SECOND


def stand_in(archive: SmallArchive) -> StandIn:
    return StandIn(followed(archive), archive.index, archive.clock, patience=PATIENCE)


def test_a_stand_in_follows_only_while_nobody_else_does(archive: SmallArchive) -> None:
    job, other = followed(archive), stand_in(archive)
    made = [act(writer(archive), "cam-1")]
    first = other.run()
    assert first is not None
    assert (first.events, ids(archive)) == (1, set(made))
    for number in range(3):  # the job follows
        made.append(act(writer(archive, f"api-{number + 2}"), "cam-1"))
        archive.clock.advance(10 * SECOND)
        job.run()
        assert other.run() is None
        assert ids(archive) == set(made)
    made.append(act(writer(archive, "api-9"), "cam-1"))
    archive.clock.advance(PATIENCE)  # and has died
    assert other.run() is not None
    assert ids(archive) == set(made)
    assert followed_at(archive.index) == archive.clock.now()


def test_a_stand_in_waits_longer_where_turns_take_long(archive: SmallArchive) -> None:
    class Long(Follower):
        def run(self, progress: Progress | None = None) -> Followed:
            found = super().run(progress)
            archive.clock.advance(MINUTE)
            return found

    long = Long(archive.stores.records, archive.index, archive.clock)
    other = StandIn(long, archive.index, archive.clock, patience=PATIENCE)
    assert other.run() is not None
    archive.clock.advance(2 * MINUTE)
    assert other.run() is None, "somebody else may be in the middle of a turn"
    archive.clock.advance(2 * MINUTE)
    assert other.run() is not None


def test_a_stand_in_does_not_believe_a_turn_in_the_future(archive: SmallArchive) -> None:
    archive.clock.step(DAY)
    followed(archive).run()
    archive.clock.step(-DAY)
    made = act(writer(archive), "cam-1")
    assert stand_in(archive).run() is not None
    assert ids(archive) == {made}


def test_a_job_and_stand_ins_at_once_find_what_one_finds(archive: SmallArchive, tmp_path: Path) -> None:
    fill(archive)
    opened = [open_sqlite(tmp_path / "index.sqlite") for _ in range(3)]
    all_here = threading.Barrier(3)

    def turn(number: int) -> None:
        follower = Follower(archive.stores.records, opened[number], archive.clock)
        stands_in = StandIn(follower, opened[number], archive.clock, patience=PATIENCE)
        all_here.wait(10)
        if number:
            stands_in.run()
        else:
            follower.run()

    with ThreadPoolExecutor(3) as pool:
        for round_ in range(4):
            list(pool.map(turn, range(3)))
            act(writer(archive, f"late-{round_}"), "cam-1")
            archive.clock.advance(MINUTE)
        list(pool.map(turn, range(3)))
    found = everything(archive)
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    for one in opened:
        one.close()
