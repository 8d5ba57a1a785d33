"""The follower: brings what people did and decided from the archive into the index, within seconds.

It tails ``custody/`` and ``ledger/``. Processes index their own writes at once
(:mod:`archive.records.indexed.own_writes`); the follower brings those of others, and repairs what was missed.

1. Custody objects are listed by hour: in each turn of the minutes before the last turn, and each minute of
   the three hours before it. An hour with as many objects as its number in the index
   (:mod:`archive.records.indexed.marks`) is done. An index that nobody has followed is looked at wholly.
2. The objects that are new are read; their events become records; the index keeps the new number.
3. Ledger entries beyond each stream's number become records, then the stream itself, then the number.
4. The index keeps when the turn began. If it has an earlier time than this follower kept, an old copy was put
   back, and the follower begins anew.
5. At the first turn and once a day all hours are looked at, since an object may be stored hours after the
   hour in its name: some seconds in each turn, so that what is new does not wait for it.
6. Objects that cannot be read are set aside: the index knows them, and refuses answers that they may belong
   to. The daily look reads them again. An entry that is missing before a later one is set aside too, and is
   read in the turn in which it is listed.
7. With the daily look, what was disposed of after its legal term leaves the index
   (:mod:`archive.integrity.rebuild.forgetting`).

A number is kept after what it counts. So a turn that is killed between two steps is repeated, and putting a
record again changes nothing. Any number of followers may work at once.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor

from archive import keys
from archive.clock import Clock, ManualClock
from archive.errors import ArchiveError
from archive.integrity.rebuild.forgetting import Forgetting
from archive.integrity.rebuild.listing import (
    CUSTODY,
    LEDGER,
    Hour,
    Stream,
    custody_hours,
    ledger_streams,
    stream_of,
)
from archive.integrity.rebuild.putting import Followed, Putting, ReadStream, read_object, read_stream
from archive.integrity.rebuild.report import LeftOut, Progress
from archive.ports import ObjectStore, Record, RecordIndex, RecordQuery
from archive.prefetch import in_order
from archive.records.indexed import marks
from archive.records.indexed.unread import UNREAD, missing_entries
from archive.records.indexed.walk import each_record
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND, hour_of

_NEAR, _RECENT = 15 * MINUTE, 3 * HOUR
_RECENT_EVERY, _WHOLE_EVERY = MINUTE, DAY
_SLICE = 2 * SECOND
"""How long one turn looks at hours long past."""
_LEDGER_EVERY, _LEDGER_REST, _LEDGER_LONGEST = 5 * SECOND, 4, 5 * MINUTE
"""The ledger is listed every so often (µs), but rests for four times as long as that took, up to a limit."""
_AHEAD = 16
"""Objects and streams that are read before their turn."""
_ENTRIES, _MARKED = 1000, 4000
"""Entries of one write to the index; streams whose numbers are kept at once."""


class Follower:
    """Brings one index up to date with custody and ledger, turn by turn. Not thread-safe."""

    def __init__(
        self,
        records: ObjectStore,
        index: RecordIndex,
        clock: Clock,
        *,
        pool: Executor | None = None,
        term: int | None = None,
    ) -> None:
        """``pool`` reads objects in parallel from a store behind a network; None for folders.

        ``term`` (µs) is how long entries and events must be kept; without it nothing leaves the index.
        """
        self._records = records
        self._term = term
        self._index = index
        self._clock = clock
        self._pool = pool
        self._ledger = LedgerFollower(records, index, pool=pool)
        self._ledger_due: int | None = None
        self._whole_at: int | None = None
        self._goes_on_at: int | None = None
        self._recent_at: int | None = None
        self._known: dict[int, set[str]] = {}
        self._kept: dict[str, int] = {}
        self._strays: set[str] = set()

    def run(self, progress: Progress | None = None) -> Followed:
        """One turn.

        Raises:
            Unavailable, Refused: a store or the index does not answer, or denies access; the next turn does
                the rest.
        """
        tell = progress or (lambda step, seen: None)
        report = Followed()
        began = self._clock.now()
        found = self._index.record_marks(marks.FOLLOWER)
        self._forget_if_replaced(found)
        since = self._since(began, marks.followed_in(found))
        if since is None:
            self._look_at_everything(report, tell, began, budget=None)
        else:
            self._look_at_hours(report, tell, began, since)
        followed = {marks.CUSTODY: began}
        if self._looked_at_ledger(report, tell):
            followed[marks.LEDGER] = began
        self._index.keep_record_marks(marks.FOLLOWER, followed)
        self._kept |= followed
        if self._whole_at is None or began - self._whole_at >= _WHOLE_EVERY:
            self._look_at_everything(report, tell, began, budget=_SLICE)
        return report

    def _forget_if_replaced(self, found: Mapping[str, int]) -> None:
        """Begin anew if the index is not the one that was followed so far: an old copy was put back."""
        if any(found.get(name, 0) < at for name, at in self._kept.items()):
            self._kept.clear()
            self._known.clear()
            self._whole_at = self._goes_on_at = self._recent_at = self._ledger_due = None
            self._ledger = LedgerFollower(self._records, self._index, pool=self._pool)

    # Custody -------------------------------------------------------------------------------------------

    def _since(self, now: int, followed: int | None) -> int | None:
        """From when on custody is listed; None for all of it, if nobody has followed the index.

        ``followed`` is the last complete turn of any follower. What was stored before it is in the index, but
        for what the daily look finds: so one that slept, or whose store was away, goes on from there.
        """
        if followed is None or followed > now + marks.SKEW:
            followed = self._kept.get(marks.CUSTODY)
        if followed is None:
            return None
        is_recent = self._recent_at is None or now - self._recent_at >= _RECENT_EVERY
        return hour_of(min(followed, now) - (_RECENT if is_recent else _NEAR))

    def _look_at_hours(self, report: Followed, tell: Progress, now: int, since: int) -> None:
        putting, days = Putting(self._index, report), dict[str, dict[str, int]]()
        for hour in custody_hours(self._records, since):
            self._look_at(hour, days, putting, report)
            tell("custody events", report.events)
        oldest = hour_of(now - _RECENT)
        if since <= oldest:
            self._recent_at = now
        for start in [one for one in self._known if one < oldest]:
            del self._known[start]

    def _look_at_everything(self, report: Followed, tell: Progress, now: int, *, budget: int | None) -> None:
        """Look at all hours, or go on with it for about ``budget`` (µs); at the end do what is due daily."""
        began = self._clock.monotonic()
        putting, days = Putting(self._index, report), dict[str, dict[str, int]]()
        for hour in custody_hours(self._records, self._goes_on_at):
            self._look_at(hour, days, putting, report)
            tell("custody events", report.events)
            is_over = budget is not None and self._clock.monotonic() - began >= budget
            if is_over and hour.start is not None:
                self._goes_on_at = hour.start + HOUR
                return
        self._try_again(report)
        if self._term is not None:
            report.forgotten = Forgetting(self._records, self._index).run(now - self._term)
        self._goes_on_at, self._whole_at = None, now

    def _look_at(
        self, hour: Hour, days: dict[str, dict[str, int]], putting: Putting, report: Followed
    ) -> None:
        if hour.start is None:
            self._foreign(hour, report)
            return
        known = self._hour(hour, hour.start, days, putting)
        if hour.start >= hour_of(self._clock.now() - _RECENT):
            self._known[hour.start] = known

    def _hour(self, hour: Hour, start: int, days: dict[str, dict[str, int]], putting: Putting) -> set[str]:
        """Index the objects of an hour that are new; returns the names of all that are in the index."""
        names = [one.key for one in hour.objects]
        name, key = marks.day_name(start), marks.hour_key(start)
        known = self._known.get(start)
        if known is None:
            if name not in days:
                days.clear()
                days[name] = dict(self._index.record_marks(name))
            known = set(names) if days[name].get(key) == len(names) else set()
        new = [one for one in names if one not in known]
        if new:
            read = in_order(lambda one: read_object(self._records, one), new, self._pool, ahead=_AHEAD)
            putting.custody(start, read)
            known.update(new)
            self._index.keep_record_marks(name, {key: len(known)})
        return known

    def _foreign(self, hour: Hour, report: Followed) -> None:
        """Name objects that lie in no hour's folder, once; no reader looks there."""
        for one in hour.objects:
            if one.key not in self._strays:
                self._strays.add(one.key)
                report.left_out.append(LeftOut(one.key, "foreign_object", "it lies in no hour's folder"))

    # Ledger --------------------------------------------------------------------------------------------

    def _looked_at_ledger(self, report: Followed, tell: Progress) -> bool:
        """Whether the ledger was looked at: it rests between two looks."""
        began = self._clock.monotonic()
        if self._ledger_due is not None and began < self._ledger_due:
            return False
        self._ledger.turn(report, tell)
        ended = self._clock.monotonic()
        rest = max(_LEDGER_EVERY, min(_LEDGER_REST * (ended - began), _LEDGER_LONGEST))
        self._ledger_due = ended + rest
        return True

    # What was set aside --------------------------------------------------------------------------------

    def _try_again(self, report: Followed) -> None:
        """Read again what was set aside: a disk or a network may have been at fault."""
        for one in tuple(each_record(self._index, RecordQuery(kind=UNREAD))):
            again = Followed()
            putting = Putting(self._index, again)
            key = str(one.body["key"])
            if key.startswith(CUSTODY):
                putting.custody(one.at, [read_object(self._records, key)])
            elif key.startswith(LEDGER):
                self._ledger.again(key, putting)
            if again.changes and not again.left_out:
                putting.readable(one)
                report.events += again.events
                report.entries += again.entries


