"""The three stories, driven in the browser, and pictures of their pages for the guides and the README.

``make pictures`` writes them to ``docs/guide/pictures``; else they go where a test's files go.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.timespan import SECOND, format_instant
from tests.integration.api.test_server import serving
from tests.support.console import PHONE, Console, aside, comes_true, decided
from tests.support.filmed import BEGINS, CUT, SCENES, SECONDS, film
from tests.support.furnished import Furnished, beat, furnished_city
from tests.support.officer import letter
from tests.support.pictures import MOST_BYTES, shoot
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE_S * 1000)

FROM, TO = format_instant(BEGINS), format_instant(BEGINS + SECONDS * SECOND)
TABLE, SHEET = (1180, 760), (900, 760)
"""Sizes of windows: of a picture that is shown wide, and of one that is printed small."""

IN_VIEW = "-5.14342, 119.40679"
"""A point of the street that one camera looks at."""

STILLS = """['a', 'canvas'].map((part) => document.querySelectorAll(`#decision .footage-card ${part}`).length)
  .every((count, _, [first]) => count === first)"""
"""Whether each camera that can be played shows its still."""


@dataclass
class Story:
    """The city, its console, where pictures go, and what one test leaves to the next."""

    city: Furnished
    console: Console
    folder: Path
    request: str = ""
    taken: list[Path] = field(default_factory=list)

    def page(self, person: str, **look: Any) -> Any:
        """A page of a person, with the time of the city."""
        self.city.site.clock.advance(4 * SECOND)
        return self.console.page_of(person, **{"theme": "light", **look})

    def shoot(self, page: Page, name: str, *parts: Any, **form: int) -> None:
        """Take a picture of a page, or of parts of it."""
        path = self.folder / name
        shoot(page, path, *(page.locator(part).first for part in parts), **form)
        self.taken.append(path)


@pytest.fixture(scope="module")
def story(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = Path(os.environ.get("SAKSI_PICTURES") or tmp_path_factory.mktemp("pictures"))
    with furnished_city(tmp_path_factory.mktemp("city")) as city:
        film(city, tmp_path_factory.mktemp("film"))
        with serving(city.site) as port:
            yield Story(city, Console(city.site, f"http://127.0.0.1:{port}", browser), folder)


def asked(page: Page, url: str) -> None:
    """Ask Find about the street and the two minutes, as people type them; then about a point of it."""
    page.goto(f"{url}/temukan")
    page.locator("#from").fill("24/11/2026 14.35")
    page.locator("#from").press("Tab")
    expect(page.locator("#to")).to_have_value("2026-11-24 15:35:00")  # an hour, until it is changed
    page.locator("#to").fill("14.37")
    page.locator("#place").fill("Jl. Penghibur")
    page.locator("#place").press("Enter")
    expect(page.locator("#state")).to_contain_text("kamera")
    page.locator("#place").fill(IN_VIEW)
    page.locator("#place").press("Enter")
    expect(page.locator("#state")).to_contain_text("1 menghadap ke sana")
    expect(page.locator(".found .coverage-text").first).to_be_visible()


def test_an_operator_finds_with_pictures(story: Story) -> None:
    with story.page("citra", size=(1366, 900)) as page:
        asked(page, story.console.url)
        page.locator("#radius").select_option("500")
        expect(page.locator("#state")).to_contain_text("5 kamera, 1 menghadap ke sana")
        page.locator("#tick-seeing").click()
        expect(page.locator(".found canvas").first).to_be_visible()
        expect(page.locator("#chosen-text")).to_contain_text("ditandai")
        story.shoot(page, "temukan.jpg", wide=1100)


def test_an_officer_finds_files_and_follows(story: Story) -> None:
    with story.page("dewi", size=PHONE) as page:
        asked(page, story.console.url)
        page.locator("#tick-seeing").click()
        story.shoot(page, "petugas-temukan.png", "#tick-seeing", "#chosen", most_high=520)
        page.locator("#request").click()
        expect(page.locator("#cameras .coverage-text").first).to_be_visible()
        page.fill("#case", "LP/B/140/XI/2026")
        page.fill("#purpose", "Penjambretan di anjungan, pelaku bersepeda motor ke arah utara")
        page.set_input_files("#letter-scan", letter())
        expect(page.locator("#letter [role=status]")).to_have_text("Tersimpan di arsip.")
        story.shoot(page, "petugas-ajukan.png", "#paper", "#send", most_high=620)
        page.click("#send")
        page.wait_for_url("**/permintaan/REQ-*")
        expect(page.locator("#just-filed")).to_contain_text("Rekaman ditahan mulai sekarang")
        story.request = page.url.rsplit("/", 1)[1]
        expect(page.locator("#rail li").first).to_be_visible()
        story.shoot(page, "petugas-menunggu.png", "#just-filed", "#rail")


def test_an_operator_looks_and_approves(story: Story) -> None:
    at = format_instant(CUT.start + 8 * SECOND)
    view = urlencode([*(("camera", one) for one in SCENES), ("from", FROM), ("to", TO), ("at", at)])
    with story.page("citra", size=TABLE, theme="dark") as page:
        page.goto(f"{story.console.url}/tinjau?{view}")
        page.locator("#purpose-form button").click()
        expect(page.locator(".tile")).to_have_count(len(SCENES))
        expect(page.locator(".cover[data-kind=missing]")).to_be_visible()
        comes_true(
            page,
            "[...document.querySelectorAll('.tile video')].filter(one => one.readyState > 1).length > 2"
            " && document.getElementById('state').textContent === 'Dijeda'",
        )
        story.shoot(page, "tinjau.jpg", wide=940)
    with story.page("citra", size=SHEET) as page:
        page.goto(f"{story.console.url}/antrean")
        expect(page.locator(f"li[data-request='{story.request}']")).to_be_visible()
        story.shoot(page, "antrean.png", "h1", "#list-submitted", most_high=460)
        page.goto(f"{story.console.url}/permintaan/{story.request}")
        expect(page.locator("#decision").get_by_role("button", name="Setujui", exact=True)).to_be_visible()
        expect(page.locator("#decision .footage-card a").first).to_be_visible()
        comes_true(page, STILLS)
        story.shoot(page, "keputusan.jpg", "#decision", most_high=560)
        page.locator("#decision").get_by_role("button", name="Setujui", exact=True).click()
        decided(page, "Setujui")
    assert aside(story.city.site.evidence.run_open_requests) >= 1


def test_another_hands_over_and_the_officer_compares(story: Story) -> None:
    with story.page("tono", size=SHEET) as page:
        page.goto(f"{story.console.url}/permintaan/{story.request}")
        page.get_by_label("NIP Anda").fill("198003152006041002")
        for check in page.locator(".checks input").all():
            check.check()
        story.shoot(page, "serah-terima.png", "#decision", most_high=560)
        page.get_by_role("button", name="Serahkan").click()
        decided(page, "Serahkan")
    for look, name in (({"size": PHONE}, "petugas-cocok.png"), ({"size": TABLE}, "cocok.png")):
        with story.page("dewi", **look) as page:
            page.goto(f"{story.console.url}/permintaan/{story.request}")
            with page.expect_download():
                page.locator("#fetch").click()
            expect(page.locator(".whole-verdict")).to_contain_text("Cocok")
            if name == "cocok.png":
                story.shoot(page, name, "h1", "#receive", wide=1000)
            else:
                story.shoot(page, name, "#receive", most_high=620)
                page.locator("#confirm").click()
                expect(page.locator(".confirmed")).to_contain_text("Penerimaan dikonfirmasi")


def test_an_admin_looks_after_cameras_time_and_people(story: Story) -> None:
    beat(story.city.site, silent=("pettarani-simpang",))
    with story.page("ada", size=SHEET) as page:
        page.goto(f"{story.console.url}/kesehatan")
        expect(page.locator("#todo li").first).to_be_visible()
        expect(page.locator("#districts")).to_contain_text("tidak terjangkau")
        story.shoot(page, "kesehatan.png", "h1", "#districts", most_high=560)
    with story.page("budi", size=SHEET) as page:
        page.goto(f"{story.console.url}/retensi/{story.city.policy}")
        expect(page.locator("#proposed-effect .plot").first).to_be_visible()
        story.shoot(page, "retensi.png", "#proposal", most_high=640)
        page.goto(f"{story.console.url}/akun/{story.city.invited}")
        expect(page.get_by_role("button", name="Setujui peran")).to_be_visible()
        story.shoot(page, "akun.png", "h1", "main section", most_high=460)
        page.goto(f"{story.console.url}/kamera-baru")
        expect(page.locator("h1")).to_be_visible()
        story.shoot(page, "kamera-baru.png", "h1", "main form", most_high=560)
    assert len(story.taken) == len(set(story.taken)) >= 4
    assert all(1000 < one.stat().st_size <= MOST_BYTES for one in story.taken)
