"""The rules a recorder stores segments by: how long each is locked, and whether a hold covers it.

Policies and holds are read from the ledger every few seconds and kept in the spool, so that a start without
the store still locks and holds what was to be locked and held. Where the ledger does not answer the last
rules go on: footage cannot be recorded again, a lock can be lengthened and a flag be set later.

An entry that does not read stops nothing either. A stream keeps the last entry of it that did read. A
*policy* that never did is passed over: the next wider scope decides, and the floor at least. A *hold* that
never did may cover anything, so everything is put held while that lasts; ``saksi hold tidy`` clears what
turns out not to be covered.
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
"""After a look that failed, the next one waits this many times as long as it took."""


class Rules:
    """Policies and holds as a recorder knows them. Thread-safe.

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
        """Begin with the rules that the spool keeps from before, if it does."""
        try:
            kept = self._spool.kept(_KEPT)
            if kept is None:
                return
            self._policies.remember({name: _entry(value) for name, value in kept["policies"].items()})
            self._holds.remember({name: _entry(value) for name, value in kept["holds"].items()})
            self._holds_all = bool(kept["holds_all"])
        except (ValueError, KeyError, TypeError, AttributeError, Malformed, Unavailable) as error:
            self._tell("memory", "rules_forgotten", f"{_KEPT} in the spool does not read: {error}")
            return
        self._make_books()

    def refresh(self) -> None:
        """Read what changed in the ledger, unless that was just done; what fails leaves the last rules."""
        with self._turn:
            began = self._clock.monotonic()
            if began < self._next_look:
                return
            # Each kind for itself: an account that may not read one must still learn the other.
            well = all([self._look("policies", self._policies), self._look("holds", self._holds)])
            took = self._clock.monotonic() - began
            self._next_look = began + max(self._refresh, 0 if well else _PATIENCE * took)

    def locked_until(self, segment: Segment, place: Place | None) -> int:
        """Until when the segment is locked by the policy for its camera and place; for the floor at least.

        What was recorded under a longer policy than today's keeps that one's lock.
        """
        self.refresh()
        start, book = segment.span.start, self._policy_book
        instants = (start, self._clock.now())
        return max(book.ruling(segment.camera, place, at).locked_until(start) for at in instants)

    def is_held(self, segment: Segment) -> bool:
        """Whether a hold covers the segment, or may."""
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
        """Say a trouble once, until it changes or ends."""
        if self._told.get(subject) != reason:
            self._told[subject] = reason
            self._log.error(event, reason=reason, **fields)


def _values(reading: "Reading[Any]") -> list[Any]:
    return [known.value for known in reading.known.values()]


def _entry(value: Mapping[str, Any]) -> Entry:
    return Entry(**value)
