"""On the wall "not permitted" never looks like "not recorded": real coverage with a padlock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import SECOND, Timespan
from tests.integration.api import test_view_page as view_page
from tests.integration.api.test_view_page import look, number, settled, tile
from tests.support.api_site import CAMERA, T0, Site, camera_json, instant, open_site
from tests.support.chromium import Browser
from tests.support.people import add_person, catch_up, grant

OTHER = "cam-9"
LOCKED = "Terekam, tetapi tidak diizinkan untuk Anda"
browser, url = view_page.browser, view_page.url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        made.call("POST", "/v1/cameras", json=camera_json(OTHER)).raise_for_status()
        add_person(made, "erna", Role.KECAMATAN, districts=["73.71.01"])
        add_person(made, "indra", Role.AUDITOR)
        add_person(made, "dewi", Role.POLICE)
        grant(made, "dewi", [CAMERA], Timespan(T0, T0 + 20 * SECOND), Right.VIEW)
        catch_up(made)
        yield made


def blocks(browser: Browser, kind: str, row: int = 0) -> list[tuple[float, float]]:
    """Start and length of the blocks of a kind in a row of the timeline, in seconds of a window of 120."""
    found = browser.run(
        f"""[...document.querySelectorAll(".track")[{row}].querySelectorAll(".{kind}")].map((one) =>
          [parseFloat(one.style.left), parseFloat(one.style.width)])"""
    )
    return [(round(left * 1.2, 1), round(width * 1.2, 1)) for left, width in found]


def at(browser: Browser, seconds: float) -> None:
    """Go to an instant by the timeline."""
    left, top, width = browser.run(
        "(() => { const box = document.querySelector('.plane').getBoundingClientRect();"
        " return [box.left, box.top + box.height / 2, box.width]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, left + width * seconds / 120, top)
    browser.mouse("mouseMoved", 1, 1)
    settled(browser)


def media(browser: Browser) -> list[str]:
    return [one for one in browser.requests if "/segments/" in one or "frame." in one]


def test_an_auditor_sees_what_is_recorded_behind_a_padlock_and_what_is_not(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, who="indra", at=instant(5))
    settled(browser)
    assert LOCKED in tile(browser, CAMERA)
    assert "Jl. Penghibur cam-1" in tile(browser, CAMERA)
    assert "Tidak ada rekaman" not in tile(browser, CAMERA)
    gap = site.gap.start - T0, site.gap.duration
    assert blocks(browser, "missing")[0] == (gap[0] / SECOND, gap[1] / SECOND)
    assert blocks(browser, "locked") == [(0.0, 30.0), (50.0, 30.0)]
    assert blocks(browser, "recorded") == []
    at(browser, 40)
    browser.wait("document.querySelector('.tile').innerText.includes('Tidak ada rekaman')")
    assert "sebab: kamera tidak terjangkau" in tile(browser, CAMERA)
    assert LOCKED not in tile(browser, CAMERA)
    assert media(browser) == []
    told = [event for event in site.events("recordings.search") if event.actor.id == "user:indra"]
    assert told


def test_a_grant_opens_its_part_and_the_rest_is_locked(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, CAMERA, OTHER, who="dewi", at=instant(5))
    settled(browser)
    browser.wait(f"({view_page.NUMBER})('{CAMERA}') === 75")
    assert blocks(browser, "recorded") == [(0.0, 20.0)]
    assert blocks(browser, "locked") == [(20.0, 10.0), (50.0, 30.0)]
    at(browser, 25)
    browser.wait("document.querySelector('.tile').dataset.state === 'locked'")
    assert LOCKED in tile(browser, CAMERA)
    assert "Rekaman ini tidak diizinkan untuk Anda. Ajukan permintaan." in tile(browser, CAMERA)
    assert number(browser, CAMERA) is None
    at(browser, 5)
    browser.wait(f"({view_page.NUMBER})('{CAMERA}') !== null")
    # Facts of a camera without footage are facts for an agency too: nothing is locked there.
    assert blocks(browser, "locked", row=1) == []
    assert "Masjid Raya" in tile(browser, OTHER)


def test_a_camera_that_one_may_not_know_of_shows_nothing_and_does_not_look_unrecorded(
    browser: Browser, site: Site, url: str
) -> None:
    look(browser, site, url, CAMERA, OTHER, "cam-0")
    settled(browser)
    for row in (1, 2):
        for kind in ("recorded", "locked", "missing", "pending"):
            assert blocks(browser, kind, row) == []
    rows = browser.run("[...document.querySelectorAll('.track')].map((one) => one.innerText)")
    assert rows == ["", "Tidak diizinkan", "Tidak diizinkan"]
    assert "Masjid" not in browser.text()


def test_each_state_has_a_look_of_its_own_and_a_legend(browser: Browser, site: Site, url: str) -> None:
    look(browser, site, url, CAMERA)
    settled(browser)
    looks = browser.run(
        """Object.fromEntries([...document.querySelectorAll(".legend .swatch")].map((one) =>
          [one.className.replace("swatch ", ""), getComputedStyle(one).background]))"""
    )
    states = {"recorded", "locked", "missing", "pending", "pause", "held", "doubtful", "activity"}
    assert set(looks) == states
    assert len(set(looks.values())) == len(looks)
    covers = browser.run(
        """["missing", "refused", "locked", "pending", "late"].map((kind) => {
          const cover = document.querySelector(".cover");
          cover.dataset.kind = kind;
          return getComputedStyle(cover).background + getComputedStyle(cover, "::before").content;
        })"""
    )
    assert len({covers[0], covers[1], covers[2]}) == 3
    assert covers[0] not in covers[1:]


def test_the_padlock_is_a_file_of_ours(site: Site, tmp_path: Path) -> None:
    from tests.support.api_site import Caller

    answer = Caller(site.app).get(site.app.state.runtime.pages.assets.path("gembok.svg"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
