"""Sealing on an installation: requests, the worker, packages, and their verification."""

import secrets
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from archive.canonical import JsonObject
from archive.cases.requests.facts import Paper, RequestReader
from archive.cases.requests.separation import check_approval
from archive.errors import ArchiveError, Conflict, NotFound
from archive.evidence import jobs
from archive.evidence.absence import check_kind
from archive.evidence.backfilled import fillings_of
from archive.evidence.contents import PackagedFile, files_of
from archive.evidence.documents.compose import Composer
from archive.evidence.documents.contact_sheet import ContactSheet
from archive.evidence.jobs import Job, SealWorker
from archive.evidence.plan import Document, PackagePlan, Prepare
from archive.evidence.prepare import Preparer
from archive.evidence.proving import CheckpointPending, MakeCheckpoint, Prover
from archive.evidence.sealed import StoredContainer
from archive.evidence.sealing import Progress, Sealer
from archive.evidence.verification import verify_container
from archive.evidence.zipped import ZippedPackage, plan_zip
from archive.footage.confinement.shielding import shield
from archive.footage.derive import StillMaker
from archive.ids import new_evidence_id
from archive.model.backfill import Filling
from archive.model.custody import Actor
from archive.model.evidence import EvidenceRecord, PackageKind, SealedPackage, SealRequest
from archive.timespan import Timespan, format_instant
from archive.trust.judge import load_trust
from ops import keys
from ops.authority import authority_of
from ops.log import Log
from ops.wiring import Site
from recorder.binary import find_ffmpeg

PATIENCE = 90.0
"""Seconds that sealing in the foreground waits for a recorder's upload; recorders upload each minute."""

_ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


