"""Takes out of the index what was disposed of after its legal term: no personal data outlives its entry.

A ledger stream leaves once none of its entries is stored and all are older than the term; a custody event
once its object is not stored and the object's hour is older. What vanished *before* its term stays in the
index: somebody took it away, and ``archive check`` names it (``act_not_stored``).

A step that is killed is repeated: the number that says that an hour is done is kept last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archive import keys
from archive.integrity.rebuild.listing import CUSTODY, LEDGER, custody_hours
from archive.ports import ObjectStore, RecordIndex, RecordQuery
from archive.records.indexed import marks
from archive.records.indexed.entries import STREAM, stream_name
from archive.records.indexed.events import ACT
from archive.records.indexed.terms import term
from archive.records.indexed.unread import UNREAD
from archive.records.indexed.walk import MOST, each_record
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import KINDS
from archive.timespan import DAY, HOUR, Timespan, hour_of


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Compares the old part of an index with what is stored."""

    records: ObjectStore
    index: RecordIndex

    def run(self, before: int) -> int:
        """Remove what is older than ``before`` (µs) and not stored; returns the number of acts removed.

        Raises:
            Unavailable, Refused: as the store or the index.
        """
        if before <= 0:
            return 0
        self._set_aside(before)
        return self._streams(before) + self._custody(before)

    def _set_aside(self, before: int) -> None:
        """Forget what could not be read, once its stream or object is not stored: no answer waits for it."""
        old = RecordQuery(kind=UNREAD, span=Timespan(0, before))
        for found in each_record(self.index, old):
            key = str(found.body["key"])
            where = f"{key.rpartition('/')[0]}/" if key.startswith(LEDGER) else key
            if next(iter(self.records.list(where)), None) is None:
                self.index.remove_records(UNREAD, [found.id])

    # Ledger --------------------------------------------------------------------------------------------

    def _streams(self, before: int) -> int:
        gone = 0
        for kind in KINDS:
            old = RecordQuery(kind=kind, span=Timespan(0, before))
            if not self.index.find_records(old, limit=1):
                continue
            stored = ids_of(self.records, kind)
            for record in each_record(self.index, old):
                if record.id not in stored:
                    gone += self._stream(kind, record.id, before)
        return gone

    def _stream(self, kind: str, name: str, before: int) -> int:
        query = RecordQuery(kind=ACT, terms=(term(STREAM, stream_name(kind, name)),))
        acts = list(each_record(self.index, query))
        if any(one.at >= before for one in acts):
            return 0
        self._remove([one.id for one in acts])
        self.index.remove_streams(kind, [name])
        return len(acts)

    # Custody -------------------------------------------------------------------------------------------

    def _custody(self, before: int) -> int:
        oldest = self.index.find_records(RecordQuery(kind=ACT, span=Timespan(0, before)), limit=1)
        lacking = self._lacking(oldest[0].at, before) if oldest else {}
        if not lacking:
            return 0
        stored = {
            listed.key
            for hour in lacking
            for listed in self.records.list(f"{CUSTODY}{keys.hour_folder(hour)}/")
        }
        folders = {keys.hour_folder(hour) for hour in lacking}
        # An event is never filed under an hour before it.
        acts = each_record(self.index, RecordQuery(kind=ACT, span=Timespan(0, before + HOUR)))
        proofs = ((one.id, str(one.body.get("proof")).partition("#")[0]) for one in acts)
        doomed = [name for name, key in proofs if _folder(key) in folders and key not in stored]
        self._remove(doomed)
        for hour, number in lacking.items():
            self.index.keep_record_marks(marks.forgotten_name(hour), {marks.hour_key(hour): number})
        return len(doomed)

    def _lacking(self, oldest: int, before: int) -> Mapping[int, int]:
        """Whole hours before ``before`` of which the index has more objects than are stored: how many more.

        Hours whose events have left the index already are not among them.
        """
        stored: dict[int, int] = {}
        for hour in custody_hours(self.records, None):
            if hour.start is None:
                continue
            if hour.start + HOUR > before:
                break
            stored[hour.start] = len(hour.objects)
        return {
            hour: number - stored.get(hour, 0)
            for hour, number, forgotten in self._indexed(oldest, before)
            if number - stored.get(hour, 0) > forgotten
        }

    def _indexed(self, oldest: int, before: int) -> Iterator[tuple[int, int, int]]:
        """Each whole hour from ``oldest`` on: its objects that were indexed, and those that left again."""
        for day in range(oldest - oldest % DAY, before, DAY):
            known = self.index.record_marks(marks.day_name(day))
            forgotten = self.index.record_marks(marks.forgotten_name(day)) if known else {}
            for hour in range(day, min(day + DAY, hour_of(before)), HOUR):
                key = marks.hour_key(hour)
                if key in known:
                    yield hour, known[key], forgotten.get(key, 0)

    def _remove(self, ids: list[str]) -> None:
        for at in range(0, len(ids), MOST):
            self.index.remove_records(ACT, ids[at : at + MOST])


def _folder(key: str) -> str:
    """The hour's folder of a custody object; "" for another object."""
    return key.removeprefix(CUSTODY).rpartition("/")[0] if key.startswith(CUSTODY) else ""
