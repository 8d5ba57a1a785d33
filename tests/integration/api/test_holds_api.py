"""Holds over HTTP and on the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.auth.principal import Principal, unrestricted
from archive.clock import SystemClock
from archive.timespan import DAY, SECOND, format_instant
from tests.support.api_site import CAMERA, EMPTY_CAMERA, T0, Caller, Site, instant, open_site
from tests.support.host_people import Person, people_can_sign_in


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without footage on which nothing is ever placed."""
    with open_site(tmp_path_factory.mktemp("quiet"), variant=None) as made:
        yield made


@dataclass
class Tokens:
    """Admits each caller as the principal that it names."""

    principals: dict[str, Principal]

    def principal_of(self, token: str) -> Principal | None:
        return self.principals.get(token)


def form(**changes: Any) -> dict[str, Any]:
    return {
        "cameras": [CAMERA],
        "from": instant(0),
        "to": instant(25),
        "case": "LP/B/123/XI/2026",
        "owner": "Polrestabes Makassar",
        "basis": "KUHAP 39",
        "review_at": format_instant(T0 + 30 * DAY),
        **changes,
    }


def callers(site: Site) -> tuple[Caller, Caller, Caller]:
    """Two callers with all rights, and one who may only read."""
    people = {
        "ani": unrestricted("user:ani"),
        "budi": unrestricted("user:budi"),
        "cici": Principal("user:cici", frozenset({"holds.read"})),
    }
    app = site.remade(tokens=Tokens(people))
    ani, budi, cici = (Caller(app, {"Authorization": f"Bearer {name}"}) for name in people)
    return ani, budi, cici


