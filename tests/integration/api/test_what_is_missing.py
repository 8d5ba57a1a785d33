"""Whatever footage is asked for, each answer states exactly what is missing and why.

The camera has footage from 0 to 30 s and from 50 to 80 s; it was unreachable between; from 80 to 100 s its
footage was disposed of. The clock stands at 1,800 s.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from archive.model.gap import Gap, GapCause
from archive.ports import IndexEntry
from archive.timespan import SECOND, Timespan, parse_instant
from tests.support.api_site import (
    CAMERA,
    CLIP,
    DESCRIPTION,
    PLACE,
    PLAYLIST,
    T0,
    Site,
    instant,
    open_site,
    span,
)

NOW = 1800
BASE = f"/v1/cameras/{CAMERA}"
Missing = list[tuple[str, float, float]]
"""Cause, and seconds after T0: from, to."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        destroyed = Gap(
            camera=CAMERA,
            recorder="rec-1",
            gap="6a15000000000019",
            span=Timespan(T0 + 80 * SECOND, T0 + 100 * SECOND),
            cause=GapCause.DISPOSED,
            ingested_at=T0 + 100 * SECOND,
        )
        made.services.index.add([IndexEntry(leaf=destroyed, place=PLACE)])
        yield made


def of_json(gaps: list[dict[str, Any]]) -> Missing:
    return [(one["cause"], seconds(one["from"]), seconds(one["to"])) for one in gaps]


def seconds(text: str) -> float:
    return (parse_instant(text) - T0) / SECOND


def in_headers(answer: httpx.Response) -> Missing:
    stated = answer.headers.get("saksi-gaps", "")
    assert int(answer.headers["saksi-gap-count"]) == stated.count(";from=")
    return [
        (cause, seconds(start), seconds(end))
        for cause, start, end in re.findall(r'(\w+);from="([^"]+)";to="([^"]+)"', stated)
    ]


def in_zip(answer: httpx.Response) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        (name,) = (one for one in package.namelist() if one.endswith("/index.json"))
        found: dict[str, Any] = json.loads(package.read(name))
    return found


def of_cameras(answer: httpx.Response) -> Missing:
    (camera,) = in_zip(answer)["cameras"]
    return of_json(camera["gaps"])


def in_playlist(answer: httpx.Response) -> Missing:
    ranges = re.findall(
        r'CLASS="saksi.gap",START-DATE="([^"]+)",DURATION=([\d.]+),X-CAUSE="(\w+)"', answer.text
    )
    return [(cause, seconds(start), seconds(start) + float(length)) for start, length, cause in ranges]


def in_activity(answer: httpx.Response) -> Missing:
    own = ("not_yet_looked", "not_needed", "unreadable", "whole_picture_changed", "nothing_to_compare")
    return of_json([one for one in answer.json()["not_looked_at"] if one["cause"] not in own])


def in_recordings(answer: httpx.Response) -> Missing:
    body = answer.json()
    pending = [{**one, "cause": "pending"} for one in body["pending"]]
    return of_json(sorted([*body["gaps"], *pending], key=lambda one: one["from"]))


def in_body(answer: httpx.Response) -> Missing:
    return of_json(answer.json()["gaps"])


ROUTES: dict[str, tuple[str, dict[str, str], Callable[[httpx.Response], Missing]]] = {
    "clip": (CLIP, {}, in_headers),
    "its description": (DESCRIPTION, {}, in_body),
    "untouched segments": (CLIP, {"container": "original"}, in_headers),
    "clips of many": ("/v1/clips.zip", {"camera": CAMERA}, of_cameras),
    "playlist": (PLAYLIST, {}, in_playlist),
    "playlist of viewing copies": (PLAYLIST, {"picture": "viewing_copy"}, in_playlist),
    "playlist of keyframes": (f"{BASE}/keyframes.m3u8", {}, in_playlist),
    "contact sheet": (f"{BASE}/contact-sheet.jpg", {}, in_headers),
    "sprites": (f"{BASE}/sprites", {}, in_body),
    "activity": (f"{BASE}/activity", {}, in_activity),
    "recordings": ("/v1/recordings", {"camera": CAMERA}, in_recordings),
}
ALWAYS_200 = ("its description", "sprites", "activity", "recordings")
"""They are about a span; what has nothing to show is no refusal there."""

