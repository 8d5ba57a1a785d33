"""The console in a browser: how soon its pages answer, what they cost a line, and how smoothly they move.

A city of 2,000 cameras on MinIO and Elasticsearch, served by ``saksi serve`` in a process of its own, beside
``saksi work``; a Chromium without a GPU opens the home of each role, drags the map, zooms a month, and plays.
Browser, API, jobs and stores share the machine's processors.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx
from playwright.sync_api import Browser

from api.auth.principal import Principal
from api.web.navigation import BARS, PLACES
from archive.errors import Unavailable
from archive.model.user import Role, User
from archive.objects.s3.connection import connect_client
from ops.bench import browsing, city, console_city, console_steps
from ops.bench.console_city import City
from ops.bench.console_steps import Dragged, Loads, Pictures, Zoomed
from ops.bench.figures import Figure, Findings, Spread, Table, quantile, short
from ops.bench.installation import Installation, on_stores, serving, working
from ops.bench.workbench import Workbench
from ops.stack import Stack

SUBJECT = "console"
INTERACTIVE_MS, FRAME_MS, STEP_MS, PICTURE_MS = 1000.0, 1000 / 30, 100.0, 700.0
FIRST_KB, NEXT_KB = 400.0, 30.0
_JOBS = ("holds", "requests", "follow")
_FLOOR = "/healthz"
_NAME = "bench-console"
_ROLES = {
    Role.POLICE: "police", Role.WAR_ROOM: "War Room", Role.KECAMATAN: "kecamatan", Role.ADMIN: "admin",
    Role.AUDITOR: "auditor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Size:
    cameras: int
    days: int
    loads: int
    rounds: int
    pictures: int
    uncounted: int
    moves: int
    steps: int
    walkers: int


_FULL, _BRIEF = _Size(2000, 31, 10, 4, 10, 1, 45, 8, 5), _Size(12, 1, 1, 1, 1, 0, 10, 3, 1)
"""The short form has each step once: that everything works, which its figures are no word about."""


@dataclass
class Seen:
    """All that the browser measured. ``walked``: bytes of a page's first visit and of its second."""

    loads: dict[Role, Loads]
    floor: Loads
    walked: dict[Role, dict[str, tuple[int, int]]]
    dragged: Dragged
    zoomed: Zoomed
    pictures: Pictures


def measure(bench: Workbench) -> Findings:
    """Build the city, serve it, and let a browser use it as each of its people."""
    began = time.monotonic()
    size = _BRIEF if bench.scale.is_brief else _FULL
    prepared = bench.loop()
    stores = bench.stores("console-stores")
    made = on_stores(bench.scratch("console"), stores, _NAME, index=True)
    seconds = bench.scale.recorded_seconds
    town = console_city.build(
        bench, made, prepared, cameras=size.cameras, days=size.days, seconds=seconds
    )  # fmt: skip
    clip = _presigned(stores, made, town.long)
    with serving(made) as served, working(made, *_JOBS), browsing.driven() as browser:
        seen = _browse(bench, browser, served.url, town, clip, size)
        version = browser.version
    return bench.findings(
        SUBJECT,
        "The console in a browser",
        seconds=time.monotonic() - began,
        conditions=_conditions(town, size, seconds, version, seen),
        figures=figures_of(seen),
        tables=tables_of(seen),
    )


def _browse(bench: Workbench, browser: Browser, url: str, town: City, clip: str, size: _Size) -> Seen:
    cookies = {user.id: _sign_in(url, user) for user in console_city.PEOPLE}
    seen = Seen({}, Loads(), {}, Dragged(), Zoomed(), Pictures())
    for number in range(-size.uncounted, size.loads):  # the first warms the server
        # By turns, so that whatever else the machine does meets all alike.
        for user in console_city.PEOPLE:
            role = user.roles[0]
            into = seen.loads.setdefault(role, Loads()) if number >= 0 else Loads()
            console_steps.load(browser, url, cookies[user.id], home_of(role), into)
        console_steps.load(browser, url, cookies["dewi"], _FLOOR, seen.floor if number >= 0 else Loads())
        bench.say(f"console: homes, {number + size.uncounted + 1} of {size.loads + size.uncounted} rounds")
    for user in sorted(console_city.PEOPLE, key=lambda one: one.id)[: size.walkers]:
        bench.say(f"console: the pages of {user.name}")
        found = console_steps.walk(browser, url, cookies[user.id], paths_of(user))
        seen.walked[user.roles[0]] = found
    bench.say("console: the map is dragged")
    seen.dragged = console_steps.drag(browser, url, cookies["dewi"], size.rounds, size.moves)
    bench.say("console: a month is zoomed")
    seen.zoomed = console_steps.zoom(browser, url, cookies["citra"], town, size.rounds, size.steps)
    for number in range(-size.uncounted, size.pictures):
        shown = seen.pictures if number >= 0 else Pictures()
        console_steps.picture(browser, url, cookies["citra"], town, clip, shown)
        bench.say(
            f"console: pictures, {number + size.uncounted + 1} of {size.pictures + size.uncounted} rounds"
        )  # fmt: skip
    return seen


