"""A request in the ledger, with its hold and its approval: what a package of a request encloses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from archive import canonical, keys
from archive.canonical import JsonObject
from archive.cases.requests.facts import request_facts
from archive.clock import Clock, ManualClock
from archive.evidence.plan import RequestFacts
from archive.footage.cameras import Registry
from archive.ids import new_entry_id
from archive.model import hold as holds
from archive.model import request as requests
from archive.model.evidence import PackageKind
from archive.model.hold import Hold
from archive.model.request import (
    AgencyKind,
    BasisKind,
    Comment,
    Decision,
    LegalBasis,
    Letter,
    Request,
    Requester,
    RequestStatus,
    Verdict,
)
from archive.ports import Content, ObjectStore
from archive.records.ledger.streams import GENESIS, Entry, Ledger
from archive.timespan import DAY, HOUR, Timespan, format_instant
from archive.vault import FernetBox, new_key
from tests.support.archives import SmallArchive, small_archive

CONTACT, REMARK = "0812-5550-1234", "saksi mata bernama Rahasia"
"""What no package shows: the requester's number, and a remark in the request."""
OTHER_CAMERA = "cam-9"
"""A camera of the hold that the package is not about."""

Append = Callable[..., object]


class OldLedger(Ledger):
    """Appends entries of version 1, as 0.1.0 wrote them; reads those of any version."""

    def __init__(self, records: ObjectStore, clock: Clock) -> None:
        super().__init__(records, clock)
        self.records, self.clock = records, clock

    def append(
        self,
        kind: str,
        entity: str,
        state: JsonObject,
        *,
        expected: int,
        actor: str,
        action: str,
        reason: str = "",
    ) -> Entry:
        body = {
            "v": 1, "kind": kind, "id": entity, "version": expected + 1, "entry_id": new_entry_id(),
            "at": format_instant(self.clock.now()), "actor": actor, "action": action, "reason": reason,
            "prev": self.entry(kind, entity, expected).digest if expected else GENESIS, "state": state,
        }  # fmt: skip
        self.records.put(
            keys.ledger_key(kind, entity, expected + 1), Content.of_bytes(canonical.encode(body))
        )
        return self.entry(kind, entity, expected + 1)


def old_archive(folder: Path) -> SmallArchive:
    """An empty archive in ``folder`` whose ledger is written as by 0.1.0."""
    made = small_archive(folder)
    ledger = OldLedger(made.stores.records, made.clock)
    registry = Registry(ledger, FernetBox(new_key()), made.index, made.clock)
    return replace(made, ledger=ledger, registry=registry)


@dataclass
class Asked:
    """A request: what is in the ledger, written as the archive writes it or as version 1 was."""

    ledger: Ledger
    clock: ManualClock
    append: Append
    request: Request
    filed: Entry | None = None

    def entries(self) -> None:
        """Hold and filing, now."""
        asked = self.request
        hold = Hold(
            id=asked.hold_id,
            cameras=(*asked.cameras, OTHER_CAMERA),
            span=Timespan(asked.span.start - HOUR, asked.span.end),
            case=asked.id,
            owner="user:andi",
            basis=f"request {asked.id}",
            review_at=self.clock.now() + 90 * DAY,
            placed_by="user:andi",
            placed_at=self.clock.now(),
        )
        self._put("hold", hold.id, holds.to_state(hold), 0, "user:andi", "hold.placed")
        self._put("request", asked.id, requests.to_state(asked), 0, "user:andi", "request.filed")
        self.filed = self.ledger.head("request", asked.id)

    def approve(self, evidence_id: str, kind: PackageKind = PackageKind.FOOTAGE) -> RequestFacts:
        """The approval, now; what a package states of the request."""
        assert self.filed is not None
        decision = Decision(
            by="user:budi",
            name="Budi Contoh",
            at=self.clock.now(),
            outcome=Verdict.APPROVED,
            reason="sesuai surat",
            entry_sha256=self.filed.digest,
            kind=kind,
        )
        approved = replace(
            self.request, status=RequestStatus.APPROVED, decision=decision, evidence_id=evidence_id
        )
        self._put("request", approved.id, requests.to_state(approved), 1, "user:budi", "request.approved")
        return request_facts(approved, self.filed.digest)

    def _put(self, kind: str, name: str, state: JsonObject, expected: int, actor: str, action: str) -> None:
        self.append(kind, name, state, expected=expected, actor=actor, action=action, reason="alasan")


def asked(
    ledger: Ledger,
    clock: ManualClock,
    *,
    cameras: tuple[str, ...],
    span: Timespan,
    number: str = "0123456789",
    name: str = "Andi Contoh",
    append: Append | None = None,
) -> Asked:
    """A request that is filed now, by the police; ``number`` is that of its id and its hold's."""
    request = Request(
        id=f"REQ-2026-{number}",
        status=RequestStatus.SUBMITTED,
        requester=Requester(
            person="user:andi",
            name=name,
            rank="Ipda",
            nrp_nip="87010203",
            agency_kind=AgencyKind.POLRI,
            agency="Polrestabes Makassar",
            unit="Satreskrim",
            contact=CONTACT,
        ),
        agency_account="polrestabes",
        letter=Letter(number="B/123/XI/2026/Reskrim", date="2026-11-24", sha256="cd" * 32),
        legal_basis=(LegalBasis(kind=BasisKind.LP, number="LP/B/123/XI/2026", article="362 KUHP"),),
        case="LP/B/123/XI/2026",
        purpose="penyidikan",
        cameras=cameras,
        span=span,
        urgent=False,
        filed_at=clock.now(),
        hold_id=f"HLD-2026-{number}",
        held_us=span.duration,
        comments=(Comment(by="user:andi", at=clock.now(), text=REMARK),),
    )
    return Asked(ledger, clock, append or ledger.append, request)
