"""The facts behind a package's papers, in any size, without a store: plans with figures only."""

import io
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from PIL import Image, ImageDraw

from archive.cases.handover.facts import Fetched, HandoverFacts
from archive.cases.handover.report import Letterhead
from archive.clock import ManualClock
from archive.evidence.manifest import Layout
from archive.evidence.plan import (
    Approval,
    CameraChange,
    ClipPlan,
    Document,
    GapStatement,
    LegalBasis,
    Original,
    PackagePlan,
    RequestFacts,
)
from archive.evidence.sealing import Copied
from archive.evidence.slices import Slices
from archive.evidence.stating import ClipOutcome
from archive.footage.derive import Still
from archive.model import leaf as leaves
from archive.model.camera import Camera, OwnerKind, Place
from archive.model.evidence import PackageKind
from archive.model.handover import Officer, Receipt, Recipient, Right
from archive.model.segment import ClockStatement, Segment
from archive.timespan import DAY, HOUR, SECOND, Timespan, format_instant
from ops import keys as installation

T0 = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z, 14:00:00 in Makassar."""
EVIDENCE_ID = "EVD-2026-0123456789"
ENTRY = sha256(b"request entry").hexdigest()
NAMES = (
    "Jl. Penghibur, simpang Pantai Losari",
    "Jl. Ahmad Yani depan Balai Kota Makassar, arah barat laut menuju Lapangan Karebosi",
    "Pasar Sentral, gerbang timur",
)


def signer(folder: Path) -> x509.Certificate:
    """The sealing certificate of a new installation in ``folder``."""
    clock = ManualClock(T0)
    installation.init(folder, clock=clock)
    return installation.load_signer(folder, clock=clock).certificate


def camera(number: int) -> Camera:
    """Camera ``number`` (from 1), on a grid of streets about Losari."""
    east, north = divmod(number - 1, 10)
    return Camera(
        id=f"cam-{number:04d}",
        name=NAMES[number % len(NAMES)],
        source="rtsp://192.0.2.7/1",
        sealed_source="",
        place=Place(
            lat=Decimal("-5.143600") + Decimal("0.0031") * north,
            lon=Decimal("119.407100") + Decimal("0.0043") * east,
            kecamatan="73.71.01",
            kelurahan=f"73.71.01.{1000 + number}",
            owner=list(OwnerKind)[number % len(OwnerKind)],
        ),
        segment_seconds=10,
        registered_at=T0 - 30 * DAY,
    )


def segment(camera_id: str, seq: int) -> Segment:
    """A segment's whole record; its bytes do not exist."""
    start = T0 + seq * 10 * SECOND
    return Segment(
        camera=camera_id,
        recorder="rec-1",
        run="6a15000000000001",
        seq=seq,
        span=Timespan(start, start + 10 * SECOND),
        media_duration=900_000,
        sha256=sha256(f"{camera_id} {seq}".encode()).hexdigest(),
        size=2_500_000 + seq,
        header_bytes=3_300,
        codec="h264",
        gop="closed",
        frames=150,
        clock=ClockStatement(source="arrival", offset_us=-1_250 - seq, uncertainty_us=40_001),
        camera_time=None,
        ingested_at=start + 11 * SECOND,
    )


