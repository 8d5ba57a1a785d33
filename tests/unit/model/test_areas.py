"""Areas of a city: by code and by name, with their parents and what is inside them."""

import pytest

from archive.errors import Malformed
from archive.model.areas import NO_AREAS, Area, Areas, Level

CITY = Area("73.71", "Kota Makassar", Level.CITY)
AREAS = Areas(
    [
        Area("73.71.04.1005", "Baru", Level.KELURAHAN),
        Area("73.71.04", "Ujung Pandang", Level.KECAMATAN),
        Area("73.71.03", "Makassar", Level.KECAMATAN),
        Area("73.71.03.1002", "Bara-Baraya", Level.KELURAHAN),
        Area("73.71.03.1005", "Baru", Level.KELURAHAN),
        Area("73.71.02", "Mamajang", Level.KECAMATAN),
        Area("73.71.02.1007", "Pa'batang", Level.KELURAHAN),
        CITY,
    ]
)


def test_areas_are_a_tree_in_the_order_of_codes() -> None:
    assert [area.code for area in AREAS.cities()] == ["73.71"]
    assert [area.name for area in AREAS.children("73.71")] == ["Mamajang", "Makassar", "Ujung Pandang"]
    assert [area.code for area in AREAS.children("73.71.03")] == ["73.71.03.1002", "73.71.03.1005"]
    assert AREAS.children("73.71.04.1005") == AREAS.children("99") == ()
    assert [area.code for area in AREAS.parents("73.71.04.1005")] == ["73.71", "73.71.04"]
    assert AREAS.parents("73.71") == AREAS.parents("73.71.99") == ()
    assert AREAS.get("73.71") == CITY
    assert AREAS.get("73.71.99") is None
    assert (AREAS.name("73.71.04"), AREAS.name("73.71.99")) == ("Ujung Pandang", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("73.71.04", "73.71.04"),
        ("73.71.99", "73.71.99"),
        (" 73.71.04 ", "73.71.04"),
        ("Ujung Pandang", "73.71.04"),
        ("  ujung   PANDANG", "73.71.04"),
        ("ujungpandang", "73.71.04"),
        ("Makassar", "73.71.03"),
        ("Ujung", None),
        ("", None),
        ("---", None),
        ("Baru", None),
        ("٧٣.٧١.٠٤", None),
        ("\ud800", None),
    ],
)
def test_a_kecamatan_is_found_by_code_or_name(text: str, code: str | None) -> None:
    assert AREAS.found(Level.KECAMATAN, text) == code
    if code is None:
        with pytest.raises(Malformed) as caught:
            AREAS.kecamatan(text)
        assert caught.value.code == "bad_place"
        assert caught.value.message.startswith("kecamatan ")
    else:
        assert AREAS.kecamatan(text) == code


@pytest.mark.parametrize("text", ["bara baraya", "Bara-Baraya", "BARA - BARAYA", "barabaraya"])
def test_blanks_and_hyphens_do_not_count(text: str) -> None:
    assert AREAS.kelurahan(text, kecamatan="73.71.03") == "73.71.03.1002"


@pytest.mark.parametrize("text", ["Pa'batang", "Pa’batang", "pabatang"])
def test_apostrophes_do_not_count(text: str) -> None:
    assert AREAS.kelurahan(text, kecamatan="73.71.02") == "73.71.02.1007"


def test_a_name_of_several_areas_is_refused_with_their_codes_unless_the_kecamatan_is_known() -> None:
    with pytest.raises(Malformed) as caught:
        AREAS.found(Level.KELURAHAN, "baru")
    assert caught.value.code == "ambiguous_area"
    assert caught.value.hint == (
        "Give the code: 73.71.03.1005 (Baru, Makassar), 73.71.04.1005 (Baru, Ujung Pandang)."
    )
    assert AREAS.kelurahan("baru", kecamatan="73.71.04") == "73.71.04.1005"
    with pytest.raises(Malformed) as elsewhere:
        AREAS.kelurahan("baru", kecamatan="73.71.02")
    assert elsewhere.value.code == "bad_place"
    assert "73.71.04.1005 (Baru, Ujung Pandang)" in elsewhere.value.hint


def test_without_a_table_codes_pass_and_names_are_refused() -> None:
    assert NO_AREAS.kecamatan("73.71.04") == "73.71.04"
    with pytest.raises(Malformed) as caught:
        NO_AREAS.kecamatan("Ujung Pandang")
    assert caught.value.code == "bad_place"


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("73.71", "X", Level.KECAMATAN),
        ("73.71.4", "X", Level.KECAMATAN),
        ("73", "X", Level.CITY),
        ("73.71.04.10055", "X", Level.KELURAHAN),
        ("73.71.04", " ", Level.KECAMATAN),
        ("73.71.04", "a\nb", Level.KECAMATAN),
        ("73.71.04", "x" * 201, Level.KECAMATAN),
    ],
)
def test_an_area_that_cannot_be_is_refused(code: str, name: str, level: Level) -> None:
    with pytest.raises(Malformed) as caught:
        Area(code, name, level)
    assert caught.value.code == "bad_areas"


@pytest.mark.parametrize(
    "areas",
    [
        [CITY, CITY],
        [Area("73.71.04", "Ujung Pandang", Level.KECAMATAN)],
        [CITY, Area("73.71.04.1005", "Baru", Level.KELURAHAN)],
    ],
)
def test_a_table_with_a_code_twice_or_without_its_parent_is_refused(areas: list[Area]) -> None:
    with pytest.raises(Malformed) as caught:
        Areas(areas)
    assert caught.value.code == "bad_areas"
