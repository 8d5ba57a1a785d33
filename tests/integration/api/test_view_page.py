"""The pages in a real Chromium: signing in, playing many cameras by wall time, gaps, refusals, markup."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.web.files import FOLDER, OWN
from archive.model.user import Role, User
from archive.timespan import SECOND
from ops.accounts import passwords_of
from ops.settings import Settings
from ops.wiring import Site as Wired
from tests.integration.api.test_server import serving
from tests.support import api_site
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    T0,
    Caller,
    Site,
    archive_run,
    camera_json,
    instant,
    open_site,
)
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened
from tests.support.numbered import CELL, CELLS, HEIGHT, WIDTH
from tests.support.people import add_account, add_person, caller, catch_up, code_for, cookie_of, users_of
from tests.support.programs import need_player
from tests.support.waiting import until

TEMPLATES = sorted((*FOLDER.glob("pages/*.html"), *FOLDER.glob("parts/*.html")))
SCRIPTS = sorted(OWN.glob("*.js"))
"""Scripts of the pages that do not come from npm."""
PASSWORD = "pasar-terong-malam-42"
PURPOSE = "LP/B/123/XI/2026"
SECOND_START = 12
"""Seconds after T0 at which the second camera's footage begins."""
HEVC_CAMERA = "cam-7"
MARKUP = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>'

NUMBER = f"""(camera) => {{
  const video = document.querySelector(`[data-camera="${{camera}}"] video`);
  if (video.hidden || video.seeking || video.readyState < 2) return null;
  const canvas = document.createElement("canvas");
  canvas.width = {WIDTH}; canvas.height = {HEIGHT};
  const pen = canvas.getContext("2d", {{willReadFrequently: true}});
  pen.drawImage(video, 0, 0, {WIDTH}, {HEIGHT});
  let bits = 0;
  for (let cell = 0; cell < {CELLS}; cell++) {{
    const level = pen.getImageData(cell * {CELL} + {CELL} / 2, {CELL} / 2, 1, 1).data[0];
    bits = bits * 2 + (level > 127 ? 1 : 0);
  }}
  return Math.floor(bits / 16);
}}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with open_site(folder) as made:
        footage = api_site._footage("h264-closed")[1]
        start = T0 + SECOND_START * SECOND
        archive_run(made.services, footage, run="6b05180000000003", start=start, camera=EMPTY_CAMERA)
        made.call("POST", "/v1/cameras", json=camera_json("cam-9")).raise_for_status()
        marked = {
            **camera_json("cam-8"),
            "name": MARKUP,
            "kecamatan": "73.71.01",
            "kelurahan": "73.71.01.1001",
        }
        made.call("POST", "/v1/cameras", json=marked).raise_for_status()
        other = {**marked, "id": HEVC_CAMERA, "name": "Jl. Somba Opu"}
        made.call("POST", "/v1/cameras", json=other).raise_for_status()
        hevc = api_site._footage("hevc-closed")[1]
        archive_run(made.services, hevc, run="6b05180000000004", start=T0, camera=HEVC_CAMERA)
        add_person(made, "erna", Role.KECAMATAN, districts=["73.71.01"])
        add_person(made, "indra", Role.AUDITOR)
        add_account(users_of(made), User(id="citra", name="citra", roles=(Role.WAR_ROOM,)))
        with Wired(Settings.load({"SAKSI_HOME": str(folder)}), made.clock) as wired:
            passwords_of(wired).put("citra", PASSWORD)
        catch_up(made)
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    need_player()
    with serving(site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def browser(url: str, tmp_path: Path) -> Iterator[Browser]:
    with opened(chromium(), tmp_path) as made:
        made.size(1366, 768)
        yield made
        refused = [
            line for line in made.log if "Content Security Policy" in line or line.startswith("policy:")
        ]
        assert refused == []
        assert [line for line in made.log if line.startswith("exception:")] == []
        elsewhere = [
            one for one in made.requests if not one.startswith((url, "blob:", "data:image/svg+xml", "about:"))
        ]
        assert elsewhere == []


def view(url: str, *cameras: str, start: float = 0, end: float = 120, **more: str) -> str:
    times = [("from", instant(start)), ("to", instant(end)), *more.items()]
    return f"{url}/tinjau?{urlencode([*(('camera', one) for one in cameras), *times])}"


def look(browser: Browser, site: Site, url: str, *cameras: str, who: str = "erna", **more: Any) -> None:
    """Open the view as a person and state the purpose."""
    browser.cookie(url, cookie_of(site, who, purpose=""))
    browser.open(view(url, *cameras, **more))
    browser.wait("!document.getElementById('ask').hidden")
    browser.write("#purpose", PURPOSE)
    browser.click("#purpose-form button")
    browser.wait("document.querySelectorAll('.tile').length > 0")


def settled(browser: Browser) -> None:
    """Wait until the requested frames are on screen and the clock shows their time."""
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    browser.wait("document.getElementById('state').textContent === 'Dijeda'")


def number(browser: Browser, camera: str) -> int | None:
    shown: int | None = browser.run(f"({NUMBER})({json.dumps(camera)})")
    return shown


def wall(browser: Browser) -> float:
    """The page's clock, in seconds after T0, to the tenth."""
    hour, minute, second = browser.run("document.getElementById('clock').textContent").split(":")
    return round((int(hour) - 14) * 3600 + int(minute) * 60 + float(second), 1)


