"""A change needs the version that was read; a read of that version answers 304 (RFC 9110, 13.1)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi.routing import APIRoute

from api.preconditions import asked_version, asked_version_or_none
from api.routing import action_of
from archive.model.user import Role
from archive.records.integrity_incidents import incident_id, open_integrity_incident
from archive.timespan import DAY, format_instant
from tests.support.api_site import CAMERA, T0, Caller, Site, instant, open_site
from tests.support.people import add_person, caller, catch_up
from tests.support.servers import FreshBuckets

TERMS: dict[str, Any] = {"keep_days_min": 60, "keep_days_max": None, "basis": "Perwali 4/2017", "reason": "x"}
SHORTER = {**TERMS, "keep_days_min": 30, "keep_days_max": 90}
WHY = {"reason": "x"}
LATER = {"review_at": format_instant(T0 + 60 * DAY), "reason": "x"}
NO_ETAG = ('"7"', "*", 'W/"1"', "1", '"x"', '"0"', '"1-"', '"1-0123"', '"99999999"', "'1'")
"""What names no version that there is."""

WITHOUT_VERSION = {
    "/v1/requests/{request_id}/handover/downloads": "counts, and each is one more",
    "/v1/requests/{request_id}/handover/confirm": "names what it confirms by two fingerprints",
    "/v1/evidence/{evidence_id}/verify": "changes nothing",
    "/v1/exports/{export_id}/status": "names the state that is wanted; from another it does not follow",
}
"""POSTs below a thing that need not say which version of it was read."""


class Change(NamedTuple):
    """A change, and the state before it."""

    of: str
    method: str
    path: str
    body: dict[str, Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        add_person(made, "ada", Role.ADMIN)
        add_person(made, "farid", Role.KECAMATAN, districts=["73.71.99"])
        add_person(made, "dewi", Role.POLICE, agency="polrestabes")
        catch_up(made)
        yield made


def stand(site: Site) -> dict[str, str]:
    """A policy, a hold and an incident of one entry each, and the camera, with the addresses to read them."""
    call = site.call
    call("POST", "/v1/retention/policies/default/propose", json=TERMS, headers={"If-None-Match": "*"})
    form = {
        "cameras": [CAMERA], "from": instant(0), "to": instant(25), "case": "LP/1", "owner": "Polrestabes",
        "basis": "KUHAP 39", "review_at": format_instant(T0 + 30 * DAY),
    }  # fmt: skip
    hold = call("POST", "/v1/holds", json=form).headers["Location"]
    finding = {"code": "missing", "subject": "segments/1", "message": "gone", "found_by": "fixity"}
    open_integrity_incident(site.services.ledger, **finding)
    return {
        "camera": f"/v1/cameras/{CAMERA}",
        "policy": "/v1/retention/policies/default",
        "hold": hold,
        "incident": f"/v1/integrity-incidents/{incident_id('missing', 'segments/1')}",
    }


@pytest.fixture(scope="module")
def where(site: Site) -> dict[str, str]:
    return stand(site)


def changes(where: dict[str, str]) -> list[Change]:
    camera, policy, hold, incident = where["camera"], where["policy"], where["hold"], where["incident"]
    return [
        Change(camera, "PATCH", camera, {"name": "x"}),
        Change(camera, "POST", f"{camera}/disable", WHY),
        Change(camera, "POST", f"{camera}/enable", WHY),
        Change(camera, "PUT", f"{camera}/audio", {"audio": "keep", **WHY}),
        Change(camera, "POST", f"{camera}/audio/approve", {}),
        Change(policy, "POST", f"{policy}/propose", SHORTER),
        Change(policy, "POST", f"{policy}/approve", WHY),
        Change(policy, "POST", f"{policy}/reject", WHY),
        Change(policy, "POST", f"{policy}/withdraw", WHY),
        Change(hold, "POST", f"{hold}/extend", {"to": instant(30), **WHY}),
        Change(hold, "POST", f"{hold}/review", LATER),
        Change(hold, "POST", f"{hold}/release", WHY),
        Change(hold, "POST", f"{hold}/release/approve", {}),
        Change(hold, "POST", f"{hold}/release/withdraw", WHY),
        Change(incident, "POST", f"{incident}/close", WHY),
    ]


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_change_names_the_version_that_was_read(site: Site, where: dict[str, str]) -> None:
    admin = caller(site, "ada")
    before = {of: site.call.get(of).content for of in where.values()}
    for change in changes(where):
        bare = admin(change.method, change.path, json=change.body)
        assert told(bare) == (428, "precondition_required"), change.path
        for etag in NO_ETAG:
            stale = admin(change.method, change.path, json=change.body, headers={"If-Match": etag})
            assert told(stale) == (412, "precondition_failed"), (change.path, etag)
    assert {of: site.call.get(of).content for of in where.values()} == before


def test_what_is_to_be_the_first_says_so(site: Site, where: dict[str, str]) -> None:
    path, first = f"{where['policy']}/propose", {"If-None-Match": "*"}
    assert told(site.call("POST", path, json=SHORTER, headers=first)) == (412, "precondition_failed")
    other = "/v1/retention/policies/owner-worship/propose"
    for condition, answer in (
        ({}, (428, "precondition_required")),
        ({"If-None-Match": '"1"'}, (428, "precondition_required")),
        ({"If-Match": '"1"'}, (412, "precondition_failed")),
        ({"If-Match": '"1"', **first}, (412, "precondition_failed")),
    ):
        assert told(site.call("POST", other, json=TERMS, headers=condition)) == answer, condition
    made = site.call("POST", other, json=TERMS, headers=first)
    assert (made.status_code, made.headers["ETag"]) == (200, '"1"')


def test_who_has_it_already_is_told_so(site: Site, where: dict[str, str]) -> None:
    for of in where.values():
        read = site.call.get(of)
        etag = read.headers["ETag"]
        assert etag.startswith('"1-'), of
        for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
            for method in ("GET", "HEAD"):
                same = site.call(method, of, headers={"If-None-Match": condition})
                assert (same.status_code, same.content) == (304, b""), (of, condition)
                assert same.headers["ETag"] == etag
        assert site.call.get(of, headers={"If-None-Match": '"1"'}).content == read.content


def test_the_tag_of_a_read_is_of_all_that_it_tells(tmp_path: Path) -> None:
    """Changes by a hold's progress, the time or the reader's rights give no 304 and no new version."""
    with open_site(tmp_path) as made:
        where = stand(made)
        hold, policy, camera = (made.call.get(where[name]) for name in ("hold", "policy", "camera"))
        made.evidence.site.hold_sweeper().run()
        swept = made.call.get(where["hold"], headers={"If-None-Match": hold.headers["ETag"]})
        assert (swept.status_code, swept.json()["progress"]["is_verified"]) == (200, True)
        assert swept.headers["ETag"].startswith('"1-')
        grown = {"to": instant(30), **WHY}
        late = made.call(
            "POST", f"{where['hold']}/extend", json=grown, headers={"If-Match": hold.headers["ETag"]}
        )
        assert (late.status_code, late.headers["ETag"]) == (200, '"2"')
        add_person(made, "ada", Role.ADMIN)
        catch_up(made)
        admin = caller(made, "ada")
        answer = admin.change("POST", f"{where['policy']}/propose", of=where["policy"], json=SHORTER)
        assert answer.json()["proposal"] is not None
        assert made.call.get(where["policy"]).headers["ETag"] != policy.headers["ETag"]
        add_person(made, "dewi", Role.POLICE, agency="polrestabes")
        catch_up(made)
        facts = caller(made, "dewi").get(where["camera"], headers={"If-None-Match": camera.headers["ETag"]})
        assert (facts.status_code, facts.json()["source"]) == (200, "")


def test_a_condition_tells_nobody_what_is_not_theirs(site: Site, where: dict[str, str]) -> None:
    """A caller who may not know of a thing gets the same answer whether or not it exists or the tag fits."""
    farid, dewi = caller(site, "farid"), caller(site, "dewi")
    real = site.call.get(where["camera"]).headers["ETag"]
    for header in ("If-None-Match", "If-Match"):
        answers = {
            farid.get(path, headers={header: etag}).text.replace(CAMERA, "?").replace("nobody", "?")
            for path in (where["camera"], "/v1/cameras/nobody")
            for etag in (real, "*", '"2"')
        }
        assert len(answers) == 1
        assert "camera_not_found" in answers.pop()
    for change in changes(where):
        gone = change.path.replace(change.of, change.of.rsplit("/", 1)[0] + "/nobody-1")
        for who in (farid, dewi):
            answers = {
                who(change.method, path, json=change.body, headers=condition).text
                for path in (change.path, gone)
                for condition in ({}, {"If-Match": '"1"'}, {"If-Match": '"9"'}, {"If-None-Match": "*"})
            } - _of_addresses(who, change.method, gone, change.body)
            assert len(answers) == 1, change.path
            assert "not_permitted" in answers.pop()


def _of_addresses(who: Caller, method: str, path: str, body: Any) -> set[str]:
    """The codes of the answers to addresses without a thing."""
    answer = who(method, path, json=body)
    return {answer.text} if answer.json()["code"] in {"bad_scope", "bad_id"} else set()


def test_every_change_of_a_thing_is_decided_on_a_version(site: Site) -> None:
    conditional = {asked_version, asked_version_or_none}
    left_out = set()
    for route in site.app.routes:
        if not isinstance(route, APIRoute) or not route.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            continue
        asked = [one.call for one in route.dependant.dependencies]
        at = [number for number, one in enumerate(asked) if one in conditional]
        if at:
            who = next(n for n, one in enumerate(asked) if getattr(one, "action", None) == action_of(route))
            assert who < at[0], f"{route.path}: who asks comes before what they read"
        elif "{" in route.path:
            left_out.add(route.path)
    assert left_out == set(WITHOUT_VERSION)


@pytest.mark.parametrize("store", ["embedded", "minio"])
def test_of_many_who_read_the_same_exactly_one_wins(
    store: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ: dict[str, str] = {}
    if store == "minio":
        buckets: FreshBuckets = request.getfixturevalue("fresh_buckets")
        for name, value in buckets.server.environment(buckets.name).items():
            monkeypatch.setenv(name, value)
        environ = {"SAKSI_ARCHIVE_URL": buckets.archive_url}
    with open_site(tmp_path, variant=None, environ=environ) as made:
        where = stand(made)
        writers = [f"ada{number}" for number in range(WRITERS)]
        for name in writers:
            add_person(made, name, Role.ADMIN)
        catch_up(made)
        admins = [caller(made, name) for name in writers]
        races = {
            "camera": lambda n: ("PATCH", "", {"name": f"name {n}", "reason": f"{n}"}),
            "policy": lambda n: ("POST", "/propose", {**TERMS, "keep_days_min": 61 + n, "reason": f"{n}"}),
            "hold": lambda n: ("POST", "/extend", {"to": instant(30 + n), "reason": f"{n}"}),
            "incident": lambda n: ("POST", "/close", {"reason": f"{n}"}),
        }
        for name, act in races.items():
            of = where[name]
            read = made.call.get(of).headers["ETag"]
            start = threading.Barrier(WRITERS, timeout=60)

            def write(number: int) -> httpx.Response:
                method, tail, body = act(number)  # noqa: B023  # the threads end within the turn
                start.wait()  # noqa: B023
                return admins[number](method, f"{of}{tail}", json=body, headers={"If-Match": read})  # noqa: B023

            with ThreadPoolExecutor(WRITERS) as pool:
                answers = list(pool.map(write, range(WRITERS)))
            won = [number for number, one in enumerate(answers) if one.status_code == 200]
            assert len(won) == 1, name
            assert answers[won[0]].headers["ETag"] == '"2"'
            lost = {told(one) for one in answers if one.status_code != 200}
            assert lost == {(412, "precondition_failed")}, name
            newest = list(made.services.ledger.heads(KINDS[name]))
            entry = next(one for one in newest if of.endswith(one.id))
            assert (entry.version, entry.reason) == (2, str(won[0])), name


WRITERS = 8
KINDS = {"camera": "camera", "policy": "policy", "hold": "hold", "incident": "integrity_incident"}
