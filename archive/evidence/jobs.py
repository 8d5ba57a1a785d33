"""Requests for packages and the workers that claim them, on the ledger (kind ``evidence``).

::

    requested -> sealing -> sealed | sealed_untimestamped -> sealed
                         -> seal_failed

Sealing waits until the log has every line (``checkpoint_pending``): such a request goes back to ``requested``
and is tried again each minute; this does not count as an attempt.

A claim is an entry appended by compare-and-append, so exactly one of any number of workers wins. A claim ends
with its lease: when a worker dies, another takes over and makes the same package from the same request. A
worker that is alive when its lease runs out finds its last append refused. It has done no harm: its successor
stores the same parts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from archive.clock import Clock
from archive.errors import ArchiveError, Conflict, IntegrityError, Malformed, NotFound, Refused, Unavailable
from archive.evidence.plan import Prepare
from archive.evidence.proving import CheckpointPending
from archive.evidence.sealing import Progress, Sealer
from archive.ids import check_evidence_id, check_name, new_evidence_id
from archive.model.evidence import (
    ENDS,
    Claim,
    EvidenceRecord,
    EvidenceStatus,
    PackageKind,
    SealedPackage,
    SealRequest,
    from_state,
    to_state,
)
from archive.ports import ObjectStore
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.heads import LenientHeads
from archive.records.ledger.streams import Entry, Ledger, printable
from archive.timespan import MINUTE, Timespan

KIND = "evidence"
LEASE = 20 * MINUTE
PAUSE = 2 * MINUTE
WAIT = MINUTE
MAX_ATTEMPTS = 5
MAX_CASE = 200


@dataclass(frozen=True, slots=True)
class Job:
    """The newest ledger entry of one package, and the record in it."""

    entry: Entry
    record: EvidenceRecord


def request_seal(
    ledger: Ledger,
    clock: Clock,
    *,
    cameras: tuple[str, ...],
    span: Timespan,
    case: str,
    actor: str,
    kind: PackageKind = PackageKind.FOOTAGE,
    request_id: str = "",
    request_entry: str = "",
    evidence_id: str = "",
) -> Job:
    """Ask for a package.

    Its id is new, or ``evidence_id`` where the caller chose one beforehand: a caller that got no clear answer
    can then repeat the call without requesting a second package.

    Raises:
        Conflict: ``ledger_conflict``: a package of that id was already requested.
        Malformed: ``bad_request``: no camera, a camera twice, or a case that is empty, longer than 200
            characters or holds control characters.
    """
    if not cameras or len(set(cameras)) != len(cameras):
        raise Malformed("a package needs cameras, each named once", code="bad_request")
    if not case.strip() or len(case) > MAX_CASE or not case.isprintable():
        raise Malformed(
            "the case is empty, too long or unprintable",
            code="bad_request",
            hint=f"Give the report or letter number, up to {MAX_CASE} characters.",
        )
    now = clock.now()
    request = SealRequest(
        evidence_id=check_evidence_id(evidence_id) if evidence_id else new_evidence_id(now),
        cameras=tuple(check_name("camera", camera) for camera in cameras),
        span=span,
        case=case.strip(),
        actor=actor,
        asked_at=now,
        kind=kind,
        request_id=request_id,
        request_entry=request_entry,
    )
    record = EvidenceRecord(request=request, status=EvidenceStatus.REQUESTED)
    entry = ledger.append(
        KIND,
        request.evidence_id,
        to_state(record),
        expected=0,
        actor=actor,
        action="evidence.requested",
        reason=request.case,
    )
    return Job(entry, record)


def find(ledger: Ledger, evidence_id: str) -> Job:
    """The newest state of a package. Raises NotFound ``evidence_not_found``."""
    entry = ledger.head(KIND, evidence_id)
    return Job(entry, from_state(entry.state))


def all_jobs(ledger: Ledger) -> Iterator[Job]:
    """The newest state of every package ever requested, by id."""
    for entry in ledger.heads(KIND):
        yield Job(entry, from_state(entry.state))


def heads_of_jobs(ledger: Ledger, records: ObjectStore) -> LenientHeads[EvidenceRecord]:
    """The newest state of every package, for a worker that polls."""
    return LenientHeads(ledger, records, KIND, lambda entry: from_state(entry.state), ends=ENDS)


def is_open(job: Job, now: int) -> bool:
    """Whether a worker may claim it: requested, abandoned by a dead worker, or sealed and not stamped."""
    record = job.record
    if record.status in ENDS:
        return False
    return record.claim is None or record.claim.until <= now


Separation = Callable[[SealRequest], object]
"""Checks again that the request behind a package was approved in its present form by a second person.