def stamp(browser: Browser, camera: str) -> float:
    """The time under a picture, in seconds after T0."""
    text = browser.run(f"document.querySelector('[data-camera=\"{camera}\"] .stamp').textContent")
    found = re.fullmatch(r"2026-11-24 14:(\d\d):(\d\d\.\d) WITA", text)
    assert found is not None, text
    return int(found[1]) * 60 + float(found[2])


def tile(browser: Browser, camera: str) -> str:
    text: str = browser.run(f"document.querySelector('[data-camera=\"{camera}\"]').innerText")
    return text


def test_two_cameras_show_the_same_wall_time_and_the_frame_of_it(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, EMPTY_CAMERA, at=instant(15.2))
    settled(browser)
    for _ in range(3):
        at = wall(browser)
        for camera, begins in ((CAMERA, 0.0), (EMPTY_CAMERA, SECOND_START)):
            browser.wait(f"({NUMBER})('{camera}') === {int((at - begins) * 15 + 1e-6)}")
            until(lambda camera=camera, at=at: at - 0.1 <= stamp(browser, camera) <= at, "the stamp follows")
        before = browser.run("document.getElementById('clock').textContent")
        browser.key("ArrowRight")
        browser.wait(f"document.getElementById('clock').textContent !== '{before}'")
    assert wall(browser) == 30.2
    assert "suara tidak direkam" in tile(browser, EMPTY_CAMERA)


def test_playing_keeps_step_and_real_time(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, CAMERA, EMPTY_CAMERA, at=instant(14))
    settled(browser)
    browser.key(" ", code="Space", text=" ")
    browser.wait("document.getElementById('state').textContent === 'Memutar'")
    seen: list[tuple[float, float, float]] = []
    for _ in range(12):
        seen.append((wall(browser), stamp(browser, CAMERA), stamp(browser, EMPTY_CAMERA)))
        browser.run("new Promise((done) => setTimeout(done, 250))")
    browser.key(" ", code="Space", text=" ")
    assert seen[-1][0] - seen[0][0] > 1
    assert seen == sorted(seen)
    for at, one, other in seen[2:]:
        assert abs(one - other) <= 0.5
        assert abs(at - one) <= 0.5
    started = [event for event in site.events("playback.started") if event.actor.id == "user:erna"]
    assert started
    assert {event.purpose for event in started} == {PURPOSE}


