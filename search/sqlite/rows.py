"""Converts rows of the tables to and from the archive's values."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from archive.canonical import JsonObject
from archive.integrity.rebuild import SegmentRow
from archive.model.camera import Place
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry
from archive.timespan import Timespan
from search.query import Pause
from search.sqlite import stale

Row = tuple[Any, ...]

SEGMENT_COLUMNS = (
    "camera, run, seq, start, until, media_duration, sha256, size, header_bytes, codec, gop, version, held,"
    " uncertainty"
)
GAP_COLUMNS = "gap, camera, recorder, start, until, cause, ingested_at"
RUN_COLUMNS = "run, camera, recorder, start, until, segments, reason, ingested_at"

_PUT_SEGMENT = f"""
INSERT OR REPLACE INTO segments ({SEGMENT_COLUMNS}, recorder, place, pauses)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608
_PUT_GAP = f"""
INSERT INTO gaps ({GAP_COLUMNS}, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (gap) DO UPDATE SET
  camera = excluded.camera, recorder = excluded.recorder, start = excluded.start, until = excluded.until,
  cause = excluded.cause, ingested_at = excluded.ingested_at, place = excluded.place
WHERE excluded.until >= gaps.until
"""  # noqa: S608
_PUT_RUN = f"INSERT OR REPLACE INTO runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_RAISE_HIGH_WATER = """
INSERT INTO high_waters (camera, until) VALUES (?, ?)
ON CONFLICT (camera) DO UPDATE SET until = excluded.until WHERE excluded.until > high_waters.until
"""
PUT_DOCUMENT = """
INSERT INTO documents (kind, id, version, state) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, state = excluded.state
WHERE excluded.version > documents.version
"""
PUT_HEARTBEAT = """
INSERT INTO heartbeats (recorder, at, state) VALUES (?, ?, ?)
ON CONFLICT (recorder) DO UPDATE SET at = excluded.at, state = excluded.state
WHERE excluded.at >= heartbeats.at
"""
PUT_COMPARED = """
INSERT INTO compared (one, at) VALUES (1, ?)
ON CONFLICT (one) DO UPDATE SET at = excluded.at WHERE excluded.at > compared.at
"""
PUT_REBUILD_STATE = "INSERT OR REPLACE INTO rebuild_state (one, boot, state) VALUES (1, ?, ?)"
PUT_CURSOR = """
INSERT INTO cursors (recorder, batch) VALUES (?, ?)
ON CONFLICT (recorder) DO UPDATE SET batch = excluded.batch WHERE excluded.batch > cursors.batch
"""


def remove_segments(connection: sqlite3.Connection, ids: Iterable[tuple[str, int]]) -> None:
    """Remove segments by run and seq."""
    ids = list(ids)
    stale.mark(connection, stale.cells_of_segments(connection, ids))
    connection.executemany("DELETE FROM segments WHERE run = ? AND seq = ?", ids)


def mark_segments(connection: sqlite3.Connection, ids: Iterable[tuple[str, int]], *, held: int) -> None:
    """Set whether segments are held, 1 or 0, by run and seq."""
    ids = list(ids)
    stale.mark(connection, stale.cells_of_segments(connection, ids))
    connection.executemany(
        "UPDATE segments SET held = ? WHERE run = ? AND seq = ?", ((held, run, seq) for run, seq in ids)
    )


def put_entries(connection: sqlite3.Connection, entries: Iterable[IndexEntry]) -> None:
    """Write leaves inside the caller's transaction."""
    places: dict[Place, int] = {}
    segments: list[Row] = []
    gaps: list[Row] = []
    runs: list[Row] = []
    ends: dict[str, int] = {}
    stood: set[tuple[int, str]] = set()
    for entry in entries:
        leaf, span = entry.leaf, entry.leaf.span
        if isinstance(leaf, Run):
            runs.append(
                (
                    leaf.run,
                    leaf.camera,
                    leaf.recorder,
                    span.start,
                    span.end,
                    leaf.segments,
                    leaf.reason.value,
                    leaf.ingested_at,
                )
            )
            continue
        place = None if entry.place is None else _place_id(connection, entry.place, places)
        if place is not None:
            stood.add((place, leaf.camera))
        ends[leaf.camera] = max(span.end, ends.get(leaf.camera, span.end))
        if isinstance(leaf, Gap):
            gaps.append(
                (
                    leaf.gap,
                    leaf.camera,
                    leaf.recorder,
                    span.start,
                    span.end,
                    leaf.cause.value,
                    leaf.ingested_at,
                    place,
                )
            )
        else:
            segments.append(
                (
                    leaf.camera,
                    leaf.run,
                    leaf.seq,
                    span.start,
                    span.end,
                    leaf.media_duration,
                    bytes.fromhex(leaf.sha256),
                    leaf.size,
                    leaf.header_bytes,
                    leaf.codec,
                    leaf.gop,
                    None if entry.version == leaf.sha256 else entry.version,
                    int(entry.held),
                    leaf.clock.bound_us,
                    leaf.recorder,
                    place,
                    _pauses_text(leaf.pauses),
                )
            )
    stale.mark_written(connection, segments, gaps)
    connection.executemany("INSERT OR IGNORE INTO camera_places (place, camera) VALUES (?, ?)", stood)
    connection.executemany(_PUT_SEGMENT, segments)
    connection.executemany(_PUT_GAP, gaps)
    connection.executemany(_PUT_RUN, runs)
    connection.executemany(_RAISE_HIGH_WATER, ends.items())


