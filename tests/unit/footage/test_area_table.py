"""The table of areas: Makassar's own, another city's from a file, and cameras counted over it."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Malformed
from archive.footage.advice import remarks
from archive.footage.area_table import area_tree, parse_areas, read_areas
from archive.model.areas import Level
from archive.model.camera import parse_place
from tests.unit.footage.test_advice import BOX

HERE = parse_place("-5.1436", "119.4071", "73.71.04", "73.71.04.1005", "public")


def test_makassar_has_its_15_kecamatan_and_153_kelurahan() -> None:
    areas = read_areas(None)
    levels = [area.level for area in areas]
    assert {level: levels.count(level) for level in Level} == {
        Level.CITY: 1, Level.KECAMATAN: 15, Level.KELURAHAN: 153
    }  # fmt: skip
    assert {area.code[:5] for area in areas} == {"73.71"}
    by_size = {area.name: len(areas.children(area.code)) for area in areas.children("73.71")}
    assert by_size["Tallo"] == 15
    assert by_size["Kepulauan Sangkarrang"] == 3
    for area in areas:
        if area.level is not Level.CITY:
            within = area.parent if area.level is Level.KELURAHAN else ""
            assert areas.found(area.level, area.name.upper(), within=within) == area.code
            assert areas.found(area.level, area.name) == area.code, "no two areas of a level share a name"


def test_another_city_gives_its_own_file(tmp_path: Path) -> None:
    table = tmp_path / "wilayah.csv"
    table.write_text("code,name,level\n73.72,Kota Parepare,city\n73.72.02,Ujung,kecamatan\n", "utf-8-sig")
    areas = read_areas(table)
    assert [area.name for area in areas] == ["Kota Parepare", "Ujung"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "code,name\n73.71,Kota\n",
        "name,code,level\n",
        "code,name,level\n73.71,Kota\n",
        "code,name,level\n73.71,Kota,city,x\n",
        "code,name,level\n73.71,Kota,province\n",
        "code,name,level\n73.71.01,Mariso,kecamatan\n",
        "code,name,level\n73.71,Kota,city\n73.71,Kota,city\n",
        'code,name,level\n73.71,"Kota,city\n',
    ],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_areas(text)
    assert caught.value.code == "bad_areas"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    table = tmp_path / "wilayah.csv"
    if content is not None:
        table.write_bytes(content)
    with pytest.raises(Malformed) as caught:
        read_areas(table)
    assert caught.value.code == "bad_areas"


def test_cameras_are_counted_in_the_areas_they_name() -> None:
    unlisted_kelurahan = replace(HERE, kelurahan="73.71.04.9999")
    elsewhere = replace(HERE, kecamatan="73.09.01", kelurahan="73.09.01.1001")
    in_no_district = replace(HERE, kecamatan="73.71", kelurahan="73.71.04")
    places = [HERE, HERE, unlisted_kelurahan, elsewhere, in_no_district]
    tree = area_tree(read_areas(None), places)
    (city,) = tree["cities"]
    assert (city["code"], city["name"], city["cameras"]) == ("73.71", "Kota Makassar", 3)
    counts = {one["code"]: one["cameras"] for one in city["kecamatan"] if one["cameras"]}
    assert counts == {"73.71.04": 3}
    (district,) = (one for one in city["kecamatan"] if one["code"] == "73.71.04")
    assert {one["name"]: one["cameras"] for one in district["kelurahan"] if one["cameras"]} == {"Baru": 2}
    assert tree["unlisted"] == [{"code": "73.09.01", "cameras": 1}, {"code": "73.71", "cameras": 1}]


def test_a_code_that_the_table_lacks_is_remarked_upon() -> None:
    def codes(kecamatan: str, kelurahan: str) -> list[str]:
        place = replace(HERE, kecamatan=kecamatan, kelurahan=kelurahan)
        return [one.code for one in remarks(place, BOX, read_areas(None))]

    assert codes("73.71.04", "73.71.04.1005") == []
    assert codes("73.71.04", "73.71.04.1999") == ["unknown_area"]
    assert codes("73.71.99", "73.71.99.1001") == ["unknown_area", "unknown_area"]
    assert codes("73.71", "73.71.04") == ["unknown_area", "unknown_area"], "a city is no kecamatan"
    assert [one.code for one in remarks(replace(HERE, kecamatan="73.71.99"), BOX)] == ["kelurahan_elsewhere"]
