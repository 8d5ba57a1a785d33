"""The scrub: which unit is next, and how it is checked.

1. Journals that were uploaded since the last look name the hours of each camera. Once in a round each
   camera's objects are listed, to find hours that no journal names.
2. Of the units not checked within the round, those under a hold come first, then those checked longest ago.
3. A unit's versions are listed, and each key is read, hashed and compared. Then each segment that the
   journals promise and the listing lacks is searched in the disposition lists. The order matters: a
   disposition names segments before it destroys them.
4. A finding about a lock or a hold, or an absence, is checked again against the newest ledger.
5. Findings become incidents.
6. The unit's state is kept. A unit that was cut short is repeated from its beginning.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import groupby

from archive import keys
from archive.clock import Clock
from archive.errors import Malformed
from archive.footage.cameras import KIND as CAMERA
from archive.footage.stored_cameras import stored_cameras
from archive.integrity.fixity import hours
from archive.integrity.fixity.disposed import Disposed
from archive.integrity.fixity.hours import NEVER, CameraHours, HourState, folder_hour
from archive.integrity.fixity.locks import LockRules
from archive.integrity.fixity.pace import Pace
from archive.integrity.fixity.promises import CameraHour, Promises
from archive.integrity.fixity.records import RecordsExaminer, record_units
from archive.integrity.fixity.segments import Examined, Examiner, Promise
from archive.model.finding import Finding
from archive.ports import ObjectVersion, Stores
from archive.prefetch import in_order
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, Timespan, hour_of

FOUND_BY = "job:fixity"
RULES_AGE = 10 * MINUTE
_JOURNALS = "journals"
_RECORDS = "records"
_CONFIRMED = frozenset({"lock_missing", "lock_short", "hold_missing"})

Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One checked object: its unit, how many bytes were hashed, and the findings."""

    unit: str
    size: int
    findings: tuple[Finding, ...]


