"""Cameras, and searches over their footage."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from archive.timespan import parse_instant
from tests.support.api_site import CAMERA, SECRET, Site, camera_json, open_site, span


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


FORM = camera_json("masjid-1")


def test_the_life_of_a_camera(site: Site) -> None:
    made = site.call("POST", "/v1/cameras", json=FORM)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/cameras/masjid-1"
    assert site.call.get(made.headers["location"]).json() == made.json()
    assert made.json()["source"] == "rtsp://192.0.2.9/1"
    assert made.headers["ETag"] == '"1"'
    one, read = "/v1/cameras/masjid-1", {"If-Match": '"1"'}
    moved = {"name": "Masjid Raya 2", "lat": "-5.1331"}
    refused = site.call("PATCH", one, json=moved, headers=read)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_missing"), "a move has a reason"
    edited = site.call("PATCH", one, json={**moved, "reason": "Tiang baru"}, headers=read)
    assert (edited.json()["name"], edited.json()["lat"], edited.json()["lon"]) == (
        "Masjid Raya 2",
        -5.1331,
        119.416,
    )
    assert edited.headers["ETag"] == '"2"'
    off = site.call.change("POST", f"{one}/disable", of=one, json={"reason": "Renovation"})
    assert off.json()["disabled"] is True
    on = site.call(
        "POST", f"{one}/enable", json={"reason": "Done"}, headers={"If-Match": off.headers["ETag"]}
    )
    assert on.json()["disabled"] is False
    entries = list(site.services.registry.history("masjid-1"))
    assert [entry.action for entry in entries] == [
        "camera.added", "camera.edited", "camera.disabled", "camera.enabled"
    ]  # fmt: skip
    assert {entry.actor for entry in entries} == {"token:first"}
    assert site.services.registry.source_of(site.services.registry.camera("masjid-1")) == FORM["source"]


def test_no_answer_ever_shows_a_password(site: Site) -> None:
    texts = [site.call.get("/v1/cameras").text, site.call.get(f"/v1/cameras/{CAMERA}").text]
    one = f"/v1/cameras/{CAMERA}"
    changed = site.call.change("PATCH", one, of=one, json={"name": "Simpang"})
    assert changed.status_code == 200
    texts.append(changed.text)
    sealed = site.services.registry.camera(CAMERA).sealed_source
    for text in texts:
        assert SECRET not in text
        assert sealed not in text
        assert "viewer" not in text


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"view": "private"}, 422, "private_view"),
        ({"view": "sideways"}, 422, "bad_view"),
        ({"id": "CAM-1"}, 409, "camera_exists"),
        ({"id": "a b"}, 422, "bad_id"),
        ({"source": "ftp://x/y"}, 422, "bad_source"),
        ({"lat": 91}, 422, "bad_place"),
        ({"lat": "x"}, 422, "invalid_request"),
        ({"lat": "NaN"}, 422, "invalid_request"),
        ({"owner": "hotel"}, 422, "bad_place"),
        ({"kecamatan": "Ujung Panjang"}, 422, "bad_place"),
        ({"kelurahan": "Baru"}, 422, "bad_place"),
        ({"bearing": 90}, 422, "bad_sight"),
        ({"bearing": 400, "field_of_view": 90, "reach_m": 40}, 422, "bad_sight"),
        ({"height_m": -1}, 422, "bad_detail"),
        ({"signage": "maybe"}, 422, "bad_detail"),
        ({"installed_on": "24/11/2026"}, 422, "bad_detail"),
        ({"owner_name": "x\u0000"}, 422, "bad_detail"),
        ({"segment_seconds": 1}, 422, "bad_segment_seconds"),
        ({"segment_seconds": "10s"}, 422, "invalid_request"),
        ({"name": "a\nb"}, 422, "bad_name"),
        ({"colour": "red"}, 422, "unknown_field"),
        ({"name": "\ud800"}, 422, "invalid_request"),
    ],
)
def test_a_camera_that_may_not_be_is_refused(
    site: Site, changes: dict[str, Any], status: int, code: str
) -> None:
    before = site.call.get("/v1/cameras").json()
    body = json.dumps({**FORM, "id": "new-1", **changes})  # ASCII, since httpx refuses half a character
    answer = site.call("POST", "/v1/cameras", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert site.call.get("/v1/cameras").json() == before


def test_a_change_of_nothing_or_without_a_reason_is_refused(site: Site) -> None:
    read = {"If-Match": site.call.get(f"/v1/cameras/{CAMERA}").headers["ETag"]}

    def code(method: str, path: str, body: Any) -> tuple[int, str]:
        answer = site.call(method, f"/v1/cameras/{path}", json=body, headers=read)
        return answer.status_code, answer.json()["code"]

    assert code("PATCH", CAMERA, {}) == (422, "nothing_to_change")
    assert code("PATCH", CAMERA, {"id": "other"}) == (422, "unknown_field")
    assert code("PATCH", CAMERA, {"view": "private"}) == (422, "private_view")
    assert code("PATCH", "nobody", {"name": "x"}) == (404, "camera_not_found")
    assert code("POST", f"{CAMERA}/disable", {"reason": " "}) == (422, "reason_missing")
    assert code("POST", f"{CAMERA}/disable", {}) == (422, "invalid_request")


def test_cameras_are_found_by_place(site: Site) -> None:
    def found(**params: str) -> set[str]:
        return {camera["id"] for camera in site.call.get("/v1/cameras", params=params).json()["cameras"]}

    both = {"cam-1", "cam-2"}
    assert both <= found()
    assert found(kecamatan="73.71.01") == both
    assert found(kecamatan="73.71.99") == set()
    assert both <= found(owner="public")
    assert not both & found(owner="business")
    assert found(near="-5.1436,119.4071", radius_m="10") == both
    assert not both & found(near="-5.2,119.4071", radius_m="10")
    assert both <= found(box="-5.2,119.4,-5.1,119.5")
    assert found(box="-5.2,119.4,-5.1,119.5", kecamatan="73.71.99") == set()


def test_recordings_partition_the_span(site: Site) -> None:
    asked = span(-30, 100, camera=CAMERA)
    answer = site.call.get("/v1/recordings", params=asked).json()
    assert [(one["camera"], one["run"]) for one in answer["coverage"]] == [
        (CAMERA, site.first[0].run), (CAMERA, site.second[0].run)
    ]  # fmt: skip
    assert [gap["cause"] for gap in answer["gaps"]] == ["unknown", "unreachable"]
    pieces = sorted(
        (parse_instant(one["from"]), parse_instant(one["to"])) for part in answer.values() for one in part
    )
    assert pieces[0][0] == parse_instant(asked["from"])
    assert pieces[-1][1] == parse_instant(asked["to"])
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(pieces))


def test_recordings_of_several_cameras_and_places(site: Site) -> None:
    def cameras(**params: Any) -> set[str]:
        answer = site.call.get("/v1/recordings", params={**span(0, 60), **params}).json()
        return {one["camera"] for part in answer.values() for one in part}

    assert cameras(camera=["cam-1", "cam-2"]) == {"cam-1", "cam-2"}
    assert cameras(kecamatan="73.71.01") == {"cam-1", "cam-2"}
    assert cameras(kecamatan="73.71.99") == set()
    assert cameras(near="-5.1436,119.4071", radius_m="5") == {"cam-1", "cam-2"}


def test_segments_are_paged_without_repeat_or_hole(site: Site) -> None:
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        params = span(0, 100, limit="2", **({"cursor": cursor} if cursor else {}))
        answer = site.call.get("/v1/segments", params=params).json()
        seen += [(one["run"], one["seq"]) for one in answer["segments"]]
        cursor = answer["next"]
        pages += 1
    assert seen == [(ref.run, ref.seq) for ref in (*site.first, *site.second)]
    assert pages == 3
