"""The page that shows the API, in a real Chromium: it reads, it breaks no policy, and it needs a session."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.web.files import EXPLORER, fetched
from archive.model.user import Role
from tests.integration.api.test_server import serving
from tests.support.api_site import Caller, Site, open_site
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened
from tests.support.people import add_person, catch_up, cookie_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        add_person(made, "erna", Role.WAR_ROOM)
        catch_up(made)
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    """One server, which describes its interface once."""
    with serving(site) as port:
        yield f"http://127.0.0.1:{port}"


def scrolled_to(browser: Browser, selector: str) -> None:
    """Scroll until the element is there: of a long list Swagger UI renders what is near the screen."""
    script = f"document.querySelector({json.dumps(selector)}) !== null || (window.scrollBy(0, 300), false)"
    browser.wait(script)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_operations_are_shown_and_reads_can_be_tried(
    site: Site, url: str, tmp_path: Path, width: int, height: int
) -> None:
    assert fetched(EXPLORER).is_file(), "fetch it with: python -m ops.pages"
    with opened(chromium(), tmp_path) as browser:
        browser.size(width, height)
        browser.cookie(url, cookie_of(site, "erna", purpose=""))
        browser.open(f"{url}/antarmuka")
        scrolled_to(browser, "#operations-cameras-list_cameras .opblock-summary-control")
        browser.click("#operations-cameras-list_cameras .opblock-summary-control")
        browser.wait("document.querySelector('#operations-cameras-list_cameras .try-out__btn')")
        browser.click("#operations-cameras-list_cameras .try-out__btn")
        browser.click("#operations-cameras-list_cameras .execute")
        browser.wait("document.querySelector('.live-responses-table .response-col_status')")
        shown = browser.run("document.querySelector('.live-responses-table').innerText")
        assert "cam-1" in shown
        scrolled_to(browser, "#operations-cameras-add_camera .opblock-summary-control")
        browser.click("#operations-cameras-add_camera .opblock-summary-control")
        browser.wait("document.querySelector('#operations-cameras-add_camera .opblock-body')")
        assert not browser.run(
            "Boolean(document.querySelector('#operations-cameras-add_camera .try-out__btn'))"
        )
        assert [line for line in browser.log if "Content Security Policy" in line or "policy:" in line] == []
        assert [line for line in browser.log if line.startswith("exception:")] == []
        assert [
            one for one in browser.requests if not one.startswith((url, "data:", "about:", "blob:"))
        ] == []
        wide = browser.run("document.documentElement.scrollWidth")
        assert wide <= width + 1


def test_strangers_are_sent_to_sign_in(site: Site) -> None:
    stranger = Caller(site.app, {"Accept": "text/html"})
    answer = stranger.get("/antarmuka")
    assert answer.status_code in (302, 303, 401)
    assert "swagger" not in answer.text