def test_a_gap_is_shown_with_its_cause_and_the_clock_goes_on(browser: Browser, site: Site, url: str) -> None:
    gap = site.gap.start - T0, site.gap.end - T0
    look(browser, site, url, CAMERA, EMPTY_CAMERA, at=instant(gap[0] / SECOND - 3.0))
    settled(browser)
    browser.wait(f"({NUMBER})('{CAMERA}') !== null")
    last = number(browser, CAMERA)
    assert last is not None
    browser.run(
        """window.shown = []; window.number = NUMBER;
    const video = document.querySelector('[data-camera="cam-1"] video');
    const each = () => {
      const one = window.number("cam-1");
      if (one !== null) window.shown.push([document.getElementById("clock").textContent, one]);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);""".replace("NUMBER", NUMBER)
    )
    for _ in range(2):  # four times as fast: the picture moves on before the test reads it
        browser.key(">", text=">")
    browser.key(" ", code="Space", text=" ")
    browser.wait("document.querySelector('[data-camera=\"cam-1\"]').innerText.includes('Tidak ada rekaman')")
    text = tile(browser, CAMERA)
    assert "sebab: kamera tidak terjangkau" in text
    assert "14:00:30 – 14:00:50 WITA" in text
    before = wall(browser)
    browser.wait("document.getElementById('state').textContent === 'Memutar'")
    browser.run("new Promise((done) => setTimeout(done, 1200))")
    assert wall(browser) > before
    assert stamp(browser, EMPTY_CAMERA) > gap[0] / SECOND
    # Nothing from after the gap was on screen before it: the second run begins again with frame 0. A busy
    # machine may have reached the gap's end by now, where frame 0 is right.
    shown = [one for clock, one in browser.run("window.shown") if clock < "14:00:49"]
    assert shown
    assert min(shown) >= last
    browser.key(" ", code="Space", text=" ")
    key = "ArrowRight"
    while True:  # from the present position of play
        browser.key(key)
        settled(browser)
        at = wall(browser) - gap[1] / SECOND
        if 0 < at < 9:
            break
        key = "ArrowRight" if at <= 0 else "ArrowLeft"
    # The clock is cut to the tenth, in which one and a half frames pass.
    browser.wait(f"[0, 1, 2].includes(({NUMBER})('{CAMERA}') - {int(at * 15)})")


def test_another_districts_camera_is_refused_on_the_page_and_takes_no_other_with_it(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, "cam-9", "cam-0")
    browser.wait("document.body.innerText.includes('tidak berada di wilayah Anda')")
    settled(browser)
    told = "Kamera ini tidak ada, atau tidak berada di wilayah Anda."
    assert tile(browser, "cam-9").replace("cam-9", "X") == tile(browser, "cam-0").replace("cam-0", "X")
    assert told in tile(browser, "cam-9")
    assert "Masjid" not in browser.text()
    browser.wait(f"({NUMBER})('{CAMERA}') !== null")
    assert not [one for one in browser.requests if "cam-9/" in one]


def test_nothing_is_asked_for_before_the_purpose(browser: Browser, site: Site, url: str) -> None:
    browser.cookie(url, cookie_of(site, "erna", purpose=""))
    browser.open(view(url, CAMERA))
    browser.wait("!document.getElementById('ask').hidden")
    assert not [one for one in browser.requests if "/v1/cameras/" in one or "war-room" in one]
    browser.click("#purpose-form button")  # an empty purpose goes nowhere
    assert browser.run("document.getElementById('view').hidden")
    browser.write("#purpose", PURPOSE)
    browser.click("#purpose-form button")
    browser.wait("document.querySelectorAll('.tile').length > 0")
    browser.wait("document.getElementById('state').textContent === 'Dijeda'")
    asked = [one for one in browser.requests if "/v1/cameras/" in one or "war-room" in one]
    assert asked
    assert all(urlencode({"purpose": PURPOSE}) in one for one in asked)


def test_markup_in_a_cameras_name_is_text(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, "cam-8", start=1700, end=1900)
    assert browser.run("document.querySelector('.label').textContent") == MARKUP
    assert browser.run("document.querySelectorAll('#view img, #view script').length") == 0
    browser.open(f"{url}/tinjau")
    browser.wait("document.querySelectorAll('#cameras label').length > 0")
    assert MARKUP in browser.text()
    assert browser.run("window.broken") is None


