"""The story of one request in the browser, on MinIO, Elasticsearch and Keycloak.

An officer signs in at Keycloak, files a request, and follows it. The War Room plays the footage over its gap
and approves; the package is sealed, and handed over by a third person; the officer receives it, and the copy
that the browser saved is verified as a judge's expert would.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.api.test_server import serving
from tests.integration.console.conftest import browser
from tests.support.api_site import CAMERA, instant
from tests.support.command_line import CommandLine
from tests.support.console import Console, comes_true, decided
from tests.support.indexes import free_port
from tests.support.keycloak import KeycloakServer
from tests.support.officer import letter
from tests.support.real_city import City, environ, real_city
from tests.support.real_console import signed_in

__all__ = ["browser", "environ"]
OFFICER = {
    "requester.name": "Andi Baso", "requester.rank": "AIPTU", "requester.nrp_nip": "78010123",
    "requester.agency": "Polrestabes Makassar", "requester.unit": "Satreskrim",
    "requester.contact": "0411-000000",
}  # fmt: skip


@pytest.fixture
def city(
    tmp_path: Path, environ: dict[str, str], keycloak_server: KeycloakServer, browser: Browser
) -> Iterator[tuple[City, Console]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with real_city(tmp_path, environ, keycloak_server, url) as made:
        for name in ("polisi", "warroom-1", "warroom-2"):
            made.sign_in(name)  # whose roles wait for consent gets it here
        with serving(made.site, port):
            yield made, Console(made.site, url, browser, expected=[keycloak_server.url])


def test_a_request_goes_its_way_in_the_browser(
    city: tuple[City, Console], keycloak_server: KeycloakServer, tmp_path: Path
) -> None:
    made, console = city
    asked = f"camera={CAMERA}&from={instant(2)}&to={instant(55)}"
    with signed_in(console, keycloak_server, "polisi", f"/ajukan?{asked}") as page:
        expect(page.locator("#cameras .coverage-text").first).to_contain_text("tidak terekam")
        page.locator('[name="legal_basis.0.number"]').fill("LP/B/123/XI/2026")
        page.locator('[name="purpose"]').fill("pencurian dengan pemberatan")
        page.set_input_files("#letter-scan", letter())
        expect(page.locator("#letter [role=status]")).to_have_text("Tersimpan di arsip.")
        for name, text in OFFICER.items():
            page.locator(f'[name="{name}"]').fill(text)
        page.locator("#send").click()
        page.wait_for_url("**/permintaan/REQ-*")
        expect(page.locator("#just-filed")).to_contain_text("Rekaman ditahan mulai sekarang")
        request_id = page.url.rsplit("/", 1)[1]
    made.sweep()

    with signed_in(console, keycloak_server, "warroom-1", f"/tinjau?{asked}") as page:
        page.locator("#purpose").fill("LP/B/123/XI/2026")
        page.locator("#purpose").press("Enter")
        expect(page.locator(".tile")).to_have_count(1)
        page.keyboard.press("Space")
        expect(page.locator(".cover[data-kind=missing]")).to_be_visible()  # played into the gap
        comes_true(page, "document.querySelector('.tile video').currentTime > 0")
        page.goto(f"{console.url}/antrean")
        page.locator(f"#list-submitted li[data-request='{request_id}']").get_by_role("link").click()
        page.locator("#decision").get_by_role("button", name="Setujui", exact=True).click()
        decided(page, "Setujui")
    made.seal()

    with signed_in(console, keycloak_server, "warroom-2", f"/permintaan/{request_id}") as page:
        page.get_by_label("NIP Anda").fill("198003152006041002")
        for check in page.locator(".checks input").all():
            check.check()
        page.get_by_role("button", name="Serahkan").click()
        decided(page, "Serahkan")

    with signed_in(console, keycloak_server, "polisi", f"/permintaan/{request_id}") as page:
        with page.expect_download() as fetched:
            page.locator("#fetch").click()
        package = tmp_path / "package.zip"
        fetched.value.save_as(package)
        expect(page.locator(".whole-verdict")).to_have_text("Cocok: salinan Anda adalah paket yang disegel.")
        page.locator("#confirm").click()
        expect(page.locator(".confirmed")).to_contain_text("Penerimaan dikonfirmasi")
    verified = CommandLine(tmp_path)("verify", str(package), "--trust", str(tmp_path / "keys" / "root.pem"))
    assert verified.code == 0, verified.err
    assert made.verify_log()["valid"] is True
