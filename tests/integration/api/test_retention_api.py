"""Retention over HTTP and at the command line, over a real index."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.auth.tokens import TokenFile
from archive.model.custody import Actor, Outcome
from archive.timespan import DAY, HOUR, format_instant
from ops.cli import main
from tests.support.api_site import CAMERA, T0, Caller, Site, instant, open_site

POLICIES = "/v1/retention/policies"
DEFAULT = f"{POLICIES}/default"
TERMS: dict[str, Any] = {"keep_days_min": 30, "keep_days_max": 90, "basis": "Perwali 4/2017"}
LONGER = {**TERMS, "keep_days_min": 60, "keep_days_max": None, "reason": "Rapat 7"}
SHORTER = {**TERMS, "reason": "Rapat 8"}
FIRST = {"If-None-Match": "*"}
"""What is to be the first policy of its scope."""


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose policies no test changes."""
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def second(site: Site) -> Caller:
    """Another admin, by a token made by another person."""
    tokens = site.services.tokens
    assert isinstance(tokens, TokenFile)
    token = tokens.create("second", site.clock)
    for name, maker in (("first", "os:ani"), ("second", "os:budi")):
        made = {"expected": 0, "actor": maker, "action": "token.created"}
        site.services.ledger.append("token", name, {"revoked": 0}, **made)
    return Caller(site.app, {"Authorization": f"Bearer {token}"})


def test_a_policy_from_proposal_to_force(site: Site, second: Caller) -> None:
    known = site.call.get(POLICIES).json()
    assert (known["policies"], known["floor_days"], known["wait_hours"]) == ([], 30, 24)
    made = site.call("POST", f"{DEFAULT}/propose", json=LONGER, headers=FIRST)
    assert (made.status_code, made.headers["ETag"]) == (200, '"1"')
    assert made.json()["in_force"]["keep_days_min"] == 60
    answer = site.call("POST", f"{DEFAULT}/propose", json=SHORTER, headers={"If-Match": '"1"'})
    asked, read = answer.json(), {"If-Match": answer.headers["ETag"]}
    assert asked["proposal"]["terms"]["keep_days_max"] == 90
    assert asked["proposal"]["by"] == "token:first"
    assert asked["in_force"]["keep_days_min"] == 60
    mine = site.call("POST", f"{DEFAULT}/approve", json={}, headers=read)
    assert (mine.status_code, mine.json()["code"]) == (403, "same_person")
    told = [event for event in site.events("policy.change") if event.outcome is Outcome.REFUSED]
    assert [event.objects for event in told] == [("default",)]
    late = second("POST", f"{DEFAULT}/approve", json={}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    approved = second("POST", f"{DEFAULT}/approve", json={}, headers=read).json()
    assert approved["proposal"] is None
    assert [one["keep_days_max"] for one in approved["waiting"]] == [90]
    site.clock.advance(24 * HOUR)
    shown = site.call.get(DEFAULT).json()
    assert shown["in_force"]["keep_days_max"] == 90
    assert [(one["action"], one["actor"]) for one in shown["history"]] == [
        ("policy.changed", "token:first"),
        ("policy.proposed", "token:first"),
        ("policy.approved", "token:second"),
    ]
    stopped = site.call.change("POST", f"{DEFAULT}/reject", of=DEFAULT, json={"reason": "Salah"})
    assert (stopped.status_code, stopped.json()["code"]) == (409, "no_proposal")
    gone = site.call.change("POST", f"{DEFAULT}/withdraw", of=DEFAULT, json={"reason": "Rapat 9"})
    assert gone.json()["in_force"] is None


def test_explain_names_the_scope_that_wins(site: Site) -> None:
    site.call("POST", f"{DEFAULT}/propose", json=LONGER, headers=FIRST)
    district = f"{POLICIES}/kecamatan-73.71.01/propose"
    site.call("POST", district, json={**LONGER, "keep_days_min": 70}, headers=FIRST)
    found = site.call.get("/v1/retention/explain", params={"camera": CAMERA}).json()
    assert (found["wins"], found["keep_days_min"], found["keep_days_max"]) == ("kecamatan:73.71.01", 70, None)
    assert [one["scope"] for one in found["scopes"]] == [
        f"camera:{CAMERA}",
        "kecamatan:73.71.01",
        "owner:public",
        "default",
    ]
    missing = site.call.get("/v1/retention/explain", params={"camera": "cam-9"})
    assert (missing.status_code, missing.json()["code"]) == (404, "camera_not_found")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (f"{POLICIES}/city/propose", LONGER, "bad_scope"),
        (f"{DEFAULT}/propose", {**LONGER, "basis": ""}, "basis_missing"),
        (f"{DEFAULT}/propose", {**LONGER, "reason": ""}, "reason_missing"),
        (f"{DEFAULT}/propose", {**LONGER, "keep_days_max": 10}, "bad_terms"),
        (f"{DEFAULT}/propose", {**LONGER, "effective_from": "2026-12-01T00:00:00"}, "naive_time"),
        (f"{DEFAULT}/propose", {"keep_days_min": 60, "basis": "x", "reason": "y"}, "invalid_request"),
        (f"{DEFAULT}/propose", {**LONGER, "keep_days_min": True}, "invalid_request"),
        (f"{DEFAULT}/approve", {"version": 1}, "unknown_field"),
        (f"{DEFAULT}/withdraw", {"reason": "x"}, "policy_not_found"),
        ("/v1/retention/plan", {"at": "gestern"}, "bad_time"),
        ("/v1/retention/plan", {"cameras": ["cam-9"]}, "camera_not_found"),
        ("/v1/retention/plan", {"change": {"scope": "city", "terms": TERMS}}, "bad_scope"),
    ],
)
def test_what_does_not_read_is_told(untouched: Site, path: str, body: dict[str, Any], code: str) -> None:
    condition = FIRST if path.endswith("/propose") else {"If-Match": '"1"'}
    answer = untouched.call("POST", path, json=body, headers=condition)
    assert answer.json()["code"] == code
    assert answer.status_code in {404, 422}
    assert list(untouched.services.ledger.heads("policy")) == []


