"""The list of policies, from the index. What destroys, keeps or explains reads the ledger."""

from archive.lifecycle.retention.service import PolicyRecord, record_of
from archive.model.retention import KIND, from_state
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed.newest import read_newest
from archive.records.indexed.pages import Page, every, newest_first
from archive.records.indexed.walk import MOST


def all_policies(index: RecordIndex) -> Page[PolicyRecord]:
    """Every policy that ever existed, by scope id; all are on one page, for a city has one for each scope.

    Raises:
        IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(record: Record) -> PolicyRecord:
        return record_of(*read_newest(record, from_state))

    query = RecordQuery(kind=KIND)
    found = every(lambda cursor: newest_first(index, query, read, limit=MOST, cursor=cursor))
    return Page(sorted(found.items, key=lambda one: one.policy.scope.id), None, found.as_of)
