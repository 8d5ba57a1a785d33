"""The list of accounts, from the index. What decides about accounts, and every sign-in, reads the ledger."""

from archive.model.user import KIND, User, from_state
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed.newest import Newest, read_newest
from archive.records.indexed.pages import Page, every, newest_first
from archive.records.indexed.walk import MOST

_LEFT_OUT = {"subject": "", "epoch": 0}
"""What the index does not keep of an account, because no list shows it."""


def all_users(index: RecordIndex) -> Page[tuple[User, Newest]]:
    """Every account by id, with its newest entry; all are on one page, for a city has some thousands.

    ``subject`` and ``epoch`` are not those of the account: who needs them reads the ledger.

    Raises:
        IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(record: Record) -> tuple[User, Newest]:
        return read_newest(record, lambda state: from_state(record.id, {**state, **_LEFT_OUT}))

    query = RecordQuery(kind=KIND)
    found = every(lambda cursor: newest_first(index, query, read, limit=MOST, cursor=cursor))
    return Page(sorted(found.items, key=lambda one: one[0].id), None, found.as_of)
