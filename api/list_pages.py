"""Pages of a list that is read whole: a cursor names the last item of the page before.

For lists of the ledger's heads, whose order is that of what was read; what an index holds is paged there
(:mod:`search.paging`).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from archive.errors import Malformed

T = TypeVar("T")


def page_of(
    found: Sequence[T], cursor: str, limit: int, id_of: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """At most ``limit`` items behind the one that ``cursor`` names, or from the first where it is "".

    With them the cursor of the page behind; None where there is none. ``found`` is what the reader may see:
    the cursor of an item that is not theirs is refused as that of one that never was.

    Raises:
        Malformed: ``bad_cursor``: no item of the list.
    """
    begin = 0
    if cursor:
        at = next((n for n, item in enumerate(found) if id_of(item) == cursor), None)
        if at is None:
            raise Malformed("the cursor is not known", code="bad_cursor", hint="Begin again without one.")
        begin = at + 1
    page = found[begin : begin + limit]
    return page, id_of(page[-1]) if begin + limit < len(found) else None
