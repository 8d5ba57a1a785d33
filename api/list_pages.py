"""Pages of a list that is read whole: a cursor names the last item of the previous page.

For lists that are short and in another order than the index has them: accounts by id. The index pages its
own results (:mod:`archive.records.indexed.pages`, :mod:`search.paging`).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from archive.errors import Malformed

T = TypeVar("T")


def page_of(
    found: Sequence[T], cursor: str, limit: int, id_of: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """At most ``limit`` items after the one that ``cursor`` names, or from the first if it is "".

    With them the cursor of the next page, or None. ``found`` is what the reader may see: the cursor of an
    item that they may not see is refused like that of an item that does not exist.

    Raises:
        Malformed: ``bad_cursor``: the list has no such item.
    """
    begin = 0
    if cursor:
        at = next((n for n, item in enumerate(found) if id_of(item) == cursor), None)
        if at is None:
            raise Malformed(
                "the cursor is not known", code="bad_cursor", hint="Start again without a cursor."
            )
        begin = at + 1
    page = found[begin : begin + limit]
    return page, id_of(page[-1]) if begin + limit < len(found) else None
