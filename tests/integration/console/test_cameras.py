"""Cameras and health: the one sentence, the list, one camera, and what may be done about it by whom."""

import base64
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.canonical import JsonObject
from archive.footage.trials import Sighting
from archive.timespan import HOUR, MINUTE, SECOND
from tests.support.api_site import CAMERA, EMPTY_CAMERA, Site
from tests.support.console import PHONE, Console, comes_true, put_on_the_map
from tests.support.people import caller
from tests.support.waiting import until

expect.set_options(timeout=40_000)

STILL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////"
    "////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAA"
    "AAD/2gAIAQEAAD8AN//Z"
)
"""A JPEG of one grey point."""

MARKUP = "<img src=x onerror=alert(1)>"
NAMES = {CAMERA: f"Jl. Penghibur {CAMERA}", EMPTY_CAMERA: f"Jl. Penghibur {EMPTY_CAMERA}"}


def beat(site: Site, *, lost: bool = False, says: JsonObject | None = None, **state: Any) -> None:
    """A heartbeat: ``cam-1`` is recording and ``says`` more; ``cam-2`` too, unless it is ``lost``."""
    now = site.clock.now()
    well: JsonObject = {
        "capturing": 1, "kept": 1, "began": now - HOUR, "grown": now, "attempts": 2, "failures": 0,
        "cause": "", "until": now, "archived": now - 10 * SECOND, "mfps": 15_000, "kbps": 1_500,
    }  # fmt: skip
    silent: JsonObject = {
        "capturing": 0, "kept": 0, "began": now, "grown": 0, "attempts": 9, "failures": 7,
        "cause": "unreachable", "until": now - 12 * MINUTE, "archived": now - 12 * MINUTE,
        "gap_from": now - 12 * MINUTE,
    }  # fmt: skip
    facts: JsonObject = {
        "version": "1.0", "waiting": 3,
        "cameras": {CAMERA: well | (says or {}), EMPTY_CAMERA: silent if lost else well},
        "oldest_us": 4 * SECOND, "spool_bytes": 8 << 20, "spool_room": 200 << 30, "disk_free": 512 << 30,
    }  # fmt: skip
    site.services.index.put_heartbeat("rec-1", now, facts | state)


def opened(console: Console, page: Page, path: str) -> None:
    page.goto(f"{console.url}{path}")


def test_health_says_in_one_sentence_that_all_is_well(console: Console) -> None:
    beat(console.site)
    with console.page_of("ada") as page:
        opened(console, page, "/")  # an admin's home
        assert page.url.endswith("/kesehatan")
        expect(page.locator("#verdict")).to_have_text(
            re.compile("^Ya. 2 kamera yang aktif semuanya direkam, dan yang dijanjikan masih tersimpan")
        )
        expect(page.locator("#todo-none")).to_contain_text("Tidak ada")
        expect(page.locator("#districts")).to_contain_text("Mariso")
        expect(page.locator("#recorders tbody tr")).to_have_count(1)


