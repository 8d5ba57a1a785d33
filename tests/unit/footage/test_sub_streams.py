"""A camera's sub stream: beside the main one, never in its place, on its host, with its secrets sealed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Malformed, Refused
from archive.footage.exchange.importing import Existing, Import
from archive.footage.exchange.spreadsheet import read_csv, to_csv
from archive.model.areas import NO_AREAS
from archive.model.camera import Camera, from_public_state, public_json
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.unit.footage.test_advice import BOX

MAIN = "rtsp://admin:s3cret@10.0.0.7:554/stream?token=abc"
SUB, SHOWN = "rtsp://admin:g3heim@10.0.0.7:554/small?token=xyz", "rtsp://10.0.0.7:554/small"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


def streams(site: SmallArchive, camera: Camera | None = None) -> tuple[str, str]:
    """The whole URLs of main and sub stream."""
    known = camera or site.registry.camera("cam-1")
    return site.registry.source_of(known), site.registry.sub_of(known)


def shown(camera: Camera) -> str | None:
    return None if camera.sub is None else camera.sub.source


def test_it_is_kept_beside_the_main_stream_and_its_secrets_are_nowhere(
    site: SmallArchive, tmp_path: Path
) -> None:
    camera = site.registry.add(camera_form(sub=SUB), actor="os:tester")
    assert site.registry.camera("cam-1") == camera
    assert streams(site) == (MAIN, SUB)
    assert public_json(camera, NO_AREAS)["sub"] == SHOWN
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"g3heim" not in everything
    assert b"token=xyz" not in everything
    document = site.index.document("camera", "cam-1")
    assert document is not None
    assert "sealed_sub" not in document.state
    assert shown(from_public_state(document.state)) == SHOWN


def test_a_camera_without_one_is_registered_as_before(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    [entry] = site.registry.history("cam-1")
    assert not {"sub", "sealed_sub"} & set(entry.state)
    assert streams(site) == (MAIN, "")


def test_other_changes_leave_it_and_a_word_takes_it_away(site: SmallArchive) -> None:
    site.registry.add(camera_form(sub=SUB), actor="os:tester")
    for changes in ({"name": "Baru"}, {"sub": ""}, {"source": "rtsp://admin:n3w@10.0.0.7:554/stream"}):
        assert streams(site, site.registry.edit("cam-1", changes, actor="os:tester"))[1] == SUB
    site.registry.disable("cam-1", actor="os:tester", reason="r")
    site.registry.enable("cam-1", actor="os:tester", reason="r")
    assert streams(site)[1] == SUB
    assert site.registry.edit("cam-1", {"sub": "none"}, actor="os:tester").sub is None
    assert streams(site) == ("rtsp://admin:n3w@10.0.0.7:554/stream", "")


@pytest.mark.parametrize(
    ("sub", "kind", "code"),
    [
        ("rtsp://10.0.0.8:554/small", Malformed, "bad_sub"),
        ("rtsp://10.0.0.7:554/stream", Malformed, "bad_sub"),
        ("rtsp://viewer:x@10.0.0.7:554/stream?token=abc", Malformed, "bad_sub"),
        ("test://", Malformed, "bad_sub"),
        ("ftp://10.0.0.7/x", Malformed, "bad_sub"),
        ("rtsp://127.0.0.1/small", Refused, "source_refused"),
    ],
)
def test_what_cannot_be_its_second_stream_is_refused(
    site: SmallArchive, sub: str, kind: type[Exception], code: str
) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    with pytest.raises(kind) as caught:
        site.registry.edit("cam-1", {"sub": sub}, actor="os:tester")
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert site.registry.camera("cam-1").sub is None


def test_streams_that_differ_in_the_query_only_are_two(site: SmallArchive) -> None:
    """As of makers that write ``/cam/realmonitor?channel=1&subtype=1``; the query is not shown."""
    main, sub = (f"rtsp://admin:x@10.0.0.7:554/cam/realmonitor?channel=1&subtype={one}" for one in (0, 1))
    site.registry.add(camera_form(source=main, sub=sub), actor="os:tester")
    assert streams(site) == (main, sub)
    site.registry.edit("cam-1", {"name": "Baru"}, actor="os:tester")
    assert streams(site) == (main, sub)
    with pytest.raises(Malformed, match="is the main stream"):
        site.registry.edit("cam-1", {"sub": main}, actor="os:tester")
    renewed = {"source": main.replace(":x@", ":y@"), "sub": sub.replace(":x@", ":y@")}
    site.registry.edit("cam-1", renewed, actor="os:tester")
    assert streams(site) == tuple(renewed.values())


def test_a_camera_at_another_address_does_not_keep_the_old_ones_stream(site: SmallArchive) -> None:
    """Else a wall would show one camera under another one's name."""
    site.registry.add(camera_form(sub=SUB), actor="os:tester")
    moved = {"source": "rtsp://admin:x@10.0.0.8:554/stream"}
    with pytest.raises(Malformed, match="not on the host"):
        site.registry.edit("cam-1", moved, actor="os:tester")
    both = moved | {"sub": "rtsp://admin:x@10.0.0.8:554/small"}
    assert streams(site, site.registry.edit("cam-1", both, actor="os:tester")) == tuple(both.values())


def test_a_table_shows_it_and_gives_it_back_with_its_password(site: SmallArchive) -> None:
    site.registry.add(camera_form(sub=SUB), actor="os:tester")
    table = to_csv(site.registry.cameras())
    assert SHOWN in table
    assert "g3heim" not in table
    work = Import(registry=site.registry, existing=Existing.UPDATE, reason="", box=BOX)
    assert work.carry_out(work.plan(read_csv(table.encode())), actor="os:tester").changed == ()
    other = table.replace(SHOWN, "rtsp://admin:x@10.0.0.7:554/other")
    [changed] = work.carry_out(work.plan(read_csv(other.encode())), actor="os:tester").changed
    assert changed.changes["sub"].after == "rtsp://10.0.0.7:554/other"
    assert streams(site) == (MAIN, "rtsp://admin:x@10.0.0.7:554/other")
