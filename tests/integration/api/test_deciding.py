"""What the reader of a request is said to be able to decide is what they can decide, and who else can."""

from collections.abc import Iterator
from typing import Any

import pytest

from archive.model.user import Role
from archive.timespan import MINUTE
from tests.integration.api.test_requests_api import URL, filed, post
from tests.support.api_site import Site, open_site
from tests.support.people import add_person, caller, catch_up, users_of

DECIDING = ("approve", "reject", "raise_limit")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, roles, agency in (
            ("dewi", (Role.POLICE,), "polrestabes"),
            ("rangkap", (Role.POLICE, Role.WAR_ROOM), "polrestabes"),
            ("citra", (Role.WAR_ROOM,), ""),
            ("tono", (Role.WAR_ROOM,), ""),
            ("lama", (Role.WAR_ROOM,), ""),
            ("indra", (Role.AUDITOR,), ""),
        ):
            add_person(made, name, *roles, agency=agency)
        users_of(made).disable("lama", actor="os:test", reason="pindah")
        catch_up(made)
        yield made


def chances(site: Site, person: str, request_id: str) -> dict[str, tuple[bool, str, list[str]]]:
    """By act: whether the person may, else the code of the refusal and the names of who may."""
    found: list[dict[str, Any]] = caller(site, person).get(f"{URL}/{request_id}").json()["deciding"]
    return {
        one["act"]: (one["may"], one["code"], [other["name"] for other in one["others"]]) for one in found
    }


def test_who_filed_may_not_decide_and_is_given_the_names_of_who_can(site: Site) -> None:
    request = filed(site, "rangkap")
    assert chances(site, "rangkap", request["id"]) == dict.fromkeys(
        DECIDING, (False, "same_person", ["Citra", "Tono"])
    )
    assert chances(site, "citra", request["id"]) == dict.fromkeys(DECIDING, (True, "", []))
    for other in ("dewi", "indra"):
        assert chances(site, other, request["id"]) == {}
    one = f"{URL}/{request['id']}"
    assert post(caller(site, "rangkap"), f"{one}/reject", 1, reason="x").json()["code"] == "same_person"
    assert post(caller(site, "citra"), f"{one}/reject", 1, reason="x").status_code == 200
    assert chances(site, "citra", request["id"]) == {}


def test_a_third_person_hands_over(site: Site) -> None:
    request = filed(site, "dewi")
    one = f"{URL}/{request['id']}"
    assert post(caller(site, "citra"), f"{one}/approve", 1).status_code == 200
    assert chances(site, "tono", request["id"]) == {}  # sealing has not ended
    site.clock.advance(3 * MINUTE)
    site.evidence.run_open_requests()
    may, code, others = chances(site, "citra", request["id"])["hand_over"]
    assert (may, code) == (False, "same_person")
    assert "Tono" in others
    assert "Lama" not in others
    assert chances(site, "tono", request["id"]) == {"hand_over": (True, "", [])}
    given = post(caller(site, "tono"), f"{one}/handover", 2, downloads=0)
    assert given.status_code == 201, given.text
    assert set(chances(site, "tono", request["id"])) == {"hand_over", "close"}


def test_the_limit_in_force_is_the_settings_or_what_it_was_raised_to(site: Site) -> None:
    request = filed(site, "dewi")
    one = f"{URL}/{request['id']}"
    assert caller(site, "dewi").get(one).json()["limit_in_force"] == 48
    assert post(caller(site, "tono"), f"{one}/limit", 1, camera_hours=60, reason="x").status_code == 200
    assert caller(site, "dewi").get(one).json()["limit_in_force"] == 60


def test_lists_say_whose_letter_is_missing_and_packages_which_request_they_answer(site: Site) -> None:
    whole = filed(site, "dewi")
    answer = caller(site, "dewi")("POST", URL, json=_urgent(whole))
    assert answer.status_code == 201, answer.text
    site.clock.advance(MINUTE)
    listed = caller(site, "tono").get(URL, params={"status": "submitted"}).json()["requests"]
    missing = {one["id"]: one["letter_missing"] for one in listed}
    assert (missing[whole["id"]], missing[answer.json()["id"]]) == (False, True)
    asked = caller(site, "citra").get("/v1/evidence").json()["evidence"]
    for one in asked:
        answered = caller(site, "citra").get(f"{URL}/{one['request_id']}").json()
        assert answered["evidence_id"] == one["evidence_id"]


def _urgent(request: dict[str, Any]) -> dict[str, Any]:
    kept = ("legal_basis", "case", "purpose", "cameras", "from", "to")
    requester = {name: text for name, text in request["requester"].items() if name != "person"}
    return {name: request[name] for name in kept} | {"requester": requester, "urgent": True}
