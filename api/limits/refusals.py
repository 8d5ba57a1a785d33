"""Audit events of requests that a rate limit refused.

A flood must not fill the audit trail: refusals are counted, and written once a minute at most, one event for
each person or machine and one for all unauthenticated addresses, with the counts by kind.
"""

import threading
from collections import Counter

from api.audit import Act, AuditEvent, AuditTrail
from api.auth.principal import Principal
from api.limits.rates import Kind
from api.limits.work import Work
from api.metrics import Metrics
from archive.clock import Clock
from archive.model.custody import Actor, Outcome
from archive.timespan import MINUTE

CODE = "rate_limited"
MAX_PEOPLE, MAX_ADDRESSES = 50, 20


class Refusals:
    """Counts requests refused for their rate or their number at once. Thread-safe; counting does no I/O."""

    def __init__(self, audit: AuditTrail, metrics: Metrics, clock: Clock) -> None:
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._guard = threading.Lock()
        self._people: dict[str, tuple[Actor, Counter[str]]] = {}
        self._addresses: Counter[str] = Counter()
        self._last: int | None = None

    def of_principal(self, principal: Principal, address: str, kind: Kind | Work) -> None:
        """Count a refusal of an authenticated principal."""
        self._metrics.rate_limited.labels(kind.value).inc()
        with self._guard:
            kept = self._people.get(principal.id)
            if kept is None and len(self._people) >= MAX_PEOPLE:
                self._addresses["others"] += 1
                return
            actor = Actor(
                id=principal.id,
                address=address,
                session=principal.session,
                role=principal.role,
                agency=principal.agency,
            )
            counts: Counter[str] = Counter() if kept is None else kept[1]
            counts[kind.value] += 1
            self._people[principal.id] = (actor, counts)

    def of_address(self, address: str, kind: Kind) -> None:
        """Count a refusal of an unauthenticated address."""
        self._metrics.rate_limited.labels(kind.value).inc()
        with self._guard:
            known = address in self._addresses or len(self._addresses) < MAX_ADDRESSES
            self._addresses[address if known else "others"] += 1

    def write_if_due(self) -> None:
        """Write the counts, unless they were written within the last minute."""
        now = self._clock.monotonic()
        with self._guard:
            nothing = not self._people and not self._addresses
            if nothing or (self._last is not None and now - self._last < MINUTE):
                return
            self._last = now
        self.write()

    def write(self) -> None:
        """Write what was counted since the last write."""
        with self._guard:
            people, self._people = self._people, {}
            addresses, self._addresses = self._addresses, Counter()
        for actor, counts in people.values():
            kinds = " ".join(f"{kind}={times}" for kind, times in sorted(counts.items()))
            self._write(actor, counts.total(), {"limits": kinds})
        if addresses:
            most = max(addresses, key=lambda address: addresses[address])
            named = " ".join(f"{address}={times}" for address, times in addresses.items())
            self._write(Actor(id="unknown", address=most), addresses.total(), {"addresses": named})

    def _write(self, actor: Actor, refused: int, details: dict[str, str]) -> None:
        self._audit.write_late(
            AuditEvent(
                type=Act.ACCESS.value,
                actor=actor,
                objects=(),
                purpose="",
                outcome=Outcome.REFUSED,
                details={"code": CODE, "refused": refused, **details},
            )
        )
