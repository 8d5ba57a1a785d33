"""The moves of a camera as JSON: where it stood and looked, from when until when, by whom changed."""

from collections.abc import Sequence
from itertools import pairwise

from archive.canonical import JsonObject
from archive.footage.moves import Stay
from archive.model import sight as sights
from archive.model.areas import Areas
from archive.model.camera import area_names
from archive.timespan import format_instant
from search.geo import distance_m


def moves_json(stays: Sequence[Stay], areas: Areas) -> list[JsonObject]:
    """The stays, oldest first; ``moved_m`` is the distance from the stay before, null for the first."""
    distances = [None, *(round(_between(one, other), 1) for one, other in pairwise(stays))]
    return [_stay(stay, moved, areas) for stay, moved in zip(stays, distances, strict=True)]


def _between(one: Stay, other: Stay) -> float:
    return distance_m(_point(one), _point(other))


def _point(stay: Stay) -> tuple[float, float]:
    place = stay.camera.place
    return float(place.lat), float(place.lon)


def _stay(stay: Stay, moved: float | None, areas: Areas) -> JsonObject:
    place, sight = stay.camera.place, stay.camera.sight
    return {
        "from": format_instant(stay.since),
        "until": None if stay.until is None else format_instant(stay.until),
        "lat": float(place.lat),
        "lon": float(place.lon),
        "kecamatan": place.kecamatan,
        "kelurahan": place.kelurahan,
        **area_names(place, areas),
        **{name: None if sight is None else getattr(sight, name) for name in sights.FIELDS},
        "moved_m": moved,
        "version": stay.version,
        "by": stay.actor,
        "reason": stay.reason,
    }
