"""Review: a timeline from a month to a second, what a selection becomes, sets of cameras, keys, pictures."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from archive.cases.exports.model import MOST_AT_ONCE
from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import MINUTE, SECOND, Timespan
from tests.support import api_site
from tests.support.api_site import CAMERA, EMPTY_CAMERA, T0, archive_run, camera_json, instant
from tests.support.console import PHONE, Console, barriers
from tests.support.exports import worker
from tests.support.hand import Hand, give_password
from tests.support.night import IN_BOX, Minute, segments_of
from tests.support.people import PURPOSE, add_person, catch_up, grant
from tests.support.waiting import until

NINE = tuple(f"cam-{number}" for number in range(20, 29))
"""Cameras of one kecamatan, with the same footage as the first one."""
NIGHT_CAMERA = "cam-30"
"""Its second minute shows somebody who crosses the street."""
MARKUP = '<img src=x onerror="window.broken=1">'


@pytest.fixture(scope="module", autouse=True)
def city(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Console:
    """Cameras enough for a wall, and a police officer with a grant."""
    site = console.site
    footage = api_site._footage("h264-closed")[1]
    for number, camera in enumerate(NINE):
        name = MARKUP if camera == "cam-28" else f"Karebosi {number + 1}"
        site.call("POST", "/v1/cameras", json={**camera_json(camera), "name": name}).raise_for_status()
        archive_run(site.services, footage, run=f"6b05180000001{number:03x}", start=T0, camera=camera)
    night = {
        **camera_json(NIGHT_CAMERA),
        "name": "Jl. Riburane",
        "kecamatan": "73.71.01",
        "kelurahan": "73.71.01.1002",
    }
    site.call("POST", "/v1/cameras", json=night).raise_for_status()
    folder = tmp_path_factory.mktemp("night")
    minutes = [segments_of(Minute(crossing=crossing), folder) for crossing in (False, True)]
    segments = [one for minute in minutes for one in minute]
    archive_run(site.services, segments, run="6b05180000002000", start=T0, camera=NIGHT_CAMERA)
    add_person(site, "bripka", Role.POLICE)
    grant(site, "bripka", [CAMERA], Timespan(T0, T0 + 20 * SECOND), Right.VIEW)
    catch_up(site)
    return console


def address(console: Console, *cameras: str, start: float = 0, end: float = 120, **more: str) -> str:
    times = [("from", instant(start)), ("to", instant(end)), *more.items()]
    return f"{console.url}/tinjau?{urlencode([*(('camera', one) for one in cameras), *times])}"


def look(
    page: Page, console: Console, *cameras: str, start: float = 0, end: float = 120, **more: str
) -> None:
    """Open a view and confirm the purpose of the session."""
    page.goto(address(console, *cameras, start=start, end=end, **more))
    page.locator("#purpose-form button").click()
    expect(page.locator(".tile")).to_have_count(len(cameras))
    expect(page.locator("#state")).to_have_text(re.compile("Dijeda|Paused"))


def stands_at(page: Page, seconds: float) -> None:
    """Wait until the clock shows an instant, in seconds after T0."""
    wanted = T0 / 1000 + seconds * 1000
    wait(
        page,
        f"Math.abs(Number(document.getElementById('clock').dataset.at) - {wanted}) < 100"
        " && ['Dijeda', 'Paused'].includes(document.getElementById('state').textContent)",
    )


def wait(page: Page, expression: str) -> None:
    """Wait until an expression is true. Playwright's own way needs ``eval``, which the policy forbids."""
    until(lambda: bool(page.evaluate(expression)), expression)


def seen_s(page: Page) -> float:
    """How much is seen of the timeline, in seconds."""
    return float(page.locator(".plane").get_attribute("aria-valuemax") or "nan")


def place(page: Page, part: float, row: int = 0) -> tuple[float, float]:
    """A point on a row of the timeline, at a part of its width."""
    plane, track = page.locator(".plane").bounding_box(), page.locator(".track").nth(row).bounding_box()
    assert plane is not None
    assert track is not None
    return plane["x"] + plane["width"] * part, track["y"] + track["height"] / 2


