"""Times as people type them, read in the browser: each with its meaning, or refused with a sentence."""

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.integration.api.test_server import serving
from tests.support.api_site import open_site
from tests.support.browser import chromium
from tests.support.chromium import Browser, opened

NOW = "2026-11-29T13:20:30+08:00"
TYPED = {
    "14:00": "2026-11-28T14:00:00",  # it has not been 14:00 yet: yesterday's
    "13.00": "2026-11-29T13:00:00",
    "jam 7.30": "2026-11-29T07:30:00",
    "pukul 08.00 WITA": "2026-11-29T08:00:00",
    "0213": "2026-11-29T02:13:00",
    "29/11/2026 14.00": "2026-11-29T14:00:00",
    "29-11 09:05": "2026-11-29T09:05:00",
    "29/12 10:00": "2025-12-29T10:00:00",  # this year's is not here yet
    "29 Nov 14:00:05": "2026-11-29T14:00:05",
    "Minggu, 29 November 2026 14.00.05": "2026-11-29T14:00:05",
    "1 Agustus 10.00": "2026-08-01T10:00:00",
    "kemarin 19:10": "2026-11-28T19:10:00",
    "Kemarin jam 19.10": "2026-11-28T19:10:00",
    "yesterday at 19:10": "2026-11-28T19:10:00",
    "tadi malam 23:10": "2026-11-28T23:10:00",
    "tadi malam 02:10": "2026-11-29T02:10:00",
    "2026-11-24 14:00:00": "2026-11-24T14:00:00",
    "2026-11-24T14:00": "2026-11-24T14:00:00",
    "2026-11-24T06:00:00Z": "2026-11-24T14:00:00",
    "10 menit lalu": "2026-11-29T13:10:30",
    "2 jam yang lalu": "2026-11-29T11:20:30",
    "3 hari lalu": "2026-11-26T13:20:30",
    "90 s ago": "2026-11-29T13:19:00",
    "sekarang": "2026-11-29T13:20:30",
}
REFUSED = (
    "",
    "halo",
    "25:00",
    "12:60",
    "31/02/2026 10:00",
    "29/02/2026 10:00",
    "30 feb 10:00",
    "32/1 10:00",
    "x 10:00",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as site, serving(site) as port:
        with opened(chromium(), tmp_path_factory.mktemp("browser")) as found:
            found.open(f"http://127.0.0.1:{port}/masuk")
            found.wait("document.getElementById('go')?.disabled === false")
            found.run(
                "import(document.querySelector('script').src.replace(/[^/]*$/, 'moments.js'))"
                ".then((found) => { window.read = found.read; })"
            )
            yield found


def read(browser: Browser, text: str, day: str = "null") -> str | None:
    asked = f"read({json.dumps(text)}, Date.parse({json.dumps(NOW)}), {day})"
    return browser.run(f"{asked} === null ? null : new Date({asked}).toISOString()")  # type: ignore[no-any-return]


@pytest.mark.parametrize(("text", "meant"), TYPED.items())
def test_a_time_is_read_as_it_is_meant(browser: Browser, text: str, meant: str) -> None:
    found = read(browser, text)
    assert found is not None
    assert datetime.fromisoformat(found) == datetime.fromisoformat(f"{meant}+08:00")


@pytest.mark.parametrize("text", REFUSED)
def test_what_means_no_instant_is_refused(browser: Browser, text: str) -> None:
    assert read(browser, text) is None


def test_a_time_alone_belongs_to_the_day_that_is_given(browser: Browser) -> None:
    found = read(browser, "19.40", "Date.parse('2026-11-20T19:10:00+08:00')")
    assert found == "2026-11-20T11:40:00.000Z"
