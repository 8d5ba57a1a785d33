"""Pages of a list of ledger streams, the newest first, from the index."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from archive.attended import each
from archive.errors import Malformed
from archive.ports import Record, RecordIndex, RecordOrder, RecordQuery
from archive.records.indexed.marks import followed_at
from archive.records.indexed.unread import refuse_unread_heads
from archive.records.indexed.walk import MOST
from archive.timespan import format_instant

T = TypeVar("T")

_CURSOR = re.compile(r"(\d{1,17})-([A-Za-z0-9.-]{1,63})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some streams; ``next`` is the cursor of the next page, None at the end.

    ``as_of`` (µs) is :func:`archive.records.indexed.marks.followed_at` before the index was asked.
    """

    items: Sequence[T]
    next: str | None
    as_of: int | None

    @property
    def as_of_text(self) -> str | None:
        """The same as answers give it."""
        return None if self.as_of is None else format_instant(self.as_of)


def newest_first(
    index: RecordIndex,
    query: RecordQuery,
    read: Callable[[Record], T | None],
    *,
    limit: int,
    cursor: str = "",
    rests_on: Sequence[str] = (),
) -> Page[T]:
    """At most ``limit`` streams after a cursor, by the time of their first entries.

    The query narrows by words. ``read`` reads a record, and returns None for one that does not belong.
    ``rests_on`` are further kinds on which the records rest.

    Raises:
        Malformed: ``bad_cursor``.
        IntegrityError: the newest entry of a stream of these kinds cannot be read, or a stream has no first
            one; no list leaves one out silently.
        Unavailable: ``index_incomplete``, or as the index.
    """
    after = _position(cursor) if cursor else None
    as_of = followed_at(index)
    refuse_unread_heads(index, (query.kind, *rests_on))
    query = replace(query, order=RecordOrder.NEWEST_FIRST, after=after)
    turn = min(limit + 1, MOST)
    found: list[T] = []
    last = (0, "")
    while True:
        records = index.find_records(query, limit=turn)
        for record in each(records):
            item = read(record)
            if item is None:
                continue
            if len(found) == limit:
                return Page(found, f"{last[0]}-{last[1]}", as_of)
            found.append(item)
            last = record.position
        if len(records) < turn:
            return Page(found, None, as_of)
        query, turn = replace(query, after=records[-1].position), MOST


def every(page: Callable[[str], Page[T]]) -> Page[T]:
    """All pages of a list as one, as of the first. ``page`` gives the page after a cursor, first after ""."""
    first = page("")
    items, following = list(first.items), first.next
    while following is not None:
        more = page(following)
        items += more.items
        following = more.next
    return Page(items, None, first.as_of)


def _position(cursor: str) -> tuple[int, str]:
    match = _CURSOR.match(cursor)
    if match is None:
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    return int(match[1]), match[2]
