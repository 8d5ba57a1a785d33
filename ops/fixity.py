"""The fixity scrub of an installation: as a job in short turns, and as a command."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from archive.integrity.fixity.job import Scrub, Step
from archive.integrity.fixity.locks import Finding
from archive.integrity.fixity.pace import Pace
from archive.integrity.fixity.status import FixityStatus, fixity_status
from archive.timespan import DAY, MINUTE, SECOND
from ops.telemetry import stderr_log
from ops.wiring import Site

TURN = 10 * SECOND
"""How long the job works before it checks whether to stop."""

REST = 10 * MINUTE
"""How long the job waits when nothing more is due."""

_THREADS = 2
_MIB = 1 << 20


def make_scrub(site: Site, rate: int | None, tell: Callable[[Finding], None] = lambda finding: None) -> Scrub:
    """A scrub over this site that reads at most ``rate`` bytes per second; None sets no limit."""
    return Scrub(
        site.stores,
        site.ledger,
        site.clock,
        Pace(rate, site.clock, time.sleep),
        every=site.settings.fixity_days * DAY,
        floor_days=site.settings.retention_floor_days,
        pool=_pool(site),
        tell=tell,
    )


def status_of(site: Site) -> FixityStatus:
    """The progress of the scrub."""
    return fixity_status(site.stores.cache, site.clock, days=site.settings.fixity_days)


class FixityJob:
    """The scrub in turns of :data:`TURN`; the next turn continues a unit that a turn did not finish.

    Not thread-safe. A setting of 0 MiB/s turns it off.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        rate = site.settings.fixity_mib_per_second * _MIB
        self._scrub = make_scrub(site, rate, _alert) if rate else None
        self._walk: Iterator[Step] | None = None
        self._rested_until = 0

    def run(self) -> int:
        """Work for one turn; returns the number of objects checked. After an ArchiveError call it again."""
        clock = self._site.clock
        began = clock.monotonic()
        if self._scrub is None or (self._walk is None and began < self._rested_until):
            return 0
        walk = self._walk or self._scrub.due()
        # An error ends the iterator, so the next turn begins a new one.
        self._walk = None
        count = 0
        for _ in walk:
            count += 1
            if clock.monotonic() - began >= TURN:
                self._walk = walk
                return count
        self._rested_until = clock.monotonic() + REST
        return count


def _pool(site: Site) -> Executor | None:
    """Separate threads for a store behind a network, so that playback never waits for the scrub."""
    if site.pool is None:
        return None
    pool = ThreadPoolExecutor(_THREADS, "fixity")
    site.closing(pool.shutdown)
    return pool


def _alert(finding: Finding) -> None:
    stderr_log().error(
        "integrity incident", code=finding.code, subject=finding.subject, message=finding.message
    )
