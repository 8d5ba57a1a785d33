"""The guide's call, sent as written, gets the answer that the guide shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.timespan import HOUR, parse_instant
from tests.support.api_site import T0 as START
from tests.support.api_site import Caller, Site, open_site

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "war-room.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def text() -> str:
    return GUIDE.read_text("utf-8")


def test_the_call_in_the_guide_is_answered_as_the_guide_shows(site: Site, text: str) -> None:
    command = re.search(r"```\ncurl -G(.*?)```", text, re.DOTALL)
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert command is not None
    assert shown is not None
    path = re.search(r'"http://127\.0\.0\.1:8480(/[^"]+)"', command[1])
    assert path is not None
    query = re.findall(r'--data-urlencode "(\w+)=([^"]+)"', command[1])
    purpose = re.search(r'Saksi-Purpose: ([^"]+)"', command[1])
    assert purpose is not None
    answer = site.call.get(path[1], params=query, headers={"Saksi-Purpose": purpose[1]})
    assert answer.status_code == 200
    assert answer.json() == json.loads(shown[1])
    assert parse_instant(answer.json()["asked_at"]) == START + HOUR // 2
    assert site.events("recordings.search")[-1].purpose == purpose[1]


def test_a_token_with_what_the_guide_lists_can_do_it_all(site: Site, text: str) -> None:
    actions = set(re.findall(r"--action ([a-z_.]+)", text))
    assert actions == {"footage.play", "holds.read", "cameras.read"}

    class OnlyThose:
        def principal_of(self, token: str) -> Any:
            from api.auth.principal import Principal

            return Principal("token:war-room", frozenset({"footage.play"}))

    call = Caller(site.remade(tokens=OnlyThose()), {"Authorization": "Bearer x"})
    query = {"from": "2026-11-24T14:00:00+08:00", "to": "2026-11-24T14:02:00+08:00"}
    first = call.get("/v1/war-room/history", params=query).json()["cameras"][0]
    playlist = call.get(first["playlist"])
    assert playlist.status_code == 200
    piece = re.search(r"^segments/\S+media\S*$", playlist.text, re.MULTILINE)
    assert piece is not None
    assert call.get(f"/v1/cameras/{first['camera']}/{piece[0]}").status_code == 200
    assert call.get(first["still"]).status_code == 200


def test_every_code_of_the_guide_is_one_of_ours(text: str) -> None:
    errors = (GUIDE.parents[1] / "reference" / "errors.md").read_text("utf-8")
    known = set(re.findall(r"^\| `([a-z0-9_]+)`", errors, re.MULTILINE))
    table = text[text.index("| code | when |") :].split("\n\n")[0]
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", table.replace("footage.play", "")))
    assert named
    assert named <= known, sorted(named - known)
