"""Questions about places and times over HTTP: answers, roles, custody, and what is refused."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archive.model.user import Role
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    PLACE,
    T0,
    Caller,
    Site,
    camera_json,
    instant,
    open_site,
    span,
)
from tests.support.people import add_person, caller, catch_up

SEARCH, TIMELINE, COVERAGE = "/v1/search", "/v1/timeline", "/v1/coverage"
OWN, OTHER = "73.71.01", "73.71.02"
ELSEWHERE = "cam-9"
HERE = f"{PLACE.lat},{PLACE.lon}"
ROUND = "-5.1440,119.4065;-5.1440,119.4080;-5.1430,119.4080;-5.1430,119.4065"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        look(made, CAMERA, 90)
        made.call("POST", "/v1/cameras", json=camera_json(ELSEWHERE)).raise_for_status()
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "erna", Role.KECAMATAN, districts=[OWN])
        add_person(made, "farid", Role.KECAMATAN, districts=[OTHER])
        add_person(made, "dewi", Role.POLICE)
        add_person(made, "indra", Role.AUDITOR)
        catch_up(made)
        yield made


def look(site: Site, camera: str, bearing: int) -> None:
    """State where a camera looks, in an entry of its own, as of its registration."""
    ledger: Ledger = site.services.ledger
    head = ledger.head("camera", camera)
    sight = {"bearing": bearing, "field_of_view": 90, "reach_m": 60}
    site.clock.step(T0 - MINUTE + SECOND - site.clock.now())
    ledger.append(
        "camera", camera, {**head.state, **sight}, expected=head.version, actor="os:test",
        action="camera.edited", reason="x",
    )  # fmt: skip
    site.clock.step(T0 + HOUR // 2 - site.clock.now())
    # Any change by the registry writes the index's documents.
    site.services.registry.edit(camera, {"segment_seconds": "12"}, actor="os:test", reason="x")
    site.services.directory.changed()


def found(site: Site, call: Caller | None = None, path: str = SEARCH, **query: Any) -> dict[str, Any]:
    asked = {**span(-10, 100), **query}
    answer = (call or site.call).get(path, params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(body: dict[str, Any]) -> list[str]:
    return [one["camera"] for one in body["cameras"]]


def test_one_call_has_what_is_needed_to_choose(site: Site) -> None:
    point = "-5.1436,119.4075"
    body = found(site, near=point, radius_m="300")
    assert (body["resolution"], body["total"], body["next"]) == ("exact", 2, None)
    first, second = body["cameras"]
    assert (first["camera"], first["in_view"], first["stands_in"]) == (CAMERA, "yes", True)
    assert (second["camera"], second["in_view"]) == (EMPTY_CAMERA, "unknown")
    assert (first["distance_m"], first["bearing"]) == (pytest.approx(44.3, abs=0.2), 90)
    assert first["sight"] == {"bearing": 90, "field_of_view": 90, "reach_m": 60}
    assert first["uncertainty_us"] == 40_000
    assert first["held"] == []
    parts = [*first["coverage"], *first["gaps"], *first["pending"]]
    assert sum(Timespan.parse(one["from"], one["to"]).duration for one in parts) == 110 * SECOND
    recorded = sum(ref.span.duration for ref in (*site.first, *site.second)) / SECOND
    assert first["recorded_seconds"] == pytest.approx(recorded)
    assert first["coverage_percent"] == int(recorded / 110 * 10_000) / 100
    assert first["gap_seconds"]["unreachable"] == pytest.approx(site.gap.duration / SECOND)
    assert (second["coverage"], second["recorded_seconds"], second["uncertainty_us"]) == ([], 0.0, None)


def test_a_body_asks_the_same_as_an_address(site: Site) -> None:
    edges = [[float(one) for one in part.split(",")] for part in ROUND.split(";")]
    corners = [{"lat": lat, "lon": lon} for lat, lon in edges]
    questions: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"near": HERE, "radius_m": "200"}, {"near": {"lat": -5.1436, "lon": 119.4071, "radius_m": 200}}),
        (
            {"box": "-5.16,119.40,-5.12,119.45"},
            {"box": {"south": -5.16, "west": 119.40, "north": -5.12, "east": 119.45}},
        ),
        ({"polygon": ROUND}, {"polygon": corners}),
        ({"route": ROUND, "buffer_m": "60"}, {"route": {"points": corners, "buffer_m": 60}}),
        ({"kecamatan": OWN, "in_view": "any"}, {"kecamatan": [OWN]}),
        (
            {"kelurahan": f"{OWN}.1001", "owner": "public"},
            {"kelurahan": [f"{OWN}.1001"], "owner": ["public"]},
        ),
        ({"text": "penghibur CAM-1"}, {"text": "penghibur CAM-1"}),
        ({"camera": [CAMERA, EMPTY_CAMERA], "limit": "1"}, {"camera": [CAMERA, EMPTY_CAMERA], "limit": 1}),
    ]
    for query, body in questions:
        one = found(site, **query)
        other = site.call("POST", SEARCH, json={**span(-10, 100), **body})
        assert other.status_code == 200, other.text
        assert CAMERA in ids(one), query
        assert other.json() == one, query


def test_an_area_is_named_or_coded(site: Site) -> None:
    by_code = site.call.get("/v1/search", params={**span(0, 30), "kecamatan": OWN}).json()
    by_name = site.call.get("/v1/search", params={**span(0, 30), "kecamatan": "mariso"}).json()
    form = {**span(0, 30), "kecamatan": ["Mariso"]}
    assert by_name["cameras"] == by_code["cameras"]
    assert site.call("POST", "/v1/search", json=form).json()["cameras"] == by_code["cameras"]
    assert {one["kecamatan_name"] for one in by_code["cameras"]} == {"Mariso"}
    refused = site.call.get("/v1/search", params={**span(0, 30), "kecamatan": "Atlantis"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_filter")


def test_pages_have_every_camera_once(site: Site) -> None:
    seen, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        body = found(site, kecamatan=OWN, limit="1", **more)
        seen += ids(body)
        if body["next"] is None:
            break
        cursor = body["next"]
    assert sorted(seen) == [CAMERA, EMPTY_CAMERA]
    for wrong in (span(-10, 101), {**span(-10, 100), "text": "x"}):
        answer = site.call.get(SEARCH, params={**wrong, "cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


def test_a_map_gets_geojson(site: Site) -> None:
    for answer in (
        site.call.get(SEARCH, params={**span(-10, 100), "near": HERE, "format": "geojson"}),
        site.call(
            "POST", SEARCH,
            json={**span(-10, 100), "near": {"lat": -5.1436, "lon": 119.4071}, "format": "geojson"},
        ),
    ):  # fmt: skip
        assert answer.headers["content-type"] == "application/geo+json"
        body = answer.json()
        assert (body["type"], body["total"], body["next"]) == ("FeatureCollection", 2, None)
        for one in body["features"]:
            assert one["type"] == "Feature"
            assert one["geometry"] == {"type": "Point", "coordinates": [119.4071, -5.1436]}
            assert one["properties"]["camera"] in (CAMERA, EMPTY_CAMERA)
            assert "lat" not in one["properties"]


def test_in_view_only_is_never_what_is_unknown(site: Site) -> None:
    east, west = "-5.1436,119.4074", "-5.1436,119.4068"
    assert ids(found(site, near=east, in_view="only")) == [CAMERA]
    assert ids(found(site, near=west, in_view="only")) == []
    assert ids(found(site, near=west, in_view="possible")) == [EMPTY_CAMERA]
    assert ids(found(site, near=west)) == [EMPTY_CAMERA, CAMERA]
    # A camera that stands outside the asked circle and looks into it has seen it.
    assert ids(found(site, near=east, radius_m="5")) == [CAMERA]


def test_roles_reach_as_far_as_for_recordings(site: Site) -> None:
    late = {"to": instant(3000)}
    expected = {
        "citra": [CAMERA, EMPTY_CAMERA, ELSEWHERE],
        "dewi": [CAMERA, EMPTY_CAMERA, ELSEWHERE],
        "indra": [CAMERA, EMPTY_CAMERA, ELSEWHERE],
        "erna": [CAMERA, EMPTY_CAMERA],
        "farid": [ELSEWHERE],
    }
    for name, cameras in expected.items():
        call = caller(site, name)
        for path in (SEARCH, COVERAGE):
            body = found(site, call, path, **late)
            assert sorted(ids(body)) == cameras, (name, path)
            assert body["total"] == len(cameras)
        held = found(site, call, **late)["cameras"][0]["held"]
        assert (held is None) is (name in {"dewi", "erna", "farid"}), "holds are not theirs to read"
    farid = caller(site, "farid")
    for path in (SEARCH, TIMELINE, COVERAGE):
        answers = [farid.get(path, params=span(-10, 100, camera=one)) for one in (CAMERA, "cam-0")]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "camera_not_found")] * 2
    refused = farid.get(SEARCH, params=span(-10, 100, kecamatan=OWN))
    unknown = farid.get(SEARCH, params=span(-10, 100, kecamatan="73.71.77"))
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_area")
    assert refused.text.replace(OWN, "73.71.77") == unknown.text


def test_a_camera_that_moved_is_judged_by_where_it_stood(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        add_person(site, "erna", Role.KECAMATAN, districts=[OWN])
        add_person(site, "farid", Role.KECAMATAN, districts=[OTHER])
        catch_up(site)
        moved = site.clock.now()
        change = {"lat": -5.2, "kecamatan": OTHER, "kelurahan": f"{OTHER}.1001", "reason": "x"}
        read = site.call.get(f"/v1/cameras/{CAMERA}").headers["ETag"]
        answer = site.call("PATCH", f"/v1/cameras/{CAMERA}", json=change, headers={"If-Match": read})
        assert answer.status_code == 200, answer.text
        site.clock.advance(HOUR)
        window = {"from": instant(-10), "to": format_instant(moved + HOUR // 2), "camera": CAMERA}
        both = found(site, **window)["cameras"]
        assert [(one["lat"], one["kecamatan"]) for one in both] == [(-5.1436, OWN), (-5.2, OTHER)]
        assert (both[0]["to"], both[1]["from"]) == (format_instant(moved), format_instant(moved))
        assert (both[0]["recorded_seconds"] > 0, both[1]["recorded_seconds"]) == (True, 0.0)
        assert ids(found(site, **window, near=HERE)) == [CAMERA]
        (mine,) = found(site, caller(site, "erna"), **window)["cameras"]
        (theirs,) = found(site, caller(site, "farid"), **window)["cameras"]
        assert (mine["lat"], theirs["lat"]) == (-5.1436, -5.2)
        for name, known in (("erna", both[0]), ("farid", both[1])):
            (one,) = found(site, caller(site, name), TIMELINE, **window, step="10m")["cameras"]
            elsewhere = sum(one["elsewhere_seconds"])
            assert sum(one["recorded_seconds"]) == pytest.approx(known["recorded_seconds"])
            assert elsewhere == pytest.approx(
                sum(each["asked_seconds"] for each in both) - known["asked_seconds"]
            )
            assert one["held_seconds"] is None


def test_a_timeline_adds_up_at_every_zoom(site: Site) -> None:
    for step in ("1s", "30s", "5m", "1h", "1d"):
        for zone in ("city", "UTC"):
            body = found(site, path=TIMELINE, camera=[CAMERA, EMPTY_CAMERA], step=step, zone=zone)
            assert ids(body) == [CAMERA, EMPTY_CAMERA]
            assert (body["step"], body["zone"]) == (step, "Asia/Makassar" if zone == "city" else "UTC")
            edges = body["edges"]
            assert (edges[0], edges[-1]) == (instant(-10), instant(100))
            one = body["cameras"][0]
            rows = [
                one["recorded_seconds"], one["pending_seconds"], one["elsewhere_seconds"],
                *one["gap_seconds"].values(),
            ]  # fmt: skip
            lengths = [Timespan.parse(a, b).duration / SECOND for a, b in pairwise(edges)]
            assert [pytest.approx(sum(column)) for column in zip(*rows, strict=True)] == lengths
            assert sum(one["gap_seconds"]["unreachable"]) == pytest.approx(site.gap.duration / SECOND)


def test_what_is_held_is_in_the_timeline_and_the_search(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        site.services.holds.place(
            cameras=(CAMERA,),
            span=Timespan(T0 + 5 * SECOND, T0 + 25 * SECOND),
            case="LP/B/123/XI/2026",
            owner="Polrestabes Makassar",
            basis="KUHAP 39",
            review_at=site.clock.now() + 30 * DAY,
            actor="os:test",
        )
        (one,) = found(site, path=TIMELINE, camera=CAMERA, step="10s")["cameras"]
        assert sum(one["held_seconds"]) == 20
        (one,) = found(site, camera=CAMERA)["cameras"]
        assert one["held"] == [{"from": instant(5), "to": instant(25)}]


def test_a_matrix_and_its_calendar(site: Site) -> None:
    body = found(site, path=COVERAGE, unit="hour")
    assert (body["from"], body["to"]) == (instant(-3600), instant(3600))
    assert len(body["edges"]) == 3
    by_camera = {one["camera"]: one["recorded_seconds"] for one in body["cameras"]}
    recorded = sum(ref.span.duration for ref in (*site.first, *site.second)) / SECOND
    assert by_camera[CAMERA] == [0.0, pytest.approx(recorded)]
    assert by_camera[EMPTY_CAMERA] == [0.0, 0.0]
    assert [one["cameras"] for one in body["calendar"]] == [0, 1]
    days = found(site, path=COVERAGE, unit="day")
    assert (days["from"], days["to"]) == ("2026-11-23T16:00:00.000000Z", "2026-11-24T16:00:00.000000Z")
    first = found(site, path=COVERAGE, limit="1", kecamatan=OWN)
    rest = found(site, path=COVERAGE, limit="1", kecamatan=OWN, cursor=first["next"])
    assert (ids(first), ids(rest), rest["next"]) == ([CAMERA], [EMPTY_CAMERA], None)


def test_every_search_is_on_record_with_its_question(site: Site) -> None:
    call = caller(site, "dewi")
    found(site, call, near=HERE, radius_m="300", kecamatan=OWN, text="Pénghibur", in_view="possible",
          purpose="LP/B/9")  # fmt: skip
    event = site.events("cameras.search")[-1]
    assert (event.actor.id, event.purpose, event.outcome.value) == ("user:dewi", "LP/B/9", "done")
    assert event.details == {
        "from": instant(-10), "to": instant(100), "near": HERE, "radius_m": "300", "kecamatan": OWN,
        "text": "penghibur", "in_view": "possible", "cameras": 2,
    }  # fmt: skip
    many = ";".join(f"{-5.1 - n / 10_000:.7f},{119.4 + (n % 2) / 1000:.7f}" for n in range(100))
    found(site, call, route=many)
    written = site.events("cameras.search")[-1].details["route"]
    assert written.startswith("-5.1,119.4;")
    assert "SHA-256" in written
    assert len(written) < 800
    call.get(TIMELINE, params=span(-10, 100, camera=CAMERA, step="10s"))
    event = site.events("recordings.search")[-1]
    assert event.objects == (CAMERA,)
    assert (event.details["for"], event.details["step"]) == ("timeline", "10s")
    refused = call.get(SEARCH, params=span(90_000, 90_010, near=HERE))
    assert refused.status_code == 422
    event = site.events("cameras.search")[-1]
    assert (event.outcome.value, event.details["code"]) == ("refused", "span_in_future")


TOO_MANY = [("camera", f"cam-{n}") for n in range(21)]
BAD: list[tuple[str, list[tuple[str, str]], str]] = [
    (SEARCH, [("near", HERE), ("radius_m", "0")], "bad_radius"),
    (SEARCH, [("near", HERE), ("radius_m", "20001")], "bad_radius"),
    (SEARCH, [("near", HERE), ("radius_m", "nan")], "bad_radius"),
    (SEARCH, [("near", "119.4071,-5.1436")], "bad_place"),
    (SEARCH, [("near", "x")], "bad_place"),
    (SEARCH, [("radius_m", "5")], "bad_place"),
    (SEARCH, [("buffer_m", "5")], "bad_place"),
    (SEARCH, [("polygon", "0,0;0,0.1;0.1,0;0.1,0.1")], "area_crosses_itself"),
    (SEARCH, [("polygon", "0,0;0,0.1;0,0.2")], "area_too_small"),
    (SEARCH, [("polygon", "0,0;0,1;1,1")], "area_too_large"),
    (SEARCH, [("polygon", "0,0;0,0.1")], "bad_area"),
    (SEARCH, [("route", "0,0;0,0.1"), ("buffer_m", "501")], "bad_buffer"),
    (SEARCH, [("near", HERE), ("box", "0,0,0.1,0.1")], "several_areas"),
    (SEARCH, [("kecamatan", "73.71.77")], "unknown_area"),
    (SEARCH, [("kelurahan", "Atlantis")], "bad_filter"),
    (SEARCH, [("in_view", "only")], "no_area_to_view"),
    (SEARCH, [("in_view", "maybe")], "invalid_request"),
    (SEARCH, [("owner", "hotel")], "bad_filter"),
    (SEARCH, [("text", "';--")], "bad_text"),
    (SEARCH, [("text", "a\u202eb")], "bad_text"),
    (SEARCH, [("limit", "1001")], "invalid_request"),
    (SEARCH, [("cursor", "rubbish")], "bad_cursor"),
    (SEARCH, [("format", "kml")], "invalid_request"),
    (SEARCH, [("nera", HERE)], "unknown_parameter"),
    (TIMELINE, [], "invalid_request"),
    (TIMELINE, [("camera", CAMERA), ("step", "7s")], "bad_step"),
    (TIMELINE, [("camera", CAMERA), ("step", "1s"), ("from", instant(-20_000))], "too_many_buckets"),
    (TIMELINE, TOO_MANY, "too_many_cameras"),
    (TIMELINE, [("camera", CAMERA), ("zone", "Mars")], "invalid_request"),
    (COVERAGE, [("unit", "week")], "invalid_request"),
    (COVERAGE, [("cursor", "no_name")], "bad_id"),
    *[
        (path, [*more, ("from", start), ("to", end)], code)
        for path, more in ((SEARCH, []), (TIMELINE, [("camera", CAMERA)]), (COVERAGE, []))
        for start, end, code in (
            ("2026-11-24T14:00:00", instant(100), "naive_time"),
            (instant(-5 * 366 * 86_400), instant(100), "span_too_long"),
            (instant(90_000), instant(90_010), "span_in_future"),
            (instant(100), instant(100), "empty_span"),
            ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", ""),
        )
    ],
]


@pytest.mark.parametrize(("path", "query", "code"), BAD)
def test_a_question_without_a_meaning_is_refused(
    site: Site, path: str, query: list[tuple[str, str]], code: str
) -> None:
    names = {name for name, _ in query}
    times = [(name, text) for name, text in span(-10, 100).items() if name not in names]
    answer = site.call.get(path, params=[*times, *query])
    if not code:  # before there were time zones
        assert answer.status_code == 200 or answer.json()["code"] in {"bad_time", "bad_zone"}, answer.text
        return
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"]
    assert answer.json()["hint"] or code in {"bad_id", "bad_time"}


def test_a_body_with_ten_thousand_cameras_and_other_nonsense_is_refused(site: Site) -> None:
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"camera": [f"cam-{n}" for n in range(10_001)]}, "too_many_cameras"),
        ({"camera": []}, "invalid_request"),
        ({"near": {"lat": -5.1, "lon": 119.4, "radius_m": 0}}, "bad_radius"),
        ({"polygon": [{"lat": 0, "lon": 0}] * 5_000}, "bad_area"),
        ({"polygon": [[0, 0], [0, 1], [1, 1]]}, "invalid_request"),
        ({"route": {"points": [], "buffer_m": 25}}, "bad_area"),
        ({"text": ""}, "bad_text"),
        ({"nera": {}}, "unknown_field"),
        ({"limit": 0}, "invalid_request"),
    ]
    for body, code in bodies:
        answer = site.call("POST", SEARCH, json={**span(-10, 100), **body})
        assert answer.status_code == 422, body
        assert answer.json()["code"] in {code, "unknown_field", "invalid_request"}, answer.text
        if code not in {"unknown_field", "invalid_request"}:
            assert answer.json()["code"] == code