Raises Refused otherwise.
"""


def _no_requests(request: SealRequest) -> None:
    raise Refused(f"the request {request.request_id} cannot be checked here", code="request_unchecked")


@dataclass(slots=True)
class SealWorker:
    """Claims open requests and seals them, one at a time. ``name`` is unique among workers.

    Each worker has its own ``heads``: see :func:`heads_of_jobs`.
    """

    ledger: Ledger
    heads: LenientHeads[EvidenceRecord]
    sealer: Sealer
    prepare: Prepare
    clock: Clock
    name: str
    lease: int = LEASE
    separation: Separation = _no_requests

    def run_once(self, progress: Progress | None = None) -> Job | None:
        """Claim one open request and work on it to its outcome; None when no request is open.

        A sealing that cannot succeed ends in ``seal_failed``. A sealing stopped by an unavailable part is
        tried again after a pause, five times in all; a missing time stamp is requested again without limit.

        Raises:
            Unavailable: the outcome could not be recorded; the claim lapses with its lease.
            IntegrityError, Malformed: the only job left is one whose ledger entry cannot be read.
        """
        reading = self.heads.refresh()
        for name, known in reading.known.items():
            job = Job(known.entry, known.value)
            if name not in reading.unreadable and is_open(job, self.clock.now()):
                claimed = self.claim(job)
                if claimed is not None:
                    return self.work(claimed, progress)
        for error in reading.unreadable.values():
            raise error
        return None

    def claim(self, job: Job) -> Job | None:
        """Claim an open request; None when another worker was first, or it is not open."""
        now = self.clock.now()
        if not is_open(job, now):
            return None
        attempts = job.record.attempts + 1
        claim = Claim(worker=self.name, until=now + self.lease, attempt=attempts)
        status = job.record.status
        if status is EvidenceStatus.REQUESTED:
            status = EvidenceStatus.SEALING
        try:
            return self._append(
                job,
                replace(job.record, status=status, attempts=attempts, claim=claim, waiting=""),
                "evidence.claimed",
            )
        except Conflict:
            return None

    def work(self, job: Job, progress: Progress | None = None) -> Job:
        """Seal or time-stamp the claimed package, and record the outcome.

        Raises:
            Conflict: ``claim_lost``: the lease ran out and another worker has the request now.
            Unavailable: the outcome could not be recorded.
        """
        if job.record.status is EvidenceStatus.SEALED_UNTIMESTAMPED:
            return self._stamp(job)
        held = _Held(self, job, progress)
        try:
            request = job.record.request
            if request.request_id:
                self.separation(request)
            package = self.sealer.seal(self.prepare(request), held.advance)
        except Unavailable as error:
            return self._put_off(held.job, error)
        except ArchiveError as error:
            return self._fail(held.job, error)
        return self._done(held.job, package)

    def renew(self, job: Job) -> Job:
        """Extend a claim by another lease. Raises Conflict ``claim_lost``."""
        claim = Claim(worker=self.name, until=self.clock.now() + self.lease, attempt=job.record.attempts)
        return self._finish(job, replace(job.record, claim=claim), "evidence.claim_renewed", "")

    def _stamp(self, job: Job) -> Job:
        try:
            package = self.sealer.stamp_pending(job.record.request.evidence_id)
        except Unavailable as error:
            # The package is sealed already: the worker keeps asking for its token and never gives up.
            return self._finish(job, self._later(job), "evidence.stamp_put_off", error.message)
        return self._done(job, package)

    def _later(self, job: Job) -> EvidenceRecord:
        """The record of a request that no worker claims for a while, longer after each attempt."""
        attempt = job.record.attempts
        until = self.clock.now() + PAUSE * min(attempt, MAX_ATTEMPTS)
        return replace(job.record, claim=Claim(worker=self.name, until=until, attempt=attempt))

    def _done(self, job: Job, package: SealedPackage) -> Job:
        stamped = package.gen_time is not None
        status = EvidenceStatus.SEALED if stamped else EvidenceStatus.SEALED_UNTIMESTAMPED
        record = replace(job.record, status=status, claim=None, package=package)
        return self._finish(job, record, f"evidence.{status.value}", package.tagmanifest_sha256)

    def _put_off(self, job: Job, error: ArchiveError) -> Job:
        waits = isinstance(error, CheckpointPending)  # the checkpoint will come; this is no failed attempt
        if job.record.attempts >= MAX_ATTEMPTS and not waits:
            return self._fail(job, error)
        record = replace(self._later(job), status=EvidenceStatus.REQUESTED, waiting=error.code)
        if waits:
            claim = Claim(worker=self.name, until=self.clock.now() + WAIT, attempt=job.record.attempts)
            record = replace(record, attempts=job.record.attempts - 1, claim=claim)
        return self._finish(job, record, "evidence.put_off", error.message)

    def _fail(self, job: Job, error: ArchiveError) -> Job:
        if isinstance(error, IntegrityError):
            self._report(job, error)
        record = replace(
            job.record,
            status=EvidenceStatus.SEAL_FAILED,
            claim=None,
            failure_code=error.code,
            failure=error.message,
        )
        return self._finish(job, record, "evidence.seal_failed", error.message)

    def _report(self, job: Job, error: IntegrityError) -> None:
        """Open an integrity incident, once for each package and kind of damage."""
        evidence_id = job.record.request.evidence_id
        open_integrity_incident(
            self.ledger,
            code=error.code,
            subject=f"evidence/{evidence_id}",
            message=error.message,
            found_by=f"job:{self.name}",
        )

    def _finish(self, job: Job, record: EvidenceRecord, action: str, reason: str) -> Job:
        try:
            return self._append(job, record, action, reason)
        except Conflict as error:
            raise Conflict(
                f"another worker took over {record.request.evidence_id}",
                code="claim_lost",
                hint="Nothing is lost: that worker makes the same package.",
            ) from error

    def _append(self, job: Job, record: EvidenceRecord, action: str, reason: str = "") -> Job:
        entry = self.ledger.append(
            KIND,
            record.request.evidence_id,
            to_state(record),
            expected=job.entry.version,
            actor=f"job:{self.name}",
            action=action,
            reason=printable(reason),  # libraries write messages of several lines
        )
        return Job(entry, record)


@dataclass(slots=True)
class _Held:
    """A claim being worked on, renewed as bytes pass so that it does not lapse during a long sealing."""

    worker: SealWorker
    job: Job
    progress: Progress | None

    def advance(self, done: int, total: int) -> None:
        claim = self.job.record.claim
        if claim is not None and claim.until - self.worker.clock.now() < self.worker.lease // 2:
            self.job = self.worker.renew(self.job)
        if self.progress is not None:
            self.progress(done, total)


def sealed_package(ledger: Ledger, evidence_id: str) -> SealedPackage:
    """The figures of a package that has been sealed.

    Raises:
        NotFound: ``evidence_not_found``; ``package_not_found`` while sealing is not finished.
        Conflict: ``seal_failed``, with the reason.
    """
    record = find(ledger, evidence_id).record
    if record.status is EvidenceStatus.SEAL_FAILED:
        raise Conflict(f"sealing {evidence_id} failed: {record.failure}", code="seal_failed")
    if record.package is None:
        raise NotFound(f"{evidence_id} is not sealed yet", code="package_not_found")
    return record.package