def request_facts(*, urgent: bool = False) -> RequestFacts:
    """An approved request of the police."""
    return RequestFacts(
        id="REQ-2026-ABCDEFGHJK",
        entry_sha256=ENTRY,
        filed_at=T0 + 2 * HOUR,
        agency_kind="polri",
        agency="Polrestabes Makassar",
        unit="Satreskrim Unit Jatanras",
        name="Andi Ṣāliḥ Mappanyukki",
        rank="IPDA",
        nrp_nip="85010203",
        letter_number="" if urgent else "B/1234/XI/RES.1.8/2026/Reskrim",
        letter_date="" if urgent else "2026-11-24",
        letter_sha256="" if urgent else sha256(b"letter").hexdigest(),
        legal_basis=(
            LegalBasis(kind="lp", number="LP/B/2211/XI/2026/SPKT", article=""),
            LegalBasis(kind="sprindik", number="SP.Sidik/771/XI/2026", article="Pasal 477 KUHP"),
        ),
        case="Pencurian dengan kekerasan di Jalan Penghibur",
        purpose="Mengetahui arah lari pelaku dan kendaraan yang dipakai pada 24 November 2026",
        urgent=urgent,
        approvals=(
            Approval(
                role="war_room", name="Siti Rahmawati", by="oidc:siti", at=T0 + 3 * HOUR, entry_sha256=ENTRY
            ),
        ),
        hold_id="hold-" + "0a" * 16,
    )


def plan(
    *,
    cameras: int = 3,
    segments: int = 12,
    gaps: int = 2,
    request: RequestFacts | None = None,
    kind: PackageKind = PackageKind.FOOTAGE,
    hours: int = 0,
) -> PackagePlan:
    """``segments`` of 10 s for each camera with ``gaps`` left out of each; ``hours`` widens the span."""
    registered = tuple(camera(number) for number in range(1, cameras + 1))
    missing = {3 + 5 * number for number in range(gaps)}
    originals, stated = [], []
    end = T0 + max(segments * 10 * SECOND, hours * HOUR)
    causes = ("unreachable", "recorder_restart", "stream_error", "disposed")
    for one in registered:
        if kind is PackageKind.NO_FOOTAGE:
            stated.append(GapStatement(camera=one.id, span=Timespan(T0, end), cause="disposed"))
            continue
        for seq in range(segments):
            made = segment(one.id, seq)
            if seq in missing:
                cause = causes[seq % len(causes)]
                stated.append(GapStatement(camera=one.id, span=made.span, cause=cause))
            else:
                originals.append(Original(ref=made.ref(version="1"), leaf=leaves.encode(made)))
    clips = ()
    if kind is PackageKind.FOOTAGE:
        clips = tuple(_clip(one.id, originals) for one in registered[:2])
    return PackagePlan(
        evidence_id=EVIDENCE_ID,
        case="LP/B/2211/XI/2026/SPKT",
        actor="os:operator",
        span=Timespan(T0, end),
        prepared_at=T0 + 4 * HOUR,
        lock_until=T0 + 3650 * DAY,
        cameras=registered,
        originals=tuple(originals),
        gaps=tuple(stated),
        clips=clips,
        system={"name": "saksi", "version": "0.1.0", "ffmpeg": "5.1.9", "host": "arsip-1"},
        organization="Dinas Komunikasi dan Informatika Kota Makassar",
        kind=kind,
        request=request,
        changes=(CameraChange(at=T0 + 15 * SECOND, camera=registered[0]),),
        documents={"surat-permintaan.pdf": Document("letter", b"%PDF-1.4 letter")},
    )


def _clip(camera_id: str, originals: list[Original]) -> ClipPlan:
    mine = [one.ref for one in originals if one.ref.camera == camera_id]
    edges = {"from": format_instant(mine[0].span.start), "to": format_instant(mine[-1].span.end)}
    return ClipPlan(
        camera=camera_id,
        description={
            "asked": edges,
            "actual": edges,
            "hidden_frames": 12,
            "hidden_preroll_us": 800_000,
            "hidden_tail_us": 0,
            "pieces": [],
        },
        size=30_123_456,
        stream=lambda: iter(()),
    )


def copied(made: PackagePlan, certificate: x509.Certificate, *, tsa: str = "local") -> Copied:
    """The plan as the sealer passes it on once the originals are copied."""
    layout = Layout.of(made)
    outcomes = {
        path: ClipOutcome(sha256(path.encode()).hexdigest(), "h264", (Slices(0, 150, "0" * 64),))
        for path in layout.clips
    }
    return Copied(plan=made, layout=layout, clips=outcomes, signer=certificate, tsa=tsa)


