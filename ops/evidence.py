"""Sealing as this installation does it: requests, the worker, packages, and their verification."""

import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from archive import reader
from archive.canonical import JsonObject
from archive.clip.exact import NoFootage
from archive.errors import Conflict
from archive.evidence import jobs
from archive.evidence.jobs import Job, SealWorker
from archive.evidence.prepare import Preparer
from archive.evidence.sealed import StoredParcel
from archive.evidence.sealing import Progress, Sealer
from archive.evidence.timestamp import HttpAuthority
from archive.evidence.verify import load_trust, to_json, verify_parcel
from archive.evidence.zipped import ZippedPackage, plan_zip
from archive.model.evidence import EvidenceRecord, SealedPackage
from archive.ports import TimestampAuthority
from archive.timespan import Timespan
from ops import keys
from ops.wiring import Site


@dataclass
class Evidence:
    """The evidence work of one site; ``api.services.EvidenceService`` is part of it.

    ``system`` holds facts about this installation that go into every package.
    """

    site: Site
    system: Mapping[str, str]
    name: str = field(default_factory=lambda: _worker_name())

    @cached_property
    def worker(self) -> SealWorker:
        """The worker of this process. It alone reads the seal key. Raises NotFound ``keys_not_found``."""
        site, settings = self.site, self.site.settings
        sealer = Sealer(
            footage=site.stores.footage,
            target=site.stores.records,
            signer=keys.load_signer(settings.keys_dir, clock=site.clock),
            authority=self._authority(),
            clock=site.clock,
        )
        prepare = Preparer(
            stores=site.stores,
            index=site.index,
            registry=site.registry,
            ledger=site.ledger,
            system=self.system,
            organization=settings.organization,
            tz_display=settings.time_zone,
            lock_days=settings.evidence_lock_days,
        )
        return SealWorker(site.ledger, sealer, prepare, site.clock, self.name)

    def _authority(self) -> TimestampAuthority:
        settings = self.site.settings
        found = keys.load_authority(settings.keys_dir, tsa_url=settings.tsa_url, clock=self.site.clock)
        if isinstance(found, HttpAuthority):
            self.site.closing(found.client.close)
        return found

    def request(self, *, cameras: Sequence[str], span: Timespan, case: str, actor: str) -> EvidenceRecord:
        """Ask for a package of cameras that exist and a span that has begun.

        Raises:
            NotFound: ``camera_not_found``.
            Malformed: ``span_in_future``, ``span_too_long``, ``bad_request``.
            NoFootage: none of the cameras has anything in the span.
        """
        now = self.site.clock.now()
        readings = [
            reader.read(self.site.index, camera.id, span, registered_at=camera.registered_at, now=now)
            for camera in map(self.site.registry.camera, cameras)
        ]
        if readings and not any(reading.segments for reading in readings):
            raise NoFootage(
                f"there is no footage in {span}", [gap for reading in readings for gap in reading.gaps]
            )
        job = jobs.request_seal(
            self.site.ledger, self.site.clock, cameras=tuple(cameras), span=span, case=case, actor=actor
        )
        return job.record

    def record(self, evidence_id: str) -> EvidenceRecord:
        """The newest state of one request. Raises NotFound ``evidence_not_found``."""
        return jobs.find(self.site.ledger, evidence_id).record

    def records(self) -> Iterator[EvidenceRecord]:
        """The newest state of every request, by id."""
        return (job.record for job in jobs.all_jobs(self.site.ledger))

    def seal_now(self, evidence_id: str, progress: Progress) -> SealedPackage:
        """Claim one request and see it through in this process.

        Raises:
            Conflict: ``claim_lost`` where another worker has it; ``seal_failed`` with the cause.
            Unavailable: it was put off; a worker will try again.
        """
        job: Job | None = self.worker.claim(jobs.find(self.site.ledger, evidence_id))
        if job is None:
            raise Conflict(
                f"another worker is sealing {evidence_id}",
                code="claim_lost",
                hint="Wait for it: saksi evidence show",
            )
        self.worker.work(job, progress)
        return jobs.sealed_package(self.site.ledger, evidence_id)

    def package(self, evidence_id: str) -> ZippedPackage:
        """The sealed package as a stored ZIP.

        Raises:
            NotFound: ``evidence_not_found``.
            Conflict: ``not_sealed``; ``not_stamped``: without its token a package proves no time, and is not
                handed over.
        """
        record = self.record(evidence_id)
        if record.package is None:
            raise Conflict(
                f"{evidence_id} is {record.status.value}",
                code="not_sealed",
                hint=record.failure or "Ask again when it is sealed.",
            )
        if record.package.gen_time is None:
            raise Conflict(
                f"{evidence_id} is sealed and waits for its time stamp",
                code="not_stamped",
                hint="The worker asks the authority again and again: saksi work --once seal",
            )
        return plan_zip(self.site.stores.records, evidence_id)

    def verify(self, evidence_id: str) -> JsonObject:
        """Check the stored package against this installation's own trust roots.

        It shows that the archive's copy is whole. Whoever received a copy verifies *that*, with trust from
        elsewhere: ``saksi verify``.
        """
        self.package(evidence_id)
        found = keys.show(self.site.settings.keys_dir, tsa_url=self.site.settings.tsa_url)
        trust = load_trust([found.trust_root], [], None)
        parcel = StoredParcel(self.site.stores.records, evidence_id)
        return to_json(verify_parcel(parcel, trust=trust, at="stamp", clock=self.site.clock))

    def run_open_requests(self, progress: Progress | None = None) -> int:
        """Seal whatever is asked for and not in work; the number of requests seen to."""
        count = 0
        while self.worker.run_once(progress) is not None:
            count += 1
        return count


def _worker_name() -> str:
    host = "".join(c if c.isalnum() or c == "-" else "-" for c in socket.gethostname())[:40].strip("-")
    return f"seal-{host or 'host'}-{secrets.token_hex(4)}"
