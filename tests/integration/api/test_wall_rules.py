"""The wall's two rules in a real Chromium: when a player is started again, and for whom the clock waits.

Both modules are pure, so scenarios run in no time: a script gives them the time.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.web.files import OWN
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened

FRAME_MS = 16
"""A step of the clock, as a browser draws."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(chromium(), tmp_path_factory.mktemp("browser")) as made:
        yield made


def module(name: str) -> str:
    text = base64.b64encode((OWN / name).read_bytes()).decode("ascii")
    return f'await import("data:text/javascript;base64,{text}")'


def watched(browser: Browser, *phases: tuple[float, dict[str, Any]], step: int = FRAME_MS) -> list[Any]:
    """What the watchdog did through phases of ``(seconds, what it sees)``: ``[seconds, act]``.

    ``arrived`` may be the text ``grows``.
    """
    found: list[Any] = browser.run(
        f"""(async () => {{
        const {{ Watchdog }} = {module("watchdog.js")};
        const dog = new Watchdog();
        const usual = {{ ready: false, buffered: true, broken: false, arrived: 1 }};
        const acts = [];
        let now = 1000;
        for (const [seconds, seen] of {json.dumps(phases)}) {{
          const end = now + seconds * 1000;
          for (; now < end; now += {step}) {{
            if (seen.retry) dog.retry();
            const facts = {{ ...usual, ...seen }};
            if (facts.arrived === "grows") facts.arrived = now;
            const act = dog.step(now, facts);
            if (act) acts.push([Math.round((now - 1000) / 100) / 10, act]);
          }}
        }}
        return acts;
      }})()"""
    )
    return found


def waited(browser: Browser, script: str) -> Any:
    """The value of a script that uses ``step(ms, [[id, ready, inStep, shows]], playing)``."""
    return browser.run(
        f"""(async () => {{
        const {{ Patience }} = {module("patience.js")};
        const patience = new Patience();
        const step = (passed, cameras, playing = true) => {{
          const seen = cameras.map(
            ([id, ready, inStep = ready, shows = true]) => ({{ id, ready, inStep, shows }}));
          const {{ waiting, late, left }} = patience.step(passed, seen, playing);
          return {{ waiting, late, left: [...left] }};
        }};
        {script}
      }})()"""
    )


def test_a_loaded_picture_that_is_not_shown_is_sought_again_and_then_the_player_is_made_anew(
    browser: Browser,
) -> None:
    assert watched(browser, (3, {})) == [[pytest.approx(1.5, abs=0.1), "seek"]]
    acts = watched(browser, (200, {}))
    assert [act for _, act in acts] == [*["seek", "rebuild"] * 4, "seek", "give up"]
    rebuilt = [at for at, act in acts if act == "rebuild"]
    waits = [late - early for early, late in zip([0.0, *rebuilt], rebuilt, strict=False)]
    assert waits == [pytest.approx(3.2 * 2**number, abs=0.2) for number in range(4)]


def test_what_was_given_up_is_left_alone_until_a_person_goes_elsewhere(browser: Browser) -> None:
    acts = watched(browser, (200, {}), (200, {}), (0.016, {"retry": 1}), (2, {}))
    ended = [act for _, act in acts].index("give up")
    assert [act for _, act in acts[ended + 1 :]] == ["seek"]
    assert acts[ended + 1][0] > 400


def test_being_in_order_for_a_moment_is_not_being_in_order(browser: Browser) -> None:
    """A seek ends and the next one hangs again: that is one trouble, not a new one each time."""
    hangs = [(0.7, {}), (0.1, {"ready": True})] * 5
    assert [act for _, act in watched(browser, *hangs)] == ["seek", "rebuild"]
    good = [(0.7, {}), (0.6, {"ready": True})] * 20
    assert watched(browser, *good) == []


def test_what_still_loads_has_time_for_as_long_as_something_arrives(browser: Browser) -> None:
    loading = {"buffered": False, "arrived": "grows"}
    assert watched(browser, (300, loading)) == []
    silent = watched(browser, (10, {"buffered": False}))
    assert silent == [[pytest.approx(4, abs=0.1), "seek"], [pytest.approx(9, abs=0.1), "rebuild"]]


