"""The console in a real Chromium, driven by Playwright: a city with a person of every role, and their pages.

Playwright brings no browser; it drives the Chromium of the machine. Each page that a test opens is watched:
when it is closed, nothing may have been logged as an error or a warning, refused by the page's policy, or
asked of another host.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from archive.model.user import Role
from archive.timespan import SECOND
from ops.pages import TOOLS_FOLDER
from tests.support import api_site
from tests.support.api_site import EMPTY_CAMERA, T0, Site, archive_run, open_site
from tests.support.browser import chromium
from tests.support.people import PURPOSE, add_person, catch_up, cookie_of
from tests.support.programs import lacking, need_player
from tests.support.waiting import PATIENCE_S, until

LAPTOP, DESKTOP, PHONE = (1366, 768), (1920, 1080), (390, 844)
SIZES = (LAPTOP, DESKTOP, PHONE)
DISTRICT = "73.71.01"
Made = TypeVar("Made")

PEOPLE: Sequence[tuple[str, Role]] = (
    ("dewi", Role.POLICE),
    ("sari", Role.SATPOL_PP),
    ("erna", Role.KECAMATAN),
    ("citra", Role.WAR_ROOM),
    ("tono", Role.WAR_ROOM),
    ("ada", Role.ADMIN),
    ("budi", Role.ADMIN),
    ("indra", Role.AUDITOR),
)
"""A person of every role, and a second one of those whose acts need two."""


@contextmanager
def open_city(folder: Path) -> Iterator[Site]:
    """An installation with footage of two cameras and with :data:`PEOPLE`."""
    with open_site(folder) as made:
        footage = api_site._footage("h264-closed")[1]
        run = "6b05180000000003"
        archive_run(made.services, footage, run=run, start=T0 + 12 * SECOND, camera=EMPTY_CAMERA)
        for name, role in PEOPLE:
            districts = [DISTRICT] if role is Role.KECAMATAN else []
            add_person(made, name, role, districts=districts, agency="polrestabes" if name == "dewi" else "")
        catch_up(made)
        yield made


@contextmanager
def driven() -> Iterator[Browser]:
    """The machine's Chromium under Playwright's control."""
    need_player()
    expect.set_options(timeout=PATIENCE_S * 1000)  # a busy machine needs more than five seconds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                  "--autoplay-policy=no-user-gesture-required"],
        )  # fmt: skip
        try:
            yield browser
        finally:
            browser.close()


def aside(work: Callable[[], Made]) -> Made:
    """Do some work in another thread: in Playwright's own no event loop can be run, and signing runs one.

    :class:`~tests.support.api_site.Caller` does so by itself.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def comes_true(page: Page, expression: str) -> None:
    """Wait until it holds in the page. Playwright's own wait asks again by ``eval``, which pages refuse."""
    until(lambda: page.evaluate(expression), expression)


def decided(page: Page, button: str) -> None:
    """Press the button of the decision that the page asks for, and wait until it is made."""
    page.locator("dialog.decision").get_by_role("button", name=button).click()
    expect(page.locator("dialog.decision")).to_have_count(0)


def put_on_the_map(page: Page) -> None:
    """Set a camera's place by a click in the middle of the map of its form; it looks east, 40 m far."""
    place = page.locator("#map .map-place")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    before, middle = page.locator("#lat").input_value(), (box["width"] / 2, box["height"] / 2)
    place.click(position={"x": middle[0], "y": middle[1]})
    expect(page.locator("#lat")).not_to_have_value(before)
    page.locator("#aim").click()
    place.click(position={"x": middle[0] + 40, "y": middle[1]})
    expect(page.locator("#bearing")).to_have_value(re.compile(r"89|90|91"))
    expect(page.locator("#aim")).to_have_attribute("aria-pressed", "false")
    page.locator("#reach_m").fill("40")


def barriers(page: Page) -> list[str]:
    """What keeps people out of a page as it is now, by axe-core: of any level, best practices too."""
    script = TOOLS_FOLDER / "axe-core" / "axe.min.js"
    if not script.is_file():
        lacking("axe-core is not there; fetch it with: python -m ops.pages --tools")
    page.evaluate(script.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['target']} {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@dataclass
class Console:
    """The pages of one city. ``url`` is where it is served, ``expected`` what a test expects to be logged."""

    site: Site
    url: str
    browser: Browser
    expected: list[str] = field(default_factory=list)

    @contextmanager
    def page_of(
        self,
        person: str,
        *,
        size: tuple[int, int] = LAPTOP,
        theme: str = "dark",
        language: str = "id",
        purpose: str = PURPOSE,
    ) -> Iterator[Page]:
        """A page with a person's session ("": none), at the site's time; watched until the block ends."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="light" if theme == "light" else "dark",
            locale=language,
            has_touch=size == PHONE,
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        self._cookies(context, person, theme, language, purpose)
        page = context.new_page()
        page.clock.set_fixed_time(self.site.clock.now() / 1_000_000)
        said: list[str] = []
        page.on("console", lambda one: said.append(f"{one.type}: {one.text} {one.location.get('url', '')}"))
        page.on("pageerror", lambda error: said.append(f"exception: {error}"))
        page.on("request", lambda one: said.append(self._judged(one.url)))
        try:
            yield page
        finally:
            context.close()
        bad = [one for one in said if one.startswith(("error", "warning", "exception", "elsewhere"))]
        strange = [one for one in bad if not any(known in one for known in self.expected)]
        assert strange == [], strange

    def _judged(self, url: str) -> str:
        is_ours = url.startswith((self.url, "blob:", "data:", "about:"))
        return f"{'request' if is_ours else 'elsewhere'}: {url}"

    def _cookies(self, context: BrowserContext, person: str, theme: str, language: str, purpose: str) -> None:
        pairs = {"saksi_tema": theme, "saksi_bahasa": language}
        if person:
            name, _, value = cookie_of(self.site, person, purpose).partition("=")
            pairs[name] = value
        context.add_cookies(
            [{"name": name, "value": value, "url": self.url} for name, value in pairs.items()]
        )
