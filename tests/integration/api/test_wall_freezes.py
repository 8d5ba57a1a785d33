"""The wall in a real Chromium does not stand for one camera's sake; see ``test_wall_soak.py`` for nine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.web.files import PLAYER, path_of
from tests.integration.api.test_server import serving
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened
from tests.support.walls import NineCameras, measured, nine_cameras, play, watch

MOST_MS = 5000
"""The clock waits for no camera longer."""


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NineCameras]:
    if not path_of(PLAYER).is_file():
        pytest.skip("the player is not there; fetch it with: python -m ops.pages")
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
    browser.key("-", text="-")  # at half the speed there is time to rejoin
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
