"""Every delivery at least once: one repeated after a crash, all after an outage; quiet hours; expiry."""

from dataclasses import replace
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import sha256_hex
from archive.cases.notices.job import Courier, QuietHours
from archive.cases.notices.memory import LONGEST_PAUSE, Delivered, Memory
from archive.cases.notices.notice import Event
from archive.errors import AlreadyExists, Refused, Unavailable
from archive.records.integrity_incidents import incidents
from archive.timespan import DAY, HOUR, MINUTE, SECOND, parse_instant
from tests.support.archives import SmallArchive, small_archive
from tests.support.notices import FakeChannel, notice, target

WITA = ZoneInfo("Asia/Makassar")
NIGHT = QuietHours(start=time(22), end=time(5), zone=WITA)
THREE = parse_instant("2026-11-25T03:00:00+08:00")


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    return small_archive(tmp_path)


def courier(archive: SmallArchive, channel: FakeChannel) -> Courier:
    return Courier(channel, Memory(archive.stores.cache, channel.name), archive.ledger, archive.clock)


def down() -> Unavailable:
    return Unavailable("no answer", code="mail_unavailable")


def test_each_target_is_told_once_however_often_it_runs_and_whoever_runs_it(archive: SmallArchive) -> None:
    channel = FakeChannel([target("a@kota.example"), target("b@kota.example")])
    one = notice(at=archive.clock.now())
    assert courier(archive, channel).run([one]) == 2
    assert courier(archive, channel).run([one]) == 0
    assert channel.taken == [(one.id, "a@kota.example"), (one.id, "b@kota.example")]


def test_a_crash_after_a_delivery_repeats_that_one_alone(archive: SmallArchive) -> None:
    channel = FakeChannel([target()])
    notices = [notice(at=archive.clock.now(), mark=str(number)) for number in range(4)]
    made = courier(archive, channel)
    memory = made._memory
    keep, kept = memory.keep, []

    def dying(told: Delivered) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt  # as a kill: the third was accepted and not noted
        keep(told)
        kept.append(told)

    memory.keep = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        made.run(notices)
    courier(archive, channel).run(notices)
    taken = [one for one, _ in channel.taken]
    assert sorted(set(taken)) == sorted(one.id for one in notices)
    assert len(taken) == len(notices) + 1


def test_a_channel_that_is_down_is_left_alone_ever_longer_and_then_tells_everything(
    archive: SmallArchive,
) -> None:
    channel = FakeChannel([target()], [down()] * 3)
    notices = [notice(at=archive.clock.now(), mark=str(number), urgent=False) for number in range(3)]
    made = courier(archive, channel)
    pauses = []
    while channel.answers:
        left = len(channel.answers)
        waited = 0
        while len(channel.answers) == left:
            made.run(notices)
            archive.clock.advance(SECOND)
            waited += 1
        pauses.append(waited)
    assert pauses == [1, 5, 10]
    archive.clock.advance(LONGEST_PAUSE)
    assert made.run(notices) == 3


def test_a_new_urgent_notice_is_tried_although_the_channel_just_failed(archive: SmallArchive) -> None:
    channel = FakeChannel([target()], [down()])
    made = courier(archive, channel)
    slow = notice(at=archive.clock.now(), urgent=False)
    made.run([slow])
    quick = notice(at=archive.clock.now(), mark="2")
    assert made.run([slow, quick]) == 1
    assert channel.taken == [(quick.id, "piket@kota.example")]


def test_urgent_ones_go_first(archive: SmallArchive) -> None:
    channel = FakeChannel([target()])
    slow, quick = notice(at=archive.clock.now(), urgent=False), notice(at=archive.clock.now(), mark="2")
    courier(archive, channel).run([slow, quick])
    assert [one for one, _ in channel.taken] == [quick.id, slow.id]


def test_one_refused_recipient_keeps_no_other_from_hearing(archive: SmallArchive) -> None:
    channel = FakeChannel(
        [target("a@kota.example"), target("b@kota.example")], [Refused("no such", code="mail_refused")]
    )
    assert courier(archive, channel).run([notice(at=archive.clock.now())]) == 1
    assert [name for _, name in channel.taken] == ["b@kota.example"]


