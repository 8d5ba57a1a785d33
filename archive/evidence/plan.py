"""What goes into a package, as plain values: the sealer needs nothing but the plan and the originals.

The same plan gives the same sealed bytes, down to the tag manifest; only the signature and the token differ.
So everything that could change between two attempts (times, versions, custody lines) is a value of the plan.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.canonical import sha256_hex
from archive.errors import IntegrityError, Malformed, Refused
from archive.evidence.derivation import Piece
from archive.evidence.slices import ClipRun
from archive.evidence.verification import clip_head
from archive.ids import check_evidence_id
from archive.model import leaf as leaves
from archive.model.camera import Camera
from archive.model.disposition import Disposition
from archive.model.evidence import PackageKind, SealRequest
from archive.model.segment import Segment, SegmentRef
from archive.ports import Lock
from archive.records.checkpoint.note import Note
from archive.records.checkpoint.prove import InclusionProof
from archive.records.journal import name_of
from archive.timespan import Timespan

MAX_ORIGINALS = 20_000
"""Of one package: 55 camera-hours of segments of 10 s. The statement, about 1.3 KB for each, stays below the
32 MiB that a verifier reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One segment to be sealed: where it is stored, and its recorder's leaf of it (canonical, no newline).

    ``lock`` is the retention its object had when the package was planned. ``proof`` shows its leaf in the
    log; it is None where the log never had the leaf.
    """

    ref: SegmentRef
    leaf: bytes
    lock: Lock | None = None
    proof: InclusionProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """One virtual clip of the originals.

    ``description`` describes the clip. The sealer needs its ``pieces``: a list of
    ``{original, from, to, original_offset, clip_offset, length}`` that tiles the clip's sample bytes in
    order, where ``original`` is the segment's object name; ``track`` is ``sound`` for sound. Everything else
    in it is text, integers, lists and objects, and is copied unchanged. Each call of ``stream`` gives the
    clip from its first byte.
    """

    camera: str
    description: Mapping[str, Any]
    size: int
    stream: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapStatement:
    """A stretch of a camera without footage and its cause: a recorder's, or one the reader computed."""

    camera: str
    span: Timespan
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalProof:
    """A recorder's signed batch with lines about the package's cameras, and its raw Ed25519 public key.

    ``batch`` is a slice: of version 2 it has no part of another camera. ``proof`` shows its last line, which
    holds the signature, in the log.
    """

    batch: bytes
    public_key: bytes
    proof: InclusionProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's approval of a request; ``entry_sha256`` is the hash of the request entry approved."""

    role: str
    name: str
    by: str
    at: int
    entry_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """One legal basis: its kind (``lp``, ``sprindik``, …), number and article."""

    kind: str
    number: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """The request that a package answers, as approved.

    ``entry_sha256`` is the hash of the request's ledger entry to which the approvals are bound.
    ``letter_number`` is empty where no letter has arrived, ``letter_sha256`` where its scan has not arrived,
    and ``hold_id`` where there is no hold.
    """

    id: str
    entry_sha256: str
    filed_at: int
    agency_kind: str
    agency: str
    unit: str
    name: str
    rank: str
    nrp_nip: str
    letter_number: str
    letter_date: str
    letter_sha256: str
    legal_basis: tuple[LegalBasis, ...]
    case: str
    purpose: str
    urgent: bool
    approvals: tuple[Approval, ...]
    hold_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraChange:
    """A camera's new registration from ``at`` (µs) on, within the span."""

    at: int
    camera: Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A ledger entry in the package: its ``line``, chosen openings of its fields, and the line's proof.

    ``sha256`` is the entry's digest. ``opened`` is canonical JSON; it is empty for an entry of version 1,
    whose line holds everything. ``line`` is empty, too, where such an entry may not be shown.
    """

    kind: str
    id: str
    version: int
    sha256: str
    line: bytes = b""
    opened: bytes = b""
    proof: InclusionProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """A disposition that destroyed footage of the span, and its newest ledger entry."""

    disposition: Disposition
    record: Record


@dataclass(frozen=True, slots=True)
class SealedCheckpoint:
    """A checkpoint of the log with its signature and time stamp."""

    text: bytes
    signature: bytes
    stamp: bytes

    @property
    def note(self) -> Note:
        """The checkpoint, parsed. Raises Malformed ``bad_checkpoint``."""
        return Note.decode(self.text)


@dataclass(frozen=True, slots=True)
class Document:
    """A document for people: its kind (``letter``, ``approval``, ``sealing_report`` …) and its bytes."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """One evidence package, complete.

    ``prepared_at`` is when the plan was made (µs); it is the bagging date. ``lock_until`` ends the COMPLIANCE
    lock of the sealed package. ``system`` holds facts about this installation (name, version, host, ffmpeg
    …); ``organization`` is the authority that seals. ``custody`` holds canonical custody lines up to sealing.
    Originals are grouped by camera and ordered by time within each camera. ``cameras`` are as registered when
    the span began; ``changes`` are the changes of their registrations within it. ``superseded`` are stretches
    of signed gaps that footage covers. ``checkpoints`` are shown in addition to those that proofs name.
    ``records`` are the ledger's entries of the request, the hold, the cameras and the recorders' keys.
    ``documents`` are by name under ``data/documents/``.
    """

    evidence_id: str
    case: str
    actor: str
    span: Timespan
    prepared_at: int
    lock_until: int
    cameras: tuple[Camera, ...]
    originals: tuple[Original, ...]
    gaps: tuple[GapStatement, ...] = ()
    superseded: tuple[GapStatement, ...] = ()
    clips: tuple[ClipPlan, ...] = ()
    journals: tuple[JournalProof, ...] = ()
    custody: tuple[bytes, ...] = ()
    system: Mapping[str, str] = field(default_factory=dict)
    organization: str = "Dinas Komunikasi dan Informatika"
    tz_display: str = "Asia/Makassar"
    kind: PackageKind = PackageKind.FOOTAGE
    request: RequestFacts | None = None
    changes: tuple[CameraChange, ...] = ()
    checkpoints: tuple[SealedCheckpoint, ...] = ()
    destructions: tuple[Destruction, ...] = ()
    records: tuple[Record, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)


Prepare = Callable[[SealRequest], PackagePlan]
"""Makes the plan for a request from index, registry and journals; the same request gives the same plan."""


def check_plan(plan: PackagePlan) -> None:
    """Refuse a plan that contradicts itself.

    Raises:
        Malformed: ``bad_plan``: an unknown camera, segments out of order or repeated, or a clip with pieces
            of a segment that is not in the plan.
        IntegrityError: ``leaf_mismatch``: a leaf does not belong to its segment.
        Refused: ``package_too_large``: its statement would be larger than a verifier reads.
    """
    check_evidence_id(plan.evidence_id)
    if len(plan.originals) > MAX_ORIGINALS:
        raise Refused(
            f"{len(plan.originals)} segments are more than the {MAX_ORIGINALS} of one package",
            code="package_too_large",
            hint="Divide the request: fewer cameras or a shorter span for each package.",
        )
    known = {camera.id for camera in plan.cameras}
    if len(known) != len(plan.cameras):
        raise Malformed("the plan names a camera twice", code="bad_plan")
    seen: set[str] = set()
    last: dict[str, SegmentRef] = {}
    current = ""
    for original in plan.originals:
        ref = original.ref
        if ref.camera not in known:
            raise Malformed(f"the plan has a segment of the unknown camera {ref.camera}", code="bad_plan")
        if ref.camera != current and ref.camera in last:
            raise Malformed(f"the segments of {ref.camera} are not together", code="bad_plan")
        if ref.key in seen or (ref.camera in last and ref.span.start < last[ref.camera].span.start):
            raise Malformed(f"the segment {ref.key} is repeated or out of order", code="bad_plan")
        seen.add(ref.key)
        last[ref.camera] = ref
        current = ref.camera
        read_leaf(original)
    for clip in plan.clips:
        if clip.camera not in known or any(p["original"] not in seen for p in clip.description["pieces"]):
            raise Malformed(
                f"a clip of {clip.camera} names a segment that is not in the plan", code="bad_plan"
            )
    footage = plan.kind is PackageKind.FOOTAGE
    if footage != bool(plan.originals) or (plan.clips and not footage):
        raise Malformed(f"a package of kind {plan.kind} cannot hold these originals", code="bad_plan")
    for change in plan.changes:
        if change.camera.id not in known or change.at not in plan.span:
            raise Malformed(f"the plan has a change of {change.camera.id} out of place", code="bad_plan")
    for gap in plan.gaps:
        if gap.camera not in known:
            raise Malformed(f"the plan has a gap of the unknown camera {gap.camera}", code="bad_plan")


def read_leaf(original: Original) -> Segment:
    """The leaf of an original, compared with the index's view of it.

    Raises:
        IntegrityError: ``leaf_mismatch`` where they contradict each other, or the leaf cannot be read.
    """
    ref = original.ref
    try:
        leaf = leaves.decode(original.leaf)
    except Malformed as error:
        raise IntegrityError(
            f"the leaf of {ref.key} cannot be read: {error.message}", code="leaf_mismatch"
        ) from error
    if (
        not isinstance(leaf, Segment)
        or leaf.ref(version=ref.version, held=ref.held) != ref
        or leaves.encode(leaf) != original.leaf
    ):
        raise IntegrityError(
            f"the leaf of {ref.key} does not describe that segment",
            code="leaf_mismatch",
            hint="The index or the stored leaf was changed; rebuild the index and run saksi archive check.",
        )
    return leaf


def clip_run(clip: ClipPlan, path: str) -> ClipRun:
    """What computes a clip's digest and slices; the caller feeds the originals by their keys.

    Raises:
        Malformed: ``bad_clip``, ``bad_pieces``.
    """
    try:
        pieces = [
            Piece(
                piece["original"],
                piece["original_offset"],
                piece["clip_offset"],
                piece["length"],
                piece.get("track", "pictures"),
            )
            for piece in clip.description["pieces"]
        ]
    except (KeyError, TypeError) as error:
        raise Malformed(f"a piece of {path} lacks or misnames {error}", code="bad_pieces") from error
    header = clip_head(path, clip.stream(), clip.size)
    return ClipRun.begin(path, header, clip.size, pieces)


def journal_facts(proof: JournalProof) -> tuple[str, int, str]:
    """Recorder, batch number and SHA-256 of a journal proof. Raises Malformed ``bad_batch``."""
    return *name_of(proof.batch), sha256_hex(proof.batch)
