"""Wires the requests of an installation, and the sealing that requests need."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from archive.cases.requests.attachments import Attachments
from archive.cases.requests.book import RequestBook
from archive.cases.requests.deciding import Deciding
from archive.cases.requests.filing import Filing, FilingRules
from archive.cases.requests.job import Following
from archive.cases.requests.limits import Limits
from archive.cases.requests.reservations import Reservations
from archive.cases.requests.service import Requests
from archive.cases.requests.stream import RequestStream
from archive.errors import Conflict
from archive.evidence import jobs
from archive.evidence.absence import check_kind
from archive.model.evidence import PackageKind
from archive.model.request import EXPIRING, Request
from archive.timespan import DAY, HOUR, Timespan
from ops.wiring import Site

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class SiteOfPackages:
    """Sealing for requests; ``archive.cases.requests.deciding.Packages`` over one site."""

    site: Site

    def check(self, cameras: Sequence[str], span: Timespan, kind: PackageKind) -> None:
        """Check that some camera has footage in the span, or none has for a statement of absence.

        Raises:
            NoFootage: ``no_footage``. Refused: ``footage_exists``, ``footage_pending``.
        """
        registered = [self.site.registry.camera(camera) for camera in cameras]
        check_kind(self.site.index, self.site.stores, registered, span, kind, now=self.site.clock.now())

    def ask(self, request: Request, entry_sha256: str) -> None:
        """Request the package that the approval chose; do nothing if it is requested already."""
        decision = request.decision
        try:
            jobs.request_seal(
                self.site.ledger,
                self.site.clock,
                cameras=request.cameras,
                span=request.span,
                case=request.case,
                actor="" if decision is None else decision.by,
                kind=PackageKind.FOOTAGE if decision is None else decision.kind,
                request_id=request.id,
                request_entry=entry_sha256,
                evidence_id=request.evidence_id,
            )
        except Conflict as error:
            if error.code != "ledger_conflict":
                raise  # only that error means that the package is requested already


def requests_of(site: Site) -> Requests:
    """The requests of a site."""
    settings, clock = site.settings, site.clock
    limits = Limits(
        per_request=settings.request_max_camera_hours,
        per_agency=settings.agency_max_open_camera_hours,
        release_after=settings.request_release_after_days * DAY,
    )
    rules = FilingRules(
        limits=limits,
        letter_due=settings.letter_due_hours * HOUR,
        max_future=settings.hold_max_future_days * DAY,
        zone=ZoneInfo(settings.time_zone),
    )
    book = RequestBook(site.ledger, site.stores.records, clock)
    attachments = Attachments(
        site.stores.records,
        site.stores.cache,
        clock,
        limit=settings.attachment_max_mib * MIB,
        lock_days=settings.records_lock_days,
    )
    stream = RequestStream(site.ledger, book, site.index, clock)
    packages = SiteOfPackages(site)

    def due_at(camera: str, at: int) -> int | None:
        return site.policies.due_at(camera, at, within=EXPIRING)

    return Requests(
        stream=stream,
        book=book,
        attachments=attachments,
        filing=Filing(stream, site.holds, attachments, Reservations(site.stores.cache, clock), rules, due_at),
        deciding=Deciding(stream, packages, limits),
        following=Following(stream, site.holds, packages, limits.release_after),
    )