def test_whoever_is_not_signed_in_signs_in_and_comes_back(browser: Browser, url: str) -> None:
    wanted = view(url, CAMERA, EMPTY_CAMERA)
    browser.open(wanted)
    browser.wait("location.pathname === '/masuk' && document.getElementById('go')?.disabled === false")
    assert browser.run("document.getElementById('provider') === null")
    assert browser.run("document.getElementById('password').name") == ""  # no browser puts it into an address
    browser.write("#name", "citra")
    browser.write("#password", "wrong")
    browser.click("#go")
    browser.wait("document.body.innerText.includes('Nama atau kata sandi salah')")
    browser.write("#password", PASSWORD)
    browser.click("#go")
    browser.wait("location.pathname === '/tinjau' && !document.getElementById('ask').hidden")
    assert browser.run("location.href") == wanted
    assert "Anda masuk sebagai citra." in browser.text()
    browser.click(".reader summary")
    browser.click("#sign-out")
    browser.wait("location.pathname === '/masuk'")


def test_whoever_was_invited_chooses_a_password_here(browser: Browser, site: Site, url: str) -> None:
    add_person(site, "ada", Role.ADMIN)
    add_person(site, "bima", Role.ADMIN)
    add_account(users_of(site), User(id="budi", name="budi", roles=(Role.WAR_ROOM,)))
    catch_up(site)
    code = code_for("budi", caller(site, "ada"), caller(site, "bima"))
    browser.open(f"{url}/masuk")
    browser.wait("document.getElementById('go')?.disabled === false")
    browser.click("#switch")
    browser.write("#code", code)
    browser.write("#chosen", PASSWORD)
    browser.write("#again", PASSWORD + "x")
    browser.click("#accept")
    browser.wait("document.body.innerText.includes('Kedua kata sandi tidak sama')")
    browser.run("document.getElementById('again').value = ''")
    browser.write("#again", PASSWORD)
    browser.click("#accept")
    browser.wait("location.pathname === '/tinjau'")


@pytest.mark.parametrize(
    "following", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"]
)
def test_a_link_leads_to_no_other_host(browser: Browser, url: str, following: str) -> None:
    browser.open(f"{url}/masuk?{urlencode({'next': following})}")
    browser.wait("document.getElementById('go')?.disabled === false")
    browser.write("#name", "citra")
    browser.write("#password", PASSWORD)
    browser.click("#go")
    browser.wait("location.pathname === '/tinjau'")
    assert browser.run("location.origin") == url


def test_pointing_at_the_timeline_shows_a_picture_and_puts_it_on_record(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, EMPTY_CAMERA)
    settled(browser)
    before = len(site.events("frame.view"))
    left, top, width = browser.run(
        "(() => { const box = document.querySelector('.plane').getBoundingClientRect();"
        " const row = document.querySelector('.track').getBoundingClientRect();"
        " return [box.left, row.top + 3, box.width]; })()"
    )
    browser.mouse("mouseMoved", left + width * 0.105, top)
    browser.wait("!document.querySelector('.glimpse-picture').hidden")
    assert "14:00:12 WITA" in browser.run("document.querySelector('.glimpse').innerText")
    events = site.events("frame.view")[before:]
    assert [(event.objects, event.purpose) for event in events] == [((CAMERA,), PURPOSE)]
    browser.mouse("mouseMoved", left + width * 0.3, top)
    browser.wait("document.querySelector('.glimpse').innerText.includes('kamera tidak terjangkau')")
    assert len(site.events("frame.view")) == before + 1
    browser.mouse("mousePressed", left + width * 0.2, top)
    browser.mouse("mouseReleased", left + width * 0.2, top)
    browser.wait("document.getElementById('clock').textContent.startsWith('14:00:2')")


def needs_copies(browser: Browser) -> None:
    if browser.run("""MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L60.90"')"""):
        pytest.skip("this Chromium decodes H.265")


