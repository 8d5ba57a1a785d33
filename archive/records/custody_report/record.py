"""Finds the acts on an item or by a person: from the custody events and the ledger, in order of time.

Custody events record what was done and tried, reading included. Ledger entries record what was decided and
the result, by whatever route it was requested. Both are read, since neither is complete. Events are read hour
by hour, and only hours of the requested span.
"""

import heapq
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from archive import keys
from archive.attended import each
from archive.clock import Clock
from archive.errors import Malformed
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.persons import same_person
from archive.ports import Stores
from archive.records import custody
from archive.records.custody import StoredEvent
from archive.records.custody_report.items import Item, Stream, find_item, touching
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, HOUR, Timespan, hour_of

DEFAULT_DAYS = 7
MAX_DAYS = 366
MAX_LINES = 1000
_ABOUT_FOOTAGE = ("hold", "request", "evidence")
_CURSOR = re.compile(r"(\d{1,18})-([0-9a-f]{32})-(\d{1,18})\Z", re.ASCII)
_CLOCK_SLACK = HOUR
"""How far the store's clock may be behind this machine's."""


class Source(StrEnum):
    """The source of a line."""

    CUSTODY = "custody"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One act of a report. ``proof`` names the stored line or entry behind it (``saksi log prove``)."""

    at: int
    id: str
    source: Source
    type: str
    actor: Actor
    purpose: str
    outcome: Outcome
    objects: tuple[str, ...]
    details: Mapping[str, Any]
    proof: str

    @property
    def position(self) -> tuple[int, str]:
        """Its position in every report: by time, then by id."""
        return self.at, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query: acts on ``item`` (None: any), by ``person`` ("": anyone), within ``span``."""

    span: Timespan
    item: Item | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines; ``next`` is the cursor of the next page, None at the end."""

    lines: tuple[Line, ...]
    next: str | None


class CustodyRecord:
    """The custody record of one archive, for reading. Thread-safe.

    ``pool`` fetches objects in parallel from a store behind a network; None for folders.
    """

    def __init__(self, stores: Stores, ledger: Ledger, clock: Clock, *, pool: Executor | None = None) -> None:
        self._stores = stores
        self._ledger = ledger
        self._clock = clock
        self._pool = pool
        self._guard = threading.Lock()
        self._heads = {kind: StrictHeads(ledger, stores.records, kind) for kind in _ABOUT_FOOTAGE}

    def item(self, text: str, *, footage: Timespan | None = None) -> Item:
        """The item that a text names; ``footage`` narrows a camera to a time.

        Raises:
            NotFound, Malformed: as :func:`archive.records.custody_report.items.find_item`.
        """
        return find_item(text, self._ledger, self._stores, footage=footage)

    def asked(
        self,
        *,
        item: Item | None = None,
        person: str = "",
        start: int | None = None,
        end: int | None = None,
    ) -> Asked:
        """Make a query: acts on an item, by a person, or by a person on an item.

        Without ``start`` it begins when the item came into being, or else seven days before the end; without
        ``end`` it ends now.

        Raises:
            Malformed: ``nothing_asked``, ``empty_span``; ``span_too_long`` beyond 366 days.
        """
        if item is None and not person:
            raise Malformed(
                "neither an item nor a person is named",
                code="nothing_asked",
                hint="Name an item, a person, or both.",
            )
        until = self._clock.now() + 1 if end is None else end
        if start is None:
            begun = item.begins_at if item is not None else None
            start = until - DEFAULT_DAYS * DAY if begun is None else max(begun, until - MAX_DAYS * DAY)
        if until - start > MAX_DAYS * DAY:
            raise Malformed(
                "the span is too long for one report",
                code="span_too_long",
                hint=f"Request at most {MAX_DAYS} days at a time.",
            )
        return Asked(span=Timespan(start, until), item=item, person=person)

    def lines(self, asked: Asked, *, after: tuple[int, str] | None = None) -> Iterator[Line]:
        """Every act of the query, in order of time; with ``after`` only those after that position.

        Raises:
            IntegrityError: ``custody_form``, ``ledger_broken``: the record cannot be read; no part of it is
                silently left out.
        """
        span = asked.span
        if after is not None:
            if after[0] >= span.end:
                return iter(())
            span = Timespan(max(span.start, after[0]), span.end)
        narrowed = replace(asked, span=span)
        merged = heapq.merge(self._events(narrowed), self._entries(narrowed), key=lambda line: line.position)
        return merged if after is None else (line for line in merged if line.position > after)

    def page(self, asked: Asked, *, limit: int, cursor: str = "") -> Page:
        """At most ``limit`` lines after a cursor. Raises as :meth:`lines`, and Malformed ``bad_cursor``."""
        after = None
        if cursor:
            # Every page keeps the first page's span: reading is an act too, and would come later.
            at_text, name, end = _numbers(cursor)
            after = (int(at_text), name)
            asked = replace(asked, span=Timespan(min(asked.span.start, int(end) - 1), int(end)))
        found: list[Line] = []
        for line in self.lines(asked, after=after):
            if len(found) == limit:
                at, name = found[-1].position
                return Page(tuple(found), f"{at}-{name}-{asked.span.end}")
            found.append(line)
        return Page(tuple(found), None)

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
            if _belongs(asked, stored.event):
                waiting.append(_of_event(stored))
        waiting.sort(key=lambda line: line.position)
        yield from waiting

    # -- ledger ----------------------------------------------------------------------------------------

    def _entries(self, asked: Asked) -> Iterator[Line]:
        item = asked.item
        entries = self._of_person(asked) if item is None else self._of_item(item)
        found = [
            _of_entry(entry)
            for entry in entries
            if entry.at in asked.span and (not asked.person or same_person(entry.actor, asked.person))
        ]
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
        since = asked.span.start - _CLOCK_SLACK
        for listed in each(self._stores.records.list("ledger/")):
            if listed.stored_at >= since:
                yield self._ledger.entry(*keys.parse_ledger_key(listed.key))


def _belongs(asked: Asked, event: CustodyEvent) -> bool:
    if asked.person and not same_person(event.actor.id, asked.person) and not _was_tried(asked, event):
        return False
    return asked.item is None or asked.item.concerns(event)


def _was_tried(asked: Asked, event: CustodyEvent) -> bool:
    """Whether strangers tried to sign in to the person's account; it is on record under that account."""
    return event.type == "sign_in" and asked.item is None and asked.person in event.objects


def _of_event(stored: StoredEvent) -> Line:
    event = stored.event
    return Line(
        at=event.at,
        id=event.id,
        source=Source.CUSTODY,
        type=event.type,
        actor=event.actor,
        purpose=event.purpose,
        outcome=event.outcome,
        objects=event.objects,
        details=event.details,
        proof=f"{stored.key}#{stored.line}",
    )


def _of_entry(entry: Entry) -> Line:
    details: dict[str, Any] = {"version": entry.version, "sha256": entry.digest}
    if entry.reason:
        details["reason"] = entry.reason
    return Line(
        at=entry.at,
        id=entry.entry_id,
        source=Source.LEDGER,
        type=entry.action,
        actor=Actor(id=entry.actor),
        purpose="",
        outcome=Outcome.DONE,
        objects=(entry.id,),
        details=details,
        proof=entry.key,
    )


def _numbers(cursor: str) -> tuple[str, str, str]:
    """Time, id and end of the span, as :meth:`CustodyRecord.page` wrote them into a cursor."""
    match = _CURSOR.match(cursor)
    if match is None:
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    return match[1], match[2], match[3]
