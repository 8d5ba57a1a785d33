"""Audit events of unauthenticated attempts.

Unauthenticated clients must not be able to fill the audit trail: their attempts are counted, and written once
a minute at most: one event for each account on which passwords were tried, so that they are on record under
it, and one for everything else, with their number and addresses. What was typed is never written; a name that
is no account may be a password in the wrong field.
"""

import threading
from collections import Counter

from api.audit import Act, AuditEvent, AuditTrail
from api.metrics import Metrics
from archive.clock import Clock
from archive.model.custody import Actor, Outcome
from archive.timespan import MINUTE

MAX_ADDRESSES = 20
MAX_ACCOUNTS = 100


class UnauthenticatedAttempts:
    """Counts attempts without a known token. Thread-safe."""

    def __init__(self, audit: AuditTrail, metrics: Metrics, clock: Clock) -> None:
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._guard = threading.Lock()
        self._tried: dict[str, Counter[str]] = {}
        self._last: int | None = None

    def turned_away(self, address: str, account: str = "") -> None:
        """Count an attempt from an address, on an account that exists or on none."""
        self._metrics.sign_in_refused.inc()
        with self._guard:
            if account not in self._tried and len(self._tried) >= MAX_ACCOUNTS:
                account = ""
            counted = self._tried.setdefault(account, Counter())
            known = address in counted or len(counted) < MAX_ADDRESSES
            counted[address if known else "others"] += 1
        self.write_if_due()

    def write_if_due(self) -> None:
        """Write the counts, unless they were written within the last minute."""
        now = self._clock.monotonic()
        with self._guard:
            if not self._tried or (self._last is not None and now - self._last < MINUTE):
                return
            self._last = now
        self.write()

    def write(self) -> None:
        """Write what was counted since the last write."""
        with self._guard:
            tried, self._tried = self._tried, {}
        for account, counted in tried.items():
            self._write(account, counted)

    def _write(self, account: str, counted: Counter[str]) -> None:
        self._audit.write_late(
            AuditEvent(
                type=Act.SIGN_IN.value,
                actor=Actor(id="unknown", address=max(counted, key=lambda address: counted[address])),
                objects=(f"user:{account}",) if account else (),
                purpose="",
                outcome=Outcome.REFUSED,
                details={
                    "attempts": counted.total(),
                    "addresses": " ".join(f"{address}={times}" for address, times in counted.items()),
                },
            )
        )
