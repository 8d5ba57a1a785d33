"""Questions about records: the inverted index is walked in order, along the filter with the fewest records.

A filter is a set of terms, of which a record must have one. The other filters are looked up for each record
on the walk, so the cost follows the rarest filter within the asked span, however many records the others
have. Records of one instant are together on the walk, but not by id: they are read together and then sorted.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from archive.ports import Record, RecordOrder, RecordQuery
from archive.timespan import HOUR, Timespan
from search.checks import at_bounds
from search.sqlite import record_rows, rows
from search.sqlite.filters import Condition

_CAPS = (1_000, 10_000)
"""How far filters are counted, to find the one with the fewest records."""

_COLUMNS = "record, id, version, at, touches_from, touches_to, terms, body"
_COUNT = """
SELECT count(*) FROM (
  SELECT 1 FROM record_terms WHERE kind = ? AND term = ? AND at BETWEEN ? AND ? LIMIT ?
)
"""
_REACH = """
SELECT at FROM record_terms WHERE kind = ? AND term = ? AND at BETWEEN ? AND ? ORDER BY at {} LIMIT 1 OFFSET ?
"""
_HAS = (
    "EXISTS (SELECT 1 FROM record_terms AS t WHERE t.kind = w.kind AND t.term {}"
    " AND t.at = w.at AND t.record = w.record)"
)
_TOUCHES = (
    "(w.hour IS NULL OR w.hour <= ? AND w.hour + w.hours >= ? AND EXISTS ("
    "SELECT 1 FROM records AS r WHERE r.record = w.record AND r.touches_from < ? AND r.touches_to > ?))"
)

_Place = tuple[int, int]
"""A record on a walk: its ``at`` and its number."""


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: int
    filters: tuple[tuple[int, ...], ...]
    first: int
    last: int
    is_newest_first: bool


def page(connection: sqlite3.Connection, query: RecordQuery, limit: int) -> list[Record]:
    """The first ``limit`` matches of a query that :func:`search.checks.check_record_query` let pass."""
    asked = _asked(connection, query)
    if asked is None:
        return []
    found: list[Record] = []
    # One more than asked: the walk begins with the record of the position itself.
    for part in _whole_instants(connection, asked, query.touching, limit + 1):
        read = _read(connection, query.kind, (number for _, number in part))
        read.sort(key=lambda one: one.position, reverse=asked.is_newest_first)
        found += (one for one in read if _is_past(one.position, query))
        if len(found) >= limit:
            break
    return found[:limit]


def count(connection: sqlite3.Connection, query: RecordQuery, most: int) -> int:
    """How many records pass the filters of a query, counted up to ``most`` on the walk."""
    asked = _asked(connection, replace(query, after=None))
    if asked is None:
        return 0
    return sum(1 for _ in islice(_walk(connection, asked, query.touching), most))


def one(connection: sqlite3.Connection, kind_name: str, name: str) -> Record | None:
    """A record by its id, or None."""
    sql = "SELECT record FROM records WHERE kind = ? AND id = ?"
    kind = record_rows.kind_of(connection, kind_name)
    row = None if kind is None else connection.execute(sql, (kind, name)).fetchone()
    return None if row is None else _read(connection, kind_name, row)[0]


def _is_past(position: tuple[int, str], query: RecordQuery) -> bool:
    """Whether a record comes after the query's position, in the query's order."""
    if query.after is None:
        return True
    return position > query.after if query.order is RecordOrder.OLDEST_FIRST else position < query.after


def _asked(connection: sqlite3.Connection, query: RecordQuery) -> _Asked | None:
    """The query in numbers, with the filter to walk along first; None if nothing can match."""
    kind = record_rows.kind_of(connection, query.kind)
    first, last = at_bounds(query)
    if kind is None or first > last:
        return None
    numbers = record_rows.numbers_of(connection, {*query.terms, *chain.from_iterable(query.any_of)})
    filters: list[tuple[int, ...]] = []
    for words in (*((term,) for term in query.terms), *query.any_of):
        filters.append(tuple(sorted(numbers[word] for word in words if word in numbers)))
    if not all(filters):
        return None
    there = [_there(connection, kind, terms, first, last) for terms in filters]
    if not all(there):
        return None
    asked = _Asked(kind, tuple(there), first, last, query.order is RecordOrder.NEWEST_FIRST)
    walked = _rarest(connection, asked)
    ordered = (*there[walked : walked + 1], *there[:walked], *there[walked + 1 :])
    return replace(asked, filters=ordered or ((record_rows.EVERY,),))


def _there(
    connection: sqlite3.Connection, kind: int, terms: Iterable[int], first: int, last: int
) -> tuple[int, ...]:
    """The terms that a record of the span has."""
    return tuple(
        term for term in terms if connection.execute(_COUNT, (kind, term, first, last, 1)).fetchone()[0]
    )


def _rarest(connection: sqlite3.Connection, asked: _Asked) -> int:
    """The filter with the fewest records in the span, as far as they are counted.

    Of filters with very many, the one that reaches farthest from the start of the walk with as many records:
    it is the rarest there, and counting all of them would cost more than the walk.
    """
    if len(asked.filters) < 2:
        return 0
    kind, first, last = asked.kind, asked.first, asked.last
    for cap in _CAPS:
        counts = []
        for terms in asked.filters:
            count = 0
            for term in terms:
                count += connection.execute(_COUNT, (kind, term, first, last, cap - count)).fetchone()[0]
                if count >= cap:
                    break
            counts.append(count)
        if min(counts) < cap:
            return counts.index(min(counts))
    reaches = [_reach(connection, asked, terms) for terms in asked.filters]
    return reaches.index(max(reaches))


def _reach(connection: sqlite3.Connection, asked: _Asked, terms: Iterable[int]) -> int:
    """How far (µs) from the start of the walk the last counted record of a filter is, at most."""
    sql = _REACH.format("DESC" if asked.is_newest_first else "ASC")
    reaches = []
    for term in terms:
        values = (asked.kind, term, asked.first, asked.last, _CAPS[-1] - 1)
        found = connection.execute(sql, values).fetchone()
        if found is not None:  # this term alone has as many
            reaches.append(asked.last - found[0] if asked.is_newest_first else found[0] - asked.first)
    return min(reaches, default=asked.last - asked.first)


def _whole_instants(
    connection: sqlite3.Connection, asked: _Asked, touching: Timespan | None, size: int
) -> Iterator[list[_Place]]:
    """The walk in parts of about ``size``; of one instant a part has all records or none."""
    left = asked
    while left.first <= left.last:
        part = list(islice(_walk(connection, left, touching), size))
        if len(part) < size:
            yield part
            return
        at = part[-1][0]
        # Not the rest of the walk: the next match may be far away, and only those of this instant are needed.
        same = _walk(connection, replace(left, first=at, last=at), touching)
        yield [*(place for place in part if place[0] != at), *same]
        left = replace(left, last=at - 1) if left.is_newest_first else replace(left, first=at + 1)


def _walk(connection: sqlite3.Connection, asked: _Asked, touching: Timespan | None) -> Iterator[_Place]:
    """Records that pass every filter, in order of ``at``."""
    along, *others = asked.filters
    passing = Condition("w.kind = ? AND w.term = ? AND w.at BETWEEN ? AND ?", ())
    for terms in others:
        if len(terms) == 1:
            passing = passing.also(_HAS.format("= ?"), terms[0])
        else:
            passing = passing.also(_HAS.format("IN (SELECT value FROM json_each(?))"), json.dumps(terms))
    if touching is not None:
        start, end = touching.start, touching.end
        passing = passing.also(_TOUCHES, (end - 1) // HOUR, start // HOUR, end, start)
    down = "DESC" if asked.is_newest_first else "ASC"
    sql = (
        f"SELECT w.at, w.record FROM record_terms AS w WHERE {passing.sql} "  # noqa: S608 - words of ours
        f"ORDER BY w.at {down}, w.record {down}"
    )
    walks = [
        connection.execute(sql, (asked.kind, term, asked.first, asked.last, *passing.values))
        for term in along
    ]
    if len(walks) == 1:
        yield from walks[0]
        return
    before: _Place | None = None
    for place in heapq.merge(*walks, reverse=asked.is_newest_first):
        if place != before:  # it has several terms of the set
            yield place
        before = place


def _read(connection: sqlite3.Connection, kind: str, numbers: Iterable[int]) -> list[Record]:
    sql = f"SELECT {_COLUMNS} FROM records WHERE record IN (SELECT value FROM json_each(?))"  # noqa: S608
    found = connection.execute(sql, (json.dumps(list(numbers)),)).fetchall()
    terms = {row[0]: record_rows.unpacked(row[6]) for row in found}
    words = dict(
        connection.execute(
            "SELECT term, word FROM terms WHERE term IN (SELECT value FROM json_each(?))",
            (json.dumps(list({*chain.from_iterable(terms.values())})),),
        ).fetchall()
    )
    return [
        Record(
            kind=kind,
            id=name,
            version=version,
            at=at,
            terms=frozenset(words[term] for term in terms[number]),
            touches=None if start is None else Timespan(start, end),
            body=rows.to_state(body),
        )
        for number, name, version, at, start, end, _, body in found
    ]
