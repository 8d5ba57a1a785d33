"""Find: a place and a time, the cameras that had it in view first, and the way to a request or to review."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from api.web.ground import Ground
from archive.timespan import MINUTE
from tests.integration.api.test_server import serving
from tests.support.api_site import CAMERA, EMPTY_CAMERA, PLACE, T0, Site, camera_json, instant
from tests.support.console import PHONE, Console, comes_true, open_city
from tests.support.requesting import PNG
from tests.support.waiting import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1000)

MARKUP = "<img src=x onerror=alert(1)>"
POINT = f"{PLACE.lat}, {PLACE.lon}"
WINDOW = {"from": instant(-60), "to": instant(120)}
HERE = f"near={PLACE.lat},{PLACE.lon}&radius_m=300&from={WINDOW['from']}&to={WINDOW['to']}"


def stand(site: Site, camera: str, **facts: Any) -> None:
    """Register a camera that has stood there from before the footage on."""
    here = site.clock.now()
    site.clock.step(T0 - MINUTE - here)
    answer = site.call("POST", "/v1/cameras", json={**camera_json(camera), **facts})
    assert answer.status_code == 201, answer.text
    site.clock.step(here - site.clock.now())


@pytest.fixture(scope="module")
def console(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    lat, lon, ours = (
        float(PLACE.lat),
        float(PLACE.lon),
        {"kecamatan": "73.71.01", "kelurahan": "73.71.01.1001"},
    )
    sight = {"field_of_view": 90, "reach_m": 120}
    with open_city(tmp_path_factory.mktemp("city")) as site, serving(site) as port:
        west = {"lat": lat, "lon": lon - 0.0005, "bearing": 90, **sight, **ours}
        stand(site, "toko", name=MARKUP, address="Jl. Haji Bau 12", **west)
        east = {"lat": lat, "lon": lon + 0.0006, "bearing": 90, **sight, **ours}
        stand(site, "taman", name="Taman Kota", address="Jl. Haji Bau 30", **east)
        stand(site, "masjid", name="Masjid Raya")
        yield Console(site, f"http://127.0.0.1:{port}", browser)


def names(page: Page) -> list[str]:
    return page.locator(".found b").all_inner_texts()


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_place_and_a_time_lead_to_the_request(console: Console) -> None:
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/")
        assert urlsplit(page.url).path == "/temukan"
        page.locator("#from").fill("24/11 14.00")
        page.locator("#place").fill(POINT)
        page.locator("#place").press("Enter")
        expect(page.locator("#state")).to_contain_text("4 kamera, 1 menghadap ke sana")
        assert names(page)[0] == MARKUP, "it had the point in view"
        page.locator("#tick-seeing").click()
        expect(page.locator("#chosen-text")).to_contain_text(
            "1 kamera ditandai · 24 Nov 14:00:00–14:30:00 WITA"
        )
        link = page.locator("#request").get_attribute("href")
        assert link is not None
        asked = parse_qs(urlsplit(link).query)
        assert urlsplit(link).path == "/ajukan"
        assert asked["camera"] == ["toko"]
        assert asked["from"] == ["2026-11-24T06:00:00.000Z"]
        # Facts, and no picture: that is said once, and no picture is asked for.
        expect(page.locator("#facts")).to_be_visible()
        expect(page.locator(".found-picture")).to_have_count(0)


def test_what_is_recorded_missing_and_locked_stands_in_words_too(console: Console) -> None:
    with console.page_of("dewi", size=PHONE, theme="light", language="en") as page:
        page.goto(f"{console.url}/temukan?{HERE}")
        bar = page.locator(f".found[data-camera={CAMERA}] .coverage")
        expect(bar.locator(".block.recorded").first).to_be_visible()
        expect(bar.locator(".block.locked").first).to_be_visible()
        expect(bar.locator(".coverage-text")).to_contain_text("20 s not recorded: camera was unreachable")
        expect(bar.locator(".coverage-text")).to_contain_text("not permitted to you")
        assert bar.locator(".block.missing").first.get_attribute("title")


def test_a_click_on_the_map_asks_and_pictures_come_for_those_who_may_see(console: Console) -> None:
    with console.page_of("citra") as page:
        page.goto(
            f"{console.url}/temukan?text=penghibur&from={WINDOW['from']}&to={WINDOW['to']}&at={instant(5)}"
        )
        first = page.locator(f".found[data-camera={CAMERA}]")
        expect(first.locator("canvas")).to_be_visible()
        # The instant in the gap has its cause instead of a picture.
        gap = console.site.gap
        page.locator("#instant").evaluate(
            "(one, ms) => { one.value = ms; one.dispatchEvent(new Event('input', { bubbles: true })) }",
            (gap.start - T0) // 1000 + 60_000 + 10_000,
        )
        expect(first.locator(".no-picture.missing")).to_contain_text("kamera tidak terjangkau")
        assert "at" in query_of(page)
        # A click beside the cameras asks about that point; the camera that sees it comes first.
        box = page.locator("#map .map-place").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2 - 40, box["y"] + box["height"] / 2)
        page.wait_for_url("**near=*")
        expect(page.locator("#radius-part")).to_be_visible()
        assert "text" not in query_of(page)


def test_a_place_is_typed_as_people_write_it(console: Console) -> None:
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/temukan?from={WINDOW['from']}&to={WINDOW['to']}")
        expect(page.locator("#start")).to_be_visible()
        place = page.locator("#place")
        place.press_sequentially("bontor")
        expect(page.locator("#suggestions option")).to_have_count(1)
        suggested = page.locator("#suggestions option").get_attribute("value")
        assert suggested == "Kel. Bontorannu (Mariso)"
        place.fill(suggested)
        place.press("Enter")
        page.wait_for_url("**kelurahan=73.71.01.1001*")
        expect(page.locator("#state")).to_have_text("4 kamera")
        assert page.title().startswith("Kel. Bontorannu (Mariso), 24 Nov 13:59:00–14:02:00 WITA")
        # A street: those whose name or address has it, and from there all that see around it.
        place.fill("jl. haji bau")
        place.press("Enter")
        expect(page.locator("#state")).to_have_text("2 kamera")
        page.locator("#around").click()
        page.wait_for_url("**near=*")
        expect(page.locator("#state")).to_contain_text("menghadap ke sana")
        # A kecamatan by its name alone, and a place that nobody knows.
        place.fill("mariso")
        place.press("Enter")
        page.wait_for_url("**kecamatan=73.71.01*")
        place.fill("tidak ada tempat ini")
        place.press("Enter")
        expect(page.locator("#found")).to_contain_text("Periksa ejaannya")


def test_a_time_is_dragged_on_a_coverage_bar(console: Console) -> None:
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/temukan?{HERE}")
        track = page.locator(f".found[data-camera={CAMERA}] .track")
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 3 + 8, box["y"] + 6)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + 6, steps=5)
        page.mouse.up()
        expect(page.locator("#from-echo")).to_contain_text("24 November 2026, 14:00:0")
        comes_true(page, "new URLSearchParams(location.search).get('to').startsWith('2026-11-24T06:01:0')")
        expect(page.locator(f".found[data-camera={CAMERA}]")).to_have_count(1)


def test_what_is_typed_takes_the_place_of_the_time_that_the_page_gave(console: Console) -> None:
    """By a press or by the keyboard; a time that somebody typed is theirs to correct."""
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/temukan")
        expect(page.locator("#to")).not_to_have_value("")
        page.locator("#to").click()
        page.keyboard.type("24/11/2026 14.30")
        expect(page.locator("#to")).to_have_value("24/11/2026 14.30")
        page.locator("#place").focus()
        page.locator("#to").click()
        page.keyboard.press("End")
        page.keyboard.type(".05")
        expect(page.locator("#to")).to_have_value("24/11/2026 14.30.05")
        page.locator("#place").focus()
        for _ in range(6):
            if page.evaluate("document.activeElement.id") != "from":
                page.keyboard.press("Tab")
        page.keyboard.type("13.00")
        expect(page.locator("#from")).to_have_value("13.00")


def test_an_area_is_drawn_by_dragging(console: Console) -> None:
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/temukan?{HERE}")
        expect(page.locator(".found").first).to_be_visible()
        page.locator("#draw").click()
        expect(page.locator("#drawing")).to_be_visible()
        box = page.locator("#map .map-place").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 120, y - 120)
        page.mouse.down()
        for to_x, to_y in ((x + 120, y - 110), (x + 130, y + 120), (x - 110, y + 120), (x - 118, y - 112)):
            page.mouse.move(to_x, to_y, steps=4)
        page.mouse.up()
        page.wait_for_url("**polygon=*")
        expect(page.locator("#drawing")).to_be_hidden()
        expect(page.locator(f".found[data-camera={CAMERA}]")).to_have_count(1)
        # The way back leads to the question before.
        page.go_back()
        expect(page.locator("#radius-part")).to_be_visible()


def test_a_link_holds_the_whole_question(console: Console) -> None:
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/temukan?{HERE}&at={instant(5)}&camera={EMPTY_CAMERA}&camera=toko")
        expect(page.locator("#chosen-text")).to_contain_text("2 kamera ditandai")
        assert page.locator(f".found[data-camera={EMPTY_CAMERA}] input").is_checked()
        assert page.title().endswith("24 Nov 13:59:00–14:02:00 WITA · Saksi")
        page.locator(f".found[data-camera={EMPTY_CAMERA}] input").uncheck()
        address = page.url
    with console.page_of("tono") as page:
        page.goto(address)
        expect(page.locator("#chosen-text")).to_contain_text("1 kamera ditandai")
        review = page.locator("#review").get_attribute("href")
        assert review is not None
        assert parse_qs(urlsplit(review).query) == {
            "camera": ["toko"],
            "from": ["2026-11-24T05:59:00.000Z"],
            "to": ["2026-11-24T06:02:00.000Z"],
            "at": ["2026-11-24T06:00:05.000Z"],
        }
        expect(page.locator("#request")).to_be_hidden()


def test_a_district_finds_its_own_cameras_and_the_auditor_gets_no_picture(console: Console) -> None:
    with console.page_of("erna") as page:
        page.goto(f"{console.url}/temukan?text=masjid&from={WINDOW['from']}&to={WINDOW['to']}")
        expect(page.locator("#state")).to_have_text("Tidak ada kamera yang ditemukan.")
        expect(page.locator("#found")).to_contain_text("Periksa ejaannya")
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/temukan?text=masjid&from={WINDOW['from']}&to={WINDOW['to']}&camera=masjid")
        expect(page.locator(".found")).to_have_count(1)
        assert names(page) == ["Masjid Raya"]
        expect(page.locator(".found-picture")).to_have_count(0)
        expect(page.locator("#review")).to_be_hidden()
        expect(page.locator("#request")).to_be_hidden()


def test_the_map_is_picked_with_the_keyboard_too(console: Console) -> None:
    with console.page_of("sari") as page:
        page.goto(f"{console.url}/temukan")
        place = page.locator("#map .map-place")
        place.focus()
        expect(page.locator("#map .map-how")).to_be_visible()
        place.press("Enter")
        page.wait_for_url("**near=*")
        expect(page.locator("#state")).not_to_be_empty()
        assert query_of(page)["radius_m"] == ["300"]


def test_without_a_purpose_it_is_asked_for_before_any_picture(console: Console) -> None:
    with console.page_of("citra", purpose="") as page:
        page.goto(f"{console.url}/temukan?{HERE}&at={instant(5)}")
        expect(page.locator("#purpose-part")).to_be_visible()
        expect(page.locator(".found-picture")).to_have_count(0)
        page.locator("#purpose").fill("LP/B/9/XI/2026")
        page.locator("#purpose").press("Enter")
        expect(page.locator("#purpose-part")).to_be_hidden()
        page.locator(f".found[data-camera={CAMERA}]").scroll_into_view_if_needed()
        picture = page.locator(f".found[data-camera={CAMERA}] canvas")
        expect(picture).to_be_visible()
        assert "24 Nov 14:00:0" in str(picture.get_attribute("aria-label")), "it says of when it is"


def test_what_fails_says_so_and_is_tried_again(console: Console) -> None:
    console.expected.append("503")
    with console.page_of("dewi") as page:
        problem = {"code": "index_away", "detail": "Indeks tidak menjawab.", "status": 503}
        page.route("**/v1/search?*", lambda route: route.fulfill(status=503, json=problem))
        page.goto(f"{console.url}/temukan?{HERE}")
        expect(page.locator("#found .state-failed")).to_contain_text("Indeks tidak menjawab.")
        page.unroute("**/v1/search?*")
        page.locator("#found .state-failed button").click()
        expect(page.locator(".found").first).to_be_visible()
        assert len(names(page)) == 4
    console.expected.remove("503")


def test_tiles_and_outlines_are_the_installations_own(console: Console) -> None:
    square = [[119.40, -5.15], [119.41, -5.15], [119.41, -5.14], [119.40, -5.14], [119.40, -5.15]]
    one = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}}
    ground = Ground(
        tiles="https://peta.example/{z}/{x}/{y}.png",
        attribution=MARKUP,
        outlines=json.dumps({"type": "FeatureCollection", "features": [one]}).encode(),
    )
    site = console.site
    services = replace(site.services, settings=replace(site.services.settings, ground=ground))
    with serving(replace(site, services=services)) as port:
        theirs = Console(
            site, f"http://127.0.0.1:{port}", console.browser, ["elsewhere: https://peta.example/"]
        )
        with theirs.page_of("citra") as page:
            page.route(
                "https://peta.example/**", lambda route: route.fulfill(body=PNG, content_type="image/png")
            )
            answer = page.goto(f"{theirs.url}/temukan?{HERE}")
            assert answer is not None
            assert "img-src 'self' https://peta.example;" in answer.headers["content-security-policy"]
            expect(page.locator("#map img.leaflet-tile-loaded").first).to_be_visible()
            expect(page.locator("#map .map-attribution")).to_have_text(MARKUP)
            comes_true(page, "document.getElementById('map').outlines?.getLayers().length === 1")
            # A tile that is not needed any more is taken away without asking for another picture.
            page.locator("#map .leaflet-control-zoom-out").click()
            page.locator("#map .leaflet-control-zoom-out").click()
            expect(page.locator("#map img.leaflet-tile-loaded").first).to_be_visible()
