"""What pages say alike: numbers, shares and lengths in one way, and one name for the archive itself."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from archive.documents.indonesian import number
from tests.support.console import Console

WEB = Path(__file__).resolve().parents[3] / "api" / "web"
_FORMATS = re.compile(r"toLocaleString\(|Intl\.NumberFormat")


def in_module(page: Page, module: str, expression: str) -> Any:
    """The value of an expression of what a module of the pages exports, named ``m``."""
    script = "(document.querySelector('script[type=module]').src.replace(/[^/]+$/, ''))"
    return page.evaluate(f"import({script} + '{module}').then((m) => {expression})")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("id", ["42,8%", "99,9%", "100%", "58%", "0,1%", "1.234.567", "38,6", "9,7 dtk", "1,5 GB", "250 kB"]),
        ("en", ["42.8%", "99.9%", "100%", "58%", "0.1%", "1,234,567", "38.6", "9.7 s", "1.5 GB", "250 kB"]),
    ],
)
def test_numbers_are_written_in_one_way(console: Console, language: str, said: list[str]) -> None:
    calls = (
        "[m.percentOf(0.4289), m.percentOf(0.99999), m.percentOf(1), m.percentOf(0.58), m.percentOf(0.0014),"
        " m.countText(1234567), m.sayNumber(38.6), m.lengthText(9700), m.sizeOf(1.5e9), m.sizeOf(250000)]"
    )
    with console.page_of("indra", language=language) as page:
        page.goto(f"{console.url}/bantuan")
        assert in_module(page, "amounts.js", calls) == said
    assert number(1234567) == "1.234.567", "papers write as the pages"


def test_no_page_writes_numbers_in_a_way_of_its_own() -> None:
    own = [
        path.name
        for path in sorted((WEB / "assets").glob("*.js"))
        if _FORMATS.search(path.read_text("utf-8"))
    ]
    assert own == ["amounts.js"]
    loose = [
        f"{path.parent.name}/{path.name}: {line}"
        for path in sorted((WEB / "words").rglob("*.toml"))
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"\} ?%", line)
    ]
    assert loose == [], "the sign belongs to percentOf"


def test_all_work_of_the_archive_is_that_of_one(console: Console) -> None:
    """It has one name, so it stands once in the summary of acts, and not once for each of its jobs."""
    acts = ", ".join(
        f"{{type: 'x', at: '2026-11-24T06:0{at}Z', outcome: 'done', details: {{}}, actor: {{id: '{who}'}}}}"
        for at, who in enumerate(("job:seal", "job:fixity", "user:citra", "job:retention", "token:seal"))
    )
    with console.page_of("indra") as page:
        page.goto(f"{console.url}/bantuan")
        counted = in_module(
            page, "sittings.js", f"[...m.totalsOf([{acts}]).people.values()].map((one) => one.acts)"
        )
        sittings = in_module(page, "sittings.js", f"m.sittingsOf([{acts}]).map((one) => one.acts.length)")
    assert counted == [3, 1, 1]
    assert sittings == [3, 1, 1]
