"""Filters over stays: codes, owners, words, districts, and what makes one sighting."""

from typing import Any

import pytest

from archive.errors import Malformed
from archive.model.camera import OwnerKind
from archive.model.stay import Stay, stays_of, stays_state
from archive.timespan import Timespan
from search.areas import Near
from search.where import CameraFilter, InView, View, check_codes, sightings, words_of

SPAN = Timespan(100, 200)
CORNER = (-5.147665, 119.432732)


def state(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Simpang Pettarani", "lat": "-5.147665", "lon": "119.432732", "kecamatan": "73.71.13",
        "kelurahan": "73.71.13.1001", "owner": "public", **changes,
    }  # fmt: skip


def city(**cameras: list[tuple[int, dict[str, Any]]]) -> dict[str, tuple[Stay, ...]]:
    return {name: stays_of(name, stays_state(entries)) for name, entries in cameras.items()}


def names(stays: dict[str, tuple[Stay, ...]], *, own: list[str] | None = None, **wanted: Any) -> list[str]:
    return [one.camera for one in sightings(stays, CameraFilter(**wanted), SPAN, own)]


STAYS = city(
    a=[(0, state())],
    b=[(0, state(kecamatan="73.71.09", kelurahan="73.71.09.1002", owner="business", name="Toko Élite"))],
    c=[(0, state(name="Masjid Raya", address="Jl. Masjid Raya No. 57/A", owner="worship"))],
    d=[(0, state(name="Gudang", kecamatan="73.71.09")), (150, state(name="Gudang"))],
    e=[(250, state()), (300, state(name="x"))],
)


def test_filters_are_on_where_the_camera_stood_then() -> None:
    assert names(STAYS) == ["a", "b", "c", "d", "d", "e"]
    assert names(STAYS, kecamatan=("73.71.09",)) == ["b", "d"]
    (part,) = [one.part for one in sightings(STAYS, CameraFilter(kecamatan=("73.71.09",)), SPAN)][1:]
    assert part == Timespan(100, 150)
    assert names(STAYS, kelurahan=("73.71.09.1002",)) == ["b"]
    assert names(STAYS, owners=(OwnerKind.WORSHIP, OwnerKind.BUSINESS)) == ["b", "c"]
    assert names(STAYS, cameras=("d", "a", "none")) == ["a", "d", "d"]
    assert names(STAYS, cameras=()) == names(STAYS, kecamatan=()) == names(STAYS, owners=()) == []


def test_a_district_sees_only_the_stays_in_it() -> None:
    assert names(STAYS, own=["73.71.09"]) == ["b", "d"]
    assert names(STAYS, own=[]) == []
    assert names(STAYS, own=["73.71.09"], kecamatan=("73.71.13",)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PETTARANI simpang", ["a", "e"]),
        ("elite", ["b"]),
        ("ÉLITE", ["b"]),
        ("masjid 57 a", ["c"]),
        ("jl.masjid", ["c"]),
        ("etta", ["a", "e"]),
        ("masjid pettarani", []),
        ("'; DROP TABLE cameras; --", []),
        ("%", None),
        ("  ", None),
        ("a\x00b", None),
        ("x" * 101, None),
        ("a b c d e f g h i j k", None),
        ("\u202egnirts", None),
    ],
)
def test_words_without_case_accents_and_punctuation(text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(Malformed) as caught:
            words_of(text)
        assert (caught.value.code, bool(caught.value.hint)) == ("bad_text", True)
    else:
        assert names(STAYS, words=words_of(text)) == expected


def test_a_new_name_does_not_end_a_sighting_and_a_new_sight_does() -> None:
    looking = {"bearing": 0, "field_of_view": 90, "reach_m": 50}
    stays = city(
        a=[
            (0, state()),
            (120, state(name="Baru")),
            (150, state(name="Baru", **looking)),
            (180, state(**looking)),
        ]
    )
    found = sightings(stays, CameraFilter(area=Near(*CORNER, 10.0)), SPAN)
    assert [(one.view, one.part, one.facts.name) for one in found] == [
        (View.YES, Timespan(150, 200), "Simpang Pettarani"),
        (View.UNKNOWN, Timespan(100, 150), "Baru"),
    ]


def test_a_camera_outside_that_looks_into_the_area_is_found() -> None:
    """It stands 111 m to the south; the question asks for 50 m around the corner."""
    south = state(lat="-5.148665")
    looking = {"field_of_view": 60, "reach_m": 200}
    stays = city(
        to=[(0, state(lat="-5.148665", bearing=0, **looking))],
        away=[(0, state(lat="-5.148665", bearing=180, **looking))],
        blind=[(0, south)],
        here=[(0, state())],
        beside=[(0, state(lon="119.432900", bearing=90, **looking))],
    )
    found = sightings(stays, CameraFilter(area=Near(*CORNER, 50.0)), SPAN)
    assert [(one.camera, one.view, one.stands_in) for one in found] == [
        ("to", View.YES, False),
        ("here", View.UNKNOWN, True),
        ("beside", View.NO, True),
    ]
    area = Near(*CORNER, 50.0)
    assert names(stays, area=area, in_view=InView.POSSIBLE) == ["to", "here"]
    assert names(stays, area=area, in_view=InView.ONLY) == ["to"]
    direction = found[0].direction
    assert direction is not None
    assert (round(direction.distance_m), round(direction.bearing) % 360) == (111, 0)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"kecamatan": ("Rappocini",)}, "bad_filter"),
        ({"kecamatan": ("73.71.1",)}, "bad_filter"),
        ({"kelurahan": ("73.71.13.1001'",)}, "bad_filter"),
        ({"kecamatan": tuple(f"73.71.{n % 100:02}" for n in range(1001))}, "bad_filter"),
        ({"cameras": tuple(f"cam-{n}" for n in range(10_001))}, "bad_filter"),
        ({"cameras": ("a_b",)}, "bad_id"),
        ({"in_view": InView.ONLY}, "no_area_to_view"),
    ],
)
def test_filters_without_a_meaning_are_refused(wanted: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        CameraFilter(**wanted)
    assert caught.value.code == code


def test_a_code_that_no_camera_ever_stood_in_is_no_empty_answer() -> None:
    check_codes(STAYS, CameraFilter(kecamatan=("73.71.09", "73.71.13"), kelurahan=("73.71.09.1002",)))
    check_codes(STAYS, CameraFilter(kecamatan=("73.71.09",)), ["73.71.09"])
    for wanted, own in [
        (CameraFilter(kecamatan=("73.71.09", "73.71.99")), None),
        (CameraFilter(kelurahan=("73.71.99.1001",)), None),
        (CameraFilter(kelurahan=("73.71.09",)), None),
        (CameraFilter(kecamatan=("73.71.09.1002",)), None),
        (CameraFilter(kecamatan=("73.71.13",)), ["73.71.09"]),
        (CameraFilter(kecamatan=("73.71.99",)), ["73.71.09"]),
    ]:
        with pytest.raises(Malformed) as caught:
            check_codes(STAYS, wanted, own)
        assert (caught.value.code, bool(caught.value.hint)) == ("unknown_area", True)
