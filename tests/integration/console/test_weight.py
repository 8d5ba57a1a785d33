"""What a page costs a slow line: little at the first visit, next to nothing at the next."""

import pytest
from playwright.sync_api import Page

from api.auth.principal import Principal
from api.web.navigation import places_of
from archive.model.user import Role
from tests.support.console import PEOPLE, Console

FIRST, NEXT = 400_000, 30_000
"""Bytes on the wire for the first page and for each further one, without footage and pictures."""
CONTENT = ("/v1/cameras/", "/v1/evidence/")


class Meter:
    """Counts the bytes that a page received, without footage and pictures."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._urls: dict[str, str] = {}
        self.bytes = 0
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


@pytest.mark.parametrize(("person", "role"), [PEOPLE[0], PEOPLE[3], PEOPLE[5], PEOPLE[7]])
def test_pages_are_light(console: Console, person: str, role: Role) -> None:
    places = places_of(Principal(f"user:{person}", roles=frozenset({role})))
    with console.page_of(person) as page:
        meter = Meter(page)
        page.goto(f"{console.url}/")
        page.wait_for_load_state("networkidle")
        first = meter.bytes
        assert 5_000 < first <= FIRST
        for place in places:
            if place.name == "explorer":
                continue  # Swagger UI, for programmers
            page.goto(f"{console.url}{place.path}")
            page.wait_for_load_state("networkidle")
            meter.bytes = 0
            page.goto(f"{console.url}{place.path}")
            page.wait_for_load_state("networkidle")
            assert meter.bytes <= NEXT, place.path
