"""A query as SQL conditions. Values are always bound, never written into the text."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from search.query import SegmentQuery


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL after WHERE and the values of its question marks."""

    sql: str
    values: tuple[Any, ...]

    def also(self, sql: str, *values: Any) -> "Condition":
        """Both conditions."""
        return Condition(f"{self.sql} AND {sql}", (*self.values, *values))


def segments_matching(connection: sqlite3.Connection, query: SegmentQuery) -> Condition | None:
    """The condition on ``segments``, or None where nothing can match."""
    span = query.span
    overlap = Condition("start > ? AND start < ? AND until > ?", (query.earliest_start, span.end, span.start))
    return _filtered(connection, query, overlap)


def gaps_matching(connection: sqlite3.Connection, query: SegmentQuery) -> Condition | None:
    """The condition on ``gaps``, or None where nothing can match."""
    return _filtered(
        connection, query, Condition("start < ? AND until > ?", (query.span.end, query.span.start))
    )


def _filtered(connection: sqlite3.Connection, query: SegmentQuery, condition: Condition) -> Condition | None:
    if query.admits_nothing:
        return None
    if query.cameras is not None:
        condition = condition.also(f"camera IN ({_marks(query.cameras)})", *query.cameras)
    admits = _place_filter(query)
    if admits is not None:
        rows = connection.execute("SELECT id, lat, lon, kecamatan, owner FROM places")
        places = tuple(row[0] for row in rows if admits(row[1:]))
        if not places:
            return None
        condition = condition.also("place IN (SELECT value FROM json_each(?))", _json_array(places))
    return condition


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


def _marks(values: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(values))


def _json_array(numbers: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, numbers))}]"
