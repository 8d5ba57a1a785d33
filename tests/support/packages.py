"""Tiny evidence packages for tests: synthetic segments, a clip cut from them, and a whole installation's
keys.

The segments are ``ftyp moov moof mdat`` in shape only; nothing here needs FFmpeg. ``sealed`` gives a
package in a store, ``unpacked`` the same in a folder.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import journal
from archive.clock import ManualClock
from archive.evidence import bag, certificates, zipped
from archive.evidence.plan import ClipPlan, GapStatement, JournalProof, Original, PackagePlan
from archive.evidence.seal import FileSigner, load_private_key
from archive.evidence.sealing import Sealer
from archive.evidence.verify import At, Trust, VerificationResult, verify
from archive.model import leaf as leaves
from archive.model.camera import Camera, parse_place
from archive.model.evidence import SealedPackage
from archive.model.segment import ClockStatement, Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore
from archive.timespan import DAY, SECOND, Timespan, format_instant
from ops import keys as installation

T0 = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z."""

EVIDENCE_ID = "EVD-2026-0123456789"
RUN = "6a15000000000001"
SEGMENT_SECONDS = 10


def box(kind: bytes, body: bytes) -> bytes:
    """One ISO BMFF box."""
    return (8 + len(body)).to_bytes(4) + kind + body


def segment_bytes(random: Random, size: int) -> tuple[bytes, int]:
    """A segment's bytes and where its samples begin."""
    header = box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", random.randbytes(120)) + box(b"moof", b"\0" * 60)
    samples = random.randbytes(size)
    return header + box(b"mdat", samples), len(header) + 8


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
class World:
    """An installation with some footage: stores, keys, a clock, and one plan."""

    folder: Path
    footage: ObjectStore
    target: ObjectStore
    keys: Path
    clock: ManualClock
    sealer: Sealer
    plan: PackagePlan

    @property
    def trust(self) -> Trust:
        roots = certificates.load_pem_files([self.keys / "root.pem"])
        return Trust(roots=roots, stamp_roots=roots)

    def pinned(self) -> Trust:
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

    def verify(self, path: Path, *, trust: Trust | None = None, at: At = "now") -> VerificationResult:
        return verify(path, trust=trust or self.pinned(), at=at, clock=self.clock)


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
) -> World:
    """An installation in ``folder`` with ``segments`` segments for each camera and one gap at the end.

    ``stores`` are footage and records, else two folders; ``now`` is what its clock shows.
    """
    random = Random("saksi")  # noqa: S311 - the same bytes each time
    clock = ManualClock(T0 + DAY if now is None else now)
    footage, target = stores or (
        FilesystemStore(folder / "footage", clock),
        FilesystemStore(folder / "records", clock),
    )
    installation.init(folder / "keys", clock=clock)
    originals: list[Original] = []
    plans: list[ClipPlan] = []
    recorder_key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    for name in cameras:
        pieces: list[tuple[Original, bytes, int]] = []
        for seq in range(segments):
            data, header = segment_bytes(random, segment_size)
            segment = a_segment(name, seq, data, header)
            stored = footage.put(segment.key, Content.of_bytes(data))
            original = Original(ref=segment.ref(version=stored.version), leaf=leaves.encode(segment))
            originals.append(original)
            pieces.append((original, data, header))
        if clips:
            plans.append(clip_of(name, pieces))
    batch = journal.encode(
        [leaves.decode(original.leaf) for original in originals],
        recorder="rec-1",
        batch=1,
        prev=journal.GENESIS,
        at=T0 + segments * SEGMENT_SECONDS * SECOND,
        key=recorder_key,
    )
    end = T0 + segments * SEGMENT_SECONDS * SECOND
    plan = PackagePlan(
        evidence_id=EVIDENCE_ID,
        case="LP/B/123/XI/2026",
        actor="os:operator",
        span=Timespan(T0, end + 5 * SECOND),
        prepared_at=clock.now(),
        lock_until=(clock.now() + lock_for) // SECOND * SECOND,
        cameras=tuple(camera(name) for name in cameras),
        originals=tuple(originals),
        gaps=tuple(
            GapStatement(camera=name, span=Timespan(end, end + 5 * SECOND), cause="unreachable")
            for name in cameras
        ),
        clips=tuple(plans),
        journals=(JournalProof(batch=batch, public_key=recorder_key.public_key().public_bytes_raw()),),
        custody=(b'{"type":"evidence.requested","v":1}',),
        system={"name": "saksi", "version": "0.1.0"},
    )
    sealer = Sealer(
        footage=footage,
        target=target,
        signer=installation.load_signer(folder / "keys", clock=clock),
        authority=installation.load_local_authority(folder / "keys", clock=clock),
        clock=clock,
    )
    return World(folder, footage, target, folder / "keys", clock, sealer, plan)


def a_segment(name: str, seq: int, data: bytes, header: int) -> Segment:
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
        codec="h264",
        gop="closed",
        frames=150,
        clock=ClockStatement(source="arrival", offset_us=-1_200, uncertainty_us=40_000),
        camera_time=None,
        ingested_at=start + SEGMENT_SECONDS * SECOND + 50_000,
    )


def clip_of(name: str, parts: list[tuple[Original, bytes, int]], chunk: int = 1_000) -> ClipPlan:
    """A clip without the first 100 and the last 50 sample bytes, and without ten amid each segment."""
    runs: list[tuple[Original, bytes, int, int]] = []
    for number, (original, data, header) in enumerate(parts):
        first = header + (100 if number == 0 else 0)
        last = len(data) - (50 if number == len(parts) - 1 else 0)
        middle = (first + last) // 2
        runs += [(original, data, first, middle), (original, data, middle + 10, last)]
    samples = b"".join(data[start:end] for _, data, start, end in runs)
    head = (
        box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"\1" * 333) + (8 + len(samples)).to_bytes(4) + b"mdat"
    )
    at = len(head)
    pieces: list[dict[str, Any]] = []
    for original, _, start, end in runs:
        pieces.append(
            {
                "original": original.ref.key,
                "sha256": original.ref.sha256,
                "from": format_instant(original.ref.span.start),
                "to": format_instant(original.ref.span.end),
                "clip_offset": at,
                "original_offset": start,
                "length": end - start,
            }
        )
        at += end - start
    whole = head + samples

    def stream() -> Iterator[bytes]:
        reader = io.BytesIO(whole)
        return iter(lambda: reader.read(chunk), b"")

    return ClipPlan(
        camera=name,
        description={
            "frames": 400,
            "hidden_frames": 3,
            "hidden_preroll_us": 0,
            "pieces": pieces,
            "bytes": len(whole),
        },
        size=len(whole),
        stream=stream,
    )


def write_tags(package: Path) -> None:
    """Write an unpacked package's manifests and tag files anew, as a forger would."""
    payload = sorted(path for path in (package / "data").rglob("*") if path.is_file())
    digests = {str(path.relative_to(package)): sha256(path.read_bytes()).hexdigest() for path in payload}
    (package / bag.MANIFEST).write_bytes(bag.write_manifest(digests))
    fields = bag.read_info((package / bag.INFO).read_bytes())
    fields["Payload-Oxum"] = bag.payload_oxum(path.stat().st_size for path in payload)
    (package / bag.INFO).write_bytes(bag.write_info(fields.items()))
    tags = {name: sha256((package / name).read_bytes()).hexdigest() for name in bag.TAG_FILES}
    (package / bag.TAG_MANIFEST).write_bytes(bag.write_manifest(tags))


def sibling_signer(world: World) -> FileSigner:
    """Another sealing certificate of the same root, as an insider of the authority could get one."""
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
