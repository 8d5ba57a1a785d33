"""Writes records and their terms, inside the caller's transaction; questions are in :mod:`.record_pages`.

Words are numbers in the inverted index, and so are kinds and records. Term 0 is on every record of a kind.
Words that no record has any longer are removed with the last one: they may name a person.

A database that is filled has no index by id at first. Ids are random, so keeping that index in order would
write a page of it for nearly every record, and the more records there are, the slower it would become. Until
:func:`make_unique` records are only added; then only the one that counts stays of those with one id.
"""

import json
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from archive.integrity.rebuild import RecordRow
from archive.timespan import HOUR

EVERY = 0
"""The number of the term that every record has."""

_PUT = """
INSERT INTO records (record, kind, at, version, touches_from, touches_to, terms, id, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPLACE = """
UPDATE records SET at = ?, version = ?, touches_from = ?, touches_to = ?, terms = ?, body = ? WHERE record = ?
"""
_PUT_TERM = "INSERT INTO record_terms (kind, term, at, record, hour, hours) VALUES (?, ?, ?, ?, ?, ?)"
_DROP_TERM = "DELETE FROM record_terms WHERE kind = ? AND term = ? AND at = ? AND record = ?"
_KNOWN = """
SELECT r.id, record, version, at, touches_from, touches_to, terms
FROM json_each(?) AS asked CROSS JOIN records AS r ON kind = ? AND r.id = asked.value
"""
_IS_UNIQUE = """SELECT 1 FROM pragma_index_list('records') WHERE "unique" LIMIT 1"""
_BY_ID = "CREATE UNIQUE INDEX records_by_id ON records (kind, id)"
_REPLACED = """
SELECT record FROM (
  SELECT record, row_number() OVER (PARTITION BY kind, id ORDER BY version DESC, record DESC) AS place
  FROM records
) WHERE place > 1
"""
_DROPPED = """
SELECT record, kind, at, terms FROM records WHERE record IN (SELECT value FROM json_each(?))
"""
_AT_ONCE = 10_000
_FORGET = """
DELETE FROM terms WHERE term = ? AND NOT EXISTS (
  SELECT 1 FROM record_kinds AS k JOIN record_terms AS t ON t.kind = k.kind AND t.term = terms.term
)
"""
_PUT_MARK = """
INSERT INTO record_marks (name, key, number) VALUES (?, ?, ?)
ON CONFLICT (name, key) DO UPDATE SET number = excluded.number WHERE excluded.number > record_marks.number
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """A stored record, without its body."""

    record: int
    version: int
    at: int
    touches: tuple[int | None, int | None]
    terms: tuple[int, ...]


def put(connection: sqlite3.Connection, rows: Iterable[RecordRow]) -> None:
    """Write records; a version older than the kept one is passed over."""
    by_kind: dict[str, dict[str, RecordRow]] = defaultdict(dict)
    for row in rows:
        newest_by_id = by_kind[row[0]]
        newest = newest_by_id.get(row[1])
        if newest is None or row[2] >= newest[2]:
            newest_by_id[row[1]] = row
    unique = _is_unique(connection)
    for name, newest_by_id in by_kind.items():
        kind = _kind_made(connection, name)
        known = _known(connection, kind, newest_by_id) if unique else {}
        _put_kind(connection, kind, newest_by_id, known)


def make_unique(connection: sqlite3.Connection) -> None:
    """Keep of the records with one id the one that counts, then make the index by id; idempotent.

    The greatest version counts, and among equal ones the last that was put, as in :func:`put`.
    """
    if _is_unique(connection):
        return
    try:
        connection.execute(_BY_ID)
    except sqlite3.IntegrityError:
        replaced = [number for (number,) in connection.execute(_REPLACED)]
        for at in range(0, len(replaced), _AT_ONCE):
            _drop(connection, replaced[at : at + _AT_ONCE])
        connection.execute(_BY_ID)


def remove(connection: sqlite3.Connection, kind_name: str, ids: Iterable[str]) -> None:
    """Remove records; unknown ones are ignored."""
    kind = kind_of(connection, kind_name)
    if kind is None:
        return
    _drop(connection, [one.record for one in _known(connection, kind, ids).values()])


def keep_marks(connection: sqlite3.Connection, name: str, marks: Mapping[str, int]) -> None:
    """Keep numbers by key; a smaller number than the kept one changes nothing."""
    connection.executemany(_PUT_MARK, ((name, key, number) for key, number in marks.items()))


