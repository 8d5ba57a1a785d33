"""The wall in a real Chromium does not stand for one camera's sake; see ``test_wall_soak.py`` for nine."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from archive.timespan import SECOND
from tests.integration.api.test_server import serving
from tests.support.api_site import T0, instant
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened
from tests.support.numbered import CELL, CELLS, HEIGHT, WIDTH
from tests.support.programs import need_player
from tests.support.walls import PURPOSE, NineCameras, measured, nine_cameras, play, watch

MOST_MS = 5000
"""The clock waits for no camera longer."""


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NineCameras]:
    need_player()
    with nine_cameras(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def url(wall: NineCameras) -> Iterator[str]:
    with serving(wall.site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with opened(chromium(), tmp_path) as made:
        made.size(1366, 768)
        yield made
        assert [line for line in made.log if line.startswith("exception:")] == []


HANG = """(camera, until) => {
  const video = document.querySelector(`[data-camera="${camera}"] video`);
  const time = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "currentTime");
  const hung = video.src;
  window.hangs = true;
  Object.defineProperty(video, "currentTime", {
    get() { return time.get.call(this); },
    set(value) {
      if (until === "sought") window.hangs = false;
      time.set.call(this, value);
    },
  });
  Object.defineProperty(video, "seeking", {
    get() { return window.hangs && this.src === hung; },
  });
}"""
"""A camera's player that says that it is seeking: until it is sought again, or until it is made anew."""


@pytest.mark.parametrize(("until", "tried"), [("sought", {"seek"}), ("made anew", {"seek", "rebuild"})])
def test_a_player_that_seeks_for_ever_is_mended(
    browser: Browser, wall: NineCameras, url: str, until: str, tried: set[str]
) -> None:
    watch(browser, wall, url, "cam-11", "cam-12")
    play(browser)
    browser.wait("window.measured().at > 1")
    browser.run(f"({HANG})('cam-11', '{until}')")
    tile = "document.querySelector('[data-camera=\"cam-11\"]').dataset"
    browser.wait(f"{tile}.{sorted(tried)[0]}", seconds=20)
    browser.wait(f"{tile}.state === 'recorded' && document.getElementById('state').textContent === 'Memutar'")
    assert set(browser.run(f"Object.keys({{...{tile}}})")) & {"seek", "rebuild"} == tried
    before = measured(browser)["frames"]["cam-11"]
    browser.wait(f"window.measured().frames['cam-11'] > {before + 5}")


def test_one_camera_that_does_not_load_is_named_left_behind_and_rejoins(
    browser: Browser, wall: NineCameras, url: str
) -> None:
    browser.hold("*cam-12/segments/*/2/media*")  # its last ten seconds
    watch(browser, wall, url, "cam-11", "cam-12", "cam-13", end=30)
    for _ in range(4):
        browser.key("ArrowRight")
    browser.key("<", text="<")  # at half the speed there is time to rejoin
    browser.key(" ", code="Space", text=" ")
    state = "document.getElementById('state').textContent"
    browser.wait(f"{state} === 'Menunggu: Kamera cam-12'")
    browser.wait(f"{state} === 'Memutar tanpa: Kamera cam-12'")
    assert "Gambar tertinggal" in browser.run("document.querySelector('[data-camera=\"cam-12\"]').innerText")
    before = measured(browser)["at"]
    browser.wait(f"window.measured().at > {before + 1}")
    browser.release()
    browser.wait(f"{state} === 'Memutar'", seconds=20)
    browser.wait("document.querySelector('[data-camera=\"cam-12\"]').dataset.state === 'recorded'")
    found = measured(browser)
    assert found["stood"] <= MOST_MS
    assert found["late"]["cam-12"] > 0
    assert {camera: late for camera, late in found["late"].items() if late} == {
        "cam-12": found["late"]["cam-12"]
    }


PLAYED = """async (address) => {
  const Hls = (await import(document.querySelector("script").src.replace(/[^/]*$/, "hls.js"))).default;
  const hls = new Hls({ enableWorker: false, enableDateRangeMetadataCues: false });
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const found = { errors: [] };
  hls.on(Hls.Events.ERROR, (_, error) => found.errors.push(error.details));
  const parsed = new Promise((done) => hls.on(Hls.Events.MANIFEST_PARSED, (_, one) => done(one)));
  const loaded = new Promise((done) => hls.on(Hls.Events.LEVEL_LOADED, (_, one) => done(one.details)));
  hls.loadSource(address);
  hls.attachMedia(video);
  const levels = (await parsed).levels;
  const details = await loaded;
  const sought = new Promise((done) => video.addEventListener("seeked", done));
  video.currentTime = 12.35;
  await sought;
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH; canvas.height = HEIGHT;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, WIDTH, HEIGHT);
  let bits = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    bits = bits * 2 + (pen.getImageData(cell * CELL + CELL / 2, CELL / 2, 1, 1).data[0] > 127 ? 1 : 0);
  }
  const here = details.fragments.findLast((one) => one.startPTS <= video.currentTime);
  const wall = here.programDateTime + (video.currentTime - here.startPTS) * 1000;
  hls.destroy();
  return { wall, ...found, levels: levels.length, codec: levels[0].videoCodec, height: levels[0].height,
           live: details.live, type: details.type, fragments: details.fragments.length,
           clocks: details.fragments.every((one) => one.programDateTime), number: Math.floor(bits / 16) };
}"""


def test_a_player_plays_what_the_master_playlist_names(browser: Browser, wall: NineCameras, url: str) -> None:
    watch(browser, wall, url, "cam-11")
    query = urlencode({"from": instant(0), "to": instant(30), "purpose": PURPOSE})
    script = PLAYED
    for name, value in {"WIDTH": WIDTH, "HEIGHT": HEIGHT, "CELLS": CELLS, "CELL": CELL}.items():
        script = re.sub(rf"\b{name}\b", str(value), script)
    found = browser.run(f"({script})('/v1/cameras/cam-11/master.m3u8?{query}')")
    assert found["errors"] == []
    assert (found["levels"], found["height"]) == (1, HEIGHT)
    assert found["codec"].startswith("avc1.")
    assert (found["type"], found["live"], found["fragments"], found["clocks"]) == ("VOD", False, 3, True)
    assert found["number"] == int((found["wall"] * 1000 - T0) * 15 / SECOND + 0.01)
    assert abs(found["wall"] * 1000 - T0 - 12.35 * SECOND) < SECOND / 5
