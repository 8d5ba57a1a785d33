"""The officer's way in the browser: file, follow, receive and verify, with the acts of the hand counted."""

import re
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from archive.cases.notices.notice import Event
from archive.cases.notices.watching import Watch
from archive.cases.notices.wording import words_of
from tests.support.api_site import CAMERA, PLACE, instant
from tests.support.console import LAPTOP, PHONE, Console, comes_true
from tests.support.hand import Hand, give_password
from tests.support.officer import Officer, letter
from tests.support.people import caller
from tests.support.waiting import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1000)
MARKUP = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def officer(console: Console) -> Officer:
    return Officer(console.site)


@pytest.fixture(scope="module")
def given(officer: Officer) -> str:
    """A request that is handed over, whose words are markup."""
    return officer.handed_over(purpose=MARKUP)


@pytest.fixture
def patient(console: Console) -> Iterator[Console]:
    """A city in which this test expects refusals, which the browser logs."""
    console.expected.append("Failed to load resource")
    yield console
    console.expected.clear()


def dropped(content: bytes) -> FilePayload:
    """A package whose file's name is markup."""
    return {"name": MARKUP, "mimeType": "application/zip", "buffer": content}


def mailed(console: Console, event: Event, request: str) -> str:
    """The text of the mail that a request's notice makes."""
    site = console.site.evidence.site
    watch = Watch(site.ledger, site.stores.records, site.clock, pressure=lambda: "green")
    notice = next(one for one in watch.notices() if (one.event, one.subject) == (event, request))
    return words_of(notice, zone=console.site.services.settings.zone, address=console.url).text


def shown(page: Page) -> str:
    """The text of the whole page."""
    return page.locator("main").inner_text()


def test_colleagues_are_called_by_their_names(console: Console, given: str) -> None:
    """An officer may not read accounts; those whose acts they see have their names nevertheless."""
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/permintaan/{given}")
        history = page.locator("#history")
        expect(history).to_contain_text("Diajukan Dewi, ")
        expect(history).to_contain_text("Disetujui Citra, ")
        assert not re.search(r"\b(dewi|citra|tono)\b", history.inner_text())
    assert caller(console.site, "dewi").get("/v1/users").status_code == 403


def test_a_known_place_and_time_is_filed_in_eight_acts(
    console: Console, officer: Officer, given: str
) -> None:
    give_password(console, "dewi")
    with console.page_of("") as page:
        hand = Hand(page)
        page.goto(f"{console.url}/")
        hand.sign_in("dewi")
        hand.type("#from", "24/11/2026 14.00")
        hand.type("#place", f"{PLACE.lat}, {PLACE.lon}")
        hand.key("Enter")
        found = page.locator(f".found[data-camera={CAMERA}]")
        expect(found.locator(".coverage-text")).to_contain_text("tidak terekam")
        hand.press(found.locator("input"))
        hand.press("#request")
        expect(page.locator("#cameras li .coverage-text").first).to_contain_text("tidak terekam")
        hand.drop("#letter-scan", letter())
        expect(page.locator("#letter [role=status]")).to_have_text("Tersimpan di arsip.")
        assert page.input_value("#letter-number") == "B/123/XI/2026/Reskrim"
        expect(page.locator("#next")).to_contain_text("ditahan")
        hand.press("#send")
        page.wait_for_url("**/permintaan/REQ-*")
        expect(page.locator("#just-filed")).to_contain_text(
            "Rekaman ditahan mulai sekarang; penahanan ditinjau"
        )
        assert hand.count <= 8
        filed = officer.request(page.url.rsplit("/", 1)[1])
    assert filed["letter"]["number"] == "B/123/XI/2026/Reskrim"
    assert filed["cameras"] == [CAMERA]
    assert filed["from"] == "2026-11-24T06:00:00.000000Z"
    assert filed["hold"]["in_force"]
    assert filed["requester"]["name"] == "Budi Santoso", "as in the officer's newest request"