def drag(page: Page, start: float, end: float) -> None:
    """Drag over the first row, from one part of its width to another."""
    page.mouse.move(*place(page, start))
    page.mouse.down()
    page.mouse.move(*place(page, (start + end) / 2))
    page.mouse.move(*place(page, end))
    page.mouse.up()


def mark(page: Page, start: float, end: float) -> None:
    """Mark a part of what is seen."""
    page.keyboard.down("Shift")
    drag(page, start, end)
    page.keyboard.up("Shift")


# -- to the pictures ---------------------------------------------------------------------------------


def test_a_former_address_leads_here_with_its_query(console: Console) -> None:
    with console.page_of("citra") as page:
        page.goto(address(console, CAMERA).replace("/tinjau", "/tampilan"))
        assert page.url == address(console, CAMERA)
        expect(page.locator("#ask")).to_be_visible()


def at_the_footage(page: Page) -> None:
    """The city's footage is of half an hour ago, where that of a real one goes on: not the person's acts."""
    for field, time in (("#from", "24/11/2026 14.00.00"), ("#to", "14.00.28")):
        page.locator(field).fill(time)


def test_nine_cameras_play_in_six_acts_and_a_set_of_them_in_three(console: Console) -> None:
    give_password(console, "citra")
    with console.page_of("", purpose="") as page:
        hand = Hand(page)
        page.goto(f"{console.url}/")
        hand.sign_in("citra")
        assert urlsplit(page.url).path == "/tinjau", "the home of the War Room"
        at_the_footage(page)
        hand.choose("#district", "Kec. Mamajang")
        hand.press("#take-all")
        hand.type("#choice-purpose", PURPOSE)
        hand.key("Enter")
        expect(page.locator(".tile")).to_have_count(len(NINE))
        hand.key("Space")
        nine_play(page)
        assert hand.count == 6

        page.keyboard.press("k")
        page.keyboard.press("p")
        page.locator("#preset-name").fill(f"Karebosi {MARKUP}")
        page.locator("#preset-name").press("Enter")
        expect(page.locator(".presets li")).to_have_count(1)
        page.keyboard.press("Escape")
        page.goto(f"{console.url}/tinjau")
        expect(page.locator("#last")).to_contain_text("Lanjutkan: 9 kamera")
        expect(page.locator("#kept-presets button")).to_have_text(f"Karebosi {MARKUP} (9 kamera)")
        hand.mark()
        hand.type("#choice-purpose", PURPOSE)  # where a purpose stands, the set opens at once
        at_the_footage(page)
        hand.press("#kept-presets button")
        expect(page.locator(".tile")).to_have_count(len(NINE))
        hand.key("Space")
        nine_play(page)
        assert hand.since == 3
        assert MARKUP in page.locator(".label").all_text_contents()
        assert page.evaluate("window.broken") is None


def nine_play(page: Page) -> None:
    expect(page.locator("#state")).to_have_text(re.compile("^Memutar"))
    wait(
        page,
        "[...document.querySelectorAll('.tile')].filter((one) => one.dataset.state === 'recorded'"
        " && one.querySelector('video').currentTime > 0.3).length === 9",
    )


def test_the_last_view_is_restored_where_it_was(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, EMPTY_CAMERA, at=instant(5))
        page.keyboard.press("ArrowRight")
        stands_at(page, 10)
        page.goto(f"{console.url}/tinjau")
        page.locator("#last-open").click()
        expect(page.locator(".tile")).to_have_count(2)
        stands_at(page, 10)
        assert re.match(r"Jl\. Penghibur cam-1, .+ 14:00:00–14:02:00 WITA", page.title())


