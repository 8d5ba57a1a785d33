"""What a page costs a slow line: little at the first visit, next to nothing at the next."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from api.auth.principal import Principal
from api.web.navigation import places_of
from archive.canonical import JsonObject
from archive.model.camera import public_state, to_state
from archive.model.user import Role
from archive.timespan import MINUTE
from tests.support.api_site import CAMERA, EMPTY_CAMERA, Site
from tests.support.console import PEOPLE, Console, comes_true

FIRST, NEXT = 400_000, 30_000
"""Bytes on the wire for the first page and for each further one, without footage and pictures."""
MOST = 70
"""Requests of a first page. They are asked for at once: none waits until another one was read."""
CONTENT = ("/v1/cameras/", "/v1/evidence/")


LATE = """performance.getEntriesByType("resource")
  .filter((one) => one.name.endsWith(".js") && !["link", "script"].includes(one.initiatorType))
  .map((one) => one.name)"""


class Meter:
    """Counts the bytes that a page received, without footage and pictures."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._urls: dict[str, str] = {}
        self.bytes = self.requests = 0
        self._session.on("Network.responseReceived", self._respond)
        self._session.on("Network.loadingFinished", self._finish)
        self._session.send("Network.enable")

    def _respond(self, told: dict[str, object]) -> None:
        answer = told["response"]
        assert isinstance(answer, dict)
        self._urls[str(told["requestId"])] = str(answer["url"])

    def _finish(self, told: dict[str, object]) -> None:
        url = self._urls.get(str(told["requestId"]), "")
        if url.startswith("http") and not any(part in url for part in CONTENT):
            size = told["encodedDataLength"]
            assert isinstance(size, int | float)
            self.bytes += int(size)
            self.requests += 1


@pytest.mark.parametrize(("person", "role"), [PEOPLE[0], PEOPLE[3], PEOPLE[5], PEOPLE[7]])
def test_pages_are_light(console: Console, person: str, role: Role) -> None:
    places = places_of(Principal(f"user:{person}", roles=frozenset({role})))
    with console.page_of(person) as page:
        meter = Meter(page)
        page.goto(f"{console.url}/")
        page.wait_for_load_state("networkidle")
        first = meter.bytes
        assert 5_000 < first <= FIRST
        assert 10 < meter.requests <= MOST
        assert page.evaluate(LATE) == [], "imported by a module, which had to be read first"
        for place in places:
            if place.name == "explorer":
                continue  # Swagger UI, for programmers
            page.goto(f"{console.url}{place.path}")
            page.wait_for_load_state("networkidle")
            meter.bytes = 0
            page.goto(f"{console.url}{place.path}")
            page.wait_for_load_state("networkidle")
            assert meter.bytes <= NEXT, place.path


def test_the_list_of_cameras_is_asked_for_once_by_a_tab_and_stays_right(console: Console) -> None:
    with console.page_of("citra") as page:
        answers: list[int] = []
        page.on(
            "response", lambda one: answers.append(one.status) if one.url.endswith("/v1/cameras") else None
        )
        chosen = page.locator(f"#cameras label:has(input[value='{EMPTY_CAMERA}'])")
        page.goto(f"{console.url}/tinjau")
        before = chosen.inner_text()
        page.goto(f"{console.url}/tinjau")
        expect(chosen).to_have_text(before.replace("\n", ""))
        assert answers == [200, 304]
        path = f"/v1/cameras/{EMPTY_CAMERA}"
        tag = console.site.call("GET", path).headers["ETag"]
        changed = console.site.call(
            "PATCH", path, json={"name": "Losari", "reason": "x"}, headers={"If-Match": tag}
        )
        assert changed.status_code == 200, changed.text
        page.goto(f"{console.url}/tinjau")
        expect(chosen).to_contain_text("Losari")
        assert answers == [200, 304, 200]
        page.locator("details.reader summary").click()
        page.locator("#sign-out").click()
        page.wait_for_url("**/masuk*")
        assert page.evaluate("sessionStorage.length") == 0, "what the tab kept goes with the reader"


CITY = 2000
"""Cameras of a large city, of which none is recorded in the worst hour."""


@pytest.fixture(scope="module")
def city(console: Console) -> Site:
    """Cameras in fifteen districts: most do not answer, the others have a recorder that is silent.

    The tests before the first one that uses it have a small city.
    """
    site = console.site
    now = site.clock.now()
    known = site.services.registry.camera(CAMERA)
    lost: JsonObject = {
        "capturing": 0, "kept": 0, "began": now, "grown": 0, "attempts": 9, "failures": 7,
        "cause": "unreachable", "until": now - 12 * MINUTE, "archived": now - 12 * MINUTE,
    }  # fmt: skip
    names = [f"kamera-{number:04d}" for number in range(CITY)]
    for number, name in enumerate(names):
        place = replace(known.place, kecamatan=f"73.71.{number % 15 + 1:02d}")
        camera = replace(known, id=name, name=f"Simpang {number}", place=place)
        site.services.index.put_document("camera", name, 1, public_state(to_state(camera)))
    site.services.directory.changed()
    for recorder, some, at in (("rec-1", names[100:], now), ("rec-2", names[:100], now - 10 * MINUTE)):
        facts: JsonObject = {"version": "1.0", "cameras": dict.fromkeys(some, lost), "waiting": 0}
        site.services.index.put_heartbeat(recorder, at, facts)
    return site


