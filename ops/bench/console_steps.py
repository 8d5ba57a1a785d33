"""What is measured in the pages: loads, a dragged map, a zoomed month, and how soon a picture is there."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser

from archive.timespan import Timespan, format_instant
from ops.bench.browsing import Tab, tab_of
from ops.bench.console_city import City

PURPOSE = "shift-2"
_KEPT_PURPOSE = "saksi.keperluan"
_DRAGS = ((-260, -120), (260, 120), (220, -140), (-220, 140))
_NEAR = 4
"""Steps of the wheel from the whole city to some streets."""


@dataclass
class Loads:
    """Milliseconds until a page answered, with an empty cache and with a filled one, and what it cost."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    first_bytes: list[int] = field(default_factory=list)
    next_bytes: list[int] = field(default_factory=list)
    first_requests: int = 0
    next_requests: int = 0


def load(browser: Browser, url: str, cookie: str, path: str, into: Loads) -> None:
    """Open a page in a new browser, and once more in the same."""
    with tab_of(browser, url, cookie) as tab:
        tab.open(f"{url}{path}")
        into.cold.append(tab.ready())
        tab.quiet()
        painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
        if (at := tab.run(painted)) is not None:
            into.painted.append(float(at))
        into.first_bytes.append(tab.received)
        into.first_requests = tab.requests
        tab.forget()
        tab.open(f"{url}{path}")
        into.warm.append(tab.ready())
        if not into.next_bytes:  # once: to wait until all is quiet takes longer than the page
            tab.quiet()
            into.next_bytes.append(tab.received)
            into.next_requests = tab.requests
        _fine(tab)


def walk(browser: Browser, url: str, cookie: str, paths: list[str]) -> dict[str, tuple[int, int]]:
    """For every page of a bar: bytes and requests of its first visit after the others, and of its second."""
    found = {}
    with tab_of(browser, url, cookie) as tab:
        for path in paths:
            sizes = []
            for _ in range(2):
                tab.forget()
                tab.open(f"{url}{path}")
                tab.quiet()
                sizes.append(tab.received)
            found[path] = (sizes[0], sizes[1])
        _fine(tab)
    return found


@dataclass
class Dragged:
    """Milliseconds between frames while the map of all cameras is dragged: the city; some streets."""

    city: list[float] = field(default_factory=list)
    streets: list[float] = field(default_factory=list)


def drag(browser: Browser, url: str, cookie: str, rounds: int, moves: int) -> Dragged:
    """Drag the map of the first page to and fro, by gestures of so many moves of the mouse."""
    found = Dragged()
    with tab_of(browser, url, cookie) as tab:
        tab.open(f"{url}/temukan")
        tab.ready()
        tab.quiet()
        box = tab.page.locator("#map").bounding_box()
        assert box is not None  # noqa: S101 - it is on the page
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for _ in range(rounds):
            found.city += _dragged(tab, x, y, moves)
        tab.page.mouse.move(x, y)
        for _ in range(_NEAR):
            tab.page.mouse.wheel(0, -120)
            tab.run("saksiBench.next()")
            tab.page.wait_for_timeout(120)  # Leaflet takes turns of a wheel together for a while
        for _ in range(rounds):
            found.streets += _dragged(tab, x, y, moves)
        _fine(tab)
    return found


def _dragged(tab: Tab, x: float, y: float, moves: int) -> list[float]:
    mouse = tab.page.mouse
    tab.run("saksiBench.record()")
    for wide, high in _DRAGS:
        mouse.move(x, y)
        mouse.down()
        for step in range(1, moves + 1):
            mouse.move(x + wide * step / moves, y + high * step / moves)
        mouse.up()
    frames: list[float] = tab.run("saksiBench.taken()")
    return frames


@dataclass
class Zoomed:
    """A month of nine cameras: from a turn of the wheel to what it drew, and how long its answers took.

    ``bare`` are as many turns on a page of a few bytes, where nothing is drawn for them. ``settled``: from
    the last of several turns until every row shows what is known best of the range.
    """

    steps: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    blocks: int = 0


def zoom(browser: Browser, url: str, cookie: str, town: City, rounds: int, steps: int) -> Zoomed:
    """Zoom a month of nine cameras in and out by the wheel: eight steps lead from a month to a day."""
    found = Zoomed()
    with tab_of(browser, url, cookie) as tab:
        tab.open(f"{url}/healthz")
        tab.page.mouse.move(100, 100)
        for _ in range(rounds * 2 * steps):
            tab.page.mouse.wheel(0, 100)
            tab.run("saksiBench.next()")
        found.bare = tab.run("saksiBench.wheels")
    with tab_of(browser, url, cookie) as tab:
        _open_view(tab, url, town.wall, town.minute, range=_span(town.month))
        tab.run(f"saksiBench.picture({len(town.wall)}, 0)")
        tab.quiet()
        found.blocks = int(tab.run("document.querySelectorAll('#timeline .block').length"))
        plane = tab.page.locator("#timeline .plane").bounding_box()
        assert plane is not None  # noqa: S101 - it is on the page
        for turn in range(rounds):
            tab.page.mouse.move(plane["x"] + plane["width"] * (0.3 + 0.05 * (turn % 8)), plane["y"] + 30)
            for delta in (-100, 100):
                for _ in range(steps):
                    tab.page.mouse.wheel(0, delta)
                    tab.run("saksiBench.next()")
                found.settled.append(float(tab.run("saksiBench.settled()")))
        found.steps = tab.run("saksiBench.wheels")
        entries = (
            "performance.getEntriesByType('resource').filter((one) => one.name.includes('/v1/timeline'))"
        )
        found.answers = tab.run(f"{entries}.map((one) => one.duration)")
        _fine(tab)
    return found