def test_what_the_browser_cannot_decode_is_shown_as_viewing_copies_in_step(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, HEVC_CAMERA, at=instant(15.2))
    needs_copies(browser)
    tile = f"document.querySelector('[data-camera=\"{HEVC_CAMERA}\"]')"
    browser.wait(f"{tile}.dataset.picture === 'viewing_copy'")
    browser.wait(f"{tile}.querySelector('video').readyState >= 2 && !{tile}.querySelector('video').hidden")
    assert "Salinan tampilan (H.264)" in browser.run(f"{tile}.innerText")
    assert "Bukan barang bukti" in browser.run(f"{tile}.innerText")
    browser.wait(f"/14:00:15\\.\\d WITA/.test({tile}.innerText)")
    browser.key(" ", code="Space", text=" ")
    browser.wait("document.getElementById('state').textContent === 'Memutar'")
    browser.wait(f"{tile}.querySelector('video').currentTime > 16.5")
    apart = browser.run(
        "(() => { const times = [...document.querySelectorAll('video')].map((one) => one.currentTime);"
        " return Math.max(...times) - Math.min(...times); })()"
    )
    assert apart < 0.35
    started = [one for one in site.events("playback.started") if one.objects == (HEVC_CAMERA,)]
    assert started[-1].details["picture"] == "viewing_copy"


def test_without_viewing_copies_it_is_shown_as_stills_and_says_so(site: Site, tmp_path: Path) -> None:
    without = replace(site, services=replace(site.services, copies=None))
    with serving(without) as port, opened(chromium(), tmp_path) as browser:
        look(browser, site, f"http://127.0.0.1:{port}", CAMERA, HEVC_CAMERA, at=instant(15.2))
        needs_copies(browser)
        assert_stills(browser)


def assert_stills(browser: Browser) -> None:
    browser.wait("document.body.innerText.includes('tidak dapat memutar gambar kamera ini (H.265)')")
    browser.wait(f"document.querySelector('[data-camera=\"{HEVC_CAMERA}\"] canvas').width > 300")
    browser.wait(  # the keyframe at or before it
        f"/14:00:1[2-5]\\.\\d WITA/.test(document.querySelector('[data-camera=\"{HEVC_CAMERA}\"]').innerText)"
    )
    browser.key(" ", code="Space", text=" ")
    browser.wait("document.getElementById('state').textContent === 'Memutar'")


def test_a_print_says_what_it_is_and_who_made_it(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, CAMERA, at=instant(5))
    settled(browser)
    browser.on_paper()
    text = browser.text()
    assert f"oleh erna. Keperluan: {PURPOSE}. Cetakan layar, bukan barang bukti." in text
    assert "Keluar" not in text


def test_english_second_and_kept(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, CAMERA)
    settled(browser)
    browser.click(".reader summary")
    browser.click("#language")
    browser.wait(
        "document.documentElement.lang === 'en' && document.getElementById('state').textContent === 'Paused'"
    )
    assert "Not recorded" in browser.text()
    browser.open(f"{url}/tinjau")
    browser.wait("document.body.innerText.includes('Choose cameras and a time')")
    assert browser.run("document.documentElement.lang") == "en"


@pytest.mark.parametrize("size", [(1366, 768, False), (390, 844, True)])
def test_nothing_overlaps_or_hangs_over(
    browser: Browser, site: Site, url: str, size: tuple[int, int, bool], tmp_path: Path
) -> None:
    browser.size(size[0], size[1], mobile=size[2])
    look(browser, site, url, CAMERA, EMPTY_CAMERA, "cam-9", "cam-8")
    settled(browser)
    assert browser.run("document.documentElement.scrollWidth") <= size[0]
    overlapping = browser.run("""(() => {
      const seen = [...document.querySelectorAll("button, select, .stamp, .clock, .state, .row-name")]
        .filter((one) => one.offsetParent !== null && !one.closest(".desk, .tile")
          || one.closest(".controls"))
        .map((one) => [one.id || one.className, one.getBoundingClientRect()]).filter(([, box]) => box.width);
      const found = [];
      seen.forEach(([name, box], index) => seen.slice(index + 1).forEach(([other, with_]) => {
        if (box.left < with_.right - 1 && with_.left < box.right - 1 && box.top < with_.bottom - 1
            && with_.top < box.bottom - 1) found.push(`${name} × ${other}`);
      }));
      return found;
    })()""")
    assert overlapping == []
    if not size[2]:
        assert browser.run("document.documentElement.scrollHeight") <= size[1]
    assert browser.picture(tmp_path / "view.png").stat().st_size > 10_000


