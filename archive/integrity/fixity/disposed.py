"""Destruction on record: the segments that disposition lists name.

A list is written before any of its segments is destroyed, and counts only if the ledger binds its hash: in a
disposition's stream, or in that of a break-glass order in work. A segment that a closed disposition kept,
because it was held or locked, does not count as destroyed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.lifecycle.breakglass import service as breakglass
from archive.lifecycle.disposition.listing import Doomed, read_kept, read_list
from archive.model import disposition as dispositions
from archive.model.disposition import Disposition
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import Timespan, hour_of


@dataclass(frozen=True, slots=True)
class _Touched:
    """A list, and the hours that it touches."""

    list_of: Disposition
    hours: frozenset[int]


class Disposed:
    """Answers whether a segment was destroyed on record. Not thread-safe.

    A list is read once to learn which hours it touches, and again when one of them is checked; the keys of
    one hour are cached.
    """

    def __init__(self, records: ObjectStore, ledger: Ledger) -> None:
        self._records = records
        self._dispositions = StrictHeads(ledger, records, dispositions.KIND)
        self._orders = StrictHeads(ledger, records, breakglass.KIND)
        self._touched: dict[tuple[str, int], _Touched] = {}
        self._hour: int | None = None
        self._keys: frozenset[str] = frozenset()

    def among(self, hour: int, missing: set[str]) -> set[str]:
        """Those of the keys, all of one hour, that were destroyed on record.

        Raises:
            IntegrityError, NotFound: a list is altered or lost; nothing may be concluded.
        """
        if self._hour != hour or not missing <= self._keys:
            self._hour, self._keys = hour, self._of_hour(hour)
        return missing & self._keys

    def over(self, camera: str, span: Timespan) -> Iterator[Doomed]:
        """The segments of a camera over a span that were destroyed on record, or may have been by now.

        Raises:
            IntegrityError, NotFound: as :meth:`among`.
        """
        for _, found in self._lists():
            if found.span.overlaps(span):
                for one in self._destroyed(found):
                    if one.camera == camera and one.span.overlaps(span):
                        yield one

    def _of_hour(self, hour: int) -> frozenset[str]:
        self._learn()
        found: set[str] = set()
        for touched in self._touched.values():
            if hour in touched.hours:
                destroyed = self._destroyed(touched.list_of)
                found.update(one.key for one in destroyed if hour_of(one.span.start) == hour)
        return frozenset(found)

    def _learn(self) -> None:
        current: dict[tuple[str, int], _Touched] = {}
        for source in self._lists():
            name, found = source
            known = self._touched.get(name)
            if known is None:
                hours = frozenset(hour_of(one.span.start) for one in self._destroyed(found))
                known = _Touched(found, hours)
            current[name] = known
        self._touched = current

    def _lists(self) -> Iterator[tuple[tuple[str, int], Disposition]]:
        # Orders first: an order that ends has its disposition's entry by then, so its list is in one of both.
        orders = tuple(self._orders.refresh().values())
        for entry in self._dispositions.refresh().values():
            yield (entry.id, entry.version), dispositions.from_state(entry.id, entry.state)
        for entry in orders:
            order = breakglass.from_state(entry.id, entry.state)
            if order.in_work is not None:
                yield (entry.id, entry.version), order.in_work

    def _destroyed(self, found: Disposition) -> Iterator[Doomed]:
        """Each segment that the disposition destroyed, or may have destroyed by now."""
        kept = {one.key for one in read_kept(self._records, found)}
        for one in read_list(self._records, found).segments:
            if one.key not in kept:
                yield one