def test_a_player_that_reports_its_end_is_made_anew_at_once(browser: Browser) -> None:
    acts = watched(browser, (1, {"broken": True, "buffered": False}))
    assert acts[0] == [pytest.approx(0.3, abs=0.1), "rebuild"]


def test_a_page_that_stood_still_blames_no_player(browser: Browser) -> None:
    """Three seconds without a step count as one."""
    assert watched(browser, (7, {}), step=3000) == [[6.0, "seek"]]


def test_one_late_camera_holds_the_clock_for_four_seconds_is_named_and_left_behind(browser: Browser) -> None:
    found = waited(
        browser,
        """const seen = [];
        for (let ms = 0; ms < 20000; ms += 16) seen.push(step(16, [["a", true], ["b", ms < 100]]));
        const waits = seen.filter((one) => one.waiting);
        const after = seen.findIndex((one) => one.left.length);
        return { waited: waits.length * 16, late: waits[0].late, after: after * 16,
                 goes: seen.slice(after).every((one) => !one.waiting && one.left.join() === "b") };""",
    )
    assert found["late"] == ["b"]
    assert found["waited"] <= 4100
    assert found["after"] <= 4500
    assert found["goes"]


def test_a_camera_rejoins_when_it_is_in_step_and_not_before(browser: Browser) -> None:
    found = waited(
        browser,
        """for (let ms = 0; ms < 6000; ms += 16) step(16, [["a", true], ["b", false]]);
        const seen = [];
        for (let ms = 0; ms < 2000; ms += 16) {
          seen.push(step(16, [["a", true], ["b", true, false]]).left.length);
        }
        const apart = seen.every((one) => one === 1);
        let back = 0;
        while (step(16, [["a", true], ["b", true, true]]).left.length) back += 16;
        return { apart, back };""",
    )
    assert found["apart"]
    assert found["back"] == pytest.approx(500, abs=40)


def test_cameras_that_are_late_in_turn_do_not_hold_the_clock_longer(browser: Browser) -> None:
    """Whatever eight of nine do, the clock stands for the budget at most, and a quarter of its running."""
    for seed in range(5):
        longest, total, ran = waited(
            browser,
            f"""let seed = {seed + 1};
            const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
            const ids = ["b", "c", "d", "e", "f", "g", "h", "i"];
            const until = Object.fromEntries(ids.map((id) => [id, [0, true]]));
            let [longest, now, total, ran] = [0, 0, 0, 0];
            for (let ms = 0; ms < 600000; ms += 16) {{
              for (const id of ids) {{
                if (until[id][0] <= ms) until[id] = [ms + random() * 6000, random() < 0.5];
              }}
              const one = step(16, [["a", true], ...ids.map((id) => [id, until[id][1]])]);
              now = one.waiting ? now + 16 : 0;
              longest = Math.max(longest, now);
              if (one.waiting) total += 16; else ran += 16;
            }}
            return [longest, total, ran];""",
        )
        assert longest <= 4100
        assert total <= 4100 + ran * 0.25 + ran * 0.05


def test_where_no_other_picture_is_there_the_clock_waits_and_names_them_all(browser: Browser) -> None:
    found = waited(
        browser,
        """let one;
        for (let ms = 0; ms < 30000; ms += 16) {
          one = step(16, [["a", false], ["b", false], ["c", true, true, false]]);
        }
        return one;""",
    )
    assert found == {"waiting": True, "late": ["a", "b"], "left": []}


def test_a_wall_that_stands_waits_for_every_picture(browser: Browser) -> None:
    found = waited(
        browser,
        """for (let ms = 0; ms < 6000; ms += 16) step(16, [["a", true], ["b", false]]);
        return step(16, [["a", true], ["b", false]], false);""",
    )
    assert found == {"waiting": True, "late": ["b"], "left": []}


def test_scripts_are_the_modules_of_the_page() -> None:
    page = (OWN / "wall.js").read_text("utf-8") + (OWN / "tile.js").read_text("utf-8")
    assert 'from "./patience.js"' in page
    assert 'from "./watchdog.js"' in page
    assert all("import " not in Path(OWN, name).read_text("utf-8") for name in ("patience.js", "watchdog.js"))
