"""The War Room's way in the browser: the queue, the decision, the handover at a counter, the package."""

import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from archive.model.request import RequestStatus
from archive.model.user import Role
from archive.timespan import MINUTE
from tests.support.api_site import CAMERA, EMPTY_CAMERA, Site, instant
from tests.support.console import PHONE, Console, aside
from tests.support.hand import Hand, give_password
from tests.support.people import add_person, caller, catch_up
from tests.support.requesting import PNG, _chunk

URL = "/v1/requests"
MARKUP = "<img src=x onerror=\"document.title='altered'\">"


def letter() -> bytes:
    """A scan: a light page with a dark line, as a picture."""
    width, height = 300, 420
    rows = [bytes([40 if 60 < y < 80 and 30 < x < 270 else 235 for x in range(width)]) for y in range(height)]
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    body = zlib.compress(b"".join(b"\x00" + row for row in rows))
    return PNG[:8] + _chunk(b"IHDR", size) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def filed(site: Site, person: str = "dewi", *, urgent: bool = False, **changes: Any) -> dict[str, Any]:
    """A request of the police, with a scan; an urgent one without its letter."""
    form: dict[str, Any] = {
        "requester": {
            "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
        },
        "legal_basis": [{"kind": "lp", "number": "LP/B/123/XI/2026", "article": "Pasal 363"}],
        "case": "LP/B/123/XI/2026",
        "purpose": "pencurian",
        "cameras": [CAMERA],
        "from": instant(2),
        "to": instant(12),
        "urgent": urgent,
    }  # fmt: skip
    if not urgent:
        sha256 = call(site, person, "POST", f"{URL}/attachments", content=letter()).json()["sha256"]
        form["letter"] = {"number": "B/123/XI/2026", "date": "2026-11-20", "sha256": sha256}
    answer = call(site, person, "POST", URL, json=form | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    site.clock.advance(MINUTE // 2)  # the list's job takes its turn, and the next one is filed later
    return found


def call(site: Site, person: str, method: str, path: str, **options: Any) -> httpx.Response:
    """A person's own call of the API, beside the page."""
    return caller(site, person)(method, path, **options)


def shown(site: Site, request_id: str, person: str = "citra") -> dict[str, Any]:
    found: dict[str, Any] = call(site, person, "GET", f"{URL}/{request_id}").json()
    return found


def change(site: Site, person: str, request_id: str, act: str, **form: Any) -> None:
    path = f"{URL}/{request_id}"
    tag = call(site, person, "GET", path).headers["ETag"]
    answer = call(site, person, "POST", f"{path}/{act}", json=form, headers={"If-Match": tag})
    assert answer.status_code in {200, 201}, answer.text


def sealed(site: Site) -> dict[str, Any]:
    """A request that citra approved, with its package."""
    request = filed(site)
    change(site, "citra", request["id"], "approve", reason="lengkap")
    site.clock.advance(3 * MINUTE)
    aside(site.evidence.run_open_requests)
    found = shown(site, request["id"])
    assert found["status"] == RequestStatus.SEALED.value
    return found


def decision_of(page: Page) -> Locator:
    return page.locator("dialog.decision")


@pytest.fixture(autouse=True)
def nothing_waits(console: Console) -> Iterator[None]:
    """What a test leaves in the queue is rejected, so that the next one begins with an empty queue."""
    yield
    waiting = call(console.site, "citra", "GET", URL, params={"status": "submitted"}).json()
    for one in waiting["requests"]:
        change(console.site, "tono", one["id"], "reject", reason="akhir uji")


def test_a_request_is_approved_in_three_interactions(console: Console) -> None:
    site = console.site
    give_password(console, "citra")
    usual, urgent = filed(site), filed(site, urgent=True)
    with console.page_of("") as page:
        hand = Hand(page)
        page.goto(f"{console.url}/")
        hand.sign_in("citra")
        hand.press(".places a[data-place=queue]")
        hand.mark()
        rows = page.locator("#list-submitted li[data-request]")
        expect(rows).to_have_count(2)
        assert [row.get_attribute("data-request") for row in rows.all()] == [urgent["id"], usual["id"]]
        expect(rows.first).to_contain_text("Mendesak")
        expect(rows.first).to_contain_text("Surat belum ada")
        expect(rows.first).to_contain_text("Jl. Penghibur cam-1")
        expect(page.locator(".places .count")).to_contain_text("2")
        hand.press(rows.nth(1).get_by_role("link"))
        expect(page.locator("#decision .paper-picture canvas")).to_be_visible()
        expect(page.locator("#decision .paper-verdict")).to_contain_text("SHA-256 cocok")
        expect(page.locator("#decision .still canvas")).to_be_visible()
        expect(page.locator("#decision .coverage-text")).to_have_text("Terekam seluruhnya")
        expect(page.locator("#decision .decide-facts")).to_contain_text("1 permintaan lain")
        expect(page.locator("#decision")).to_contain_text("Laporan polisi · LP/B/123/XI/2026 · Pasal 363")
        assert "[object" not in page.locator("main").inner_text()
        hand.press(page.locator("#decision").get_by_role("button", name="Setujui", exact=True))
        expect(decision_of(page)).to_contain_text("10 dtk rekaman dari 1 kamera")
        hand.press(decision_of(page).get_by_role("button", name="Setujui"))
        expect(page.locator("#decision")).to_be_hidden()
        assert (hand.since, hand.count) == (3, 5), "three in the queue, two from the sign-in page to it"
    assert shown(site, usual["id"])["status"] == "approved"
    assert shown(site, urgent["id"])["status"] == "submitted"


def test_what_one_may_not_decide_is_grey_and_names_who_can(console: Console) -> None:
    site = console.site
    add_person(site, "rangkap", Role.POLICE, Role.WAR_ROOM, agency="polrestabes")
    catch_up(site)
    request = filed(site, "rangkap")
    with console.page_of("rangkap") as page:
        page.goto(f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#why-not")).to_contain_text("Anda sendiri yang mengajukan")
        expect(page.locator("#why-not")).to_contain_text("Citra, Tono")
        for name in ("Setujui", "Tolak"):
            expect(page.locator("#decision").get_by_role("button", name=name, exact=True)).to_be_disabled()
    with console.page_of("tono", size=PHONE, theme="light", language="en") as page:
        page.goto(f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#why-not")).to_have_count(0)
        page.get_by_role("button", name="Ask for more").click()
        page.get_by_label("Message").fill(f"Mohon LP {MARKUP}")
        decision_of(page).get_by_role("button", name="Send").click()
        expect(decision_of(page)).to_have_count(0)
        page.locator("summary", has_text="needs more").click()
        page.get_by_label("New limit").fill("60")
        page.locator(".limit-form").get_by_role("button").click()
        page.get_by_label("Reason").fill("kasus besar")
        decision_of(page).get_by_role("button", name="Raise the limit").click()
        expect(page.locator(".decide-facts")).to_contain_text("limit of this request is 60")
    assert shown(site, request["id"])["limit_camera_hours"] == 60
    assert shown(site, request["id"])["comments"][0]["text"] == f"Mohon LP {MARKUP}"


def test_who_comes_second_reads_anew(console: Console) -> None:
    site = console.site
    request = filed(site, cameras=[CAMERA, EMPTY_CAMERA], case=MARKUP, purpose=MARKUP)
    console.expected.append("412")
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/antrean")
        expect(page.locator("#list-submitted li[data-request]")).to_contain_text(MARKUP)
        page.goto(f"{console.url}/permintaan/{request['id']}")
        expect(page.locator(".footage-card")).to_have_count(2)
        expect(page.locator("#decision")).to_contain_text(MARKUP)
        expect(page.locator("#decision .still canvas").first).to_be_visible()
        change(site, "tono", request["id"], "comments", text="sudah saya telepon")
        page.get_by_role("button", name="Tolak").click()
        page.get_by_label("Alasan").fill("dasar hukum kurang")
        decision_of(page).get_by_role("button", name="Tolak").click()
        expect(page.locator("#problem")).to_contain_text("Seseorang mengubah")
        expect(decision_of(page)).to_have_count(0)
        page.get_by_role("button", name="Tolak").click()
        page.get_by_label("Alasan").fill("dasar hukum kurang")
        decision_of(page).get_by_role("button", name="Tolak").click()
        expect(page.locator("#decision")).to_be_hidden()
        assert page.locator("main img").count() == 0
        assert "altered" not in page.title()
    assert shown(site, request["id"])["status"] == "rejected"


def test_nothing_moves_under_the_pointer(console: Console) -> None:
    site = console.site
    first = filed(site)
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/antrean")
        rows = page.locator("#list-submitted li[data-request]")
        expect(rows).to_have_count(1)
        rows.first.hover()
        urgent = filed(site, urgent=True)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#changed")).to_be_visible()
        assert [row.get_attribute("data-request") for row in rows.all()] == [first["id"]]
        page.locator("h1").hover()
        expect(rows).to_have_count(2)
        assert [row.get_attribute("data-request") for row in rows.all()] == [urgent["id"], first["id"]]
        expect(page.locator("#changed")).to_be_hidden()
        console.expected.append("ERR_FAILED")
        page.route("**/v1/requests?*", lambda route: route.abort())
        page.get_by_role("button", name="Muat ulang").click()
        expect(page.locator("#as-of")).to_contain_text("Server tidak menjawab. Ini keadaan pukul")
        expect(rows).to_have_count(2)


def test_where_nothing_was_recorded_a_statement_is_approved(console: Console) -> None:
    in_the_gap: dict[str, Any] = {"from": instant(31), "to": instant(45)}
    request = filed(console.site, **in_the_gap)
    with console.page_of("citra", size=PHONE) as page:
        page.goto(f"{console.url}/permintaan/{request['id']}")
        decision = page.locator("#decision")
        expect(decision.locator(".coverage-text")).to_contain_text("kamera tidak terjangkau")
        decision.get_by_role("button", name="Setujui surat tidak ada rekaman").click()
        expect(decision_of(page)).to_contain_text("arsip tidak memiliki rekaman ini")
        decision_of(page).get_by_role("button", name="Setujui surat").click()
        expect(decision).to_be_hidden()
    decided = shown(console.site, request["id"])
    assert (decided["status"], decided["decision"]["kind"]) == ("approved", "no_footage")


def test_a_package_goes_over_the_counter_and_the_request_ends(console: Console) -> None:
    site = console.site
    request = sealed(site)
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/permintaan/{request['id']}")
        expect(page.locator("#why-not")).to_contain_text("orang ketiga")
        expect(page.locator("#why-not")).to_contain_text("Tono")
        expect(page.get_by_role("button", name="Serahkan")).to_be_disabled()
    with console.page_of("tono") as page:
        page.goto(f"{console.url}/antrean")
        page.locator(f"#list-sealed li[data-request='{request['id']}']").get_by_role("link").click()
        page.get_by_label("Di loket").check()
        page.get_by_label("Media", exact=True).fill("flashdisk 64 GB")
        page.get_by_label("Identitas yang ditunjukkan").fill("KTA 123")
        page.get_by_label("NIP Anda").fill("198003152006041002")
        for check in page.locator(".checks input").all():
            check.check()
        page.get_by_role("button", name="Serahkan").click()
        decision_of(page).get_by_role("button", name="Serahkan").click()
        code = page.locator("canvas.qr")
        expect(code).to_be_visible()
        given = call(site, "tono", "GET", f"{URL}/{request['id']}/handover").json()
        assert code.get_attribute("data-text") == given["qr_values"]["text"]
        assert given["tagmanifest_sha256"] in given["qr_values"]["text"]
        assert (given["downloads"], given["note"]) == (0, "flashdisk 64 GB; KTA 123")
        assert given["officer"]["nip"] == "198003152006041002"
        expect(page.get_by_role("button", name="Tutup")).to_be_disabled()
        expect(page.locator("#why-not-close")).to_contain_text("belum mengonfirmasi")
        prints = {name: given[name] for name in ("tagmanifest_sha256", "signer_sha256")}
        confirmed = call(site, "dewi", "POST", f"{URL}/{request['id']}/handover/confirm", json=prints)
        assert confirmed.status_code == 200, confirmed.text
        page.reload()
        expect(page.locator(".handed")).to_contain_text("Dikonfirmasi")
        page.get_by_label("Dipertahankan").check()
        page.get_by_role("button", name="Tutup").click()
        page.get_by_label("Alasan").fill("perkara berjalan")
        decision_of(page).get_by_role("button", name="Tutup").click()
        expect(page.locator("#decision")).to_be_hidden()
    ended = shown(site, request["id"])
    assert (ended["status"], ended["hold"]["in_force"]) == ("closed", True)


def test_a_package_is_found_and_verified(console: Console) -> None:
    site = console.site
    request = sealed(site)
    evidence_id = request["evidence_id"]
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/paket")
        page.locator("#packages a").first.click()
        expect(page.locator("#title")).to_contain_text("Jl. Penghibur cam-1")
        expect(page).to_have_title("Jl. Penghibur cam-1 · 24 Nov 14:00:02–14:00:12 WITA · Saksi")
        expect(page.locator("#package .rail")).to_contain_text("Disegel")
        page.get_by_role("button", name="Periksa sekarang").click()
        expect(page.locator(".verdict-box h3")).to_have_text("✓ Sah")
        expect(page.locator(".steps li")).not_to_have_count(0)
        page.locator(".package-files > summary").click()
        clip = page.locator(".file-group", has_text="Klip").locator("tbody tr")
        expect(clip).to_have_count(1)
        expect(clip).to_contain_text(f"clip-{CAMERA}.mp4")
        digest = clip.locator("code").inner_text()
        page.get_by_label("Cari berkas").fill(" ".join(digest[at : at + 4] for at in range(0, 64, 4)))
        expect(page.locator(".file-group tbody tr")).to_have_count(1)
        told = call(site, "indra", "GET", f"/v1/evidence/{evidence_id}/files", params={"limit": 1000}).json()
        assert digest in {one["sha256"] for one in told["files"] if one["kind"] == "clip"}
        page.get_by_label("Cari berkas").fill(MARKUP)
        expect(page.locator(".package-files [role=status]")).to_contain_text("Tidak ada berkas")
        expect(page.get_by_role("link", name="Permintaannya")).to_have_attribute(
            "href", f"/permintaan/{request['id']}"
        )
    with console.page_of("citra", size=PHONE, language="en", theme="light") as page:
        page.goto(f"{console.url}/paket/{evidence_id}")
        expect(page.get_by_role("button", name="Verify now")).to_be_disabled()
        expect(page.locator("#why-not-verify")).to_contain_text("auditor")
        expect(page.get_by_role("link", name="Download")).to_be_visible()
    with console.page_of("dewi") as page:
        page.goto(f"{console.url}/paket/{evidence_id}")
        expect(page.get_by_role("button", name="Periksa sekarang")).to_be_enabled()
        expect(page.get_by_role("link", name="Unduh")).to_have_count(0)
    console.expected.append("404")
    with console.page_of("sari") as page:
        page.goto(f"{console.url}/paket/{evidence_id}")
        expect(page.locator(".state-failed")).to_be_visible()
        page.goto(f"{console.url}/paket")
        expect(page.locator(".state-empty")).to_contain_text("Belum ada paket")
