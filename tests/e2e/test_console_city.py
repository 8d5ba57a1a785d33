"""The stories of two admins, an operator and the auditor in the browser, over the processes that a city runs.

Two admins shorten how long a kecamatan's footage is kept; what a hold keeps stands out. One of them tests a
camera of MediaMTX, sets it on the map and adds it; the recorder records it and an operator sees it. The
auditor reads who did what, by item, by person and by time, and prints it. A day later the policy rules.
Sign-in is at Keycloak, the archive on MinIO, the index on Elasticsearch.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from archive.timespan import DAY, HOUR, format_instant
from tests.integration.api.test_server import serving
from tests.integration.console.conftest import browser
from tests.support.api_site import CAMERA, EMPTY_CAMERA, instant
from tests.support.console import Console, comes_true, decided, put_on_the_map
from tests.support.indexes import free_port
from tests.support.keycloak import KeycloakServer
from tests.support.looks import dressed_faults
from tests.support.numbered import HEIGHT, WIDTH, make_numbered, publish
from tests.support.people import catch_up
from tests.support.real_city import City, environ, real_city
from tests.support.real_console import running, signed_in
from tests.support.servers import MediamtxServer
from tests.support.sound import segments_of
from tests.support.waiting import PATIENCE_S, until

__all__ = ["browser", "environ"]
ADMIN, SECOND_ADMIN, OPERATOR, OFFICER, AUDITOR = (
    "kominfo-1", "kominfo-2", "warroom-1", "polisi", "inspektorat",
)  # fmt: skip
POLICY = "kecamatan-73.71.01"
NEW, NEW_NAME = "karebosi-alun-alun", "Lapangan Karebosi, alun-alun"
CAMERAS = (CAMERA, EMPTY_CAMERA, NEW)
FRAMED = """(() => {
  const video = document.querySelector('.tile video');
  if (!video || video.readyState < 2 || !video.videoWidth) return false;
  const canvas = new OffscreenCanvas(64, 48), pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0, 64, 48);
  return video.currentTime > 0 && new Set(pen.getImageData(0, 0, 64, 48).data).size > 64;
})()"""
"""Whether a tile plays and shows a picture with many tones, not a plane."""


@dataclass
class Stories:
    """The city, its console, its Keycloak, and what was wrong with the look of the pages."""

    city: City
    console: Console
    keycloak: KeycloakServer
    faults: list[str]

    def page(self, name: str, path: str) -> Any:
        """A person's page, signed in at Keycloak."""
        return signed_in(self.console, self.keycloak, name, path)

    def look(self, page: Page, name: str) -> None:
        """Look at a page as it stands, in both themes, on a laptop and on a phone."""
        self.faults += dressed_faults(page, CAMERAS, name)


def shown(page: Page, one: Locator, text: str) -> None:
    """Open the page anew until a part of it has a text: what another process wrote is followed by a job."""

    def has_it() -> bool:
        page.reload()
        page.wait_for_load_state("networkidle")
        return any(text in found for found in one.all_inner_texts())

    if not any(text in found for found in one.all_inner_texts()):
        until(has_it, f"the page says {text}")


@pytest.fixture
def stories(
    tmp_path: Path, environ: dict[str, str], keycloak_server: KeycloakServer, browser: Browser
) -> Iterator[Stories]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with real_city(tmp_path, environ, keycloak_server, url) as made:
        for name in (ADMIN, SECOND_ADMIN, OPERATOR, OFFICER, AUDITOR):
            made.sign_in(name)  # whose roles wait for consent gets it here
        form = {
            "cameras": [CAMERA], "from": instant(0), "to": instant(25), "case": "LP/B/123/XI/2026",
            "owner": "Polrestabes Makassar", "basis": "KUHAP pasal 39",
            "review_at": format_instant(made.site.clock.now() + 30 * DAY),
        }  # fmt: skip
        assert made.who(OPERATOR)("POST", "/v1/holds", json=form).status_code == 201
        made.sweep()
        with running(made, tmp_path, port):
            console = Console(made.site, url, browser, expected=[keycloak_server.url])
            yield Stories(made, console, keycloak_server, [])


