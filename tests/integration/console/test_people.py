"""Accounts in the browser: opened by one, consented to by another, invited by both, used by the person."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import SECOND
from tests.support.api_site import CAMERA
from tests.support.console import LAPTOP, PHONE, Console
from tests.support.people import add_person, catch_up, grant, users_of
from tests.support.waiting import PATIENCE_S

PASSWORD = "perahu biru menuju pulau"
MARKUP = '<img src=x onerror="alert(1)">'
REASON = "Surat Tugas 12/2026"


def open_account(page: Page, name: str, *roles: str, reason: str = REASON) -> None:
    """Fill in the form of a new account, and send it."""
    page.locator("#open").click()
    page.locator("#full-name").fill(name)
    for role in roles:
        page.locator(f"#tick-{role}").check()
    page.locator("#form-reason").fill(reason)
    page.locator(".account-form .button.main").click()


def decided(page: Page, reason: str = REASON) -> None:
    """Give the reason, and say yes."""
    page.locator("#decision-reason").fill(reason)
    page.locator(".decision .button.main").click()


def kept_secret(page: Page) -> str:
    """The secret that is shown, after which its dialog is closed."""
    secret = page.locator(".slip .secret").inner_text()
    page.locator(".slip").get_by_role("button", name="Sudah disimpan, tutup").click()
    expect(page.locator(".slip")).to_have_count(0)
    return secret


def test_an_account_is_opened_by_one_consented_by_another_and_signs_in(console: Console) -> None:
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/akun")
        open_account(page, "Rina Amalia", "war_room")
        page.wait_for_url("**/akun/rina")
        expect(page).to_have_title("Rina Amalia · Akun · Saksi")
        consent = page.get_by_role("button", name="Setujui peran")
        expect(consent).to_be_disabled()
        expect(page.locator(".barred-act")).to_contain_text("Anda sendiri yang memulainya")
        page.get_by_role("button", name="Buat bagian pertama kode undangan").click()
        decided(page)
        expect(page.locator(".slip")).to_contain_text("Bagian PERTAMA kode undangan Rina Amalia")
        expect(page.locator(".slip")).to_contain_text("Jangan kepada administrator lain")
        first = kept_secret(page)
        expect(page.get_by_role("button", name="Buat bagian kedua kode undangan")).to_be_disabled()
    with console.page_of("budi") as page:
        page.goto(f"{console.url}/akun")
        expect(page.locator("#waiting")).to_contain_text("Rina Amalia: peran War Room menunggu persetujuan")
        page.locator("#waiting").get_by_role("link", name="Rina Amalia").click()
        page.get_by_role("button", name="Setujui peran").click()
        expect(page.locator(".decision")).to_contain_text("Rina Amalia mendapat peran War Room seketika")
        decided(page)
        page.get_by_role("button", name="Buat bagian kedua kode undangan").click()
        decided(page)
        second = kept_secret(page)
        expect(page.locator(".todo")).to_contain_text("Sekarang Rina Amalia harus masuk")
        history = page.locator(".deeds li")
        expect(history).to_have_count(4)
        expect(history.first).to_contain_text("Budi membuat bagian kedua kode undangan")
        expect(history.last).to_contain_text(f"Ada membuka akun, dengan alasan “{REASON}”")
    with console.page_of("") as page:
        page.goto(f"{console.url}/masuk")
        page.locator("#switch").click()
        page.locator("#code").fill(f"{first} {second}")
        page.locator("#chosen").fill(PASSWORD)
        page.locator("#again").fill(PASSWORD)
        page.locator("#accept").click()
        page.wait_for_url(lambda url: "/masuk" not in url)
        page.goto(f"{console.url}/saya")
        expect(page.locator("#who")).to_contain_text("War Room")
        page.locator("#old").fill(PASSWORD)
        page.locator("#new").fill("gunung hijau di balik awan")
        page.locator("#password-form #again").fill("gunung hijau di balik awan")
        page.locator("#password-form button").click()
        said = page.locator("#password-form [role=status]")
        expect(said).to_contain_text("Kata sandi diganti", timeout=PATIENCE_S * 1000)
    assert users_of(console.site).user("rina").roles == (Role.WAR_ROOM,)


def test_roles_that_exclude_one_another_are_grey_with_the_reason(console: Console) -> None:
    with console.page_of("ada", size=PHONE, theme="light") as page:
        page.goto(f"{console.url}/akun")
        page.locator("#open").click()
        page.locator("#tick-admin").check()
        for role in ("war_room", "police", "satpol_pp", "auditor"):
            expect(page.locator(f"#tick-{role}")).to_be_disabled()
        expect(page.locator("#why-war_room")).to_have_text("Tidak dapat dirangkap dengan Admin (Kominfo).")
        expect(page.locator("#agency")).to_be_disabled()
        expect(page.locator(".account-form .note-line")).to_contain_text("administrator kedua")
        page.locator("#tick-admin").uncheck()
        page.locator("#tick-kecamatan").check()
        page.locator("#full-name").fill("Erni")
        expect(page.locator("#account-id")).to_have_value("erni")
        page.locator("#form-reason").fill(REASON)
        page.locator(".account-form .button.main").click()
        expect(page.locator(".account-form .problem")).to_contain_text("Pilih kecamatan")


def test_a_closed_account_is_opened_again_and_its_roles_wait(console: Console) -> None:
    add_person(console.site, "joko", Role.WAR_ROOM)
    catch_up(console.site)
    with console.page_of("ada", language="en") as page:
        page.goto(f"{console.url}/akun/joko")
        page.get_by_role("button", name="Close the account").click()
        expect(page.locator(".decision")).to_contain_text("Joko cannot sign in any more")
        decided(page)
        page.get_by_role("button", name="Open the account again").click()
        decided(page)
        expect(page.locator(".todo")).to_contain_text("The role War Room was proposed by Ada")
        page.get_by_role("button", name="Refuse the proposal").click()
        decided(page)
        expect(page.locator(".facts")).to_contain_text("no role in force yet")


def test_who_was_second_is_told_that_somebody_was_first(console: Console) -> None:
    add_person(console.site, "wati", Role.POLICE, agency="polsek")
    console.expected.append("412")
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/akun/wati")
        page.get_by_role("button", name="Akhiri semua sesi").click()
        users_of(console.site).end_sessions("wati", actor="user:budi", reason="x")
        decided(page)
        expect(page.locator(".decision .problem")).to_contain_text("Orang lain baru saja mengubahnya")
        page.locator(".decision").get_by_role("button", name="Batal").click()
        expect(page.locator(".deeds li").first).to_contain_text("Budi mengakhiri semua sesi akun")


def test_nobody_changes_more_than_their_role_may(console: Console) -> None:
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/akun")
        expect(page.locator("#accounts tbody tr").first).to_be_visible()
        expect(page.locator("#open")).to_have_count(0)
        page.goto(f"{console.url}/akun/ada")
        expect(page.locator(".facts")).to_contain_text("Admin (Kominfo)")
        expect(page.get_by_role("button", name="Tutup akun")).to_have_count(0)
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/akun/ada")
        expect(page.get_by_role("button", name="Tutup akun")).to_be_disabled()
        expect(page.locator(".barred-act")).to_contain_text("Ini akun Anda sendiri")


def test_a_machine_gets_a_token_that_is_shown_once_and_revoked(console: Console) -> None:
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/akun")
        page.locator(".new-token > summary").click()
        page.locator("#token-name").fill("dinding")
        page.get_by_label("melihat rekaman", exact=True).check()
        page.locator("#token-reason").fill(REASON)
        page.locator("#token-form .button.main").click()
        token = kept_secret(page)
        assert token.startswith("saksi_")
        row = page.locator(".token", has_text="dinding")
        expect(row).to_contain_text("melihat rekaman")
        expect(row).to_contain_text("dibuat oleh Ada")
        assert token not in page.content()
        row.get_by_role("button", name="Cabut token dinding").click()
        decided(page)
        expect(page.locator(".token", has_text="dinding")).to_have_count(0)


def test_stored_markup_is_text(console: Console) -> None:
    with console.page_of("ada") as page:
        page.goto(f"{console.url}/akun")
        page.locator("#open").click()
        page.locator("#full-name").fill(MARKUP)
        page.locator("#account-id").fill("markah")
        page.locator("#tick-police").check()
        page.locator("#agency").fill(MARKUP)
        page.locator("#form-reason").fill(MARKUP)
        page.locator(".account-form .button.main").click()
        page.wait_for_url("**/akun/markah")
        expect(page.locator("h1")).to_have_text(MARKUP)
        expect(page.locator(".deeds li").first).to_contain_text(MARKUP)
        page.goto(f"{console.url}/akun")
        expect(page.locator("#accounts")).to_contain_text(MARKUP)
        assert page.locator("#content img").count() == 0


@pytest.mark.parametrize("person", ["dewi", "erna"])
def test_everybody_has_their_own_page(console: Console, person: str) -> None:
    with console.page_of(person, size=PHONE, theme="light") as page:
        page.goto(f"{console.url}/bagian")
        page.locator(".reader summary").click()
        page.locator(".menu").get_by_role("link", name="Akun saya").click()
        expect(page.locator("#who")).to_contain_text(person)
        page.locator("#purpose").fill("LP/B/77/XI/2026")
        page.locator("#purpose-form button").click()
        expect(page.locator("#purpose-form [role=status]")).to_have_text("Keperluan disimpan.")
        page.reload()
        expect(page.locator("#purpose")).to_have_value("LP/B/77/XI/2026")
        page.get_by_role("link", name="Semua perbuatan saya yang tercatat").click()
        expect(page.locator("h1")).to_have_text("Perbuatan saya")
        expect(page.locator(".sittings")).to_contain_text("menyatakan keperluan")


def test_footage_that_was_granted_is_on_the_own_page(console: Console) -> None:
    span = console.site.first[0].span
    grant(console.site, "sari", [CAMERA], span, Right.VIEW)
    with console.page_of("sari") as page:
        page.goto(f"{console.url}/saya")
        row = page.locator("#grants li")
        expect(row).to_contain_text(f"Jl. Penghibur {CAMERA} · 24 Nov 14:00:00")
        expect(row).to_contain_text("Boleh dilihat, sampai 25 Nov 14:30:00 WITA")
        assert f"camera={CAMERA}" in (row.get_by_role("link").get_attribute("href") or "")


LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    "ada": ("/akun", "/akun/citra", "/akun/wati", "/saya"),
    "dewi": ("/saya",),
}


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_its_screen(console: Console, size: tuple[int, int], theme: str) -> None:
    for person, paths in LOOKED_AT.items():
        with console.page_of(person, size=size, theme=theme) as page:
            for path in paths:
                page.goto(console.url + path)
                page.wait_for_load_state("networkidle")
                expect(page.locator("[aria-busy]")).to_have_count(0)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_war_room_gives_a_grant_and_ends_it(console: Console) -> None:
    with console.page_of("citra") as page:
        page.goto(f"{console.url}/izin?camera={CAMERA}")
        page.locator("#give summary").click()
        expect(page.locator("#chosen")).to_have_text("1 kamera dipilih.")
        page.locator("#grant .button.main").click()
        page.locator("#basis").fill(MARKUP)
        page.locator("#from").fill("24/11/2026 14.00")
        page.locator("#to").fill("14.10")
        page.locator("#grant .button.main").click()
        expect(page.locator("#form-problem")).to_contain_text("salah satu saja")
        page.locator("#person").fill("dewi")
        page.locator("#grant .button.main").click()
        expect(page.locator(".decision")).to_contain_text("boleh dilihat oleh dewi sampai 1 Des 14:30")
        page.locator(".decision .button.main").click()
        row = page.locator("#now .hold-row", has_text="dewi")
        expect(row).to_contain_text(f"Jl. Penghibur {CAMERA}")
        expect(row).to_contain_text(f"dasar: {MARKUP}")
        assert page.locator("main img").count() == 0
        expect(page.locator("#said")).to_contain_text("Izin diberikan kepada dewi")
    catch_up(console.site)
    console.site.clock.advance(4 * SECOND)  # the list follows
    with console.page_of("dewi", size=PHONE, theme="light") as page:
        page.goto(f"{console.url}/izin")
        expect(page.locator("#now .hold-row")).to_have_count(1)
        expect(page.get_by_role("button", name="Cabut")).to_have_count(0)
        expect(page.locator("#give")).to_have_count(0)
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/izin?person=dewi")
        expect(page.locator("#now .hold-row")).to_contain_text("Dewi")
        expect(page.locator("main")).to_contain_text("Hanya War Room yang memberi dan mencabut izin.")
    with console.page_of("tono") as page:
        page.goto(f"{console.url}/izin?person=dewi")
        page.locator("#now").get_by_role("button", name="Cabut izin dewi").click()
        decided(page)
        expect(page.locator("#said")).to_have_text("Izin dewi dicabut.")
        console.site.clock.advance(4 * SECOND)  # the list follows
        page.reload()
        expect(page.locator("#now")).to_contain_text("Tidak ada izin yang berlaku")
        page.locator("#past-box summary").click()
        expect(page.locator("#past .hold-row")).to_contain_text("Dicabut")
