"""Playable history for the War Room's software: one call, right for every camera, and only for it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.history import VIEW
from archive.model.grant import Right
from archive.model.user import Role
from archive.records.custody import read
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    T0,
    Caller,
    Site,
    camera_json,
    instant,
    open_site,
    span,
)
from tests.support.people import PURPOSE, add_person, caller, catch_up, cookie_of, grant

HISTORY = "/v1/war-room/history"
OWN, OTHER = "73.71.01", "73.71.02"
ELSEWHERE, MISSING = "cam-9", "cam-0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        made.call("POST", "/v1/cameras", json=camera_json(ELSEWHERE)).raise_for_status()
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "erna", Role.KECAMATAN, districts=[OWN])
        add_person(made, "farid", Role.KECAMATAN, districts=[OTHER])
        add_person(made, "dewi", Role.POLICE)
        add_person(made, "indra", Role.AUDITOR)
        grant(made, "dewi", [CAMERA], Timespan(T0, T0 + 25 * SECOND), Right.VIEW)
        catch_up(made)
        yield made


def history(site: Site, *, call: Caller | None = None, **query: Any) -> dict[str, Any]:
    answer = (call or site.call).get(HISTORY, params={**span(-60, 300), **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def one(site: Site, camera: str = CAMERA, **query: Any) -> dict[str, Any]:
    (found,) = history(site, camera=camera, **query)["cameras"]
    return dict(found)


def seconds(stretches: list[dict[str, str]]) -> float:
    return sum(Timespan.parse(each["from"], each["to"]).duration for each in stretches) / SECOND


def test_coverage_gaps_and_pending_make_up_the_window(site: Site) -> None:
    found = one(site)
    recorded = sum(ref.span.duration for ref in site.first + site.second) / SECOND
    assert found["recorded_seconds"] == pytest.approx(recorded) == seconds(found["coverage"])
    causes = {gap["cause"]: gap for gap in found["gaps"]}
    assert set(causes) == {"not_registered", "unreachable"} or "unknown" in causes
    missing = causes["unreachable"]
    assert (missing["from"], missing["to"]) == (format_instant(site.gap.start), format_instant(site.gap.end))
    assert seconds(found["pending"]) > 0
    parts = [*found["coverage"], *found["gaps"], *found["pending"]]
    assert seconds(parts) == pytest.approx(360)
    edges = sorted((each["from"], each["to"]) for each in parts)
    assert all(before[1] == after[0] for before, after in pairwise(edges))


def test_every_address_in_it_answers_as_it_stands(site: Site) -> None:
    call = caller(site, "citra", purpose="")
    (found,) = history(site, call=call, camera=CAMERA, purpose=PURPOSE)["cameras"]
    playlist = call.get(found["playlist"])
    assert playlist.status_code == 200
    assert playlist.text.startswith("#EXTM3U")
    assert playlist.text.count("#EXTINF") == len(site.first) + len(site.second)
    still = call.get(found["still"])
    assert (still.status_code, still.headers["content-type"]) == (200, "image/jpeg")
    assert urlsplit(found["view"]).path == VIEW
    machine = one(site)
    assert "purpose" not in machine["playlist"]
    assert site.call.get(machine["playlist"]).status_code == 200


def test_a_camera_without_footage_has_nothing_to_play(site: Site) -> None:
    found = one(site, EMPTY_CAMERA)
    assert found["coverage"] == []
    assert (found["recorded_seconds"], found["playlist"], found["still"]) == (0, None, None)
    assert found["view"]


def test_facts_are_those_of_the_time(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        assert [fact["name"] for fact in one(site)["facts"]] == ["Jl. Penghibur cam-1"]
        moved = site.clock.now()
        for name, district in (("Jl. Baru", OTHER), ("Jl. Lama", OWN)):
            site.clock.advance(MINUTE)
            change = {"name": name, "kecamatan": district, "kelurahan": f"{district}.1001"}
            read = site.call.get(f"/v1/cameras/{CAMERA}").headers["ETag"]
            answer = site.call("PATCH", f"/v1/cameras/{CAMERA}", json=change, headers={"If-Match": read})
            assert answer.status_code == 200, answer.text
        site.clock.advance(MINUTE)
        assert [fact["name"] for fact in one(site)["facts"]] == ["Jl. Penghibur cam-1"]
        window = {"from": format_instant(T0), "to": format_instant(site.clock.now())}
        facts = one(site, **window)["facts"]
        assert [fact["name"] for fact in facts] == ["Jl. Penghibur cam-1", "Jl. Baru", "Jl. Lama"]
        assert facts[0]["from"] == window["from"]
        assert facts[1]["from"] == format_instant(moved + MINUTE)
        assert "source" not in facts[0]
        # For a minute the camera was in a district closed to the operator: by name 404, by search in part.
        add_person(site, "erna", Role.KECAMATAN, districts=[OWN])
        catch_up(site)
        erna = caller(site, "erna")
        assert erna.get(HISTORY, params={**window, "camera": CAMERA}).status_code == 404
        (found,) = [
            each for each in history(site, call=erna, **window)["cameras"] if each["camera"] == CAMERA
        ]
        assert [fact["name"] for fact in found["facts"]] == ["Jl. Penghibur cam-1", "Jl. Lama"]
        assert found["playlist"] is None
        assert found["still"] is None


def test_what_is_held_is_marked_and_its_case_is_not_told(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        assert one(site)["held"] == []
        site.services.holds.place(
            cameras=(CAMERA,),
            span=Timespan(T0 + 5 * SECOND, T0 + HOUR // 4),
            case="LP/B/123/XI/2026",
            owner="Polrestabes Makassar",
            basis="KUHAP 39",
            review_at=site.clock.now() + 30 * DAY,
            actor="os:test",
        )
        answer = site.call.get(HISTORY, params={**span(-60, 300), "camera": CAMERA})
        assert answer.json()["cameras"][0]["held"] == [{"from": instant(5), "to": instant(300)}]
        assert "LP/B/123" not in answer.text
        assert one(site, EMPTY_CAMERA)["held"] == []
        add_person(site, "erna", Role.KECAMATAN, districts=[OWN])
        catch_up(site)
        assert one(site, call=caller(site, "erna"))["held"] is None, "holds are not theirs to read"


def test_cameras_are_found_by_place_and_come_page_by_page(site: Site) -> None:
    def ids(**query: Any) -> list[str]:
        return [each["camera"] for each in history(site, **query)["cameras"]]

    # A camera registered after the window has no history; it is listed with that reason.
    assert ids() == [CAMERA, EMPTY_CAMERA, ELSEWHERE]
    assert ids(kecamatan=OWN) == [CAMERA, EMPTY_CAMERA]
    assert ids(kelurahan=f"{OWN}.1001") == [CAMERA, EMPTY_CAMERA]
    assert ids(kelurahan=f"{OWN}.1009") == []
    assert ids(near="-5.1436,119.4071", radius_m="50") == [CAMERA, EMPTY_CAMERA]
    seen, cursor, pages = [], "", 0
    while True:
        page = history(site, limit=1, cursor=cursor)
        seen += [each["camera"] for each in page["cameras"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = page["next"]
    assert (seen, pages) == ([CAMERA, EMPTY_CAMERA, ELSEWHERE], 3)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (span(-86_400, 1), "history_too_long"),
        (span(10_000, 20_000), "span_in_future"),
        (span(5, 5), "empty_span"),
        ({"from": "2026-11-24T14:00:00", "to": "2026-11-24T14:01:00"}, "naive_time"),
        ({**span(0, 1), "camera": [f"cam-{number}" for number in range(101)]}, "too_many_cameras"),
        ({**span(0, 1), "limit": "101"}, "invalid_request"),
        ({**span(0, 1), "cursor": "../x"}, "bad_id"),
        ({**span(0, 1), "kelurahaan": "x"}, "unknown_parameter"),
    ],
)
def test_limits_are_problems_that_say_what_to_do(site: Site, query: dict[str, Any], code: str) -> None:
    answer = site.call.get(HISTORY, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["hint"]


def test_another_districts_camera_answers_as_one_that_does_not_exist(site: Site) -> None:
    farid = caller(site, "farid")

    def asked(camera: str) -> tuple[int, str, set[str]]:
        answer = farid.get(HISTORY, params={**span(0, 60), "camera": camera})
        return answer.status_code, answer.text.replace(camera, "X"), set(answer.headers)

    assert asked(CAMERA) == asked(MISSING)
    assert asked(CAMERA)[0] == 404
    both = farid.get(HISTORY, params={**span(0, 60), "camera": [ELSEWHERE, CAMERA]})
    assert both.status_code == 404
    assert [each["camera"] for each in history(site, call=farid)["cameras"]] == [ELSEWHERE]
    assert history(site, call=farid, kecamatan=OWN)["cameras"] == []
    assert history(site, call=farid, kelurahan=f"{OWN}.1001")["cameras"] == []
    assert CAMERA not in farid.get(HISTORY, params={**span(0, 60), "cursor": "a"}).text
    assert {each["camera"] for each in history(site, call=caller(site, "erna"))["cameras"]} == {
        CAMERA,
        EMPTY_CAMERA,
    }


def test_a_grant_opens_its_window_and_no_search(site: Site) -> None:
    dewi = caller(site, "dewi")
    assert dewi.get(HISTORY, params={**span(3, 20), "camera": CAMERA}).status_code == 200
    wider = dewi.get(HISTORY, params={**span(3, 26), "camera": CAMERA})
    assert (wider.status_code, wider.json()["code"]) == (403, "not_granted")
    assert history(site, call=dewi)["cameras"] == []
    assert caller(site, "indra").get(HISTORY, params=span(3, 20)).json()["code"] == "not_permitted"


def test_a_person_says_why_and_a_machine_need_not(site: Site) -> None:
    mute = caller(site, "citra", purpose="")
    assert mute.get(HISTORY, params=span(0, 9)).json()["code"] == "purpose_needed"
    given = Caller(site.app, {"Cookie": cookie_of(site, "citra", "")})
    assert given.get(HISTORY, params=span(0, 9), headers={"Saksi-Purpose": "jaga 3"}).status_code == 200
    assert site.call.get(HISTORY, params=span(0, 9)).status_code == 200


def test_it_goes_on_record_with_what_was_shown_and_why(site: Site) -> None:
    before = len(site.events("recordings.search"))
    history(site, call=caller(site, "citra"), kecamatan=OWN)
    caller(site, "farid").get(HISTORY, params={**span(0, 60), "camera": CAMERA})
    shown, refused = site.events("recordings.search")[before:]
    assert (shown.actor.id, shown.purpose, shown.objects) == ("user:citra", PURPOSE, (CAMERA, EMPTY_CAMERA))
    assert (shown.details["for"], shown.details["kecamatan"]) == ("war_room", OWN)
    assert (refused.actor.id, refused.outcome, refused.objects) == ("user:farid", "refused", (CAMERA,))
    assert refused.details["denied"] == "district"


def test_nothing_is_answered_that_is_not_on_record(site: Site) -> None:
    day = Timespan(T0 - DAY, T0 + DAY)
    known = {event.id for event in read(site.services.stores.records, day)}
    history(site, camera=CAMERA)
    new = [event for event in read(site.services.stores.records, day) if event.id not in known]
    assert [event.type for event in new] == ["recordings.search"]


def test_addresses_are_whole_where_the_installation_knows_its_own(site: Site) -> None:
    from dataclasses import replace

    settings = replace(site.services.settings, public_url="https://saksi.test")
    app = site.remade(settings=settings)
    answer = Caller(app, site.headers).get(HISTORY, params={**span(0, 60), "camera": CAMERA}).json()
    (found,) = answer["cameras"]
    assert found["playlist"].startswith(f"https://saksi.test/v1/cameras/{CAMERA}/playlist.m3u8?from=")
    assert found["view"].startswith("https://saksi.test/tinjau?camera=cam-1&from=")
    assert answer["view"] == found["view"]
