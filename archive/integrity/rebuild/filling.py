"""Fills a fresh index with the records of custody and ledger: the part of a rebuild that is about people.

Custody objects are read in worker processes if there are many; this process puts the records meanwhile. The
fresh index keeps, hour by hour, how many objects it has, so that a rebuild that was killed goes on there.
"""

import marshal
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from itertools import chain
from typing import Any, Protocol

from archive.errors import ArchiveError, IntegrityError, Malformed, Refused, Unavailable
from archive.integrity.rebuild.follow import LedgerFollower
from archive.integrity.rebuild.listing import Hour, custody_hours
from archive.integrity.rebuild.putting import Followed, Putting, ReadObject, found_in, put_each
from archive.integrity.rebuild.report import LeftOut, Progress, RebuildReport
from archive.integrity.rebuild.rows import RecordRow, body_text
from archive.integrity.rebuild.workers import WORTH, Chunk, RawObject, in_workers
from archive.ports import ObjectStore, Record, RecordIndex
from archive.prefetch import in_order
from archive.records.indexed import marks
from archive.records.indexed.events import ACT, records_of_batch
from archive.timespan import parse_instant

_CHUNK = 2 << 20
"""Bytes of custody objects that are read together."""
_AHEAD = 24
_BATCH = 10_000
"""Records of one write to the fresh index: a transaction writes each page once, however often it changed."""

Row = tuple[str, tuple[str, str] | None, list[tuple[Any, ...]]]
"""A custody object in flat form: its key, the code and message of its error, and its records as rows."""


class Fresh(RecordIndex, Protocol):
    """A fresh index."""

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """Index very many records, stored when this returns."""
        ...


def fill_ledger(
    records: ObjectStore, target: RecordIndex, report: RebuildReport, tell: Progress, pool: Executor
) -> None:
    """Index every ledger entry that the target lacks. Raises Unavailable, Refused."""
    followed = Followed()
    LedgerFollower(records, target, pool=pool).turn(followed, tell)
    _count(followed, report)


def fill_custody(
    records: ObjectStore,
    target: Fresh,
    report: RebuildReport,
    tell: Progress,
    pool: Executor,
    *,
    worth: int = WORTH,
) -> None:
    """Index every custody object that the target lacks; workers read what comes after ``worth`` bytes.

    Raises:
        Unavailable, Refused: a store or the index does not answer, or denies access; ``rebuild_worker``.
    """
    followed = Followed()
    filling = _Hours(target, Putting(target, followed))
    with closing(_read(records, filling.wanted(custody_hours(records, None)), pool, worth)) as chunks:
        for rows in chunks:
            filling.take(rows)
            tell("custody events", followed.events)
    filling.end()
    _count(followed, report)


class _Hours:
    """Collects what was read until it is worth a write, hour by hour, and counts the objects of each hour."""

    def __init__(self, target: Fresh, putting: Putting) -> None:
        self._target = target
        self._putting = putting
        self._waiting: dict[int, list[ReadObject[RecordRow]]] = {}
        self._records = 0
        self._done: Counter[int] = Counter()

    def wanted(self, hours: Iterator[Hour]) -> Iterator[str]:
        """The names of the objects in hours that the target does not have wholly."""
        day, known = "", dict[str, int]()
        for hour in hours:
            if hour.start is None:
                continue  # no reader looks there; archive check names it
            name = marks.day_name(hour.start)
            if name != day:
                day, known = name, dict(self._target.record_marks(name))
            if known.get(marks.hour_key(hour.start)) != len(hour.objects):
                yield from (one.key for one in hour.objects)

    def take(self, rows: Sequence[Row]) -> None:
        """Take objects that were read, in the order of their names."""
        for key, trouble, flat in rows:
            found: Sequence[RecordRow] | ArchiveError = (
                list(map(RecordRow._make, flat))
                if trouble is None
                else IntegrityError(trouble[1], code=trouble[0])
            )
            self._waiting.setdefault(_hour_of(key), []).append(ReadObject(key, found))
            self._records += len(flat)
            if self._records >= _BATCH:
                self._put()

    def end(self) -> None:
        """Put the rest."""
        self._put()

    def _put(self) -> None:
        waiting, self._waiting, self._records = self._waiting, {}, 0
        objects = chain.from_iterable(waiting.values())
        rows = list(found_in(objects))
        self._putting.custody_is_put(waiting, put_each(rows, self._target.load_records, batch=_BATCH))
        days: dict[str, dict[str, int]] = {}
        for hour, read in waiting.items():
            self._done[hour] += len(read)
            days.setdefault(marks.day_name(hour), {})[marks.hour_key(hour)] = self._done[hour]
        for name, numbers in days.items():
            self._target.keep_record_marks(name, numbers)
        newest = max(waiting, default=0)
        for hour in [one for one in self._done if one < newest]:
            del self._done[hour]  # names come in order: no object of that hour is left


def _read(
    records: ObjectStore, names: Iterator[str], pool: Executor, worth: int
) -> Generator[list[Row], None, None]:
    def fetch(name: str) -> RawObject:
        try:
            return name, records.get(name)
        except (Unavailable, Refused):
            raise
        except ArchiveError:
            return name, b""  # is set aside as an object that is cut off

    return in_workers(
        _chunks(in_order(fetch, names, pool, ahead=_AHEAD)),
        _rows,
        lambda chunk: (_packed, (chunk,)),
        marshal.loads,
        worth=worth,
    )


def _chunks(objects: Iterator[RawObject]) -> Iterator[list[RawObject]]:
    found: list[RawObject] = []
    size = 0
    for key, data in objects:
        found.append((key, data))
        size += len(data)
        if size >= _CHUNK:
            yield found
            found, size = [], 0
    if found:
        yield found


def _packed(chunk: Chunk) -> bytes:
    """As :func:`_rows`, in Python's marshal form: it passes between our own processes alone."""
    return marshal.dumps(_rows(chunk))


def _rows(chunk: Chunk) -> list[Row]:
    return [_row(key, data) for key, data in chunk]


def _row(key: str, data: bytes) -> Row:
    try:
        found = records_of_batch(key, data)
    except IntegrityError as error:
        return key, (error.code, error.message), []
    return key, None, [tuple(_flat(one)) for one in found]


def _flat(record: Record) -> RecordRow:
    span = record.touches
    edges = None if span is None else (span.start, span.end)
    try:
        body = body_text(record.body)
    except Malformed:
        body = ""  # the index refuses it, and the object is set aside
    return RecordRow(ACT, record.id, record.version, record.at, tuple(record.terms), edges, body)


def _hour_of(key: str) -> int:
    _, year, month, day, hour, _ = key.split("/")
    return parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z")


def _count(followed: Followed, report: RebuildReport) -> None:
    report.custody_events += followed.events
    report.ledger_entries += followed.entries
    named = {one.object for one in report.left_out}
    # A stream whose document was left out is named already.
    report.left_out += [one for one in followed.left_out if named.isdisjoint({one.object, _stream(one)})]


def _stream(left_out: LeftOut) -> str:
    """The name by which a rebuild names the ledger stream of an object."""
    return left_out.object.rpartition("/")[0]