def test_nothing_keeps_people_out(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, EMPTY_CAMERA, marked=f"{instant(15)}/{instant(25)}")
        page.locator(".further summary").click()
        assert barriers(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert barriers(page) == []


# -- the timeline ------------------------------------------------------------------------------------


def test_the_wheel_zooms_about_the_pointer_from_a_second_to_a_month_without_a_new_page(
    console: Console,
) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, EMPTY_CAMERA, at=instant(5))
        page.evaluate("window.same = true")
        x, y = place(page, 0.25)
        page.mouse.move(round(x), y)
        for _ in range(30):
            page.mouse.wheel(0, -100)
            if seen_s(page) <= 1:
                break
        wait(page, "document.querySelector('.plane').ariaValueMax === '1'")
        # The pointer stood at 30 s but for a part of a pixel, where the footage ends; so it does now.
        edge = page.locator(".track").first.evaluate(
            "(track) => (track.querySelector('.missing').getBoundingClientRect().left"
            " - track.getBoundingClientRect().left) / track.getBoundingClientRect().width"
        )
        assert edge == pytest.approx(0.25, abs=0.12)
        with page.expect_request(lambda one: "/v1/timeline?" in one.url):
            page.evaluate(ZOOM_OUT, 40)
        assert seen_s(page) == 31 * 24 * 3600
        wait(page, "document.querySelectorAll('.track .missing').length > 0")
        assert page.evaluate("window.same") is True
        page.keyboard.press("0")
        wait(page, "document.querySelector('.plane').ariaValueMax === '120'")
        stands_at(page, 5)


ZOOM_OUT = """async (count) => {
  const plane = document.querySelector(".plane");
  const box = plane.getBoundingClientRect();
  for (let step = 0; step < count; step += 1) {
    plane.dispatchEvent(new WheelEvent("wheel", {
      deltaY: 100, clientX: box.right - 1, clientY: box.bottom - 2, cancelable: true, bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
}"""
"""Each step is drawn before the next."""


def test_a_step_of_the_zoom_draws_what_is_known_and_waits_for_no_answer(console: Console) -> None:
    """Strips are stretched at once; what the server adds comes later, and a frame draws few rows."""
    with console.page_of("citra") as page:
        look(page, console, *NINE, at=instant(5))
        wait(page, "document.querySelector('.rows').ariaBusy === 'false'")
        held: list[Route] = []
        waits = True

        def hold(route: Route) -> None:
            held.append(route)
            if not waits:
                route.continue_()

        for path in ("timeline", "recordings"):
            page.route(f"**/v1/{path}?*", hold)
        page.evaluate(COUNT_ROWS)
        wide = page.evaluate(WIDTH_OF_FIRST)
        page.evaluate(ZOOM_OUT, 3)
        assert seen_s(page) == pytest.approx(120 * 1.4918**3, abs=1)
        assert page.evaluate(WIDTH_OF_FIRST) == pytest.approx(wide / 1.4918**3, rel=0.05)
        assert page.evaluate("document.querySelector('.rows').ariaBusy") == "true"
        wait(page, "window.rowsDrawn.length > 0")
        until(lambda: page.evaluate("1") and held, "the answer is asked for")  # Playwright listens meanwhile
        waits = False
        for route in held:
            route.continue_()
        wait(page, "document.querySelector('.rows').ariaBusy === 'false'")
        drawn = page.evaluate("window.rowsDrawn")
        assert sum(drawn) >= len(NINE)
        assert max(drawn) <= 2


def test_a_wall_of_nine_is_asked_about_at_once(console: Console) -> None:
    """One request, and one entry on record with all nine."""
    before = len(console.site.events("recordings.search"))
    with console.page_of("citra") as page:
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if "/history?" in one.url else None)
        look(page, console, *NINE, at=instant(5))
    assert len(asked) == 1
    events = [
        set(one.objects)
        for one in console.site.events("recordings.search")[before:]
        if one.details.get("for") == "war_room"
    ]
    assert events
    assert all(one == set(NINE) for one in events)


def test_where_one_camera_of_a_wall_is_refused_the_others_are_shown(console: Console) -> None:
    console.expected.append("404")
    with console.page_of("citra") as page:
        look(page, console, CAMERA, "cam-none", at=instant(5))
        expect(page.locator(f".tile[data-camera={CAMERA}]")).to_have_attribute("data-state", "recorded")
        expect(page.locator(".tile[data-camera=cam-none]")).not_to_have_attribute("data-state", "recorded")
        expect(page.locator(".tile[data-camera=cam-none] .cover")).to_be_visible()
    console.expected.clear()


