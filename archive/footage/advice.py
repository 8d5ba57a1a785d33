"""Remarks about a registration that may be right but is more often a slip. They never refuse it."""

from dataclasses import dataclass
from decimal import Decimal

from archive.model.areas import NO_AREAS, Areas, Level
from archive.model.camera import Camera, Place

CityBox = tuple[Decimal, Decimal, Decimal, Decimal]
"""South, west, north and east edge of the city, in degrees (WGS 84)."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A stable code, and a sentence in Indonesian and in English."""

    code: str
    id: str
    en: str


def remarks(place: Place, box: CityBox, areas: Areas = NO_AREAS) -> list[Remark]:
    """What a person should look at again, in this order: where it stands, then whose area it is.

    Without ``areas`` no code is remarked upon as unknown.
    """
    found: list[Remark] = []
    if not _inside(place.lat, place.lon, box):
        found.append(_swapped() if _inside(place.lon, place.lat, box) else _outside(place))
    if not place.kelurahan.startswith(f"{place.kecamatan}."):
        found.append(
            Remark(
                "kelurahan_elsewhere",
                f"kelurahan {place.kelurahan} bukan bagian kecamatan {place.kecamatan}",
                f"kelurahan {place.kelurahan} is not in kecamatan {place.kecamatan}",
            )
        )
    if len(areas):
        codes = {Level.KECAMATAN: place.kecamatan, Level.KELURAHAN: place.kelurahan}
        found += [_unlisted(level, code) for level, code in codes.items() if not areas.has(level, code)]
    return found


def sound_remarks(before: Camera, after: Camera) -> list[Remark]:
    """A remark if sound, or a proposal to record it, ends by the change of a camera."""
    if (before.audio, before.sound) == (after.audio, after.sound):
        return []
    return [
        Remark(
            "sound_ends",
            "suara tidak direkam lagi: izinnya untuk perangkat dan tempat yang lama",
            "sound is recorded no longer: it was allowed for the device and the place of before",
        )
    ]


def _unlisted(level: Level, code: str) -> Remark:
    return Remark(
        "unknown_area",
        f"{level} {code} tidak ada dalam tabel wilayah kota",
        f"{level} {code} is not in the city's table of areas",
    )


def _inside(lat: Decimal, lon: Decimal, box: CityBox) -> bool:
    south, west, north, east = box
    return south <= lat <= north and west <= lon <= east


def _outside(place: Place) -> Remark:
    return Remark(
        "outside_city",
        f"titik {place.lat}, {place.lon} di luar kota; periksa lintang dan bujur",
        f"the point {place.lat}, {place.lon} is outside the city; check latitude and longitude",
    )


def _swapped() -> Remark:
    return Remark(
        "coordinates_swapped",
        "lintang dan bujur tampaknya tertukar",
        "latitude and longitude look swapped",
    )
