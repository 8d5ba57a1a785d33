"""Filing: the hold first, within limits; amendments that void approvals; papers; crashes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive import keys
from archive.cases.requests.answers import brief_json, request_json
from archive.cases.requests.filing import FILING_LIMIT
from archive.cases.requests.form import BadForm
from archive.cases.requests.job import ORPHAN_AFTER
from archive.cases.requests.stream import Filer
from archive.cases.requests.transitions import TRANSITIONS, RequestAct, after, transitions_page
from archive.errors import Conflict, Malformed, NotFound, Refused, Unavailable
from archive.model.request import RequestStatus, from_state, is_letter_overdue, public_state, to_state
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms
from archive.model.retention import to_state as policy_state
from archive.timespan import DAY, HOUR, MINUTE, SECOND, format_instant
from tests.support.leaves import T0
from tests.support.requesting import OFFICER, PDF, PNG, POLICE, Requesting, form, requesting, urgent

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "requests.md"
OTHERS = Filer(id="user:gani", agency="polda")


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Requesting]:
    with requesting(tmp_path) as made:
        yield made


def long(hours: int, cameras: int = 1) -> dict[str, Any]:
    return {
        "start": format_instant(T0 - hours * HOUR),
        "end": format_instant(T0),
        "cameras": tuple(f"cam-{n + 1}" for n in range(cameras)),
    }


def test_a_filed_request_is_held_at_once_in_its_own_name(city: Requesting) -> None:
    head = city.file()
    hold = city.site.holds.hold(head.request.hold_id).hold
    assert (hold.in_force, hold.case, hold.cameras, hold.span) == (
        True, head.request.id, ("cam-1",), head.request.span
    )  # fmt: skip
    assert (head.status, head.entry.version, head.entry.actor) == ("submitted", 1, POLICE.id)
    assert from_state(head.request.id, head.entry.state) == head.request
    assert head.request.attachments[0].sha256 == city.scan


def test_a_bad_form_leaves_neither_request_nor_hold(city: Requesting) -> None:
    with pytest.raises(BadForm):
        city.requests.filing.file(form(purpose=""), POLICE)
    assert list(city.requests.book.requests()) == []
    assert city.site.holds.holds() == []


def test_the_index_is_told_no_person_no_letter_and_no_word(city: Requesting) -> None:
    head = city.file()
    document = city.site.index.document("request", head.request.id)
    assert document is not None
    text = str(document.state)
    for secret in ("Dewi", "78010123", "AIPTU", "0411", "B/123", "LP/B", "sepeda", city.scan):
        assert secret not in text
    assert document.state == public_state(to_state(head.request))
    assert document.state["agency"] == "Polrestabes Makassar"


# -- limits -------------------------------------------------------------------------------------------


def test_a_request_keeps_at_most_its_camera_hours(city: Requesting) -> None:
    assert city.file(**long(24, 2)).request.held_us == 48 * HOUR
    with pytest.raises(Refused) as caught:
        city.file(**long(25, 2))
    assert caught.value.code == "request_too_large"
    assert "1440 minutes" in caught.value.hint
    assert "1 of them for the whole span" in caught.value.hint


def test_an_agency_keeps_at_most_its_camera_hours_in_all(city: Requesting) -> None:
    for _ in range(10):
        city.file(**long(48))
    with pytest.raises(Refused) as caught:
        city.file()
    assert caught.value.code == "request_too_large"
    assert city.file(OTHERS).request.id


def test_refused_requests_count_until_their_holds_go(city: Requesting) -> None:
    for _ in range(10):
        head = city.file(**long(48))
        city.requests.filing.cancel(head.request.id, by=POLICE.id, expected=1, reason="not needed")
    with pytest.raises(Refused):
        city.file()
    city.clock.advance(7 * DAY)
    assert city.file().request.id


def test_narrowing_does_not_give_back_what_the_hold_still_keeps(city: Requesting) -> None:
    for _ in range(10):
        head = city.file(**long(48))
        less = form(letter_sha256=city.scan, **long(1))
        city.requests.filing.amend(head.request.id, less, POLICE, expected=1, reason="less")
    with pytest.raises(Refused) as caught:
        city.file()
    assert caught.value.code == "request_too_large"


def test_creeping_spans_do_not_grow_a_hold_beyond_the_limit(city: Requesting) -> None:
    head = city.file(**long(40))
    moved = form(
        letter_sha256=city.scan, start=format_instant(T0 - 90 * HOUR), end=format_instant(T0 - 80 * HOUR)
    )
    with pytest.raises(Refused) as caught:
        city.requests.filing.amend(head.request.id, moved, POLICE, expected=1, reason="earlier")
    assert caught.value.code == "request_too_large"


def test_the_war_room_raises_the_limit_of_one_request_on_record(city: Requesting) -> None:
    head = city.file()
    raised = city.requests.deciding.raise_limit(
        head.request.id, camera_hours=60, by=OFFICER, expected=1, reason="a large fire"
    )
    assert (raised.entry.action, raised.entry.actor, raised.entry.reason) == (
        "request.limit_raised", OFFICER, "a large fire"
    )  # fmt: skip
    wider = form(letter_sha256=city.scan, **long(59))
    amended = city.requests.filing.amend(head.request.id, wider, POLICE, expected=2, reason="more")
    assert city.site.holds.hold(amended.request.hold_id).hold.span.duration == 59 * HOUR + MINUTE
    with pytest.raises(Refused):
        city.file(**long(59))
    with pytest.raises(Malformed) as caught:
        city.requests.deciding.raise_limit(
            head.request.id, camera_hours=48, by=OFFICER, expected=3, reason="x"
        )
    assert caught.value.code == "bad_limit"


# -- amending, papers ---------------------------------------------------------------------------------


def test_an_amendment_voids_the_approval_and_the_hold_only_grows(city: Requesting) -> None:
    head = city.approve(city.file())
    assert (head.request.status, head.entry.version) == (RequestStatus.APPROVED, 2)
    moved = form(letter_sha256=city.scan, start=format_instant(T0 + 30 * SECOND), cameras=("cam-2",))
    amended = city.requests.filing.amend(head.request.id, moved, POLICE, expected=2, reason="wrong camera")
    assert (amended.status, amended.request.decision, amended.request.evidence_id) == ("submitted", None, "")
    hold = city.site.holds.hold(amended.request.hold_id).hold
    assert (hold.cameras, hold.span) == (("cam-1", "cam-2"), head.request.span)


def test_an_amendment_after_people_released_the_hold_places_another(city: Requesting) -> None:
    head = city.file()
    city.holding.release(head.request.hold_id)
    amended = city.requests.filing.amend(
        head.request.id, form(letter_sha256=city.scan), POLICE, expected=1, reason="again"
    )
    assert amended.request.hold_id != head.request.hold_id
    assert city.hold_in_force(amended)


def test_a_change_decided_on_an_older_version_is_refused(city: Requesting) -> None:
    head = city.file()
    stream = city.requests.stream
    assert stream.comment(head.request.id, text="urgent?", by=OFFICER, expected=1).entry.version == 2
    for change in (
        lambda: stream.comment(head.request.id, text="x", by=OFFICER, expected=1),
        lambda: city.approve(head),
        lambda: city.reject(head),
        lambda: city.requests.filing.cancel(head.request.id, by=POLICE.id, expected=1, reason="x"),
        lambda: city.requests.filing.amend(head.request.id, form(), POLICE, expected=1, reason="x"),
    ):
        with pytest.raises(Conflict) as caught:
            change()
        assert caught.value.code == "ledger_conflict"


def test_the_letter_of_an_urgent_request_follows_and_voids_nothing(city: Requesting) -> None:
    head = city.requests.filing.file(urgent(), POLICE)
    assert head.request.letter_due_at == head.request.filed_at + 24 * HOUR
    approved = city.approve(head)
    assert approved.request.decision is not None
    assert approved.request.decision.without_letter
    now = city.clock.now()
    assert not is_letter_overdue(approved.request, now + 24 * HOUR - 1)
    assert is_letter_overdue(approved.request, now + 24 * HOUR)
    added = city.requests.filing.add_letter(
        head.request.id, number="B/9", date="2026-11-24", sha256=city.scan, by=POLICE, expected=2
    )
    assert (added.status, added.request.letter.number) == ("approved", "B/9")
    assert added.request.decision == approved.request.decision
    assert not is_letter_overdue(added.request, now + 24 * HOUR)
    with pytest.raises(Conflict) as caught:
        city.requests.filing.add_letter(
            head.request.id, number="B/10", date="2026-11-24", sha256=city.scan, by=POLICE, expected=3
        )
    assert caught.value.code == "letter_there"


def test_papers_are_kept_under_their_hash_and_locked(city: Requesting) -> None:
    key = keys.attachment_key(city.scan)
    assert city.site.stores.records.get(key) == PDF
    lock = city.site.stores.records.head(key).lock
    assert lock is not None
    assert (lock.mode, lock.until > city.clock.now() + 3600 * DAY) == ("GOVERNANCE", True)


def test_only_who_uploaded_a_paper_can_name_it(city: Requesting) -> None:
    with pytest.raises(BadForm) as caught:
        city.requests.filing.file(form(letter_sha256=city.scan), OTHERS)
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("letter.sha256", "not_uploaded")]
    head = city.file(OTHERS)
    png = city.upload(content=PNG)
    with pytest.raises(NotFound) as missing:
        city.requests.filing.attach(head.request.id, sha256=png, name="foto", by=OTHERS, expected=1)
    assert missing.value.code == "attachment_not_found"


def test_a_paper_is_attached_once(city: Requesting) -> None:
    head = city.file()
    png = city.upload(content=PNG)
    attached = city.requests.filing.attach(head.request.id, sha256=png, name="foto", by=POLICE, expected=1)
    assert [one.media_type for one in attached.request.attachments] == ["application/pdf", "image/png"]
    with pytest.raises(Conflict) as caught:
        city.requests.filing.attach(head.request.id, sha256=png, name="foto", by=POLICE, expected=2)
    assert caught.value.code == "attachment_there"


def test_a_paper_that_is_too_large_is_not_taken(city: Requesting) -> None:
    with city.requests.attachments.incoming() as incoming:
        for _ in range(20):
            incoming.write(b"x" * (1 << 20))
        with pytest.raises(Malformed) as caught:
            incoming.write(b"x")
    assert caught.value.code == "attachment_too_large"


# -- crashes, rules -----------------------------------------------------------------------------------


def test_a_hold_whose_request_never_came_into_being_goes_after_an_hour(
    city: Requesting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Unavailable("the store does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(city.requests.stream, "append", die)
        with pytest.raises(Unavailable):
            city.file()
    (left,) = city.site.holds.holds()
    assert left.hold.in_force
    city.clock.advance(ORPHAN_AFTER - 1)
    assert city.requests.following.run() == 0
    assert city.site.holds.hold(left.hold.id).hold.in_force
    city.clock.advance(1)
    assert city.requests.following.run() == 1
    assert not city.site.holds.hold(left.hold.id).hold.in_force
    reasons = [entry.reason for entry in city.site.holds.history(left.hold.id)]
    assert all(left.hold.case in reason for reason in reasons)


def test_a_filing_that_took_too_long_gives_up_before_its_hold_may_go(
    city: Requesting, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = city.site.holds.place

    def slowly(**options: Any) -> Any:
        placed = place(**options)
        city.clock.advance(FILING_LIMIT + 1)
        return placed

    monkeypatch.setattr(city.site.holds, "place", slowly)
    with pytest.raises(Unavailable) as caught:
        city.file()
    assert caught.value.code == "filing_too_slow"
    assert FILING_LIMIT < ORPHAN_AFTER
    assert list(city.requests.book.requests()) == []


@pytest.mark.parametrize("end", ["rejected", "cancelled"])
def test_the_hold_of_a_refused_request_goes_by_rule_after_seven_days(city: Requesting, end: str) -> None:
    head = city.file()
    if end == "rejected":
        ended = city.reject(head)
    else:
        ended = city.requests.filing.cancel(head.request.id, by=POLICE.id, expected=1, reason="found")
    city.clock.advance(7 * DAY - 1)
    assert city.requests.following.run() == 0
    assert city.hold_in_force(ended)
    city.clock.advance(1 + SECOND)
    assert city.requests.following.run() == 1
    assert not city.hold_in_force(ended)
    told = [(entry.action, entry.actor) for entry in city.site.holds.history(head.request.hold_id)]
    assert told == [
        ("hold.placed", POLICE.id),
        ("hold.release_proposed", "rule:requests"),
        ("hold.released", "job:requests"),
    ]
    for entry in list(city.site.holds.history(head.request.hold_id))[1:]:
        assert entry.reason.startswith(f"{head.request.id} {end} by {ended.entry.actor} at ")
    assert city.requests.following.run() == 0


def test_a_rule_that_died_between_its_two_entries_goes_on(city: Requesting) -> None:
    head = city.file()
    ended = city.reject(head)
    city.clock.advance(8 * DAY)
    city.site.holds.propose_release(head.request.hold_id, actor="rule:requests", reason="as the rule says")
    assert city.requests.following.run() == 1
    assert not city.hold_in_force(ended)


def test_a_hold_that_somebody_acted_on_is_left_to_people(city: Requesting) -> None:
    head = city.file()
    ended = city.reject(head)
    city.site.holds.review(
        head.request.hold_id,
        review_at=city.clock.now() + 90 * DAY,
        actor="user:kominfo",
        reason="another case",
    )
    city.clock.advance(8 * DAY)
    assert city.requests.following.run() == 0
    assert city.hold_in_force(ended)


def test_the_hold_of_a_request_that_stands_is_never_released_by_rule(city: Requesting) -> None:
    heads = [city.file(), city.approve(city.file())]
    city.clock.advance(400 * DAY)
    city.requests.following.run()
    assert all(city.hold_in_force(head) for head in heads)


# -- the table ----------------------------------------------------------------------------------------


def test_the_guide_shows_the_table() -> None:
    assert transitions_page() in GUIDE.read_text("utf-8")


@pytest.mark.parametrize("act", RequestAct)
@pytest.mark.parametrize("status", RequestStatus)
def test_an_act_is_possible_where_the_table_says_and_nowhere_else(
    act: RequestAct, status: RequestStatus
) -> None:
    row = TRANSITIONS[act]
    if status in row.before:
        assert after(act, status) is (row.after or status)
    else:
        with pytest.raises(Conflict) as caught:
            after(act, status)
        assert caught.value.code == "request_state"


def test_what_has_ended_stays_ended() -> None:
    for row in TRANSITIONS.values():
        assert not row.before & {RequestStatus.REJECTED, RequestStatus.CANCELLED, RequestStatus.CLOSED}


@pytest.mark.parametrize(("age_days", "flagged"), [(20, False), (56, False), (58, True), (61, True)])
def test_a_request_whose_footage_expires_within_72_hours_is_flagged(
    city: Requesting, age_days: int, flagged: bool
) -> None:
    terms = Terms(
        keep_days_min=30, keep_days_max=60, basis="Perwali 4/2017", effective_from=city.clock.now() - 1
    )
    state = policy_state(Policy(scope=Scope.parse("default"), terms=(terms,)))
    city.site.ledger.append(POLICY, "default", state, expected=0, actor="os:kadis", action="policy.approved")
    city.clock.step(T0 + age_days * DAY - city.clock.now())
    head = city.file(start=format_instant(T0), end=format_instant(T0 + MINUTE))
    assert head.request.footage_due_at == T0 + 60 * DAY
    now = city.clock.now()
    assert brief_json(head, now)["footage_expiring"] is flagged
    assert request_json(head, now)["footage_due_at"] == format_instant(T0 + 60 * DAY)
    assert from_state(head.request.id, to_state(head.request)) == head.request
    assert city.hold_in_force(head)


def test_a_request_of_before_is_read_without_a_term(city: Requesting) -> None:
    head = city.file()
    assert head.request.footage_due_at is None  # no rule destroys this footage
    older = {name: value for name, value in to_state(head.request).items() if name != "footage_due_at"}
    assert from_state(head.request.id, older) == head.request
