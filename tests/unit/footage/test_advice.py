"""What a registration is refused for, and what is only remarked upon."""

from decimal import Decimal
from pathlib import Path

import pytest

from archive.errors import Malformed
from archive.footage.advice import remarks
from archive.model.camera import parse_place
from tests.support.archives import camera_form, small_archive

BOX = (Decimal("-5.27"), Decimal("118.98"), Decimal("-4.72"), Decimal("119.57"))


def codes(lat: str, lon: str, kelurahan: str = "73.71.13.1001") -> list[str]:
    return [one.code for one in remarks(parse_place(lat, lon, "73.71.13", kelurahan, "public"), BOX)]


def test_a_camera_in_the_city_gets_no_remark() -> None:
    assert codes("-5.147665", "119.432732") == []
    assert codes("-5.27", "118.98") == codes("-4.72", "119.57") == []


def test_a_point_outside_and_a_kelurahan_of_another_kecamatan_are_remarked_upon() -> None:
    assert codes("-6.2", "106.8") == ["outside_city"]
    assert codes("5.147665", "119.432732") == ["outside_city"]
    assert codes("-5.147665", "119.432732", "73.71.12.1001") == ["kelurahan_elsewhere"]


def test_swapped_coordinates_are_named_as_that() -> None:
    with pytest.raises(Malformed) as caught:
        parse_place("119.432732", "-5.147665", "73.71.13", "73.71.13.1001", "public")
    assert caught.value.code == "bad_place"
    assert caught.value.hint == "Latitude and longitude look swapped: --lat -5.147665 --lon 119.432732."
    west_of_greenwich = (Decimal("-10"), Decimal("-40"), Decimal("0"), Decimal("-30"))
    place = parse_place("-35", "-5", "73.71.13", "73.71.13.1001", "public")
    assert [one.code for one in remarks(place, west_of_greenwich)] == ["coordinates_swapped"]
    with pytest.raises(Malformed) as caught:
        parse_place("200", "-5", "73.71.13", "73.71.13.1001", "public")
    assert "swapped" not in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://192.0.2.7/with space",
        "rtsp://192.0.2.7/kamera-ü",
        "test://?fps=999",
        "test://?size=big",
        "test://?gop=0",
        "test://?colour=red",
    ],
)
def test_what_no_recorder_could_read_is_not_registered(tmp_path: Path, source: str) -> None:
    small = small_archive(tmp_path)
    with pytest.raises(Malformed) as caught:
        small.registry.add(camera_form(source=source), actor="os:tester")
    assert caught.value.code == "bad_source"
    assert small.registry.cameras() == []
    small.registry.add(camera_form(), actor="os:tester")
    with pytest.raises(Malformed):
        small.registry.edit("cam-1", {"source": source}, actor="os:tester")
    small.index.close()