def marks(connection: sqlite3.Connection, name: str) -> dict[str, int]:
    """The numbers kept under a name."""
    return dict(connection.execute("SELECT key, number FROM record_marks WHERE name = ?", (name,)).fetchall())


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many records there are, by kind."""
    sql = "SELECT name, count(*) FROM records JOIN record_kinds USING (kind) GROUP BY kind"
    return dict(connection.execute(sql).fetchall())


def kind_of(connection: sqlite3.Connection, name: str) -> int | None:
    """The number of a kind, or None if no record of it was ever put."""
    row = connection.execute("SELECT kind FROM record_kinds WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def numbers_of(connection: sqlite3.Connection, words: Iterable[str]) -> dict[str, int]:
    """The numbers of words; words that no record has are left out."""
    sql = "SELECT word, term FROM json_each(?) AS asked CROSS JOIN terms ON word = asked.value"
    return dict(connection.execute(sql, (_json(words),)).fetchall())


def unpacked(terms: bytes) -> tuple[int, ...]:
    """The numbers of a record's terms."""
    return struct.unpack(f"<{len(terms) // 4}I", terms)


def _packed(terms: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(terms)}I", *terms)


def _kind_made(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO record_kinds (name) VALUES (?)", (name,))
    (found,) = connection.execute("SELECT kind FROM record_kinds WHERE name = ?", (name,)).fetchone()
    return int(found)


def _is_unique(connection: sqlite3.Connection) -> bool:
    """Whether there is an index by id; in an older database it is part of the table."""
    return connection.execute(_IS_UNIQUE).fetchone() is not None


def _drop(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    found = [
        (record, kind, at, unpacked(terms))
        for record, kind, at, terms in connection.execute(_DROPPED, (json.dumps(numbers),))
    ]
    connection.executemany(
        _DROP_TERM,
        ((kind, term, at, record) for record, kind, at, terms in found for term in (EVERY, *terms)),
    )
    connection.executemany("DELETE FROM records WHERE record = ?", ((one[0],) for one in found))
    _forget(connection, {term for one in found for term in one[3]})


def _put_kind(
    connection: sqlite3.Connection,
    kind: int,
    newest: Mapping[str, RecordRow],
    known: Mapping[str, _Known],
) -> None:
    numbers = _numbers_made(connection, {word for row in newest.values() for word in row.terms})
    (last,) = connection.execute("SELECT ifnull(max(record), 0) FROM records").fetchone()
    added: list[tuple[object, ...]] = []
    changed: list[tuple[object, ...]] = []
    put: dict[int, list[tuple[int, int, int, int, int | None, int | None]]] = defaultdict(list)
    dropped: list[tuple[int, int, int, int]] = []
    lost: set[int] = set()
    for _, name, version, at, words, touches, body in newest.values():
        terms = sorted(map(numbers.__getitem__, words))
        edges = (None, None) if touches is None else touches
        hour, hours = _hours(touches)
        before = known.get(name)
        if before is None:
            last += 1
            for term in (EVERY, *terms):
                put[term].append((kind, term, at, last, hour, hours))
            added.append((last, kind, at, version, *edges, _packed(terms), name, body))
            continue
        if version < before.version:
            continue
        had, has = {EVERY, *before.terms}, {EVERY, *terms}
        stays = had & has if (at, edges) == (before.at, before.touches) else frozenset[int]()
        dropped += [(kind, term, before.at, before.record) for term in had - stays]
        for term in has - stays:
            put[term].append((kind, term, at, before.record, hour, hours))
        lost |= had - has
        changed.append((at, version, *edges, _packed(terms), body, before.record))
    connection.executemany(_DROP_TERM, dropped)
    connection.executemany(_PUT, added)
    connection.executemany(_REPLACE, changed)
    # Term by term: rows of one term are neighbours in the table, and mostly in order of time here.
    connection.executemany(_PUT_TERM, chain.from_iterable(put[term] for term in sorted(put)))
    _forget(connection, lost)


def _hours(touches: tuple[int, int] | None) -> tuple[int | None, int | None]:
    """The first UTC hour of a span, and how many follow."""
    if touches is None:
        return None, None
    first = touches[0] // HOUR
    return first, (touches[1] - 1) // HOUR - first


def _known(connection: sqlite3.Connection, kind: int, ids: Iterable[str]) -> dict[str, _Known]:
    return {
        name: _Known(record, version, at, (start, end), unpacked(terms))
        for name, record, version, at, start, end, terms in connection.execute(_KNOWN, (_json(ids), kind))
    }


def _numbers_made(connection: sqlite3.Connection, words: set[str]) -> dict[str, int]:
    found = numbers_of(connection, words)
    missing = sorted(words - found.keys())
    if missing:
        (last,) = connection.execute("SELECT ifnull(max(term), 0) FROM terms").fetchone()
        made = dict(zip(missing, range(last + 1, last + 1 + len(missing)), strict=True))
        connection.executemany("INSERT INTO terms (word, term) VALUES (?, ?)", made.items())
        found |= made
    return found


def _forget(connection: sqlite3.Connection, terms: Iterable[int]) -> None:
    connection.executemany(_FORGET, ((term,) for term in terms))


def _json(texts: Iterable[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