PARTLY: dict[str, tuple[float, float, Missing]] = {
    "over a gap": (25, 55, [("unreachable", 30, 50)]),
    "from within a gap": (40.5, 55, [("unreachable", 40.5, 50)]),
    "into a gap": (25, 40.25, [("unreachable", 30, 40.25)]),
    "into disposed footage": (75, 95, [("disposed", 80, 95)]),
    "over all of it": (
        25,
        NOW + 10,
        [("unreachable", 30, 50), ("disposed", 80, 100), ("pending", 100, NOW), ("not_yet", NOW, NOW + 10)],
    ),
}
WHOLLY: dict[str, tuple[float, float, Missing]] = {
    "in a gap": (31, 39.5, [("unreachable", 31, 39.5)]),
    "disposed of": (85, 95, [("disposed", 85, 95)]),
    "disposed of, and still to come": (95, 110, [("disposed", 95, 100), ("pending", 100, 110)]),
}


@pytest.mark.parametrize("case", PARTLY)
@pytest.mark.parametrize("route", ROUTES)
def test_of_what_is_partly_there_the_rest_is_stated(site: Site, route: str, case: str) -> None:
    path, more, stated = ROUTES[route]
    start, end, missing = PARTLY[case]
    answer = site.call.get(path, params={**span(start, end), **more})
    assert answer.status_code == 200, answer.text
    found = stated(answer)
    if route == "clips of many" and missing[-1][0] == "not_yet":
        # Its bytes may not depend on the moment of the request.
        missing = [*missing[:-2], ("pending", 100, NOW + 10)]
    assert found == missing
    if route == "untouched segments" and missing[-1][0] != "not_yet":
        assert of_json(in_zip(answer)["gaps"]) == missing


@pytest.mark.parametrize("case", WHOLLY)
@pytest.mark.parametrize("route", ROUTES)
def test_of_what_is_not_there_nothing_is_given_and_all_of_it_is_stated(
    site: Site, route: str, case: str
) -> None:
    path, more, stated = ROUTES[route]
    start, end, missing = WHOLLY[case]
    answer = site.call.get(path, params={**span(start, end), **more})
    if route in ALWAYS_200:
        assert answer.status_code == 200, answer.text
        assert stated(answer) == missing
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "no_footage")
        assert in_body(answer) == missing


@pytest.mark.parametrize("name", ["frame.jpg", "frame.png"])
@pytest.mark.parametrize(("at", "cause"), [(35, "unreachable"), (90, "disposed"), (1000, "pending")])
def test_where_no_picture_is_the_cause_is_stated(site: Site, name: str, at: float, cause: str) -> None:
    answer = site.call.get(f"{BASE}/{name}", params={"at": instant(at)})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_footage")
    assert [(one["cause"], seconds(one["from"])) for one in answer.json()["gaps"]] == [(cause, at)]


@pytest.mark.parametrize("route", [*ROUTES, "frame.jpg", "frame.png"])
def test_what_has_not_happened_is_refused(site: Site, route: str) -> None:
    if route in ROUTES:
        path, more, _ = ROUTES[route]
        answer = site.call.get(path, params={**span(NOW + 5, NOW + 10), **more})
    else:
        answer = site.call.get(f"{BASE}/{route}", params={"at": instant(NOW + 5)})
    assert (answer.status_code, answer.json()["code"]) == (422, "span_in_future")


def test_a_piece_of_footage_that_is_gone_is_not_found(site: Site) -> None:
    gone = f"{BASE}/segments/{site.second[0].run}/3"
    for name in ("media.m4s", "init.mp4", "copy.ts", "keyframes.m4s"):
        answer = site.call.get(f"{gone}/{name}")
        assert answer.status_code == 404, name
        assert answer.json()["code"] != "not_found", name