def test_a_mail_leads_through_the_sign_in_page_to_a_verified_package_in_four_acts(
    console: Console, officer: Officer, given: str, tmp_path: Path
) -> None:
    give_password(console, "dewi")
    mail = mailed(console, Event.HANDED_OVER, given)
    link = re.search(r"http\S+", mail)
    assert link is not None, mail
    with console.page_of("") as page:
        hand = Hand(page)
        hand.follow(link[0])
        assert urlsplit(page.url).path == "/masuk"
        hand.sign_in("dewi")
        assert page.url == f"{console.url}/permintaan/{given}", "back at the page of the mail"
        with page.expect_download() as fetched:
            hand.press("#fetch")
        fetched.value.save_as(tmp_path / "package.zip")
        expect(page.locator(".whole-verdict")).to_have_text("Cocok: salinan Anda adalah paket yang disegel.")
        hand.press("#confirm")
        expect(page.locator(".confirmed")).to_contain_text("Penerimaan dikonfirmasi oleh Dewi")
        assert hand.count <= 4
        with page.expect_download() as printed:
            hand.press("#report")
        assert printed.value.suggested_filename.startswith("berita-acara-")
        assert MARKUP in shown(page)
    handover = officer.handover(given)
    assert handover["receipt"]["confirmed_by"] == "user:dewi"
    assert handover["remaining"] == 2
    with ZipFile(tmp_path / "package.zip") as package:
        assert package.testzip() is None
        tags = package.read(f"{handover['evidence_id']}/tagmanifest-sha256.txt")
    assert sha256(tags).hexdigest() == handover["tagmanifest_sha256"]


def test_a_broken_download_goes_on_where_it_stopped(console: Console, officer: Officer, given: str) -> None:
    ranges: list[str | None] = []

    def cut(route: Route) -> None:
        ranges.append(route.request.headers.get("range"))
        if len(ranges) > 1:
            route.continue_()
            return
        some = route.fetch(headers={**route.request.headers, "range": "bytes=0-9999"})
        total = some.headers["content-range"].rsplit("/", 1)[1]
        kept = {name: some.headers[name] for name in ("etag", "content-type")}
        route.fulfill(
            status=206, body=some.body(), headers={**kept, "content-range": f"bytes 0-9999/{total}"}
        )

    before = officer.handover(given)["remaining"]
    with console.page_of("dewi", size=PHONE) as page:
        page.route("**/package.zip*", cut)
        page.goto(f"{console.url}/permintaan/{given}")
        with page.expect_download() as fetched:
            page.click("#fetch")
        content = fetched.value.path().read_bytes()
        expect(page.locator(".whole-verdict.good")).to_be_visible()
    assert ranges == [None, "bytes=10000-"]
    assert officer.handover(given)["remaining"] == before - 1
    assert ZipFile(BytesIO(content)).testzip() is None


def test_a_dropped_package_is_compared_here_and_verified_by_the_archive(
    console: Console, officer: Officer, given: str
) -> None:
    evidence = officer.handover(given)["evidence_id"]
    content = officer.call("citra", "GET", f"/v1/evidence/{evidence}/package.zip").content
    spoilt = bytearray(content)
    at = content.index(b"mdat") + 100
    spoilt[at] ^= 1
    with console.page_of("dewi", theme="light") as page:
        page.goto(f"{console.url}/verifikasi")
        page.set_input_files("#package", dropped(bytes(spoilt)))
        expect(page.locator(".whole-verdict")).to_have_text("TIDAK COCOK: jangan pakai salinan ini.")
        expect(page.locator(".verdicts .points")).to_contain_text("berubah: data/")
        page.set_input_files("#package", dropped(content + b"PK"))
        expect(page.locator(".verdicts .bad")).to_contain_text("bukan ZIP yang ditulis arsip")
        page.set_input_files("#package", dropped(content))
        expect(page.locator(".whole-verdict.good")).to_contain_text("paket yang disegel arsip ini")
        assert page.locator(".hash-digits").last.get_attribute("title") == sha256(content).hexdigest()
        assert MARKUP in shown(page)
        page.click("#server")
        expect(page.locator("[role=status].whole-verdict.good")).to_contain_text("Sah: arsip memeriksa")


def test_an_urgent_request_gets_its_letter_a_comment_and_an_end(console: Console, officer: Officer) -> None:
    request = officer.file(purpose="pencurian")
    with console.page_of("dewi", size=PHONE, language="en") as page:
        page.goto(f"{console.url}/permintaan")
        page.locator(f'.request-link[href$="{request}"]').click()
        expect(page.locator("h1")).to_contain_text("Jl. Penghibur")
        expect(page.locator("#todo")).to_contain_text("There is no letter yet; it is due 25 Nov")
        page.get_by_role("button", name="Add the letter").click()
        page.set_input_files("#added", letter("2026-11-20 B-7-XI-2026.pdf"))
        page.locator("dialog .button.main").click()
        expect(page.locator("#papers")).to_contain_text("letter of request")
        page.fill("#comment-text", MARKUP)
        page.locator("#comment .button").click()
        expect(page.locator("#comments")).to_contain_text(MARKUP)
        page.get_by_role("button", name="Cancel the request").click()
        page.fill("#decision-reason", "found otherwise")
        page.locator("dialog .danger").click()
        expect(page.locator("#state")).to_have_text("Cancelled")
        expect(page.locator(".rail .ended")).to_have_text("Cancelled")
        expect(page.locator("#todo")).to_be_hidden()
    found = officer.request(request)
    assert (found["status"], found["letter"]["date"]) == ("cancelled", "2026-11-20")


