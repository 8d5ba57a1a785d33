"""Answers about places and times as JSON: the same over HTTP and at the command line."""

from collections.abc import Mapping, Sequence

from archive.canonical import JsonObject
from archive.model.areas import Areas
from archive.model.camera import area_names
from archive.timespan import SECOND, SpanSet, Timespan, format_instant
from search.finding import Found, FoundCamera
from search.tally import Tally
from search.timeline import Matrix, Timeline
from search.where import Sighting


def found_json(found: Found, span: Timespan, now: int, areas: Areas) -> JsonObject:
    """A page of cameras."""
    return {
        **span.to_json(),
        "asked_at": format_instant(now),
        "resolution": found.resolution.value,
        "total": found.total,
        "cameras": [camera_json(one, areas) for one in found.cameras],
        "next": found.next,
    }


def found_geojson(found: Found, span: Timespan, now: int, areas: Areas) -> JsonObject:
    """The same as a FeatureCollection (RFC 7946): a point for each camera, longitude first."""
    page = found_json(found, span, now, areas)
    cameras = page.pop("cameras")
    return {
        "type": "FeatureCollection",
        **page,
        "features": [
            {
                "type": "Feature",
                "id": f"{one['camera']}@{one['from']}",
                "geometry": {"type": "Point", "coordinates": [one["lon"], one["lat"]]},
                "properties": {name: value for name, value in one.items() if name not in ("lat", "lon")},
            }
            for one in cameras
        ],
    }


def camera_json(found: FoundCamera, areas: Areas) -> JsonObject:
    """One camera: where it stood, what it saw, what there is of it."""
    one, tally = found.sighting, found.tally
    return {
        "camera": one.camera,
        **_facts_json(one),
        **area_names(one.facts.place, areas),
        **one.part.to_json(),
        "in_view": None if one.view is None else one.view.value,
        "stands_in": one.stands_in,
        "distance_m": None if one.direction is None else round(one.direction.distance_m, 1),
        "bearing": None if one.direction is None else round(one.direction.bearing) % 360,
        "asked_seconds": one.part.duration / SECOND,
        "recorded_seconds": tally.covered / SECOND,
        "coverage_percent": percent(tally.covered, one.part.duration),
        "gap_seconds": {cause: length / SECOND for cause, length in sorted(tally.gaps.items())},
        "pending_seconds": tally.pending / SECOND,
        "coverage": None
        if found.coverage is None
        else [
            {**run.span.to_json(), "run": run.run, "uncertainty_us": run.uncertainty_us}
            for run in found.coverage
        ],
        "gaps": None
        if found.gaps is None
        else [{**gap.span.to_json(), "cause": gap.cause} for gap in found.gaps],
        "pending": _spans(found.pending),
        "uncertainty_us": found.uncertainty_us,
        "held": _spans(found.held),
    }


def percent(part: int, whole: int) -> float:
    """A share in percent, rounded down to hundredths: only what is whole is 100."""
    return part * 10_000 // whole / 100


def timeline_json(found: Timeline, names: Sequence[str], step: str, zone: str) -> JsonObject:
    """A timeline: of each camera one number for each bucket; four rows add up to the bucket's length."""
    lengths = [end - start for start, end in zip(found.edges[:-1], found.edges[1:], strict=True)]
    return {
        "from": format_instant(found.edges[0]),
        "to": format_instant(found.edges[-1]),
        "step": step,
        "zone": zone,
        "edges": [format_instant(edge) for edge in found.edges],
        "cameras": [
            {
                "camera": name,
                "recorded_seconds": [tally.covered / SECOND for tally in found.cameras[name]],
                "gap_seconds": _by_cause(found.cameras[name]),
                "pending_seconds": [tally.pending / SECOND for tally in found.cameras[name]],
                "elsewhere_seconds": [
                    (length - tally.total) / SECOND
                    for length, tally in zip(lengths, found.cameras[name], strict=True)
                ],
                "held_seconds": None
                if found.held is None
                else [length / SECOND for length in found.held[name]],
            }
            for name in names
        ],
    }


def matrix_json(
    found: Matrix,
    latest: Mapping[str, Sighting],
    step: str,
    zone: str,
    *,
    total: int,
    next_: str | None,
) -> JsonObject:
    """A matrix of cameras × hours or days, and the calendar of these cameras together."""
    return {
        "from": format_instant(found.edges[0]),
        "to": format_instant(found.edges[-1]),
        "step": step,
        "zone": zone,
        "edges": [format_instant(edge) for edge in found.edges],
        "cameras": [
            {
                "camera": name,
                "name": one.facts.name,
                "kecamatan": one.facts.place.kecamatan,
                "kelurahan": one.facts.place.kelurahan,
                "recorded_seconds": [covered / SECOND for covered in found.covered[name]],
            }
            for name, one in latest.items()
        ],
        "calendar": [
            {"cameras": cameras, "recorded_seconds": covered / SECOND}
            for cameras, covered in found.calendar()
        ],
        "total": total,
        "next": next_,
    }


def _by_cause(tallies: Sequence[Tally]) -> JsonObject:
    causes = sorted({cause for tally in tallies for cause in tally.gaps})
    return {cause: [tally.gaps.get(cause, 0) / SECOND for tally in tallies] for cause in causes}


def _facts_json(one: Sighting) -> JsonObject:
    facts = one.facts
    return {
        "name": facts.name,
        "address": facts.address,
        "lat": facts.point[0],
        "lon": facts.point[1],
        "kecamatan": facts.place.kecamatan,
        "kelurahan": facts.place.kelurahan,
        "owner": facts.place.owner.value,
        "sight": None
        if facts.sight is None
        else {
            "bearing": facts.sight.bearing,
            "field_of_view": facts.sight.field_of_view,
            "reach_m": facts.sight.reach_m,
        },
    }


def _spans(spans: SpanSet | None) -> list[JsonObject] | None:
    return None if spans is None else [span.to_json() for span in spans]
