"""The view in a real Chromium says how far the times of footage may be wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model.segment import UNSYNCHRONISED, ClockStatement
from archive.model.user import Role
from archive.timespan import SECOND
from tests.integration.api import test_view_page as view_page
from tests.integration.api.test_view_page import look, settled, tile
from tests.support import api_site
from tests.support.api_site import CAMERA, T0, Site, archive_run, camera_json, instant, open_site, span
from tests.support.chromium import Browser
from tests.support.people import add_person, catch_up

LATE, FREE = "cam-2", "cam-6"
"""A camera whose times are uncertain by 2 s at first, and one whose recorder was not synchronised."""
browser, url = view_page.browser, view_page.url
UNBOUNDED = "jam perekam tidak sinkron: tanpa batas"


def stated(uncertainty: int, *flags: str) -> ClockStatement:
    return ClockStatement(source="arrival", offset_us=0, uncertainty_us=uncertainty, flags=flags)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        footage = api_site._footage("h264-closed")[1]
        other = {
            **camera_json(FREE),
            "name": "Jl. Somba Opu",
            "kecamatan": "73.71.01",
            "kelurahan": "73.71.01.1001",
        }
        made.call("POST", "/v1/cameras", json=other).raise_for_status()
        late = archive_run(
            made.services, footage, run="6b05180000000003", start=T0, camera=LATE, clock=stated(1_990_001)
        )
        archive_run(
            made.services,
            footage,
            run="6b05180000000004",
            start=late[-1].span.end + 20 * SECOND,
            camera=LATE,
            clock=stated(499_999),
        )
        archive_run(
            made.services,
            footage,
            run="6b05180000000005",
            start=T0,
            camera=FREE,
            clock=stated(40_000, UNSYNCHRONISED),
            pauses=((2 * SECOND, 8 * SECOND),),
        )
        add_person(made, "erna", Role.KECAMATAN, districts=["73.71.01"])
        catch_up(made)
        yield made


def doubt(browser: Browser, camera: str) -> str:
    text: str = browser.run(f"document.querySelector('[data-camera=\"{camera}\"] .doubt').innerText")
    return text


def bands(browser: Browser, row: int) -> list[tuple[float, float]]:
    """Left edge and width of the bands of a row of the timeline, in percent, as they are drawn."""
    found = browser.run(
        f"""(() => {{
        const track = document.querySelectorAll(".track")[{row}];
        const whole = track.getBoundingClientRect();
        return [...track.querySelectorAll(".doubtful")].map((one) => one.getBoundingClientRect())
          .filter((box) => box.height >= 4)
          .map((box) => [(box.left - whole.left) / whole.width * 100, box.width / whole.width * 100]);
      }})()"""
    )
    return [(round(left, 1), round(width, 1)) for left, width in found]


def test_the_api_says_that_nothing_bounds_an_unsynchronised_clock(site: Site) -> None:
    call = site.call
    bounds = {LATE: [1_990_001, 499_999], FREE: [None], CAMERA: [40_000, 40_000]}
    for camera, expected in bounds.items():
        asked = span(0, 120, camera=camera)
        found = call.get("/v1/recordings", params=asked).json()["coverage"]
        assert [one["uncertainty_us"] for one in found] == expected
        (history,) = call.get("/v1/war-room/history", params=asked).json()["cameras"]
        assert [one["uncertainty_us"] for one in history["coverage"]] == expected
        segments = call.get("/v1/segments", params=asked).json()["segments"]
        assert {one["uncertainty_us"] for one in segments} == set(expected)
        pieces = call.get(f"/v1/cameras/{camera}/clip", params=span(3, 14)).json()["pieces"]
        assert {one["uncertainty_us"] for one in pieces} == {expected[0]}


def test_a_time_that_may_be_wrong_says_so_beside_the_picture_in_the_gap_and_on_the_timeline(
    browser: Browser,
    site: Site,
    url: str,
) -> None:
    look(browser, site, url, CAMERA, LATE, FREE, at=instant(5))
    settled(browser)
    assert [doubt(browser, one) for one in (CAMERA, LATE, FREE)] == ["", "± 2,0 detik", UNBOUNDED]
    assert "± 2,0 detik" in tile(browser, LATE)
    spoken = "document.querySelector('.plane').getAttribute('aria-valuetext')"
    assert "± 2,0 detik" in browser.run(spoken)
    # It was registered later: its name is that of now.
    browser.wait(f"{spoken}.includes('Jl. Somba Opu {UNBOUNDED}')")
    # The band is as wide as the footage may lie: 30 s and 2 s of 120 s.
    assert bands(browser, 0) == []
    assert bands(browser, 1) == [(0.0, pytest.approx(26.7, abs=0.2))]
    assert bands(browser, 2) == [(0.0, pytest.approx(25.0, abs=0.2))]
    assert "Waktu tidak pasti (± 0,5 detik atau lebih)" in browser.text()
    # The details have all of it, small ones too.
    assert f"Ketelitian waktu: {UNBOUNDED}" in browser.text()
    browser.click("#accuracy summary")
    lines = browser.run("[...document.querySelectorAll('#bounds li')].map((one) => one.innerText)")
    assert [line.rpartition(": ")[2] for line in lines] == [
        "± 0,1 detik",
        "± 2,0 detik",
        "± 0,5 detik",
        "tanpa batas",
    ]
    assert "2026-11-24 14:00:00 – 14:00:30 WITA" in lines[1]
    browser.click("#accuracy summary")

    left, top, width = browser.run(
        "(() => { const box = document.querySelector('.plane').getBoundingClientRect();"
        " const row = document.querySelectorAll('.track')[1].getBoundingClientRect();"
        " return [box.left, row.top + 3, box.width]; })()"
    )
    browser.mouse("mouseMoved", left + width * 0.105, top)
    browser.wait("document.querySelector('.glimpse').innerText.includes('14:00:12 WITA ± 2,0 detik')")
    browser.mouse("mouseMoved", left + width * 0.35, top)
    gap = "14:00:30 – 14:00:50 WITA ± 2,0 detik"
    browser.wait(f"document.querySelector('.glimpse').innerText.includes({gap!r})")

    for _ in range(7):
        browser.key("ArrowRight")
    browser.wait("document.querySelector('[data-camera=\"cam-2\"]').innerText.includes('Tidak ada rekaman')")
    assert gap in tile(browser, LATE)
    assert "14:00:30 – 14:00:50 WITA" in tile(browser, CAMERA)
    assert "±" not in tile(browser, CAMERA)
    for _ in range(3):
        browser.key("ArrowRight")
    browser.wait("document.querySelector('[data-camera=\"cam-2\"]').dataset.state === 'recorded'")
    assert doubt(browser, LATE) == ""

    browser.click(".reader summary")
    browser.click("#language")
    browser.wait("document.documentElement.lang === 'en'")
    browser.wait("document.querySelector('.tile')?.dataset.state === 'recorded'")
    assert "Accuracy of the times: recorder's clock not synchronised: no bound" in browser.text()
    browser.on_paper()
    assert "± 2.0 s" in browser.text()


def test_a_pause_is_said_beside_the_picture_and_marked_on_the_timeline(
    browser: Browser, site: Site, url: str
) -> None:
    asked = span(3, 120, camera=FREE)
    here = {"from": api_site.instant(3), "to": api_site.instant(8)}
    assert site.call.get("/v1/recordings", params=asked).json()["pauses"] == [{"camera": FREE, **here}]
    (history,) = site.call.get("/v1/war-room/history", params=asked).json()["cameras"]
    assert history["pauses"] == [here]

    look(browser, site, url, CAMERA, FREE, at=instant(5))
    settled(browser)
    said = "Tanpa gambar baru dari kamera 14:00:02–14:00:08 WITA"
    browser.wait(f"document.querySelector('[data-camera=\"{FREE}\"]').innerText.includes({said!r})")
    assert "Tanpa gambar baru" not in tile(browser, CAMERA)
    marked = (
        "[...document.querySelectorAll('.track')].map((row) => row.querySelectorAll('.block.pause').length)"
    )
    assert browser.run(marked) == [0, 1]
    assert "Terekam, tanpa gambar baru dari kamera" in browser.text()
    left, top, width = browser.run(
        "(() => { const box = document.querySelector('.plane').getBoundingClientRect();"
        " const row = document.querySelectorAll('.track')[1].getBoundingClientRect();"
        " return [box.left, row.top + 3, box.width]; })()"
    )
    browser.mouse("mouseMoved", left + width * 0.05, top)
    browser.wait(f"document.querySelector('.glimpse').innerText.includes({said!r})")
    for _ in range(4):
        browser.key("ArrowRight")
    browser.wait(
        f"!document.querySelector('[data-camera=\"{FREE}\"]').innerText.includes('Tanpa gambar baru')"
    )


@pytest.mark.parametrize("size", [(1366, 768, False), (390, 844, True)])
def test_it_fits_the_screen(
    browser: Browser,
    site: Site,
    url: str,
    size: tuple[int, int, bool],
    tmp_path: Path,
) -> None:
    browser.size(size[0], size[1], mobile=size[2])
    look(browser, site, url, CAMERA, LATE, FREE, at=instant(5))
    settled(browser)
    browser.wait("document.querySelectorAll('.doubtful').length > 1")
    for opened in (False, True):
        if opened:
            browser.click("#accuracy summary")
        assert browser.run("document.documentElement.scrollWidth") <= size[0]
        if not size[2]:
            assert browser.run("document.documentElement.scrollHeight") <= size[1]
        hanging = browser.run(
            """[...document.querySelectorAll(".doubt, .pause-text, .stamp, .accuracy, .legend li")]
            .filter((one) => {
              const box = one.getBoundingClientRect();
              const around = one.closest(".tile, .desk").getBoundingClientRect();
              if (!one.checkVisibility()) return false;  // folded away
              return box.width && (box.left < around.left - 1 || box.right > around.right + 1
                || box.bottom > around.bottom + 1);
            }).map((one) => one.className)"""
        )
        assert hanging == []
        browser.picture(tmp_path / f"view-{size[0]}-{'details' if opened else 'plain'}.png")
