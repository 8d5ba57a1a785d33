"""One city and one browser for the tests of a module. A test opens pages with ``console.page_of(person)``."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.integration.api.test_server import serving
from tests.support.console import Console, driven, open_city


@pytest.fixture(
    scope="module"
)  # no longer: Playwright's loop runs in this thread as long as the browser does
def browser() -> Iterator[Browser]:
    with driven() as found:
        yield found


@pytest.fixture(scope="module")
def console(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with open_city(tmp_path_factory.mktemp("city")) as site, serving(site) as port:
        yield Console(site, f"http://127.0.0.1:{port}", browser)
