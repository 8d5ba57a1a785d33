"""What is wrong with how a page looks: what axe finds, what is too wide or too small, words that are none.

A page is judged as it stands, by what a reader sees of it: text that is hidden, in a field or marked as code
is not judged.
"""

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from api.web.catalogue import FIRST, load
from tests.support.console import LAPTOP, PHONE, barriers, comes_true

SMALLEST, SMALLEST_ON_A_PHONE = 24, 44
"""The sides of what is pressed, in CSS pixels."""

Dressed = tuple[str, tuple[int, int]]
"""Theme, and size of the window."""
DRESSED: Sequence[Dressed] = (("dark", LAPTOP), ("light", PHONE))
EVERY_DRESS: Sequence[Dressed] = (*DRESSED, ("light", LAPTOP), ("dark", PHONE))

_SHOWS = """(() => {
  const letters = (one) => one.innerText.replace(/\\s+/g, '').length;
  const main = document.querySelector('main') ?? document.body;
  const heads = [...main.querySelectorAll('h1, h2')].filter((one) => one.checkVisibility());
  return letters(main) > heads.reduce((sum, one) => sum + letters(one), 0);
})()"""
"""Whether the page has more than headings: a busy machine's network is idle before the first question."""

_FAULTS = Path(__file__).with_suffix(".js")


def settled(page: Page) -> None:
    """Wait until the page shows what it has."""
    page.wait_for_load_state("networkidle")
    comes_true(page, _SHOWS)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def faults(page: Page, cameras: Collection[str], size: tuple[int, int]) -> list[str]:
    """Everything that is wrong with the look of a page as it stands; ``cameras`` are ids that have names."""
    tables = {key.partition(".")[0] for key in load()[FIRST].texts}
    asked: dict[str, Any] = {
        "smallest": SMALLEST_ON_A_PHONE if size == PHONE else SMALLEST,
        "cameras": sorted(cameras),
        "tables": sorted(tables),
    }
    found: list[str] = page.evaluate(_FAULTS.read_text("utf-8"), asked)
    return found + barriers(page)


def keep_picture(page: Page, name: str) -> None:
    """Take a picture of the whole page for the folder that ``SAKSI_LOOKS`` names, if somebody wants one."""
    if folder := os.environ.get("SAKSI_LOOKS"):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        page.screenshot(path=Path(folder) / f"{plain}.png", full_page=True)


def dressed_faults(page: Page, cameras: Collection[str], name: str) -> list[str]:
    """As :func:`faults` for a page as it stands now, dark on a laptop and light on a phone.

    Where pictures are kept, it is looked at in both themes at both sizes. Afterwards it stands as before.
    """
    found: list[str] = []
    before = page.viewport_size
    theme = page.evaluate("document.documentElement.dataset.theme")
    for dress, size in EVERY_DRESS if os.environ.get("SAKSI_LOOKS") else DRESSED:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate("one => { document.documentElement.dataset.theme = one }", dress)
        settled(page)
        keep_picture(page, f"{name} {size[0]} {dress}")
        found += [f"{name} {size[0]} {dress}: {one}" for one in faults(page, cameras, size)]
    assert before is not None
    page.set_viewport_size(before)
    page.evaluate("one => { document.documentElement.dataset.theme = one }", theme)
    return found
