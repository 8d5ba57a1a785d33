"""What is wrong with how a page looks: what axe finds, what is too wide or too small, words that are none.

A page is judged as it stands, by what a reader sees of it: text that is hidden, in a field or marked as code
is not judged.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from api.web.catalogue import FIRST, load
from tests.support.console import PHONE, barriers

SMALLEST, SMALLEST_ON_A_PHONE = 24, 44
"""The sides of what is pressed, in CSS pixels."""

_FAULTS = Path(__file__).with_suffix(".js")


def settled(page: Page) -> None:
    """Wait until the page shows what it has."""
    page.wait_for_load_state("networkidle")
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
