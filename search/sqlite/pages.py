"""Queries in SQL: pages of segments in order, sums by run, gap records."""

import heapq
import sqlite3
from collections.abc import Iterator
from itertools import islice

from archive.model.gap import Gap
from archive.timespan import Timespan
from search.hours import Placed
from search.paging import Position
from search.query import Pause, SegmentQuery
from search.sqlite import filters, rows
from search.sqlite.rows import Row
from search.stretch import Stretch

_MERGED = 200
"""Up to this many cameras are walked side by side; with more, the walk is over time and picks cameras."""

_SUMS = (
    "camera, run, min(start), max(until), count(*), min(seq), max(seq), sum(until - start), "
    "sum(size), sum(held), min(ifnull(place, 0)), max(ifnull(place, 0)), "
    "CASE WHEN count(uncertainty) = count(*) THEN max(uncertainty) END"
)


def page(
    connection: sqlite3.Connection, query: SegmentQuery, after: Position | None, limit: int
) -> list[Row]:
    """Rows of matches in order of (start, camera, run, seq), after a position; ``limit`` at most.

    Cameras are walked side by side, each in the order of its index, so the cost of a page depends only on
    its rows, however rare the cameras are in the span.
    """
    found = filters.segments_matching(connection, query, after)
    if found is None:
        return []
    sql = (
        f"SELECT {rows.SEGMENT_COLUMNS} FROM segments WHERE {{}} "  # noqa: S608
        "ORDER BY start, camera, run, seq LIMIT ?"
    )
    if found.cameras is None or len(found.cameras) > _MERGED:
        whole = found.in_time
        return connection.execute(sql.format(whole.sql), (*whole.values, limit)).fetchall()
    walks = []
    for camera in found.cameras:
        of_camera = found.condition.also("camera = ?", camera)
        walks.append(connection.execute(sql.format(of_camera.sql), (*of_camera.values, limit)))
    return list(islice(heapq.merge(*walks, key=_order), limit))


def _order(row: Row) -> Position:
    camera, run, seq, start = row[:4]
    return start, camera, run, seq


def stretches(connection: sqlite3.Connection, query: SegmentQuery, by: str) -> list[Stretch]:
    """Sums over the matching segments, by camera and run or by further columns."""
    found = filters.segments_matching(connection, query)
    if found is None:
        return []
    condition = found.by_camera
    sql = f"SELECT {_SUMS} FROM segments WHERE {condition.sql} GROUP BY {by}"  # noqa: S608
    return [
        Stretch(
            camera=row[0],
            run=row[1],
            span=Timespan(row[2], row[3]),
            segments=row[4],
            first_seq=row[5],
            last_seq=row[6],
            duration=row[7],
            size=row[8],
            held=row[9],
            least_place=row[10],
            greatest_place=row[11],
            uncertainty_us=row[12],
        )
        for row in connection.execute(sql, condition.values)
    ]


def pieces(connection: sqlite3.Connection, query: SegmentQuery, one: Stretch) -> Iterator[Timespan]:
    """The span of each segment of a stretch that matches the query."""
    found = filters.segments_matching(connection, query)
    if found is None:
        return iter(())
    condition = found.condition.also("run = ? AND seq BETWEEN ? AND ?", one.run, one.first_seq, one.last_seq)
    sql = f"SELECT start, until FROM segments WHERE camera = ? AND {condition.sql}"  # noqa: S608
    return (Timespan(*row) for row in connection.execute(sql, (one.camera, *condition.values)))


def pauses(connection: sqlite3.Connection, query: SegmentQuery) -> tuple[Pause, ...]:
    """Pauses that matching segments state, ordered by camera, start and run."""
    found = filters.segments_matching(connection, query)
    if found is None:
        return ()
    condition = found.by_camera
    sql = f"SELECT camera, run, start, pauses FROM segments WHERE pauses IS NOT NULL AND {condition.sql}"  # noqa: S608
    stated = [one for row in connection.execute(sql, condition.values) for one in rows.pauses(row)]
    return tuple(sorted(stated, key=lambda one: (one.camera, one.span, one.run)))


def gaps(connection: sqlite3.Connection, query: SegmentQuery) -> tuple[Gap, ...]:
    """Gap records that overlap the span, ordered by start."""
    found = filters.gaps_matching(connection, query)
    if found is None:
        return ()
    condition = found.by_camera
    sql = f"SELECT {rows.GAP_COLUMNS} FROM gaps WHERE {condition.sql} ORDER BY start, camera, gap"  # noqa: S608
    return tuple(rows.gap(row) for row in connection.execute(sql, condition.values))


def placed_gaps(connection: sqlite3.Connection, query: SegmentQuery) -> Iterator[Placed]:
    """The parts of gap records inside the span, with their places."""
    found = filters.gaps_matching(connection, query)
    if found is None:
        return
    condition = found.by_camera
    sql = f"SELECT camera, start, until, ifnull(place, 0) FROM gaps WHERE {condition.sql}"  # noqa: S608
    for camera, start, until, place in connection.execute(sql, condition.values):
        within = Timespan(max(start, query.span.start), min(until, query.span.end))
        yield Placed(camera, within, place, place)


def cameras(connection: sqlite3.Connection, query: SegmentQuery) -> tuple[str, ...]:
    """Cameras with a segment or a gap record that matches."""
    found: set[str] = set()
    for table, matching in (("segments", filters.segments_matching), ("gaps", filters.gaps_matching)):
        filtered = matching(connection, query)
        if filtered is not None:
            condition = filtered.by_camera
            sql = f"SELECT DISTINCT camera FROM {table} WHERE {condition.sql}"  # noqa: S608
            found.update(row[0] for row in connection.execute(sql, condition.values))
    return tuple(sorted(found))