WIDTH_OF_FIRST = "document.querySelector('.track .recorded').getBoundingClientRect().width"
COUNT_ROWS = """
window.rowsDrawn = [];
let rows = new Set();
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.matches(".strip")) rows.add(target);
}).observe(document.querySelector(".rows"), { childList: true, subtree: true });
const next = () => requestAnimationFrame(() => {
  if (rows.size) window.rowsDrawn.push(rows.size);
  rows = new Set();
  next();
});
next();
"""


def test_dragging_pans_and_shift_marks_and_the_keyboard_does_the_same(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, EMPTY_CAMERA, at=instant(5))
        before = page.locator("#range").inner_text()
        drag(page, 0.5, 0.75)
        expect(page.locator("#range")).not_to_have_text(before)
        stands_at(page, 5)
        page.keyboard.press("0")
        expect(page.locator("#range")).to_have_text(before)
        mark(page, 5 / 120, 25 / 120)
        text = page.locator("#selection output")
        expect(text).to_have_text("14:00:05–14:00:25, 20 dtk, 2 kamera")
        page.keyboard.press("x")
        expect(page.locator("#selection")).to_be_hidden()
        page.keyboard.press("Home")
        stands_at(page, 0)
        page.keyboard.press("i")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("o")
        expect(text).to_have_text("14:00:00–14:00:05, 5 dtk, 2 kamera")
        page.keyboard.press("+")
        wait(page, "document.querySelector('.plane').ariaValueMax === '60'")
        page.keyboard.press("-")
        wait(page, "document.querySelector('.plane').ariaValueMax === '120'")
        page.keyboard.press("PageUp")
        expect(page.locator("#range")).to_contain_text("14:02:")


def test_a_click_beyond_what_is_loaded_loads_what_is_there(console: Console) -> None:
    """The range and the clock move; the page and its cameras stay."""
    with console.page_of("citra") as page:
        look(page, console, CAMERA, start=60, end=75)
        page.evaluate("window.same = document.querySelector('.tile')")
        for _ in range(3):
            page.keyboard.press("-")
        wait(page, "document.querySelector('.plane').ariaValueMax === '120'")
        page.keyboard.press("g")
        page.locator("#go-time").fill("14.00.10")
        expect(page.locator("#go-echo")).to_have_text("Selasa, 24 November 2026, 14:00:10 WITA")
        page.keyboard.press("Enter")
        stands_at(page, 10)
        wait(page, "document.querySelector('.tile').dataset.state === 'recorded'")
        wait(page, "document.querySelector('.tile video').readyState >= 2")
        assert page.evaluate("window.same === document.querySelector('.tile')") is True
        page.keyboard.press("f")  # the next footage begins after the gap
        stands_at(page, 50)


def test_speeds_go_from_a_quarter_to_sixteen_and_backwards(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, at=instant(8))
        for _ in range(2):
            page.keyboard.press("<")
        expect(page.locator("#speed")).to_have_value("0.25")
        for _ in range(6):
            page.keyboard.press(">")
        expect(page.locator("#speed")).to_have_value("16")
        page.keyboard.press("j")
        expect(page.locator("#state")).to_have_text("Memutar mundur")
        wait(page, f"Number(document.getElementById('clock').dataset.at) < {T0 // 1000 + 7500}")
        page.keyboard.press("k")
        expect(page.locator("#state")).to_have_text("Dijeda")
        page.keyboard.press("l")
        expect(page.locator("#state")).to_have_text("Memutar")
        expect(page.locator("#speed")).to_have_value("1")


def test_the_help_names_the_keys_and_one_camera_becomes_large(console: Console) -> None:
    with console.page_of("citra", language="en") as page:
        look(page, console, CAMERA, EMPTY_CAMERA)
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_contain_text("Go to a time that is typed")
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        expect(page.locator(".tile:visible")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.locator(".tile:visible")).to_have_count(2)


# -- what a selection becomes ------------------------------------------------------------------------


