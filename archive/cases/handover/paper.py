"""The report of a handover (*berita acara serah terima*) as a page, and the signed one in the package.

Each handover has two reports: the open one, which both parties sign by hand, and once the recipient has
confirmed, one with the receipt. The report's name contains the hash of the paper it prints, so it never has
to be printed again: ``handover/<n>/berita-acara-<right>.pdf`` and ``berita-acara-<right>-<receipt>.pdf``,
each with the first 16 hex digits of that paper's SHA-256. The job that seals prints and signs them and puts
them into the package, where no other process can write. Until then a reader gets a page printed on request,
without a signature.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archive import keys
from archive.cases.handover import report as handover_report
from archive.cases.handover.facts import facts_of
from archive.cases.handover.reading import Handover
from archive.cases.handover.report import Letterhead
from archive.cases.handover.requests import naming
from archive.cases.requests.transitions import RequestAct
from archive.documents.indonesian import moment, zone_named
from archive.errors import AlreadyExists, NotFound
from archive.evidence.sealed import package_lock, read_seal
from archive.model.request import Letter, from_state
from archive.ports import Content, ObjectStore, Signer
from archive.trust import certificates, cms

CameraName = Callable[[str, int], str]
"""The name of a camera at an instant (µs)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A report as PDF, and whether the seal's key has signed it."""

    pdf: bytes
    is_signed: bool


@dataclass(frozen=True, slots=True)
class Reports:
    """Prints and reads reports of one archive. Thread-safe as its store is."""

    records: ObjectStore
    organization: str
    tz_display: str
    camera_name: CameraName

    def page(self, found: Handover) -> Page:
        """The present report of a handover: the signed one in its package, else one printed now.

        Raises:
            NotFound: ``package_not_found``. Malformed: ``bad_time_zone``.
            IntegrityError: the package's seal cannot be read. Unavailable: the store does not answer.
        """
        try:
            return Page(self.records.get(report_key(found)), is_signed=True)
        except NotFound:
            return Page(self.printed(found), is_signed=False)

    def printed(self, found: Handover) -> bytes:
        """The report, printed now; the same handover gives the same bytes."""
        facts = facts_of(found)
        # The open report must not change with each download; the one with the receipt has a final count.
        counted = 0 if facts.receipt is None else facts.receipt.downloads
        letter = letter_of(found)
        facts = replace(
            facts,
            fetched=facts.fetched[:counted],
            letter_number=letter.number,
            letter_date=letter.date,
        )
        seal = cms.decode("the seal", read_seal(self.records, facts.right.evidence_id))
        return handover_report.render(
            facts,
            Letterhead(
                organization=self.organization,
                tz_display=self.tz_display,
                signer_subject=certificates.subject(seal.certificate),
                camera_names={one: self.camera_name(one, facts.span.start) for one in facts.cameras},
            ),
        )

    def keep(self, found: Handover, signer: Signer, now: int) -> int:
        """Print, sign and put the reports that the package lacks; returns their number. Idempotent.

        ``now`` (µs) is the time that the signature states.

        Raises:
            As :meth:`page`; Malformed ``bad_pdf``.
        """
        stages = [found] if found.receipt is None else [as_given(found), found]
        return sum(self._keep(stage, signer, now) for stage in stages)

    def _keep(self, found: Handover, signer: Signer, now: int) -> int:
        key = report_key(found)
        try:
            self.records.head(key)
        except NotFound:
            pass
        else:
            return 0
        at = found.right.given_at if found.receipt is None else found.receipt.confirmed_at
        from archive.trust.pades import sign_pdf  # a tenth of all that a server imports, and rarely needed

        signed = sign_pdf(
            self.printed(found),
            signer,
            at=now,
            name=self.organization,
            reason=f"Segel elektronik instansi atas berita acara serah terima {found.right.evidence_id} / "
            f"{found.right.number} tanggal {moment(at, zone_named(self.tz_display))}",
        )
        lock = package_lock(self.records, found.right.evidence_id)
        try:
            return int(self.records.put(key, Content.of_bytes(signed), lock=lock).created)
        except AlreadyExists:
            return 0  # another worker put it; its signature has another time or nonce, and one is enough


def letter_of(found: Handover) -> Letter:
    """The letter that the request had when the paper was recorded; a later letter is no part of it."""
    of = naming(found.right.number, found.receipt_sha256 or found.right_sha256)
    acts = (RequestAct.HAND_OVER.action, RequestAct.RECEIVE.action)
    entry = next(one for one in found.file.entries if one.reason == of and one.action in acts)
    return from_state(entry.id, entry.state).letter


def as_given(found: Handover) -> Handover:
    """A handover as it was before its confirmation."""
    return replace(found, receipt=None, receipt_sha256="")


def report_key(found: Handover) -> str:
    """The object of the signed report, inside the package and outside its seal."""
    of = [found.right_sha256[:16], *([found.receipt_sha256[:16]] if found.receipt is not None else [])]
    folder = keys.package_papers_prefix(found.right.evidence_id, found.right.number)
    return f"{folder}berita-acara-{'-'.join(of)}.pdf"
