"""Nobody brings custody and ledger into the index: one notice for each lapse, before answers are refused."""

from pathlib import Path

from archive.cases.notices.notice import Event
from archive.cases.notices.unfollowed import Unfollowed
from archive.cases.notices.watching import Watch
from archive.integrity.rebuild.follow import Follower
from archive.lifecycle.disposition.pressure import Level
from archive.records.indexed.marks import LATE, turn_at
from archive.timespan import HOUR, MINUTE, SECOND
from search.wholeness import GRACE
from tests.support.archives import small_archive
from tests.support.leaves import T0


def test_it_goes_out_before_answers_are_refused() -> None:
    assert LATE < GRACE


def test_a_process_that_has_just_begun_waits_for_the_follower_beside_it() -> None:
    looking = Unfollowed()
    assert looking.look(T0, T0 + HOUR, 0) == ()
    assert looking.look(T0, T0 + HOUR + LATE - 1, LATE - 1) == ()
    assert looking.look(T0 + HOUR, T0 + HOUR + LATE, LATE) == (), "a turn has ended meanwhile"


def test_one_lapse_is_one_notice_and_another_worker_finds_the_same() -> None:
    looking, other = Unfollowed(), Unfollowed()
    looking.look(T0, T0, 0)
    other.look(T0, T0 + MINUTE, 7)
    (first,) = looking.look(T0, T0 + LATE, LATE)
    assert (first.event, first.subject, first.urgent, first.at) == (
        Event.INDEX_BEHIND, "follow", True, T0 + LATE,
    )  # fmt: skip
    assert looking.look(T0, T0 + HOUR, HOUR) == (first,)
    assert other.look(T0, T0 + HOUR, HOUR) == (first,)
    assert looking.look(T0 + HOUR, T0 + HOUR, HOUR + 1) == ()
    (second,) = looking.look(T0 + HOUR, T0 + 2 * HOUR, 2 * HOUR)
    assert second.id != first.id


def test_an_index_that_nobody_ever_followed_is_one_lapse() -> None:
    looking = Unfollowed()
    assert looking.look(None, T0, 0) == ()
    found = {looking.look(None, T0 + at, at)[0].id for at in (LATE, HOUR, 2 * HOUR)}
    assert len(found) == 1


def test_the_watch_tells_of_an_index_that_nobody_follows(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    follower = Follower(archive.stores.records, archive.index, archive.clock)
    watch = Watch(
        archive.ledger,
        archive.stores.records,
        archive.clock,
        pressure=lambda: Level.GREEN,
        turn=lambda: turn_at(archive.index),
    )

    def told() -> list[Event]:
        watch.measure()
        return [one.event for one in watch.notices()]

    for _ in range(20):
        follower.run()
        assert told() == []
        archive.clock.advance(30 * SECOND)
    archive.clock.advance(LATE)
    assert told() == [Event.INDEX_BEHIND]
    follower.run()
    assert told() == []
    archive.index.close()
