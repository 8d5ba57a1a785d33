"""Follows custody and ledger while no job does, so that questions are answered.

``saksi serve`` stands in as long as it runs, and a command that lists does once. Two that begin at the same
moment, or a job that starts meanwhile, do the same work twice and nothing else: any number of followers may
work at once (:mod:`archive.integrity.rebuild.follow`).
"""

from archive.clock import Clock
from archive.integrity.rebuild.follow import Follower
from archive.integrity.rebuild.putting import Followed
from archive.integrity.rebuild.report import Progress
from archive.ports import RecordIndex
from archive.records.indexed.marks import LATE, is_attended

_REST = 4
"""A turn is not taken within this many times as long as the last one took: others need as long for theirs."""


class StandIn:
    """Takes a follower's turn only if none began within ``patience`` (µs). Not thread-safe."""

    def __init__(self, follower: Follower, index: RecordIndex, clock: Clock, *, patience: int) -> None:
        self._follower = follower
        self._index = index
        self._clock = clock
        self._patience = patience
        self._took = 0

    def run(self, progress: Progress | None = None) -> Followed | None:
        """One turn, or None if somebody else follows. Raises as the follower, and as ``progress``."""
        patience = max(self._patience, min(_REST * self._took, LATE))
        if is_attended(self._index, self._clock.now(), patience):
            return None
        began = self._clock.monotonic()
        report = self._follower.run(progress)
        self._took = self._clock.monotonic() - began
        return report