def test_after_a_day_of_failing_an_incident_says_so_and_it_ends(archive: SmallArchive) -> None:
    channel = FakeChannel([target()], [down()] * 10_000)
    made = courier(archive, channel)
    one = notice(at=archive.clock.now())
    began = archive.clock.now()
    while archive.clock.now() < began + DAY:
        made.run([one])
        assert list(incidents(archive.ledger)) == []
        archive.clock.advance(LONGEST_PAUSE)
    made.run([one])
    (incident,) = incidents(archive.ledger)
    assert (incident.code, incident.subject) == ("notice_undelivered", "fake")
    left = len(channel.answers)
    archive.clock.advance(LONGEST_PAUSE)
    made.run([one])
    assert len(channel.answers) == left
    told, waiting = made.waiting([one])
    assert (told.given_up, told.sent, waiting) == (1, 0, 0)


def test_in_quiet_hours_urgent_ones_are_told_and_others_when_they_end(archive: SmallArchive) -> None:
    archive.clock.step(THREE - archive.clock.now())
    channel = FakeChannel([target(quiet=NIGHT)])
    made = courier(archive, channel)
    slow, quick = notice(at=THREE, urgent=False, mark="slow"), notice(at=THREE)
    made.run([slow, quick])
    assert [one for one, _ in channel.taken] == [quick.id]
    archive.clock.advance(2 * HOUR - 1)
    assert made.run([slow, quick]) == 0
    archive.clock.advance(1)
    assert made.run([slow, quick]) == 1


@given(minute=st.integers(0, 24 * 60 - 1), start=st.integers(0, 23), end=st.integers(0, 23))
def test_quiet_hours_are_those_between_their_two_times(minute: int, start: int, end: int) -> None:
    quiet = QuietHours(start=time(start), end=time(end), zone=WITA)
    midnight = parse_instant("2026-11-25T00:00:00+08:00")
    length = (end - start) % 24 * 60
    assert quiet.cover(midnight + minute * MINUTE) == ((minute - start * 60) % (24 * 60) < length)


def test_an_agency_hears_of_its_own_requests_alone(archive: SmallArchive) -> None:
    channel = FakeChannel([target("p@polri.example", agency="polrestabes"), target("all@kota.example")])
    ours, theirs = notice(at=archive.clock.now()), notice(at=archive.clock.now(), agency="polsek", mark="2")
    house = notice(at=archive.clock.now(), agency="", event=Event.CANARY_RED)
    courier(archive, channel).run([ours, theirs, house])
    assert [one for one, name in channel.taken if name == "p@polri.example"] == [ours.id]
    assert len(channel.taken) == 4


def test_a_lost_memory_tells_the_last_day_again_and_nothing_older(archive: SmallArchive) -> None:
    channel = FakeChannel([target()])
    now = archive.clock.now()
    old, fresh = notice(at=now - DAY - 1, mark="old"), notice(at=now - DAY)
    assert courier(archive, channel).run([old, fresh]) == 1
    assert [one for one, _ in channel.taken] == [fresh.id]


def test_a_memory_that_does_not_read_is_as_one_that_is_lost(archive: SmallArchive) -> None:
    channel = FakeChannel([target()])
    one = notice(at=archive.clock.now())
    courier(archive, channel).run([one])
    (listed,) = archive.stores.cache.list("notices/")
    garbled = Path(listed.key).stem
    from archive.ports import Content

    archive.stores.cache.put(f"notices/fake/{int(garbled) + 1:020d}.json", Content.of_bytes(b"{"))
    assert courier(archive, channel).run([one]) == 1


def test_of_two_workers_the_slower_one_stops_and_nothing_is_lost(archive: SmallArchive) -> None:
    notices = [notice(at=archive.clock.now(), mark=str(number)) for number in range(3)]
    channel = FakeChannel([target()])
    slow, fast = courier(archive, channel), courier(archive, channel)
    told = slow._memory.load(archive.clock.now())
    fast.run(notices)
    with pytest.raises(AlreadyExists):
        slow._memory.keep(replace(told, sent=99))
    assert slow.run(notices) == 0
    assert len(channel.taken) == 3


def test_the_archive_holds_no_address_of_a_recipient(archive: SmallArchive) -> None:
    courier(archive, FakeChannel([target()])).run([notice(at=archive.clock.now())])
    (listed,) = archive.stores.cache.list("notices/")
    content = archive.stores.cache.get(listed.key)
    assert b"piket" not in content
    assert sha256_hex(b"piket@kota.example")[:16].encode() in content