def propose(told: Stories) -> None:
    """An admin proposes 45 days for the kecamatan of a camera that they press on the map."""
    with told.page(ADMIN, "/retensi") as page:
        expect(page.locator("#policies table")).to_be_visible()
        until(lambda: pressed_on_the_map(page), "the camera's policies are explained")
        expect(page.locator("#explained .chain li")).to_have_count(4)
        told.look(page, "retensi admin")
        page.locator("#explained .chain a", has_text="Kec. Mariso").click()
        page.wait_for_url(f"**/retensi/{POLICY}")
        page.locator("#max").fill("45")
        page.locator("#basis").fill("Perwali 4/2017 pasal 9")
        page.locator("#reason").fill("Putusan rapat 8")
        expect(page.locator("#effect")).to_contain_text("Ini memendekkan. Orang kedua harus menyetujui")
        expect(page.locator("#effect .held-text")).to_contain_text("tetap tinggal karena ditahan")
        expect(page.locator("#effect .plot")).to_have_count(2)
        assert page.locator("#effect .plot-bar-held").count() > 0, "what is held stands out"
        assert page.locator("#effect .plot-bar-missing").count() > 0
        told.look(page, "kebijakan admin")
        page.locator("#propose").click()
        expect(page.locator("#proposal")).to_contain_text("dimusnahkan setelah 45 hari")
        expect(page.get_by_role("button", name="Setujui pemendekan")).to_be_disabled()
        expect(page.locator("#proposal")).to_contain_text("Anda yang mengusulkan. Admin lain")
        expect(page.locator("#proposed-effect .plot")).to_have_count(2)
        told.look(page, "usulan sendiri admin")


def pressed_on_the_map(page: Page) -> bool:
    page.locator("#map .map-place").click()  # its middle, where both cameras stand
    page.wait_for_load_state("networkidle")
    return page.locator("#explained .chain").count() > 0


def keep_out(told: Stories) -> None:
    """An officer reads what rules now, and nothing of what two admins still decide."""
    with told.page(OFFICER, f"/retensi/{POLICY}") as page:
        expect(page.locator("#now")).to_contain_text("belum punya kebijakan sendiri")
        expect(page.locator("#proposal")).to_be_hidden()
        expect(page.locator("#change")).to_be_hidden()
        assert page.locator("#content").get_by_role("button").count() == 0
        assert page.locator(".plot").count() == 0
        assert page.locator(".places a[data-place=retention]").count() == 0
        told.look(page, "kebijakan petugas")


def approve(told: Stories) -> None:
    """The second admin approves; the countdown is there for those who watch over footage."""
    with told.page(SECOND_ADMIN, "/retensi") as page:
        shown(page, page.locator("#waiting"), "Diusulkan oleh Gita")
        told.look(page, "retensi menunggu")
        page.locator("#waiting a").click()
        expect(page.locator("#proposed-effect .held-text")).to_contain_text("tetap tinggal karena ditahan")
        page.get_by_role("button", name="Setujui pemendekan").click()
        told.look(page, "keputusan pemendekan")
        decided(page, "Setujui pemendekan")
        expect(page.locator("#coming")).to_contain_text("mulai berlaku")
        told.look(page, "pemendekan disetujui")
    for name in (OPERATOR, AUDITOR):
        with told.page(name, "/retensi") as page:
            shown(page, page.locator("#waiting"), "mulai berlaku")


def add_camera(told: Stories, source: str) -> None:
    """An admin tests a camera, sets it on the map, adds it, and sees that it is recorded."""
    with told.page(ADMIN, "/kamera") as page:
        page.get_by_role("link", name="Tambah kamera").click()
        for name, text in {"id": NEW, "name": NEW_NAME, "source": source}.items():
            page.locator(f"#{name}").fill(text)
        page.locator("#kecamatan").select_option(label="Ujung Pandang")
        page.locator("#kelurahan").select_option(label="Baru")
        page.locator("#is-public").check()
        page.locator("#try").click()
        good = page.locator("#trial h2", has_text="Kamera memberi gambar")
        until(lambda: tried(page, good), "a recorder gets a picture", seconds=4 * PATIENCE_S)
        expect(page.locator("#trial")).to_contain_text(f"{WIDTH} × {HEIGHT}")
        expect(page.locator("#trial")).to_contain_text("H.264")
        expect(page.locator("#trial")).to_contain_text("Diuji oleh perekam rec-test")
        comes_true(page, f"document.querySelector('#trial img')?.naturalWidth === {WIDTH}")
        put_on_the_map(page)
        told.look(page, "kamera baru")
        page.get_by_role("button", name="Daftarkan kamera").click()
        page.wait_for_url(f"**/kamera/{NEW}")
        expect(page.locator("#where")).to_contain_text("timur")
        expect(page.locator("#now")).to_contain_text("direkam")
        told.look(page, "kamera direkam")


def tried(page: Page, good: Locator) -> bool:
    """Whether the camera gave a picture; on a busy machine it is asked again, as a person would."""
    again = page.locator("#trial").get_by_role("button", name="Coba lagi")
    expect(good.or_(again)).to_be_visible()
    if good.count():
        return True
    again.click()
    return False


