"""A query as SQL conditions. Values are always bound, never written into the text."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from search.paging import Position
from search.query import SegmentQuery


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL after WHERE and the values of its question marks."""

    sql: str
    values: tuple[Any, ...]

    def also(self, sql: str, *values: Any) -> "Condition":
        """Both conditions."""
        return Condition(f"{self.sql} AND {sql}", (*self.values, *values))


@dataclass(frozen=True, slots=True)
class Filter:
    """A query's filters: the cameras that can match (None for all), and the condition on each row.

    A place filter first selects places, of which there are few; rows are then matched by place number.
    """

    cameras: tuple[str, ...] | None
    condition: Condition

    @property
    def in_time(self) -> Condition:
        """One condition with all filters, for walking over time."""
        return self.condition if self.cameras is None else self.by_camera

    @property
    def by_camera(self) -> Condition:
        """One condition with all filters that always names cameras, so that their index is used."""
        if self.cameras is None:
            return self.condition.also("camera IN (SELECT camera FROM high_waters)")
        return self.condition.also("camera IN (SELECT value FROM json_each(?))", json.dumps(self.cameras))


def segments_matching(
    connection: sqlite3.Connection, query: SegmentQuery, after: Position | None = None
) -> Filter | None:
    """The filter on ``segments`` after a position, or None if nothing can match."""
    # Only the tighter lower bound on start: with two, SQLite may begin its walk at the looser one.
    first = query.earliest_start + 1 if after is None else max(query.earliest_start + 1, after[0])
    overlap = Condition("start >= ? AND start < ? AND until > ?", (first, query.span.end, query.span.start))
    if after is not None:
        overlap = overlap.also("(start, camera, run, seq) > (?, ?, ?, ?)", *after)
    return _filtered(connection, query, overlap)


def gaps_matching(connection: sqlite3.Connection, query: SegmentQuery) -> Filter | None:
    """The filter on ``gaps``, or None if nothing can match."""
    overlap = Condition("start < ? AND until > ?", (query.span.end, query.span.start))
    return _filtered(connection, query, overlap)


@dataclass(frozen=True, slots=True)
class HourFilter:
    """A query's filters on ``hours``: a condition on cameras, and the admitted places as JSON (None: all)."""

    cameras_alone: Condition
    places: str | None


def hours_matching(connection: sqlite3.Connection, query: SegmentQuery) -> HourFilter | None:
    """The filter on ``hours`` and ``stale_hours``, or None if nothing can match."""
    found = _filtered(connection, query, Condition("1", ()))
    if found is None:
        return None
    places = found.condition.values[0] if found.condition.values else None
    return HourFilter(replace(found, condition=Condition("1", ())).by_camera, places)


def _filtered(connection: sqlite3.Connection, query: SegmentQuery, condition: Condition) -> Filter | None:
    if query.admits_nothing:
        return None
    cameras = None if query.cameras is None else frozenset(query.cameras)
    admits = _place_filter(query)
    if admits is not None:
        rows = connection.execute("SELECT id, lat, lon, kecamatan, owner FROM places")
        places = json.dumps([row[0] for row in rows if admits(row[1:])])
        condition = condition.also("place IN (SELECT value FROM json_each(?))", places)
        stood = connection.execute(
            "SELECT DISTINCT camera FROM camera_places WHERE place IN (SELECT value FROM json_each(?))",
            (places,),
        )
        there = frozenset(row[0] for row in stood)
        cameras = there if cameras is None else cameras & there
    if cameras is not None and not cameras:
        return None
    return Filter(None if cameras is None else tuple(sorted(cameras)), condition)


def _place_filter(query: SegmentQuery) -> Callable[[tuple[Any, ...]], bool] | None:
    """A test on (lat, lon, kecamatan, owner), or None without a place filter."""
    kecamatan, owners, near, box = query.kecamatan, query.owners, query.near, query.box
    if kecamatan is None and owners is None and near is None and box is None:
        return None
    districts = None if kecamatan is None else frozenset(kecamatan)
    kinds = None if owners is None else frozenset(owner.value for owner in owners)

    def admits(place: tuple[Any, ...]) -> bool:
        lat, lon, district, kind = place
        return (
            (districts is None or district in districts)
            and (kinds is None or kind in kinds)
            and (box is None or (lat, lon) in box)
            and (near is None or (lat, lon) in near)
        )

    return admits