@dataclass
class Pictures:
    """Milliseconds until a picture of a camera was on the screen."""

    by_link: list[float] = field(default_factory=list)
    by_purpose: list[float] = field(default_factory=list)
    by_space: list[float] = field(default_factory=list)
    by_seek: list[float] = field(default_factory=list)
    nine_by_link: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)


def picture(browser: Browser, url: str, cookie: str, town: City, clip: str, into: Pictures) -> None:
    """Each way to a picture once, and the same camera's footage in a bare page from the store itself."""
    long = (town.long,)
    with tab_of(browser, url, cookie) as tab:
        tab.open(f"{url}/tinjau")  # so that scripts are there
        tab.ready()
        tab.quiet()
        _open_view(tab, url, long, town.hour)
        into.by_link.append(float(tab.run("saksiBench.picture(1, 0)")))
        tab.quiet()
        since = _pressed(tab, "keydown", lambda: tab.page.keyboard.press("Space"))
        into.by_space.append(float(tab.run(f"saksiBench.picture(1, {since})")))
        tab.page.keyboard.press("Space")
        tab.quiet()
        plane = tab.page.locator("#timeline .plane").bounding_box()
        assert plane is not None  # noqa: S101 - it is on the page
        x, y = plane["x"] + plane["width"] * 0.7, plane["y"] + plane["height"] - 4
        since = _pressed(tab, "pointerup", lambda: tab.page.mouse.click(x, y))
        into.by_seek.append(float(tab.run(f"saksiBench.picture(1, {since})")))
        tab.open(f"{url}/tinjau?{_query(long, town.hour)}")
        tab.page.locator("#ask #purpose").fill(PURPOSE)
        tab.quiet()
        since = _pressed(tab, "submit", lambda: tab.page.keyboard.press("Enter"))
        into.by_purpose.append(float(tab.run(f"saksiBench.picture(1, {since})")))
        _open_view(tab, url, town.wall, town.minute)
        into.nine_by_link.append(float(tab.run(f"saksiBench.picture({len(town.wall)}, 0)")))
        _fine(tab)
    into.peer.append(_bare(browser, url, cookie, clip))


def _bare(browser: Browser, url: str, cookie: str, clip: str) -> float:
    """A ``<video>`` of a file in the store, in a page without anything else."""
    with tab_of(browser, url, cookie) as tab:
        tab.page.set_content(
            "<!doctype html><title>bare</title><video muted playsinline preload=auto></video>"
        )
        return float(
            tab.run(
                f"""new Promise((done) => {{
                  const video = document.querySelector("video");
                  const begun = performance.now();
                  video.requestVideoFrameCallback((now) => done(now - begun));
                  video.src = {json.dumps(clip)};
                }})"""
            )
        )


def _pressed(tab: Tab, event: str, act: Any) -> float:
    """The page's time of an event that an act of the hand brings."""
    tab.run(
        f"""void (saksiBench.pressed = new Promise((done) => addEventListener({event!r},
        ({{ timeStamp }}) => done(timeStamp), {{ capture: true, once: true }})))"""
    )
    act()
    return float(tab.run("saksiBench.pressed"))


def _open_view(tab: Tab, url: str, cameras: tuple[str, ...], window: Timespan, **more: str) -> None:
    """Open a view with its purpose given before, as from the page of choice."""
    if not tab.page.url.startswith(url):
        tab.open(f"{url}/masuk")
    tab.run(f"sessionStorage.setItem({_KEPT_PURPOSE!r}, {PURPOSE!r})")
    tab.open(f"{url}/tinjau?{_query(cameras, window, **more)}")


def _query(cameras: tuple[str, ...], window: Timespan, **more: str) -> str:
    pairs = [("camera", one) for one in cameras]
    pairs += [("from", format_instant(window.start)), ("to", format_instant(window.end)), *more.items()]
    return urlencode(pairs)


def _span(span: Timespan) -> str:
    return f"{format_instant(span.start)}/{format_instant(span.end)}"


def _fine(tab: Tab) -> None:
    if tab.problems:
        raise ValueError(f"a page failed: {tab.problems[0]}")
