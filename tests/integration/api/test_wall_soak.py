"""Nine cameras at twice the speed while the page stands still at random: seconds here, half an hour in soak.

Beside other tests every camera goes on each time; how soon is measured by ``make soak-wall``. It sets
``SAKSI_WALL_SECONDS``; the figures go to ``SAKSI_WALL_REPORT`` as JSON, if it is set.
"""

import json
import math
import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest

from tests.integration.api.test_server import serving
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened
from tests.support.in_time import in_time
from tests.support.programs import need_player
from tests.support.waiting import until
from tests.support.walls import HEVC_CAMERA, NineCameras, measured, nine_cameras, play, watch

SECONDS = int(os.environ.get("SAKSI_WALL_SECONDS", "10"))
SEED = int(os.environ.get("SAKSI_WALL_SEED", "1"))
RATE = int(os.environ.get("SAKSI_WALL_RATE", "2"))
FOOTAGE_S = 30 if SECONDS <= 60 else 300
MOST_MS = 5000
LONGEST_PAUSE_MS = int(os.environ.get("SAKSI_WALL_PAUSE_MS", "3000"))
APART_S = 0.1 * RATE
"""A tenth of a second on the viewer's own clock, in footage."""
SEEKS = 6 if SECONDS <= 60 else 60

SEEK = """(key) => {
  const tiles = [...document.querySelectorAll(".tile")];
  const began = performance.now();
  const seen = new Set();
  for (const tile of tiles) {
    tile.querySelector("video").requestVideoFrameCallback(() => seen.add(tile.dataset.camera));
  }
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  return new Promise((done) => {
    const look = () => {
      const waited = performance.now() - began;
      const open = tiles.filter((tile) => {
        const video = tile.querySelector("video");
        return tile.dataset.state === "recorded" && (video.seeking || !seen.has(tile.dataset.camera));
      });
      const settled = document.getElementById("state").textContent === "Dijeda" && waited > 20;
      if ((!open.length && settled) || waited > 10000) done(waited);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}"""
"""Go elsewhere with a key; the time in ms until every camera with footage shows its frame of that instant."""


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NineCameras]:
    need_player()
    with nine_cameras(tmp_path_factory.mktemp("site"), seconds=FOOTAGE_S) as made:
        yield made


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with opened(chromium(), tmp_path) as made:
        made.size(1366, 768)
        yield made


@in_time("most_ms, apart_s", MOST_MS, APART_S, otherwise=(math.inf, math.inf))
def test_nine_cameras_never_freeze_for_longer_than_five_seconds(
    browser: Browser, wall: NineCameras, most_ms: float, apart_s: float
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - no secret
    pauses = []
    with serving(wall.site) as port:
        watch(browser, wall, f"http://127.0.0.1:{port}", end=FOOTAGE_S)
        play(browser, rate=RATE)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            # Twice three seconds, one soon after the other, left nine players seeking for ever.
            longest = len(pauses) < 2
            pauses.append(
                LONGEST_PAUSE_MS if longest else chance.randint(min(200, LONGEST_PAUSE_MS), LONGEST_PAUSE_MS)
            )
            script = f"const end = performance.now() + {pauses[-1]}; while (performance.now() < end);"
            browser.run(f"(() => {{ {script} }})()")
            between = 200 if longest else chance.randint(500, 2500)
            browser.run(f"new Promise((done) => setTimeout(done, {between}))")
            again_at_the_end(browser)
        found = measured(browser)
        until(
            lambda: goes_on(browser, found["frames"]), "every camera goes on after the last pause", every=0.2
        )
        tries = browser.run(
            """["seek", "rebuild"].map((act) => [...document.querySelectorAll(".tile")]
              .reduce((sum, tile) => sum + Number(tile.dataset[act] ?? 0), 0))"""
        )
        sought = seeks(browser)
        shown_as = browser.run(f"document.querySelector('[data-camera=\"{HEVC_CAMERA}\"]').dataset.picture")
    report = told(found, pauses, tries, sought)
    print(json.dumps(report))  # noqa: T201 - pytest shows it with -rA
    if path := os.environ.get("SAKSI_WALL_REPORT"):
        Path(path).write_text(json.dumps(report, indent=2) + "\n")
    assert max(found["frozen"].values()) <= most_ms, report
    assert found["stood"] <= most_ms, report
    assert report["apart_s"]["p50"] <= apart_s, report
    assert report["apart_s_h265"]["p50"] <= apart_s, report
    assert shown_as == "viewing_copy"


def again_at_the_end(browser: Browser) -> None:
    """Play from the beginning if the end is reached."""
    if browser.run("document.getElementById('state').textContent") == "Akhir waktu yang diminta":
        browser.key(" ", code="Space", text=" ")


def goes_on(browser: Browser, before: Mapping[str, int]) -> bool:
    """Whether every camera has shown a second's more pictures than before."""
    again_at_the_end(browser)
    now = measured(browser)["frames"]
    return all(now[camera] > frames + 15 for camera, frames in before.items())


def seeks(browser: Browser) -> list[float]:
    """The times of some jumps on a wall that stands, in ms."""
    if browser.run("document.getElementById('state').textContent.startsWith('Memutar')"):
        browser.key(" ", code="Space", text=" ")
    for _ in range(60):
        browser.key("ArrowLeft")
    browser.wait("document.getElementById('state').textContent === 'Dijeda'")
    found = []
    for number in range(SEEKS):
        key = "ArrowRight" if number % 6 < 3 else "ArrowLeft"
        found.append(browser.run(f"({SEEK})({json.dumps(key)})"))
    return found


def told(found: dict[str, Any], pauses: list[int], tries: list[int], sought: list[float]) -> dict[str, Any]:
    """The figures of a report."""
    return {
        "seconds": SECONDS,
        "cameras": len(found["frozen"]),
        "rate": RATE,
        "pauses": len(pauses),
        "paused_s": round(sum(pauses) / 1000, 1),
        "longest_freeze_s": round(max(found["frozen"].values()) / 1000, 2),
        "clock_stood_s": round(found["stood"] / 1000, 2),
        "left_behind_s": round(sum(found["late"].values()) / 1000, 1),
        "sought_again": tries[0],
        "rebuilt": tries[1],
        "apart_s": shares(found["apart"]),
        "apart_s_h265": shares(found["by"][HEVC_CAMERA]),
        "seek_ms": shares(sought),
    }


def shares(values: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and the largest."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {
        "p50": round(cuts[49], 3), "p95": round(cuts[94], 3), "p99": round(cuts[98], 3),
        "max": round(max(values), 3), "count": len(values),
    }  # fmt: skip