def test_a_camera_that_is_recorded_has_what_it_says_of_itself_on_its_page(console: Console) -> None:
    now = console.site.clock.now()
    clock = {"device_offset_us": -61 * SECOND, "device_within_us": SECOND // 2, "device_asked": now - HOUR}
    beat(console.site, says=clock | {"device_tamper": now - HOUR})
    with console.page_of("ada") as page:
        opened(console, page, f"/kamera/{CAMERA}")
        expect(page.locator("#now")).to_contain_text("direkam")
        expect(page.locator("#now")).to_contain_text("Jam kamera meleset 61 detik")
        expect(page.locator("#now")).to_contain_text("Menurut kamera, kamera diputar")
        beat(console.site)
        page.reload()
        expect(page.locator("#now")).to_contain_text("direkam")
        expect(page.locator("#now")).not_to_contain_text("meleset")


def test_what_is_red_has_its_remedy_and_keeps_its_place_when_it_recovers(console: Console) -> None:
    beat(console.site, lost=True, store_error="store_unavailable")
    with console.page_of("citra", size=PHONE, theme="light") as page:
        page.clock.install(time=console.site.clock.now() / 1_000_000)
        opened(console, page, "/kesehatan")
        expect(page.locator("#verdict")).to_contain_text(
            "1 dari 2 kamera tidak terekam; 1 masalah pada perekam"
        )
        camera = page.locator(f'[data-key="{EMPTY_CAMERA}"]')
        expect(camera).to_contain_text("kamera tidak terjangkau, sejak")
        expect(camera).to_contain_text("12 mnt")
        expect(camera).to_contain_text("Tindakan: periksa listrik dan jaringan kamera")
        expect(page.locator("#todo")).to_contain_text("Penyimpanan menolak rekaman dari rec-1.")
        beat(console.site)
        page.clock.run_for(10_500)
        expect(page.locator("#verdict")).to_contain_text("Ya.")
        expect(camera).to_contain_text("Sudah pulih pukul")
        page.locator("#sort").click()
        expect(camera).to_have_count(0)


def test_a_page_that_cannot_be_read_anew_says_as_of_when_it_is(console: Console) -> None:
    beat(console.site)
    console.expected.append("Failed to load resource")
    with console.page_of("indra", language="en") as page:
        page.clock.install(time=console.site.clock.now() / 1_000_000)
        opened(console, page, "/kesehatan")
        expect(page.locator("#as-of")).to_contain_text("As of 2026-11-24")
        page.route("**/v1/health/cameras?*", lambda route: route.abort())
        page.clock.run_for(10_500)
        expect(page.locator("#as-of")).to_contain_text("since then it could not be read anew")
        expect(page.locator("#verdict")).to_contain_text("Yes.")
    console.expected.clear()


def test_a_district_sees_its_own_cameras_and_whom_to_ask_for_the_rest(console: Console) -> None:
    beat(console.site, lost=True)
    with console.page_of("erna") as page:
        opened(console, page, "/kesehatan")
        expect(page.locator("#verdict")).to_contain_text("1 dari 2 kamera tidak terekam")
        expect(page.locator("#recorders")).to_contain_text("Tanyakan kepada admin Kominfo")
        expect(page.locator("#archive")).to_contain_text("Tanyakan kepada admin Kominfo")


def test_the_list_is_searched_and_filtered_and_the_address_keeps_it(console: Console) -> None:
    beat(console.site, lost=True)
    with console.page_of("citra") as page:
        opened(console, page, "/kamera")
        rows = page.locator("#list tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("Ruang publik")
        page.locator("#state").select_option("silent")
        expect(rows).to_have_count(1)
        expect(page.locator("#count")).to_have_text("1 dari 2 kamera")
        assert page.url.endswith("/kamera?state=silent")
        page.reload()
        expect(rows).to_have_count(1)
        page.locator("#q").fill("tidak ada itu")
        expect(page.locator("#list")).to_contain_text("Tidak ada kamera yang cocok")
        page.locator("#list button").click()
        expect(rows).to_have_count(2)
        assert page.locator("a[href$='/kamera-baru']").count() == 0, "only admins add cameras"


@pytest.mark.parametrize("person", ["dewi", "erna", "indra"])
def test_everybody_who_may_read_cameras_finds_one_and_its_facts(console: Console, person: str) -> None:
    beat(console.site)
    with console.page_of(person) as page:
        opened(console, page, "/kamera")
        page.get_by_role("link", name=NAMES[CAMERA]).click()
        expect(page.locator("h1")).to_have_text(NAMES[CAMERA])
        expect(page.locator("#facts")).to_contain_text("Mariso")
        expect(page.locator("#coverage")).to_contain_text("Tidak terekam")
        expect(page.locator("#coverage")).to_contain_text("kamera tidak terjangkau 20 dtk")
        expect(page.locator("#kept")).to_contain_text("Disimpan paling sedikit")
        assert page.get_by_role("button", name="Nonaktifkan").count() == 0
        is_police = person == "dewi"
        assert page.get_by_text("192.0.2.7").count() == (0 if is_police else 1), "no address of a device"


def test_a_camera_is_disabled_and_enabled_with_a_reason(console: Console) -> None:
    beat(console.site)
    with console.page_of("ada") as page:
        opened(console, page, f"/kamera/{EMPTY_CAMERA}")
        page.get_by_role("button", name="Nonaktifkan").click()
        page.locator("#decision-reason").fill("Perbaikan tiang")
        page.locator("dialog .button.main").click()
        expect(page.locator("#now")).to_contain_text("dinonaktifkan")
        expect(page.locator("#said")).to_have_text("Tersimpan.")
        page.get_by_role("button", name="Aktifkan lagi").click()
        page.locator("#decision-reason").fill("Selesai")
        page.locator("dialog .button.main").click()
        expect(page.get_by_role("button", name="Nonaktifkan")).to_be_visible()
        page.locator("#read-viewers").click()
        expect(page.locator("#viewers")).to_contain_text("Citra")


def test_sound_takes_two_admins_and_the_first_sees_why_not_alone(console: Console) -> None:
    with console.page_of("ada") as page:
        opened(console, page, f"/kamera/{CAMERA}")
        page.get_by_role("button", name="Usulkan rekam suara").click()
        page.locator("#decision-reason").fill(MARKUP)
        page.locator("dialog .button.main").click()
        expect(page.get_by_role("button", name="Setujui rekam suara")).to_be_disabled()
        expect(page.locator("#why-not")).to_contain_text("admin lain yang menyetujuinya")
        expect(page.locator("#facts")).to_contain_text(MARKUP)
    with console.page_of("budi") as page:
        opened(console, page, f"/kamera/{CAMERA}")
        page.get_by_role("button", name="Setujui rekam suara").click()
        expect(page.locator("dialog")).to_contain_text(MARKUP)
        page.locator("dialog .button.main").click()
        expect(page.locator("#facts")).to_contain_text("disetujui Budi")
        page.get_by_role("button", name="Hentikan rekam suara").click()
        page.locator("#decision-reason").fill("Pengumuman dilepas")
        page.locator("dialog .button.main").click()
        expect(page.get_by_role("button", name="Usulkan rekam suara")).to_be_visible()


def test_a_change_by_somebody_else_is_seen_before_it_is_overwritten(console: Console) -> None:
    console.expected.append("412")
    with console.page_of("ada") as page:
        opened(console, page, f"/kamera/{CAMERA}")
        page.get_by_role("button", name="Nonaktifkan").click()
        one = f"/v1/cameras/{CAMERA}"
        edit = {"purpose": MARKUP, "reason": "x"}
        assert caller(console.site, "budi").change("PATCH", one, of=one, json=edit).status_code == 200
        page.locator("#decision-reason").fill("x")
        page.locator("dialog .button.main").click()
        expect(page.locator("#said")).to_contain_text("Orang lain baru saja mengubah kamera ini")
        expect(page.locator("#facts")).to_contain_text(MARKUP)
        expect(page.get_by_role("button", name="Nonaktifkan")).to_be_visible()
    console.expected.clear()


def test_a_camera_of_another_district_is_not_there(console: Console) -> None:
    console.expected.append("404")
    with console.page_of("erna", language="en") as page:
        opened(console, page, "/kamera/tidak-ada")
        expect(page.locator("#trial")).to_contain_text(
            "There is no such camera, or it is not in your district."
        )
    console.expected.clear()


FORM = {
    "id": "masjid-7", "name": MARKUP, "source": "test://?size=320x180&fps=10&gop=10", "lat": "-5,1330",
    "lon": "119.4160", "permit": "503/7", "bearing": "135", "field_of_view": "90", "reach_m": "40",
}  # fmt: skip


def test_a_camera_is_tried_then_added_then_seen(console: Console) -> None:
    board = console.site.services.trials
    with console.page_of("ada") as page:
        opened(console, page, "/kamera-baru")
        for name, text in FORM.items():
            page.locator(f"#{name}").fill(text)
        page.locator("#kecamatan").select_option(label="Mamajang")
        page.locator("#kelurahan").select_option(label="Parang")
        page.locator("#is-public").check()
        expect(page.locator("#sketch")).to_contain_text("135° (tenggara)")
        put_on_the_map(page)
        page.locator("#try").click()
        expect(page.locator("#trial")).to_contain_text("Perekam sedang mencoba kamera ini")
        (order,) = until(lambda: list(board.orders(())), "the order")
        seen = Sighting(
            codec="avc1.640028", width=320, height=180, mfps=10_000, sound="pcm_alaw", made_from="mjpeg"
        )
        board.answer(order, "rec-1", seen, STILL)
        expect(page.locator("#trial h2")).to_have_text("Kamera memberi gambar")
        expect(page.locator("#trial")).to_contain_text("H.264, 320 × 180, 10,0 gambar per detik")
        expect(page.locator("#trial")).to_contain_text("suara tidak direkam kecuali diizinkan")
        expect(page.locator("#trial")).to_contain_text("Perekam mengodekannya menjadi H.264")
        comes_true(page, "document.querySelector('#trial img')?.naturalWidth > 0")
        page.get_by_role("button", name="Daftarkan kamera").click()
        page.wait_for_url("**/kamera/masjid-7")
        expect(page.locator("h1")).to_have_text(MARKUP)
        expect(page.locator("#facts")).to_contain_text("503/7")


def test_what_is_wrong_in_the_form_is_said_where_it_is_wrong(console: Console) -> None:
    console.expected += ["409", "422", "403"]
    with console.page_of("budi", language="en") as page:
        opened(console, page, "/kamera-baru")
        for name, text in {**FORM, "id": CAMERA}.items():
            page.locator(f"#{name}").fill(text)
        page.locator("#is-public").check()
        page.locator("form button.main").click()
        expect(page.locator("[data-field=id] .field-problem")).to_be_visible()
        page.locator("#id").fill("cam-77")
        page.locator("#source").fill("rtsp://127.0.0.1/1")
        page.locator("form button.main").click()
        expect(page.locator("[data-field=source] .field-problem")).to_be_visible()
        expect(page.locator("[data-field=id] .field-problem")).to_have_count(0)
    console.expected.clear()


def test_a_camera_is_edited_and_keeps_its_source(console: Console) -> None:
    before = console.site.services.registry.camera(EMPTY_CAMERA).sealed_source
    with console.page_of("ada", size=PHONE) as page:
        opened(console, page, f"/kamera/{EMPTY_CAMERA}/ubah")
        expect(page.locator("#title")).to_contain_text(NAMES[EMPTY_CAMERA])
        page.locator("#address").fill("Jl. Penghibur 12")
        page.get_by_role("button", name="Simpan perubahan").click()
        page.wait_for_url(f"**/kamera/{EMPTY_CAMERA}")
        expect(page.locator("#facts")).to_contain_text("Jl. Penghibur 12")
    assert console.site.services.registry.camera(EMPTY_CAMERA).sealed_source == before


def test_a_table_is_tried_row_by_row_before_it_is_imported(console: Console) -> None:
    rows = (
        "id,source,name,lat,lon,kecamatan,kelurahan,owner,view,permit\n"
        "impor-1,rtsp://192.0.2.50/1,Pasar Terong,-5.13,119.42,Bontoala,Wajo Baru,public,public,\n"
        f"impor-2,rtsp://192.0.2.51/1,Salah,95,119.42,Bontoala,Wajo Baru,public,public,{MARKUP}\n"
        f"{CAMERA},,{NAMES[CAMERA]},-5.1436,119.4071,73.71.01,73.71.01.1001,public,public,503/9\n"
    )
    with console.page_of("ada") as page:
        opened(console, page, "/kamera-impor")
        page.get_by_role("button", name="Coba dahulu").click()
        expect(page.locator(".drop-told")).to_have_text("Pilih tabelnya dahulu.")
        page.locator("#table").set_input_files(
            {"name": "kamera.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
        )
        expect(page.locator(".drop.wrong .drop-told")).to_contain_text("kamera.pdf")
        page.locator("#table").set_input_files(
            {"name": "kamera.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        )
        expect(page.locator(".drop:not(.wrong) .drop-told")).to_contain_text("kamera.csv")
        page.locator("#update").check()
        page.get_by_role("button", name="Coba dahulu").click()
        expect(page.locator("#result h2")).to_have_text(
            "Akan menambah 1, mengubah 1, membiarkan 0, menolak 1."
        )
        expect(page.locator("#result")).to_contain_text("Lintang")
        expect(page.locator("#result")).to_contain_text("Nomor izin: – → 503/9")
        page.get_by_role("button", name="Impor sekarang").click()
        page.locator("dialog .button.main").click()
        expect(page.locator("#result h2")).to_have_text("Ditambah 1, diubah 1, tetap 0, ditolak 1.")
        page.get_by_role("link", name="Lihat daftar kamera").click()
        expect(page.get_by_role("link", name="Pasar Terong")).to_be_visible()
