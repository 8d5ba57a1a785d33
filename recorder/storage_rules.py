"""The rules by which a recorder stores segments: how long each is locked, and whether a hold covers it.

Policies and holds are read from the ledger every few seconds and kept in the spool, so that a start without
the store still locks and holds by the known rules. If the ledger does not answer, the last rules stay in
force: footage cannot be recorded again, but a lock can be lengthened and a flag be set later.

An unreadable entry does not stop recording either. A stream keeps its last readable entry. A *policy* that
never was readable is skipped: the next wider scope decides, and at least the floor. A *hold* that never was
readable may cover anything, so every segment is put with the hold flag while that lasts; ``saksi hold tidy``
later clears the flag where no hold applies.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, Malformed, Unavailable
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.book import PolicyBook
from archive.model import hold as holds
from archive.model import retention
from archive.model.camera import Place
from archive.model.hold import Hold
from archive.model.retention import Policy
from archive.model.segment import Segment
from archive.ports import ObjectStore
from archive.records.ledger.heads import LenientHeads, Reading
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import SECOND
from recorder.archiver import Log
from recorder.spool import Spool

_KEPT = "rules.json"
_PATIENCE = 10
"""After a failed refresh, the next one waits this many times as long as the failed one took."""


class StorageRules:
    """The policies and holds known to a recorder. Thread-safe.

    ``refresh_seconds`` is how old they may be when a segment is put, as long as the ledger answers.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: ObjectStore,
        spool: Spool,
        clock: Clock,
        log: Log,
        *,
        floor_days: int,
        refresh_seconds: float,
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._log = log
        self._floor_days = floor_days
        self._refresh = round(refresh_seconds * SECOND)
        self._policies: LenientHeads[Policy] = LenientHeads(
            ledger, records, retention.KIND, lambda entry: retention.from_state(entry.state)
        )
        self._holds: LenientHeads[Hold] = LenientHeads(
            ledger,
            records,
            holds.KIND,
            lambda entry: holds.from_state(entry.id, entry.state),
            ends=holds.ENDS,
        )
        self._policy_book = PolicyBook((), floor_days=floor_days)
        self._hold_book = HoldBook(())
        self._holds_all = False
        self._kept: JsonObject | None = None
        self._next_look = clock.monotonic()
        self._told: dict[str, str] = {}
        self._turn = threading.Lock()

    def remember(self) -> None:
        """Begin with the rules kept in the spool, if there are any."""
        try:
            kept = self._spool.kept(_KEPT)
            if kept is None:
                if _KEPT in self._spool.damaged:
                    self._tell("memory", "rules_forgotten", f"{_KEPT} in the spool is damaged")
                return
            self._policies.remember({name: _entry(value) for name, value in kept["policies"].items()})
            self._holds.remember({name: _entry(value) for name, value in kept["holds"].items()})
            self._holds_all = bool(kept["holds_all"])
        except (ValueError, KeyError, TypeError, AttributeError, Malformed, Unavailable) as error:
            self._tell("memory", "rules_forgotten", f"{_KEPT} in the spool does not read: {error}")
            return
        self._make_books()

    def refresh(self) -> None:
        """Read changes from the ledger, unless that was just done; after a failure the last rules stay."""
        with self._turn:
            began = self._clock.monotonic()
            if began < self._next_look:
                return
            # Each kind separately: an account that may not read one must still learn the other.
            well = all([self._look("policies", self._policies), self._look("holds", self._holds)])
            took = self._clock.monotonic() - began
            self._next_look = began + max(self._refresh, 0 if well else _PATIENCE * took)

    def locked_until(self, segment: Segment, place: Place | None) -> int:
        """The end of the lock by the policy for the segment's camera and place; at least the floor.

        A segment recorded under a longer policy than today's keeps the longer lock.
        """
        self.refresh()
        start, book = segment.span.start, self._policy_book
        instants = (start, self._clock.now())
        return max(book.ruling(segment.camera, place, at).locked_until(start) for at in instants)

    def is_held(self, segment: Segment) -> bool:
        """Whether a hold covers the segment, or may cover it."""
        self.refresh()
        return self._holds_all or self._hold_book.is_held(segment)

    def _look(self, name: str, heads: "LenientHeads[Policy] | LenientHeads[Hold]") -> bool:
        try:
            reading = heads.refresh()
        except ArchiveError as error:
            self._tell(name, "rules_wait", f"{name} cannot be read: {error.message}", code=error.code)
            return False
        unreadable = ", ".join(f"{stream} ({error.code})" for stream, error in reading.unreadable.items())
        if unreadable:
            self._tell(name, "rules_unreadable", f"{name} that do not read: {unreadable}")
        else:
            self._told.pop(name, None)
        if name == "holds":
            self._holds_all = bool(set(reading.unreadable) - set(reading.known))
        self._make_books()
        return True

    def _make_books(self) -> None:
        policies, held = self._policies.reading, self._holds.reading
        self._policy_book = PolicyBook(_values(policies), floor_days=self._floor_days)
        self._hold_book = HoldBook(_values(held))
        kept: JsonObject = {
            "policies": {name: asdict(one.entry) for name, one in policies.known.items()},
            "holds": {name: asdict(one.entry) for name, one in held.known.items()},
            "holds_all": self._holds_all,
        }
        if kept == self._kept:
            return
        try:
            self._spool.keep(_KEPT, kept)
            self._kept = kept
        except Unavailable as error:
            self._tell("spool", "rules_not_kept", error.message, code=error.code)

    def _tell(self, subject: str, event: str, reason: str, **fields: str) -> None:
        """Log a problem once, until it changes or ends."""
        if self._told.get(subject) != reason:
            self._told[subject] = reason
            self._log.error(event, reason=reason, **fields)


def _values(reading: "Reading[Any]") -> list[Any]:
    return [known.value for known in reading.known.values()]


def _entry(value: Mapping[str, Any]) -> Entry:
    return Entry(**value)
