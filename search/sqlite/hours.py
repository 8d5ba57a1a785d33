"""Hour coverage in SQLite: stored in ``hours``, and computed again if ``stale_hours`` lists the hour.

Every transaction that adds, removes or marks segments also marks their hours stale (:mod:`.stale`), so a
crash leaves both or neither. A read computes the stale hours; :func:`settle` computes and stores them.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace

from archive.model.gap import GapCause
from archive.timespan import HOUR
from search import stretch
from search.hours import (
    UNPLACED,
    Cell,
    Placed,
    bucket_of,
    in_order,
    joined,
    places_of,
    rectangles,
    summed,
)
from search.query import FootageSum, HourCoverage, SegmentQuery
from search.sqlite import filters, pages

_COLUMNS = "camera, hour, covered, bytes, segments, held, gaps"
_KEEP = f"INSERT OR REPLACE INTO hours ({_COLUMNS}, place, mixed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_NO_GAPS = "{}"


def answer(connection: sqlite3.Connection, query: SegmentQuery) -> tuple[HourCoverage, ...]:
    """Coverage per camera and UTC hour: settled hours from storage, the others computed."""
    within = stretch.whole_hours(query.span)
    found = filters.hours_matching(connection, query)
    if found is None:
        return ()
    inside = found.cameras_alone.also("hour >= ? AND hour < ?", within.start, within.end)
    sql = f"SELECT camera, hour FROM stale_hours WHERE {inside.sql}"  # noqa: S608
    stale = {(row[0], row[1]) for row in connection.execute(sql, inside.values)}
    uncertain = set(stale)
    kept: list[HourCoverage] = []
    condition = inside
    if found.places is not None:
        condition = inside.also("(mixed = 1 OR place IN (SELECT value FROM json_each(?)))", found.places)
    sql = f"SELECT {_COLUMNS}, mixed FROM hours WHERE {condition.sql} ORDER BY camera, hour"  # noqa: S608
    for camera, hour, covered, size, segments, held, gaps, mixed in connection.execute(sql, condition.values):
        cell = (camera, hour)
        if stale and cell in stale:
            continue
        if mixed and found.places is not None:
            uncertain.add(cell)
            continue
        kept.append(
            HourCoverage(
                camera=camera, hour=hour, covered=covered, bytes=size, segments=segments, held=held,
                gaps=_gaps(gaps),
            )
        )  # fmt: skip
    computed: list[HourCoverage] = []
    for part in rectangles(uncertain):
        computed += compute(connection, replace(query, span=part.span, cameras=part.cameras))
    return joined(kept, computed)


def footage_sums(
    connection: sqlite3.Connection, query: SegmentQuery, step: int, origin: int
) -> tuple[FootageSum, ...]:
    """The footage of these hours by bucket, added up in SQL where the hours are settled."""
    within = stretch.whole_hours(query.span)
    found = filters.hours_matching(connection, query)
    if found is None:
        return ()
    if found.places is not None:
        return summed(answer(connection, query), step, origin)
    inside = found.cameras_alone.also("hour >= ? AND hour < ?", within.start, within.end)
    sql = f"SELECT camera, hour FROM stale_hours WHERE {inside.sql}"  # noqa: S608
    stale = [(row[0], row[1]) for row in connection.execute(sql, inside.values)]
    first = bucket_of(within.start, step, origin)
    sql = (
        f"SELECT camera, ? + (hour - ?) / ? * ?, sum(covered) FROM hours WHERE {inside.sql} "  # noqa: S608
        "GROUP BY 1, 2"
    )
    parts: list[tuple[str, int, int]] = connection.execute(
        sql, (first, first, step, step, *inside.values)
    ).fetchall()
    kept = "SELECT camera, hour, covered FROM hours WHERE camera = ? AND hour = ?"
    for cell in stale:
        for camera, hour, covered in connection.execute(kept, cell):
            parts.append((camera, bucket_of(hour, step, origin), -covered))
    for part in rectangles(stale):
        computed = compute(connection, replace(query, span=part.span, cameras=part.cameras))
        parts += ((one.camera, bucket_of(one.hour, step, origin), one.covered) for one in computed)
    return in_order(parts)


def compute(connection: sqlite3.Connection, query: SegmentQuery) -> Sequence[HourCoverage]:
    """The same, computed from segments and gaps; the span begins and ends on an hour."""
    found = pages.stretches(connection, query, f"camera, run, start / {HOUR}")
    return stretch.hour_coverage(
        found,
        pages.gaps(connection, query),
        query.span,
        lambda one: pages.pieces(connection, query, one),
    )


def settle(connection: sqlite3.Connection, limit: int, *, before: int | None = None) -> int:
    """Compute and store up to ``limit`` stale cells, inside a write transaction; returns their number.

    With ``before`` only hours that begin before it: hours that are still being recorded would soon be
    stale again.
    """
    if before is None:
        found = connection.execute("SELECT camera, hour FROM stale_hours LIMIT ?", (limit,))
    else:
        found = connection.execute(
            "SELECT camera, hour FROM stale_hours WHERE hour < ? LIMIT ?", (before, limit)
        )
    cells: list[Cell] = found.fetchall()
    for part in rectangles(cells):
        places = places_of(_placed(connection, part))
        connection.executemany(
            _KEEP,
            (
                (
                    one.camera, one.hour, one.covered, one.bytes, one.segments, one.held,
                    json.dumps(one.gaps, separators=(",", ":")) if one.gaps else _NO_GAPS,
                    *_place(places.get((one.camera, one.hour), UNPLACED)),
                )
                for one in _replacing(connection, part)
            ),
        )  # fmt: skip
    connection.executemany("DELETE FROM stale_hours WHERE camera = ? AND hour = ?", cells)
    return len(cells)


def _replacing(connection: sqlite3.Connection, part: SegmentQuery) -> Sequence[HourCoverage]:
    """The cells of a query to be stored; cells without any record are deleted."""
    connection.executemany(
        "DELETE FROM hours WHERE camera = ? AND hour >= ? AND hour < ?",
        ((camera, part.span.start, part.span.end) for camera in part.cameras or ()),
    )
    return compute(connection, part)


def _place(place: int | None) -> tuple[int | None, int]:
    return (None, 1) if place is None else (place or None, 0)


def _placed(connection: sqlite3.Connection, part: SegmentQuery) -> Iterable[Placed]:
    for one in pages.stretches(connection, part, f"camera, run, start / {HOUR}"):
        yield Placed(one.camera, one.span, one.least_place, one.greatest_place)
    yield from pages.placed_gaps(connection, part)


def _gaps(text: str) -> dict[GapCause, int]:
    if text == _NO_GAPS:
        return {}
    return {GapCause(cause): length for cause, length in json.loads(text).items()}
