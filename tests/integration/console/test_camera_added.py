"""A camera is added in the browser and seen, with a real recorder in its own process and the real time."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from api.app import create_app
from archive.clock import ManualClock
from archive.footage.trials import TrialBoard
from archive.model.user import Role
from archive.timespan import HOUR
from ops import keys
from ops.evidence import Evidence
from ops.serving import services_of
from ops.tokens import token_file
from tests.support.api_site import Site
from tests.support.console import Console, comes_true
from tests.support.people import add_person, catch_up
from tests.support.recording_site import RecordingSite
from tests.support.waiting import PATIENCE_S, until

CAMERA = "alun-alun"


@pytest.fixture
def live(browser: Browser, tmp_path: Path) -> Iterator[Console]:
    """A city without any camera; its recorder runs."""
    city = RecordingSite(tmp_path)
    city.start()
    try:
        with city.site() as wired:
            keys.init(wired.settings.keys_dir, clock=wired.clock)
            services = services_of(wired)
            board = TrialBoard(wired.stores.cache, wired.clock, patience=HOUR)
            services = replace(services, trials=board)
            app = create_app(services)
            token = token_file(wired).create("first", wired.clock)
            # The clock is the real one; the console only asks it for the time.
            clock = cast(ManualClock, wired.clock)
            site = Site(services, app, token, clock, [], [], Evidence(wired, {}))
            add_person(site, "ada", Role.ADMIN)
            catch_up(site)
            server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
            thread = threading.Thread(target=server.run)
            thread.start()
            try:
                until(lambda: server.started, "the server has started")
                until(lambda: wired.bare_index.heartbeats(), "the recorder is there")
                port = server.servers[0].sockets[0].getsockname()[1]
                yield Console(site, f"http://127.0.0.1:{port}", browser)
            finally:
                server.should_exit = True
                thread.join(20)
    finally:
        city.stop()


def test_a_camera_is_tried_added_and_seen_to_be_recorded(live: Console) -> None:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with live.page_of("ada") as page:
        page.goto(f"{live.url}/kamera")
        expect(page.locator("#list")).to_contain_text("Belum ada kamera")
        page.get_by_role("link", name="Tambah kamera").click()
        for name, text in {
            "id": CAMERA, "name": "Karebosi (alun-alun)", "source": "test://?size=320x180&fps=10&gop=10",
            "lat": "-5.1343", "lon": "119.4128",
        }.items():  # fmt: skip
            page.locator(f"#{name}").fill(text)
        page.locator("#kecamatan").select_option(label="Ujung Pandang")
        page.locator("#is-public").check()
        page.get_by_role("button", name="Uji sambungan").click()
        expect(page.locator("#trial h2")).to_have_text("Kamera memberi gambar")
        expect(page.locator("#trial")).to_contain_text("320 × 180")
        expect(page.locator("#trial")).to_contain_text("Diuji oleh perekam rec-test")
        comes_true(page, "document.querySelector('#trial img')?.naturalWidth === 320")
        page.get_by_role("button", name="Daftarkan kamera").click()
        page.wait_for_url(f"**/kamera/{CAMERA}")
        expect(page.locator("#now")).to_contain_text("direkam")
        page.get_by_role("link", name="Kesehatan").click()
        expect(page.locator("#verdict")).to_contain_text("Ya.")
