"""The locks and holds that the ledger requires, compared with those that the store has (I4).

On some servers any account can clear a GOVERNANCE lock, so the store's present answer is compared with the
policies. A lock that is longer than its policy is right: a shorter policy never touches locks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archive.clock import Clock
from archive.footage.places import PlaceHistory
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.locks import LockHistory
from archive.model import hold as holds
from archive.model.finding import Finding
from archive.ports import ObjectHead, ObjectStore
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan, format_instant

LOCK_GRACE = DAY
"""How long the job that extends locks may take after a policy came into force."""

HOLD_GRACE = HOUR
"""How long the job that sets hold flags may take after a hold was placed."""


@dataclass(frozen=True, slots=True)
class LockRules:
    """What policies and holds require of stored segments, as of ``now``.

    ``expected`` returns until when a segment of a camera that starts at an instant must be locked.
    """

    now: int
    expected: Callable[[str, int], int]
    holds: HoldBook

    @classmethod
    def read(cls, ledger: Ledger, records: ObjectStore, clock: Clock, *, floor_days: int) -> "LockRules":
        """From the present ledger.

        Raises:
            Malformed: ``bad_policy``, ``bad_hold``; others as the ledger.
        """
        history = LockHistory.read(ledger, records, floor_days=floor_days)
        places = PlaceHistory.read(ledger, records)
        now = clock.now()

        def expected(camera: str, start: int) -> int:
            # As of a day ago: until then the job may still be extending locks.
            return history.expected_lock(camera, places.place(camera, start), start, now - LOCK_GRACE)

        return cls(now=now, expected=expected, holds=HoldBook.of_entries(ledger.heads(holds.KIND)))

    def findings(self, camera: str, span: Timespan, head: ObjectHead) -> Iterator[Finding]:
        """The ways in which the store's lock or hold on a segment falls short of the ledger."""
        until = self.expected(camera, span.start)
        if until > self.now:
            stands = format_instant(until)
            if head.lock is None:
                yield Finding("lock_missing", head.key, f"it has no lock and must be locked until {stands}")
            elif head.lock.until < until - SECOND:
                found = format_instant(head.lock.until)
                yield Finding(
                    "lock_short",
                    head.key,
                    f"it is locked until {found} and must be locked until {stands}",
                    {"locked_until": found, "expected_until": stands},
                )
        if not head.held:
            due = [
                hold
                for hold in self.holds.covering(camera, span)
                if max(hold.placed_at, head.stored_at) + HOLD_GRACE <= self.now
            ]
            if due:
                names = ", ".join(hold.id for hold in due)
                yield Finding("hold_missing", head.key, f"it has no hold flag, but {names} requires one")

    def holds_hour(self, camera: str, span: Timespan) -> bool:
        """Whether a hold covers anything in the span."""
        return bool(self.holds.covering(camera, span))
