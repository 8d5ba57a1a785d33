"""Lists of packages, from the index. Workers, sealing and a download read the ledger."""

from collections.abc import Callable

from archive.model.evidence import EvidenceRecord, EvidenceStatus, from_state
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed.newest import read_newest
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.streams import EVIDENCE, STATUS
from archive.records.indexed.terms import term


def everyone(_record: EvidenceRecord) -> bool:
    """The reader who may see every package."""
    return True


def list_packages(
    index: RecordIndex,
    status: EvidenceStatus | None = None,
    *,
    limit: int,
    cursor: str = "",
    is_shown: Callable[[EvidenceRecord], bool] = everyone,
) -> Page[EvidenceRecord]:
    """At most ``limit`` packages after a cursor, the newest request first; with a status only those with it.

    ``is_shown`` says which the reader may see. The index does not keep which worker has a package.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(found: Record) -> EvidenceRecord | None:
        record, _ = read_newest(found, from_state)
        return record if status in (None, record.status) and is_shown(record) else None

    words = () if status is None else (term(STATUS, status.value),)
    return newest_first(index, RecordQuery(kind=EVIDENCE, terms=words), read, limit=limit, cursor=cursor)
