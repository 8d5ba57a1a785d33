"""Contact sheets: evenly spaced keyframes with their times, gaps hatched with the cause."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import SECOND, Timespan, format_instant
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    T0,
    Caller,
    Site,
    archive_run,
    instant,
    made_footage,
    open_site,
    span,
)
from tests.support.numbered import DEFAULT_FFMPEG
from tests.support.people import add_person, caller, grant
from tests.support.recordings import RUN

SHEET = f"/v1/cameras/{CAMERA}/contact-sheet.jpg"
WIDTH, HEIGHT, LINE = 320, 180, 24


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def pixels(jpeg: bytes, width: int, height: int) -> bytes:
    """The luma of a JPEG of exactly this size."""
    shown = subprocess.run(
        [
            DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-f", "image2pipe", "-c:v", "mjpeg",
            "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1",
        ],
        input=jpeg, capture_output=True, check=True,
    )  # fmt: skip
    assert len(shown.stdout) == width * height
    return shown.stdout


def test_a_sheet_has_its_tiles_in_rows(site: Site) -> None:
    answer = site.call.get(SHEET, params=span(0, 80, columns="3", tiles="8"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["saksi-frames"] == "6"
    assert answer.headers["saksi-gaps"].startswith("unreachable;")
    luma = pixels(answer.content, 3 * WIDTH, LINE + 3 * (HEIGHT + LINE))

    def tile(number: int) -> list[int]:
        """The luma along a line near the upper edge of a tile, above any writing on it."""
        row = LINE + number // 3 * (HEIGHT + LINE) + 10
        start = row * 3 * WIDTH + number % 3 * WIDTH
        return list(luma[start : start + WIDTH])

    def is_hatched(number: int) -> bool:
        line = tile(number)
        bright = [value > 95 for value in line]
        changes = sum(one != other for one, other in pairwise(bright))
        return 35 <= changes <= 45 and 50 < min(line) and max(line) < 140

    # Parts of 10 s; their middles at 5, 15 … 75 s; the gap is from 30 to 50 s.
    assert [is_hatched(number) for number in range(8)] == [False] * 3 + [True] * 2 + [False] * 3
    assert max(tile(8)) < 20, "no ninth tile"


def test_it_is_on_record_and_answers_304(site: Site) -> None:
    asked = span(0, 20, tiles="2", purpose="shift 2")
    answer = site.call.get(SHEET, params=asked)
    event = site.events("frame.view")[-1]
    assert (event.objects, event.purpose) == ((CAMERA,), "shift 2")
    assert event.details["for"] == "contact_sheet"
    assert event.details["frames"] == 2
    assert (event.details["from"], event.details["to"]) == (instant(0), instant(20))
    assert event.details["bytes"] == len(answer.content)
    same = site.call.get(SHEET, params=asked, headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    other = site.call.get(SHEET, params={**asked, "columns": "2"})
    assert other.headers["etag"] != answer.headers["etag"]


def test_without_footage_it_says_why(site: Site) -> None:
    refused = site.call.get(SHEET, params=span(31, 39))
    assert (refused.status_code, refused.json()["code"]) == (409, "no_footage")
    assert [gap["cause"] for gap in refused.json()["gaps"]] == ["unreachable"]
    empty = site.call.get(SHEET.replace(CAMERA, EMPTY_CAMERA), params=span(0, 10))
    assert empty.status_code == 409


@pytest.mark.parametrize(
    "query",
    [
        span(0, 0.5), span(0, 90_000), span(0, 10, columns="9"), span(0, 10, tiles="49"),
        span(0, 10, tiles="0"), span(0, 10, rows="2"), {"from": "2026-11-24T14:00:00", "to": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(site: Site, query: dict[str, str]) -> None:
    assert site.call.get(SHEET, params=query).status_code == 422


def test_a_keyframe_from_before_a_grant_is_not_on_it(site: Site) -> None:
    inside = Timespan(site.first[0].span.start + SECOND // 2, site.first[0].span.start + 2 * SECOND)
    add_person(site, "tepat", Role.POLICE)
    grant(site, "tepat", [CAMERA], inside, Right.VIEW)
    asked = {"from": format_instant(inside.start), "to": format_instant(inside.end), "tiles": "1"}
    assert site.call.get(SHEET, params=asked).status_code == 200
    refused = caller(site, "tepat").get(SHEET, params=asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_granted")


def test_without_ffmpeg_it_is_unavailable(site: Site) -> None:
    answer = Caller(site.remade(stills=None), site.headers).get(SHEET, params=span(0, 10))
    assert (answer.status_code, answer.json()["code"]) == (503, "ffmpeg_missing")


def test_a_keyframe_that_nothing_decodes_is_a_tile_that_says_so(tmp_path: Path) -> None:
    with open_site(tmp_path, variant=None) as site:
        (good, made), *others = made_footage()
        path = tmp_path / "spoilt.mp4"
        data = good.read_bytes()
        path.write_bytes(data[: made.header_bytes] + bytes(len(data) - made.header_bytes))
        spoilt = replace(made, sha256=sha256(path.read_bytes()).hexdigest())
        archive_run(site.services, [(path, spoilt), *others], run=RUN, start=T0)
        answer = site.call.get(SHEET, params=span(0, 20, tiles="2"))
        assert (answer.status_code, answer.headers["saksi-frames"]) == (200, "1")
