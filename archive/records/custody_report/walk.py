"""The acts on an item or by a person, by a walk over the stored objects: what the index is compared with.

It reads every custody object of the hours asked about, so it costs what they hold and not what it returns.
"""

import heapq
import threading
from collections.abc import Iterator
from concurrent.futures import Executor

from archive import keys
from archive.attended import each
from archive.persons import same_person
from archive.ports import Stores
from archive.records import custody
from archive.records.custody_report.asked import CLOCK_SLACK, Asked, belongs, is_wanted
from archive.records.custody_report.items import Item, Stream, touching
from archive.records.indexed.line import Line, line_of_entry, line_of_event
from archive.records.indexed.streams import ABOUT_FOOTAGE
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import HOUR, hour_of


class CustodyWalk:
    """Reads the custody record of one archive from its objects alone. Thread-safe.

    ``pool`` fetches objects in parallel from a store behind a network; None for folders.
    """

    def __init__(self, stores: Stores, ledger: Ledger, *, pool: Executor | None = None) -> None:
        self._stores = stores
        self._ledger = ledger
        self._pool = pool
        self._guard = threading.Lock()
        self._heads = {kind: StrictHeads(ledger, stores.records, kind) for kind in ABOUT_FOOTAGE}

    def lines(self, asked: Asked) -> Iterator[Line]:
        """Every act of the query, in order of time.

        Raises:
            IntegrityError: ``custody_form``, ``ledger_broken``: the record cannot be read; no part of it is
                silently left out.
        """
        return heapq.merge(self._events(asked), self._entries(asked), key=lambda line: line.position)

    # -- events ----------------------------------------------------------------------------------------

    def _events(self, asked: Asked) -> Iterator[Line]:
        """Events in order of time: an hour is complete once the next hour has been read."""
        waiting: list[Line] = []
        hour = hour_of(asked.span.start)
        for stored in custody.read_stored(self._stores.records, asked.span, pool=self._pool):
            if stored.hour > hour:
                hour = stored.hour
                settled = hour - HOUR  # a batch may be filed under the hour after its events' own
                yield from sorted(
                    (line for line in waiting if line.at < settled), key=lambda line: line.position
                )
                waiting = [line for line in waiting if line.at >= settled]
            line = line_of_event(stored)
            if belongs(asked, line):
                waiting.append(line)
        waiting.sort(key=lambda line: line.position)
        yield from waiting

    # -- ledger ----------------------------------------------------------------------------------------

    def _entries(self, asked: Asked) -> Iterator[Line]:
        item = asked.item
        entries = self._of_person(asked) if item is None else self._of_item(item)
        found = [
            line_of_entry(entry)
            for entry in entries
            if entry.at in asked.span and (not asked.person or same_person(entry.actor, asked.person))
        ]
        found = [line for line in found if is_wanted(asked, line.type)]
        found.sort(key=lambda line: line.position)
        return iter(found)

    def _of_item(self, item: Item) -> Iterator[Entry]:
        streams: dict[Stream, None] = dict.fromkeys(item.streams)
        if item.camera:
            for heads in self._heads.values():
                with self._guard:
                    known = tuple(heads.refresh().values())
                streams.update(dict.fromkeys(touching(known, item.camera, item.footage)))
        for kind, name in streams:
            yield from each(self._ledger.history(kind, name))

    def _of_person(self, asked: Asked) -> Iterator[Entry]:
        """Entries stored since the span began; an entry is never stored before it is made."""
        since = asked.span.start - CLOCK_SLACK
        for listed in each(self._stores.records.list("ledger/")):
            if listed.stored_at >= since:
                yield self._ledger.entry(*keys.parse_ledger_key(listed.key))
