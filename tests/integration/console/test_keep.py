"""Keeping and destroying in the browser: policies shortened and holds released by two people, and records."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.timespan import DAY, HOUR, SECOND, format_instant
from ops.disposition import Dispositions
from ops.pages import TOOLS_FOLDER
from tests.support.api_site import CAMERA, EMPTY_CAMERA, Site, instant
from tests.support.console import PHONE, Console, aside, barriers
from tests.support.hand import Hand, give_password
from tests.support.people import caller
from tests.support.waiting import PATIENCE_S

POLICIES = "/v1/retention/policies"
DISTRICT = f"{POLICIES}/kecamatan-73.71.01"
TERMS: dict[str, Any] = {
    "keep_days_min": 30,
    "keep_days_max": 120,
    "basis": "Perwali 4/2017",
    "reason": "Rapat 7",
}
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture
def later(console: Console) -> None:
    """What the index follows has been followed when the test begins."""
    console.site.clock.advance(4 * SECOND)


def found_in(page: Page) -> list[str]:
    """What keeps people out of the page as it stands, where the tool that looks for it is installed."""
    return barriers(page) if TOOLS_FOLDER.is_dir() else []


def adopted(site: Site, policy: str, **changes: Any) -> None:
    """Put a policy in force as two admins do, since what destroys where nothing did is a shortening."""
    path, form = f"{POLICIES}/{policy}", {**TERMS, **changes}
    asked = caller(site, "ada")("POST", f"{path}/propose", json=form, headers={"If-None-Match": "*"})
    assert asked.json()["proposal"] is not None, asked.text
    approved = caller(site, "budi").change("POST", f"{path}/approve", of=path, json={})
    assert approved.status_code == 200, approved.text
    site.clock.advance(25 * HOUR)


def held(site: Site, camera: str = CAMERA, case: str = "LP/B/123/XI/2026", **more: Any) -> str:
    """Place a hold over the first seconds of a camera; returns its id."""
    form = {
        "cameras": [camera],
        "from": instant(0),
        "to": instant(25),
        "case": case,
        "owner": "Polrestabes Makassar",
        "basis": "KUHAP 39",
        "review_at": format_instant(site.clock.now() + 30 * DAY),
        **more,
    }
    answer = caller(site, "citra")("POST", "/v1/holds", json=form)
    assert answer.status_code == 201, answer.text
    site.clock.advance(4 * SECOND)
    found: str = answer.json()["id"]
    return found


def test_a_policy_is_shortened_by_two_people(console: Console, later: None) -> None:
    site = console.site
    adopted(site, "kecamatan-73.71.01")
    ada = caller(site, "ada")
    held(site)
    for name in ("ada", "budi"):
        give_password(console, name)
    with console.page_of("") as page:
        hand = Hand(page)
        page.goto(f"{console.url}/")
        hand.sign_in("ada")
        hand.press(".places a[data-place=retention]")
        hand.mark()
        hand.press(page.locator("#policies a", has_text="Kec. Mariso"))
        expect(page.locator("#now")).to_contain_text("120 hari")
        hand.type("#max", "45")
        # What would go is shown before anything is saved, and what a hold keeps stands out of it.
        expect(page.locator("#effect")).to_contain_text("Ini memendekkan. Orang kedua harus menyetujui")
        expect(page.locator("#effect .held-text")).to_contain_text(
            "tetap tinggal karena ditahan untuk perkara"
        )
        expect(page.locator("#effect .plot")).to_have_count(2)
        assert page.locator("#effect .plot-bar-held").count() > 0
        assert page.locator("#effect .plot-bar-missing").count() > 0
        hand.type("#reason", "Putusan rapat 8")
        hand.press("#propose")
        expect(page.locator("#proposal")).to_contain_text("dimusnahkan setelah 45 hari")
        expect(page.locator("#proposed-effect .plot")).to_have_count(2)
        assert found_in(page) == []
        assert (hand.since, hand.count) == (4, 6), "four on the page, two from the sign-in page to it"
        approve = page.get_by_role("button", name="Setujui pemendekan")
        expect(approve).to_be_disabled()
        expect(page.locator("#proposal")).to_contain_text(
            "Anda yang mengusulkan. Admin lain yang harus menyetujui."
        )
    assert ada.get(DISTRICT).json()["in_force"]["keep_days_max"] == 120, "nothing has changed yet"
    site.clock.advance(4 * SECOND)
    with console.page_of("") as page:
        hand = Hand(page)
        page.goto(f"{console.url}/")
        hand.sign_in("budi")
        hand.press(".places a[data-place=retention]")
        expect(page.locator("#waiting")).to_contain_text("Diusulkan oleh Ada")
        hand.press("#waiting a")
        hand.mark()
        expect(page.locator("#proposal")).to_contain_text("Putusan rapat 8")
        expect(page.locator("#proposed-effect .plot")).to_have_count(2)
        hand.press("#proposal button >> nth=0")
        expect(page.locator("dialog")).to_contain_text("Yang sudah musnah tidak dapat kembali")
        hand.press("dialog .button.main")
        expect(page.locator("#coming")).to_contain_text("mulai berlaku 1 hari 0 jam lagi")
        assert (hand.since, hand.count) == (2, 5)
    site.clock.advance(HOUR)
    for person in ("erna", "citra", "indra"):  # the countdown is for all
        with console.page_of(person, size=PHONE) as page:
            page.goto(f"{console.url}/retensi")
            expect(page.locator("#waiting")).to_contain_text("mulai berlaku 23 jam 0 menit lagi")
            assert page.locator("#new").is_hidden()
    site.clock.advance(24 * HOUR)
    shown = caller(site, "ada").get(DISTRICT).json()
    assert shown["in_force"]["keep_days_max"] == 45
    assert [(one["action"], one["actor"]) for one in shown["history"]][2:] == [
        ("policy.proposed", "user:ada"),
        ("policy.approved", "user:budi"),
    ]


def test_who_read_an_older_state_is_told_and_reads_anew(console: Console, later: None) -> None:
    site = console.site
    adopted(site, "owner-worship")
    path = f"{POLICIES}/owner-worship"
    console.expected.append("412")
    with console.page_of("budi", language="en", theme="light") as page:
        page.goto(f"{console.url}/retensi/owner-worship")
        expect(page.locator("#name")).to_have_text("Cameras of places of worship")
        page.locator("#max").fill("200")
        expect(page.locator("#effect")).to_contain_text("This shortens nothing")
        longer = {**TERMS, "keep_days_max": 150}
        assert caller(site, "ada").change("POST", f"{path}/propose", of=path, json=longer).status_code == 200
        page.locator("#reason").fill("Meeting 9")
        page.locator("#propose").click()
        page.locator("dialog .button.main").click()
        expect(page.locator("dialog .problem")).to_contain_text("Somebody else has just changed it")
        page.keyboard.press("Escape")
        expect(page.locator("#now")).to_contain_text("150 days")
    assert caller(site, "ada").get(path).json()["version"] == 3


def test_why_a_camera_is_kept_and_whether_the_promise_is(console: Console, later: None) -> None:
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/retensi")
        page.locator("#camera").fill("Jl. Penghibur cam-1")
        page.locator("#explain button").click()
        expect(page.locator("#explained .chain li")).to_have_count(4)
        expect(page.locator("#explained")).to_contain_text("Kamera milik ruang publik")
        expect(page.locator("#promise")).to_contain_text(re.compile(r"\d dari 2 kamera"))
        expect(page.locator("#bands li")).to_have_count(3)
        page.wait_for_selector("#map .leaflet-container")
        assert found_in(page) == []
        text = page.locator("main").inner_text()
        assert "73.71" not in text
        assert "owner:" not in text


def test_a_hold_is_placed_reviewed_and_released_by_two(console: Console, later: None) -> None:
    site = console.site
    asked = f"?camera={EMPTY_CAMERA}&from={instant(12)}&to={instant(40)}".replace("+", "%2B")
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/penahanan{asked}")
        expect(page.locator("#chosen")).to_have_text("1 kamera dipilih.")
        for name, text in (("case", MARKUP), ("owner", "Polrestabes"), ("basis", "KUHAP 39")):
            page.locator(f"#{name}").fill(text)
        page.locator("#hold .button.main").click()
        expect(page.locator("dialog")).to_contain_text("tidak akan dimusnahkan")
        page.locator("dialog .button.main").click()
        expect(page.locator("#facts")).to_contain_text("Berlaku: tidak ada yang dimusnahkan darinya.")
        # What somebody wrote is text, also where it looks like markup.
        expect(page.locator("#name")).to_have_text(MARKUP)
        assert page.locator("main img").count() == 0
        where = page.url.removeprefix(console.url)
        assert found_in(page) == []
        expect(page.locator("#propose button")).to_be_disabled()
        expect(page.locator("#propose")).to_contain_text("Hanya admin (Kominfo) yang dapat melepas")
        page.locator("#review-box summary").click()
        page.locator("#review-reason").fill("Sidang berlanjut")
        page.locator("#review-form .button").click()
        expect(page.locator("#history")).to_contain_text("Sidang berlanjut")
    site.evidence.site.hold_sweeper().run()
    site.clock.advance(4 * SECOND)
    with console.page_of("ada", size=PHONE) as page:
        page.goto(f"{console.url}{where}")
        expect(page.locator("#facts")).to_contain_text(re.compile(r"\d segmen; semuanya"))
        page.locator("#propose button").click()
        page.locator("#decision-reason").fill("Perkara diputus")
        page.locator("dialog .button.main").click()
        expect(page.locator("#release")).to_contain_text("Perkara diputus")
        expect(page.locator("#release button >> nth=0")).to_be_disabled()
        expect(page.locator("#release")).to_contain_text("Anda yang mengusulkan")
    site.clock.advance(4 * SECOND)
    with console.page_of("budi") as page:
        page.goto(f"{console.url}/penahanan")
        page.locator("#active a", has_text=MARKUP).click()
        hand = Hand(page)
        hand.press("#release button >> nth=0")
        hand.press("dialog .button.main")
        expect(page.locator("#facts")).to_contain_text("Sudah dilepas")
        assert hand.count == 2
    history = caller(site, "indra").get("/v1/holds/" + where.rsplit("/", 1)[1]).json()["history"]
    assert [(one["action"], one["actor"]) for one in history] == [
        ("hold.placed", "user:citra"),
        ("hold.reviewed", "user:citra"),
        ("hold.release_proposed", "user:ada"),
        ("hold.released", "user:budi"),
    ]


def test_holds_stand_by_their_review_and_grow(console: Console, later: None) -> None:
    site = console.site
    soon = held(site, case="Tinjau segera", review_at=format_instant(site.clock.now() + DAY))
    held(site, case="Tinjau nanti", review_at=format_instant(site.clock.now() + 200 * DAY))
    site.clock.advance(2 * DAY)
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/penahanan")
        rows = page.locator("#active .hold-row")
        expect(rows.first).to_contain_text("Tinjauan terlambat")
        assert found_in(page) == []
        expect(rows.first).to_contain_text("Tinjau segera")
        expect(rows.last).to_contain_text("Tinjau nanti")
        assert page.locator("#place").is_hidden(), "an auditor places none"
    with console.page_of("tono") as page:
        page.goto(f"{console.url}/penahanan/{soon}")
        page.locator("#extend-box summary").click()
        page.locator("#cameras input").check()
        page.locator("#extend-reason").fill("Saksi kedua")
        page.locator("#extend-form .button").click()
        expect(page.locator("#facts .chip")).to_have_count(2)
    after = caller(site, "indra").get(f"/v1/holds/{soon}").json()
    assert after["cameras"] == [CAMERA, EMPTY_CAMERA]
    assert (after["from"], after["to"]) == (instant(0), instant(25)), "an edge that nobody typed stays"


def test_what_was_destroyed_by_which_policy_and_that_nothing_of_it_was_held(
    console: Console, later: None
) -> None:
    site = console.site
    adopted(site, f"camera-{EMPTY_CAMERA}", keep_days_max=40)
    both, range_ = [CAMERA, EMPTY_CAMERA], {"from": instant(12), "to": instant(13)}
    kept = held(site, case="Tetap ditahan", cameras=both, **range_)
    site.clock.advance(70 * DAY)
    made = aside(lambda: Dispositions(site.evidence.site).apply(actor="rule:retention"))
    assert made
    site.clock.advance(4 * SECOND)
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/pemusnahan")
        expect(page.locator("#list tbody tr")).to_have_count(len(made))
        page.locator("#list tbody a >> nth=0").click()
        record = page.locator("#record")
        expect(record).to_contain_text("Kamera Jl. Penghibur cam-2")
        expect(record).to_contain_text("Pemendekan disetujui · Budi")
        expect(record).to_contain_text("Sistem arsip")
        expect(record.locator(f"a[href='/penahanan/{kept}']")).to_have_text("Tetap ditahan")
        expect(record).to_contain_text("Menurut kamera dan hari")
        assert found_in(page) == []
        with page.expect_download() as paper:
            page.locator("a", has_text="Berita acara (PDF)").click()
        assert paper.value.path().read_bytes().startswith(b"%PDF")


def test_what_is_not_there_says_so(console: Console, later: None) -> None:
    console.expected.append("404")
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/retensi/kecamatan-99.99.99")
        expect(page.locator("#now")).to_contain_text("Cakupan ini tidak ada")
        page.goto(f"{console.url}/penahanan/hold-{'0' * 32}")
        expect(page.locator("#facts")).to_contain_text("Penahanan ini tidak ada")
        page.goto(f"{console.url}/pemusnahan/dsp-{'0' * 24}")
        expect(page.locator("#record")).to_contain_text("Pemusnahan ini tidak ada")
