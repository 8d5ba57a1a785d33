"""The registry: refusals, secrets, and history."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.model.camera import shown_source
from archive.timespan import HOUR
from archive.vault import FernetBox, new_key
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0

HEADER = "id,source,name,lat,lon,kecamatan,kelurahan,owner,view,segment_seconds"


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


def test_a_csv_adds_the_good_rows_and_names_the_bad(site: SmallArchive) -> None:
    rows = io.StringIO(
        f"{HEADER}\n"
        "cam-1,rtsp://h/1,Satu,-5.1,119.4,73.71.13,73.71.13.1001,public,public,10\n"
        "cam-2,rtsp://u:pw@h/2,Dua,-5.1,119.4,73.71.13,73.71.13.1001,business,private,10\n"
        "cam-3,rtsp://h/3,Tiga,-95,119.4,73.71.13,73.71.13.1001,public,public,\n"
        'cam-4,rtsp://h/4,"Empat, Utara",-5.1,119.4,73.71.13,73.71.13.1001,worship,public,\n'
    )
    report = site.registry.import_csv(rows, actor="os:tester")
    assert [camera.id for camera in report.added] == ["cam-1", "cam-4"]
    assert [(row.line, row.id, row.code) for row in report.refused] == [
        (3, "cam-2", "private_view"),
        (4, "cam-3", "bad_place"),
    ]
    assert site.registry.camera("cam-4").segment_seconds == 10


def test_a_csv_with_another_header_is_refused_whole(site: SmallArchive) -> None:
    with pytest.raises(Malformed) as caught:
        site.registry.import_csv(io.StringIO("id,url\ncam-1,rtsp://h\n"), actor="os:tester")
    assert caught.value.code == "bad_csv"
    assert HEADER in caught.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://u:p@[fe80::1]:554/a?b=c#d", "rtsp://[fe80::1]:554/a"),
        ("http://h/path;x", "http://h/path;x"),
        ("test://?size=1x1", "test:"),
        ("file:///var/a b.mp4", "file:///var/a b.mp4"),
    ],
)
def test_shown_sources_hold_no_credentials(url: str, shown: str) -> None:
    assert shown_source(url).rstrip("/") == shown