class LedgerFollower:
    """Brings one index up to date with the ledger. Not thread-safe."""

    def __init__(self, records: ObjectStore, index: RecordIndex, *, pool: Executor | None = None) -> None:
        self._records = records
        self._index = index
        self._pool = pool
        # Reading a ledger needs no clock; only appending does.
        self._ledger = Ledger(records, ManualClock(0))
        self._known: dict[tuple[str, str], int] = {}
        self._strays: set[str] = set()

    def turn(self, report: Followed, tell: Progress) -> None:
        """Index every entry that the index lacks. Raises as :meth:`Follower.run`."""
        putting = Putting(self._index, report)
        holes = {str(one.body["key"]): one for one in each_record(self._index, missing_entries())}
        waiting: list[ReadStream] = []
        marked: list[Stream] = []
        for read in in_order(
            lambda one: read_stream(self._ledger, *one), self._grown(putting, holes), self._pool, ahead=_AHEAD
        ):
            waiting.append(read)
            if sum(len(one.entries) for one in waiting) >= _ENTRIES:
                self._put(waiting, holes, putting)
                marked += [one.stream for one in waiting]
                waiting = []
                tell("ledger entries", report.entries)
            if len(marked) >= _MARKED:
                self._mark(marked)
                marked = []
        self._put(waiting, holes, putting)
        self._mark([*marked, *(one.stream for one in waiting)])
        tell("ledger entries", report.entries)

    def again(self, key: str, putting: Putting) -> None:
        """Index a stream again from an entry on that was set aside."""
        try:
            kind, entity, version = keys.parse_ledger_key(key)
            stream = stream_of(self._records, kind, entity)
        except ArchiveError:
            return  # it stays set aside
        if stream is not None and version in stream.entries:
            putting.streams([read_stream(self._ledger, stream, version - 1)])

    def _put(self, read: list[ReadStream], holes: Mapping[str, Record], putting: Putting) -> None:
        """Put streams; an entry that was missing and is there now is set aside no longer."""
        refused = putting.streams(read)
        for entry in (entry for one in read for entry in one.entries):
            if entry.key in holes and entry.key not in refused:
                putting.readable(holes[entry.key])

    def _grown(self, putting: Putting, holes: Mapping[str, Record]) -> Iterator[tuple[Stream, int]]:
        """The streams that have entries which the index lacks, each with the last version before those."""
        missing: dict[tuple[str, str], set[int]] = {}
        for key in holes:
            kind, entity, version = keys.parse_ledger_key(key)
            missing.setdefault((kind, entity), set()).add(version)
        fresh: dict[str, dict[str, int]] = {}
        for found in ledger_streams(self._records):
            if not isinstance(found, Stream):
                if found.key not in self._strays:
                    self._strays.add(found.key)
                    putting.stray(found)
                continue
            if turned_up := missing.get((found.kind, found.id), set()) & found.entries.keys():
                yield found, min(turned_up) - 1
                continue
            known = self._known.get((found.kind, found.id), 0)
            if known >= found.newest:
                continue
            name = marks.streams_name(found.kind, found.id)
            if name not in fresh:
                fresh[name] = dict(self._index.record_marks(name))
            known = max(known, fresh[name].get(found.id, 0))
            if known >= found.newest:
                self._known[found.kind, found.id] = known
                continue
            yield found, known

    def _mark(self, streams: list[Stream]) -> None:
        numbers: dict[str, dict[str, int]] = {}
        for one in streams:
            numbers.setdefault(marks.streams_name(one.kind, one.id), {})[one.id] = one.newest
        for name, found in numbers.items():
            self._index.keep_record_marks(name, found)
        self._known.update(((one.kind, one.id), one.newest) for one in streams)