@pytest.mark.usefixtures("city")
def test_health_is_light_though_no_camera_of_a_city_is_recorded(console: Console) -> None:
    """Counts for all, rows for the first ones, and the rest when somebody asks for them."""
    with console.page_of("ada") as page:
        rows = page.locator("#districts li[data-key]")
        meter = Meter(page)
        for _ in range(2):
            meter.bytes = 0
            page.goto(f"{console.url}/kesehatan")
            page.wait_for_load_state("networkidle")
            expect(page.locator("#verdict")).to_contain_text("kamera tidak terekam")
            expect(page.locator("#promise tbody tr")).to_have_count(50)
        assert meter.bytes <= NEXT
        expect(rows).to_have_count(50)
        expect(page.locator("#districts li[data-key='kamera-0000']")).to_have_count(0)  # one finding says it
        first = page.locator("#districts .district").first
        expect(first).to_contain_text("0 dari 13")  # 133 or 134 cameras
        expect(first).to_contain_text("kamera tidak terjangkau: 12")
        expect(first).to_contain_text("perekamnya tidak melapor: ")
        before = first.locator("li[data-key]").count()
        first.locator("button").click()
        expect(first.locator("li[data-key]")).to_have_count(50)
        assert before < 50
        first.locator("button").click()
        expect(first.locator("li[data-key]")).to_have_count(100)
        promise = page.locator("#promise button")
        promise.click()
        expect(page.locator("#promise tbody tr")).to_have_count(100)


PAINTED = """() => {
  window.painted = { arc: 0, drawImage: 0 };
  for (const name of ["arc", "drawImage"]) {
    const was = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      window.painted[name] += 1;
      return was.apply(this, given);
    };
  }
}"""


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(("path", "place"), [("/kamera", "#count"), ("/retensi", "#promise .answer")])
def test_what_lists_a_citys_cameras_is_light_the_second_time(console: Console, path: str, place: str) -> None:
    with console.page_of("ada") as page:
        meter = Meter(page)
        for _ in range(2):
            meter.bytes = 0
            page.goto(f"{console.url}{path}")
            page.wait_for_load_state("networkidle")
            expect(page.locator(place)).to_contain_text(
                re.compile(rf"dari 2[.]?{CITY + 2 - 2000:03d} kamera")
            )
        assert meter.bytes <= NEXT


@pytest.mark.usefixtures("city")
def test_the_map_of_a_city_is_painted_with_a_few_pictures(console: Console) -> None:
    """To paint each disc anew made the frames of a dragged map too long."""
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/temukan")
        page.wait_for_load_state("networkidle")
        page.evaluate(PAINTED)
        box = page.locator("#map").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        comes_true(page, f"window.painted.drawImage >= {CITY}")
        assert page.evaluate("window.painted.arc") < 20


def test_a_row_that_leaves_the_first_page_has_not_recovered(console: Console, city: Site) -> None:
    """Where more is wrong than is listed, what is shown is asked about by name."""
    site = city
    with console.page_of("ada") as page:
        page.clock.install(time=site.clock.now() / 1_000_000)
        page.goto(f"{console.url}/kesehatan")
        shown = page.locator("#districts li[data-key='kamera-0100']")
        expect(shown).to_contain_text("kamera tidak terjangkau")
        now = site.clock.now()
        site.services.index.put_heartbeat("rec-2", now - 10 * MINUTE, {"version": "1.0", "cameras": {}})
        gone: JsonObject = {
            "version": "1.0",
            "cameras": {"kamera-0100": {"grown": 0, "until": 0}},
            "waiting": 0,
        }
        site.services.index.put_heartbeat("rec-3", now - 10 * MINUTE, gone)
        lost = {
            f"kamera-{number:04d}": {"grown": 0, "until": 0, "cause": "unreachable"}
            for number in range(101, CITY)
        }
        site.services.index.put_heartbeat("rec-1", now, {"version": "1.0", "cameras": lost, "waiting": 0})
        page.clock.run_for(10_500)
        expect(shown).to_contain_text("perekamnya tidak melapor")
        expect(shown).not_to_have_class("recovered")
        expect(page.locator("#districts .recovered")).to_have_count(0)
