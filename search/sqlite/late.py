"""Notes of the writes to the index in use while a rebuild fills another: kept in order, then replayed.

The last notes are replayed inside a write transaction on the index in use, which also switches the link.
A writer that waited for that transaction checks the link again before it writes (:mod:`.database`), so no
write is lost between the two.

The kinds of notes are ``entry``, ``removal``, ``held``, ``document``, ``cursor``, ``records``,
``record_removal``, ``stream_removal`` and ``record_marks``;
:meth:`search.sqlite.adapter.SqliteIndex.apply` repeats them.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Conflict
from archive.model import leaf as leaves
from archive.model.camera import Place, parse_place
from archive.ports import IndexEntry, Record
from archive.timespan import Timespan

_STEP = 1000


def begin(connection: sqlite3.Connection, generation: str) -> None:
    """From here on note writes, only for this rebuild."""
    connection.execute("DELETE FROM rebuilds")
    connection.execute("DELETE FROM late")
    connection.execute("INSERT INTO rebuilds (generation) VALUES (?)", (generation,))


def end(connection: sqlite3.Connection, generation: str) -> None:
    """Stop noting, unless a later rebuild is running."""
    if connection.execute("DELETE FROM rebuilds WHERE generation = ?", (generation,)).rowcount:
        connection.execute("DELETE FROM late")


def newest(connection: sqlite3.Connection) -> str | None:
    """The database of the newest unfinished rebuild, or None."""
    row = connection.execute("SELECT generation FROM rebuilds").fetchone()
    return None if row is None else str(row[0])


def require(connection: sqlite3.Connection, generation: str) -> None:
    """Check that this is still the newest rebuild. Raises Conflict ``rebuild_superseded``."""
    if connection.execute("SELECT 1 FROM rebuilds WHERE generation = ?", (generation,)).fetchone() is None:
        raise Conflict(
            "a later rebuild took over", code="rebuild_superseded", hint="Let the other rebuild finish."
        )


def note(connection: sqlite3.Connection, kind: str, bodies: Iterable[JsonObject]) -> None:
    """Note a write, inside its own transaction; does nothing while there is no rebuild."""
    if connection.execute("SELECT 1 FROM rebuilds").fetchone() is not None:
        connection.executemany(
            "INSERT INTO late (kind, body) VALUES (?, ?)", ((kind, json.dumps(body)) for body in bodies)
        )


def step(connection: sqlite3.Connection, after: int) -> list[tuple[int, str, JsonObject]]:
    """The next notes in order: number, kind, body."""
    found = connection.execute(
        "SELECT n, kind, body FROM late WHERE n > ? ORDER BY n LIMIT ?", (after, _STEP)
    )
    return [(row[0], row[1], json.loads(row[2])) for row in found]


def entry_to_body(entry: IndexEntry) -> JsonObject:
    """An entry as a note stores it."""
    return {
        "leaf": leaves.to_json(entry.leaf),
        "place": None if entry.place is None else _place_to_body(entry.place),
        "version": entry.version,
        "held": entry.held,
    }


def entry_from_body(body: JsonObject) -> IndexEntry:
    """The entry of a note."""
    place: list[str] | None = body["place"]
    return IndexEntry(
        leaf=leaves.from_json(body["leaf"]),
        place=None if place is None else parse_place(*place),
        version=body["version"],
        held=body["held"],
    )


def records_to_bodies(records: Sequence[Record]) -> Iterator[JsonObject]:
    """Records that were put together, as one note."""
    yield {"records": [_record_to_body(one) for one in records]}


def records_from_body(body: JsonObject) -> list[Record]:
    """The records of a note."""
    return [_record_from_body(one) for one in body["records"]]


def _record_to_body(record: Record) -> JsonObject:
    touches = record.touches
    return {
        "kind": record.kind,
        "id": record.id,
        "version": record.version,
        "at": record.at,
        "terms": sorted(record.terms),
        "touches": None if touches is None else [touches.start, touches.end],
        "body": record.body,
    }


def _record_from_body(body: JsonObject) -> Record:
    touches = body["touches"]
    return Record(
        kind=body["kind"],
        id=body["id"],
        version=body["version"],
        at=body["at"],
        terms=frozenset(body["terms"]),
        touches=None if touches is None else Timespan(*touches),
        body=body["body"],
    )


def _place_to_body(place: Place) -> list[Any]:
    return [
        format(place.lat, "f"), format(place.lon, "f"), place.kecamatan, place.kelurahan, place.owner.value
    ]  # fmt: skip
