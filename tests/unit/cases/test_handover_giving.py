"""Three people take part in a handover, and each is recorded."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.cases.handover.closing import BY_RULE
from archive.cases.handover.facts import facts_json, facts_of
from archive.cases.handover.giving import typed_sha256
from archive.cases.handover.paper import as_given, letter_of
from archive.cases.people.users import Users
from archive.errors import ArchiveError, Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.model.handover import HoldAfter
from archive.model.hold import HoldStatus
from archive.model.request import Letter, RequestStatus, from_state, to_state
from archive.model.user import Role, User
from archive.ports import LockMode
from archive.timespan import DAY, HOUR
from tests.support.handovers import BUDI, CITRA, DEWI, SIGNER, TAGS, Desk, sealed_desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return sealed_desk(tmp_path)


def refused(code: str, kind: type[ArchiveError] = Refused) -> "pytest.RaisesExc[ArchiveError]":
    return pytest.raises(kind, check=lambda error: error.code == code)


def confirmed(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)
    desk.handovers.begin_download(desk.request_id, person=BUDI, address="10.0.0.1")
    desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)


def test_the_whole_way_from_sealed_to_closed(desk: Desk) -> None:
    given = desk.handovers.give(desk.request_id, actor=DEWI, note="di loket")
    right = given.right
    assert given.file.status is RequestStatus.HANDED_OVER
    assert (right.recipient.person, right.recipient.nrp_nip) == (BUDI, "84010123")
    assert (right.downloads, right.until - right.given_at) == (3, 72 * HOUR)
    assert (right.tagmanifest_sha256, right.signer_sha256) == (TAGS, SIGNER)
    assert right.request_entry == desk.ledger.entry("request", desk.request_id, 2).digest
    _, fetching = desk.handovers.begin_download(desk.request_id, person=BUDI, address="10.0.0.1")
    assert desk.handovers.admit(desk.evidence_id, desk.request_id, fetching.id, person=BUDI) == (
        right,
        fetching,
    )
    found = desk.handovers.confirm(
        desk.request_id, person=BUDI, tagmanifest=TAGS.upper(), signer=":".join(["CD"] * 32)
    )
    assert found.receipt is not None
    assert found.receipt.right_sha256 == given.right_sha256
    closing = desk.handovers.closings.close(
        desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="perkara diputus"
    )
    assert desk.again().closings.closing(desk.request_id) == closing
    actions = [(entry.action, entry.actor) for entry in desk.ledger.history("request", desk.request_id)]
    assert actions[2:] == [
        ("request.handed_over", DEWI),
        ("request.received", BUDI),
        ("request.closed", DEWI),
    ]


def test_a_letter_that_comes_later_is_not_on_the_report_of_before(desk: Desk) -> None:
    """The signed report has one name for each paper, so what it says must be settled with the paper."""

    def with_letter(number: str) -> None:
        head = desk.ledger.head("request", desk.request_id)
        letter = Letter(number=number, date="2026-11-25", sha256="ab" * 32)
        state = to_state(replace(from_state(head.id, head.state), letter=letter))
        desk.ledger.append(
            "request", head.id, state, expected=head.version, actor=BUDI, action="request.letter_added"
        )

    with_letter("")
    confirmed(desk)
    with_letter("B/9")
    found = desk.handovers.newest(desk.request_id)
    assert found.file.request.letter.number == "B/9"
    assert [letter_of(one).number for one in (as_given(found), found)] == ["", ""]


@pytest.mark.parametrize("actor", [BUDI, CITRA])
def test_whoever_asked_or_decided_hands_nothing_over(desk: Desk, actor: str) -> None:
    with refused("same_person"):
        desk.handovers.give(desk.request_id, actor=actor)
    with refused("handover_not_found", NotFound):
        desk.handovers.newest(desk.request_id)


def test_whoever_filed_for_somebody_else_or_decided_before_an_amendment_is_apart_too(desk: Desk) -> None:
    head = desk.ledger.head("request", desk.request_id)
    state = to_state(replace(from_state(desk.request_id, head.state), decision=None))
    desk.ledger.append(
        "request", desk.request_id, state, expected=2, actor="user:eko", action="request.amended"
    )
    for actor in ("user:eko", CITRA):
        with refused("same_person"):
            desk.handovers.give(desk.request_id, actor=actor)


def test_sudo_makes_nobody_another_person(desk: Desk) -> None:
    head = desk.ledger.head("request", desk.request_id)
    request = from_state(desk.request_id, head.state)
    assert request.decision is not None
    state = to_state(replace(request, decision=replace(request.decision, by="os:ani")))
    desk.ledger.append(
        "request", desk.request_id, state, expected=2, actor="os:ani", action="request.approved"
    )
    with refused("same_person"):
        desk.handovers.give(desk.request_id, actor="os:root(login:ani)")


def test_without_its_time_stamp_a_package_stays(tmp_path: Path) -> None:
    desk = sealed_desk(tmp_path, stamped=False)
    with refused("not_stamped", Conflict):
        desk.handovers.give(desk.request_id, actor=DEWI)


def test_an_officer_acts_on_the_version_that_they_read(desk: Desk) -> None:
    with refused("ledger_conflict", Conflict):
        desk.handovers.give(desk.request_id, actor=DEWI, expected=1)
    desk.handovers.give(desk.request_id, actor=DEWI, expected=2)


def test_what_came_on_paper_is_handed_to_the_account_of_whoever_asked(tmp_path: Path) -> None:
    desk = sealed_desk(tmp_path)
    head = desk.ledger.head("request", desk.request_id)
    request = from_state(desk.request_id, head.state)
    on_paper = replace(request, requester=replace(request.requester, person="os:fani"))
    desk.ledger.append(
        "request",
        desk.request_id,
        to_state(on_paper),
        expected=2,
        actor="os:fani",
        action="request.commented",
    )
    with refused("host_unlinked"):
        desk.handovers.give(desk.request_id, actor=DEWI, recipient="user:eko")
    users = Users(desk.ledger, desk.archive.clock)
    users.add(User(id="f.wijaya", name="Fani", roles=(Role.POLICE,)), actor="os:budi")
    users.link("f.wijaya", "fani", actor="os:budi", reason="x")
    for recipient in (DEWI, CITRA):
        with refused("same_person"):
            desk.handovers.give(desk.request_id, actor=DEWI, recipient=recipient)
    given = desk.handovers.give(desk.request_id, actor=DEWI, recipient="user:eko")
    assert given.right.recipient.person == "user:eko"
    desk.handovers.begin_download(desk.request_id, person="user:eko", address="")


def test_whoever_filed_with_an_account_is_the_recipient(desk: Desk) -> None:
    with refused("bad_handover_request", Malformed):
        desk.handovers.give(desk.request_id, actor=DEWI, recipient="user:eko")


def test_only_the_recipient_fetches_and_confirms(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)
    for person in (DEWI, CITRA, "user:budi2"):
        with refused("not_recipient"):
            desk.handovers.begin_download(desk.request_id, person=person, address="")
        with refused("not_recipient"):
            desk.handovers.confirm(desk.request_id, person=person, tagmanifest=TAGS, signer=SIGNER)


def test_the_right_ends_with_its_time_and_can_be_given_again(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI, hours=2)
    _, fetching = desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
    desk.archive.clock.advance(2 * HOUR)
    with refused("handover_expired"):
        desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
    with refused("handover_expired"):
        desk.handovers.admit(desk.evidence_id, desk.request_id, fetching.id, person=BUDI)
    again = desk.handovers.give(desk.request_id, actor=DEWI, downloads=1)
    assert (again.right.number, again.remaining) == (2, 1)
    with refused("download_not_found", NotFound):
        desk.handovers.admit(desk.evidence_id, desk.request_id, fetching.id, person=BUDI)


@pytest.mark.parametrize(
    ("tagmanifest", "signer", "named"),
    [
        ("00" * 32, SIGNER, "tag manifest"),
        (TAGS, "00" * 32, "signer"),
        (TAGS[:-1], SIGNER, "tag manifest"),
        ("", "", "tag manifest and the signer"),
        (SIGNER, TAGS, "tag manifest and the signer"),
        (TAGS + "é", SIGNER, "tag manifest"),
    ],
)
def test_a_wrong_fingerprint_confirms_nothing(desk: Desk, tagmanifest: str, signer: str, named: str) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)
    desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
    with refused("confirmation_differs") as caught:
        desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=tagmanifest, signer=signer)
    assert named in str(caught.value)
    assert desk.handovers.newest(desk.request_id).receipt is None


def test_what_was_not_fetched_is_not_confirmed_unless_it_came_on_a_carrier(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)
    with refused("not_fetched", Conflict):
        desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)
    desk.handovers.give(desk.request_id, actor=DEWI, downloads=0)
    with refused("downloads_used_up"):
        desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
    found = desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)
    assert found.receipt is not None


def test_confirming_twice_is_confirming_once(desk: Desk) -> None:
    confirmed(desk)
    version = desk.handovers.newest(desk.request_id).file.entry.version
    desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)
    assert desk.handovers.newest(desk.request_id).file.entry.version == version


def test_closing_waits_for_the_receipt_or_the_end_of_the_right(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)
    with refused("not_received", Conflict):
        desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="selesai")
    desk.archive.clock.advance(72 * HOUR)
    desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="tidak diambil")
    with refused("request_closed", Conflict):
        desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="lagi")


def test_closing_releases_the_hold_in_three_peoples_names(desk: Desk) -> None:
    confirmed(desk)
    desk.handovers.closings.close(
        desk.request_id, actor=CITRA, hold=HoldAfter.RELEASE, reason="perkara diputus"
    )
    hold = desk.holds.hold(desk.hold.hold.id).hold
    assert hold.status is HoldStatus.RELEASED
    assert hold.release is not None
    assert (hold.release.proposed_by, hold.release.approved_by) == (CITRA, BY_RULE)
    assert desk.request_id in hold.release.reason
    assert desk.handovers.closings.settle() == 0


def test_closing_may_keep_the_hold_until_a_review(desk: Desk) -> None:
    confirmed(desk)
    for hold, review_at in ((HoldAfter.KEEP, None), (HoldAfter.KEEP, 1), (HoldAfter.RELEASE, 2**50)):
        with refused("bad_handover_request", Malformed):
            desk.handovers.closings.close(
                desk.request_id, actor=DEWI, hold=hold, reason="banding", review_at=review_at
            )
    review = desk.archive.clock.now() + 200 * DAY
    desk.handovers.closings.close(
        desk.request_id, actor=DEWI, hold=HoldAfter.KEEP, reason="banding", review_at=review
    )
    hold = desk.holds.hold(desk.hold.hold.id).hold
    assert (hold.in_force, hold.review_at) == (True, review)


def test_whoever_asked_does_not_close(desk: Desk) -> None:
    confirmed(desk)
    with refused("same_person"):
        desk.handovers.closings.close(desk.request_id, actor=BUDI, hold=HoldAfter.RELEASE, reason="x")


@pytest.mark.parametrize("at", ["before", "between"])
def test_a_crash_after_closing_leaves_the_hold_to_the_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    confirmed(desk)

    class Crash(Exception):
        pass

    def crash(*_: object, **__: object) -> None:
        raise Crash

    name = "propose_release" if at == "before" else "approve_release"
    monkeypatch.setattr(desk.holds, name, crash)
    with pytest.raises(Crash):
        desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="selesai")
    monkeypatch.undo()
    assert desk.holds.hold(desk.hold.hold.id).hold.in_force
    other = desk.again()
    assert (other.closings.settle(), other.closings.settle()) == (1, 0)
    assert not desk.holds.hold(desk.hold.hold.id).hold.in_force


def test_after_closing_nothing_is_fetched(desk: Desk) -> None:
    confirmed(desk)
    _, fetching = desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
    desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="selesai")
    for act in (
        lambda: desk.handovers.begin_download(desk.request_id, person=BUDI, address=""),
        lambda: desk.handovers.admit(desk.evidence_id, desk.request_id, fetching.id, person=BUDI),
        lambda: desk.handovers.give(desk.request_id, actor=DEWI),
    ):
        with refused("request_closed", Conflict):
            act()


def test_a_paper_that_no_entry_names_means_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(Exception):
        pass

    def crash(*_: object, **__: object) -> None:
        raise Crash

    monkeypatch.setattr(desk.files, "append", crash)
    with pytest.raises(Crash):
        desk.handovers.give(desk.request_id, actor=DEWI)
    monkeypatch.undo()
    with refused("handover_not_found", NotFound):
        desk.handovers.newest(desk.request_id)
    assert desk.papers().shelve() == 0
    assert desk.handovers.give(desk.request_id, actor=DEWI).right.number == 1


def test_papers_become_part_of_the_package_under_its_lock(desk: Desk) -> None:
    confirmed(desk)
    desk.handovers.closings.close(desk.request_id, actor=DEWI, hold=HoldAfter.RELEASE, reason="selesai")
    assert desk.papers().shelve() == 3
    assert desk.papers().shelve() == 0
    records = desk.archive.stores.records
    prefix = keys.package_papers_prefix(desk.evidence_id, 1)
    found = [listed.key for listed in records.list(prefix)]
    assert [key.removeprefix(prefix).partition("-")[0] for key in found] == ["closing", "receipt", "right"]
    for key in found:
        lock = records.head(key).lock
        assert lock is not None
        assert lock.mode is LockMode.COMPLIANCE


def test_one_request_in_trouble_does_not_keep_the_papers_of_others_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(desk)
    papers = desk.papers()
    standing = dict(papers._files.standing(RequestStatus.HANDED_OVER))
    (entry,) = standing.values()
    missing = replace(entry, digest="00" * 32)
    monkeypatch.setattr(papers._files, "standing", lambda *_: {"REQ-2026-0000000000": missing, **standing})
    with pytest.raises(NotFound):
        papers.shelve()
    prefix = keys.package_papers_prefix(desk.evidence_id, 1)
    assert len(list(desk.archive.stores.records.list(prefix))) == 2, "the right and the receipt"


def test_an_altered_right_lets_nobody_fetch(desk: Desk) -> None:
    given = desk.handovers.give(desk.request_id, actor=DEWI)
    key = f"{keys.handover_prefix(desk.evidence_id, 1)}right-{given.right_sha256[:16]}.json"
    records = desk.archive.stores.records

    class Altered:
        def __getattr__(self, name: str) -> object:
            return getattr(records, name)

        def get(self, asked: str, *, version: str | None = None) -> bytes:
            data = records.get(asked, version=version)
            return data.replace(b'"downloads":3', b'"downloads":9') if asked == key else data

    other = desk.again()
    other._shelf._records = Altered()  # type: ignore[assignment]
    with refused("handover_altered", IntegrityError):
        other.newest(desk.request_id)


def test_the_facts_are_all_that_a_report_needs(desk: Desk) -> None:
    confirmed(desk)
    facts = facts_of(desk.handovers.newest(desk.request_id))
    told = facts_json(facts)
    assert told["letter"] == {"number": "B/123/XI/2026/Reskrim", "date": "2026-11-24"}
    assert told["legal_basis"] == ["lp LP/B/9 362 KUHP"]
    assert (told["approved_by"], told["given_by"]) == (CITRA, DEWI)
    assert told["receipt"]["confirmed_by"] == BUDI
    assert [one.address for one in facts.fetched] == ["10.0.0.1"]
    assert "10.0.0.1" not in str(told)


def test_a_fingerprint_is_read_as_people_write_it() -> None:
    assert typed_sha256(" AB:cd-EF\n 01\u00a0") == "abcdef01"
