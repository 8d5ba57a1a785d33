"""``saksi camera import``, ``export``, ``moves`` and ``saksi places``, as a person runs them."""

import json
import stat
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

HEADER = "id,source,name,lat,lon,kecamatan,kelurahan,owner,view,owner_name"
ROWS = (
    f"{HEADER}\n"
    "cam-1,rtsp://viewer:s3cret@192.0.2.7/1,=1+1,-5.1436,119.4071,Ujung Pandang,Baru,business,public,@Ani\n"
    "cam-2,rtsp://192.0.2.8/1,Dua,-5.1436,119.4071,Ujung Pandang,Lette,business,public,\n"
)


@pytest.fixture
def saksi(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def table(tmp_path: Path, text: str, name: str = "cameras.csv") -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_dry_run_writes_nothing_and_an_import_names_bad_rows(saksi: CommandLine, tmp_path: Path) -> None:
    rows = table(tmp_path, ROWS)
    dry = saksi("camera", "import", rows, "--dry-run", "--json")
    assert (dry.code, dry.json["dry_run"], dry.json["added"]) == (2, True, ["cam-1"])
    assert saksi.must("camera", "list", "--json").json["cameras"] == []
    wet = saksi("camera", "import", rows, "--reason", "Sensus")
    assert wet.code == 2
    assert "1 added, 0 changed, 0 unchanged, 1 refused" in wet.out
    assert "line 3 (cam-2, kelurahan): Tempat itu tidak sah. / kelurahan 'Lette'" in wet.err
    assert "73.71.01.1004 (Lette, Mariso)" in wet.err
    shown = saksi.must("camera", "show", "cam-1", "--json").json
    assert (shown["name"], shown["owner_name"]) == ("=1+1", "@Ani")
    assert (shown["kecamatan"], shown["kecamatan_name"]) == ("73.71.04", "Ujung Pandang")
    assert "s3cret" not in dry.out + dry.err + wet.out + wet.err


@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_an_export_is_read_back_and_changes_nothing(saksi: CommandLine, tmp_path: Path, form: str) -> None:
    saksi("camera", "import", table(tmp_path, ROWS))
    out = tmp_path / f"all.{form}"
    saksi.must("camera", "export", "--format", form, "-o", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    text = out.read_text("utf-8")
    assert "s3cret" not in text
    if form == "csv":
        assert ",'=1+1," in text
        assert ",'@Ani," in text
    else:
        (one,) = json.loads(text)["features"]
        assert one["geometry"]["coordinates"] == [119.4071, -5.1436]
    told = saksi.must("camera", "import", str(out), "--update", "--json").json
    assert (told["unchanged"], told["changed"], told["refused"]) == (["cam-1"], [], [])
    again = saksi("camera", "export", "--format", form, "-o", str(out), "--lang", "en")
    assert "output_exists" in again.err
    assert out.read_text("utf-8") == text
    assert saksi.must("camera", "export", "--format", form).out.splitlines() == text.splitlines()


def test_reading_an_owner_s_name_leaves_a_trace(saksi: CommandLine, tmp_path: Path) -> None:
    saksi("camera", "import", table(tmp_path, ROWS))
    saksi.must("camera", "show", "cam-1", "--json")
    saksi.must("camera", "export")
    assert "Ani" not in saksi.must("camera", "list", "--json").out
    me = json.loads(saksi.must("camera", "show", "cam-1", "--json").out)["history"][0]["actor"]
    acts = [one["type"] for one in saksi.must("custody", "show", "--person", me, "--json").json["acts"]]
    assert acts.count("camera.read") == 2
    assert {"camera.import", "camera.export"} <= set(acts)


def test_moves_and_the_facts_that_edit_changes(saksi: CommandLine, tmp_path: Path) -> None:
    saksi("camera", "import", table(tmp_path, ROWS))
    sight = ("--bearing", "90", "--field-of-view", "60", "--reach-m", "40")
    saksi.must(
        "camera", "edit", "cam-1", *sight, "--height-m", "6.5", "--signage", "yes", "--permit", "503/1"
    )
    refused = saksi("camera", "edit", "cam-1", "--lat", "-5.15", "--json")
    assert refused.problem["code"] == "reason_missing"
    saksi.must("camera", "edit", "cam-1", "--lat", "-5.1446", "--reason", "Tiang baru")
    first, second = saksi.must("camera", "moves", "cam-1", "--json").json["moves"]
    assert (first["bearing"], second["moved_m"], second["reason"]) == (90, 111.2, "Tiang baru")
    assert second["by"].startswith("os:")
    shown = saksi.must("camera", "moves", "cam-1").out
    assert "kelurahan 73.71.04.1005 Baru, looks 90° ± 30° for 40 m, moved 111.2 m" in shown
    assert shown.rstrip().endswith(": Tiang baru")
    cleared = saksi.must("camera", "edit", "cam-1", "--permit", "", "--json").json
    assert (cleared["permit"], cleared["height_m"], cleared["signage"]) == (None, 6.5, "yes")


def test_places_are_listed_with_their_cameras(saksi: CommandLine, tmp_path: Path) -> None:
    saksi("camera", "import", table(tmp_path, ROWS))
    (city,) = saksi.must("places", "list", "--json").json["cities"]
    assert (city["name"], city["cameras"], len(city["kecamatan"])) == ("Kota Makassar", 1, 15)
    lines = saksi.must("places", "list").out.splitlines()
    assert len(lines) == 1 + 1 + 15 + 153
    assert len(saksi.must("places", "list", "--no-kelurahan").out.splitlines()) == 1 + 1 + 15
    assert any("Ujung Pandang" in line and line.rstrip().endswith("1") for line in lines)


def test_another_city_s_table_is_a_setting(tmp_path: Path) -> None:
    areas = table(
        tmp_path, "code,name,level\n73.72,Kota Parepare,city\n73.72.02,Ujung,kecamatan\n", "kota.csv"
    )
    saksi = CommandLine(tmp_path / "home", {"SAKSI_AREAS_FILE": areas})
    (city,) = saksi.must("places", "list", "--json").json["cities"]
    assert [one["name"] for one in city["kecamatan"]] == ["Ujung"]
    broken = CommandLine(tmp_path / "home", {"SAKSI_AREAS_FILE": str(tmp_path / "none.csv")})
    assert broken("places", "list", "--json").problem["code"] == "bad_areas"


def test_districts_and_scopes_are_taken_by_name(saksi: CommandLine) -> None:
    made = saksi.must("token", "create", "t1", "--district", "ujung pandang", "--json").json
    assert made["districts"] == ["73.71.04"]
    named, coded = (
        saksi("retention", "show", f"kecamatan:{text}", "--json").problem
        for text in ("Ujung Pandang", "73.71.04")
    )
    assert named == coded
    assert coded["code"] == "policy_not_found"
    assert saksi("retention", "show", "kecamatan:Ujung", "--json").problem["code"] == "bad_place"