def home_of(role: Role) -> str:
    """The path of a role's home: the first of its bar."""
    by_name = {place.name: place.path for place in PLACES}
    return by_name[BARS[role][0]]


def paths_of(user: User) -> list[str]:
    """The paths of a person's bar."""
    reader = Principal(f"user:{user.id}", roles=frozenset(user.roles))
    by_name = {place.name: place for place in PLACES}
    bar = [by_name[name] for role in user.roles for name in BARS[role]]
    return [place.path for place in bar if reader.may(place.action)]


def _sign_in(url: str, user: User) -> str:
    """The cookie of a person."""
    form = {"name": user.id, "password": city.PASSWORD, "purpose": console_steps.PURPOSE}
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        answer = client.post("/auth/local", json=form, headers={"Saksi-Request": "1"})
    if not answer.is_success:
        raise Unavailable(f"sign-in answered {answer.status_code}", code="bench_failed")
    return answer.headers["set-cookie"].partition(";")[0]


def _presigned(stores: Stack, made: Installation, camera: str) -> str:
    """An address of the first segment of a camera, at the store itself, for an hour."""
    client = connect_client(stores.env()["SAKSI_TEST_MINIO_URL"], "us-east-1")
    with made.site() as site:
        key = next(
            one.key for one in site.stores.footage.list(f"segments/{camera}/") if one.key.endswith(".mp4")
        )
    found: str = client.generate_presigned_url(
        "get_object", Params={"Bucket": _NAME, "Key": key}, ExpiresIn=3600
    )
    return found


def _conditions(town: City, size: _Size, seconds: int, version: str, seen: Seen) -> tuple[str, ...]:
    return (
        f"{town.cameras} cameras in the kelurahan of Makassar; {len(town.wall)} of them with "
        f"{size.days} days of coverage with gaps in the index, segments of five minutes; a minute of footage "
        f"of each of them and {seconds} s of another one, 1080p15 H.264 at 2 Mbit/s. saksi serve, one "
        f"process, and saksi work ({', '.join(_JOBS)}) on MinIO and Elasticsearch.",
        f"Chromium {version}, headless, --disable-gpu, {browsing.WIDTH} × {browsing.HEIGHT}, over HTTP on "
        "the loopback interface, driven by Playwright. Times are taken in the page by its own clock.",
        f"Interactive: from the start of the navigation until the home of a role has its main content and "
        f"its first control answers, drawn; {size.loads} loads after one that does not count, the roles by "
        "turns. Cold is a new browser context with an empty cache, warm the same page once more. The floor "
        f"is {_FLOOR}, a few bytes of the same server shown as a page.",
        "Bytes are those on the wire, compressed, headers included; the second navigation is the second "
        "visit of a page, and the worst of the reader's bar is the figure.",
        f"The map is dragged to and fro by {size.rounds} × 4 gestures over the whole city, and as often over "
        "some streets; a frame is the time between two animation frames.",
        f"A month: {len(town.wall)} rows, {seen.zoomed.blocks} blocks; from a turn of the wheel to the end "
        "of the frame that draws the new range from what is known, while answers for it arrive; and from the "
        "last of several turns until all rows are drawn from an answer for the range that is then seen, "
        "150 ms of them spent on purpose, so that ranges that only pass by are not asked for.",
        f"A picture: the first frame that the compositor shows (requestVideoFrameCallback), {size.pictures} "
        "times, each in a new browser context whose scripts are cached. By link: from the start of the "
        "navigation. By purpose: from Enter in the form of the purpose. Space: from the key, with the "
        "footage loaded. Seek: from a click on the timeline, to where nothing is loaded. The peer is a "
        "<video> with the presigned address of the same camera's first segment in MinIO: no playlist, "
        "no custody record, no permission.",
    )  # fmt: skip


