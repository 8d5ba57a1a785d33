"""I3: finds objects that should be under a checkpoint by now and are not."""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.clock import Clock
from archive.ports import Stores
from archive.records.checkpoint import memory, stored
from archive.records.checkpoint.arrived import PREFIXES
from archive.timespan import MINUTE

GRACE = 10 * MINUTE
"""How long a checkpoint may take after the interval (I3)."""


@dataclass(frozen=True, slots=True)
class Uncovered:
    """One object that no checkpoint covers; times in µs: when the store took it, when it was due."""

    key: str
    stored_at: int
    due_at: int


def uncovered(stores: Stores, clock: Clock, interval: int) -> Iterator[Uncovered]:
    """Every overdue journal, ledger and custody object, in key order; computed from the archive alone.

    It reads every list of leaves. ``interval`` is in µs, the same as the log job's.

    Raises:
        NotFound, IntegrityError: a checkpoint is missing or altered; ``saksi log verify`` gives details.
        Unavailable: the store does not answer.
    """
    covered, _ = memory.load(stores, None, stored.newest(stores.records))
    latest = clock.now() - interval - GRACE
    for prefix in PREFIXES:
        for listed in stores.records.list(prefix):
            if listed.stored_at < latest and listed.key not in covered:
                yield Uncovered(listed.key, listed.stored_at, listed.stored_at + interval + GRACE)