class Scrub:
    """The scrub of one archive. Not thread-safe: one walk at a time; two processes repeat each other's work.

    ``every`` is the length of a round in µs. ``pool`` holds threads that read in advance (None: only this
    thread). ``tell`` is called with each finding once it is on record.
    """

    def __init__(
        self,
        stores: Stores,
        ledger: Ledger,
        clock: Clock,
        pace: Pace,
        *,
        every: int,
        floor_days: int,
        pool: Executor | None = None,
        tell: Tell = lambda finding: None,
    ) -> None:
        self._stores = stores
        self._ledger = ledger
        self._clock = clock
        self._pace = pace
        self._every = every
        self._floor_days = floor_days
        self._pool = pool
        self._tell = tell
        self._promises = Promises(stores.records, ledger, pace, self._report)
        self._disposed = Disposed(stores.records, ledger)
        self._cameras: dict[str, CameraHours] = {}
        self._rules: LockRules | None = None

    def due(self) -> Iterator[Step]:
        """Check everything that is due now, a step at a time; the caller may stop after any step.

        Raises:
            ArchiveError: as the stores and the ledger; finished checks stay recorded.
        """
        yield from self._records(self._clock.now() - self._every)
        self._discover(hour_of(self._clock.now()) - hours.SETTLED)
        since = self._clock.now() - self._every
        for camera in self._known_cameras():
            if self._hours(camera).walked_at < since:
                self._walk(camera)
        for unit in self._ordered(since):
            yield from self._unit(unit)

    def now(self, camera: str | None = None, span: Timespan | None = None) -> Iterator[Step]:
        """Check the segments of one camera or all, within a span or ever, whenever they were last checked.

        Without camera and span it also checks the records bucket. Raises as :meth:`due`.
        """
        self._promises.forget()
        if camera is None and span is None:
            yield from self._records(self._clock.now() + 1)
        self._discover(self._clock.now() + HOUR)
        chosen = self._known_cameras() if camera is None else [camera]
        for one in chosen:
            self._walk(one)
        whole = Timespan(0, self._clock.now() + DAY) if span is None else span
        units = (
            CameraHour(one, hour)
            for one in chosen
            for hour in self._hours(one).hours
            if hour < whole.end and whole.start < hour + HOUR
        )
        for unit in sorted(units, key=lambda unit: (unit.hour, unit.camera)):
            yield from self._unit(unit)

    # Finding units -----------------------------------------------------------------------------------

    def _hours(self, camera: str) -> CameraHours:
        known = self._cameras.get(camera)
        if known is None:
            known = self._cameras[camera] = CameraHours.load(self._stores.cache, camera)
        return known

    def _known_cameras(self) -> list[str]:
        """Cameras with a stream in the ledger, a folder, or hours that journals name."""
        found = {*ids_of(self._stores.records, CAMERA), *stored_cameras(self._stores.footage)}
        return sorted(found | self._cameras.keys() | set(hours.names(self._stores.cache, "hours")))

    def _discover(self, before: int) -> None:
        """Step 1: learn the hours named by the journals of upload folders before ``before``."""
        state = hours.load(self._stores.cache, _JOURNALS) or {}
        through = settled = str(state.get("through", ""))
        touched: set[str] = set()
        for folder in self._promises.folders(after=through):
            if folder_hour(folder) >= before:
                break
            for unit in self._promises.folder(folder):
                self._hours(unit.camera).learn(unit.hour, folder)
                touched.add(unit.camera)
            if folder_hour(folder) + HOUR + hours.SETTLED <= self._clock.now():
                settled = folder
        now = self._clock.now()
        for camera in sorted(touched):
            self._hours(camera).save(self._stores.cache, now)
        # Last, so that a scan that was cut short is repeated.
        if settled != through:
            hours.save(self._stores.cache, _JOURNALS, now, {"v": hours.VERSION, "through": settled})

    def _walk(self, camera: str) -> None:
        """Step 1, too: list all objects of a camera, to find hours that no journal names."""
        known = self._hours(camera)
        for listed in self._stores.footage.list(keys.segment_prefix(camera)):
            try:
                hour = hour_of(keys.parse_segment_key(listed.key).start)
            except Malformed as error:
                self._report(Finding("foreign_object", listed.key, error.message))
                continue
            known.hours.setdefault(hour, HourState())
        known.walked_at = self._clock.now()
        known.save(self._stores.cache, known.walked_at)

    def _ordered(self, since: int) -> list[CameraHour]:
        """Step 2. Recent hours are left for later: their segments still arrive."""
        rules = self._fresh_rules()
        latest = self._clock.now() - HOUR - hours.SETTLED
        units = [
            (not rules.holds_hour(camera, Timespan(hour, hour + HOUR)), state.checked_at, hour, camera)
            for camera, known in self._cameras.items()
            for hour, state in known.hours.items()
            if state.checked_at < since and hour <= latest
        ]
        return [CameraHour(camera, hour) for _, _, hour, camera in sorted(units)]

    # One unit ----------------------------------------------------------------------------------------

    def _unit(self, unit: CameraHour) -> Iterator[Step]:
        """Steps 3 to 6 for one hour of one camera."""
        known = self._hours(unit.camera)
        state = known.hours[unit.hour]
        began = self._clock.now()
        prefix = keys.segment_prefix(unit.camera, unit.hour)
        name = f"{unit.camera} {keys.hour_folder(unit.hour)}"
        groups = [list(group) for _, group in groupby(self._stores.footage.versions(prefix), key=_key)]
        promised = self._promises.of(unit, state.journal)
        examiner = Examiner(self._stores.footage, self._fresh_rules(), self._pace)
        segments = size = count = 0

        def look(versions: list[ObjectVersion]) -> Examined:
            return examiner.examine(versions, promised.get(versions[0].key))

        for looked in in_order(look, groups, self._pool):
            findings = tuple(self._confirm(unit, looked, promised.get(looked.key)))
            segments, size, count = segments + 1, size + looked.size, count + len(findings)
            for finding in findings:
                self._report(finding)
            yield Step(name, looked.size, findings)
        missing = set(promised) - {group[0].key for group in groups}
        for key in sorted(missing - self._disposed.among(unit.hour, missing)) if missing else ():
            finding = Finding(
                "segment_missing",
                key,
                "the journal names it, the store does not have it, and no disposition names it",
            )
            self._report(finding)
            count += 1
            yield Step(name, 0, (finding,))
        # The time of the beginning: segments that arrived during the check were not checked.
        fresh = HourState(began, segments, size, count, state.journal)
        known.hours[unit.hour] = fresh
        known.save(self._stores.cache, self._clock.now())

    def _confirm(self, unit: CameraHour, looked: Examined, promise: Promise | None) -> Iterator[Finding]:
        """Step 4: the ledger may have changed since it was read; a disposition may be in work."""
        doubtful = [one for one in looked.findings if one.code in (*_CONFIRMED, "segment_missing")]
        yield from (one for one in looked.findings if one not in doubtful)
        if not doubtful:
            return
        if any(one.code == "segment_missing" for one in doubtful):
            if not self._disposed.among(unit.hour, {looked.key}):
                yield from (one for one in doubtful if one.code == "segment_missing")
            return
        self._rules = None
        span = self._span(looked.key) if promise is None else promise.span
        head = self._stores.footage.head(looked.key)
        yield from self._fresh_rules().findings(unit.camera, span, head)

    def _span(self, key: str) -> Timespan:
        """The beginning of a segment that no journal names."""
        start = keys.parse_segment_key(key).start
        return Timespan(start, start + 1)

    def _fresh_rules(self) -> LockRules:
        if self._rules is None or self._rules.now < self._clock.now() - RULES_AGE:
            self._rules = LockRules.read(
                self._ledger, self._stores.records, self._clock, floor_days=self._floor_days
            )
        return self._rules

    # Records -----------------------------------------------------------------------------------------

    def _records(self, since: int) -> Iterator[Step]:
        """The units of the records bucket that were checked before ``since`` or never."""
        state = hours.load(self._stores.cache, _RECORDS) or {"v": hours.VERSION, "units": {}}
        units: dict[str, int] = state["units"]
        there = list(record_units(self._stores.records))
        examiner = RecordsExaminer(self._stores.records, self._pace)
        for unit in sorted(there, key=lambda unit: (units.get(unit, NEVER), unit)):
            if units.get(unit, NEVER) >= since:
                continue
            began = self._clock.now()
            for looked in examiner.examine(unit):
                for finding in looked.findings:
                    self._report(finding)
                yield Step(unit, looked.size, looked.findings)
            units[unit] = began
            hours.save(self._stores.cache, _RECORDS, self._clock.now(), state)

    def _report(self, finding: Finding) -> None:
        """Step 5."""
        open_integrity_incident(
            self._ledger,
            code=finding.code,
            subject=finding.object,
            message=finding.message,
            found_by=FOUND_BY,
            details=finding.details,
        )
        self._tell(finding)


def _key(version: ObjectVersion) -> str:
    return version.key
