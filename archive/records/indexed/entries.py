"""The records of ledger entries, as acts: who decided what.

They are found by ``stream`` (kind and id of the stream), ``person``, ``type`` and ``outcome``. Which footage
an entry is about follows from the newest state of its stream (:mod:`archive.records.indexed.streams`).
"""

from archive.model.custody import Outcome
from archive.persons import person_of
from archive.ports import Record
from archive.records.indexed.events import ACT, OUTCOME, PERSON, TYPE, first_counts
from archive.records.indexed.line import body_of, line_of_entry
from archive.records.indexed.terms import term
from archive.records.ledger.streams import Entry

STREAM = "stream"


def stream_name(kind: str, entity: str) -> str:
    """The value of :data:`STREAM` for one ledger stream."""
    return f"{kind}/{entity}"


def record_of_entry(entry: Entry) -> Record:
    """The record of one ledger entry."""
    return Record(
        kind=ACT,
        id=entry.entry_id,
        version=first_counts(entry.at),
        at=entry.at,
        terms=frozenset(
            {
                term(STREAM, stream_name(entry.kind, entry.id)),
                term(PERSON, person_of(entry.actor)),
                term(TYPE, entry.action),
                term(OUTCOME, Outcome.DONE.value),
            }
        ),
        body=body_of(line_of_entry(entry)),
    )
