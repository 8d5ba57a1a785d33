"""The jobs of an installation: what ``saksi work`` and ``saksi up`` do in the background.

A job is one function over a :class:`ops.wiring.Site`. It does what is due and returns the amount of work
done. It is idempotent and needs no lease: two workers with the same job are as safe as one that restarts
after a crash. Each job may run in its own process, with its own store account.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from archive.errors import ArchiveError, IntegrityError, Unavailable
from ops.wiring import Site, build_facts

Tell = Callable[[str, ArchiveError], None]
"""Receives the job's name and the error; the job runs again at its next turn."""


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` does what is due now; ``every`` is the pause in seconds between two turns.

    ``begin`` makes the parts that live as long as the process, and returns ``run``. ``last`` is done once at
    an orderly stop, after every job has stopped.
    """

    name: str
    every: float
    begin: Callable[[Site], Callable[[], int]]
    last: Callable[[Site], int] | None = None


def _seal(site: Site) -> Callable[[], int]:
    from ops.evidence import Evidence
    from ops.handover import shelving

    seal, shelve = Evidence(site, build_facts()).run_open_requests, shelving(site)
    return lambda: seal() + shelve()


def _locks(site: Site) -> Callable[[], int]:
    from archive.lifecycle.retention.job import LockExtension

    return LockExtension(
        site.stores,
        site.ledger,
        site.clock,
        floor_days=site.settings.retention_floor_days,
        pool=site.pool,
    ).run


def _canary(site: Site) -> Callable[[], int]:
    def fly() -> int:
        report = site.canary.fly()
        if report.broken:
            raise IntegrityError(
                report.broken[0].message,
                code="archive_not_protected",
                hint=f"{len(report.broken)} attacks broke a promise: saksi store canary names them.",
            )
        return len(report.findings)

    return fly


def _log(site: Site) -> Callable[[], int]:
    from ops.log import Log

    log = Log(site)
    _ = log.maker  # reports a missing log key before the first turn
    return log.run


def _last_checkpoint(site: Site) -> int:
    """What came since the newest checkpoint is under one before the host is out of sight."""
    from ops.log import Log

    return 0 if Log(site).maker.make() is None else 1


def _index(site: Site) -> Callable[[], int]:
    from archive.integrity.rebuild.sync import Sync

    sync = Sync(site.stores, site.bare_index, site.clock)
    return lambda: sync.run().changes


def _follow(site: Site) -> Callable[[], int]:
    follower = site.follower()
    return lambda: follower.run().changes


def _fixity(site: Site) -> Callable[[], int]:
    from ops.fixity import FixityJob

    return FixityJob(site).run


def _holds(site: Site) -> Callable[[], int]:
    return site.hold_sweeper().run


def _dispose(site: Site) -> Callable[[], int]:
    from ops.disposition import Dispositions

    return Dispositions(site).run


def _requests(site: Site) -> Callable[[], int]:
    return site.requests.following.run


def _handover(site: Site) -> Callable[[], int]:
    from ops.handover import settling

    return settling(site)


def _exports(site: Site) -> Callable[[], int]:
    from ops.exports import worker_of

    return worker_of(site).run


def _notices(site: Site) -> Callable[[], int]:
    from ops.notices.service import running

    return running(site)


def _backfill(site: Site) -> Callable[[], int]:
    from archive.evidence.backfilled import BackfillFlags

    return BackfillFlags(site.ledger, site.stores.records, site.index, site.clock).run


def _skim(site: Site) -> Callable[[], int]:
    from ops.skim import keeping

    return keeping(site)


def _adopt(site: Site) -> Callable[[], int]:
    from ops.adopting import adoption_of

    return adoption_of(site).run


def all_jobs() -> Mapping[str, Job]:
    """Every job, by name."""
    jobs = (
        Job("seal", 2.0, _seal),
        Job("index", 60.0, _index),
        Job("follow", 3.0, _follow),
        Job("dispose", 3600.0, _dispose),
        Job("holds", 2.0, _holds),
        Job("canary", 86_400.0, _canary),
        Job("locks", 10.0, _locks),
        Job("fixity", 1.0, _fixity),
        Job("log", 30.0, _log, _last_checkpoint),
        Job("requests", 5.0, _requests),
        Job("handover", 60.0, _handover),
        Job("notices", 5.0, _notices),
        Job("skim", 20.0, _skim),
        Job("backfill", 20.0, _backfill),
        Job("exports", 2.0, _exports),
        Job("adopt", 60.0, _adopt),
    )
    return {job.name: job for job in jobs}


class JobThreads:
    """Runs each job in its own thread until stopped."""

    def __init__(self, site: Site, jobs: Sequence[Job], *, tell: Tell) -> None:
        self._site = site
        self._tell = tell
        self._jobs = tuple(jobs)
        self._stopped = threading.Event()
        # ``begin`` makes parts of the site that all jobs share.
        self._beginning = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(job,), name=f"job-{job.name}", daemon=True)
            for job in jobs
        ]

    def start(self) -> None:
        """Start every job."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop each job after its current turn, then do what jobs do last.

        Raises:
            Unavailable: ``job_in_work``: a job has not stopped after a minute.
        """
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)
        busy = [thread.name for thread in self._threads if thread.is_alive()]
        if busy:
            raise Unavailable(f"jobs that have not stopped: {', '.join(busy)}", code="job_in_work")
        for job in self._jobs:
            if job.last is not None:
                try:
                    job.last(self._site)
                except ArchiveError as error:
                    self._tell(job.name, error)

    def _run(self, job: Job) -> None:
        run: Callable[[], int] | None = None
        while not self._stopped.is_set():
            try:
                if run is None:
                    with self._beginning:
                        run = job.begin(self._site)
                run()
            except ArchiveError as error:
                self._tell(job.name, error)
            self._stopped.wait(job.every)
