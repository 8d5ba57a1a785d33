from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from api.audit import Act, AuditEvent, AuditTrail
from api.auth.unauthenticated import MAX_ADDRESSES, UnauthenticatedAttempts
from api.metrics import Metrics
from api.playback import PlaybackSessions
from api.playback_book import OpenSessions
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.records.custody import CustodyWriter, read
from archive.timespan import DAY, MINUTE, SECOND, Timespan
from tests.support.api_site import T0, FailingPuts

SPAN = Timespan(T0, T0 + 10 * SECOND)
ACTOR = Actor(id="token:first", address="192.0.2.9")


class Desk:
    """A custody record that can be made to fail."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0)
        self.store = FailingPuts(folder, self.clock)
        self.audit = AuditTrail(CustodyWriter(self.store, self.clock, writer="api-test"))

    def events(self, event_type: str | None = None) -> list[CustodyEvent]:
        found = read(self.store, Timespan(T0 - DAY, T0 + DAY))
        return [event for event in found if event_type in (None, event.type)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def event(note: str = "x") -> AuditEvent:
    return AuditEvent(
        type=Act.CLIP_DESCRIBE.value,
        actor=ACTOR,
        objects=("cam-1",),
        purpose=note,
        outcome=Outcome.DONE,
        details={},
    )


def test_what_must_be_on_record_first_fails_with_the_record(desk: Desk) -> None:
    desk.store.failing = True
    with pytest.raises(Unavailable):
        desk.audit.write(event())
    assert desk.audit.waiting == 0


def test_what_is_over_is_kept_until_the_record_takes_it(desk: Desk) -> None:
    desk.store.failing = True
    desk.audit.write_late(event("one"))
    desk.audit.write_late(event("two"))
    assert desk.audit.retry() == 2
    desk.store.failing = False
    assert desk.audit.retry() == 0
    # After a failed put the record keeps the events it had promised to put first: an event may appear twice.
    purposes = [event.purpose for event in desk.events()]
    assert list(dict.fromkeys(purposes)) == ["one", "two"]


def sessions(desk: Desk) -> PlaybackSessions:
    return PlaybackSessions(desk.audit, OpenSessions(desk.clock), idle=MINUTE)


def test_playback_is_one_start_and_one_end(desk: Desk) -> None:
    playback = sessions(desk)
    session = playback.open(ACTOR, "cam-1", "shift 2", SPAN)
    for seq in range(5):
        part = Timespan(T0 + seq * SECOND, T0 + (seq + 1) * SECOND)
        playback.take(session, ACTOR, "cam-1", "")(100, part, None, None)
    desk.clock.advance(MINUTE - 1)
    playback.end_idle()
    assert desk.events("playback.ended") == []
    desk.clock.advance(1)
    playback.end_idle()
    playback.end_idle()
    (start,), (end,) = desk.events("playback.started"), desk.events("playback.ended")
    assert start.purpose == end.purpose == "shift 2"
    assert start.actor == end.actor == Actor(id=ACTOR.id, address=ACTOR.address, session=session)
    assert start.objects == ("cam-1",)
    assert start.details == {"from": "2026-11-24T06:00:00.000000Z", "to": "2026-11-24T06:00:10.000000Z"}
    assert end.details["start"] == start.id
    assert end.details["bytes_sent"] == 500
    assert end.details["pieces"] == 5
    assert end.details["shown"] == "2026-11-24T06:00:00.000000Z/2026-11-24T06:00:05.000000Z"


def test_the_end_names_the_pieces_of_which_nobody_knows(desk: Desk) -> None:
    book = OpenSessions(desk.clock)
    playback = PlaybackSessions(desk.audit, book, idle=MINUTE)
    session = playback.open(ACTOR, "cam-1", "shift 2", SPAN)
    playback.take(session, ACTOR, "cam-1", "shift 2")
    book.gone(0)
    playback.end_all()
    (end,) = desk.events("playback.ended")
    assert (end.details["pieces"], end.details["pieces_unknown"]) == (0, 1)


def test_a_piece_in_hand_keeps_its_session(desk: Desk) -> None:
    playback = sessions(desk)
    end = playback.take("s", ACTOR, "cam-1", "")
    desk.clock.advance(10 * MINUTE)
    playback.end_idle()
    assert desk.events("playback.ended") == []
    end(7, SPAN, None, None)
    desk.clock.advance(MINUTE)
    playback.end_idle()
    assert desk.events("playback.ended")[0].details["bytes_sent"] == 7


def test_an_unknown_session_is_opened_before_its_piece(desk: Desk) -> None:
    playback = sessions(desk)
    playback.take("from-before", ACTOR, "cam-1", "")(5, SPAN, None, None)
    playback.take("from-before", ACTOR, "cam-1", "")(5, SPAN, None, None)
    (start,) = desk.events("playback.started")
    assert start.actor.session == "from-before"
    desk.store.failing = True
    with pytest.raises(Unavailable):
        playback.take("other", ACTOR, "cam-1", "")


def test_somebody_elses_session_is_not_joined(desk: Desk) -> None:
    playback = sessions(desk)
    session = playback.open(ACTOR, "cam-1", "", SPAN)
    playback.take(session, Actor(id="token:other"), "cam-1", "")(5, SPAN, None, None)
    playback.take(session, ACTOR, "cam-2", "")(5, SPAN, None, None)
    started = {(event.actor.id, event.objects[0]) for event in desk.events("playback.started")}
    assert started == {("token:first", "cam-1"), ("token:other", "cam-1"), ("token:first", "cam-2")}


def test_all_sessions_end_with_the_process(desk: Desk) -> None:
    playback = sessions(desk)
    for camera in ("cam-1", "cam-2"):
        playback.open(ACTOR, camera, "", SPAN)
    playback.end_all()
    assert len(desk.events("playback.ended")) == 2


def test_an_end_that_the_record_refuses_is_told_later(desk: Desk) -> None:
    playback = sessions(desk)
    playback.open(ACTOR, "cam-1", "", SPAN)
    desk.store.failing = True
    playback.end_all()
    desk.store.failing = False
    assert desk.audit.retry() == 0
    assert desk.events("playback.ended")


def test_strangers_are_counted_and_told_once_a_minute(desk: Desk) -> None:
    unauthenticated = UnauthenticatedAttempts(desk.audit, Metrics(CollectorRegistry()), desk.clock)
    unauthenticated.turned_away("192.0.2.1")
    for _ in range(1000):
        unauthenticated.turned_away("192.0.2.2")
    assert [event.details["attempts"] for event in desk.events()] == [1]
    desk.clock.advance(MINUTE)
    unauthenticated.write_if_due()
    first, second = desk.events()
    assert (first.type, first.outcome) == ("sign_in", Outcome.REFUSED)
    assert second.details == {"attempts": 1000, "addresses": "192.0.2.2=1000"}


def test_many_addresses_cost_no_more_than_some(desk: Desk) -> None:
    unauthenticated = UnauthenticatedAttempts(desk.audit, Metrics(CollectorRegistry()), desk.clock)
    for number in range(500):
        unauthenticated.turned_away(f"192.0.2.{number}")
    unauthenticated.write()
    addresses = desk.events()[-1].details["addresses"].split()
    assert len(addresses) == MAX_ADDRESSES + 1
    assert f"others={499 - MAX_ADDRESSES}" in addresses
