"""The services that the API depends on; the caller passes every one of them.

``ops.wiring`` builds one :class:`Services` from the settings; tests build another from real parts in a
temporary folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from api.archive_health import FixityWatch
from api.auth.account_administration import AccountAdministration
from api.auth.people import People
from api.auth.principal import TokenVerifier
from api.directory import CameraDirectory
from api.limits.peers import TrustedProxies
from api.limits.rates import Rates
from api.limits.work import BOUNDS, Bound, Work
from api.web.ground import Ground
from api.workers.membership import Membership
from archive.canonical import JsonObject
from archive.cases.exports.board import ExportBoard
from archive.cases.handover.giving import Handovers
from archive.cases.handover.paper import Reports
from archive.cases.requests.service import Requests
from archive.clock import Clock
from archive.evidence.contents import PackagedFile
from archive.footage.advice import CityBox
from archive.footage.cameras import Registry
from archive.footage.derive import StillMaker
from archive.footage.skim.skimmer import Skimmer
from archive.footage.trials import TrialBoard
from archive.footage.viewing_copy import CopyMaker
from archive.lifecycle.holds.progress import ProgressBoard
from archive.lifecycle.holds.service import Holds
from archive.lifecycle.retention.planner import Planner
from archive.lifecycle.retention.service import Policies
from archive.model.areas import NO_AREAS, Areas
from archive.model.backfill import Filling
from archive.model.evidence import EvidenceRecord, PackageKind
from archive.ports import Stores
from archive.records.custody import Company, CustodyWriter
from archive.records.custody_report.record import CustodyRecord
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from search.index import Index


class EvidenceService(Protocol):
    """What the API needs of sealing: request a package, read its state and its files, fetch it, verify it."""

    def request(
        self,
        *,
        cameras: Sequence[str],
        span: Timespan,
        case: str,
        actor: str,
        purpose: str = "",
        kind: PackageKind = PackageKind.FOOTAGE,
    ) -> EvidenceRecord:
        """Put a request in the ledger; a worker seals it. Raises NotFound, Malformed, NoFootage, Refused."""
        ...

    def record(self, evidence_id: str) -> EvidenceRecord:
        """The newest state of one request. Raises NotFound ``evidence_not_found``."""
        ...

    def package(self, evidence_id: str) -> "PackageZip":
        """The sealed package as a stored ZIP. Raises NotFound, or Conflict ``not_sealed``."""
        ...

    def files(self, evidence_id: str) -> Sequence[PackagedFile]:
        """The files of a sealed package, by path. Raises NotFound, or Conflict ``not_sealed``."""
        ...

    def fillings(self, evidence_id: str) -> tuple[Filling, ...]:
        """What came in over a package's gaps since it was sealed."""
        ...

    def verify(self, evidence_id: str) -> JsonObject:
        """Check the stored package against this installation's trust roots: ``{"valid","findings"}``."""
        ...


class PackageZip(Protocol):
    """A ZIP without compression; its size is known in advance and its bytes never change."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    @property
    def etag(self) -> str:
        """The entity tag of these bytes, without quotes."""
        ...

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """Exactly those bytes, in pieces of at most 1 MiB."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Limits and addresses of one API process. Times in µs, sizes in bytes.

    ``base_path`` is the path under which a proxy serves the API ("" for the root); ``zone`` is the time zone
    for people. ``streams`` limits how many streams of footage are sent at once, and so the memory; ``stall``
    is how long a client may take for one piece; ``copies`` viewing copies are made and ``skims`` parts are
    skimmed at once; a playback session ends after ``playback_idle`` without a request, checked every
    ``sweep``; a stream of events ends after ``events_life``. ``public_url`` is the URL for browsers, "" for
    the loopback: with ``https://`` cookies are sent over HTTPS only. ``hosts`` are the accepted host
    names, any if empty; ``proxies`` are believed about the client's address; without ``rates`` there are no
    rate limits;
    ``bounds`` are what runs at once, by kind of work, and a place rests for ``rest`` at most; "not found" is
    answered at beats of ``beat``; a body may pause for ``body_pause``. ``camera_series`` is the most cameras
    with metrics of their own; ``ground`` is that of the map. ``organization`` is printed on
    reports. ``build`` names this program and its version in the API description.
    """

    base_path: str = ""
    public_url: str = ""
    organization: str = "Saksi"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Makassar"))
    max_body: int = 256 * 1024
    max_upload: int = 20 * 1024 * 1024
    max_table: int = 4 * 1024 * 1024
    max_cameras: int = 100
    max_playlist: int = 24 * HOUR
    streams: int = 32
    stills: int = 4
    copies: int = 2
    skims: int = 4
    still_cache: int = 16 * 1024 * 1024
    clip_cache: int = 32 * 1024 * 1024
    header_cache: int = 16 * 1024 * 1024
    stall: int = MINUTE
    body_pause: int = 30 * SECOND
    hosts: tuple[str, ...] = ()
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    rates: Rates | None = None
    bounds: Mapping[Work, Bound] = field(default_factory=lambda: BOUNDS)
    rest: int = SECOND
    beat: int = SECOND // 4
    playback_idle: int = MINUTE
    events_life: int = 5 * MINUTE
    sweep: int = 5 * SECOND
    camera_series: int = 2000
    ground: Ground = field(default_factory=Ground)
    build: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one API process.

    ``pool`` fetches footage in parallel from stores behind a network; None for files. ``header_key``
    authenticates the packs of headers in the cache bucket; without it there are none. ``stills`` makes
    frames, ``copies`` viewing copies, and ``skimmer`` activity and thumbnails; None without FFmpeg.
    ``people`` signs people in; without it only tokens are accepted.
    ``administration`` is the account administration; without it accounts are administered only on the host.
    ``workers`` is what this process shares with others behind the same port; None for a process alone.
    ``company`` counts the requests that are not answered yet, for the custody writer. ``areas`` are the
    city's kecamatan and kelurahan; ``city_box`` is its edge, for remarks about cameras.
    """

    clock: Clock
    stores: Stores
    index: Index
    directory: CameraDirectory
    registry: Registry
    ledger: Ledger
    policies: Policies
    holds: Holds
    hold_progress: ProgressBoard
    planner: Planner
    custody: CustodyWriter
    custody_record: CustodyRecord
    evidence: EvidenceService
    exports: ExportBoard
    requests: Requests
    trials: TrialBoard
    fixity: FixityWatch
    handovers: Handovers
    handover_reports: Reports
    tokens: TokenVerifier
    metrics: CollectorRegistry
    city_box: CityBox
    pool: Executor | None = None
    header_key: bytes | None = None
    stills: StillMaker | None = None
    copies: CopyMaker | None = None
    skimmer: Skimmer | None = None
    people: People | None = None
    administration: AccountAdministration | None = None
    workers: Membership | None = None
    company: Company = field(default_factory=Company)
    areas: Areas = field(default_factory=lambda: NO_AREAS)
    settings: ApiSettings = field(default_factory=ApiSettings)
