"""Finds the acts on an item, by a person or of a span, in order of time: custody events and ledger entries.

Custody events record what was done and tried, reading included. Ledger entries record what was decided and
the result, by whatever route it was requested. Both are read, since neither is complete.

The index answers, so a page costs what it returns. Which footage an event states, and which holds, requests
and packages are about a camera's footage, is decided here; the index only narrows.
:class:`~archive.records.custody_report.walk.CustodyWalk` answers the same from the objects alone.
"""

import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from archive.attended import each
from archive.clock import Clock
from archive.errors import Malformed
from archive.persons import person_of
from archive.ports import RecordIndex, RecordQuery, Stores
from archive.records.custody_report.asked import CLOCK_SLACK, belongs, is_wanted
from archive.records.custody_report.asked import Asked as Asked
from archive.records.custody_report.asked import asked_details as asked_details
from archive.records.custody_report.items import Item, Stream, find_item
from archive.records.indexed import events
from archive.records.indexed.entries import STREAM, stream_name
from archive.records.indexed.line import Line as Line
from archive.records.indexed.line import Source as Source
from archive.records.indexed.line import line_of
from archive.records.indexed.marks import followed_at
from archive.records.indexed.streams import ABOUT_FOOTAGE, CAMERA
from archive.records.indexed.terms import any_of, many, term
from archive.records.indexed.unread import (
    refuse_unread_custody,
    refuse_unread_ledger,
    refuse_unread_streams,
)
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, Timespan

DEFAULT_DAYS = 7
MAX_DAYS = 366
MAX_LINES = 1000
_CURSOR = re.compile(r"(\d{1,18})-([0-9a-f]{32})-(\d{1,18})\Z", re.ASCII)
_TURN, _FIRST_TURN, _FASTER = 1000, 100, 4
"""Records of one answer of the index: few at first, so that a report begins at once, then ever more."""
_MANY, _LEAST = 3, 4
"""With more queries than this, each begins with its part of the records, but with no fewer than these."""
_SKEW = MINUTE
"""How far the clocks of two machines may differ; a follower further ahead has a wrong clock."""
_WORDS = 500
"""Streams that one query names."""
_UNSURE = frozenset({many(events.ITEM), many(events.ACCOUNT)})
"""Words of events with very many objects: whether one of them is meant, the event itself says."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines; ``next`` is the cursor of the next page, None at the end.

    ``as_of`` (µs) is :meth:`CustodyRecord.as_of` before the index was asked.
    """

    lines: tuple[Line, ...]
    next: str | None
    as_of: int | None = None


