"""Marks hours stale, in the transaction that changes their records (:mod:`search.sqlite.hours`)."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from archive.timespan import HOUR, Timespan
from search.hours import Cell, cells_of

Row = tuple[Any, ...]

_WHERE_SEGMENT = "SELECT camera, start, until FROM segments WHERE run = ? AND seq = ?"
_WHERE_GAP = "SELECT camera, start, cause, place, until FROM gaps WHERE gap = ?"
_MARK = "INSERT OR IGNORE INTO stale_hours (camera, hour) VALUES (?, ?)"
_MARK_ALL = f"""
INSERT OR IGNORE INTO stale_hours (camera, hour)
SELECT camera, (start / {HOUR}) * {HOUR} FROM segments GROUP BY camera, start / {HOUR}
UNION SELECT camera, ((until - 1) / {HOUR}) * {HOUR} FROM segments
WHERE (until - 1) / {HOUR} > start / {HOUR}
"""  # noqa: S608 - numbers of ours


def mark(connection: sqlite3.Connection, cells: Iterable[Cell]) -> None:
    """Mark cells whose records change."""
    connection.executemany(_MARK, cells)


def mark_all(connection: sqlite3.Connection) -> None:
    """Mark every cell that holds a segment; gaps mark their own when they are written."""
    connection.execute(_MARK_ALL)


def mark_written(connection: sqlite3.Connection, segments: Iterable[Row], gaps: Iterable[Row]) -> None:
    """Mark the cells that these rows of segments and gaps change; call it before they are written."""
    segments = list(segments)
    cells = cells_of_segments(connection, ((row[1], row[2]) for row in segments))
    for row in segments:
        cells.update(cells_of(row[0], Timespan(row[3], row[4])))
    mark(connection, cells | _cells_of_gaps(connection, gaps))


def cells_of_segments(connection: sqlite3.Connection, ids: Iterable[tuple[str, int]]) -> set[Cell]:
    """The cells of segments as stored now."""
    return {
        cell
        for one in ids
        for camera, start, until in connection.execute(_WHERE_SEGMENT, one)
        for cell in cells_of(camera, Timespan(start, until))
    }


def _cells_of_gaps(connection: sqlite3.Connection, told: Iterable[Row]) -> set[Cell]:
    """The cells that change when these gap rows are written."""
    found: set[Cell] = set()
    for row in told:
        gap_id, camera, _, start, until, cause, _, place = row
        span = Timespan(start, until)
        kept = connection.execute(_WHERE_GAP, (gap_id,)).fetchone()
        if kept is not None:
            if kept == (camera, start, cause, place, kept[4]):
                # The same gap, only longer: nothing before its former end changes.
                if until <= kept[4]:
                    continue
                span = Timespan(kept[4], until)
            else:
                found.update(cells_of(kept[0], Timespan(kept[1], kept[4])))
        found.update(cells_of(camera, span))
    return found
