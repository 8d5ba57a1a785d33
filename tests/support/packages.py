"""Tiny evidence packages for tests: synthetic segments, exact clips of them, a log, and keys.

The segments are finalised MP4 whose slices hold random bytes: everything but a decoder can read them, and
nothing here needs FFmpeg. ``seal`` gives a package in a store, ``unpacked`` the same in a folder.
"""

import base64
import zipfile
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import canonical
from archive import keys as archive_keys
from archive.clock import ManualClock
from archive.evidence import bag, zipped
from archive.evidence.plan import (
    Approval,
    ClipPlan,
    Destruction,
    GapStatement,
    JournalProof,
    LegalBasis,
    Original,
    PackagePlan,
    Record,
    RequestFacts,
    SealedCheckpoint,
)
from archive.evidence.proving import Prover
from archive.evidence.recorded import SHOWN, Recorded
from archive.evidence.sealing import Sealer
from archive.evidence.verification import At, verify
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.records import SINCE
from archive.footage.clip.exact import plan_clip
from archive.footage.mp4.header import write_header
from archive.footage.mp4.samples import SampleTable
from archive.model import leaf as leaves
from archive.model.camera import Camera, parse_place
from archive.model.camera import to_state as camera_state
from archive.model.disposition import Cause, Disposition, DispositionStatus
from archive.model.disposition import to_state as disposition_state
from archive.model.evidence import PackageKind, SealedPackage
from archive.model.gap import Gap, GapCause
from archive.model.leaf import Leaf
from archive.model.segment import ClockStatement, Codec, DeviceClock, Segment, SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore, Stores
from archive.records import journal
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.prove import InclusionProof, Line, prove_lines
from archive.records.ledger import wire
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan
from archive.trust import certificates
from archive.trust.judge import Trust
from archive.trust.seal import FileSigner, load_private_key
from ops import keys as installation
from tests.support.asked import asked
from tests.support.fragmented import sample, track
from tests.support.recordings import reading_of

RECORDER_KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)