def test_the_life_of_a_hold(site: Site) -> None:
    ani, budi, cici = callers(site)
    made = ani("POST", "/v1/holds", json=form())
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    hold = made.json()
    assert where == f"/v1/holds/{hold['id']}"
    assert (hold["status"], hold["in_force"], hold["version"], hold["placed_by"]) == (
        "active", True, 1, "user:ani"
    )  # fmt: skip
    assert cici.get(where).json()["progress"] is None
    site.evidence.site.hold_sweeper().run()
    shown = cici.get(where).json()
    assert shown["progress"]["is_verified"]
    assert shown["progress"]["segments"] == shown["progress"]["verified"] > 0
    assert shown["progress"]["bytes"] == sum(
        one.size for one in [*site.first, *site.second] if one.span.start < T0 + 25 * SECOND
    )
    ref = site.first[0]
    assert site.services.stores.footage.head(ref.key).held

    wider = ani.change("POST", f"{where}/extend", of=where, json={"to": instant(40), "reason": "more"})
    assert (wider.json()["to"], wider.json()["from"]) == (instant(40), instant(0))
    grown = ani.change(
        "POST", f"{where}/extend", of=where, json={"cameras": [EMPTY_CAMERA], "reason": "more"}
    )
    assert grown.json()["cameras"] == [CAMERA, EMPTY_CAMERA]
    later = format_instant(T0 + 60 * DAY)
    looked = ani.change(
        "POST", f"{where}/review", of=where, json={"review_at": later, "reason": "the trial goes on"}
    )
    assert looked.json()["review_at"] == later

    proposed = ani.change("POST", f"{where}/release", of=where, json={"reason": "closed"})
    assert (proposed.json()["status"], proposed.json()["in_force"]) == ("release_proposed", True)
    own = ani.change("POST", f"{where}/release/approve", of=where)
    assert (own.status_code, own.json()["code"]) == (403, "same_person")
    stale = budi("POST", f"{where}/release/approve", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    back = budi.change("POST", f"{where}/release/withdraw", of=where, json={"reason": "appeal"})
    assert back.json()["status"] == "active"
    ani.change("POST", f"{where}/release", of=where, json={"reason": "closed"})
    done = budi.change("POST", f"{where}/release/approve", of=where)
    assert (done.json()["status"], done.json()["in_force"]) == ("released", False)
    assert done.json()["release"]["approved_by"] == "user:budi"
    site.evidence.site.hold_sweeper().run()
    assert not site.services.stores.footage.head(ref.key).held
    assert [one["action"] for one in ani.get(where).json()["history"]] == [
        "hold.placed", "hold.extended", "hold.extended", "hold.reviewed", "hold.release_proposed",
        "hold.release_withdrawn", "hold.release_proposed", "hold.released",
    ]  # fmt: skip
    told = [(event.type, event.actor.id, event.outcome.value) for event in site.events()]
    assert ("hold.place", "user:ani", "done") in told
    assert ("hold.release", "user:ani", "refused") in told
    assert ("hold.release", "user:budi", "done") in told


def test_who_may_only_look_places_and_releases_nothing(site: Site) -> None:
    ani, _, cici = callers(site)
    where = ani("POST", "/v1/holds", json=form()).headers["location"]
    for path, body in (
        ("/v1/holds", form()),
        (f"{where}/extend", {"to": instant(40), "reason": "x"}),
        (f"{where}/release", {"reason": "x"}),
        (f"{where}/release/approve", {}),
    ):
        refused = cici("POST", path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert cici.get(where).json()["version"] == 1


def test_holds_are_listed_by_page_status_camera_and_review(site: Site) -> None:
    made = []
    for number in range(3):
        made.append(site.call("POST", "/v1/holds", json=form(case=f"LP/{number}")).json()["id"])
        site.clock.advance(1)
    made.reverse()
    seen, cursor = [], ""
    while cursor is not None:
        page = site.call.get("/v1/holds", params={"limit": "2", "cursor": cursor}).json()
        seen += [one["id"] for one in page["holds"]]
        cursor = page["next"]
    assert seen == made
    assert site.call.get("/v1/holds", params={"camera": EMPTY_CAMERA}).json()["holds"] == []
    assert len(site.call.get("/v1/holds", params={"status": "active"}).json()["holds"]) == 3
    assert site.call.get("/v1/holds", params={"due": "true"}).json()["holds"] == []
    site.clock.advance(40 * DAY)
    assert len(site.call.get("/v1/holds", params={"due": "true"}).json()["holds"]) == 3
    wrong = site.call.get("/v1/holds", params={"cursor": "hold-x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"cameras": ["nobody"]}, 404, "camera_not_found"),
        ({"cameras": []}, 422, "invalid_request"),
        ({"from": "2026-11-24T14:00:00"}, 422, "naive_time"),
        ({"to": instant(-1)}, 422, "empty_span"),
        ({"to": format_instant(T0 + 400 * DAY)}, 422, "hold_too_far"),
        ({"case": " "}, 422, "bad_hold_request"),
        ({"review_at": instant(0)}, 422, "bad_hold_request"),
        ({"span": "x"}, 422, "unknown_field"),
    ],
)
def test_what_cannot_be_held_is_refused(
    quiet_site: Site, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = quiet_site.call("POST", "/v1/holds", json=form(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert quiet_site.call.get("/v1/holds").json()["holds"] == []


def test_a_hold_that_shrinks_or_is_not_there(site: Site) -> None:
    where = site.call("POST", "/v1/holds", json=form()).headers["location"]
    shrunk = site.call.change("POST", f"{where}/extend", of=where, json={"to": instant(20), "reason": "x"})
    assert (shrunk.status_code, shrunk.json()["code"]) == (422, "hold_shrinks")
    absent = site.call.get("/v1/holds/hold-0")
    assert (absent.status_code, absent.json()["code"]) == (404, "hold_not_found")
    ani, _, _ = callers(site)
    early = ani.change("POST", f"{where}/release/approve", of=where)
    assert (early.status_code, early.json()["code"]) == (409, "release_not_proposed")


def test_the_command_line_takes_two_people_too(tmp_path: Path) -> None:
    people_can_sign_in()
    saksi, other = Person(tmp_path), Person(tmp_path, name="budi")
    saksi.add_camera("kam-1", "test://")
    span = ("--from", "2026-11-01T00:00:00+08:00", "--to", "2026-11-02T00:00:00+08:00")
    placed = saksi.must(
        "hold", "place", "--camera", "kam-1", *span, "--case", "LP/1", "--owner", "Polrestabes", "--basis",
        "KUHAP 39", "--review-at", format_instant(SystemClock().now() + 30 * DAY), "--json",
    ).json  # fmt: skip
    assert (placed["in_force"], placed["progress"]["is_verified"]) == (True, True)
    name = placed["id"]
    assert [one["id"] for one in saksi.must("hold", "list", "--json").json["holds"]] == [name]
    assert "0 segments" in saksi.must("hold", "sweep", name).out
    saksi.must("hold", "release", name, "--reason", "closed")
    own = saksi("hold", "approve-release", name, "--json")
    assert (own.code, own.problem["code"]) == (2, "same_person")
    nobody = Person(tmp_path, {"SUDO_USER": "budi"}, "operator")("hold", "approve-release", name, "--json")
    assert (nobody.code, nobody.problem["code"]) == (2, "person_unknown")
    assert "akun sendiri" in nobody.problem["hint"]
    other.must("hold", "approve-release", name)
    shown = saksi.must("hold", "show", name, "--json").json
    assert (shown["status"], shown["progress"]["in_force"]) == ("released", False)
    assert saksi.must("hold", "list", "--json").json["holds"] == []
