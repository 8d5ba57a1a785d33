"""Oversight and incidents in the browser: who did what to this, on the screen and on paper; what is wrong."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.records.custody_report.vocabulary import WORDS
from archive.records.integrity_incidents import open_integrity_incident
from archive.timespan import SECOND
from ops.log import Log
from tests.support.api_site import CAMERA, DESCRIPTION, FRAME, instant, span
from tests.support.console import LAPTOP, PHONE, Console, aside
from tests.support.people import caller

NAME = f"Jl. Penghibur {CAMERA}"
MARKUP = '<img src=x onerror="alert(1)">'
CASE = "LP/B/123/XI/2026"


@pytest.fixture(scope="module")
def city(console: Console) -> Console:
    """The city after some acts: clips described, a clip downloaded, a refusal, a search, a checkpoint."""
    citra, dewi = (caller(console.site, name) for name in ("citra", "dewi"))
    for start in (3, 3, 4):
        # Acts of one instant have no order; these have one.
        console.site.clock.step(SECOND)
        described = citra("GET", DESCRIPTION, params=span(start, start + 2, digest="none"))
        assert described.status_code == 200
    console.site.clock.step(SECOND)
    clip = citra("GET", f"/v1/cameras/{CAMERA}/clip.mp4", params=span(3, 9))
    assert clip.status_code == 200
    assert dewi("GET", FRAME, params={"at": instant(4)}).status_code == 403
    assert dewi("GET", "/v1/recordings", params={"camera": CAMERA, **span(0, 20)}).status_code == 200
    caller(console.site, "tono", MARKUP)("GET", DESCRIPTION, params=span(5, 7, digest="none"))
    aside(Log(console.site.evidence.site).maker.run_due)
    return console


@pytest.fixture
def incident(city: Console) -> str:
    key = city.site.first[0].key
    return open_integrity_incident(
        city.site.services.ledger,
        code="bytes_differ",
        subject=f"footage:{key}:1",
        message=f"its bytes differ {MARKUP}",
        found_by="job:fixity",
        details={"recorded_sha256": "ab" * 32, "found_sha256": "cd" * 32},
    ).id


def test_the_custody_of_a_camera_is_found_and_printed(city: Console) -> None:
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/")
        expect(page.locator("h1")).to_have_text("Siapa melakukan apa terhadapnya?")
        page.locator("#item").fill(NAME)  # 1: type or pick the camera
        page.keyboard.press("Enter")  # 2: ask
        expect(page.locator("#subject")).to_have_text(NAME)
        with page.expect_download() as paper:
            page.get_by_role("button", name="Cetak laporan (PDF)").click()  # 3: print
        assert Path(paper.value.path()).read_bytes().startswith(b"%PDF-")
        assert paper.value.suggested_filename == f"custody-{CAMERA}.pdf"
        deeds = page.locator(".sitting", has_text="Citra").locator(".deeds li")
        seen = deeds.filter(has_text="melihat keterangan klip")
        expect(seen.first).to_contain_text(
            f"Citra melihat keterangan klip {NAME} 24 Nov 14:00:03–14:00:05 WITA, keperluan {CASE}"
        )
        expect(seen.first).to_contain_text("(2 kali)")
        expect(deeds.filter(has_text="mengunduh klip")).to_contain_text("terkirim")
        refused = page.locator(".deeds li", has_text="Dewi").locator(".outcome")
        expect(refused.first).to_have_text("DITOLAK: tidak ada izin")
        expect(page.locator(".totals")).to_contain_text("1 unduhan")
        expect(page).to_have_title(f"{NAME} · Pengawasan · Saksi")
        assert f"item={CAMERA}" in page.url


def test_a_person_and_the_time_of_footage_narrow_the_question(city: Console) -> None:
    with city.page_of("indra", language="en", size=PHONE, theme="light") as page:
        page.goto(f"{city.url}/pengawasan")
        page.locator("#item").fill(NAME)
        page.locator("#person").fill("Citra")
        page.locator("#footage-from").fill("24/11/2026 14:00:08")
        page.locator("#footage-to").fill("24/11/2026 14:00:20")
        page.locator("#go").click()
        expect(page.locator(".deeds li")).to_have_count(1)
        expect(page.locator(".deeds li")).to_contain_text(f"Citra downloaded a clip of {NAME}")
        page.locator("#item").fill("nowhere")
        page.locator("#go").click()
        expect(page.locator("#unclear")).to_contain_text("no known camera or number")


def test_what_left_the_archive_is_listed_by_time_alone_and_printed(city: Console) -> None:
    city.site.clock.step(SECOND)  # a span ends before its end: what is done at that very moment is after it
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/pengawasan")
        page.get_by_role("link", name="Yang keluar dari arsip, 7 hari").click()  # 1: what was exported
        expect(page.locator("#subject")).to_contain_text("Semua orang · yang keluar dari arsip · ")
        expect(page.locator(".deeds li")).to_have_count(1)
        expect(page.locator(".deeds li")).to_contain_text(f"Citra mengunduh klip {NAME}")
        with page.expect_download() as paper:
            page.get_by_role("button", name="Cetak laporan (PDF)").click()  # 2: print
        assert Path(paper.value.path()).read_bytes().startswith(b"%PDF-")
        assert paper.value.suggested_filename.startswith("custody-20")
        page.locator("#only").select_option("")
        page.locator("#go").click()
        expect(page.locator("#subject")).to_contain_text("Semua orang · ")
        expect(page.locator(".sitting", has_text="Tono")).not_to_have_count(0)
        expect(page.locator(".sitting", has_text="Dewi")).not_to_have_count(0)
        page.locator("#to").fill("")
        page.locator("#go").click()
        expect(page.locator("#unclear")).to_contain_text("tulis kedua waktu")


def test_others_see_only_their_own_acts(city: Console) -> None:
    with city.page_of("dewi") as page:
        page.goto(f"{city.url}/pengawasan")
        expect(page.locator("h1")).to_have_text("Perbuatan saya")
        expect(page.locator("#person")).to_have_count(0)
        expect(page.locator(".sitting").first).to_be_visible()
        assert {
            one.split("\n")[0].split(" ")[0] for one in page.locator(".sitting h3").all_inner_texts()
        } == {"dewi"}
        expect(page.locator(".deeds")).not_to_contain_text("Citra")
        expect(page.get_by_role("link", name="Log dan bukti")).to_have_count(0)


def test_stored_markup_is_text(city: Console) -> None:
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/pengawasan?person=user:tono")
        expect(page.locator(".deeds")).to_contain_text(f"keperluan {MARKUP}")
        assert page.locator("#content img").count() == 0


def test_the_proof_of_an_act_is_saved_with_what_verifies_it(city: Console) -> None:
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/pengawasan?item={CAMERA}")
        page.locator(".deeds li", has_text="mengunduh klip").get_by_role(
            "link", name="Bukti dalam log"
        ).click()
        expect(page.locator("#proved .good").first).to_contain_text("Tercakup dalam titik periksa 1")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Unduh bukti (ZIP)").click()
        with zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes())) as archive:
            assert archive.testzip() is None
            assert {"inclusion.json", "checkpoint", "checkpoint.p7s", "checkpoint.tsr", "README.txt"} == set(
                archive.namelist()
            )
        expect(page.locator("#checkpoints tbody tr")).to_have_count(1)
        page.goto(f"{city.url}/pengawasan/log?key={city.site.first[0].key}")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Unduh bukti (ZIP)").click()
        with zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes())) as archive:
            assert CAMERA.encode() in archive.read("leaf.json")


def test_who_could_see_a_camera_is_told_by_what_right(city: Console) -> None:
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/pengawasan/penonton")
        page.locator("#camera").fill(NAME)
        page.locator("#go").click()
        row = page.locator("tbody tr", has_text="Citra")
        expect(row).to_contain_text("melihat rekaman: lewat peran")
        expect(page.locator("tbody tr", has_text="Erna")).to_contain_text("lewat kecamatan")
        expect(page.locator("tbody tr", has_text="Indra")).to_have_count(0)


def test_an_incident_is_understood_and_closed(city: Console, incident: str) -> None:
    with city.page_of("ada") as page:
        page.goto(f"{city.url}/insiden")
        page.locator("#open").get_by_role("link", name="Isi yang tersimpan berubah").click()
        expect(page.locator(".facts")).to_contain_text(f"Rekaman {NAME}")
        expect(page.locator("#incident")).to_contain_text("Jangan mengubah atau menghapus apa pun")
        page.locator("summary", has_text="Keterangan teknis").click()
        expect(page.locator("#incident")).to_contain_text(MARKUP)
        page.get_by_role("button", name="Tutup insiden").click()
        page.locator("#decision-reason").fill("dipulihkan dari cadangan")
        page.locator(".decision .button.main").click()
        expect(page.locator(".badge")).to_contain_text("Ditutup")
        expect(page.locator(".deeds li").first).to_contain_text(
            "Ada menutup insiden integritas, dengan alasan “dipulihkan dari cadangan”"
        )
        assert page.locator("#content img").count() == 0
        page.goto(f"{city.url}/insiden")
        expect(page.locator("#open")).to_contain_text("Tidak ada insiden terbuka")
        expect(page.locator("#closed li")).to_have_count(1)
    with city.page_of("indra") as page:
        page.goto(f"{city.url}/insiden/{incident}")
        expect(page.locator(".badge")).to_contain_text("Ditutup")
        expect(page.get_by_role("button", name="Tutup insiden")).to_have_count(0)


SENTENCES = """async ([path, acts]) => {
  const { sentenceOf } = await import(path);
  const cameras = new Map([["cam-1", { name: "Karebosi" }]]);
  const names = { cameras, people: new Map(), districts: new Map() };
  const actor = { id: "user:citra" };
  const act = (type, objects, details) => ({ type, objects, details, actor, purpose: "", outcome: "done" });
  const minute = { from: "2026-11-24T06:00:00Z", to: "2026-11-24T06:01:00Z" };
  const told = (one) => sentenceOf(one, names).map((part) => part.textContent ?? part).join("");
  return acts.flatMap((type) => [told(act(type, [], {})),
    told(act(type, ["cam-1", "REQ-2026-0000000001", "rina"], minute))]);
}"""


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_act_reads_as_a_sentence(city: Console, language: str) -> None:
    with city.page_of("indra", language=language) as page:
        page.goto(f"{city.url}/pengawasan")
        script = page.locator("script[src$='pengawasan.js']").get_attribute("src")
        assert script is not None
        told: list[Any] = page.evaluate(
            SENTENCES, [script.replace("pengawasan.js", "act-sentence.js"), sorted(WORDS)]
        )
        assert len(told) == 2 * len(WORDS)
        for sentence in told:
            assert sentence.startswith("Citra "), sentence
            assert sentence.endswith("."), sentence
            assert not set("{}[]|") & set(sentence), sentence


def wide_enough(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_its_screen(
    city: Console, incident: str, size: tuple[int, int], theme: str
) -> None:
    paths = (
        f"/pengawasan?item={CAMERA}",
        "/pengawasan",
        "/pengawasan/log",
        f"/pengawasan/penonton?camera={CAMERA}",
        "/insiden",
        f"/insiden/{incident}",
    )
    with city.page_of("indra", size=size, theme=theme) as page:
        for path in paths:
            page.goto(city.url + path)
            page.wait_for_load_state("networkidle")
            expect(page.locator("[aria-busy]")).to_have_count(0)
            assert wide_enough(page), path
