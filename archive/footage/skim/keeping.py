"""What the job ``skim`` does: makes parts that holds keep before anybody asks, and keeps the cache in order.

A turn is short: at most :data:`PARTS` parts are made, at low priority, and :data:`CHECKED` are compared with
the index. Each held part is dealt with once by this process, also one whose segments are damaged: the answer
on request names them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from archive.footage.skim.cache import Kind, StoredPart
from archive.footage.skim.parts import PART, read_part, starts_in
from archive.footage.skim.skimmer import Skimmer
from archive.timespan import MINUTE, SpanSet

PARTS = 2
"""Parts made in one turn: a few seconds of one processor at 1080p."""

CHECKED = 200
"""Stored parts, and held parts, compared with the index in one turn."""

SETTLED = 2 * MINUTE
"""A part is made before it is asked for once its end is so long ago (µs): its segments have arrived."""

NICENESS = 15


@dataclass
class SkimKeeper:
    """One job's memory. Not shared between threads.

    ``held`` gives the footage that holds keep, by camera; ``budget`` is the most bytes in the cache.
    """

    skimmer: Skimmer
    held: Callable[[], Mapping[str, SpanSet]]
    budget: int
    now: Callable[[], int]
    _settled: set[tuple[str, int]] = field(default_factory=set)
    _to_check: list[StoredPart] = field(default_factory=list)

    def run(self) -> int:
        """One turn; returns how many parts were made or removed.

        Raises:
            Unavailable: a store does not answer, or FFmpeg cannot run; the next turn goes on.
        """
        return self._check() + self.skimmer.cache.trim(self.budget) + self._make()

    def _check(self) -> int:
        """Remove copies whose footage is not there any more, some parts in each turn."""
        if not self._to_check:
            self._to_check = list(self.skimmer.cache.stored())
        removed = 0
        for stored in self._to_check[:CHECKED]:
            now = read_part(self.skimmer.index, stored.camera, stored.start)
            if stored.names != {now.name}:
                self.skimmer.cache.drop(stored.camera, stored.start)
                removed += 1
        del self._to_check[:CHECKED]
        return removed

    def _make(self) -> int:
        made = 0
        skimmer = self.skimmer.giving_way(NICENESS)
        for camera, start in islice(self._wanted(), CHECKED):
            if made == PARTS:
                break
            part = read_part(skimmer.index, camera, start)
            if part.recorded is not None and not skimmer.cache.has(part, Kind.ACTIVITY):
                skimmer.activity(part)
                made += 1
            self._settled.add((camera, start))
        return made

    def _wanted(self) -> Iterator[tuple[str, int]]:
        """Held parts that this process has not dealt with, the newest first."""
        latest = self.now() - SETTLED - PART
        for camera, spans in sorted(self.held().items()):
            for span in reversed(list(spans)):
                for start in reversed(starts_in(span)):
                    if start <= latest and (camera, start) not in self._settled:
                        yield camera, start
