"""Recorded events become notices: each event once, for any number of watchers and reads."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.cases.notices.notice import VIEW_PAGE, Event, Notice
from archive.cases.notices.watching import HORIZON, MEASURE_EVERY, Watch
from archive.cases.people.grants import Grants
from archive.errors import Unavailable
from archive.evidence import jobs
from archive.lifecycle.disposition.pressure import Level
from archive.model.evidence import EvidenceStatus, to_state
from archive.model.grant import Right
from archive.model.user import Role
from archive.ports import Content
from archive.records.integrity_incidents import close_integrity_incident, incident_id, open_integrity_incident
from archive.timespan import DAY, HOUR, SECOND, Timespan
from ops.notices.recipients import BY_ROLE
from tests.support.requesting import POLICE, Requesting, requesting, urgent


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Requesting]:
    with requesting(tmp_path) as made:
        yield made


def watch(city: Requesting, level: Level = Level.GREEN) -> Watch:
    return Watch(city.site.ledger, city.site.stores.records, city.clock, pressure=lambda: level)


def told(one: Watch) -> list[tuple[Event, str]]:
    return [(notice.event, notice.subject) for notice in one.notices()]


def seal(city: Requesting, evidence_id: str, status: EvidenceStatus, **changes: str) -> None:
    job = jobs.find(city.site.ledger, evidence_id)
    state = to_state(replace(job.record, status=status, **changes))
    city.site.ledger.append(
        "evidence", evidence_id, state, expected=job.entry.version, actor="job:seal", action="evidence.moved"
    )


def test_filing_is_told_and_an_urgent_one_as_urgent(city: Requesting) -> None:
    plain = city.file()
    quick = city.requests.filing.file(urgent(case="LP/2"), POLICE)
    found = {notice.subject: notice for notice in watch(city).notices()}
    assert found[plain.request.id].event is Event.REQUEST_NEW
    assert not found[plain.request.id].urgent
    one = found[quick.request.id]
    assert (one.event, one.urgent, one.agency, one.due_at) == (
        Event.REQUEST_URGENT, True, "polrestabes", quick.request.letter_due_at
    )  # fmt: skip


def test_a_notice_names_no_person_no_case_and_no_camera(city: Requesting) -> None:
    city.file()
    (one,) = watch(city).notices()
    text = repr(one)
    for word in ("Dewi", "78010123", "LP/B/123", "pencurian", "cam-1", "0411-000000"):
        assert word not in text


def test_two_watches_and_a_second_look_find_the_same_ids(city: Requesting) -> None:
    city.file()
    first = watch(city)
    ids = [notice.id for notice in first.notices()]
    assert ids == [notice.id for notice in first.notices()] == [n.id for n in watch(city).notices()]
    assert len(set(ids)) == 1


def test_what_an_act_after_it_covers_is_told_all_the_same(city: Requesting) -> None:
    head = city.file()
    city.approve(head)  # the newest entry now is the approval
    assert (Event.REQUEST_NEW, head.request.id) in told(watch(city))


def test_an_overdue_letter_is_told_when_it_is_due_and_until_it_came(city: Requesting) -> None:
    head = city.requests.filing.file(urgent(), POLICE)
    due = head.request.letter_due_at
    assert due is not None
    looking = watch(city)
    city.clock.step(due - 1 - city.clock.now())
    assert (Event.LETTER_OVERDUE, head.request.id) not in told(looking)
    city.clock.step(1)
    assert (Event.LETTER_OVERDUE, head.request.id) in told(looking)


def test_a_hold_is_told_from_its_review_on(city: Requesting) -> None:
    head = city.file()
    hold = city.site.holds.hold(head.request.hold_id).hold
    looking = watch(city)
    city.clock.step(hold.review_at - 1 - city.clock.now())
    assert (Event.HOLD_REVIEW_DUE, hold.id) not in told(looking)
    city.clock.step(1)
    assert (Event.HOLD_REVIEW_DUE, hold.id) in told(looking)


def test_sealing_is_told_once_and_each_failure_with_its_code(city: Requesting) -> None:
    evidence_id = city.approve(city.file()).request.evidence_id
    looking = watch(city)
    seal(city, evidence_id, EvidenceStatus.SEAL_FAILED, failure_code="hash_mismatch", failure="bytes differ")
    failed = [one for one in looking.notices() if one.event is Event.SEAL_FAILED]
    assert [(one.subject, one.code, one.agency) for one in failed] == [
        (evidence_id, "hash_mismatch", "polrestabes")
    ]
    seal(city, evidence_id, EvidenceStatus.SEALED, failure_code="", failure="")
    seal(city, evidence_id, EvidenceStatus.SEALED, failure_code="", failure="")
    assert told(looking).count((Event.SEALED, evidence_id)) == 1


def test_a_thousand_findings_of_one_kind_are_one_notice_an_hour(city: Requesting) -> None:
    looking = watch(city)
    for number in range(5):
        open_integrity_incident(
            city.site.ledger,
            code="missing",
            subject=f"segments/{number}",
            message="gone",
            found_by="job:fixity",
        )
    assert told(looking) == [(Event.INTEGRITY_INCIDENT, "missing")]
    assert looking.notices()[0].urgent
    city.clock.step(HOUR)
    close_integrity_incident(
        city.site.ledger, incident_id("missing", "segments/1"), actor="os:a", reason="restored"
    )
    open_integrity_incident(
        city.site.ledger, code="missing", subject="segments/1", message="gone", found_by="job:fixity"
    )
    assert told(looking) == [(Event.INTEGRITY_INCIDENT, "missing")] * 2


def test_a_canary_that_broke_through_is_told_as_such(city: Requesting) -> None:
    open_integrity_incident(
        city.site.ledger, code="canary_delete", subject="records", message="it was let", found_by="canary"
    )
    assert told(watch(city)) == [(Event.CANARY_RED, "canary_delete")]


def test_an_entry_that_does_not_read_is_told_and_silences_no_other(city: Requesting) -> None:
    head = city.file()
    city.site.stores.records.put("ledger/request/REQ-2026-0000000000/00000001.json", Content.of_bytes(b"{}"))
    found = told(watch(city))
    assert (Event.INTEGRITY_INCIDENT, "bad_entry") in found
    assert (Event.REQUEST_NEW, head.request.id) in found


def test_pressure_is_told_once_a_day_and_level(city: Requesting) -> None:
    level = [Level.AMBER]
    looking = Watch(city.site.ledger, city.site.stores.records, city.clock, pressure=lambda: level[0])
    assert told(looking) == []
    looking.measure()
    (amber,) = looking.notices()
    assert (amber.event, amber.code, amber.urgent) == (Event.ARCHIVE_PRESSURE, "amber", False)
    city.clock.advance(MEASURE_EVERY)
    looking.measure()
    assert [one.id for one in looking.notices()] == [amber.id]
    level[0] = Level.RED
    city.clock.advance(MEASURE_EVERY)
    looking.measure()
    (red,) = looking.notices()
    assert red.urgent
    assert red.id != amber.id
    city.clock.advance(DAY)
    looking.measure()
    assert [one.id for one in looking.notices()] != [red.id]


def test_pressure_that_cannot_be_measured_keeps_nothing_else_from_being_told(city: Requesting) -> None:
    def unknown() -> Level:
        raise Unavailable("the index does not answer")

    head = city.file()
    looking = Watch(city.site.ledger, city.site.stores.records, city.clock, pressure=unknown)
    with pytest.raises(Unavailable):
        looking.measure()
    assert told(looking) == [(Event.REQUEST_NEW, head.request.id)]


def test_what_is_older_than_the_horizon_is_not_told(city: Requesting) -> None:
    city.file()
    looking = watch(city)
    city.clock.step(HORIZON)
    assert [one.event for one in looking.notices()] == [Event.REQUEST_NEW]
    city.clock.step(1)
    assert looking.notices() == ()


def test_one_happening_has_one_id() -> None:
    one = Notice(event=Event.SEALED, subject="EV", mark="", at=1, urgent=False)
    assert one.id == replace(one, at=2, agency="x", code="y").id
    assert len({one.id, replace(one, mark="2").id, replace(one, subject="EW").id}) == 3


def test_a_decision_is_told_to_the_agency_that_asked(city: Requesting) -> None:
    approved, rejected = city.file(), city.file(case="LP/2")
    city.approve(approved)
    city.reject(rejected)
    found = {one.event: one for one in watch(city).notices()}
    assert found[Event.REQUEST_APPROVED].subject == approved.request.id
    assert found[Event.REQUEST_REJECTED].subject == rejected.request.id
    for event in (Event.REQUEST_APPROVED, Event.REQUEST_REJECTED):
        assert (found[event].agency, found[event].urgent, found[event].link) == ("polrestabes", False, "")
        assert event in BY_ROLE[Role.POLICE]


def test_a_grant_is_told_a_week_before_it_ends_and_a_short_one_at_half_its_term(city: Requesting) -> None:
    now = city.clock.now()
    grants = Grants(city.site.ledger, city.clock)
    terms = {
        "cameras": ["cam-1"], "span": Timespan(now - HOUR, now), "rights": [Right.VIEW], "basis": "LP/1",
        "actor": "user:citra", "agency": "polrestabes",
    }  # fmt: skip
    long = grants.give(until=now + 30 * DAY, **terms)
    short = grants.give(until=now + 2 * DAY, **terms)

    def ending(step: int) -> set[str]:
        city.clock.advance(step)
        looking = watch(city)
        looking.measure()
        found = [one for one in looking.notices() if one.event is Event.GRANT_ENDING]
        assert all((one.link, one.agency) == (VIEW_PAGE, "polrestabes") for one in found)
        return {one.subject for one in found}

    assert ending(DAY - SECOND) == set()
    assert ending(SECOND) == {short.id}
    assert ending(DAY) == set(), "it has ended"
    assert ending(21 * DAY - SECOND) == set()
    assert ending(SECOND) == {long.id}
    grants.revoke(long.id, actor="user:citra", reason="closed")
    assert ending(HOUR) == set()


def test_no_notice_leads_to_what_only_programs_read(city: Requesting) -> None:
    city.approve(city.file())
    open_integrity_incident(city.site.ledger, code="missing", subject="x", message="gone", found_by="job:x")
    assert {one.link for one in watch(city).notices()} == {""}
