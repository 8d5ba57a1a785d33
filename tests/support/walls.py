"""A wall of nine cameras with numbered frames, and what a real Chromium shows of it.

``cam-1`` has a gap, and another run after it; ``cam-2`` changes the run without a gap; ``cam-17`` sends
H.265, which this browser is shown as viewing copies; the others are whole.
Frames are numbered from 0 in each run, so a picture says what time it is of, whatever the page believes.
"""

import functools
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from archive.footage.mp4.finalise import Finalised
from archive.model.user import Role
from archive.timespan import SECOND
from tests.support.api_site import T0, Site, archive_run, camera_json, instant, open_site
from tests.support.chromium import Browser
from tests.support.numbered import (
    CELL,
    CELLS,
    HEIGHT,
    WIDTH,
    encode_numbered,
    finalised_run,
    record,
    recorded_segments,
)
from tests.support.people import add_person, catch_up, cookie_of

CAMERAS = ("cam-1", "cam-2", *(f"cam-{number}" for number in range(11, 18)))
BROKEN_OFF_S, RESUMED_S = 10, 14
"""Where the footage of ``cam-1`` ends, and where its next run begins; ``cam-2`` changes the run at 10 s."""
PURPOSE = "LP/B/123/XI/2026"
WHO = "citra"


HEVC_CAMERA = "cam-17"
_HEVC = ("libx265", "-x265-params", "keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=2:log-level=error")
"""Without leading pictures: viewing copies leave those out."""


@functools.cache
def _footage(
    seconds: int, codec: str = "h264"
) -> tuple[tempfile.TemporaryDirectory[str], Sequence[tuple[Path, Finalised]]]:
    folder = tempfile.TemporaryDirectory(prefix="saksi-wall-")
    where = Path(folder.name)
    if codec == "h264":
        recorded = recorded_segments("h264-closed", seconds, where)
    else:
        source = encode_numbered("wall-hevc", _HEVC, seconds, where / "hevc.mp4", 15)
        recorded = record(source, where / "recorded")
    return folder, finalised_run(recorded, where / "finalised")


@dataclass(frozen=True, slots=True)
class NineCameras:
    """The site, and for each camera its runs as seconds after ``T0``: from, to."""

    site: Site
    runs: Mapping[str, Sequence[tuple[float, float]]]


@contextmanager
def nine_cameras(folder: Path, *, seconds: int = 30) -> Iterator[NineCameras]:
    """A site whose nine cameras have ``seconds`` of footage, and a person of the War Room."""
    with open_site(folder, variant=None) as site:
        for camera in CAMERAS[2:]:
            named = {**camera_json(camera), "name": f"Kamera {camera}"}
            site.call("POST", "/v1/cameras", json=named).raise_for_status()
        add_person(site, WHO, Role.WAR_ROOM)
        made = _footage(seconds)[1]
        runs: dict[str, list[tuple[float, float]]] = {}
        for number, camera in enumerate(CAMERAS):
            parts = [(0, made if camera != HEVC_CAMERA else _footage(seconds, "hevc")[1])]
            if camera == "cam-1":
                parts = [(0, made[:1]), (RESUMED_S, made)]
            elif camera == "cam-2":
                parts = [(0, made[:1]), (BROKEN_OFF_S, made)]
            for part, (start, segments) in enumerate(parts):
                run = f"6b0518000000{number:02x}{part:02x}"
                refs = archive_run(site.services, segments, run=run, start=T0 + start * SECOND, camera=camera)
                edges = (refs[0].span.start - T0) / SECOND, (refs[-1].span.end - T0) / SECOND
                runs.setdefault(camera, []).append(edges)
        catch_up(site)
        yield NineCameras(site, runs)


def watch(
    browser: Browser, wall: NineCameras, url: str, *cameras: str, end: float = 30, at: float = 0
) -> None:
    """Open the page with these cameras (default all), state the purpose, and begin to measure."""
    shown = cameras or CAMERAS
    times = {"from": instant(0), "to": instant(end), "at": instant(at)}
    query = urlencode([*(("camera", one) for one in shown), *times.items()])
    browser.cookie(url, cookie_of(wall.site, WHO, purpose=""))
    browser.open(f"{url}/tinjau?{query}")
    browser.wait("!document.getElementById('ask').hidden")
    browser.write("#purpose", PURPOSE)
    browser.click("#purpose-form button")
    browser.wait(f"document.querySelectorAll('.tile').length === {len(shown)}")
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    browser.wait("document.getElementById('state').textContent === 'Dijeda'")
    runs = {camera: wall.runs[camera] for camera in shown}
    browser.run(f"({MEASURE})({json.dumps(runs)}, {T0 // 1000})")


