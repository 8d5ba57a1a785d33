"""A request in a small archive, with a sealed package that is ready for handover."""

from dataclasses import dataclass, replace
from pathlib import Path

from archive import keys
from archive.cases.handover.fetching import Fetchings
from archive.cases.handover.giving import Handovers
from archive.cases.handover.papers import Papers
from archive.cases.handover.requests import RequestFiles
from archive.evidence import jobs, paths
from archive.ids import new_request_id
from archive.lifecycle.holds.service import HoldHead, Holds
from archive.model.evidence import EvidenceStatus, SealedPackage
from archive.model.evidence import to_state as evidence_state
from archive.model.request import (
    AgencyKind,
    BasisKind,
    Decision,
    LegalBasis,
    Letter,
    Request,
    Requester,
    RequestStatus,
    Verdict,
    to_state,
)
from archive.ports import Content, Lock, LockMode
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, SECOND, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0

BUDI, CITRA, DEWI = "user:budi", "user:citra", "user:dewi"
"""Who asks, who decides, who hands over."""

TAGS, SIGNER = "ab" * 32, "cd" * 32
SPAN = Timespan(T0, T0 + 60 * SECOND)


@dataclass
class Desk:
    """One archive with a request and its package."""

    archive: SmallArchive
    holds: Holds
    hold: HoldHead
    request_id: str
    evidence_id: str
    files: RequestFiles
    handovers: Handovers

    @property
    def ledger(self) -> Ledger:
        """The archive's ledger."""
        return self.archive.ledger

    def papers(self) -> Papers:
        """The job that adds papers to packages, in its state at the start of its process."""
        return Papers(RequestFiles(self.ledger, self.archive.stores.records, self.archive.index),
                      self.archive.stores.records)  # fmt: skip

    def again(self) -> Handovers:
        """The handovers as another process sees them."""
        records = self.archive.stores.records
        return Handovers(
            RequestFiles(self.ledger, records, self.archive.index),
            records,
            Fetchings(records, self.archive.clock),
            self.holds,
            self.archive.clock,
        )


def a_request(request_id: str, hold_id: str) -> Request:
    """Budi of the police asks for a minute of one camera."""
    return Request(
        id=request_id,
        status=RequestStatus.SUBMITTED,
        requester=Requester(
            person=BUDI,
            name="Budi Santoso",
            rank="Iptu",
            nrp_nip="84010123",
            agency_kind=AgencyKind.POLRI,
            agency="Polrestabes Makassar",
            unit="Satreskrim",
            contact="0811",
        ),
        agency_account="polrestabes",
        letter=Letter(number="B/123/XI/2026/Reskrim", date="2026-11-24", sha256="ef" * 32),
        legal_basis=(LegalBasis(kind=BasisKind.LP, number="LP/B/9", article="362 KUHP"),),
        case="LP/B/9",
        purpose="Pencurian",
        cameras=("cam-1",),
        span=SPAN,
        urgent=False,
        filed_at=T0,
        hold_id=hold_id,
        held_us=SPAN.duration,
    )


def sealed_desk(folder: Path, *, stamped: bool = True) -> Desk:
    """A desk in a folder; with ``stamped`` False its package has no timestamp token."""
    archive = small_archive(folder)
    return sealed_request(archive, stamped=stamped)


def sealed_request(archive: SmallArchive, *, stamped: bool = True, lock_for: int = 3650 * DAY) -> Desk:
    """File, approve and seal a request in an archive."""
    clock, ledger, records = archive.clock, archive.ledger, archive.stores.records
    if not any(True for _ in ledger.heads("camera")):
        archive.registry.add(camera_form(), actor="os:test")
    request_id = new_request_id(clock.now())
    holds = Holds(ledger, records, archive.index, clock)
    hold = holds.place(
        cameras=["cam-1"],
        span=SPAN,
        case=request_id,
        owner=BUDI,
        basis="LP/B/9",
        review_at=clock.now() + 90 * DAY,
        actor=BUDI,
    )
    asked = a_request(request_id, hold.hold.id)
    filed = ledger.append(
        "request", request_id, to_state(asked), expected=0, actor=BUDI, action="request.filed"
    )
    job = jobs.request_seal(
        ledger, clock, cameras=("cam-1",), span=SPAN, case="LP/B/9", actor=CITRA,
        request_id=request_id, request_entry=filed.digest,
    )  # fmt: skip
    evidence_id = job.record.request.evidence_id
    decided = replace(
        asked,
        status=RequestStatus.APPROVED,
        evidence_id=evidence_id,
        decision=Decision(
            by=CITRA, name="Citra", at=clock.now(), outcome=Verdict.APPROVED, reason="",
            entry_sha256=filed.digest,
        ),
    )  # fmt: skip
    ledger.append(
        "request", request_id, to_state(decided), expected=1, actor=CITRA, action="request.approved"
    )
    lock = Lock(LockMode.COMPLIANCE, clock.now() + lock_for)
    records.put(keys.evidence_prefix(evidence_id) + paths.SEAL, Content.of_bytes(b"seal"), lock=lock)
    package = SealedPackage(
        evidence_id=evidence_id,
        tagmanifest_sha256=TAGS,
        signer_sha256=SIGNER,
        tsa="local",
        gen_time=clock.now() if stamped else None,
        originals=6,
        size=1000,
    )
    status = EvidenceStatus.SEALED if stamped else EvidenceStatus.SEALED_UNTIMESTAMPED
    ledger.append(
        "evidence",
        evidence_id,
        evidence_state(replace(job.record, status=status, package=package)),
        expected=job.entry.version,
        actor="job:seal",
        action=f"evidence.{status.value}",
    )
    files = RequestFiles(ledger, records, archive.index)
    handovers = Handovers(files, records, Fetchings(records, clock), holds, clock)
    return Desk(archive, holds, hold, request_id, evidence_id, files, handovers)
