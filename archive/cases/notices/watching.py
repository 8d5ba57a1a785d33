"""Finds events that people must learn of: in entries of the ledger, and in due dates.

A notice of an entry comes from the ledger, never from a message of the process that wrote the entry, so it is
delivered even if that process died. Each entry is read once, and only entries of the last
:data:`HORIZON`; requests and holds are known by their newest entry.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from archive import keys
from archive.cases.exports.model import Export
from archive.cases.notices.exported import of_export
from archive.cases.notices.filled import of_filled
from archive.cases.notices.findings import Findings
from archive.cases.notices.notice import (
    HEALTH_PAGE,
    INCIDENTS_PAGE,
    URGENT,
    VIEW_PAGE,
    Event,
    Notice,
    package_page,
    request_page,
)
from archive.cases.notices.running_out import DueAt, holds_in_force, no_rule, of_grant, of_request
from archive.cases.notices.silent import Silence
from archive.cases.notices.unfollowed import Unfollowed
from archive.cases.requests.transitions import ENDS
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.model import evidence as packages
from archive.model import grant as grants
from archive.model import hold as holds
from archive.model import request as requests
from archive.model.backfill import KIND as BACKFILL
from archive.model.evidence import EvidenceStatus
from archive.model.request import Request
from archive.ports import ObjectStore, ObjectVersion
from archive.records.camera_health import CameraHealth
from archive.records.heartbeat import Beat, Trouble, troubles
from archive.records.integrity_incidents import KIND as INCIDENT
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, HOUR

HORIZON = 7 * DAY
"""Older events cause no notice. The job may stand still for this long without losing one."""

EVIDENCE = "evidence"
_SLACK = DAY
"""The clocks of stores and programs may differ by this much before an entry is missed."""


class PressureLevel(Protocol):
    """How full the store is; see :class:`archive.lifecycle.disposition.pressure.Level`."""

    @property
    def value(self) -> str:
        """``unknown``, ``green``, ``amber`` or ``red``."""
        ...


class Watch:
    """All notices of the last :data:`HORIZON`. Not thread-safe.

    ``pressure`` measures the store when :meth:`measure` is called; ``beats`` gives the recorders' last
    heartbeats, ``cameras`` the cameras' state by them, and ``turn`` when the follower's last turn began;
    without it no notice says that there is none. ``rules`` reads how long footage is kept, ``exports`` the
    exports that stand. A lasting
    pressure causes one notice per day (UTC) and level, a recorder's trouble one per day. An entry that
    cannot be read is notified as an integrity incident and suppresses no other notice.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: ObjectStore,
        clock: Clock,
        *,
        pressure: Callable[[], PressureLevel],
        beats: Callable[[], Iterable[Beat]] = tuple,
        cameras: Callable[[], Iterable[CameraHealth]] = tuple,
        turn: Callable[[], int | None] | None = None,
        rules: Callable[[], DueAt] = lambda: no_rule,
        exports: Callable[[], Iterable[Export]] = tuple,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._pressure = pressure
        self._requests = StrictHeads(ledger, records, requests.KIND, ends=ENDS)
        self._packages = StrictHeads(ledger, records, EVIDENCE, ends=packages.ENDS)
        self._holds = StrictHeads(ledger, records, holds.KIND, ends=holds.ENDS)
        self._grants = StrictHeads(ledger, records, grants.KIND)
        self._read: dict[str, Notice | None] = {}
        self._measured_at: int | None = None
        self._slow: tuple[Notice, ...] = ()
        self._beats = beats
        self._cameras = cameras
        self._turn = turn
        self._rules = rules
        self._exports = exports
        self._exported: tuple[Notice, ...] = ()
        self._silence = Silence()
        self._findings = Findings()
        self._unfollowed = Unfollowed()
        self._ailing: tuple[Notice, ...] = ()
        self._silent: tuple[Notice, ...] = ()
        self._found: tuple[Notice, ...] = ()
        self._lapsed: tuple[Notice, ...] = ()

    def notices(self) -> tuple[Notice, ...]:
        """All of them, oldest first; each call returns the same notices until they are too old.

        Raises:
            Unavailable: the ledger does not answer.
        """
        now = self._clock.now()
        found: dict[str, Notice] = {}
        for one in (*self._of_entries(now), *self._due(now), *self.measured):
            found.setdefault(one.id, one)
        return tuple(sorted(found.values(), key=lambda one: (one.at, one.id)))

    @property
    def measured(self) -> tuple[Notice, ...]:
        """The notices of the last :meth:`measure`."""
        return (*self._slow, *self._lapsed, *self._ailing, *self._silent, *self._found, *self._exported)

    def measure(self) -> None:
        """Check the follower, the recorders and their cameras, and exports.

        At most once per :data:`MEASURE_EVERY` also check which grants end soon, which footage of requests and
        grants is destroyed soon, and how full the store is.

        Raises:
            Unavailable: measuring fails now; the last result stays.
        """
        now = self._clock.now()
        if self._turn is not None:
            self._lapsed = self._unfollowed.look(self._turn(), now, self._clock.monotonic())
        self._ailing = tuple(_of_trouble(one, now) for beat in self._beats() for one in troubles(beat, now))
        cameras = tuple(self._cameras())
        self._silent = self._silence.look(cameras, now)
        self._found = self._findings.look(cameras, now)
        self._exported = tuple(found for one in self._exports() if (found := of_export(one)) is not None)
        elapsed = self._clock.monotonic()
        if self._measured_at is None or elapsed - self._measured_at >= MEASURE_EVERY:
            ending = (*self._ending(now), *self._running_out(now))
            level = self._pressure().value
            self._measured_at = elapsed
            self._slow = (*ending, _of_level(level, self._clock.now())) if level in _PRESSING else ending

    # Entries -----------------------------------------------------------------------------------------

    def _of_entries(self, now: int) -> Iterator[Notice]:
        known: dict[str, Notice | None] = {}
        for listed in self._listed(now):
            if listed.stored_at < now - HORIZON - _SLACK:
                continue
            if listed.key in self._read:
                known[listed.key] = self._read[listed.key]
            else:
                known[listed.key] = self._read_entry(listed)
        self._read = known
        for notice in known.values():
            if notice is not None and notice.at >= now - HORIZON:
                yield notice

    def _listed(self, now: int) -> Iterator[ObjectVersion]:
        """Every entry of the last :data:`HORIZON`, and some older ones."""
        with suppress(IntegrityError, Malformed):  # notified when its entries are read one by one
            self._packages.refresh()
        prefixes = [
            prefix
            for heads in (self._requests, self._packages)
            for prefix in heads.prefixes(lambda entry: entry.at >= now - HORIZON - _SLACK)
        ]
        for prefix in (*prefixes, keys.ledger_prefix(INCIDENT), keys.ledger_prefix(BACKFILL)):
            yield from self._records.list(prefix)

    def _read_entry(self, listed: ObjectVersion) -> Notice | None:
        try:
            entry = self._ledger.entry(*keys.parse_ledger_key(listed.key))
            if entry.kind == INCIDENT:
                return _of_incident(entry)
            if entry.kind == BACKFILL:
                return of_filled(entry, self._request)
            return self._of_package(entry) if entry.kind == EVIDENCE else _of_request(entry)
        except (IntegrityError, Malformed) as error:
            return _unreadable(error, listed.stored_at)

    def _of_package(self, entry: Entry) -> Notice | None:
        record = packages.from_state(entry.state)
        if record.status is EvidenceStatus.SEALED:
            event, mark = Event.SEALED, ""  # any number of such entries is one sealing
        elif record.status is EvidenceStatus.SEAL_FAILED:
            event, mark = Event.SEAL_FAILED, str(entry.version)
        else:
            return None
        asked = record.request
        request = self._request(asked.request_id) if asked.request_id else None
        return Notice(
            event=event,
            subject=entry.id,
            mark=mark,
            at=entry.at,
            urgent=False,
            link=package_page(entry.id) if request is None else request_page(request.id),
            agency="" if request is None else request.agency_account,
            agency_name="" if request is None else request.requester.agency,
            unit="" if request is None else request.requester.unit,
            cameras=len(asked.cameras),
            code=record.failure_code if event is Event.SEAL_FAILED else "",
        )

    def _request(self, request_id: str) -> Request:
        return requests.from_state(request_id, self._ledger.head(requests.KIND, request_id).state)

    # Due dates ---------------------------------------------------------------------------------------

    def _due(self, now: int) -> Iterator[Notice]:
        for find, heads in ((_overdue, self._requests), (_review, self._holds)):
            try:
                heads.refresh()
            except IntegrityError as error:
                yield _unreadable(error, now)
            for entry in heads.known.values():
                try:
                    notice = find(entry, now)
                except Malformed as error:
                    notice = _unreadable(error, now)
                if notice is not None and notice.at >= now - HORIZON:
                    yield notice

    def _ending(self, now: int) -> Iterator[Notice]:
        """Grants in force that end within a week, or within the second half of a shorter term."""
        try:
            self._grants.refresh()
        except IntegrityError as error:
            yield _unreadable(error, now)
        for entry in self._grants.known.values():
            try:
                grant = grants.from_state(entry.id, entry.state)
            except Malformed as error:
                yield _unreadable(error, now)
                continue
            at = grant.ends_at - min(ENDING, (grant.ends_at - grant.given_at) // 2)
            if grant.in_force(now) and at <= now:
                yield Notice(
                    event=Event.GRANT_ENDING,
                    subject=grant.id,
                    mark=str(grant.ends_at),
                    at=at,
                    urgent=False,
                    link=VIEW_PAGE,
                    agency=grant.agency,
                    cameras=len(grant.cameras),
                    due_at=grant.ends_at,
                )

    def _running_out(self, now: int) -> Iterator[Notice]:
        """Footage of requests and grants that a rule destroys soon, and that no hold keeps."""
        try:
            self._requests.refresh()
            self._holds.refresh()
            held = self._holds.known
            kept, due_at = holds_in_force(held.values()), self._rules()
        except (IntegrityError, Malformed) as error:
            yield _unreadable(error, now)  # what is held is not known
            return
        for entry in self._requests.known.values():
            own_hold = held.get(str(entry.state.get("hold_id")))
            yield from _readable(of_request(entry, own_hold, kept, due_at, now), now)
        for entry in self._grants.known.values():
            yield from _readable(of_grant(entry, kept, due_at, now), now)


MEASURE_EVERY = HOUR // 12
"""The pause between two looks at the grants, at footage that is destroyed soon, and at the store's size."""
ENDING = 7 * DAY
"""How long before its end a notice of a grant goes out."""

_PRESSING = ("amber", "red")
_DECIDED = {
    "request.approved": Event.REQUEST_APPROVED,
    "request.rejected": Event.REQUEST_REJECTED,
    "request.handed_over": Event.HANDED_OVER,
}


def _of_request(entry: Entry) -> Notice | None:
    if entry.action in ("request.filed", "request.amended"):
        request = requests.from_state(entry.id, entry.state)
        event = Event.REQUEST_URGENT if request.urgent or requests.is_expiring(request) else Event.REQUEST_NEW
        return _about(request, event, mark=str(entry.version), at=entry.at, due_at=request.letter_due_at)
    decided = _DECIDED.get(entry.action)
    if decided is None:
        return None
    request = requests.from_state(entry.id, entry.state)
    return _about(request, decided, mark=str(entry.version), at=entry.at)


def _overdue(entry: Entry, now: int) -> Notice | None:
    request = requests.from_state(entry.id, entry.state)
    due = request.letter_due_at
    if due is None or not requests.is_letter_overdue(request, now):
        return None
    return _about(request, Event.LETTER_OVERDUE, mark=str(due), at=due, due_at=due)


def _review(entry: Entry, now: int) -> Notice | None:
    hold = holds.from_state(entry.id, entry.state)
    if not hold.in_force or hold.review_at > now:
        return None
    return Notice(
        event=Event.HOLD_REVIEW_DUE,
        subject=hold.id,
        mark=str(hold.review_at),
        at=hold.review_at,
        urgent=False,
        link=f"/penahanan/{hold.id}",
        cameras=len(hold.cameras),
        due_at=hold.review_at,
    )


def _readable(found: Iterable[Notice], now: int) -> Iterator[Notice]:
    """The notices of an entry that are not too old; if it cannot be read, a notice of that."""
    try:
        yield from [one for one in found if one.at >= now - HORIZON]
    except (IntegrityError, Malformed, NotFound) as error:
        yield _unreadable(error, now)


def _unreadable(error: ArchiveError, at: int) -> Notice:
    return Notice(
        event=Event.INTEGRITY_INCIDENT,
        subject=error.code,
        mark=str(at // HOUR),
        at=at,
        urgent=True,
        link=INCIDENTS_PAGE,
        code=error.code,
    )


def _of_incident(entry: Entry) -> Notice | None:
    """A finding; all findings of one code within one hour (UTC) are one notice."""
    if entry.action not in ("integrity_incident.opened", "integrity_incident.reopened"):
        return None
    code = str(entry.state.get("code", ""))
    event = Event.CANARY_RED if code.startswith("canary_") else Event.INTEGRITY_INCIDENT
    return Notice(
        event=event,
        subject=code,
        mark=str(entry.at // HOUR),
        at=entry.at,
        urgent=event in URGENT,
        link=INCIDENTS_PAGE,
        code=code,
    )


def _about(request: Request, event: Event, *, mark: str, at: int, due_at: int | None = None) -> Notice:
    return Notice(
        event=event,
        subject=request.id,
        mark=mark,
        at=at,
        urgent=event in URGENT,
        link=request_page(request.id),
        agency=request.agency_account,
        agency_name=request.requester.agency,
        unit=request.requester.unit,
        cameras=len(request.cameras),
        due_at=due_at,
    )


def _of_trouble(trouble: Trouble, now: int) -> Notice:
    return Notice(
        event=Event.RECORDER_TROUBLE,
        subject=trouble.recorder,
        mark=f"{trouble.code}|{now // DAY}",
        at=now,
        urgent=True,
        link=HEALTH_PAGE,
        due_at=trouble.due_at,
        code=trouble.code,
    )


def _of_level(level: str, now: int) -> Notice:
    return Notice(
        event=Event.ARCHIVE_PRESSURE,
        subject=level,
        mark=str(now // DAY),
        at=now,
        urgent=level == "red",
        link=HEALTH_PAGE,
        code=level,
    )