def test_the_war_room_downloads_a_clip_and_an_export(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, EMPTY_CAMERA, marked=f"{instant(15)}/{instant(25)}")
        panel = page.locator("#selection")
        with page.expect_download() as waiting:
            panel.get_by_text("Unduh klip").click()
        assert waiting.value.suggested_filename.endswith(".mp4")
        assert waiting.value.path().stat().st_size > 1000
        panel.get_by_text("Ekspor 2 kamera").click()
        expect(page.locator("dialog")).to_contain_text("Klip 2 kamera, 14:00:15–14:00:25 (10 dtk)")
        page.locator("dialog .main").click()
        expect(panel.locator(".export")).to_contain_text("menunggu giliran")
        worker(console.site).run()
        with page.expect_download() as waiting:
            panel.get_by_text("Unduh ZIP").click()
        assert waiting.value.suggested_filename.endswith(".zip")
        page.locator(".further summary").click()
        page.locator("#exports").click()
        expect(page.locator("dialog .export")).to_contain_text("siap")
        page.locator("dialog").get_by_role("link", name="Unduhan saya").click()
        expect(page.locator("section", has_text="Siap diunduh").locator(".export")).to_contain_text(
            "cam-2 · dipesan"
        )
        assert f"Paling banyak {MOST_AT_ONCE} ekspor" in page.locator("main").inner_text()
        for button, state in (
            ("Hapus ekspor", "dibatalkan"),
            ("Pesan lagi", "menunggu giliran"),
            ("Jeda", "dijeda"),
            ("Batalkan", "dibatalkan"),
        ):
            page.locator(".export").get_by_role("button", name=button).click()
            expect(page.locator(".export [role=status]")).to_have_text(state)


def test_only_what_one_may_is_offered(console: Console) -> None:
    marked = f"{instant(5)}/{instant(15)}"
    with console.page_of("bripka") as page:
        look(page, console, CAMERA, marked=marked)
        link = page.locator("#selection").get_by_text("Ajukan permintaan").get_attribute("href")
        assert link is not None
        assert urlsplit(link).path == "/ajukan"
        asked = parse_qs(urlsplit(link).query)
        assert asked == {
            "camera": [CAMERA],
            "from": ["2026-11-24T06:00:05.000Z"],
            "to": ["2026-11-24T06:00:15.000Z"],
        }
        expect(page.locator("#selection").get_by_text("Unduh")).to_have_count(0)
    with console.page_of("erna") as page:
        look(page, console, CAMERA, marked=marked)
        expect(page.locator("#selection")).to_contain_text("Unduhan hanya untuk War Room")
        expect(page.locator("#selection a")).to_have_count(0)


def test_a_clip_without_footage_is_not_offered_and_a_gap_is_told(console: Console) -> None:
    gap = console.site.gap
    begin, end = (gap.start - T0) / SECOND, (gap.end - T0) / SECOND
    with console.page_of("citra") as page:
        look(page, console, CAMERA, marked=f"{instant(begin + 1)}/{instant(end - 1)}")
        expect(page.locator("#selection")).to_contain_text("Tidak ada rekaman dalam waktu ini.")
        assert page.locator("#selection a").get_attribute("href") is None
        mark(page, (begin - 5) / 120, (begin + 5) / 120)
        expect(page.locator("#selection")).to_contain_text("termasuk 5 dtk yang tidak terekam")


# -- activity, thumbnails, pictures, links ------------------------------------------------------------


def test_next_activity_is_where_somebody_crosses_and_waves_show_it(console: Console) -> None:
    crossed = (MINUTE + IN_BOX.start) / SECOND
    with console.page_of("citra") as page:
        look(page, console, NIGHT_CAMERA)
        page.keyboard.press("n")
        wanted = T0 // 1000 + crossed * 1000
        wait(page, f"Math.abs(Number(document.getElementById('clock').dataset.at) - {wanted}) < 15000")
        expect(page.locator(".track .activity")).not_to_have_count(0)
        page.keyboard.press("a")
        expect(page.locator(".track .activity")).to_have_count(0)
    assert {one.purpose for one in console.site.events("activity.search")} == {PURPOSE}


def test_pointing_shows_a_thumbnail_that_covers_no_control(console: Console) -> None:
    with console.page_of("citra") as page:
        look(page, console, CAMERA, start=0, end=1800)
        page.mouse.move(*place(page, 10 / 1800))
        expect(page.locator(".glimpse-picture")).to_be_visible()
        assert console.site.events("sprites.view")
        apart = page.evaluate(
            "document.querySelector('.controls').getBoundingClientRect().top"
            " - document.querySelector('.glimpse').getBoundingClientRect().bottom"
        )
        assert apart >= 0


