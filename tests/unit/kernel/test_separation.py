"""The rule of separation as a pure function: who is one person, who is tied, and for how long."""

import re
from pathlib import Path

import pytest

from archive.errors import Refused
from archive.separation import TAKES_KNOWN_PEOPLE, WINDOW, Decision, Relations, Tie, check_separation
from archive.timespan import DAY

NOW = 1_795_500_000_000_000
EVERY = pytest.mark.parametrize("decision", list(Decision))
ADA, BUDI, CITRA = "user:ada", "user:budi", "user:citra"


def verdict(
    decision: Decision, decider: str, proposer: str, relations: Relations, *, about: tuple[str, ...] = ()
) -> str:
    try:
        check_separation(decision, decider, (proposer,), relations, NOW, about=about)
    except Refused as refused:
        return refused.code
    return ""


def tie(by: str, account: str, age: int = 0) -> Relations:
    return Relations(ties=(Tie(by=frozenset({by}), account=account, at=NOW - age, act="user.added"),))


@EVERY
def test_nobody_decides_on_their_own(decision: Decision) -> None:
    own = {Decision.GRANT_GIVE: "own_grant"}
    own |= {one: "own_account" for one in (Decision.ACCOUNT_CHANGE, Decision.ACCOUNT_LINK)}
    assert verdict(decision, ADA, ADA, Relations()) == own.get(decision, "same_person")
    assert verdict(decision, ADA, BUDI, Relations(), about=(ADA,)) == own.get(decision, "same_person")
    assert verdict(decision, ADA, BUDI, Relations()) == ""


@EVERY
@pytest.mark.parametrize(("by", "account"), [(ADA, BUDI), (BUDI, ADA)])
def test_who_opened_the_other_waits_thirty_days(decision: Decision, by: str, account: str) -> None:
    for age in (-DAY, 0, DAY, WINDOW - 1):
        assert verdict(decision, ADA, BUDI, tie(by, account, age)) == "persons_tied"
    assert verdict(decision, ADA, BUDI, tie(by, account, WINDOW)) == ""
    assert verdict(decision, ADA, CITRA, tie(by, account)) == ""
    assert verdict(decision, CITRA, BUDI, tie(by, account)) == ""


@EVERY
def test_a_person_with_several_ids_is_one(decision: Decision) -> None:
    ids = {"os:root(login:ada)": {"os:ada", ADA}, "token:t": {"os:ada", ADA}, ADA: {ADA, "os:ada"}}
    relations = Relations(ids={actor: frozenset(found) for actor, found in ids.items()})
    for one in ids:
        for other in ids:
            assert verdict(decision, one, other, relations) in {"same_person", "own_grant", "own_account"}
    tied = Relations(ids=relations.ids, ties=tie("os:ada", BUDI).ties)
    assert verdict(decision, "token:t", BUDI, tied) == "persons_tied"


@EVERY
def test_who_is_not_known_takes_no_part(decision: Decision) -> None:
    relations = Relations(ids={"token:first": frozenset()})
    expected = "person_unknown" if decision in TAKES_KNOWN_PEOPLE else ""
    for nobody in ("os:root", "os:saksi(unnamed)", "os:root(says:ada)", "os:root(sudo:ada)", "token:first"):
        assert verdict(decision, nobody, BUDI, relations) == expected
        assert verdict(decision, BUDI, nobody, relations) == expected


@EVERY
def test_a_person_of_the_host_without_a_known_account_may_be_the_other(decision: Decision) -> None:
    expected = "host_unlinked" if decision in TAKES_KNOWN_PEOPLE else ""
    assert verdict(decision, "os:fani", BUDI, Relations()) == expected
    assert verdict(decision, BUDI, "os:fani", Relations()) == expected
    assert verdict(decision, "os:fani", "os:gani", Relations()) == ""
    linked = Relations(ids={"os:fani": frozenset({"os:fani", "user:f"})})
    assert verdict(decision, "os:fani", BUDI, linked) == ""


def test_a_rule_of_the_archive_releases_what_a_person_proposed() -> None:
    assert verdict(Decision.HOLD_RELEASE, "rule:request-closed", ADA, Relations()) == ""


READS = {
    "api/changes/cases.py",
    "api/asked_requests.py",
    "api/auth/access.py",
    "api/routes/custody.py",
    "archive/cases/handover/giving.py",
    "archive/cases/people/grant_list.py",
    "archive/cases/requests/listing.py",
    "archive/cases/requests/separation.py",
    "archive/lifecycle/holds/listing.py",
    "archive/records/custody_report/asked.py",
    "archive/records/custody_report/record.py",
    "archive/records/custody_report/walk.py",
    "archive/records/indexed/entries.py",
    "archive/records/indexed/events.py",
}
"""Modules that compare two actors to show people their own; no decision rests on it alone."""


def test_no_module_has_a_rule_of_its_own() -> None:
    root = Path(__file__).resolve().parents[3]
    found = {
        path.relative_to(root).as_posix()
        for package in ("archive", "api", "ops", "search", "recorder")
        for path in (root / package).rglob("*.py")
        if re.search(r"\b(same_person|person_of|names_person)\(", path.read_text("utf-8"))
    }
    judges = {"archive/persons.py", "archive/separation.py", "archive/records/relations.py"}
    assert found - judges - READS == {"ops/demo.py"}, "let archive.separation judge"