def test_who_is_late_is_told_and_reads_anew(patient: Console, officer: Officer) -> None:
    request = officer.file()
    with patient.page_of("dewi") as page:
        page.goto(f"{patient.url}/permintaan/{request}")
        expect(page.locator("#comment")).to_be_visible()
        officer.change("citra", request, "comments", {"text": "lebih dahulu"})
        page.fill("#comment-text", "terlambat")
        page.locator("#comment .button").click()
        expect(page.locator("#problem")).to_contain_text("Seseorang lebih dahulu mengubahnya")
        expect(page.locator("#comments")).to_contain_text("lebih dahulu")
        page.locator("#comment .button").click()
        expect(page.locator("#comments")).to_contain_text("terlambat")


def test_a_request_is_amended_in_the_same_form(console: Console, officer: Officer) -> None:
    request = officer.file()
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/ajukan?amend={request}")
        expect(page.locator("h1")).to_have_text("Ubah permintaan")
        expect(page.locator("#send")).to_be_enabled()
        assert page.input_value("#case") == "LP/B/123/XI/2026"
        page.fill("#to", "24/11/2026 14.05")
        page.fill("#reason", "rentang terlalu sempit")
        page.click("#send")
        page.wait_for_url("**/permintaan/REQ-*")
        expect(page.locator("#history")).to_contain_text("rentang terlalu sempit")
    assert officer.request(request)["to"] == "2026-11-24T06:05:00.000000Z"


def test_what_is_missing_is_said_at_its_field_and_a_draft_is_kept(console: Console, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    with large.open("wb") as written:
        written.write(b"%PDF-1.7")
        written.truncate((20 << 20) + 1)
    with console.page_of("sari", size=LAPTOP, theme="light") as page:
        page.goto(
            f"{console.url}/ajukan?camera={CAMERA}&from={instant(0)}&to={instant(60)}".replace("+", "%2B")
        )
        expect(page.locator("#cameras .coverage")).to_have_count(1)
        expect(page.locator("#cameras .chip")).to_contain_text("Jl. Penghibur cam-1")
        page.fill("#purpose", MARKUP)
        page.click("#send")
        expect(page.locator("#filing-problem")).to_contain_text("isian belum lengkap")
        expect(page.locator('[data-field="legal_basis.0.article"] .told')).to_have_text("Wajib diisi.")
        expect(page.locator('[data-field="requester.name"] .told')).to_have_text("Wajib diisi.")
        page.set_input_files("#letter-scan", {**letter("<b>surat</b>.pdf"), "buffer": b"MZ"})
        expect(page.locator("#letter-scan-told")).to_contain_text("“<b>surat</b>.pdf” bukan PDF")
        page.set_input_files("#letter-scan", large)
        expect(page.locator("#letter-scan-told")).to_contain_text("terlalu besar")
        comes_true(page, "localStorage.getItem('saksi.draft.user:sari')?.includes('img')")
        page.goto(f"{console.url}/ajukan")
        expect(page.locator("#kept")).to_be_visible()
        assert page.input_value("#purpose") == MARKUP
        assert page.locator("#cameras input:checked").get_attribute("value") == CAMERA
        page.click("#forget")
        expect(page.locator("#kept")).to_be_hidden()
        assert page.evaluate("localStorage.length") == 0


def test_the_sha256_of_the_pages_is_that_of_everybody(console: Console) -> None:
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/verifikasi")
        found = page.evaluate(
            """async () => {
              const here = document.querySelector("script[src*=verifikasi]").src;
              const { Sha256 } = await import(new URL("sha256.js", here));
              const made = {};
              for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 70000]) {
                const bytes = Uint8Array.from({ length }, (_, at) => (at * 7 + 3) & 255);
                const hash = new Sha256();
                for (let at = 0; at < length; at += 61) hash.update(bytes.subarray(at, at + 61));
                made[length] = hash.hex();
              }
              return made;
            }"""
        )
    for length, digest in found.items():
        assert digest == sha256(bytes((at * 7 + 3) & 255 for at in range(int(length)))).hexdigest()


@pytest.mark.parametrize("person", ["citra", "indra"])
def test_others_read_a_request_and_may_do_nothing_of_the_officers(
    console: Console, given: str, person: str
) -> None:
    with console.page_of(person) as page:
        page.goto(f"{console.url}/permintaan/{given}")
        expect(page.locator("#receive")).to_contain_text("Hanya Budi Santoso yang dapat mengunduhnya")
        assert page.locator("#fetch, #todo li, #add-paper .button").count() == 0