def test_a_picture_is_saved_under_its_name_and_a_link_leads_to_the_same_view(console: Console) -> None:
    with console.page_of("citra") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        look(page, console, CAMERA, EMPTY_CAMERA, at=instant(20), marked=f"{instant(15)}/{instant(25)}")
        with page.expect_download() as waiting:
            page.keyboard.press("s")
        assert re.fullmatch(
            r"cam-1 Jl\. Penghibur cam-1 2026-11-24 14-00-(20\.0|19\.9)\.png",
            waiting.value.suggested_filename,
        )
        assert waiting.value.path().read_bytes().startswith(b"\x89PNG")
        page.keyboard.press("+")
        page.keyboard.press("2")
        page.keyboard.press("c")
        expect(page.locator("#told")).to_contain_text("tersalin")
        link = page.evaluate("navigator.clipboard.readText()")
        seen = page.locator("#range").inner_text()
        page.goto(link)
        page.locator("#purpose-form button").click()
        expect(page.locator(".tile:visible")).to_have_count(1)
        expect(page.locator("#range")).to_have_text(seen)
        expect(page.locator("#selection output")).to_have_text("14:00:15–14:00:25, 10 dtk, 1 kamera")
        stands_at(page, 20)


def test_what_the_decoder_refuses_is_shown_as_viewing_copies(console: Console) -> None:
    def damaged(route: Route) -> None:
        answer = route.fetch()
        body = answer.body()
        route.fulfill(response=answer, body=body[: len(body) // 3] + b"\xff" * (len(body) - len(body) // 3))

    with console.page_of("citra") as page:
        page.route(re.compile(r"/cam-20/segments/.*/media\.m4s"), damaged)
        look(page, console, "cam-20", "cam-21", end=28, at=instant(3))
        page.keyboard.press("Space")
        expect(page.locator("[data-camera='cam-20'] .note")).to_contain_text("peramban ini menolak")
        assert page.locator("[data-camera='cam-20']").get_attribute("data-picture") == "viewing_copy"


def test_sixteen_cameras_use_the_width_and_a_phone_has_all_of_it(console: Console) -> None:
    cameras = (*NINE, CAMERA, EMPTY_CAMERA, NIGHT_CAMERA)
    with console.page_of("citra") as page:
        look(page, console, *cameras, end=28)
        boxes = [one.bounding_box() for one in page.locator(".stage").all()]
        used = sum(min(box["width"], box["height"] * 16 / 9) for box in boxes if box) / 1366
        rows = len({round(box["y"]) for box in boxes if box})
        assert used / rows >= 0.7
        assert page.evaluate("document.documentElement.scrollHeight") <= 768
    with console.page_of("citra", size=PHONE) as page:
        look(page, console, *cameras[:6], end=28)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = page.locator(".desk button:visible, .desk select:visible, .desk summary.button").evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect()).filter((box) => box.height < 43.5).length"
        )
        assert small == 0


@pytest.mark.parametrize("count", [1, 4])
def test_on_a_phone_the_picture_and_the_controls_are_seen_together(console: Console, count: int) -> None:
    """Nobody scrolls past a picture to play it: a whole tile and the whole desk are in sight at once."""
    with console.page_of("citra", size=PHONE) as page:
        look(page, console, *(CAMERA, *NINE)[:count], end=28)
        stage, desk = (page.locator(one).first.bounding_box() for one in (".stage", "#desk"))
        assert stage is not None
        assert desk is not None
        assert stage["y"] >= 0
        assert stage["y"] + stage["height"] <= desk["y"], "the desk covers no part of the first picture"
        assert desk["y"] + desk["height"] <= PHONE[1] + 1
        assert desk["height"] <= 0.42 * PHONE[1], "pictures have more of the screen than their controls"
        page.locator("#legend summary").click()
        expect(page.locator("#legend .swatch.missing")).to_be_visible()
        page.locator("#legend summary").click()
        expect(page.locator("#legend .swatch.missing")).to_be_hidden()