class CustodyRecord:
    """The custody record of one archive, for reading. Thread-safe as its index is."""

    def __init__(
        self,
        stores: Stores,
        ledger: Ledger,
        clock: Clock,
        index: RecordIndex,
        *,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """``settle`` returns once this process's own custody events are in the index."""
        self._stores = stores
        self._ledger = ledger
        self._clock = clock
        self._index = index
        self._settle = settle

    def settle(self) -> None:
        """Return once this process's own events are in the index, or it has taken too long for them."""
        self._settle()

    def as_of(self) -> int | None:
        """The time (µs) from which on acts may still be missing, except this process's own; or None.

        See :func:`archive.records.indexed.marks.followed_at`.
        """
        at = followed_at(self._index)
        return None if at is None or at > self._clock.now() + _SKEW else at

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
        taken_out: bool = False,
    ) -> Asked:
        """Make a query: acts on an item, by a person, or by a person on an item; or everybody's of a span.

        Without ``start`` it begins when the item came into being, or else seven days before the end; without
        ``end`` it ends now.

        Raises:
            Malformed: ``nothing_asked``, ``empty_span``; ``span_too_long`` beyond 366 days.
        """
        if item is None and not person and (start is None or end is None):
            raise Malformed(
                "no item, no person and no span of time is named",
                code="nothing_asked",
                hint="Name an item, a person, or both; or both times, for everybody's acts.",
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
        return Asked(span=Timespan(start, until), item=item, person=person, taken_out=taken_out)

    def lines(
        self, asked: Asked, *, after: tuple[int, str] | None = None, turn: int = _FIRST_TURN
    ) -> Iterator[Line]:
        """Every act of the query, in order of time; with ``after`` only those after that position.

        ``turn`` is how many records the index is first asked for.

        Raises:
            IntegrityError: ``custody_form``, ``bad_entry`` and others: an object that may hold such an act
                cannot be read; no part of the record is silently left out.
            Unavailable: ``index_incomplete``, or as the index.
        """
        self._settle()
        streams = self._readable_streams(asked)
        queries = list(_queries(asked, streams))
        if len(queries) > _MANY:  # each answers before the first line: a camera may have thousands of streams
            turn = max(_LEAST, turn // len(queries))
        found = [self._found(asked, query, after, turn) for query in queries]
        return heapq.merge(*found, key=lambda line: line.position)

    def exceeds(self, asked: Asked, most: int) -> bool:
        """Whether the query has more than ``most`` acts, as far as the index knows without reading them.

        True is certain. False may be wrong where each act must be read: footage of a camera in a span, acts
        on very many objects, and those that took something out. Raises as :meth:`lines`.
        """
        if asked.taken_out:
            return False
        if asked.item is not None and asked.item.footage is not None:
            return False
        self._settle()
        counted = 0
        for query in _queries(asked, self._readable_streams(asked)):
            sure = tuple(frozenset(word for word in words if word not in _UNSURE) for words in query.any_of)
            counted += self._index.count_records(replace(query, any_of=sure), most=most + 1 - counted)
            if counted > most:
                return True
        return False

    def page(self, asked: Asked, *, limit: int, cursor: str = "") -> Page:
        """At most ``limit`` lines after a cursor. Raises as :meth:`lines`, and Malformed ``bad_cursor``."""
        after = None
        as_of = self.as_of()
        if cursor:
            # Every page keeps the first page's span: reading is an act too, and would come later.
            at_text, name, end = _numbers(cursor)
            after = (int(at_text), name)
            asked = replace(asked, span=Timespan(min(asked.span.start, int(end) - 1), int(end)))
        found: list[Line] = []
        for line in self.lines(asked, after=after, turn=min(limit + 1, _TURN)):
            if len(found) == limit:
                at, name = found[-1].position
                return Page(tuple(found), f"{at}-{name}-{asked.span.end}", as_of)
            found.append(line)
        return Page(tuple(found), None, as_of)

    def _found(
        self, asked: Asked, query: RecordQuery, after: tuple[int, str] | None, turn: int
    ) -> Iterator[Line]:
        while True:
            records = self._index.find_records(replace(query, after=after), limit=turn)
            for record in each(records):
                line = line_of(record)
                if is_wanted(asked, line.type) if line.source is Source.LEDGER else belongs(asked, line):
                    yield line
            if len(records) < turn:
                return
            after, turn = records[-1].position, min(_TURN, turn * _FASTER)

    def _streams(self, item: Item | None) -> Sequence[Stream]:
        """The ledger streams whose entries belong to an item."""
        if item is None:
            return ()
        found: dict[Stream, None] = dict.fromkeys(item.streams)
        if item.camera:
            for kind in ABOUT_FOOTAGE:
                found.update(dict.fromkeys(self._touching(kind, item.camera, item.footage)))
        return tuple(found)

    def _touching(self, kind: str, camera: str, footage: Timespan | None) -> Iterator[Stream]:
        """The streams of a kind that are about a camera's footage now."""
        query = RecordQuery(kind=kind, any_of=(any_of(CAMERA, [camera]),), touching=footage)
        while True:
            records = self._index.find_records(query, limit=_TURN)
            for record in each(records):
                if camera in record.body["state"].get("cameras", ()):
                    yield kind, record.id
            if len(records) < _TURN:
                return
            query = replace(query, after=records[-1].position)

    def _readable_streams(self, asked: Asked) -> Sequence[Stream]:
        """The streams whose entries belong to the query, if everything that may belong to it is readable."""
        streams = self._streams(asked.item)
        self._refuse_unread(asked, streams)
        return streams

    def _refuse_unread(self, asked: Asked, streams: Sequence[Stream]) -> None:
        refuse_unread_custody(self._index, asked.span)
        if asked.item is None:
            # An entry is never stored before it is made.
            refuse_unread_ledger(self._index, asked.span.start - CLOCK_SLACK)
        else:
            refuse_unread_streams(self._index, streams, ABOUT_FOOTAGE if asked.item.camera else ())


def _queries(asked: Asked, streams: Sequence[Stream]) -> Iterator[RecordQuery]:
    """Queries that together find every act of the query, each act by one of them."""
    item, person = asked.item, asked.person
    if item is None and not person:
        yield RecordQuery(kind=events.ACT, span=asked.span)
        return
    if item is None:
        words = frozenset({term(events.PERSON, person_of(person)), term(events.ACCOUNT, person)})
        words |= {many(events.ACCOUNT)}
        yield RecordQuery(kind=events.ACT, any_of=(words,), span=asked.span)
        return
    whose = (term(events.PERSON, person_of(person)),) if person else ()
    touching = item.footage if item.camera else None
    named = any_of(events.ITEM, item.names)
    yield RecordQuery(kind=events.ACT, terms=whose, any_of=(named,), span=asked.span, touching=touching)
    for at in range(0, len(streams), _WORDS):
        some = frozenset(term(STREAM, stream_name(*one)) for one in streams[at : at + _WORDS])
        yield RecordQuery(kind=events.ACT, terms=whose, any_of=(some,), span=asked.span)


def _numbers(cursor: str) -> tuple[str, str, str]:
    """Time, id and end of the span, as :meth:`CustodyRecord.page` wrote them into a cursor."""
    match = _CURSOR.match(cursor)
    if match is None:
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    return match[1], match[2], match[3]
