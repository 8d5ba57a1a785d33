"""The report of a handover (*berita acara serah terima*) as a page, and the signed one in the package.

There are two of each handover: the open one, for both to sign by hand, and once the recipient has confirmed,
one with the receipt. Each names the paper it is of by its hash, so it never has to be printed anew:
``handover/<n>/berita-acara-<right>.pdf`` and ``berita-acara-<right>-<receipt>.pdf``, each the first 16 hex
digits of that paper's SHA-256. The job that seals prints and signs them and puts them into the package, where
nobody else can write; until it has, a page is printed for whoever asks, without a signature.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archive import keys
from archive.cases.handover import report as handover_report
from archive.cases.handover.facts import facts_of
from archive.cases.handover.reading import Handover
from archive.cases.handover.report import Office
from archive.cases.handover.requests import naming
from archive.cases.requests.transitions import RequestAct
from archive.documents.indonesian import moment, zone_named
from archive.errors import AlreadyExists, NotFound
from archive.evidence.sealed import package_lock, read_seal
from archive.model.request import Letter, from_state
from archive.ports import Content, ObjectStore, Signer
from archive.trust import certificates, cms
from archive.trust.pades import sign_pdf

CameraName = Callable[[str, int], str]
"""What a camera was called at an instant (µs)."""


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
        """The report of a handover as it stands: the signed one of its package, else one printed now.

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
        # What the open report says must not change with each download; the other says it once for all.
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
            Office(
                organization=self.organization,
                tz_display=self.tz_display,
                signer_subject=certificates.subject(seal.certificate),
                camera_names={one: self.camera_name(one, facts.span.start) for one in facts.cameras},
            ),
        )

    def keep(self, found: Handover, signer: Signer, now: int) -> int:
        """Print, sign and put what the package lacks of a handover's reports; how many. Idempotent.

        ``now`` (µs) is the time that the signature claims.

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
            return 0  # another worker's, whose signature has another time or nonce; one is enough


def letter_of(found: Handover) -> Letter:
    """The letter as the request had it when the paper was put on record; one that came later is no part."""
    of = naming(found.right.number, found.receipt_sha256 or found.right_sha256)
    acts = (RequestAct.HAND_OVER.action, RequestAct.RECEIVE.action)
    entry = next(one for one in found.file.entries if one.reason == of and one.action in acts)
    return from_state(entry.id, entry.state).letter


def as_given(found: Handover) -> Handover:
    """A handover as it was before anything was confirmed."""
    return replace(found, receipt=None, receipt_sha256="")


def report_key(found: Handover) -> str:
    """The object of the signed report, in the package and outside its seal."""
    of = [found.right_sha256[:16], *([found.receipt_sha256[:16]] if found.receipt is not None else [])]
    folder = keys.package_papers_prefix(found.right.evidence_id, found.right.number)
    return f"{folder}berita-acara-{'-'.join(of)}.pdf"
