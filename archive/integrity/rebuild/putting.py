"""Puts records into an index; what cannot be read or indexed is set aside, on record, beside the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Malformed, Refused, Unavailable
from archive.integrity.rebuild.listing import Stream
from archive.integrity.rebuild.report import LeftOut
from archive.integrity.rebuild.rows import RecordRow
from archive.ports import ObjectStore, ObjectVersion, Record, RecordIndex
from archive.records.indexed.entries import record_of_entry
from archive.records.indexed.events import ACT, records_of_batch
from archive.records.indexed.streams import records_of_streams
from archive.records.indexed.unread import UNREAD, unread_custody, unread_entry
from archive.records.ledger.streams import Entry, Ledger
from archive.records.set_aside import take_each

BATCH = 1000
"""Records of one write to the index."""


F = TypeVar("F", Record, RecordRow)


@dataclass(slots=True)
class Followed:
    """What a turn put into the index, and the objects that were set aside; ``forgotten`` acts left it."""

    events: int = 0
    entries: int = 0
    forgotten: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """The number of custody events and ledger entries."""
        return self.events + self.entries


@dataclass(frozen=True, slots=True)
class ReadObject(Generic[F]):
    """A custody object: its events' records or rows, or why it cannot be read."""

    key: str
    found: Sequence[F] | ArchiveError


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """A ledger entry's object, when it was stored, and the entry, or why it cannot be read."""

    key: str
    stored_at: int
    found: Entry | ArchiveError


@dataclass(frozen=True, slots=True)
class ReadStream:
    """The new entries of a ledger stream, oldest first, and the records that rest on the whole stream."""

    stream: Stream
    entries: Sequence[ReadEntry]
    heads: Sequence[Record]


def read_object(records: ObjectStore, key: str) -> ReadObject[Record]:
    """Read one custody object. Raises Unavailable, Refused."""
    try:
        return ReadObject(key, records_of_batch(key, records.get(key)))
    except (Unavailable, Refused):
        raise
    except ArchiveError as error:
        return ReadObject(key, error)


def read_stream(ledger: Ledger, stream: Stream, after: int) -> ReadStream:
    """Read the entries of a stream whose versions are greater than ``after``. Raises Unavailable, Refused."""
    entries = [_read_entry(ledger, stream, version) for version in range(after + 1, stream.newest + 1)]
    readable = [one.found for one in entries if isinstance(one.found, Entry)]
    if not readable:
        return ReadStream(stream, entries, ())
    first = readable[0] if readable[0].version == 1 else _read_entry(ledger, stream, 1).found
    # Of a stream whose first entry is unreadable nobody knows when it began: that entry is set aside.
    heads = records_of_streams(ledger, readable[-1], first) if isinstance(first, Entry) else ()
    return ReadStream(stream, entries, heads)


def _read_entry(ledger: Ledger, stream: Stream, version: int) -> ReadEntry:
    listed = stream.entries.get(version)
    if listed is None:
        key = keys.ledger_key(stream.kind, stream.id, version)
        missing = IntegrityError(f"{stream.kind} {stream.id} lacks version {version}", code="ledger_broken")
        return ReadEntry(key, stream.entries[stream.newest].stored_at, missing)
    try:
        return ReadEntry(listed.key, listed.stored_at, ledger.listed(listed))
    except (Unavailable, Refused):
        raise
    except ArchiveError as error:
        return ReadEntry(listed.key, listed.stored_at, error)


class Putting:
    """Puts what was read into an index, and counts it in a report.

    Each method returns when everything it put can be found. All raise Unavailable or Refused if the index
    does not answer or denies access.
    """

    def __init__(self, index: RecordIndex, report: Followed) -> None:
        self._index = index
        self._report = report

    def custody(self, hour: int, read: Iterable[ReadObject[Record]]) -> None:
        """Put the events of custody objects that are filed under one hour."""
        objects = list(read)
        self.custody_is_put({hour: objects}, self._put(list(found_in(objects))))

    def custody_is_put(
        self, read: Mapping[int, Sequence[ReadObject[F]]], refused: Mapping[tuple[str, str], Malformed]
    ) -> None:
        """Count the events that were put, and set aside objects that are unreadable or were refused.

        ``read`` has the objects by the hour that they are filed under.
        """
        for hour, objects in read.items():
            for each in objects:
                if isinstance(each.found, ArchiveError):
                    self._set_aside(unread_custody(each.key, hour, each.found), each.found)
                    continue
                self._report.events += len(each.found)
                errors = [refused[ACT, one.id] for one in each.found if (ACT, one.id) in refused]
                for error in errors[:1]:
                    self._set_aside(unread_custody(each.key, hour, error), error)

    def streams(self, read: Sequence[ReadStream]) -> frozenset[str]:
        """Put the new entries of ledger streams, then the streams; returns the keys of what was set aside."""
        before = len(self._report.left_out)
        entries = [entry for each in read for entry in each.entries]
        records = [record_of_entry(one.found) for one in entries if isinstance(one.found, Entry)]
        refused = self._put(records)
        for one in entries:
            found = one.found
            error = found if isinstance(found, ArchiveError) else refused.get((ACT, found.entry_id))
            if error is not None:
                self._set_aside(unread_entry(one.key, one.stored_at, error), error)
        refused = self._put([record for each in read for record in each.heads])
        for each in read:
            for error in [refused[one.kind, one.id] for one in each.heads if (one.kind, one.id) in refused]:
                newest = each.entries[-1]
                self._set_aside(unread_entry(newest.key, newest.stored_at, error), error)
        self._report.entries += len(records)
        return frozenset(one.object for one in self._report.left_out[before:])

    def stray(self, listed: ObjectVersion) -> None:
        """Set an object of the ledger's folder aside whose name no entry can have."""
        error = Malformed(f"{listed.key} is no ledger entry", code="bad_key")
        self._set_aside(unread_entry(listed.key, listed.stored_at, error), error)

    def readable(self, record: Record) -> None:
        """Note that an object that was set aside can be read again."""
        self._index.remove_records(UNREAD, [record.id])

    def _set_aside(self, record: Record, error: ArchiveError) -> None:
        self._report.left_out.append(LeftOut(record.body["key"], error.code, error.message))
        self._index.put_records([record])

    def _put(self, records: Sequence[Record]) -> dict[tuple[str, str], Malformed]:
        return put_each(records, self._index.put_records, batch=BATCH)


def found_in(objects: Iterable[ReadObject[F]]) -> Iterator[F]:
    """The records or rows of the objects that can be read."""
    for each in objects:
        if not isinstance(each.found, ArchiveError):
            yield from each.found


def put_each(
    found: Sequence[F], put: Callable[[Sequence[F]], None], *, batch: int
) -> dict[tuple[str, str], Malformed]:
    """Put records in writes of ``batch``; returns the errors of those that are refused, by kind and id."""
    refused: dict[tuple[str, str], Malformed] = {}
    for at in range(0, len(found), batch):
        take_each(found[at : at + batch], put, lambda one, error: refused.update({(one.kind, one.id): error}))
    return refused
