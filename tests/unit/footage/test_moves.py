"""Where a camera stood and looked, from its stream."""

from pathlib import Path

from api.moves import moves_json
from archive.footage.area_table import read_areas
from archive.footage.moves import stays_of
from archive.timespan import HOUR, format_instant
from tests.support.archives import camera_form, small_archive
from tests.support.leaves import T0


def test_each_move_begins_a_stay_with_its_distance_person_and_reason(tmp_path: Path) -> None:
    site = small_archive(tmp_path)
    site.registry.add(camera_form(), actor="os:tester", reason="izin 7")
    sight = {"bearing": "0", "field_of_view": "90", "reach_m": "40"}
    for changes, reason in (
        ({"name": "Renamed"}, ""),
        (sight, ""),
        ({"lat": "-5.148665"}, "road works"),
        ({"permit": "9"}, ""),
        ({"bearing": "90"}, "turned"),
        ({"kecamatan": "73.71.12", "kelurahan": "73.71.12.1001"}, ""),
    ):
        site.clock.advance(HOUR)
        site.registry.edit("cam-1", changes, actor="user:budi", reason=reason)
    site.clock.advance(HOUR)
    site.registry.disable("cam-1", actor="user:ada", reason="x")
    stays = stays_of(site.registry.history("cam-1"))
    told = moves_json(stays, read_areas(None))
    assert [(one["from"], one["until"]) for one in told] == [
        (format_instant(T0), format_instant(T0 + 3 * HOUR)),
        (format_instant(T0 + 3 * HOUR), format_instant(T0 + 5 * HOUR)),
        (format_instant(T0 + 5 * HOUR), format_instant(T0 + 6 * HOUR)),
        (format_instant(T0 + 6 * HOUR), None),
    ]
    assert [(one["version"], one["by"], one["reason"]) for one in told] == [
        (1, "os:tester", "izin 7"), (4, "user:budi", "road works"), (6, "user:budi", "turned"),
        (7, "user:budi", ""),
    ]  # fmt: skip
    assert [one["moved_m"] for one in told] == [None, 111.2, 0.0, 0.0]
    assert [one["bearing"] for one in told] == [0, 0, 90, 90], "a sight first stated later held all along"
    assert [one["kelurahan_name"] for one in told] == ["Tidung", "Tidung", "Tidung", "Manggala"]
    site.index.close()


def test_a_camera_that_never_moved_has_one_stay(tmp_path: Path) -> None:
    site = small_archive(tmp_path)
    site.registry.add(camera_form(), actor="os:tester")
    (stay,) = stays_of(site.registry.history("cam-1"))
    assert (stay.since, stay.until, stay.camera) == (T0, None, site.registry.camera("cam-1"))
    site.index.close()