@dataclass
class Evidence:
    """The evidence work of one site; ``api.services.EvidenceService`` is part of it.

    ``system`` holds facts about this installation that go into every package.
    """

    site: Site
    system: Mapping[str, str]
    name: str = field(default_factory=lambda: _worker_name())
    _plan: PackagePlan | None = field(default=None, init=False, repr=False)

    @cached_property
    def worker(self) -> SealWorker:
        """The seal worker of this process. Only it reads the seal key. Raises NotFound ``keys_not_found``."""
        site, settings = self.site, self.site.settings
        shield()
        signer = keys.load_signer(settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir)
        sealer = Sealer(
            footage=site.stores.footage,
            target=site.stores.records,
            signer=signer,
            authority=authority_of(self.site),
            clock=site.clock,
            compose=Composer(ContactSheet(StillMaker(find_ffmpeg().path), site.stores.footage)),
            papers=partial(keys.load_papers, settings.keys_dir, signer, tsa_url=settings.tsa_url),
        )
        requests = RequestReader(site.ledger, site.stores.records)
        prepare = Preparer(
            stores=site.stores,
            index=site.index,
            registry=site.registry,
            ledger=site.ledger,
            system=self.system,
            organization=settings.organization,
            tz_display=settings.time_zone,
            lock_days=settings.evidence_lock_days,
            prover=Prover(site.stores.records, site.clock, self._checkpoint_maker()),
            facts_of=requests.facts_of,
            attachments_of=lambda asked: _attachments(requests.attachments_of(asked)),
            pool=site.pool,
        )

        def separation(asked: SealRequest) -> object:
            return check_approval(
                site.ledger,
                asked.request_id,
                asked.request_entry,
                evidence_id=asked.evidence_id,
                kind=asked.kind,
            )

        return SealWorker(
            site.ledger,
            jobs.heads_of_jobs(site.ledger, site.stores.records),
            sealer,
            self._remembering(prepare),
            site.clock,
            self.name,
            separation=separation,
        )

    def _remembering(self, prepare: Prepare) -> Prepare:
        """Makes each plan once: the plan of the check before sealing is the plan that is sealed."""

        def once(request: SealRequest) -> PackagePlan:
            kept, self._plan = self._plan, None
            return kept if kept is not None and kept.evidence_id == request.evidence_id else prepare(request)

        return once

    def _checkpoint_maker(self) -> MakeCheckpoint | None:
        """Makes a checkpoint at once; None in a process without the log key, where the log job makes it."""
        log = Log(self.site)
        try:
            maker = log.maker
        except NotFound:
            return None

        def make() -> None:
            maker.make()
            maker.settle()

        return make

    def request(
        self,
        *,
        cameras: Sequence[str],
        span: Timespan,
        case: str,
        actor: str,
        purpose: str = "",
        kind: PackageKind = PackageKind.FOOTAGE,
        request_id: str = "",
        request_entry: str = "",
    ) -> EvidenceRecord:
        """Request a package of registered cameras and a span that has begun, or a statement of absence.

        1. The custody event ``evidence.requested`` is recorded, so that the package can hold it.
        2. The request is appended to the ledger.

        Raises:
            NotFound: ``camera_not_found``.
            Malformed: ``span_in_future``, ``span_too_long``, ``bad_request``.
            NoFootage: none of the cameras has anything in the span.
            Refused: ``footage_exists``, ``footage_pending``: a statement of absence would not be true.
        """
        now = self.site.clock.now()
        registered = [self.site.registry.camera(camera) for camera in cameras]
        check_kind(self.site.index, self.site.stores, registered, span, kind, now=now)
        evidence_id = new_evidence_id(now)
        self.site.custody.record(
            "evidence.requested",
            actor=Actor(id=actor),
            objects=tuple(one for one in (evidence_id, request_id, *cameras) if one),
            purpose=purpose,
            details={
                "from": format_instant(span.start),
                "to": format_instant(span.end),
                "case": case,
                "kind": kind.value,
            },
        )
        job = jobs.request_seal(
            self.site.ledger,
            self.site.clock,
            cameras=tuple(cameras),
            span=span,
            case=case,
            actor=actor,
            kind=kind,
            request_id=request_id,
            request_entry=request_entry,
            evidence_id=evidence_id,
        )
        return job.record

    def record(self, evidence_id: str) -> EvidenceRecord:
        """The newest state of one request. Raises NotFound ``evidence_not_found``."""
        return jobs.find(self.site.ledger, evidence_id).record

    def seal_now(self, evidence_id: str, progress: Progress) -> SealedPackage:
        """Claim one request and seal it in this process; wait for the recorder's last minute.

        Raises:
            Conflict: ``claim_lost``: another worker has the request; ``seal_failed`` with the cause.
            NotFound: ``package_not_found``: sealing was postponed; a worker will try again.
            CheckpointPending: ``checkpoint_pending``: no checkpoint covers it yet; a worker will continue.
        """
        self._await_log(evidence_id)
        job: Job | None = self.worker.claim(jobs.find(self.site.ledger, evidence_id))
        if job is None:
            raise Conflict(
                f"another worker is sealing {evidence_id}",
                code="claim_lost",
                hint="Wait for it: saksi evidence show",
            )
        done = self.worker.work(job, progress)
        if done.record.waiting == CheckpointPending.default_code:
            raise CheckpointPending(f"no checkpoint covers all of {evidence_id} yet")
        return jobs.sealed_package(self.site.ledger, evidence_id)

    def _await_log(self, evidence_id: str) -> None:
        """Wait until a checkpoint covers all of a package, 90 s at most; recorders upload each minute."""
        request = jobs.find(self.site.ledger, evidence_id).record.request
        patience = time.monotonic() + PATIENCE
        while time.monotonic() < patience:
            try:
                self._plan = self.worker.prepare(request)
            except CheckpointPending:
                time.sleep(2.0)
                continue
            except ArchiveError:
                return  # sealing meets the same error, and records it
            return

    def package(self, evidence_id: str) -> ZippedPackage:
        """The sealed package as a stored ZIP.

        Raises:
            NotFound: ``evidence_not_found``.
            Conflict: ``not_sealed``; ``not_stamped``: a package without its token proves no time, so it is
                not handed over.
        """
        if _require_sealed(self.record(evidence_id)).gen_time is None:
            raise Conflict(
                f"{evidence_id} is sealed but has no time stamp yet",
                code="not_stamped",
                hint="The worker keeps asking the authority: saksi work --once seal",
            )
        return plan_zip(self.site.stores.records, evidence_id)

    def files(self, evidence_id: str) -> tuple[PackagedFile, ...]:
        """The files of a sealed package. Raises NotFound ``evidence_not_found``, Conflict ``not_sealed``."""
        _require_sealed(self.record(evidence_id))
        return files_of(self.site.stores.records, evidence_id)

    def fillings(self, evidence_id: str) -> tuple[Filling, ...]:
        """What came in over the package's gaps since it was sealed. Raises as the ledger."""
        return fillings_of(self.site.ledger, evidence_id)

    def verify(self, evidence_id: str) -> JsonObject:
        """Check the stored package against this installation's own trust roots.

        It shows that the archive's copy is intact. The recipient of a copy verifies *that copy*, with trust
        roots from another source: ``saksi verify``.
        """
        self.package(evidence_id)
        found = keys.show(self.site.settings.keys_dir, tsa_url=self.site.settings.tsa_url)
        trust = load_trust([found.trust_root], [], None)
        container = StoredContainer(self.site.stores.records, evidence_id)
        return verify_container(container, trust=trust, at="stamp", clock=self.site.clock).to_json()

    def run_open_requests(self, progress: Progress | None = None) -> int:
        """Seal every open request that no worker has claimed; returns the number of requests handled."""
        count = 0
        while self.worker.run_once(progress) is not None:
            count += 1
        return count


def _require_sealed(record: EvidenceRecord) -> SealedPackage:
    """The package of a record. Raises Conflict ``not_sealed``."""
    if record.package is None:
        raise Conflict(
            f"{record.request.evidence_id} is {record.status.value}",
            code="not_sealed",
            hint=record.failure or "Try again when it is sealed.",
        )
    return record.package


def _attachments(papers: Iterable[Paper]) -> dict[str, Document]:
    """The papers of a request, by names that describe them."""
    found = {}
    for paper in papers:
        about = paper.attachment
        ending = _ENDINGS.get(about.media_type, "bin")
        found[f"{about.kind.value}-{about.sha256[:16]}.{ending}"] = Document(about.kind.value, paper.content)
    return found


def _worker_name() -> str:
    host = "".join(c if c.isalnum() or c == "-" else "-" for c in socket.gethostname())[:40].strip("-")
    return f"seal-{host or 'host'}-{secrets.token_hex(4)}"
