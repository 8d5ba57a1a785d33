"""Lists of integrity incidents, from the index: a page costs what it returns, however many were ever found.

They stand in order of when they were first found, which never changes, so no page repeats or omits one that
somebody closes meanwhile. What decides about incidents reads the ledger
(:mod:`archive.records.integrity_incidents`).
"""

from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed import streams
from archive.records.indexed.newest import read_newest
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.terms import term
from archive.records.integrity_incidents import KIND, IntegrityIncident, IntegrityIncidentStatus, from_state


def list_incidents(
    index: RecordIndex, status: IntegrityIncidentStatus | None, *, limit: int, cursor: str = ""
) -> Page[IntegrityIncident]:
    """At most ``limit`` incidents after a cursor, the newest first; with a status only those that have it.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
        IntegrityError: ``bad_incident``.
    """

    def read(record: Record) -> IntegrityIncident | None:
        state, newest = read_newest(record, lambda state: state)
        found = from_state(record.id, state, newest)
        return found if status in (None, found.status) else None

    words = () if status is None else (term(streams.STATUS, status.value),)
    return newest_first(index, RecordQuery(kind=KIND, terms=words), read, limit=limit, cursor=cursor)
