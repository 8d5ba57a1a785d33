"""Cameras as GeoJSON (RFC 7946): one point each, longitude before latitude."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.cameras import COLUMNS
from archive.footage.exchange.rows import KEPT_BY_SAKSI, Row, Table, bad_row, check_count

MEDIA_TYPE = "application/geo+json"
_IN_GEOMETRY = ("lat", "lon")
_HINT = "Give a FeatureCollection of points, as saksi camera export --format geojson writes it."


def to_geojson(cameras: Iterable[JsonObject]) -> JsonObject:
    """A FeatureCollection of cameras as :func:`archive.model.camera.public_json` shows them."""
    return {"type": "FeatureCollection", "features": [_feature(camera) for camera in cameras]}


def _feature(camera: JsonObject) -> JsonObject:
    return {
        "type": "Feature",
        "id": camera["id"],
        "geometry": {"type": "Point", "coordinates": [camera["lon"], camera["lat"]]},
        "properties": {name: value for name, value in camera.items() if name not in _IN_GEOMETRY},
    }


def read_geojson(data: bytes) -> Table:
    """The rows of a FeatureCollection; ``line`` is the number of the feature.

    A property that is null means "not known"; one that is left out is not changed.

    Raises:
        Malformed: ``bad_geojson``: no FeatureCollection; ``too_many_rows``.
    """
    try:
        value = json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise _bad("the text is not JSON") from error
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise _bad("the text is not a FeatureCollection")
    features = value.get("features")
    if not isinstance(features, list):
        raise _bad("the FeatureCollection has no list of features")
    check_count(len(features))
    rows = tuple(_row(feature, number) for number, feature in enumerate(features, 1))
    shown = [one["properties"] for one in features if _has_properties(one)]
    ignored = tuple(name for name in KEPT_BY_SAKSI if any(name in one for one in shown))
    return Table(rows, COLUMNS, ignored)


def _row(feature: Any, number: int) -> Row:
    try:
        return Row(number, _fields(feature))
    except Malformed as error:
        name = feature.get("id") if isinstance(feature, dict) else ""
        return Row(number, {"id": name if isinstance(name, str) else ""}, error)


def _fields(feature: Any) -> Mapping[str, str]:
    if not _has_properties(feature):
        raise bad_row("this is no Feature with properties")
    fields: dict[str, str] = {}
    for name, value in feature["properties"].items():
        if name in KEPT_BY_SAKSI:
            continue
        if name not in COLUMNS or name in _IN_GEOMETRY:
            raise bad_row(f"{name[:40]!r} is not a property of a camera")
        fields[name] = _text(name, value)
    if "id" in feature:
        given = _text("id", feature["id"])
        if fields.setdefault("id", given) != given:
            raise bad_row("id of the feature and id among its properties differ")
    if feature.get("geometry") is not None:
        fields["lon"], fields["lat"] = _point(feature["geometry"])
    return fields


def _has_properties(feature: Any) -> bool:
    return (
        isinstance(feature, dict)
        and feature.get("type") == "Feature"
        and isinstance(feature.get("properties"), dict)
    )


def _point(geometry: Any) -> tuple[str, str]:
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    if not is_point or not isinstance(coordinates, list) or len(coordinates) not in (2, 3):
        raise bad_row("the geometry is not a Point with longitude and latitude")
    lon, lat = coordinates[:2]
    if not all(type(one) in (int, Decimal) for one in (lon, lat)):
        raise bad_row("the geometry is not a Point with longitude and latitude")
    return _text("lon", lon), _text("lat", lat)


def _text(name: str, value: Any) -> str:
    """A value as a form has it. Booleans are no texts: nothing that can be imported is one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if type(value) is int or (isinstance(value, Decimal) and abs(value.adjusted()) < 30):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    raise bad_row(f"{name} is neither a text nor a number")


def _whole(text: str) -> int:
    if len(text) > 30:
        raise ValueError("a number is too long")
    return int(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _bad(message: str) -> Malformed:
    return Malformed(message, code="bad_geojson", hint=_HINT)
