"""Retention policies: which changes one person can make, and which need two people and time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.canonical import JsonObject
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.lifecycle.retention.service import Policies, scope_of
from archive.model.retention import OnPressure, Scope, Terms
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, HOUR
from tests.support.archives import SmallArchive, camera_form, small_archive

DEFAULT = Scope.parse("default")
FLOOR = 30
WAIT = 24


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    return small_archive(tmp_path)


@pytest.fixture
def policies(archive: SmallArchive) -> Policies:
    return Policies(
        archive.ledger,
        archive.stores.records,
        archive.index,
        archive.clock,
        floor_days=FLOOR,
        wait_hours=WAIT,
    )


def terms(shortest: int, longest: int | None, *, start: int = 0, end: int | None = None) -> Terms:
    return Terms(
        keep_days_min=shortest,
        keep_days_max=longest,
        basis="Perwali 4/2017",
        effective_from=start,
        effective_until=end,
    )


def settle(policies: Policies, archive: SmallArchive, scope: Scope, wanted: Terms) -> None:
    """Put terms in force, with as many people as that needs."""
    record = policies.propose(scope, wanted, actor="os:ana", reason="Rapat 7")
    if record.policy.proposal is not None:
        policies.approve(scope, actor="os:budi")
        archive.clock.advance(WAIT * HOUR)


def in_force(policies: Policies, archive: SmallArchive, scope: Scope = DEFAULT) -> tuple[int, int | None]:
    found = policies.record(scope).policy.in_force(archive.clock.now())
    assert found is not None
    return found.keep_days_min, found.keep_days_max


def test_a_longer_policy_holds_at_once_by_one_person(policies: Policies, archive: SmallArchive) -> None:
    record = policies.propose(DEFAULT, terms(60, None), actor="os:ana", reason="Rapat 7")
    assert record.policy.proposal is None
    assert in_force(policies, archive) == (60, None)
    document = archive.index.document("policy", "default")
    assert document is not None
    assert (document.version, document.state) == (1, archive.ledger.head("policy", "default").state)


def test_the_first_policy_that_destroys_anything_needs_two(policies: Policies, archive: SmallArchive) -> None:
    record = policies.propose(DEFAULT, terms(60, 90), actor="os:ana", reason="Rapat 7")
    assert record.policy.proposal is not None
    assert record.policy.in_force(archive.clock.now()) is None
    assert policies.book().ruling("cam-1", None, archive.clock.now()).keep_days_max is None


@pytest.mark.parametrize("shorter", [(59, 120), (60, 119), (40, 119)])
def test_a_shorter_policy_waits_for_a_second_person_and_a_day(
    policies: Policies, archive: SmallArchive, shorter: tuple[int, int]
) -> None:
    settle(policies, archive, DEFAULT, terms(60, 120))
    policies.propose(DEFAULT, terms(*shorter), actor="os:ana", reason="Biaya")
    with pytest.raises(Refused) as refused:
        policies.approve(DEFAULT, actor="os:ana")
    assert refused.value.code == "same_person"
    record = policies.approve(DEFAULT, actor="os:budi")
    approved_at = archive.clock.now()
    assert record.policy.proposal is None
    archive.clock.advance(WAIT * HOUR - 1)
    assert in_force(policies, archive) == (60, 120)
    archive.clock.advance(1)
    assert in_force(policies, archive) == shorter
    assert policies.record(DEFAULT).policy.terms[-1].effective_from == approved_at + WAIT * HOUR


def test_letting_a_full_store_be_relieved_is_a_shortening(policies: Policies, archive: SmallArchive) -> None:
    settle(policies, archive, DEFAULT, terms(60, 120))
    relieved = replace(terms(60, 120), on_pressure=OnPressure.DISPOSE_PAST_MINIMUM)
    record = policies.propose(DEFAULT, relieved, actor="os:ana", reason="Cakram penuh")
    assert record.policy.proposal is not None


def test_whoever_acts_through_sudo_is_the_same_person(policies: Policies) -> None:
    policies.propose(DEFAULT, terms(60, 90), actor="os:root(login:ana)", reason="Rapat 7")
    with pytest.raises(Refused) as refused:
        policies.approve(DEFAULT, actor="os:ana")
    assert refused.value.code == "same_person"


def test_an_approval_is_for_what_was_looked_at(policies: Policies) -> None:
    seen = policies.propose(DEFAULT, terms(60, 90), actor="os:ana", reason="Rapat 7")
    policies.reject(DEFAULT, actor="os:ana", reason="Salah")
    policies.propose(DEFAULT, terms(30, 31), actor="os:ana", reason="Rapat 7")
    with pytest.raises(Conflict) as conflict:
        policies.approve(DEFAULT, actor="os:budi", expected=seen.version)
    assert conflict.value.code == "ledger_conflict"


def test_a_proposal_may_name_a_later_day_but_no_earlier_one(
    policies: Policies, archive: SmallArchive
) -> None:
    later = archive.clock.now() + 10 * DAY
    policies.propose(DEFAULT, terms(60, 90, start=later), actor="os:ana", reason="Rapat 7")
    policies.approve(DEFAULT, actor="os:budi")
    assert policies.record(DEFAULT).policy.terms[-1].effective_from == later


def test_terms_that_would_end_before_they_begin_are_not_approved(
    policies: Policies, archive: SmallArchive
) -> None:
    soon = archive.clock.now() + HOUR
    policies.propose(DEFAULT, terms(60, 90, end=soon), actor="os:ana", reason="Rapat 7")
    with pytest.raises(Conflict) as conflict:
        policies.approve(DEFAULT, actor="os:budi")
    assert conflict.value.code == "proposal_expired"


def test_one_proposal_at_a_time(policies: Policies) -> None:
    policies.propose(DEFAULT, terms(60, 90), actor="os:ana", reason="Rapat 7")
    with pytest.raises(Conflict) as conflict:
        policies.propose(DEFAULT, terms(60, 91), actor="os:budi", reason="Rapat 8")
    assert conflict.value.code == "proposal_pending"


def test_one_person_can_stop_a_shortening_until_it_begins(policies: Policies, archive: SmallArchive) -> None:
    settle(policies, archive, DEFAULT, terms(60, 120))
    policies.propose(DEFAULT, terms(30, 40), actor="os:ana", reason="Biaya")
    policies.approve(DEFAULT, actor="os:budi")
    archive.clock.advance(23 * HOUR)
    record = policies.reject(DEFAULT, actor="os:citra", reason="Perkara berjalan")
    assert [entry.action for entry in policies.history(DEFAULT)][-1] == "policy.stopped"
    archive.clock.advance(DAY)
    assert len(record.policy.terms) == 1
    assert in_force(policies, archive) == (60, 120)


def test_a_longer_policy_that_waits_is_not_stopped_by_one_person(
    policies: Policies, archive: SmallArchive
) -> None:
    later = archive.clock.now() + 10 * DAY
    policies.propose(DEFAULT, terms(90, None, start=later), actor="os:ana", reason="Rapat 7")
    with pytest.raises(Refused) as refused:
        policies.reject(DEFAULT, actor="os:ana", reason="Tidak jadi")
    assert refused.value.code == "would_shorten"


def test_a_special_policy_below_the_general_one_is_a_shortening(
    policies: Policies, archive: SmallArchive
) -> None:
    archive.registry.add(camera_form("cam-1", kecamatan="73.71.13", owner="public"), actor="os:ana")
    settle(policies, archive, DEFAULT, terms(60, 120))
    for scope in ("owner:business", "kecamatan:73.71.13", "camera:cam-1"):
        longer = policies.propose(scope_of(scope), terms(60, 121), actor="os:ana", reason="Rapat 7")
        assert longer.policy.proposal is None, scope
    for scope in ("owner:worship", "kecamatan:73.71.01"):
        shorter = policies.propose(scope_of(scope), terms(60, 119), actor="os:ana", reason="Rapat 7")
        assert shorter.policy.proposal is not None, scope


def test_a_cameras_policy_is_judged_by_every_place_it_ever_stood(
    policies: Policies, archive: SmallArchive
) -> None:
    archive.registry.add(camera_form("cam-1", kecamatan="73.71.13"), actor="os:ana")
    settle(policies, archive, DEFAULT, terms(30, 60))
    settle(policies, archive, Scope.parse("kecamatan:73.71.13"), terms(60, 120))
    archive.clock.advance(HOUR)
    archive.registry.edit("cam-1", {"kecamatan": "73.71.01"}, actor="os:ana")
    record = policies.propose(scope_of("camera:cam-1"), terms(30, 90), actor="os:ana", reason="Rapat 7")
    assert record.policy.proposal is not None


def test_withdrawing_what_keeps_longer_needs_two_and_waits(policies: Policies, archive: SmallArchive) -> None:
    district = Scope.parse("kecamatan:73.71.13")
    settle(policies, archive, DEFAULT, terms(30, 60))
    settle(policies, archive, district, terms(60, 120))
    record = policies.withdraw(district, actor="os:ana", reason="Biaya")
    assert record.policy.proposal is not None
    assert record.policy.proposal.terms is None
    assert in_force(policies, archive, district) == (60, 120)
    policies.approve(district, actor="os:budi")
    archive.clock.advance(WAIT * HOUR - 1)
    assert in_force(policies, archive, district) == (60, 120)
    archive.clock.advance(1)
    assert policies.record(district).policy.in_force(archive.clock.now()) is None


def test_withdrawing_what_keeps_shorter_holds_at_once(policies: Policies, archive: SmallArchive) -> None:
    district = Scope.parse("kecamatan:73.71.13")
    settle(policies, archive, DEFAULT, terms(60, 120))
    settle(policies, archive, district, terms(30, 60))
    assert in_force(policies, archive, district) == (30, 60)
    record = policies.withdraw(district, actor="os:ana", reason="Rapat 9")
    assert record.policy.proposal is None
    assert record.policy.in_force(archive.clock.now()) is None
    archive.clock.advance(1)
    with pytest.raises(Conflict) as conflict:
        policies.withdraw(district, actor="os:ana", reason="Rapat 9")
    assert conflict.value.code == "nothing_to_withdraw"


class RacingLedger(Ledger):
    """A ledger into which another writer appends just before the next entry."""

    meanwhile: Callable[[], object] | None = None

    def append(self, kind: str, entity: str, state: JsonObject, **facts: Any) -> Entry:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().append(kind, entity, state, **facts)


def test_a_change_that_became_a_shortening_while_it_was_judged_is_taken_back(
    policies: Policies, archive: SmallArchive
) -> None:
    """One person withdraws the shorter policy; at that moment two shorten the one that would apply."""
    district = Scope.parse("kecamatan:73.71.13")
    settle(policies, archive, DEFAULT, terms(60, 120))
    settle(policies, archive, district, terms(50, 100))
    policies.propose(DEFAULT, terms(30, 40), actor="os:ana", reason="Biaya")
    racing = RacingLedger(archive.stores.records, archive.clock)
    racing.meanwhile = lambda: policies.approve(DEFAULT, actor="os:budi")
    alone = Policies(
        racing, archive.stores.records, archive.index, archive.clock, floor_days=FLOOR, wait_hours=WAIT
    )
    with pytest.raises(Conflict) as conflict:
        alone.withdraw(district, actor="os:citra", reason="Rapat 9")
    assert conflict.value.code == "policies_changed"
    archive.clock.advance(WAIT * HOUR)
    assert in_force(policies, archive) == (30, 40)
    assert in_force(policies, archive, district) == (50, 100)
    assert [entry.action for entry in policies.history(district)][-2:] == [
        "policy.withdrawn",
        "policy.restored",
    ]


def test_what_was_in_force_stays_on_record(policies: Policies, archive: SmallArchive) -> None:
    settle(policies, archive, DEFAULT, terms(60, None))
    first = archive.clock.now()
    archive.clock.advance(DAY)
    settle(policies, archive, DEFAULT, terms(90, None))
    policy = policies.record(DEFAULT).policy
    was = policy.in_force(first)
    assert was is not None
    assert was.keep_days_min == 60


def test_terms_below_the_floor_are_judged_as_written(policies: Policies, archive: SmallArchive) -> None:
    """The floor is a setting of the host; a term it hides today can take effect tomorrow."""
    settle(policies, archive, DEFAULT, terms(20, None))
    record = policies.propose(DEFAULT, terms(10, None), actor="os:ana", reason="Rapat 7")
    assert record.policy.proposal is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: p.propose(DEFAULT, terms(60, 90), actor="os:ana", reason=" "), "reason_missing"),
        (
            lambda p: p.propose(
                DEFAULT,
                Terms(keep_days_min=60, keep_days_max=90, basis="", effective_from=0),
                actor="os:ana",
                reason="Rapat 7",
            ),
            "basis_missing",
        ),
        (lambda p: p.withdraw(DEFAULT, actor="os:ana", reason=""), "reason_missing"),
        (lambda p: p.reject(DEFAULT, actor="os:ana", reason="x\ny"), "reason_missing"),
        (lambda p: p.withdraw(DEFAULT, actor="os:ana", reason="Rapat"), "policy_not_found"),
        (lambda p: p.approve(DEFAULT, actor="os:budi"), "policy_not_found"),
        (
            lambda p: p.propose(scope_of("camera:cam-9"), terms(60, 90), actor="os:ana", reason="x"),
            "camera_not_found",
        ),
        (lambda p: p.explain("cam-9"), "camera_not_found"),
    ],
)
def test_what_is_refused_leaves_no_entry(
    policies: Policies, archive: SmallArchive, change: Callable[[Policies], object], code: str
) -> None:
    with pytest.raises((Malformed, NotFound)) as refused:
        change(policies)
    assert refused.value.code == code
    assert list(archive.ledger.heads("policy")) == []


def test_nothing_proposed_is_nothing_to_approve(policies: Policies, archive: SmallArchive) -> None:
    settle(policies, archive, DEFAULT, terms(60, None))
    with pytest.raises(Conflict) as approved:
        policies.approve(DEFAULT, actor="os:budi")
    with pytest.raises(Conflict) as rejected:
        policies.reject(DEFAULT, actor="os:budi", reason="Salah")
    assert [approved.value.code, rejected.value.code] == ["no_proposal"] * 2


def test_explain_shows_who_wins_and_who_would(policies: Policies, archive: SmallArchive) -> None:
    archive.registry.add(camera_form("cam-1", kecamatan="73.71.13", owner="worship"), actor="os:ana")
    settle(policies, archive, DEFAULT, terms(30, 60))
    settle(policies, archive, scope_of("owner-worship"), terms(60, 120))
    found = policies.explain("cam-1")
    assert str(found.ruling.scope) == "owner:worship"
    assert [(str(scope), got is not None) for scope, got in found.scopes] == [
        ("camera:cam-1", False),
        ("kecamatan:73.71.13", False),
        ("owner:worship", True),
        ("default", True),
    ]


@pytest.mark.parametrize("text", ["default", "owner:business", "kecamatan:73.71.13", "camera:cam-1-north"])
def test_a_scope_reads_from_both_of_its_forms(text: str) -> None:
    assert scope_of(text) == scope_of(scope_of(text).id) == Scope.parse(text)


@pytest.mark.parametrize("text", ["", "default:x", "owner", "owner-nobody", "city:1", "camera:"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        scope_of(text)
