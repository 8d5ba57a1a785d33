"""The registry: refusals, secrets, and history."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.footage.area_table import read_areas
from archive.footage.cameras import form_of
from archive.model.camera import from_public_state, shown_source
from archive.model.camera_details import Signage
from archive.model.sight import Sight
from archive.timespan import HOUR
from archive.vault import FernetBox, new_key
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


def test_a_camera_is_registered_and_its_secrets_are_nowhere(site: SmallArchive, tmp_path: Path) -> None:
    camera = site.registry.add(camera_form(), actor="os:tester")
    assert site.registry.camera("cam-1") == camera
    assert camera.source == "rtsp://10.0.0.7:554/stream"
    assert site.registry.source_of(camera) == "rtsp://admin:s3cret@10.0.0.7:554/stream?token=abc"
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cret" not in everything
    assert b"token=abc" not in everything
    document = site.index.document("camera", "cam-1")
    assert document is not None
    assert "sealed_source" not in document.state


def test_another_key_does_not_open_a_source(site: SmallArchive) -> None:
    camera = site.registry.add(camera_form(), actor="os:tester")
    with pytest.raises(IntegrityError) as caught:
        FernetBox(new_key()).open(camera.sealed_source)
    assert caught.value.code == "secret_unreadable"


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"view": "private"}, Refused, "private_view"),
        ({"view": ""}, Malformed, "bad_view"),
        ({"source": "ftp://host/x"}, Malformed, "bad_source"),
        ({"source": "rtsp://"}, Malformed, "bad_source"),
        ({"source": "rtsp://host:99999/x"}, Malformed, "bad_source"),
        ({"source": "file://host/x"}, Malformed, "bad_source"),
        ({"lat": "91"}, Malformed, "bad_place"),
        ({"lon": "NaN"}, Malformed, "bad_place"),
        ({"lat": "north"}, Malformed, "bad_place"),
        ({"kecamatan": "Rappocini"}, Malformed, "bad_place"),
        ({"owner": "me"}, Malformed, "bad_place"),
        ({"name": " "}, Malformed, "bad_name"),
        ({"name": "a\x1bb"}, Malformed, "bad_name"),
        ({"segment_seconds": "1"}, Malformed, "bad_segment_seconds"),
        ({"segment_seconds": "ten"}, Malformed, "bad_segment_seconds"),
        ({"id": "a_b"}, Malformed, "bad_id"),
    ],
)
def test_what_cannot_be_registered_is_refused_with_a_code(
    site: SmallArchive, changes: dict[str, str], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as caught:
        site.registry.add(camera_form(**changes), actor="os:tester")
    assert getattr(caught.value, "code", "") == code
    assert "s3cret" not in str(caught.value)
    assert site.registry.cameras() == []


def test_ids_that_differ_in_case_only_are_one_id(site: SmallArchive) -> None:
    site.registry.add(camera_form("cam-1"), actor="os:tester")
    with pytest.raises(Conflict) as caught:
        site.registry.add(camera_form("CAM-1"), actor="os:tester")
    assert caught.value.code == "camera_exists"


def test_the_past_keeps_its_facts(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    site.clock.advance(HOUR)
    site.registry.edit("cam-1", {"name": "Moved", "lat": "-5.2"}, actor="os:tester", reason="new pole")
    assert site.registry.as_of("cam-1", T0 + HOUR // 2).name == "Jl. Metro Tanjung"
    assert site.registry.as_of("cam-1", T0 + HOUR).name == "Moved"
    assert site.registry.as_of("cam-1", T0 - HOUR).name == "Jl. Metro Tanjung"
    after = site.registry.camera("cam-1")
    assert after.registered_at == T0
    assert site.registry.source_of(after).startswith("rtsp://admin:s3cret@")


def test_a_new_source_replaces_the_secret(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    changed = site.registry.edit("cam-1", {"source": "rtsp://other:pw@10.0.0.8/s"}, actor="os:tester")
    assert changed.source == "rtsp://10.0.0.8/s"
    assert site.registry.source_of(changed) == "rtsp://other:pw@10.0.0.8/s"


def test_disabling_needs_a_reason_and_can_be_undone(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    with pytest.raises(Malformed) as caught:
        site.registry.disable("cam-1", actor="os:tester", reason=" ")
    assert caught.value.code == "reason_missing"
    assert site.registry.disable("cam-1", actor="os:tester", reason="road works").disabled
    assert not site.registry.enable("cam-1", actor="os:tester", reason="done").disabled
    assert [e.reason for e in site.registry.history("cam-1")] == ["", "road works", "done"]


def test_unknown_cameras_and_fields(site: SmallArchive) -> None:
    for act in (
        lambda: site.registry.camera("cam-9"),
        lambda: site.registry.edit("cam-9", {"name": "x"}, actor="a"),
        lambda: site.registry.as_of("cam-9", T0),
    ):
        with pytest.raises(NotFound) as caught:
            act()
        assert caught.value.code == "camera_not_found"
    site.registry.add(camera_form(), actor="os:tester")
    with pytest.raises(Malformed) as bad:
        site.registry.edit("cam-1", {"colour": "red"}, actor="os:tester")
    assert bad.value.code == "bad_field"


DETAILS = {
    "address": "Jl. A. P. Pettarani 12",
    "height_m": "6.50",
    "owner_name": "Toko Sinar Jaya",
    "permit": "503/0147/PTSP/2026",
    "purpose": "Lalu lintas",
    "signage": "yes",
    "installed_on": "2026-02-14",
    "integrated_on": "2026-03-02",
    "onvif": "http://10.0.0.7:8000/onvif/device_service",
}
SIGHT = {"bearing": "135", "field_of_view": "90", "reach_m": "40"}


def test_what_is_known_of_a_camera_is_kept_and_changed_field_by_field(site: SmallArchive) -> None:
    site.registry.add(camera_form(**DETAILS, **SIGHT), actor="os:tester")
    kept = site.registry.camera("cam-1")
    assert asdict(form_of(kept)) == {
        **asdict(camera_form(**DETAILS, **SIGHT)), "source": "", "height_m": "6.5"
    }  # fmt: skip
    edited = site.registry.edit("cam-1", {"permit": "", "signage": "no"}, actor="os:tester")
    assert (edited.details.permit, edited.details.signage) == ("", Signage.NO)
    assert replace(edited.details, permit=kept.details.permit, signage=Signage.YES) == kept.details
    assert (edited.sight, edited.place) == (kept.sight, kept.place)
    assert site.registry.camera("cam-1") == edited


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10.0.0.7", "http://10.0.0.7/onvif/device_service"),
        ("kamera.example:8000", "http://kamera.example:8000/onvif/device_service"),
        ("https://10.0.0.7/", "https://10.0.0.7/onvif/device_service"),
        ("http://[fd12::7]:81/odd/path", "http://[fd12::7]:81/odd/path"),
    ],
)
def test_where_a_camera_answers_to_onvif_is_kept_as_one_url(
    site: SmallArchive, given: str, kept: str
) -> None:
    assert site.registry.add(camera_form(onvif=given), actor="os:tester").details.onvif == kept
    assert site.registry.edit("cam-1", {"onvif": ""}, actor="os:tester").details.onvif == ""


def test_where_no_camera_may_be_none_is_asked_by_onvif(site: SmallArchive) -> None:
    for where in ("127.0.0.1", "http://169.254.169.254/"):
        with pytest.raises(Refused) as caught:
            site.registry.add(camera_form(onvif=where), actor="os:tester")
        assert caught.value.code == "source_refused"
    assert site.registry.cameras() == []


def test_a_camera_of_which_little_is_known_has_the_members_of_before(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    (entry,) = site.registry.history("cam-1")
    assert set(entry.state) == {
        "id", "name", "source", "sealed_source", "lat", "lon", "kecamatan", "kelurahan", "owner", "view",
        "segment_seconds", "registered_at", "disabled", "audio",
    }  # fmt: skip


def test_no_index_holds_an_owner_s_name(site: SmallArchive, tmp_path: Path) -> None:
    site.registry.add(camera_form(**DETAILS), actor="os:tester")
    document = site.index.document("camera", "cam-1")
    assert document is not None
    assert "owner_name" not in document.state
    assert from_public_state(document.state).details.permit == DETAILS["permit"]
    indexed = b"".join(path.read_bytes() for path in tmp_path.glob("index.sqlite*"))
    assert b"Pettarani" in indexed
    assert b"Sinar Jaya" not in indexed


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"height_m": "0"}, "bad_detail"),
        ({"height_m": "300.01"}, "bad_detail"),
        ({"height_m": "NaN"}, "bad_detail"),
        ({"height_m": "tall"}, "bad_detail"),
        ({"signage": "perhaps"}, "bad_detail"),
        ({"installed_on": "24-11-2026"}, "bad_detail"),
        ({"installed_on": "20261124"}, "bad_detail"),
        ({"integrated_on": "2026-02-30"}, "bad_detail"),
        ({"owner_name": "a\nb"}, "bad_detail"),
        ({"address": "x" * 201}, "bad_detail"),
        ({"permit": "\ud800"}, "bad_detail"),
        ({"onvif": "http://admin:s3cret@10.0.0.7/"}, "bad_detail"),
        ({"onvif": "http://10.0.0.7/?password=s3cret"}, "bad_detail"),
        ({"onvif": "rtsp://10.0.0.7/"}, "bad_detail"),
        ({"onvif": "10.0.0.7:99999"}, "bad_detail"),
        ({"onvif": "a b"}, "bad_detail"),
        ({"bearing": "90"}, "bad_sight"),
        ({**SIGHT, "bearing": "360"}, "bad_sight"),
    ],
)
def test_a_detail_that_cannot_be_is_refused(site: SmallArchive, changes: dict[str, str], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        site.registry.add(camera_form(**changes), actor="os:tester")
    assert caught.value.code == code
    assert caught.value.message.startswith(tuple(changes) if code == "bad_detail" else tuple(SIGHT))
    assert site.registry.cameras() == []


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({"lat": "-5.15"}, True),
        ({"bearing": "140"}, True),
        ({"bearing": "", "field_of_view": "", "reach_m": ""}, True),
        ({"name": "Other"}, False),
        ({"kelurahan": "73.71.13.1002"}, False),
        ({"height_m": "5"}, False),
    ],
)
def test_a_camera_that_stands_or_looks_elsewhere_needs_a_reason(
    site: SmallArchive, changes: dict[str, str], moves: bool
) -> None:
    site.registry.add(camera_form(**SIGHT), actor="os:tester")
    if moves:
        for reason in ("", " "):
            with pytest.raises(Malformed) as caught:
                site.registry.edit("cam-1", changes, actor="os:tester", reason=reason)
            assert caught.value.code == "reason_missing"
        assert len(list(site.registry.history("cam-1"))) == 1
    site.registry.edit("cam-1", changes, actor="os:tester", reason="x" if moves else "")
    assert len(list(site.registry.history("cam-1"))) == 2


def test_a_sight_that_is_stated_for_the_first_time_is_no_move(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    assert site.registry.edit("cam-1", SIGHT, actor="os:tester").sight == Sight(
        bearing=135, field_of_view=90, reach_m=40
    )


def test_areas_are_given_by_code_or_name(tmp_path: Path) -> None:
    site = small_archive(tmp_path, areas=read_areas(None))
    named = camera_form(kecamatan=" ujung  pandang ", kelurahan="BARU")
    place = site.registry.add(named, actor="os:tester").place
    assert (place.kecamatan, place.kelurahan) == ("73.71.04", "73.71.04.1005")
    moved = site.registry.edit("cam-1", {"kecamatan": "Mariso", "kelurahan": "Lette"}, actor="os:tester")
    assert (moved.place.kecamatan, moved.place.kelurahan) == ("73.71.01", "73.71.01.1004")
    for changes in ({"kecamatan": "Nowhere"}, {"kelurahan": "Baru"}, {"kecamatan": ""}):
        with pytest.raises(Malformed) as caught:
            site.registry.edit("cam-1", changes, actor="os:tester")
        assert caught.value.code == "bad_place"
    assert "73.71.04.1005 (Baru, Ujung Pandang)" in _hint_of(site, {"kelurahan": "Baru"})
    unlisted = site.registry.edit("cam-1", {"kecamatan": "73.09.01"}, actor="os:tester")
    assert unlisted.place.kecamatan == "73.09.01"
    site.index.close()


def _hint_of(site: SmallArchive, changes: dict[str, str]) -> str:
    with pytest.raises(Malformed) as caught:
        site.registry.edit("cam-1", changes, actor="os:tester")
    return caught.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://u:p@[fe80::1]:554/a?b=c#timeout=9", "rtsp://[fe80::1]:554/a#timeout=9"),
        ("http://h/path;x", "http://h/path;x"),
        ("test://?size=1x1", "test:"),
        ("file:///var/a b.mp4", "file:///var/a b.mp4"),
    ],
)
def test_shown_sources_hold_no_credentials(url: str, shown: str) -> None:
    assert shown_source(url).rstrip("/") == shown