def figures_of(seen: Seen) -> tuple[Figure, ...]:
    """The figures with their goals."""
    floor = seen.floor
    homes = []
    for role, one in seen.loads.items():
        for kind, ours, peer in (("cold", one.cold, floor.cold), ("warm", one.warm, floor.warm)):
            homes.append(
                Figure(
                    name=f"home of {_ROLES[role]} interactive, {kind}, p95", unit="ms",
                    ours=quantile(ours, 0.95), peer=quantile(peer, 0.95), peer_name="a bare answer",
                    limit=INTERACTIVE_MS, rule="≤ 1 s",
                )
            )  # fmt: skip
    first = max(max(one.first_bytes) for one in seen.loads.values()) / 1000
    following = max(
        max(second for _, second in pages.values()) for pages in seen.walked.values()
    ) / 1000  # fmt: skip
    shown = seen.pictures
    bare = quantile(shown.peer, 0.95)
    return (
        *homes,
        Figure(name="first load of a home, most", unit="kB", ours=first, limit=FIRST_KB, rule="≤ 400 kB"),
        Figure(name="second navigation, worst page of a bar", unit="kB", ours=following, limit=NEXT_KB,
               rule="≤ 30 kB"),
        *(
            Figure(name=f"map of all cameras dragged, {where}: a frame, {name}", unit="ms",
                   ours=quantile(frames, share), limit=FRAME_MS, rule="≥ 30 frames/s")
            for where, frames in (("whole city", seen.dragged.city), ("some streets", seen.dragged.streets))
            for name, share in (("median", 0.5), ("p95", 0.95))
        ),
        Figure(name="month of nine cameras: a step of the zoom, p95", unit="ms",
               ours=quantile(seen.zoomed.steps, 0.95), peer=quantile(seen.zoomed.bare, 0.95),
               peer_name="the wheel on a bare page", limit=STEP_MS, rule="≤ 100 ms"),
        Figure(name="month of nine cameras: all rows exact after the last step, p95", unit="ms",
               ours=quantile(seen.zoomed.settled, 0.95)),
        *(
            Figure(name=f"first picture {way}, p95", unit="ms", ours=quantile(found, 0.95), peer=bare,
                   peer_name="<video> of the file in MinIO", limit=PICTURE_MS, rule="≤ 700 ms")
            for way, found in (("after the purpose", shown.by_purpose), ("by a link", shown.by_link),
                               ("after Space", shown.by_space), ("after a seek", shown.by_seek))
        ),
        Figure(name="nine first pictures by a link, p95", unit="ms",
               ours=quantile(shown.nine_by_link, 0.95)),
    )  # fmt: skip


def tables_of(seen: Seen) -> tuple[Table, ...]:
    """All that was measured."""
    loads = [
        (
            f"{_ROLES[role]}: {home_of(role)}", *_spread(one.cold), *_spread(one.warm),
            short(quantile(one.painted, 0.5)) if one.painted else "–",
            f"{one.first_requests} / {one.next_requests}",
            f"{short(max(one.first_bytes) / 1000)} / {short(max(one.next_bytes) / 1000)}",
        )
        for role, one in seen.loads.items()
    ]  # fmt: skip
    floor = seen.floor
    loads.append((f"floor: {_FLOOR}", *_spread(floor.cold), *_spread(floor.warm), "–", "1 / 1", "–"))
    walked = [
        (_ROLES[role], path, short(first / 1000), short(second / 1000))
        for role, pages in seen.walked.items()
        for path, (first, second) in pages.items()
    ]
    shown = seen.pictures
    moves: Mapping[str, Sequence[float]] = {
        "map dragged, whole city: between frames": seen.dragged.city,
        "map dragged, some streets: between frames": seen.dragged.streets,
        "month: a step of the wheel drawn": seen.zoomed.steps,
        "a turn of the wheel on a bare page": seen.zoomed.bare,
        "month: all rows exact after the last step": seen.zoomed.settled,
        "month: an answer of /v1/timeline": seen.zoomed.answers,
        "picture by link": shown.by_link, "picture after the purpose": shown.by_purpose,
        "picture after Space": shown.by_space, "picture after a seek": shown.by_seek,
        "nine pictures by link": shown.nine_by_link, "bare <video>": shown.peer,
    }  # fmt: skip
    return (
        Table("Milliseconds until a home answers, requests and kB",
              ("home", "cold p50", "p95", "most", "warm p50", "p95", "most", "first paint", "requests", "kB"),
              tuple(loads)),
        Table("kB of each page of a bar, after the others",
              ("role", "page", "first visit", "second visit"), tuple(walked)),
        Table("Milliseconds", ("what", "p50", "p95", "most", "samples"),
              tuple((name, *_spread(found), f"{len(found)}") for name, found in moves.items() if found)),
    )  # fmt: skip


def _spread(samples: Sequence[float]) -> tuple[str, str, str]:
    spread = Spread.of(samples)
    return short(spread.p50), short(spread.p95), short(spread.most)
