"""``saksi search`` and ``saksi timeline`` over an archive of an earlier version, whose index is made anew."""

import json
from pathlib import Path

import pytest

from archive.timespan import HOUR, parse_instant
from ops.cli.options import actor
from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import instant_of, unpack

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "archive_0_1_0"
FACTS = json.loads((VECTORS / "expected.json").read_bytes())


@pytest.fixture(scope="module")
def saksi(tmp_path_factory: pytest.TempPathFactory) -> CommandsAt:
    home = tmp_path_factory.mktemp("where")
    unpack(VECTORS / "archive.tar.xz", home)
    made = CommandsAt(home, lambda: instant_of(FACTS["now"]))
    made.must("index", "rebuild")
    return made


@pytest.fixture(scope="module")
def span(saksi: CommandsAt) -> tuple[str, str, str, str]:
    """An hour around footage of this archive."""
    status = saksi.must("index", "status", "--json").json
    first, last = int(status["first"]), int(status["last"])
    assert last - first < 400 * 24 * HOUR
    begin = "2026-11-24T13:50:00+08:00"
    return "--from", begin, "--to", "2026-11-24T14:50:00+08:00"


def test_a_search_at_the_command_line(saksi: CommandsAt, span: tuple[str, ...]) -> None:
    cameras = saksi.must("camera", "list", "--json").json["cameras"]
    one = cameras[0]
    near = f"{one['lat']},{one['lon']}"
    body = saksi.must("search", *span, "--near", near, "--radius", "500", "--json").json
    assert one["id"] in [each["camera"] for each in body["cameras"]]
    assert body["cameras"][0]["in_view"] == "unknown", "this version had no sights"
    nearest = body["cameras"][0]
    assert (nearest["distance_m"], nearest["bearing"]) == (0.0, 0)
    code = ("--kecamatan", one["kecamatan"], "--kelurahan", one["kelurahan"], "--owner", one["owner"])
    assert one["id"] in [
        each["camera"] for each in saksi.must("search", *span, *code, "--json").json["cameras"]
    ]
    shown = saksi.must("search", *span, "--near", near)
    assert "WITA" in shown.out
    assert "unknown" in shown.out
    features = saksi.must("search", *span, "--near", near, "--geojson").json["features"]
    assert features[0]["geometry"]["coordinates"] == [one["lon"], one["lat"]]
    few = saksi.must("search", *span, "--limit", "1")
    assert "--cursor" in few.err
    acts = saksi.must("custody", "show", "--person", actor().id, "--json").json["acts"]
    # All were sent at one instant, so their order on record is that of their random ids.
    searches = [act["details"] for act in acts if act["type"] == "cameras.search"]
    assert [one["near"] for one in searches if "near" in one] == [near] * 3
    assert len(searches) == 5


def test_a_timeline_at_the_command_line(saksi: CommandsAt, span: tuple[str, ...]) -> None:
    name = saksi.must("camera", "list", "--json").json["cameras"][0]["id"]
    body = saksi.must("timeline", *span, "--camera", name, "--step", "5m", "--json").json
    assert (body["step"], body["zone"], len(body["edges"])) == ("5m", "Asia/Makassar", 13)
    assert parse_instant(body["edges"][-1]) - parse_instant(body["edges"][0]) == HOUR
    shown = saksi.must("timeline", *span, "--camera", name).out
    assert "WITA" in shown
    assert "recorded" in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("search", "--near", "-5.1,119.4", "--radius", "0"), "bad_radius"),
        (("search", "--near", "-5.1,119.4", "--box", "0,0,0.1,0.1"), "several_areas"),
        (("search", "--kecamatan", "99.99.99"), "unknown_area"),
        (("search", "--camera", "no-such"), "camera_not_found"),
        (("search", "--text", "!"), "bad_text"),
        (("timeline", "--camera", "no-such"), "camera_not_found"),
        (("timeline", "--camera", "no-such", "--step", "9s"), "bad_step"),
    ],
)
def test_nonsense_is_refused(
    saksi: CommandsAt, span: tuple[str, ...], words: tuple[str, ...], code: str
) -> None:
    answer = saksi(words[0], *span, *words[1:], "--json")
    assert answer.code == 2
    assert json.loads(answer.err)["code"] == code
