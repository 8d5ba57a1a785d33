"""The records of the index against custody and ledger, event by event, in both directions.

An event that is stored but not indexed would be missing from every answer; one that is indexed but not stored
was invented, or its object was taken away. Both are breaches of I5: the index says what the archive holds.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from archive import keys
from archive.clock import Clock, ManualClock
from archive.errors import ArchiveError, Refused, Unavailable
from archive.integrity.check.report import CheckReport, Progress
from archive.integrity.rebuild.listing import Hour, Stream, custody_hours, ledger_streams
from archive.integrity.rebuild.putting import read_object, read_stream
from archive.ports import ObjectStore, Record, RecordIndex, RecordQuery
from archive.records.indexed.entries import STREAM, record_of_entry, stream_name
from archive.records.indexed.events import ACT
from archive.records.indexed.terms import term
from archive.records.indexed.walk import each_record
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import MINUTE, Timespan

YOUNG = 10 * MINUTE
"""An object may be so long in the archive before it is in the index."""
_KEPT = 500
"""Stored objects whose ids are kept while the index is walked."""


@dataclass
class IndexedCheck:
    """One comparison; unreadable objects are passed over, since other checks name them."""

    records: ObjectStore
    index: RecordIndex
    clock: Clock
    report: CheckReport
    progress: Progress
    _ids: OrderedDict[str, Mapping[str, str]] = field(default_factory=OrderedDict)
    """Ids by proof, of the objects read last, by key."""
    _compared: int = 0

    def run(self) -> None:
        """Compare everything. Raises Unavailable, Refused: a store or the index does not answer."""
        for hour in custody_hours(self.records, None):
            if hour.start is not None:
                self._hour(hour)
        ledger = Ledger(self.records, ManualClock(0))
        for stream in ledger_streams(self.records):
            if isinstance(stream, Stream):
                self._stream(ledger, stream)
        for record in each_record(self.index, RecordQuery(kind=ACT)):
            self._is_stored(ledger, record)

    def _hour(self, hour: Hour) -> None:
        expected: dict[str, tuple[str, Record]] = {}
        for listed in hour.objects:
            found = read_object(self.records, listed.key).found
            if isinstance(found, ArchiveError):
                continue
            self._count(len(found))
            if self.clock.now() - listed.stored_at < YOUNG:
                continue
            for record in found:
                if record.id in expected:
                    self.report.breach("I5", "act_twice", listed.key, f"event {record.id} is stored twice")
                else:
                    expected[record.id] = (listed.key, record)
        if not expected:
            return
        times = [record.at for _, record in expected.values()]
        for got in each_record(self.index, RecordQuery(kind=ACT, span=Timespan(min(times), max(times) + 1))):
            key, record = expected.pop(got.id, ("", got))
            if record != got:
                self.report.breach("I5", "act_differs", key, f"the index has another event {got.id}")
        missing: dict[str, int] = {}
        for key, _ in expected.values():
            missing[key] = missing.get(key, 0) + 1
        for key, count in missing.items():
            self.report.breach("I5", "act_not_indexed", key, f"the index lacks {count} of its events")

    def _stream(self, ledger: Ledger, stream: Stream) -> None:
        read = read_stream(ledger, stream, 0)
        entries = [one.found for one in read.entries if isinstance(one.found, Entry)]
        self._count(len(entries))
        newest = stream.entries[stream.newest]
        if not entries or self.clock.now() - newest.stored_at < YOUNG:
            return
        named = term(STREAM, stream_name(stream.kind, stream.id))
        known = {one.id: one for one in each_record(self.index, RecordQuery(kind=ACT, terms=(named,)))}
        for entry in entries:
            got = known.get(entry.entry_id)
            if got is None:
                self.report.breach("I5", "act_not_indexed", entry.key, "the index lacks this entry")
            elif got != record_of_entry(entry):
                self.report.breach("I5", "act_differs", entry.key, "the index has another entry under its id")
        for expected in read.heads:
            if expected.id == stream.id and self.index.record(stream.kind, stream.id) != expected:
                name = f"ledger/{stream.kind}/{stream.id}"
                self.report.breach("I5", "stream_differs", name, "the index has another state of this stream")

    def _is_stored(self, ledger: Ledger, record: Record) -> None:
        proof = str(record.body.get("proof"))
        self._count(1)
        if self._ids_of(ledger, proof.partition("#")[0]).get(proof) != record.id:
            self.report.breach(
                "I5", "act_not_stored", proof, f"the index has act {record.id}, the archive does not"
            )

    def _ids_of(self, ledger: Ledger, key: str) -> Mapping[str, str]:
        """The ids of the acts in one object, by their proofs; none if it is missing or unreadable."""
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = self._read_ids(ledger, key)
            if len(self._ids) > _KEPT:
                self._ids.popitem(last=False)
        return known

    def _read_ids(self, ledger: Ledger, key: str) -> Mapping[str, str]:
        try:
            if key.startswith("custody/"):
                found = read_object(self.records, key).found
                return {} if isinstance(found, ArchiveError) else {one.body["proof"]: one.id for one in found}
            return {key: ledger.entry(*keys.parse_ledger_key(key)).entry_id}
        except (Unavailable, Refused):
            raise
        except ArchiveError:
            return {}

    def _count(self, acts: int) -> None:
        self._compared += acts
        self.progress("acts compared with the index", self._compared)