def play(browser: Browser, *, rate: int = 1) -> None:
    """Press play, at a speed."""
    for _ in range({1: 0, 2: 1, 4: 2}[rate]):
        browser.key(">", text=">")
    browser.key(" ", code="Space", text=" ")
    browser.wait("document.getElementById('state').textContent.startsWith('Memutar')")


def measured(browser: Browser) -> dict[str, Any]:
    """What was measured since :func:`watch`: see ``MEASURE``."""
    found: dict[str, Any] = browser.run("window.measured()")
    return found


MEASURE = f"""(runs, t0) => {{
  const tiles = [...document.querySelectorAll(".tile")];
  const clock = document.getElementById("clock");
  const state = document.getElementById("state");
  const canvas = document.createElement("canvas");
  canvas.width = {WIDTH}; canvas.height = {CELL};
  const pen = canvas.getContext("2d", {{ willReadFrequently: true }});
  const number = (video) => {{
    pen.drawImage(video, 0, 0, {WIDTH}, {HEIGHT});
    const row = pen.getImageData(0, {CELL} / 2, {WIDTH}, 1).data;
    let bits = 0;
    for (let cell = 0; cell < {CELLS}; cell++) {{
      bits = bits * 2 + (row[(cell * {CELL} + {CELL} / 2) * 4] > 127 ? 1 : 0);
    }}
    return Math.floor(bits / 16);
  }};
  const found = {{ frozen: {{}}, stood: 0, apart: [], by: {{}}, late: {{}}, frames: {{}} }};
  const last = {{}};
  for (const tile of tiles) {{
    const camera = tile.dataset.camera;
    found.frozen[camera] = 0; found.late[camera] = 0; found.frames[camera] = 0;
    found.by[camera] = [];
    last[camera] = null;
    const video = tile.querySelector("video");
    const seen = () => {{
      last[camera] = performance.now();
      found.frames[camera] += 1;
      video.requestVideoFrameCallback(seen);
    }};
    video.requestVideoFrameCallback(seen);
  }}
  let [at, moved, before, sampled] = [null, null, null, 0];
  const step = () => {{
    const now = performance.now();
    const plays = !["Dijeda", "Akhir waktu yang diminta"].includes(state.textContent);
    if (!plays || at !== clock.dataset.at || moved === null) {{ at = clock.dataset.at; moved = now; }}
    found.stood = Math.max(found.stood, now - moved);
    for (const tile of tiles) {{
      const camera = tile.dataset.camera;
      const awaited = plays && ["recorded", "late"].includes(tile.dataset.state);
      if (!awaited) last[camera] = null;
      else last[camera] ??= now;
      if (awaited) found.frozen[camera] = Math.max(found.frozen[camera], now - last[camera]);
      if (before !== null && tile.dataset.state === "late") found.late[camera] += now - before;
    }}
    if (now - sampled > 200 && state.textContent.startsWith("Memutar")) {{
      sampled = now;
      const wall = (Number(clock.dataset.at) - t0) / 1000;
      for (const tile of tiles) {{
        const video = tile.querySelector("video");
        const run = runs[tile.dataset.camera].findLast(([start, end]) => start <= wall && wall < end);
        const shows = !video.hidden && !video.seeking && video.readyState >= 2;
        if (!run || tile.dataset.state !== "recorded" || !shows) continue;
        const from = run[0] + number(video) / 15; // it is on screen for a fifteenth of a second
        const apart = wall < from ? from - wall : Math.max(0, wall - from - 1 / 15);
        found.apart.push(apart);
        found.by[tile.dataset.camera].push(apart);
      }}
    }}
    before = now;
    requestAnimationFrame(step);
  }};
  requestAnimationFrame(step);
  window.measured = () => ({{ ...found, at: (Number(clock.dataset.at) - t0) / 1000 }});
}}"""
"""Measures in the page, in ms unless said otherwise.

``frozen``: the longest time in which a camera with footage showed no new frame; ``stood``: the longest in
which the clock did not move; ``late``: how long a camera was left behind; ``frames``: how many were shown;
``apart``: how far in seconds the frame on screen was from the clock, read from its number, and ``by`` the
same for each camera; ``at``: the clock, in seconds.
"""
