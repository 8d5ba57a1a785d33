"""Recorded events become notices: each event once, for any number of watchers and reads."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from api.web.navigation import SHELLS
from archive.cases.notices.notice import (
    DOWNLOADS_PAGE,
    HEALTH_PAGE,
    INCIDENTS_PAGE,
    VIEW_PAGE,
    Event,
    Notice,
    package_page,
    request_page,
)
from archive.cases.notices.running_out import WARNED
from archive.cases.notices.watching import HORIZON, MEASURE_EVERY, Watch
from archive.cases.people.grants import Grants
from archive.errors import Unavailable
from archive.evidence import jobs
from archive.lifecycle.disposition.pressure import Level
from archive.model import request as requests
from archive.model.evidence import EvidenceStatus, to_state
from archive.model.grant import Right
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms
from archive.model.retention import to_state as policy_state
from archive.model.user import Role
from archive.ports import Content
from archive.records.integrity_incidents import close_integrity_incident, incident_id, open_integrity_incident
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from ops.notices.recipients import BY_ROLE
from tests.support.leaves import T0
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
    (one,) = [notice for notice in looking.notices() if notice.event is Event.HOLD_REVIEW_DUE]
    assert (one.subject, one.link) == (hold.id, f"/penahanan/{hold.id}")


def test_sealing_is_told_once_and_each_failure_with_its_code(city: Requesting) -> None:
    head = city.approve(city.file())
    evidence_id = head.request.evidence_id
    looking = watch(city)
    seal(city, evidence_id, EvidenceStatus.SEAL_FAILED, failure_code="hash_mismatch", failure="bytes differ")
    failed = [one for one in looking.notices() if one.event is Event.SEAL_FAILED]
    assert [(one.subject, one.code, one.agency, one.link) for one in failed] == [
        (evidence_id, "hash_mismatch", "polrestabes", request_page(head.request.id))
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
        assert (found[event].agency, found[event].urgent) == ("polrestabes", False)
        assert found[event].link == f"/permintaan/{found[event].subject}"
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


def keep_for(city: Requesting, days: int) -> None:
    """Make a rule that destroys footage after so many days."""
    terms = Terms(keep_days_min=1, keep_days_max=days, basis="Perwali 4/2017", effective_from=T0 - 1)
    state = policy_state(Policy(scope=Scope.parse("default"), terms=(terms,)))
    city.site.ledger.append(POLICY, "default", state, expected=0, actor="os:kadis", action="policy.approved")


def watch_terms(city: Requesting) -> Watch:
    return Watch(
        city.site.ledger,
        city.site.stores.records,
        city.clock,
        pressure=lambda: Level.GREEN,
        rules=lambda: city.site.policies.due_dates(within=WARNED),
    )


def running_out(looking: Watch, event: Event) -> list[Notice]:
    looking.measure()
    return [one for one in looking.notices() if one.event is event]


def release(city: Requesting, hold_id: str) -> None:
    """Two people release a hold."""
    holds = city.site.holds
    head = holds.propose_release(hold_id, actor="user:a", reason="closed")
    holds.approve_release(hold_id, actor="user:b", expected=head.entry.version)


def at_day(city: Requesting, day: float) -> None:
    city.clock.advance(T0 + round(day * DAY) - city.clock.now())


def test_footage_of_a_request_that_no_hold_keeps_is_told_a_week_before_its_term_ends(
    city: Requesting,
) -> None:
    keep_for(city, 60)
    start, end = format_instant(T0), format_instant(T0 + MINUTE)
    head = city.reject(city.file(start=start, end=end, cameras=("cam-1", "cam-2")))
    kept = city.file(case="LP/2", start=start, end=end)
    find = partial(running_out, event=Event.REQUEST_FOOTAGE_ENDING)
    at_day(city, 55)
    assert find(watch_terms(city)) == [], "its own hold still keeps it"
    release(city, head.request.hold_id)
    assert find(watch_terms(city)) == find(watch_terms(city)), "two watches find the same"
    (one,) = find(watch_terms(city))
    assert (one.subject, one.cameras, one.due_at) == (head.request.id, 1, T0 + 60 * DAY), "LP/2 keeps cam-1"
    assert (one.agency, one.urgent, one.at) == ("polrestabes", False, T0 + 55 * DAY)
    assert one.link == request_page(head.request.id)
    release(city, kept.request.hold_id)
    found = find(watch_terms(city))
    assert {(one.subject, one.cameras) for one in found} == {(head.request.id, 2), (kept.request.id, 1)}
    assert one.id in {other.id for other in found}, "the same notice, which is not sent again"
    for role in (Role.ADMIN, Role.WAR_ROOM, Role.POLICE, Role.SATPOL_PP):
        assert Event.REQUEST_FOOTAGE_ENDING in BY_ROLE[role]
    at_day(city, 62 + SECOND / DAY)
    assert find(watch_terms(city)) == [], "a week after the release it is old"


def test_a_hold_that_is_released_long_before_is_told_a_week_before(city: Requesting) -> None:
    keep_for(city, 60)
    head = city.reject(city.file(start=format_instant(T0), end=format_instant(T0 + MINUTE)))
    at_day(city, 20)
    release(city, head.request.hold_id)
    find = partial(running_out, event=Event.REQUEST_FOOTAGE_ENDING)
    looking = watch_terms(city)
    assert find(looking) == []
    at_day(city, 53 - SECOND / DAY)
    assert find(watch_terms(city)) == []
    at_day(city, 53)
    assert [one.at for one in find(watch_terms(city))] == [T0 + 53 * DAY]
    assert [one.at for one in find(looking)] == [T0 + 53 * DAY]


def test_footage_that_goes_late_or_never_is_not_told(city: Requesting) -> None:
    start, end = format_instant(T0), format_instant(T0 + MINUTE)
    head = city.reject(city.file(start=start, end=end))
    release(city, head.request.hold_id)
    find = partial(running_out, event=Event.REQUEST_FOOTAGE_ENDING)
    at_day(city, 50)
    assert find(watch_terms(city)) == [], "no rule destroys it"
    keep_for(city, 110)
    at_day(city, 104)
    assert find(watch_terms(city)) == [], "nobody has asked for it for long"
    assert find(watch(city)) == []


@pytest.mark.parametrize("status", ["handed_over", "closed", "cancelled"])
def test_who_has_a_package_or_wants_none_needs_no_notice(city: Requesting, status: str) -> None:
    keep_for(city, 60)
    head = city.file(start=format_instant(T0), end=format_instant(T0 + MINUTE))
    at_day(city, 55)
    release(city, head.request.hold_id)
    find = partial(running_out, event=Event.REQUEST_FOOTAGE_ENDING)
    assert len(find(watch_terms(city))) == 1, "an open request has lost its hold"
    state = requests.to_state(replace(head.request, status=requests.RequestStatus(status)))
    city.site.ledger.append(
        "request", head.request.id, state, expected=head.entry.version, actor="user:citra",
        action=f"request.{status}",
    )  # fmt: skip
    assert find(watch_terms(city)) == []


def test_footage_of_a_grant_that_goes_before_the_grant_is_told(city: Requesting) -> None:
    keep_for(city, 60)
    grants = Grants(city.site.ledger, city.clock)
    now = city.clock.now()
    terms = {
        "cameras": ["cam-1"], "span": Timespan(T0, T0 + MINUTE), "rights": [Right.VIEW], "basis": "LP/1",
        "actor": "user:citra", "agency": "polrestabes",
    }  # fmt: skip
    longer = grants.give(until=now + 90 * DAY, **terms)
    grants.give(until=T0 + 60 * DAY, **terms)
    find = partial(running_out, event=Event.GRANT_FOOTAGE_ENDING)
    assert find(watch_terms(city)) == []
    at_day(city, 54)
    (one,) = find(watch_terms(city))
    assert (one.subject, one.at, one.due_at) == (longer.id, T0 + 53 * DAY, T0 + 60 * DAY)
    assert (one.link, one.agency, one.cameras) == (VIEW_PAGE, "polrestabes", 1)
    city.file(start=format_instant(T0), end=format_instant(T0 + MINUTE))
    assert find(watch_terms(city)) == [], "a hold keeps it now"


def test_what_is_held_is_not_known_if_a_hold_cannot_be_read(city: Requesting) -> None:
    keep_for(city, 60)
    head = city.reject(city.file(start=format_instant(T0), end=format_instant(T0 + MINUTE)))
    at_day(city, 55)
    release(city, head.request.hold_id)
    city.site.ledger.append(
        "hold", "hold-" + "0" * 32, {"status": "active"}, expected=0, actor="os:x", action="hold.placed"
    )
    looking = watch_terms(city)
    looking.measure()
    found = {one.event for one in looking.notices()}
    assert Event.REQUEST_FOOTAGE_ENDING not in found
    assert Event.INTEGRITY_INCIDENT in found


def test_a_notice_leads_to_a_page_for_people_and_never_to_what_only_programs_read(city: Requesting) -> None:
    head = city.approve(city.file())
    open_integrity_incident(city.site.ledger, code="missing", subject="x", message="gone", found_by="job:x")
    found = {one.event: one.link for one in watch(city).notices()}
    assert found.pop(Event.INTEGRITY_INCIDENT) == "/insiden"
    assert found == dict.fromkeys(
        (Event.REQUEST_NEW, Event.REQUEST_APPROVED), f"/permintaan/{head.request.id}"
    )


def test_every_page_of_a_notice_is_one_of_the_console() -> None:
    paths = {shell.path for shell in SHELLS}
    assert {VIEW_PAGE, DOWNLOADS_PAGE, INCIDENTS_PAGE, HEALTH_PAGE, "/penahanan/{hold_id}"} <= paths
    assert {request_page("{request_id}"), package_page("{evidence_id}")} <= paths
