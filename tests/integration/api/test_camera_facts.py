"""What else is known of cameras over HTTP: areas, details by role, tables in and out, moves."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from archive.footage.exchange.rows import KEPT_BY_SAKSI
from archive.model.custody import Outcome
from archive.model.token import TokenScope
from archive.model.user import Role
from archive.timespan import HOUR
from ops.tokens import token_file
from tests.support.api_site import CAMERA, Caller, Site, camera_json, open_site
from tests.support.people import add_person, caller, catch_up

CSV, GEOJSON = {"Content-Type": "text/csv"}, {"Content-Type": "application/geo+json"}
OWNER = "Haji Baso Daeng Ngawing"
FACTS = {
    "bearing": 135,
    "field_of_view": 90,
    "reach_m": 40,
    "address": "Jl. Mesjid Raya 1",
    "height_m": 6.5,
    "owner_name": OWNER,
    "permit": "503/0147/PTSP/2026",
    "purpose": "Keamanan",
    "signage": "yes",
    "installed_on": "2026-02-14",
    "integrated_on": "2026-03-02",
    "onvif": "http://10.20.0.11/onvif/device_service",
}
ONE = "/v1/cameras/masjid-1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        form = {**camera_json("masjid-1"), "kecamatan": "Mamajang", "kelurahan": "parang", **FACTS}
        answer = made.call("POST", "/v1/cameras", json=form)
        assert answer.status_code == 201, answer.text
        for name, role, districts in (
            ("ada", Role.ADMIN, ()),
            ("citra", Role.WAR_ROOM, ()),
            ("dewi", Role.POLICE, ()),
            ("indra", Role.AUDITOR, ()),
            ("erna", Role.KECAMATAN, ("73.71.02",)),
            ("farid", Role.KECAMATAN, ("73.71.01",)),
        ):
            add_person(made, name, role, districts=districts)
        catch_up(made)
        yield made


def test_areas_are_taken_by_name_and_shown_by_code_and_name(site: Site) -> None:
    shown = site.call.get(ONE).json()
    assert {name: shown[name] for name in shown if name.startswith("ke")} == {
        "kecamatan": "73.71.02",
        "kecamatan_name": "Mamajang",
        "kelurahan": "73.71.02.1002",
        "kelurahan_name": "Parang",
    }
    for text in ("73.71.02", "MAMAJANG", " mama jang"):
        found = site.call.get("/v1/cameras", params={"kecamatan": text}).json()["cameras"]
        assert [one["id"] for one in found] == ["masjid-1"], text
    explained = site.call.get("/v1/retention/explain", params={"camera": "masjid-1"}).json()
    assert (explained["kecamatan"], explained["kecamatan_name"]) == ("73.71.02", "Mamajang")
    viewers = caller(site, "indra").get(f"{ONE}/viewers").json()
    assert (viewers["kecamatan"], viewers["kecamatan_name"]) == ("73.71.02", "Mamajang")
    refused = site.call.get("/v1/cameras", params={"kecamatan": "Mamajan"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_filter")


def test_every_fact_is_shown_and_changed_alone(site: Site) -> None:
    before = site.call.get(ONE).json()
    assert {name: before[name] for name in FACTS} == FACTS
    edited = site.call.change("PATCH", ONE, of=ONE, json={"permit": "", "height_m": ""}).json()
    assert (edited["permit"], edited["height_m"]) == (None, None)
    again = {"permit": FACTS["permit"], "height_m": "6.5"}
    assert site.call.change("PATCH", ONE, of=ONE, json=again).json() == before
    turned = site.call.change("PATCH", ONE, of=ONE, json={"bearing": 140})
    assert turned.json()["code"] == "reason_missing"
    little = site.call.get(f"/v1/cameras/{CAMERA}").json()
    assert {name: little[name] for name in FACTS} == {**dict.fromkeys(FACTS), "signage": "unknown"}


@pytest.mark.parametrize(
    ("name", "sees"), [("ada", True), ("citra", True), ("erna", True), ("indra", True), ("dewi", False)]
)
def test_the_owner_s_name_is_shown_to_those_who_see_more_than_public_facts(
    site: Site, name: str, sees: bool
) -> None:
    call, before = caller(site, name), len(site.events("camera.read"))
    shown = call.get(ONE).json()
    assert shown["owner_name"] == (OWNER if sees else None)
    assert shown["permit"] == FACTS["permit"]
    for path in ("/v1/cameras", "/v1/cameras.geojson", f"{ONE}/moves", "/v1/places"):
        assert OWNER not in call.get(path).text
    read = site.events("camera.read")[before:]
    assert [(one.actor.id, one.objects) for one in read] == [(f"user:{name}", ("masjid-1",))] * sees


def test_nobody_learns_the_owner_of_a_hidden_camera(site: Site) -> None:
    before = len(site.events("camera.read"))
    hidden, missing = (caller(site, "farid").get(path) for path in (ONE, "/v1/cameras/masjid-9"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace("masjid-1", "masjid-9") == missing.text
    assert len(site.events("camera.read")) == before


def test_places_are_a_tree_with_the_cameras_that_the_caller_sees(site: Site) -> None:
    def counted(name: str) -> dict[str, int]:
        (city,) = caller(site, name).get("/v1/places").json()["cities"]
        assert (city["code"], city["level"], len(city["kecamatan"])) == ("73.71", "city", 15)
        assert sum(len(one["kelurahan"]) for one in city["kecamatan"]) == 153
        assert city["cameras"] == sum(one["cameras"] for one in city["kecamatan"])
        return {one["name"]: one["cameras"] for one in city["kecamatan"] if one["cameras"]}

    every = {"Mariso": 2, "Mamajang": 1}
    assert counted("ada") == counted("dewi") == counted("indra") == every
    assert counted("erna") == {"Mamajang": 1}
    assert counted("farid") == {"Mariso": 2}
    assert site.call.get("/v1/places").status_code == 200
    assert Caller(site.app).get("/v1/places").status_code == 401


def test_districts_of_people_and_tokens_are_taken_by_name(site: Site) -> None:
    token = {"name": "t1", "actions": ["cameras.read"], "districts": ["ujung pandang"], "reason": "x"}
    token["expires_at"] = "2026-12-24T00:00:00+08:00"
    made = caller(site, "ada")("POST", "/v1/tokens", json=token)
    assert made.json()["districts"] == ["73.71.04"], made.text
    person = {"id": "gani", "roles": ["kecamatan"], "districts": ["Ujung Pandang", "73.71.04"], "reason": "x"}
    opened = caller(site, "ada")("POST", "/v1/users", json=person)
    assert opened.json()["districts"] == ["73.71.04"]
    unknown = {**person, "id": "gina", "districts": ["Ujung"]}
    bad = caller(site, "ada")("POST", "/v1/users", json=unknown)
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_place"), "a slip opens nothing, and says so"


def exported(site: Site, call: Any = None) -> dict[str, Any]:
    answer = (call or site.call).get("/v1/cameras.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    found: dict[str, Any] = answer.json()
    return found


def test_the_list_as_geojson(site: Site) -> None:
    collection = exported(site)
    assert collection["type"] == "FeatureCollection"
    by_id = {one["id"]: one for one in collection["features"]}
    listed = {one["id"]: one for one in site.call.get("/v1/cameras").json()["cameras"]}
    assert set(by_id) == set(listed)
    one = by_id["masjid-1"]
    assert one["geometry"] == {"type": "Point", "coordinates": [119.416, -5.133]}
    assert one["properties"] == {k: v for k, v in listed["masjid-1"].items() if k not in {"lat", "lon"}}
    assert {one["id"] for one in exported(site, caller(site, "erna"))["features"]} == {"masjid-1"}
    there = site.call.get("/v1/cameras.geojson", params={"kecamatan": "Mariso"}).json()["features"]
    assert {one["id"] for one in there} == by_id.keys() - {"masjid-1"}


def imported(site: Site, content: bytes, headers: dict[str, str], call: Any = None, **params: Any) -> Any:
    return (call or site.call)("POST", "/v1/cameras/import", content=content, headers=headers, params=params)


def test_an_export_imported_again_changes_nothing_and_keeps_what_it_does_not_show(site: Site) -> None:
    before = site.call.get(ONE).json()
    entries = len(list(site.services.registry.history("masjid-1")))
    told = imported(site, json.dumps(exported(site)).encode(), GEOJSON, update=True).json()
    assert sorted(told["unchanged"]) == ["cam-1", "cam-2", "masjid-1"]
    assert (told["changed"], told["refused"], told["added"]) == ([], [], [])
    assert set(told["ignored"]) == set(KEPT_BY_SAKSI)
    assert site.call.get(ONE).json() == before
    assert len(list(site.services.registry.history("masjid-1"))) == entries


TABLE = (
    "id,source,name,lat,lon,kecamatan,kelurahan,owner,view,owner_name\r\n"
    "toko-1,rtsp://viewer:hunter2@192.0.2.20/1,Satu,-5.14,119.41,Ujung Pandang,Baru,business,public,Ani\r\n"
    "masjid-1,,Masjid Raya Baru,-5.133,119.416,73.71.02,73.71.02.1002,worship,public,\r\n"
    "toko-2,rtsp://192.0.2.21/1,Toko Dua,-5.14,219.41,Ujung Pandang,Baru,business,public,\r\n"
)


def test_a_dry_run_says_what_an_import_then_does(site: Site) -> None:
    before = site.call.get("/v1/cameras").json()
    dry = imported(site, TABLE.encode(), CSV, dry_run=True, update=True, reason="Sensus").json()
    assert site.call.get("/v1/cameras").json() == before
    wet = imported(site, TABLE.encode(), CSV, update=True, reason="Sensus").json()
    assert {**dry, "dry_run": False} == wet
    assert wet["added"] == ["toko-1"]
    assert wet["changed"] == [
        {
            "line": 3,
            "id": "masjid-1",
            "fields": {
                "name": {"from": "Masjid Raya", "to": "Masjid Raya Baru"},
                "owner_name": {"from": OWNER, "to": ""},
            },
        }
    ]
    (refused,) = wet["refused"]
    assert [refused[name] for name in ("line", "id", "field", "code")] == [4, "toko-2", "lon", "bad_place"]
    indonesian, _, english = refused["message"].partition(" / ")
    assert indonesian == "Tempat itu tidak sah."
    assert english == "lon '219.41' is outside ±180 degrees"
    registry = site.services.registry
    assert registry.source_of(registry.camera("toko-1")) == "rtsp://viewer:hunter2@192.0.2.20/1"
    assert "hunter2" not in json.dumps(wet)
    (added,) = registry.history("toko-1")
    assert (added.actor, added.reason) == ("token:first", "Sensus")
    events = site.events("camera.import")[-2:]
    assert [(one.details["dry_run"], one.details["added"], one.details["changed"]) for one in events] == [
        (1, 1, 1), (0, 1, 1)
    ]  # fmt: skip
    assert all(one.objects == () for one in events), "no camera's record names another"


def test_a_camera_that_exists_is_refused_without_update(site: Site) -> None:
    table = TABLE.replace("toko-1", "toko-5").replace("toko-2", "toko-6")
    table = table.replace("Masjid Raya Baru", "Lain")
    told = imported(site, table.encode(), CSV, dry_run=True).json()
    assert [(one["id"], one["code"]) for one in told["refused"]] == [
        ("masjid-1", "camera_exists"), ("toko-6", "bad_place")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"id\n", {"Content-Type": "text/plain"}, 415, "import_type"),
        (b"id\n", {}, 415, "import_type"),
        (b"", CSV, 422, "bad_csv"),
        (b"\xff\xfe", CSV, 422, "bad_csv"),
        (b"{}", GEOJSON, 422, "bad_geojson"),
        (b"id\n" + b"cam-1\n" * 10_001, CSV, 422, "too_many_rows"),
        (b"x" * (4 * 1024 * 1024 + 1), CSV, 413, "body_too_large"),
    ],
)
def test_what_is_no_table_is_refused(
    site: Site, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = imported(site, content, headers, update=True)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status != 413:
        assert site.events("camera.import")[-1].outcome is Outcome.REFUSED


@pytest.mark.parametrize("name", ["citra", "dewi", "erna", "indra"])
def test_only_those_who_edit_cameras_import_them(site: Site, name: str) -> None:
    answer = imported(site, TABLE.encode(), CSV, caller(site, name), dry_run=True)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_a_token_of_one_district_imports_there_alone_and_learns_nothing_of_others(site: Site) -> None:
    actions = frozenset({"cameras.edit", "cameras.read"})
    scope = TokenScope(actions=actions, districts=frozenset({"73.71.04"}))
    token = token_file(site.evidence.site).create("of-04", site.clock, scope)
    call = Caller(site.app, {"Authorization": f"Bearer {token}"})
    rows = (
        "id,source,name,lat,lon,kecamatan,kelurahan,owner,view\n"
        "new-1,rtsp://192.0.2.30/1,Satu,-5.14,119.41,ujung pandang,Baru,public,public\n"
        "new-2,rtsp://192.0.2.31/1,Dua,-5.14,119.41,Mariso,Lette,public,public\n"
        "cam-1,rtsp://192.0.2.7:554/stream1,Jl. Penghibur cam-1,-5.1436,119.4071,Mariso,Bontorannu,public,"
        "public"
    )
    told = imported(site, rows.encode(), CSV, call, update=True, dry_run=True).json()
    assert told["added"] == ["new-1"]
    assert told["unchanged"] == told["changed"] == []
    assert [(one["id"], one["field"], one["code"]) for one in told["refused"]] == [
        ("new-2", "kecamatan", "not_permitted"), ("cam-1", "id", "camera_not_found")
    ]  # fmt: skip


def test_moves_are_shown_and_who_moved_it_only_to_those_who_see_more(site: Site) -> None:
    form = {**camera_json("pasar-1"), **FACTS, "kecamatan": "Mariso", "kelurahan": "Lette"}
    assert site.call("POST", "/v1/cameras", json=form).status_code == 201
    one = "/v1/cameras/pasar-1"
    site.clock.advance(HOUR)
    change = {"kecamatan": "Mamajang", "kelurahan": "Parang", "lat": -5.134, "reason": "Pelebaran jalan"}
    assert site.call.change("PATCH", one, of=one, json=change).status_code == 200
    catch_up(site)
    first, second = site.call.get(f"{one}/moves").json()["moves"]
    assert first["until"] == second["from"]
    assert (first["kecamatan_name"], second["kecamatan_name"]) == ("Mariso", "Mamajang")
    assert (first["moved_m"], second["moved_m"], second["until"]) == (None, 111.2, None)
    assert (second["by"], second["reason"], second["bearing"]) == ("token:first", "Pelebaran jalan", 135)
    for public in caller(site, "dewi").get(f"{one}/moves").json()["moves"]:
        assert (public["by"], public["reason"]) == (None, None)
    assert len(caller(site, "erna").get(f"{one}/moves").json()["moves"]) == 1, "its stay in her district"
    assert caller(site, "farid").get(f"{one}/moves").json()["code"] == "camera_not_found"