T0 = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z."""

EVIDENCE_ID = "EVD-2026-0123456789"
RUN = "6a15000000000001"
SEGMENT_SECONDS = 10


FRAMES = 10
"""Samples of a segment, one a second; the first is a sync."""


def segment_bytes(random: Random, size: int, *, seq: int = 0, codec: Codec = "h264") -> tuple[bytes, int]:
    """A segment's bytes, about ``size`` of them samples, and the offset of its samples."""
    sync, other, sei = (
        (b"\x65", b"\x41", b"\x06\x05") if codec == "h264" else (b"\x26\1", b"\x02\1", b"\x4e\1")
    )
    payloads = [
        sample(*([sei + random.randbytes(9)] if not number else []), head + random.randbytes(size // FRAMES))
        for number, head in enumerate([sync] + [other] * (FRAMES - 1))
    ]
    samples = SampleTable(
        array("I", [90_000] * FRAMES),
        array("I", map(len, payloads)),
        array("i", [0] * FRAMES),
        b"\1" + bytes(FRAMES - 1),
    )
    header = write_header(track(codec), seq * FRAMES * 90_000, samples)
    return header + b"".join(payloads), len(header)


def camera(camera_id: str = "cam-1") -> Camera:
    """A registered camera."""
    return Camera(
        id=camera_id,
        name="Jl. Penghibur, simpang Pantai Losari",
        source="rtsp://192.0.2.7/1",
        sealed_source="",
        place=parse_place("-5.143600", "119.407100", "73.71.01", "73.71.01.1001", "public"),
        segment_seconds=SEGMENT_SECONDS,
        registered_at=T0 - DAY,
    )


@dataclass
class SmallLog:
    """A journal batch, cameras, a disposition and perhaps a request under one checkpoint.

    There is a proof for each segment.
    """

    recorded: Recorded
    journal: JournalProof
    proofs: list[InclusionProof]
    destruction: Destruction
    checkpoint: SealedCheckpoint
    request: RequestFacts | None


@dataclass
class World:
    """An installation with some footage: stores, keys, a clock, and one plan."""

    folder: Path
    footage: ObjectStore
    target: ObjectStore
    keys: Path
    clock: ManualClock
    sealer: Sealer
    plan: PackagePlan
    log: SmallLog | None = None

    def of_nothing(self) -> "World":
        """The same installation with the plan of a statement of absence for the hour before."""
        assert self.log is not None
        span = Timespan(T0 - HOUR, T0)
        half = span.start + HOUR // 2
        plan = replace(
            self.plan,
            evidence_id="EVD-2026-9876543210",
            kind=PackageKind.NO_FOOTAGE,
            span=span,
            originals=(),
            clips=(),
            gaps=tuple(
                GapStatement(camera=one.id, span=part, cause=cause)
                for one in self.plan.cameras
                for part, cause in (
                    (Timespan(span.start, half), "disposed"),
                    (Timespan(half, span.end), "unreachable"),
                )
            ),
            destructions=(self.log.destruction,),
            checkpoints=(self.log.checkpoint,),
        )
        return replace(self, plan=plan)

    @property
    def trust(self) -> Trust:
        """Only the root, with the log's fingerprint."""
        roots = certificates.load_pem_files([self.keys / "root.pem"])
        log = installation.load_log_signer(self.keys, clock=self.clock)
        return Trust(roots=roots, stamp_roots=roots, log_sha256=certificates.fingerprint(log.certificate))

    def pinned(self) -> Trust:
        """The root, and both fingerprints."""
        return replace(self.trust, signer_sha256=installation.show(self.keys, tsa_url="").signer_sha256)

    def seal(self) -> SealedPackage:
        return self.sealer.seal(self.plan)

    def zip(self, path: Path | None = None) -> Path:
        """Seal, and write the ZIP."""
        self.seal()
        out = path or self.folder / f"{self.plan.evidence_id}.zip"
        zipped.write_zip(self.target, self.plan.evidence_id, out)
        return out

    def unpacked(self, into: Path) -> Path:
        """Seal, and unpack the ZIP; the package's folder, writable."""
        with zipfile.ZipFile(self.zip()) as package:
            package.extractall(into)
        return into / self.plan.evidence_id

    def verify(
        self, path: Path, *, trust: Trust | None = None, at: At = "now", program: str = "openssl"
    ) -> Notebook:
        return verify(path, trust=trust or self.pinned(), at=at, clock=self.clock, program=program)


def make_world(
    folder: Path,
    *,
    cameras: tuple[str, ...] = ("cam-1",),
    segments: int = 3,
    clips: bool = True,
    now: int | None = None,
    stores: tuple[ObjectStore, ObjectStore] | None = None,
    lock_for: int = 3650 * DAY,
    segment_size: int = 4_000,
    codec: Codec = "h264",
    seed: str = "saksi",
    request: RequestFacts | None = None,
    encode: Callable[..., bytes] = journal.encode,
    device_clock: DeviceClock | None = None,
    pauses: tuple[tuple[int, int], ...] = (),
    made_from: str = "",
) -> World:
    """An installation in ``folder`` with ``segments`` segments for each camera and one gap at the end.

    ``stores`` are footage and records, by default two folders; its clock shows ``now``. The same ``seed``
    gives the same footage. ``encode`` writes the recorder's batch; ``device_clock``, ``pauses`` and
    ``made_from`` are in each leaf. From when packages must have the ledger's entries, the plan has them,
    and a ``request`` is in the ledger.
    """
    random = Random(seed)  # noqa: S311 - the same bytes each time
    clock = ManualClock(T0 + DAY if now is None else now)
    footage, target = stores or (
        FilesystemStore(folder / "footage", clock),
        FilesystemStore(folder / "records", clock),
    )
    installation.init(folder / "keys", clock=clock)
    refs: dict[str, list[SegmentRef]] = {}
    lines: list[Segment] = []
    for name in cameras:
        for seq in range(segments):
            data, header = segment_bytes(random, segment_size, seq=seq, codec=codec)
            segment = a_segment(name, seq, data, header, codec=codec)
            segment = replace(segment, device_clock=device_clock, pauses=pauses, made_from=made_from)
            stored = footage.put(segment.key, Content.of_bytes(data))
            refs.setdefault(name, []).append(segment.ref(version=stored.version))
            lines.append(segment)
    end = T0 + segments * SEGMENT_SECONDS * SECOND
    span = Timespan(T0, end + 5 * SECOND)
    gone = [a_gap(name, Timespan(T0 - HOUR // 2, T0)) for name in cameras]
    gaps = [a_gap(name, Timespan(end, span.end)) for name in cameras]
    lines_of_all = [*gone, *lines, *gaps]
    asked_for = span if request is not None and clock.now() >= SINCE else None
    log = a_log(
        folder / "log", folder / "keys", clock, lines_of_all,
        at=end, encode=encode, cameras=cameras, asked_for=asked_for,
    )  # fmt: skip
    plan = PackagePlan(
        evidence_id=EVIDENCE_ID,
        case="LP/B/123/XI/2026",
        actor="os:operator",
        span=span,
        prepared_at=clock.now(),
        lock_until=(clock.now() + lock_for) // SECOND * SECOND,
        cameras=tuple(camera(name) for name in cameras),
        originals=tuple(
            Original(ref=ref, leaf=proof.leaf, proof=proof)
            for ref, proof in zip((ref for name in cameras for ref in refs[name]), log.proofs, strict=True)
        ),
        gaps=tuple(GapStatement(camera=gap.camera, span=gap.span, cause=gap.cause.value) for gap in gaps),
        clips=tuple(clip_of(name, refs[name], footage) for name in cameras) if clips else (),
        journals=(log.journal,),
        custody=(b'{"type":"evidence.requested","v":1}',),
        system={"name": "saksi", "version": "0.1.0"},
        request=log.request or request,
    )
    sealer = Sealer(
        footage=footage,
        target=target,
        signer=installation.load_signer(folder / "keys", clock=clock),
        authority=installation.load_local_authority(folder / "keys", clock=clock),
        clock=clock,
    )
    return World(folder, footage, target, folder / "keys", clock, sealer, with_entries(plan, log, clock), log)


def with_entries(plan: PackagePlan, log: SmallLog, clock: ManualClock) -> PackagePlan:
    """The plan with the ledger entries of a log, from the time on when packages must have them."""
    return log.recorded.enclosed(replace(plan, records=()), []) if clock.now() >= SINCE else plan


def a_log(
    folder: Path,
    keys_dir: Path,
    clock: ManualClock,
    lines: Sequence[Leaf],
    *,
    at: int,
    number: int = 1,
    encode: Callable[..., bytes] = journal.encode,
    cameras: Sequence[str] = (),
    asked_for: Timespan | None = None,
) -> SmallLog:
    """Upload one batch of leaves, register cameras, and make a checkpoint, in separate stores.

    With ``asked_for`` somebody requested the footage of that span, and it was approved.
    """
    stores = Stores(*(FilesystemStore(folder / name, clock) for name in ("footage", "records", "cache")))
    ledger = Ledger(stores.records, clock)
    raw = RECORDER_KEY.public_key().public_bytes_raw()
    state = {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256(raw).hexdigest()}
    ledger.append("recorder", "rec-1", state, expected=0, actor="os:tester", action="recorder.registered")
    for name in cameras:
        state = camera_state(camera(name))
        ledger.append("camera", name, state, expected=0, actor="os:tester", action="camera.added")
    batch = encode(lines, recorder="rec-1", batch=number, prev=journal.GENESIS, at=at, key=RECORDER_KEY)
    stores.records.put(archive_keys.journal_key("rec-1", number, at), Content.of_bytes(batch))
    gone = Disposition(
        id="DSP-2026-0123456789",
        cause=Cause.RETENTION,
        status=DispositionStatus.DONE,
        started_at=at,
        started_by="job:dispose",
        span=Timespan(T0 - HOUR, T0),
        segments=1,
        bytes=1,
        list_sha256="ef" * 32,
        policies=(),
    )
    entry = ledger.append(
        "disposition", gone.id, disposition_state(gone), expected=0, actor="job:dispose", action="x"
    )
    request: RequestFacts | None = None
    if asked_for is not None:
        filing = asked(ledger, clock, cameras=tuple(cameras), span=asked_for)
        filing.entries()
        request = filing.approve(EVIDENCE_ID)
    maker = CheckpointMaker(
        stores=stores,
        ledger=ledger,
        clock=clock,
        signer=installation.load_log_signer(keys_dir, clock=clock),
        authority=installation.load_local_authority(keys_dir, clock=clock),
        origin="saksi.test/log",
        lock_days=30,
    )
    maker.make()
    maker.settle()
    data = stores.records.get(entry.key)
    line = wire.line_of(data)
    wanted = [Line(leaves.encode(line), line.ingested_at) for line in lines if isinstance(line, Segment)]
    wanted += [Line(batch[:-1].rsplit(b"\n", 1)[1], at), Line(line, entry.at)]
    *proofs, trailer, last = prove_lines(stores.records, wanted)
    checkpoint = SealedCheckpoint(last.checkpoint, last.signature or b"", last.stamp or b"")
    record = Record(
        kind="disposition",
        id=gone.id,
        version=1,
        sha256=entry.digest,
        line=line,
        opened=canonical.encode(wire.openings(data, SHOWN["disposition"])),
        proof=last,
    )
    destruction = Destruction(disposition=gone, record=record)
    recorded = Recorded(ledger, stores.records, Prover(stores.records, clock))
    signed = JournalProof(batch=batch, public_key=raw, proof=trailer)
    return SmallLog(recorded, signed, proofs, destruction, checkpoint, request)


def a_gap(name: str, span: Timespan, cause: GapCause = GapCause.UNREACHABLE) -> Gap:
    """A gap as its recorder records it."""
    gap = sha256(f"{name}|{span}|{cause}".encode()).hexdigest()[:16]
    return Gap(camera=name, recorder="rec-1", gap=gap, span=span, cause=cause, ingested_at=span.end)


def a_segment(name: str, seq: int, data: bytes, header: int, codec: Codec = "h264") -> Segment:
    """The whole record of a synthetic segment."""
    start = T0 + seq * SEGMENT_SECONDS * SECOND
    return Segment(
        camera=name,
        recorder="rec-1",
        run=RUN,
        seq=seq,
        span=Timespan(start, start + SEGMENT_SECONDS * SECOND),
        media_duration=SEGMENT_SECONDS * 90_000,
        sha256=sha256(data).hexdigest(),
        size=len(data),
        header_bytes=header,
        codec=codec,
        gop="closed",
        frames=FRAMES,
        clock=ClockStatement(source="arrival", offset_us=-1_200, uncertainty_us=40_000),
        camera_time=None,
        ingested_at=start + SEGMENT_SECONDS * SECOND + 50_000,
    )


def clip_of(name: str, refs: Sequence[SegmentRef], footage: ObjectStore) -> ClipPlan:
    """The exact clip of a camera's segments without the first 1.5 s and the last 0.5 s."""
    span = Timespan(refs[0].span.start + 1_500_000, refs[-1].span.end - 500_000)
    clip = plan_clip(reading_of(refs, span, camera=name), footage)
    return ClipPlan(camera=name, description=clip.outline(), size=clip.size, stream=lambda: clip.stream())


def a_request() -> RequestFacts:
    """An approved request."""
    return RequestFacts(
        id="REQ-2026-0123456789",
        entry_sha256="ab" * 32,
        filed_at=T0 + HOUR,
        agency_kind="polri",
        agency="Polrestabes Makassar",
        unit="Satreskrim",
        name="Andi Contoh",
        rank="Ipda",
        nrp_nip="87010203",
        letter_number="B/123/XI/2026/Reskrim",
        letter_date="2026-11-24",
        letter_sha256="cd" * 32,
        legal_basis=(LegalBasis(kind="lp", number="LP/B/123/XI/2026", article="362 KUHP"),),
        case="LP/B/123/XI/2026",
        purpose="penyidikan",
        urgent=False,
        approvals=(
            Approval(
                role="war_room", name="Budi Contoh", by="user:budi", at=T0 + 2 * HOUR, entry_sha256="ab" * 32
            ),
        ),
        hold_id="HLD-2026-0123456789",
    )


def write_tags(package: Path) -> None:
    """Rewrite an unpacked package's manifests and tag files, as a forger would."""
    payload = sorted(path for path in (package / "data").rglob("*") if path.is_file())
    digests = {str(path.relative_to(package)): sha256(path.read_bytes()).hexdigest() for path in payload}
    (package / bag.MANIFEST).write_bytes(bag.write_manifest(digests))
    fields = bag.read_info((package / bag.INFO).read_bytes())
    fields["Payload-Oxum"] = bag.payload_oxum(path.stat().st_size for path in payload)
    (package / bag.INFO).write_bytes(bag.write_info(fields.items()))
    tags = {name: sha256((package / name).read_bytes()).hexdigest() for name in bag.TAG_FILES}
    (package / bag.TAG_MANIFEST).write_bytes(bag.write_manifest(tags))


def sibling_signer(world: World) -> FileSigner:
    """Another sealing certificate of the same root, as an insider at the authority could get."""
    root_key = load_private_key("root.key", (world.keys / "root.key").read_bytes())
    (root,) = certificates.load_pem_files([world.keys / "root.pem"])
    own = installation.load_signer(world.keys, clock=world.clock).certificate
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        issuer_name=root.subject,
        subject_name=own.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=own.not_valid_before_utc,
        not_valid_after=own.not_valid_after_utc,
    )
    for extension in own.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return FileSigner(key, builder.sign(root_key, hashes.SHA256()), world.clock)