# -- without a browser -------------------------------------------------------------------------------


def test_browsers_are_sent_to_sign_in_and_programs_are_told_401(site: Site) -> None:
    stranger = Caller(site.app)
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    link = view("", CAMERA).removeprefix("http://saksi.test")
    answer = stranger.get(link, headers=html)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/masuk?{urlencode({'next': link})}"
    for path in ("/", "/v1/cameras", "/v1/nothing", "//evil.test/"):
        sent = stranger.get(path, headers=html)
        assert (sent.status_code, sent.headers["location"].startswith("/masuk?next=%2F")) == (303, True)
        assert stranger.get(path).status_code == 401
        assert stranger.get(path, headers={"Accept": "application/json"}).status_code == 401
        assert stranger.get(path, headers={**html, "Authorization": "Bearer x"}).status_code == 401
        assert stranger("POST", path, headers=html).status_code == 401
    endless = stranger.get(f"{link}&x={'y' * 2000}", headers=html)
    assert endless.headers["location"] == "/masuk?next=%2F", "not a path that a cookie can carry"
    over = Caller(site.app, {"Cookie": "saksi=over", **html}).get(link)
    assert over.status_code == 303


def test_the_city_may_be_in_another_zone(site: Site) -> None:
    from dataclasses import replace
    from zoneinfo import ZoneInfo

    settings = replace(site.services.settings, zone=ZoneInfo("Asia/Jayapura"))
    answer = Caller(site.remade(settings=settings), {"Cookie": cookie_of(site, "erna")}).get("/tinjau")
    assert 'data-zone="Asia/Jayapura"' in answer.text
    assert "{{" not in answer.text


def test_pages_and_their_files_are_served_as_what_they_are(site: Site) -> None:
    stranger, erna = Caller(site.app), caller(site, "erna")
    assets = site.app.state.runtime.pages.assets
    assert {path.name for path in OWN.iterdir()} <= assets.names
    for name in assets.names:
        for encoding in ("gzip", "identity"):
            answer = stranger.get(assets.path(name), headers={"Accept-Encoding": encoding})
            content, kind = assets.find(assets.version, name)
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.content == content
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    for name in ("files.py", "..%2f..%2fapp.py", "view.html", "id.toml", "hls.js.map"):
        assert stranger.get(assets.path(name)).status_code == 404
    assert stranger.get(assets.path("tile.js").replace(assets.version, "0" * 16)).status_code == 404
    assert stranger.get("/aset/tile.js").status_code == 404
    assert erna.get("/tinjau").headers["cache-control"] == "no-store"
    policy = erna.get("/tinjau").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert stranger.get("/masuk").headers["content-security-policy"] == policy
    assert erna.get("/").headers["location"] == "/temukan", "the home of a kecamatan"


def test_scripts_put_no_markup_and_no_style_into_pages() -> None:
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        for refused in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "http://",
            "https://",
        ):
            assert refused not in text.replace("http://www.w3.org/2000/svg", ""), f"{path.name} has {refused}"
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?://|\|\s*safe", text), path.name


def test_every_cause_of_a_gap_has_its_text() -> None:
    from api.web.catalogue import load
    from archive.footage.reader import NOT_REGISTERED, NOT_YET, UNKNOWN
    from archive.model.gap import GapCause

    for one in load().values():
        assert {f"cause.{cause}" for cause in (*GapCause, NOT_REGISTERED, NOT_YET, UNKNOWN)} <= set(one.texts)
