"""What a page costs a slow line: little at the first visit, next to nothing at the next."""

import pytest
from playwright.sync_api import Page, expect

from api.auth.principal import Principal
from api.web.navigation import places_of
from archive.model.user import Role
from tests.support.api_site import EMPTY_CAMERA
from tests.support.console import PEOPLE, Console

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
