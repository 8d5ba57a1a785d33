"""A Chromium without a GPU, driven by Playwright, that keeps the times of what its pages do.

Times are taken inside the page, from the page's own clock: what passes between this process and the browser
is no part of them. Playwright's scripts run beside the page's policy, which stays in force for the page.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from archive.errors import Unavailable

WIDTH, HEIGHT = 1366, 768
PATIENCE_MS = 60_000
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip

READY: Mapping[str, str] = {
    # Names of areas are offered for what is typed only when cameras, areas and map are there.
    "/temukan": """(() => {
      const place = document.getElementById("place");
      if (!document.getElementById("map")?.leaflet || !place) return false;
      place.value = "Mar";
      place.dispatchEvent(new Event("input"));
      return document.querySelectorAll("#suggestions option").length > 0;
    })()""",
    "/tinjau": "document.querySelector('#choose:not([hidden]) #cameras label') !== null",
    "/kesehatan": "document.querySelector('#districts li') !== null",
    "/pengawasan": "document.getElementById('go')?.disabled === false",
    "/healthz": "document.body?.textContent.length > 0",
}
"""For the home of each role: whether its main content is there and its first control answers."""

_KEPT = """
(() => {
  const seen = { frames: null, wheels: [], pictures: [], asked: 0 };
  const after = (done) => { const way = new MessageChannel(); way.port1.onmessage = done; way.port2.postMessage(0); };
  const next = () => new Promise((done) => requestAnimationFrame(() => after(() => done(performance.now()))));
  const ready = %(ready)s;
  window.saksiBench = seen;
  seen.next = next;
  seen.ready = new Promise((done, failed) => {
    setTimeout(() => failed(new Error(`${location.pathname} did not answer`)), %(patience)d);
    const test = ready[location.pathname];
    if (!test || location.search.includes("camera=")) return; // nobody asks
    const look = () => {
      if (test()) after(() => done(performance.now()));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  seen.ready.catch(() => {}); // it is told to who waits for it
  // The frame's task is followed by this one: then it is drawn.
  addEventListener("wheel", ({ timeStamp }) => {
    seen.turned = timeStamp;
    requestAnimationFrame(() => after(() => seen.wheels.push(performance.now() - timeStamp)));
  }, { capture: true, passive: true });
  const told = new Set();
  const watch = () => {
    for (const video of document.querySelectorAll("video")) {
      if (told.has(video)) continue;
      told.add(video);
      const shown = (now) => { seen.pictures.push({ at: now, number: [...told].indexOf(video) }); video.requestVideoFrameCallback(shown); };
      video.requestVideoFrameCallback(shown);
    }
  };
  new MutationObserver(watch).observe(document, { childList: true, subtree: true });
  seen.picture = (count, since) => new Promise((done, failed) => {
    setTimeout(() => failed(new Error("no picture came")), %(patience)d);
    const look = () => {
      const found = new Map();
      for (const { at, number } of seen.pictures) if (at >= since && !found.has(number)) found.set(number, at);
      if (found.size >= count) done(Math.max(...[...found.values()].sort((a, b) => a - b).slice(0, count)) - since);
      else setTimeout(look, 5);
    };
    look();
  });
  seen.settled = () => new Promise((done, failed) => {
    setTimeout(() => failed(new Error("the timeline did not come to rest")), %(patience)d);
    const look = () => {
      if (document.querySelector("#timeline .rows").ariaBusy === "false") after(() => done(performance.now() - seen.turned));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  seen.record = () => {
    seen.frames = [];
    let last = null;
    const frame = (now) => {
      if (!seen.frames) return;
      if (last !== null) seen.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };
  seen.taken = () => { const found = seen.frames; seen.frames = null; return found; };
})();
"""  # noqa: E501 - a script


@contextmanager
def driven() -> Iterator[Browser]:
    """The machine's Chromium. Raises Unavailable ``bench_failed`` if there is none."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise Unavailable(f"there is no Chromium; install {_NAMES[0]}", code="bench_failed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A person's tab. ``received`` is the bytes on the wire so far, headers included."""

    page: Page
    received: int = 0
    requests: int = 0
    problems: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Go to an address; returns when its HTML is read."""
        self.page.goto(address, wait_until="domcontentloaded")

    def quiet(self) -> None:
        """Wait until nothing is asked of the server any more."""
        self.page.wait_for_load_state("networkidle")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; waits for a promise."""
        return self.page.evaluate(script)

    def ready(self) -> float:
        """Milliseconds from the start of the navigation until the page answered."""
        return float(self.run("saksiBench.ready"))

    def forget(self) -> None:
        """Count bytes and requests anew."""
        self.received = self.requests = 0


@contextmanager
def tab_of(browser: Browser, url: str, cookie: str) -> Iterator[Tab]:
    """A tab with an empty cache, and the session that a cookie is for."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark", locale="id"
    )
    context.set_default_timeout(PATIENCE_MS)
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": url}])
    tests = ", ".join(f"{path!r}: () => {test}" for path, test in READY.items())
    context.add_init_script(_KEPT % {"ready": f"{{ {tests} }}", "patience": PATIENCE_MS})
    try:
        yield _watched(context)
    finally:
        context.close()


def _watched(context: BrowserContext) -> Tab:
    made = Tab(context.new_page())
    session = context.new_cdp_session(made.page)

    def count(told: dict[str, Any]) -> None:
        made.received += int(told["encodedDataLength"])
        made.requests += told["encodedDataLength"] > 0

    session.on("Network.loadingFinished", count)
    session.send("Network.enable")
    made.page.on("pageerror", lambda error: made.problems.append(str(error)))
    return made
