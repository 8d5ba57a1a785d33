import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.audit import Act
from api.described.statuses import MEANINGS
from api.routes.playback import MAX_GROWING, MAX_KEYFRAMES
from api.routing import action_of
from api.services import ApiSettings
from archive.footage.exchange.rows import MAX_ROWS
from archive.timespan import HOUR, SECOND
from tests.support.api_site import Site, open_site

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "http.md"
ROW = re.compile(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \| (?:`([a-z_.]+)`|–) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        yield made


def test_the_page_lists_every_address_with_its_action(site: Site) -> None:
    written = {
        (path, method, action)
        for path, methods, action in ROW.findall(PAGE.read_text())
        for method in methods.split(", ")
    }
    routes = [route for route in site.app.routes if isinstance(route, APIRoute)]
    shown = {
        (route.path, method, action_of(route) or "")
        for route in routes
        for method in route.methods
        if method != "HEAD" or route.include_in_schema
    }
    assert written == shown


def test_the_page_says_which_changes_name_a_version(site: Site) -> None:
    said = {
        (path, method)
        for path, methods, row in re.findall(
            r"^\| `(/[^`]*)` \| ([A-Z, ]+) \|(.*)$", PAGE.read_text(), re.MULTILINE
        )
        for method in methods.split(", ")
        if "If-Match" in row
    }
    asked = {
        (path, method.upper())
        for path, item in site.app.openapi()["paths"].items()
        for method, operation in item.items()
        if "428" in operation["responses"] and not path.startswith("/v1/requests/")
    }
    assert {one for one in said if not one[0].startswith("/v1/requests/")} == asked


def test_the_page_says_when_each_status_comes() -> None:
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|", PAGE.read_text(), re.MULTILINE)
    assert {int(status) for row in rows for status in row.split(", ")} == set(MEANINGS)


def test_get_addresses_answer_head(site: Site) -> None:
    routes = [route for route in site.app.routes if isinstance(route, APIRoute)]
    heads = {route.path for route in routes if "HEAD" in route.methods}
    assert {route.path for route in routes if "GET" in route.methods} == heads


def test_the_page_names_every_act() -> None:
    text = PAGE.read_text()
    short = {act.value for act in Act if act not in {Act.CAMERA_CHANGE}}
    for act in short:
        name = act.split(".", 1)
        assert f"`{act}" in text or (len(name) == 2 and f"`.{name[1]}`" in text), act


def test_the_page_states_the_limits() -> None:
    text, limits = PAGE.read_text(), ApiSettings()
    assert f"| body of a request | {limits.max_body // 1024} KiB |" in text
    assert f"| table of cameras | {limits.max_table >> 20} MiB, {MAX_ROWS:,} rows" in text
    assert f"| cameras in one request | {limits.max_cameras} |" in text
    assert f"| span of a playlist | {limits.max_playlist // HOUR} h |" in text
    assert f"| span of a playlist of keyframes | {MAX_KEYFRAMES // HOUR} h |" in text
    assert f"| span of a growing playlist | {MAX_GROWING // HOUR} h |" in text
    assert f"| streams of footage at once | {limits.streams} |" in text
    assert f"| time a client may take for one piece | {limits.stall // SECOND} s |" in text