def see(told: Stories) -> None:
    """An operator finds the camera and plays what it saw."""
    wired = told.city.site.evidence.site
    until(lambda: len(segments_of(wired, NEW)) >= 3, "the camera is in the archive")
    with told.page(OPERATOR, f"/kamera/{NEW}") as page:
        page.locator("#acts a.main").click()
        page.wait_for_url("**/tinjau?**")
        page.locator("#purpose").fill("LP/B/123/XI/2026")
        page.locator("#purpose").press("Enter")
        expect(page.locator(".tile")).to_have_count(1)
        page.keyboard.press("f")  # to the first footage in the window
        page.keyboard.press("Space")
        comes_true(page, FRAMED)
        told.look(page, "tinjau kamera baru")


def oversee(told: Stories, folder: Path) -> None:
    """The auditor reads by item, by person and by time, and prints each."""
    with told.page(AUDITOR, "/pengawasan") as page:
        deeds = page.locator(".deeds li")
        asked(page, "#item", NEW_NAME)
        expect(page.locator("#subject")).to_have_text(NEW_NAME)
        shown(page, deeds, f"Citra Warroom memutar {NEW_NAME}")
        expect(deeds.filter(has_text=f"Gita Kominfo mendaftarkan {NEW_NAME}")).not_to_have_count(0)
        told.look(page, "pengawasan kamera")
        printed(page, folder, "kominfo-1", "warroom-1")

        page.goto(f"{told.console.url}/pengawasan")
        asked(page, "#person", "Gita Kominfo")
        expect(page.locator("#subject")).to_contain_text("Gita Kominfo")
        expect(deeds.filter(has_text="menguji sambungan")).not_to_have_count(0)
        expect(deeds.filter(has_text="mengusulkan kebijakan retensi Kec. Mariso")).to_have_count(1)
        assert all("Hasan" not in one for one in deeds.all_inner_texts())
        told.look(page, "pengawasan orang")
        printed(page, folder, "kominfo-1")

        page.goto(f"{told.console.url}/pengawasan")
        page.get_by_role("link", name="Semua perbuatan sejak kemarin").click()
        expect(page.locator("#subject")).to_contain_text("Semua orang")
        expect(deeds.filter(has_text="Hasan Kominfo menyetujui kebijakan retensi")).to_have_count(1)
        for name in ("Gita Kominfo", "Hasan Kominfo", "Citra Warroom", "Andi Polisi"):
            expect(page.locator(".sitting h3", has_text=name)).not_to_have_count(0)
        told.look(page, "pengawasan waktu")
        printed(page, folder, "kominfo-1", "kominfo-2", "warroom-1")


def asked(page: Page, field: str, text: str) -> None:
    """Ask for one thing by its name; the page answers once it knows the names."""
    page.locator(field).fill(text)
    page.locator(field).press("Enter")


def printed(page: Page, folder: Path, *names: str) -> None:
    """Print the report that the page shows; it names these."""
    with page.expect_download() as paper:
        page.get_by_role("button", name="Cetak laporan (PDF)").click()
    report = folder / "report.pdf"
    paper.value.save_as(report)
    assert report.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdftotext") is not None:
        told = subprocess.run(["pdftotext", "-layout", report, "-"], capture_output=True, check=True)
        assert [name for name in names if name not in told.stdout.decode()] == []


def rules_a_day_later(told: Stories) -> None:
    """A day later the terms rule the camera; its page of time says by which policy."""
    site = told.city.site
    site.clock.step(25 * HOUR)
    catch_up(site)
    with serving(site) as port:
        console = Console(site, f"http://127.0.0.1:{port}", told.console.browser)
        with console.page_of(AUDITOR) as page:
            page.goto(f"{console.url}/retensi")
            page.locator("#camera").fill(f"Jl. Penghibur {CAMERA}")
            page.locator("#explain button").click()
            expect(page.locator("#explained .answer")).to_contain_text("dimusnahkan setelah 45 hari")
            expect(page.locator("#explained .wins")).to_contain_text("Kec. Mariso")
            told.look(page, "retensi sehari kemudian")


def test_admins_an_operator_and_the_auditor_at_work(
    stories: Stories, mediamtx_server: MediamtxServer, tmp_path: Path
) -> None:
    sample = make_numbered("h264-nob", 60, tmp_path / "camera.mp4")
    propose(stories)
    keep_out(stories)
    approve(stories)
    source = mediamtx_server.own_url("karebosi")
    with publish(sample, source):
        add_camera(stories, source)
        see(stories)
    oversee(stories, tmp_path)
    rules_a_day_later(stories)
    assert stories.faults == []
