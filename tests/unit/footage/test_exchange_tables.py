"""Cameras as CSV and GeoJSON: what is written is read back, and no spreadsheet runs it."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.cameras import COLUMNS, form_of
from archive.footage.exchange.geojson import read_geojson, to_geojson
from archive.footage.exchange.rows import MAX_ROWS, Table
from archive.footage.exchange.spreadsheet import guarded, read_csv, to_csv, unguarded
from archive.model.areas import NO_AREAS
from archive.model.camera import Camera, OwnerKind, Place, full_json
from archive.model.camera_details import Details, Signage
from archive.model.sight import Sight

TEXT = st.text(
    st.one_of(st.sampled_from("=+-@'\",;＝a1 "), st.characters(exclude_categories=("C", "Z"))), max_size=12
).map(str.strip)
NAME = TEXT.filter(bool)


@st.composite
def cameras(draw: st.DrawFn, camera_id: str = "cam-1") -> Camera:
    degrees = st.integers(-90_000_000, 90_000_000).map(lambda n: (Decimal(n) / 10**6).normalize() + 0)
    code = st.sampled_from(["73.71.01", "73.71.13"])
    return Camera(
        id=camera_id,
        name=draw(NAME),
        source="rtsp://10.0.0.7:554/stream",
        sealed_source="sealed",
        place=Place(
            lat=draw(degrees),
            lon=draw(degrees),
            kecamatan=draw(code),
            kelurahan=draw(code) + ".1001",
            owner=draw(st.sampled_from(OwnerKind)),
        ),
        segment_seconds=draw(st.integers(2, 300)),
        registered_at=0,
        sight=draw(
            st.none()
            | st.builds(
                Sight,
                bearing=st.integers(0, 359),
                field_of_view=st.integers(1, 360),
                reach_m=st.integers(1, 5000),
            )
        ),
        details=Details(
            address=draw(TEXT),
            owner_name=draw(TEXT),
            permit=draw(TEXT),
            purpose=draw(TEXT),
            height_m=draw(st.none() | st.integers(1, 30_000).map(lambda n: Decimal(n) / 100)),
            signage=draw(st.sampled_from(Signage)),
            installed_on=draw(st.none() | st.dates()),
            integrated_on=draw(st.none() | st.dates()),
            onvif=draw(st.sampled_from(["", "http://10.0.0.7/onvif/device_service"])),
        ),
    )


def texts(camera: Camera) -> dict[str, str]:
    form = form_of(camera)
    return {name: getattr(form, name) for name in COLUMNS} | {"source": camera.source}


def numbers(fields: dict[str, str]) -> dict[str, Any]:
    """Texts of numbers by their value: JSON keeps 6.50 as 6.5."""
    return {
        name: Decimal(text) if name in {"lat", "lon", "height_m"} and text else text
        for name, text in fields.items()
    }


@given(cameras())
def test_csv_is_read_back_as_it_was_written(camera: Camera) -> None:
    table = read_csv(to_csv([camera]).encode())
    assert [(row.line, dict(row.fields), row.problem) for row in table.rows] == [(2, texts(camera), None)]
    assert (table.columns, table.ignored) == (COLUMNS, ())


@given(cameras())
def test_geojson_is_read_back_as_it_was_written(camera: Camera) -> None:
    written = json.dumps(to_geojson([full_json(camera, NO_AREAS)])).encode()
    (row,) = read_geojson(written).rows
    assert row.problem is None
    found = {**row.fields, "signage": row.fields["signage"].replace("unknown", "")}
    assert numbers(found) == numbers(texts(camera))


@given(cameras())
def test_no_cell_is_a_formula(camera: Camera) -> None:
    for cells in csv.reader(io.StringIO(to_csv([camera]), newline="")):
        for cell in cells:
            is_number = cell.lstrip("-").replace(".", "", 1).isdigit() and not cell.startswith("--")
            assert is_number or cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}


@given(TEXT)
def test_any_text_is_understood_again(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-5.147665", "-5.147665"),
        ("-5.1-cmd", "'-5.1-cmd"),
        ("+62411", "'+62411"),
        ("'=1", "''=1"),
        ("'Aisyiyah", "'Aisyiyah"),
        ("Masjid", "Masjid"),
        ("", ""),
    ],
)
def test_what_a_cell_looks_like(text: str, cell: str) -> None:
    assert guarded(text) == cell


HEAD = ",".join(COLUMNS[:9])


def code_of(data: bytes | str) -> str:
    with pytest.raises(Malformed) as caught:
        read_csv(data.encode() if isinstance(data, str) else data)
    return caught.value.code


@pytest.mark.parametrize(
    "data",
    [
        "",
        "name\nx\n",
        f"{HEAD},colour\n",
        "id,name,id\n",
        b"\xff\xfeid\n",
        'id,name\ncam-1,"a\n',
        'id,name\ncam-1,"a"b\n',
        f"id,name\ncam-1,{'x' * 200_000}\n",
    ],
)
def test_what_is_no_csv_of_cameras_is_refused_whole(data: bytes | str) -> None:
    assert code_of(data) == "bad_csv"


def test_rows_of_other_widths_are_refused_alone_with_their_line() -> None:
    table = read_csv(b'id,name\ncam-1,"two\nlines"\n\ncam-2\ncam-3,x,y\ncam-4,z\n')
    assert [(row.line, row.id, row.problem is None) for row in table.rows] == [
        (3, "cam-1", True), (5, "cam-2", False), (6, "cam-3", False), (7, "cam-4", True)
    ]  # fmt: skip
    assert table.rows[1].problem is not None
    assert table.rows[1].problem.code == "bad_row"


def test_a_spreadsheet_s_semicolons_and_byte_order_mark_are_read() -> None:
    table = read_csv("\ufeffid;name\r\ncam-1;Jl. Ahmad Yani, 2\r\n".encode())
    assert [dict(row.fields) for row in table.rows] == [{"id": "cam-1", "name": "Jl. Ahmad Yani, 2"}]


def test_columns_that_saksi_sets_itself_are_ignored_and_named() -> None:
    table = read_csv(b"id,registered_at,kecamatan_name\ncam-1,now,Mariso\n")
    assert table == Table(table.rows, ("id",), ("registered_at", "kecamatan_name"))
    assert dict(table.rows[0].fields) == {"id": "cam-1"}


def test_a_table_is_bounded() -> None:
    rows = "cam-1\n" * (MAX_ROWS + 1)
    assert code_of(f"id\n{rows}") == "too_many_rows"
    features = {"type": "FeatureCollection", "features": [None] * (MAX_ROWS + 1)}
    with pytest.raises(Malformed) as caught:
        read_geojson(json.dumps(features).encode())
    assert caught.value.code == "too_many_rows"


def feature(**changes: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [119.4071, -5.1436]},
        "properties": {"id": "cam-1"},
    } | changes


def row_of(one: Any) -> tuple[dict[str, str], str]:
    data = json.dumps({"type": "FeatureCollection", "features": [one]}).encode()
    (row,) = read_geojson(data).rows
    return dict(row.fields), "" if row.problem is None else row.problem.code


def test_longitude_comes_first() -> None:
    fields, problem = row_of(feature())
    assert (fields["lat"], fields["lon"], problem) == ("-5.1436", "119.4071", "")


def test_an_altitude_and_a_null_and_a_missing_geometry_are_understood() -> None:
    assert row_of(feature(geometry={"type": "Point", "coordinates": [119, -5, 12.5]}))[0]["lon"] == "119"
    assert "lat" not in row_of(feature(geometry=None))[0]
    assert row_of(feature(properties={"id": "cam-1", "permit": None, "height_m": 6.50}))[0] == {
        "id": "cam-1", "permit": "", "height_m": "6.5", "lon": "119.4071", "lat": "-5.1436"
    }  # fmt: skip


@pytest.mark.parametrize(
    "one",
    [
        None,
        7,
        {"type": "Feature"},
        feature(type="feature"),
        feature(properties=[]),
        feature(properties={"id": "cam-1", "colour": "red"}),
        feature(properties={"id": "cam-1", "lat": 1}),
        feature(properties={"id": True}),
        feature(properties={"id": ["cam-1"]}),
        feature(properties={"id": "cam-1", "height_m": {"m": 1}}),
        feature(properties={"id": "cam-1", "\ud800": "x"}),
        feature(id="cam-2"),
        feature(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [0, 0]]]}),
        feature(geometry={"type": "Point", "coordinates": [119]}),
        feature(geometry={"type": "Point", "coordinates": ["119", "-5"]}),
        feature(geometry={"type": "Point", "coordinates": [True, False]}),
        feature(geometry="here"),
    ],
)
def test_a_feature_that_is_no_camera_is_refused_alone(one: Any) -> None:
    assert row_of(one)[1] == "bad_row"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"type":"Feature"}',
        b'{"type":"FeatureCollection"}',
        b'{"type":"FeatureCollection","features":{}}',
        b'{"type":"FeatureCollection","features":[NaN]}',
        b"[" * 100_000,
        b'{"type":"FeatureCollection","features":[' + b"9" * 5000 + b"]}",
    ],
)
def test_what_is_no_collection_is_refused_whole(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read_geojson(data)
    assert caught.value.code == "bad_geojson"