def test_a_plan_of_a_change_shows_what_would_go_and_changes_nothing(untouched: Site) -> None:
    site = untouched
    segments = [*site.first, *site.second]
    asked = {"at": format_instant(T0 + 40 * DAY), "change": {"scope": "default", "terms": TERMS}}
    before = site.call("POST", "/v1/retention/plan", json=asked).json()
    assert before["total"]["goes"]["segments"] == 0
    asked = {"at": format_instant(T0 + 100 * DAY), "change": {"scope": "default", "terms": TERMS}}
    plan = site.call("POST", "/v1/retention/plan", json=asked).json()
    assert plan["stored"] == {"segments": len(segments), "bytes": sum(one.size for one in segments)}
    assert plan["total"]["goes"] == plan["stored"]
    assert [(one["camera"], one["day"]) for one in plan["days"]] == [(CAMERA, "2026-11-24")]
    assert plan["change"]["scope"] == "default"
    assert plan["change"]["shortens"], "nothing was destroyed before"
    assert len(plan["projected"]) == 90
    sooner = {"change": {"scope": "default", "terms": {**TERMS, "keep_days_max": 60}}}
    projected = site.call("POST", "/v1/retention/plan", json=sooner).json()["projected"]
    assert sum(one["goes"] for one in projected) > 0 == sum(one["held"] for one in projected)
    longer = {"change": {"scope": "default", "terms": {**TERMS, "keep_days_max": None}}}
    assert not site.call("POST", "/v1/retention/plan", json=longer).json()["change"]["shortens"]
    assert site.call("POST", "/v1/retention/plan", json=asked).json()["digest"] == plan["digest"]
    unchanged = site.call("POST", "/v1/retention/plan", json={"at": asked["at"]}).json()
    assert unchanged["total"]["goes"]["segments"] == 0
    assert list(site.services.ledger.heads("policy")) == []


class Host:
    """``saksi`` in this process, as one user of a host or another."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._patch, self._captured = patch, captured
        patch.setenv("SAKSI_HOME", str(home))

    def __call__(self, user: str, *words: str) -> tuple[int, str, str]:
        actor = Actor(id=f"os:{user}", address="local", role="host")
        self._patch.setattr("ops.cli.options.host_actor", lambda *_: actor)
        self._patch.setattr("sys.argv", ["saksi", "retention", *words])
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._captured.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, printed.out, printed.err

    def json(self, user: str, *words: str) -> dict[str, Any]:
        code, out, err = self(user, *words, "--json")
        assert code == 0, err
        value: dict[str, Any] = json.loads(out)
        return value


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(tmp_path, monkeypatch, capsys)


def test_the_command_line_does_the_same(tmp_path: Path, host: Host) -> None:
    with open_site(tmp_path) as made:
        stored = len(made.first) + len(made.second)
    wanted = ("propose", "default", "--min", "30", "--max", "90")
    asked = host.json("ana", *wanted, "--basis", "Perwali 4/2017", "--reason", "Rapat 7")
    assert asked["proposal"]["by"] == "os:ana"
    code, _, err = host("ana", "approve", "default", "--json")
    assert (code, json.loads(err)["code"]) == (2, "same_person")
    approved = host.json("budi", "approve", "default", "--version", str(asked["version"]))
    assert [one["keep_days_max"] for one in approved["waiting"]] == [90]
    assert [policy["scope"] for policy in host.json("ana", "policies")["policies"]] == ["default"]
    assert " WITA" in host("ana", "show", "default")[1]
    assert "never destroyed; by the floor" in host("ana", "explain", "--camera", CAMERA)[1]
    what_if = ("plan", "--scope", "default", "--min", "30", "--max", "90", "--at", instant(20_000 * 86_400))
    assert host.json("ana", *what_if)["total"]["goes"]["segments"] == stored
    text = host("ana", *what_if, "--days")[1]
    assert text.startswith("plan-")
    assert "█" in text
    assert "2026-11-24" in text
    assert host.json("ana", "reject", "default", "--reason", "Tidak jadi")["waiting"] == []
    code, _, err = host("ana", "plan", "--camera", "cam-9", "--json")
    assert (code, json.loads(err)["code"]) == (2, "camera_not_found")
    code, _, err = host("ana", "plan", "--min", "30", "--json")
    assert (code, json.loads(err)["code"]) == (2, "bad_usage")
