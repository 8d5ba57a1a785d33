"""Objects that cannot be read, as the index knows them: an answer that may lack them is refused."""

from collections.abc import Iterable

from archive import keys
from archive.canonical import sha256_hex
from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed.entries import STREAM, stream_name
from archive.records.indexed.terms import term
from archive.records.indexed.walk import each_record
from archive.timespan import HOUR, Timespan, hour_of

UNREAD = "unread"
"""The kind of their records."""
_MISSING = "ledger_broken"
"""The code of an entry that is missing before a later one of its stream."""
_SOURCE, _KIND, _CODE = "source", "kind", "code"
_CUSTODY, _LEDGER = "custody", "ledger"
_FAR = (1 << 53) - 1
_WORDS = 200
"""Words of one query."""
_LONGEST = 120
"""Characters of an id that is spelled out."""


def unread_custody(key: str, hour: int, error: ArchiveError) -> Record:
    """The record of a custody object that cannot be read, filed under that hour."""
    return _record(key, hour, error, frozenset({term(_SOURCE, _CUSTODY)}))


def unread_entry(key: str, stored_at: int, error: ArchiveError) -> Record:
    """The record of a ledger entry that cannot be read, or is missing before one stored at that time."""
    found = {term(_SOURCE, _LEDGER), term(_CODE, error.code)}
    try:
        kind, entity, _ = keys.parse_ledger_key(key)
        found |= {term(_KIND, kind), term(STREAM, stream_name(kind, entity))}
    except Malformed:
        pass  # no stream can have it: it concerns questions about people alone
    return _record(key, stored_at, error, frozenset(found))


def missing_entries() -> RecordQuery:
    """The records of entries that are missing before a later one: they may turn up."""
    return RecordQuery(kind=UNREAD, terms=(term(_SOURCE, _LEDGER), term(_CODE, _MISSING)))


def refuse_unread_custody(index: RecordIndex, span: Timespan) -> None:
    """Refuse an answer about the custody of a span if an object of its hours cannot be read.

    Raises:
        IntegrityError: the code of the object, such as ``custody_form``.
    """
    # A batch is filed under the hour of its flush, which may be the next hour.
    hours = Timespan(hour_of(span.start), span.end + HOUR)
    _refuse(index, RecordQuery(kind=UNREAD, terms=(term(_SOURCE, _CUSTODY),), span=hours))


def refuse_unread_ledger(index: RecordIndex, since: int) -> None:
    """Refuse an answer about entries stored since then if one cannot be read. Raises IntegrityError."""
    span = Timespan(min(since, _FAR - 1), _FAR)
    _refuse(index, RecordQuery(kind=UNREAD, terms=(term(_SOURCE, _LEDGER),), span=span))


def refuse_unread_streams(
    index: RecordIndex, streams: Iterable[tuple[str, str]], kinds: Iterable[str] = ()
) -> None:
    """Refuse an answer about these streams, and all of these kinds, if an entry cannot be read.

    Raises:
        IntegrityError: the code of the entry, such as ``bad_entry``.
    """
    words = sorted(
        {
            *(term(STREAM, stream_name(kind, entity)) for kind, entity in streams),
            *(term(_KIND, one) for one in kinds),
        }
    )
    if len(words) > _WORDS and not _any_of_ledger(index):
        return
    for at in range(0, len(words), _WORDS):
        some = frozenset(words[at : at + _WORDS])
        _refuse(index, RecordQuery(kind=UNREAD, any_of=(some,)))


def refuse_unread_heads(index: RecordIndex, kinds: Iterable[str]) -> None:
    """Refuse a list of the newest states of these kinds if the newest entry of a stream cannot be read.

    An entry that is unreadable or missing before a newer one that is in the index changes no list.

    Raises:
        IntegrityError: as :func:`refuse_unread_streams`.
    """
    words = frozenset(term(_KIND, one) for one in kinds)
    for found in each_record(index, RecordQuery(kind=UNREAD, any_of=(words,))):
        kind, entity, version = keys.parse_ledger_key(str(found.body["key"]))
        known = index.record(kind, entity)
        if known is None or int(known.body["version"]) <= version:
            raise _unreadable(found)


def _any_of_ledger(index: RecordIndex) -> bool:
    """Whether any entry is set aside: one question, where a camera may have thousands of streams."""
    return bool(index.find_records(RecordQuery(kind=UNREAD, terms=(term(_SOURCE, _LEDGER),)), limit=1))


def _record(key: str, at: int, error: ArchiveError, words: frozenset[str]) -> Record:
    # A name that is no custody object's and no entry's may be longer than a record's id can be.
    name = key if len(key) <= _LONGEST else f"sha256:{sha256_hex(key.encode())}"
    body = {"key": key, "code": error.code, "message": error.message[:1000]}
    # So that an object filed under an impossible time can be set aside like any other.
    when = min(max(at, 0), _FAR - 1)
    return Record(kind=UNREAD, id=name, version=1, at=when, terms=words, body=body)


def _refuse(index: RecordIndex, query: RecordQuery) -> None:
    for found in index.find_records(query, limit=1):
        raise _unreadable(found)


def _unreadable(found: Record) -> IntegrityError:
    return IntegrityError(
        f"{found.body['key']} cannot be read: {found.body['message']}",
        code=str(found.body["code"]),
        hint="Call the auditor: saksi log verify and saksi archive check say what is damaged.",
    )
