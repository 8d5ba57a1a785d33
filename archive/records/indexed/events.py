"""The records of custody events.

A record has the words ``item`` for each object, ``person``, ``type`` and ``outcome``. A sign-in also has
``account`` for the account that was tried, perhaps by somebody else. A record touches the span that encloses
all footage that its event states; the reader compares the exact spans (:func:`stated_spans`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archive.errors import Malformed
from archive.persons import person_of
from archive.ports import Record
from archive.records.custody import StoredEvent, decode
from archive.records.indexed.line import body_of, line_of_event
from archive.records.indexed.terms import term, terms
from archive.timespan import HOUR, Timespan, parse_instant

ACT = "act"
"""The kind of the records of custody events and ledger entries."""
ITEM, PERSON, TYPE, OUTCOME, ACCOUNT = "item", "person", "type", "outcome", "account"
SIGN_IN = "sign_in"
_LAST_HOUR = 100_000_000
"""Hours from 1970 to a time after the year 9999, the last one that an instant can be in."""


def stated_spans(details: Mapping[str, Any]) -> list[Timespan]:
    """The times of footage that an event states: ``from``/``to``, ``at``, or the shown part of a playback."""
    try:
        if "from" in details and "to" in details:
            return [Timespan.parse(details["from"], details["to"])]
        if "at" in details:
            at = parse_instant(details["at"])
            first = parse_instant(details["frame_at"]) if "frame_at" in details else at
            return [Timespan(min(first, at), at + 1)]
        return [Timespan.parse(*one.split("/", 1)) for one in str(details.get("shown", "")).split()]
    except (Malformed, TypeError, AttributeError):
        return []  # it states an unreadable time: it cannot be ruled out


def records_of_batch(key: str, data: bytes) -> Sequence[Record]:
    """The records of one custody object. Raises IntegrityError ``custody_form``."""
    found = [StoredEvent(one, key, line) for line, one in enumerate(decode(data).events, 2)]
    version = first_counts(found[0].hour) if found else 0
    return [_record_of(one, version) for one in found]


def record_of_event(stored: StoredEvent) -> Record:
    """The record of one custody event."""
    return _record_of(stored, first_counts(stored.hour))


def _record_of(stored: StoredEvent, version: int) -> Record:
    event = stored.event
    found = terms(ITEM, event.objects) | {
        term(PERSON, person_of(event.actor.id)),
        term(TYPE, event.type),
        term(OUTCOME, event.outcome.value),
    }
    if event.type == SIGN_IN:
        found |= terms(ACCOUNT, event.objects)
    stated = stated_spans(event.details)
    return Record(
        kind=ACT,
        id=event.id,
        version=version,
        at=event.at,
        terms=found,
        touches=_hull(stated) if stated else None,
        body=body_of(line_of_event(stored)),
    )


def first_counts(at: int) -> int:
    """A version that is greater for an earlier time, by hours: of two acts with one id the first one counts.

    An id is random. One that comes twice was copied, and the copy must not take the place of the first.
    """
    return _LAST_HOUR - at // HOUR


def _hull(spans: Sequence[Timespan]) -> Timespan:
    if len(spans) == 1:
        return spans[0]
    return Timespan(min(span.start for span in spans), max(span.end for span in spans))