def jpeg(text: str, width: int = 320, height: int = 180) -> bytes:
    """A picture with a text in it."""
    image = Image.new("RGB", (width, height), (70, 90, 110))
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((20, height // 2, width - 20, height - 20), fill=(150, 140, 120))
    drawing.text((30, 30), text, fill=(255, 255, 255))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def sheet(made: PackagePlan, each: int = 6) -> dict[str, list[Still]]:
    """Pictures for every camera that has footage."""
    return {
        one.id: [
            Still(jpeg(f"{one.id} {n}"), made.span.start + made.span.duration * n // each)
            for n in range(each)
        ]
        for one in made.cameras
        if any(item.ref.camera == one.id for item in made.originals)
    }


def handover(*, confirmed: bool = True, cameras: int = 3, officer: Officer | None = None) -> HandoverFacts:
    """A handover to the requesting police officer, fetched once; with the receipt if ``confirmed``."""
    digest, fingerprint = sha256(b"tag manifest").hexdigest(), sha256(b"certificate").hexdigest()
    right = Right(
        evidence_id=EVIDENCE_ID,
        number=1,
        request_id="REQ-2026-ABCDEFGHJK",
        request_entry=ENTRY,
        recipient=Recipient(
            person="oidc:andi",
            name="Andi Ṣāliḥ Mappanyukki",
            rank="IPDA",
            nrp_nip="85010203",
            agency="Polrestabes Makassar",
            unit="Satreskrim Unit Jatanras",
        ),
        downloads=3,
        until=T0 + 80 * HOUR,
        given_by="oidc:budi",
        given_at=T0 + 8 * HOUR,
        note="",
        tagmanifest_sha256=digest,
        signer_sha256=fingerprint,
        tsa="local",
        gen_time=T0 + 5 * HOUR,
        officer=officer
        or Officer(name="Budi Santoso", nip="198001012005011001", position="Kepala Seksi War Room"),
    )
    receipt = Receipt(
        confirmed_by="oidc:andi",
        confirmed_at=T0 + 9 * HOUR,
        right_sha256=sha256(b"right").hexdigest(),
        tagmanifest_sha256=digest,
        signer_sha256=fingerprint,
        downloads=1,
    )
    return HandoverFacts(
        right=right,
        right_sha256=sha256(b"right").hexdigest(),
        receipt=receipt if confirmed else None,
        receipt_sha256=sha256(b"receipt").hexdigest() if confirmed else "",
        fetched=(Fetched(count=1, at=T0 + 8 * HOUR + 90 * SECOND, address="192.0.2.9"),),
        status="handed_over",
        version=5,
        case="LP/B/2211/XI/2026/SPKT",
        purpose="Mengetahui arah lari pelaku dan kendaraan yang dipakai pada 24 November 2026",
        cameras=tuple(camera(number).id for number in range(1, cameras + 1)),
        span=Timespan(T0, T0 + HOUR),
        letter_number="B/1234/XI/RES.1.8/2026/Reskrim",
        letter_date="2026-11-24",
        legal_basis=("lp LP/B/2211/XI/2026/SPKT", "sprindik SP.Sidik/771/XI/2026 Pasal 477 KUHP"),
        approved_by="oidc:siti",
        approved_name="Siti Rahmawati",
        originals=1080,
        size=2_700_123_456,
    )


def letterhead(cameras: int = 3) -> Letterhead:
    """The authority that hands over."""
    return Letterhead(
        organization="Dinas Komunikasi dan Informatika Kota Makassar",
        tz_display="Asia/Makassar",
        signer_subject="CN=Segel Bukti Elektronik,O=Dinas Komunikasi dan Informatika,C=ID",
        camera_names={camera(n).id: camera(n).name for n in range(1, cameras + 1)},
    )
