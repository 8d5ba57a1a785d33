"""Pages hear of changes: they move by themselves, never under somebody's hands, and without a stream too."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from archive.timespan import MINUTE
from tests.integration.api.test_server import serving
from tests.integration.console.test_queue import MARKUP, change, filed
from tests.support.api_site import CAMERA, instant
from tests.support.console import PHONE, Console, open_city
from tests.support.people import caller
from tests.support.waiting import until

WITHOUT_CLOCK = """
const own = window.setInterval;
window.setInterval = (act, ms, ...more) => (ms === 1000 ? 0 : own(act, ms, ...more));
"""
"""Nothing is read by the clock any more, so that only the stream can move a page."""
HALF_A_MINUTE = 30_000


@pytest.fixture(scope="module")
def console(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with open_city(tmp_path_factory.mktemp("city")) as site:
        settings = replace(site.services.settings, events_life=5 * MINUTE)
        site.services = replace(site.services, settings=settings)
        with serving(site) as port:
            yield Console(site, f"http://127.0.0.1:{port}", browser)


def listening(page: Page, url: str) -> None:
    """Open a page that hears of changes through the stream alone."""
    page.add_init_script(WITHOUT_CLOCK)
    with page.expect_response("**/v1/events?*") as opened:
        page.goto(url)
    assert opened.value.status == 200
    page.evaluate("window.isTheSame = true")


def test_an_officers_request_moves_when_somebody_approves_it(console: Console) -> None:
    request = filed(console.site)
    with console.page_of("dewi", size=PHONE) as page:
        listening(page, f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#state")).to_have_text("Diajukan")
        change(console.site, "citra", request["id"], "approve", reason="lengkap")
        expect(page.locator("#state")).to_have_text("Disetujui")
        assert page.evaluate("window.isTheSame"), "it was not loaded again"
        expect(page.locator("#changed")).to_be_hidden()
    with console.page_of("dewi") as page:
        listening(page, f"{console.url}/permintaan")
        rows = page.locator("#list .request-row")
        expect(rows.first.locator(".badge")).to_have_text("Disetujui")
        before = rows.count()
        filed(console.site)
        expect(rows).to_have_count(before + 1)


def test_the_queue_and_its_number_grow_by_themselves(console: Console) -> None:
    with console.page_of("tono") as queue, console.page_of("tono", size=PHONE) as elsewhere:
        listening(queue, f"{console.url}/antrean")
        listening(elsewhere, f"{console.url}/paket")
        rows = queue.locator("#list-submitted li[data-request]")
        expect(queue.locator("#as-of")).to_contain_text("Keadaan pukul")
        before = rows.count()
        filed(console.site)
        expect(rows).to_have_count(before + 1)
        for page in (queue, elsewhere):
            expect(page.locator(".places .count")).to_contain_text(str(before + 1))


def test_the_wall_has_the_number_of_the_queue_too(console: Console) -> None:
    with console.page_of("tono") as page:
        listening(page, f"{console.url}/tinjau?camera={CAMERA}&from={instant(0)}&to={instant(12)}")
        page.locator("#purpose-form button").click()
        expect(page.locator(".tile")).to_have_count(1)
        for _ in range(2):
            filed(console.site)
            waiting = len(
                caller(console.site, "tono")
                .get("/v1/requests", params={"status": "submitted"})
                .json()["requests"]
            )
            expect(page.locator(".places .count")).to_contain_text(str(waiting))


def test_what_changed_before_the_stream_began_is_read_at_once(console: Console) -> None:
    """A page has read its list, something changes, and only then its stream begins: no clock is needed."""
    with console.page_of("dewi") as page:
        held: list[Route] = []
        page.add_init_script(WITHOUT_CLOCK)
        page.route("**/v1/events?*", lambda route: held.append(route))
        filed(console.site)
        page.goto(f"{console.url}/permintaan")
        expect(page.locator("#list .request-row").first).to_be_visible()
        until(lambda: page.evaluate("true") and held, "the page asks for its stream")
        new = page.locator(f"#list [href$='{filed(console.site)['id']}']")
        expect(new).to_have_count(0)
        held.pop().continue_()
        expect(new.first).to_be_visible()


def test_what_somebody_decides_on_does_not_change_under_their_hands(console: Console) -> None:
    request = filed(console.site)
    with console.page_of("citra") as page:
        listening(page, f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#decision")).to_be_visible()
        change(console.site, "tono", request["id"], "comments", text=MARKUP)
        expect(page.locator("#changed")).to_contain_text("Ada perubahan")
        assert MARKUP not in page.locator("main").inner_text()
        page.locator("#changed").get_by_role("button", name="Tampilkan").click()
        expect(page.locator("#comments")).to_contain_text(MARKUP)
        expect(page.locator("#changed")).to_be_hidden()
        assert "altered" not in page.title()


def test_without_the_stream_pages_are_read_by_the_clock(console: Console) -> None:
    request = filed(console.site)
    console.expected.append("ERR_FAILED")
    with console.page_of("dewi", language="en", theme="light") as page:
        page.route("**/v1/events?*", lambda route: route.abort())
        page.goto(f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#state")).to_have_text("Filed")
        change(console.site, "citra", request["id"], "approve", reason="lengkap")
        page.clock.run_for(HALF_A_MINUTE)
        expect(page.locator("#state")).to_have_text("Approved")
        page.route("**/v1/requests/*", lambda route: route.abort())
        page.clock.run_for(HALF_A_MINUTE)
        expect(page.locator("#as-of")).to_contain_text("The server does not answer. This is as of")
        expect(page.locator("#state")).to_have_text("Approved")
    console.expected.clear()