def load_segments(connection: sqlite3.Connection, loaded: Iterable[SegmentRow]) -> None:
    """Write very many segments inside the caller's transaction; hours are not marked."""
    places: dict[Place, int] = {}
    numbers: dict[int, int] = {}
    stood: set[tuple[int, str]] = set()
    ends: dict[str, int] = {}
    written: list[Row] = []
    for (
        camera, recorder, run, seq, start, end, media_duration, sha256, size, header_bytes, codec, gop,
        uncertainty, version, held, place, pauses,
    ) in loaded:  # fmt: skip
        number = None
        if place is not None:
            # Rows share a few place objects that live as long as they do: compare by identity, which is fast.
            number = numbers.get(id(place))
            if number is None:
                number = numbers[id(place)] = _place_id(connection, place, places)
            stood.add((number, camera))
        if end > ends.get(camera, -1):
            ends[camera] = end
        written.append(
            (
                camera, run, seq, start, end, media_duration, bytes.fromhex(sha256), size, header_bytes,
                codec, gop, None if version == sha256 else version, 1 if held else 0, uncertainty,
                recorder, number, _pauses_text(pauses),
            )
        )  # fmt: skip
    connection.executemany("INSERT OR IGNORE INTO camera_places (place, camera) VALUES (?, ?)", stood)
    connection.executemany(_PUT_SEGMENT, written)
    connection.executemany(_RAISE_HIGH_WATER, ends.items())


def _place_id(connection: sqlite3.Connection, place: Place, known: dict[Place, int]) -> int:
    found = known.get(place)
    if found is not None:
        return found
    row = (float(place.lat), float(place.lon), place.kecamatan, place.kelurahan, place.owner.value)
    connection.execute(
        "INSERT OR IGNORE INTO places (lat, lon, kecamatan, kelurahan, owner) VALUES (?, ?, ?, ?, ?)", row
    )
    (found,) = connection.execute(
        "SELECT id FROM places WHERE (lat, lon, kecamatan, kelurahan, owner) = (?, ?, ?, ?, ?)", row
    ).fetchone()
    known[place] = found
    return int(found)


def segment(row: Row) -> SegmentRef:
    """A row of :data:`SEGMENT_COLUMNS`."""
    return SegmentRef(
        camera=row[0],
        run=row[1],
        seq=row[2],
        span=Timespan(row[3], row[4]),
        media_duration=row[5],
        sha256=row[6].hex(),
        size=row[7],
        header_bytes=row[8],
        codec=row[9],
        gop=row[10],
        version=row[6].hex() if row[11] is None else row[11],
        held=bool(row[12]),
        uncertainty_us=row[13],
    )


def _pauses_text(pauses: tuple[tuple[int, int], ...]) -> str | None:
    return json.dumps(pauses) if pauses else None


def pauses(row: Row) -> Iterator[Pause]:
    """The pauses of a row of camera, run, start and pauses."""
    camera, run_id, start, text = row
    for since, until in json.loads(text):
        yield Pause(camera, run_id, Timespan(start + since, start + until))


def gap(row: Row) -> Gap:
    """A row of :data:`GAP_COLUMNS`."""
    return Gap(
        gap=row[0],
        camera=row[1],
        recorder=row[2],
        span=Timespan(row[3], row[4]),
        cause=GapCause(row[5]),
        ingested_at=row[6],
    )


def run(row: Row) -> Run:
    """A row of :data:`RUN_COLUMNS`."""
    return Run(
        run=row[0],
        camera=row[1],
        recorder=row[2],
        span=Timespan(row[3], row[4]),
        segments=row[5],
        reason=RunEnd(row[6]),
        ingested_at=row[7],
    )


def to_text(state: JsonObject) -> str:
    """A state as the stored JSON text."""
    return json.dumps(state, separators=(",", ":"))


def to_state(text: str) -> JsonObject:
    """The state of a stored JSON text."""
    state: JsonObject = json.loads(text)
    return state
