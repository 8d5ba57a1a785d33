"""Audit events of unauthenticated attempts.

Unauthenticated clients must not be able to fill the audit trail: their attempts are counted, and at most one
custody event a minute is written, with their number and addresses.
"""

import threading
from collections import Counter

from api.audit import Act, AuditEvent, AuditTrail
from api.metrics import Metrics
from archive.clock import Clock
from archive.model.custody import Actor, Outcome
from archive.timespan import MINUTE

MAX_ADDRESSES = 20


class UnauthenticatedAttempts:
    """Counts attempts without a known token. Thread-safe."""

    def __init__(self, audit: AuditTrail, metrics: Metrics, clock: Clock) -> None:
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._guard = threading.Lock()
        self._from: Counter[str] = Counter()
        self._last: int | None = None

    def turned_away(self, address: str) -> None:
        """Count an attempt from an address."""
        self._metrics.sign_in_refused.inc()
        with self._guard:
            if address in self._from or len(self._from) < MAX_ADDRESSES:
                self._from[address] += 1
            else:
                self._from["others"] += 1
        self.write_if_due()

    def write_if_due(self) -> None:
        """Write the counts, unless they were written within the last minute."""
        now = self._clock.monotonic()
        with self._guard:
            if not self._from or (self._last is not None and now - self._last < MINUTE):
                return
            self._last = now
        self.write()

    def write(self) -> None:
        """Write what was counted since the last write."""
        with self._guard:
            counted, self._from = self._from, Counter()
        if not counted:
            return
        self._audit.write_late(
            AuditEvent(
                type=Act.SIGN_IN.value,
                actor=Actor(id="unknown", address=max(counted, key=lambda address: counted[address])),
                objects=(),
                purpose="",
                outcome=Outcome.REFUSED,
                details={
                    "attempts": counted.total(),
                    "addresses": " ".join(f"{address}={times}" for address, times in counted.items()),
                },
            )
        )
