"""Lists of dispositions, from the index. What destroys, closes or checks one reads the ledger."""

from archive.model.disposition import KIND, Cause, Disposition, DispositionStatus, from_state
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed.newest import read_newest
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.streams import STATUS
from archive.records.indexed.terms import term


def list_dispositions(
    index: RecordIndex,
    status: DispositionStatus | None = None,
    cause: Cause | None = None,
    *,
    limit: int,
    cursor: str = "",
) -> Page[Disposition]:
    """At most ``limit`` dispositions after a cursor, the newest first; with filters only those that pass.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(record: Record) -> Disposition | None:
        found, _ = read_newest(record, lambda state: from_state(record.id, state))
        return found if status in (None, found.status) and cause in (None, found.cause) else None

    words = () if status is None else (term(STATUS, status.value),)
    return newest_first(index, RecordQuery(kind=KIND, terms=words), read, limit=limit, cursor=cursor)
