"""``/v1/health``: what cameras and recorders do now, who may see it, and the compliance list."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from api.archive_health import REUSE
from archive.canonical import JsonObject
from archive.model.user import Role
from archive.timespan import MINUTE, SECOND, format_instant
from ops.fixity import make_scrub
from tests.support.api_site import CAMERA, EMPTY_CAMERA, SECRET, Site, camera_json, open_site
from tests.support.people import add_person, caller, catch_up

CAMERAS, RECORDERS, COMPLIANCE = "/v1/health/cameras", "/v1/health/recorders", "/v1/health/compliance"
ELSEWHERE = "cam-9"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        made.call("POST", "/v1/cameras", json=camera_json(ELSEWHERE))  # in the district 73.71.02
        made.clock.step(MINUTE)
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "erna", Role.KECAMATAN, districts=["73.71.02"])
        add_person(made, "indra", Role.AUDITOR)
        add_person(made, "berkas", Role.POLICE, agency="polrestabes")
        catch_up(made)
        yield made


def beat(site: Site, **state: Any) -> None:
    """A heartbeat: cam-1 is recording, cam-2 is unreachable and was never seen."""
    now = site.clock.now()
    well: JsonObject = {
        "capturing": 1, "kept": 1, "began": now - MINUTE, "grown": now, "attempts": 2, "failures": 0,
        "cause": "", "until": now, "archived": now - 10 * SECOND, "mfps": 15_000, "kbps": 1_500,
    }  # fmt: skip
    lost: JsonObject = {
        "capturing": 0, "kept": 0, "began": now, "grown": 0, "attempts": 0, "failures": 7,
        "cause": "unreachable", "until": 0, "archived": 0, "gap_from": now - 3 * SECOND,
    }  # fmt: skip
    facts: JsonObject = {"version": "1.0", "cameras": {CAMERA: well, EMPTY_CAMERA: lost}, "waiting": 0}
    site.services.index.put_heartbeat("rec-1", now, facts | state)


def states(site: Site, name: str = "citra", **query: Any) -> dict[str, str]:
    answer = caller(site, name).get(CAMERAS, params=query)
    assert answer.status_code == 200, answer.text
    return {one["camera"]: one["state"] for one in answer.json()["cameras"]}


def test_every_camera_is_listed_with_its_state(site: Site) -> None:
    beat(site)
    body = caller(site, "citra").get(CAMERAS).json()
    found = {one["camera"]: one for one in body["cameras"]}
    assert {name: one["state"] for name, one in found.items()} == {
        CAMERA: "recording", EMPTY_CAMERA: "never_seen", ELSEWHERE: "unknown",
    }  # fmt: skip
    assert body["counts"] == {
        "recording": 1, "starting": 0, "silent": 0, "unknown": 1, "never_seen": 1, "disabled": 0,
    }  # fmt: skip
    assert (found[CAMERA]["fps"], found[CAMERA]["lag_seconds"]) == (15.0, 10.0)
    assert found[EMPTY_CAMERA]["cause"] == "unreachable"
    assert found[EMPTY_CAMERA]["gaps_today_seconds"] == {"unreachable": 3}
    assert found[CAMERA]["gaps_today_seconds"] == {"unreachable": 20}, "the gap on record"
    assert SECRET not in str(body)
    assert body["next"] is None


def test_filters_and_pages(site: Site) -> None:
    beat(site)
    assert set(states(site, state=["never_seen", "silent"])) == {EMPTY_CAMERA}
    assert set(states(site, kecamatan="73.71.02")) == {ELSEWHERE}
    first = caller(site, "citra").get(CAMERAS, params={"limit": 2}).json()
    rest = caller(site, "citra").get(CAMERAS, params={"limit": 2, "cursor": first["next"]}).json()
    names = [one["camera"] for one in (*first["cameras"], *rest["cameras"])]
    assert names == [CAMERA, EMPTY_CAMERA, ELSEWHERE]
    assert rest["next"] is None
    assert caller(site, "citra").get(CAMERAS, params={"state": "active"}).status_code == 422
    assert caller(site, "citra").get(CAMERAS, params={"kecamtan": "x"}).json()["code"] == "unknown_parameter"


def test_districts_are_counted_whatever_page_is_asked_for(site: Site) -> None:
    beat(site)
    whole = caller(site, "citra").get(CAMERAS).json()
    some = caller(site, "citra").get(CAMERAS, params={"limit": 1, "camera": EMPTY_CAMERA}).json()
    assert [one["camera"] for one in some["cameras"]] == [EMPTY_CAMERA]
    assert some["counts"] == whole["counts"]
    assert some["districts"] == whole["districts"]
    by_code = {one["kecamatan"]: one for one in whole["districts"]}
    assert set(by_code) == {one["kecamatan"] for one in whole["cameras"]}
    assert by_code["73.71.02"]["kecamatan_name"] == "Mamajang"
    assert by_code["73.71.02"]["causes"] == {"no_recorder": 1}
    for name, number in whole["counts"].items():
        assert sum(one["counts"][name] for one in whole["districts"]) == number
    assert [one["kecamatan"] for one in caller(site, "erna").get(CAMERAS).json()["districts"]] == ["73.71.02"]


def test_the_states_alone_are_all_in_one_answer(site: Site) -> None:
    beat(site)
    asked = {"detail": "states", "limit": 1}
    body = caller(site, "citra").get(CAMERAS, params=asked).json()
    assert body["states"] == {
        "recording": [CAMERA], "never_seen": [EMPTY_CAMERA], "unknown": [ELSEWHERE],
    }  # fmt: skip
    assert (body["cameras"], body["next"]) == ([], None)
    assert caller(site, "erna").get(CAMERAS, params=asked).json()["states"] == {"unknown": [ELSEWHERE]}
    assert caller(site, "citra").get(CAMERAS).json()["states"] is None


def test_an_old_heartbeat_is_never_recording(site: Site) -> None:
    beat(site)
    site.clock.step(31 * SECOND)
    assert set(states(site).values()) == {"unknown"}
    site.clock.step(-31 * SECOND)


def test_each_role_sees_what_it_may(site: Site) -> None:
    beat(site)
    assert set(states(site, "erna")) == {ELSEWHERE}
    assert set(states(site, "indra")) == {CAMERA, EMPTY_CAMERA, ELSEWHERE}
    counted = caller(site, "erna").get(CAMERAS).json()["counts"]
    assert sum(counted.values()) == 1, "numbers of other districts are not hers either"
    for path in (CAMERAS, RECORDERS, COMPLIANCE, f"{COMPLIANCE}.csv"):
        assert caller(site, "berkas").get(path).json()["code"] == "not_permitted"
    assert caller(site, "erna").get(RECORDERS).status_code == 403
    assert {one["camera"] for one in caller(site, "erna").get(COMPLIANCE).json()["cameras"]} == {ELSEWHERE}


def test_the_archive_says_how_far_its_scrub_is(site: Site) -> None:
    body = caller(site, "indra").get("/v1/health/archive").json()
    assert body["fixity"] == {
        "days": 30, "percent": 100, "hours": 0, "findings": 0, "oldest_checked_at": None,
        "bytes_per_second": 0,
    }  # fmt: skip
    list(make_scrub(site.evidence.site, None).now())  # also the hour that is not settled yet
    again = caller(site, "indra").get("/v1/health/archive").json()
    assert again["fixity"] == body["fixity"], (
        "at most five minutes old, for each costs a read of every camera"
    )
    site.clock.advance(REUSE)
    found = caller(site, "citra").get("/v1/health/archive").json()["fixity"]
    assert found["hours"] >= 1
    assert found["percent"] == 100
    assert caller(site, "erna").get("/v1/health/archive").json()["code"] == "not_permitted"
    site.clock.step(-REUSE)


def test_recorders_are_listed_with_their_troubles(site: Site) -> None:
    beat(site, store_error="store_unavailable", oldest_us=11 * MINUTE, fill_s=3600, spool_bytes=5)
    (one,) = caller(site, "indra").get(RECORDERS).json()["recorders"]
    assert [trouble["code"] for trouble in one["troubles"]] == [
        "store_error", "archive_behind", "spool_filling",
    ]  # fmt: skip
    assert (one["recorder"], one["cameras"], one["version"], one["seen_seconds_ago"]) == (
        "rec-1",
        2,
        "1.0",
        0,
    )
    assert (one["oldest_seconds"], one["spool_full_in_seconds"], one["spool_bytes"]) == (660, 3600, 5)
    assert one["disk_free_bytes"] is None, "it did not say"


def test_the_compliance_list_is_read_on_record(site: Site) -> None:
    beat(site)
    answer = caller(site, "indra").get(COMPLIANCE)
    found = {one["camera"]: one for one in answer.json()["cameras"]}
    assert found[EMPTY_CAMERA]["verdict"] == "no_footage"
    assert found[CAMERA]["promised_days"] == 30
    assert found[CAMERA]["registered_at"] == format_instant(
        site.services.registry.camera(CAMERA).registered_at
    )
    text = caller(site, "indra").get(f"{COMPLIANCE}.csv")
    assert text.headers["content-type"].startswith("text/csv")
    assert "attachment" in text.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert {row["camera"]: row["verdict"] for row in rows} == {
        name: one["verdict"] for name, one in found.items()
    }
    event = site.events("compliance.read")[-1]
    assert (event.actor.id, event.details["cameras"]) == ("user:indra", 3)


def test_the_compliance_list_is_read_in_pages_with_the_counts_of_all(site: Site) -> None:
    beat(site)
    whole = caller(site, "indra").get(COMPLIANCE).json()
    assert whole["next"] is None
    assert sum(whole["counts"].values()) == len(whole["cameras"]) == 3
    asked = {"verdict": "no_footage", "limit": 1}
    first = caller(site, "indra").get(COMPLIANCE, params=asked).json()
    rest = caller(site, "indra").get(COMPLIANCE, params=asked | {"cursor": first["next"]}).json()
    found = [*first["cameras"], *rest["cameras"]]
    assert [one["camera"] for one in found] == [EMPTY_CAMERA, ELSEWHERE]
    assert {one["verdict"] for one in found} == {"no_footage"}
    assert first["counts"] == rest["counts"] == whole["counts"]
    assert first["permits"] == whole["permits"]
    assert rest["next"] is None
    worst = caller(site, "indra").get(COMPLIANCE, params={"order": "worst", "limit": 1}).json()
    more = caller(site, "indra").get(COMPLIANCE, params={"order": "worst", "cursor": worst["next"]}).json()
    short = [one["promised_days"] - one["kept_days"] for one in (*worst["cameras"], *more["cameras"])]
    assert short == sorted(short, reverse=True)
    assert len(short) == 3
    permitted = [one for one in whole["cameras"] if one["permit"]]
    assert whole["permits"]["registered"] == len(permitted)


def test_cameras_that_their_recorder_explains_come_last_if_asked(site: Site) -> None:
    beat(site)
    gone = site.clock.now() - MINUTE
    site.services.index.put_heartbeat("rec-9", gone, {"version": "1.0", "cameras": {ELSEWHERE: {}}})
    asked = {"order": "trouble", "state": ["unknown", "never_seen"], "limit": 1}
    first = caller(site, "citra").get(CAMERAS, params=asked).json()
    rest = caller(site, "citra").get(CAMERAS, params=asked | {"cursor": first["next"]}).json()
    found = [(one["camera"], one["cause"]) for one in (*first["cameras"], *rest["cameras"])]
    assert found == [(EMPTY_CAMERA, "unreachable"), (ELSEWHERE, "recorder_silent")]
    assert rest["next"] is None
