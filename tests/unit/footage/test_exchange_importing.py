"""Importing a table of cameras: planned row by row, then carried out; nothing is written before that."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError, Malformed, NotFound, Refused
from archive.footage.area_table import read_areas
from archive.footage.cameras import COLUMNS, form_of
from archive.footage.exchange.importing import Existing, Import, Plan, field_of
from archive.footage.exchange.rows import Row, Table
from archive.footage.exchange.spreadsheet import read_csv, to_csv
from archive.model.camera import Camera
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.unit.footage.test_advice import BOX
from tests.unit.footage.test_exchange_tables import cameras

HEADER = "id,source,name,lat,lon,kecamatan,kelurahan,owner,view,segment_seconds"
UPDATE, REFUSE = Existing.UPDATE, Existing.REFUSE


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path, areas=read_areas(None))
    yield made
    made.index.close()


def importing(site: SmallArchive, existing: Existing = REFUSE, reason: str = "", **more: object) -> Import:
    return Import(
        registry=site.registry, existing=existing, reason=reason, box=BOX, areas=read_areas(None), **more
    )  # type: ignore[arg-type]


def run(site: SmallArchive, text: str, existing: Existing = REFUSE, reason: str = "") -> Plan:
    """Plan and carry out; the plan must be what happens."""
    work = importing(site, existing, reason)
    before = entries(site)
    plan = work.plan(read_csv(text.encode()))
    assert entries(site) == before, "a plan writes nothing"
    done = work.carry_out(plan, actor="os:tester")
    assert told(done) == told(plan)
    assert entries(site) == before + len(plan.added) + len(plan.changed)
    return done


def entries(site: SmallArchive) -> int:
    return sum(len(list(site.registry.history(one.id))) for one in site.registry.cameras())


def told(plan: Plan) -> dict[str, list[str]]:
    found = {
        name: [one.camera.id for one in getattr(plan, name)] for name in ("added", "changed", "unchanged")
    }
    return {**found, "refused": [f"{row.line} {row.id} {row.field} {row.code}" for row in plan.refused]}


def test_good_rows_are_added_and_bad_ones_named_with_line_and_field(site: SmallArchive) -> None:
    plan = run(
        site,
        f"{HEADER}\n"
        "cam-1,rtsp://h/1,Satu,-5.1,119.4,Rappocini,Tidung,public,public,10\n"
        "cam-2,rtsp://u:pw@h/2,Dua,-5.1,119.4,73.71.13,73.71.13.1001,business,private,10\n"
        "cam-3,rtsp://h/3,Tiga,-95,119.4,73.71.13,73.71.13.1001,public,public,\n"
        'cam-4,rtsp://h/4,"Empat, Utara",-5.1,119.4,73.71.13,73.71.13.1001,worship,public,\n',
    )
    assert told(plan) == {
        "added": ["cam-1", "cam-4"],
        "changed": [],
        "unchanged": [],
        "refused": ["3 cam-2 view private_view", "4 cam-3 lat bad_place"],
    }
    assert site.registry.camera("cam-1").place.kelurahan == "73.71.13.1001"
    assert site.registry.camera("cam-4").segment_seconds == 10
    assert "pw" not in repr(plan.refused)


def test_a_header_that_lacks_a_column_is_refused_whole(site: SmallArchive) -> None:
    with pytest.raises(Malformed) as caught:
        importing(site).plan(read_csv(b"id,name\ncam-1,Satu\n"))
    assert caught.value.code == "bad_csv"
    assert HEADER in caught.value.hint


def test_a_camera_that_is_registered_is_changed_only_on_demand(site: SmallArchive) -> None:
    site.registry.add(camera_form(permit="1"), actor="os:tester")
    rows = "id,name,permit\ncam-1,Jl. Metro Tanjung,2\n"
    with pytest.raises(Malformed):
        importing(site).plan(read_csv(rows.encode()))
    whole = to_csv(site.registry.cameras()).replace(",1,", ",2,")
    assert told(run(site, whole))["refused"] == ["2 cam-1 id camera_exists"]
    plan = run(site, rows, UPDATE)
    (changed,) = plan.changed
    assert {name: (one.before, one.after) for name, one in changed.changes.items()} == {"permit": ("1", "2")}
    assert site.registry.camera("cam-1").details.permit == "2"
    assert told(run(site, rows, UPDATE))["unchanged"] == ["cam-1"], "the same again changes nothing"
    assert told(run(site, to_csv(site.registry.cameras())))["unchanged"] == ["cam-1"]


def test_a_column_that_is_left_out_stays_and_a_blank_one_is_cleared(site: SmallArchive) -> None:
    site.registry.add(camera_form(permit="1", owner_name="Budi"), actor="os:tester")
    run(site, "id,permit\ncam-1,\n", UPDATE)
    details = site.registry.camera("cam-1").details
    assert (details.permit, details.owner_name) == ("", "Budi")
    assert told(run(site, "id,name\ncam-1,\n", UPDATE))["refused"] == ["2 cam-1 name bad_name"]


@pytest.mark.parametrize("source", ["", "rtsp://10.0.0.7:554/stream"])
def test_an_update_without_a_password_keeps_the_old_one(site: SmallArchive, source: str) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    plan = run(site, f"id,source,name,segment_seconds\ncam-1,{source},Baru,\n", UPDATE)
    assert set(plan.changed[0].changes) == {"name"}
    after = site.registry.camera("cam-1")
    assert site.registry.source_of(after) == "rtsp://admin:s3cret@10.0.0.7:554/stream?token=abc"
    assert after.segment_seconds == 10


def test_a_source_with_a_password_is_written_anew_and_never_shown(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    same = site.registry.source_of(site.registry.camera("cam-1"))
    for source in (same, "rtsp://admin:other@10.0.0.7:554/stream?token=abc"):
        plan = run(site, f"id,source\ncam-1,{source}\n", UPDATE)
        assert told(plan)["changed"] == ["cam-1"], "right or wrong, a password looks the same"
        assert set(plan.changed[0].changes["source"].__slots__) == {"before", "after"}
        assert plan.changed[0].changes["source"].after == "rtsp://10.0.0.7:554/stream"
        assert site.registry.source_of(site.registry.camera("cam-1")) == source


def test_a_camera_that_moves_needs_the_import_s_reason(site: SmallArchive) -> None:
    site.registry.add(camera_form(), actor="os:tester")
    rows = "id,lat\ncam-1,-5.2\n"
    assert told(run(site, rows, UPDATE))["refused"] == ["2 cam-1  reason_missing"]
    assert told(run(site, rows, UPDATE, "Sensus 2026"))["changed"] == ["cam-1"]
    assert [entry.reason for entry in site.registry.history("cam-1")] == ["", "Sensus 2026"]


def test_ids_that_are_repeated_or_differ_in_case_are_refused(site: SmallArchive) -> None:
    site.registry.add(camera_form("cam-1"), actor="os:tester")
    rows = "id,name\nCAM-1,x\ncam-1,y\ncam-1,z\n,w\na_b,v\n"
    assert told(run(site, rows, UPDATE)) == {
        "added": [],
        "changed": [],
        "unchanged": [],
        "refused": [
            "2 CAM-1 id camera_exists",
            "3 cam-1 id row_repeated",
            "4 cam-1 id row_repeated",
            "5  id bad_id",
            "6 a_b id bad_id",
        ],
    }


def test_likely_slips_are_remarked_upon_and_taken(site: SmallArchive) -> None:
    plan = run(site, f"{HEADER}\ncam-1,rtsp://h/1,Satu,-6.2,119.4,73.71.13,73.71.13.1999,public,public,\n")
    assert [one.code for one in plan.added[0].remarks] == ["outside_city", "unknown_area"]


@pytest.mark.parametrize(
    "error", [NotFound("there is no camera cam-1", code="camera_not_found"), Refused("x")]
)
def test_a_row_that_the_caller_may_not_have_is_refused(site: SmallArchive, error: ArchiveError) -> None:
    site.registry.add(camera_form(), actor="os:tester")

    def admits(_before: Camera | None, _after: Camera) -> None:
        raise error

    same = read_csv(to_csv(site.registry.cameras()).encode())
    for existing in Existing:
        plan = importing(site, existing, admits=admits).plan(same)
        assert [row.code for row in plan.refused] == [error.code], "also if nothing would change"
    for rows in ("id,kelurahan\ncam-1,Lette\n", "id,bearing\ncam-1,9\n", "id,lat\ncam-1,95\n"):
        plan = importing(site, UPDATE, admits=admits).plan(read_csv(rows.encode()))
        assert [row.code for row in plan.refused] == [error.code], "what else is wrong would show its facts"


def test_a_camera_that_somebody_changed_meanwhile_is_refused_and_the_others_go_on(site: SmallArchive) -> None:
    for name in ("cam-1", "cam-2"):
        site.registry.add(camera_form(name), actor="os:tester")
    work = importing(site, UPDATE)
    table = read_csv(b"id,name\ncam-1,Satu\ncam-2,Dua\n")
    plan = work.plan(table)
    fresh = work.plan(Table((Row(4, vars_of(camera_form("cam-3"))),), COLUMNS))
    site.registry.edit("cam-1", {"name": "Other"}, actor="os:second")
    site.registry.add(camera_form("cam-3"), actor="os:second")
    done = work.carry_out(replace(plan, added=fresh.added), actor="os:tester")
    assert told(done)["changed"] == ["cam-2"]
    assert told(done)["refused"] == ["2 cam-1  ledger_conflict", "4 cam-3 id camera_exists"]
    assert site.registry.camera("cam-1").name == "Other"


def vars_of(form: object) -> dict[str, str]:
    return {name: getattr(form, name) for name in COLUMNS}


@pytest.mark.parametrize("name", [one for one in COLUMNS if one not in ("id", "view", "source")])
def test_each_field_is_named_when_it_is_wrong(site: SmallArchive, name: str) -> None:
    sight = {"bearing": "1", "field_of_view": "1", "reach_m": "1"}
    form = camera_form(**{**sight, name: "\x00"})
    with pytest.raises(ArchiveError) as caught:
        site.registry.drafted(form)
    assert field_of(caught.value) == name


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_an_export_imported_elsewhere_gives_the_same_cameras(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    site = small_archive(tmp_path_factory.mktemp("elsewhere"))
    drawn = [data.draw(cameras(f"cam-{number}")) for number in range(2)]
    written = to_csv(drawn)
    work = Import(registry=site.registry, existing=REFUSE, reason="x", box=BOX)
    done = work.carry_out(work.plan(read_csv(written.encode())), actor="os:tester")
    assert done.refused == ()
    assert [vars_of(form_of(one)) for one in site.registry.cameras()] == [
        vars_of(form_of(one)) for one in drawn
    ]
    assert to_csv(site.registry.cameras()) == written
    again = Import(registry=site.registry, existing=UPDATE, reason="x", box=BOX)
    assert len(again.plan(read_csv(written.encode())).unchanged) == len(drawn)
    site.index.close()
