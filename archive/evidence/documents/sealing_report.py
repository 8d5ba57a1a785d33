"""*Laporan penyegelan*: what was sealed, for whom, by whom, and how to check it; a part of the package.

It cannot state the hash of the tag manifest, which covers the report itself. It says where to find that hash.
"""

from zoneinfo import ZoneInfo

from archive.documents.fonts import Font
from archive.documents.indonesian import (
    date_in_words,
    fine_moment,
    moment,
    number,
    size,
    zone_named,
    zone_word,
)
from archive.documents.pages import Column, Pages, Picture
from archive.documents.panel import Align, Panel
from archive.documents.words import AGENCIES, BASES, OWNERS, ROLES, SYSTEM, word
from archive.evidence import report
from archive.evidence.documents import contents, sketch, timeline
from archive.evidence.documents.contact_sheet import Sheet
from archive.evidence.plan import LegalBasis, PackagePlan, RequestFacts
from archive.evidence.sealing import Copied
from archive.evidence.sounds import cameras_with_sound
from archive.model.camera import Camera
from archive.model.evidence import PackageKind
from archive.timespan import SpanSet, Timespan
from archive.trust import certificates

_TITLES = {
    PackageKind.FOOTAGE: (
        "LAPORAN PENYEGELAN BUKTI ELEKTRONIK",
        "Sealing report of electronic evidence",
    ),
    PackageKind.NO_FOOTAGE: (
        "SURAT KETERANGAN TIDAK ADA REKAMAN",
        "Sealed statement that the archive holds no footage",
    ),
}
_FOOTERS = {
    PackageKind.FOOTAGE: "Laporan penyegelan",
    PackageKind.NO_FOOTAGE: "Surat keterangan tidak ada rekaman",
}
LOCAL_STAMP = "otoritas pada mesin ini sendiri: pemilik mesin dapat memundurkan waktunya"
_QR = 104.0


def render(copied: Copied, pictures: Sheet | None) -> bytes:
    """The report of a package whose originals are copied.

    ``pictures`` are by camera; None where this machine cannot make any.

    Raises:
        Malformed: ``bad_time_zone``.
    """
    plan = copied.plan
    zone = zone_named(plan.tz_display)
    pages = Pages(
        footer=f"{_FOOTERS[plan.kind]} {plan.evidence_id}",
        author=plan.organization,
        made_at=plan.prepared_at,
    )
    _title(pages, plan)
    _front(pages, copied, zone)
    _request(pages, plan, zone)
    _cameras(pages, plan, zone)
    _times(pages, plan, zone)
    if plan.kind is PackageKind.FOOTAGE:
        pages.heading("Suara", "Sound", room=60)
        contents.sound(pages, plan, zone)
        _pictures(pages, plan, zone, pictures)
    contents.write(pages, copied, zone)
    _seal(pages, copied, zone)
    _limits(pages, plan)
    return pages.encode()


def _title(pages: Pages, plan: PackagePlan) -> None:
    title, english = _TITLES[plan.kind]
    pages.text(plan.organization.upper(), font=Font.BOLD, size=12, centred=True)
    pages.space(4)
    pages.text(title, font=Font.BOLD, size=14, centred=True)
    pages.english(english, centred=True)
    pages.text(f"Nomor: {plan.evidence_id}", size=10, centred=True)
    pages.line()
    pages.space(8)


def _front(pages: Pages, copied: Copied, zone: ZoneInfo) -> None:
    plan = copied.plan
    facts = [
        ("Paket bukti", plan.evidence_id),
        ("Perkara", plan.case or "–"),
        (
            "Rekaman dari" if plan.kind is PackageKind.FOOTAGE else "Rentang dari",
            moment(plan.span.start, zone),
        ),
        ("sampai (tidak termasuk)", moment(plan.span.end, zone)),
        ("Jumlah kamera", f"{number(len(plan.cameras))} kamera"),
        (
            "Segmen asli",
            f"{number(len(plan.originals))} segmen; {size(sum(one.ref.size for one in plan.originals))}",
        ),
        ("Celah", f"{number(len(plan.gaps))} celah" if plan.gaps else "tidak ada"),
        ("Disiapkan", moment(plan.prepared_at, zone)),
        ("Dikunci sampai", moment(plan.lock_until, zone)),
    ]
    code = f"SAKSI {plan.evidence_id} SIGNER {certificates.fingerprint(copied.signer)}"

    def draw(panel: Panel) -> None:
        for line, (name, value) in enumerate(facts, 1):
            panel.words((0, line * 12.5), name, size=9.5)
            panel.words((122, line * 12.5), ":", size=9.5)
            bold = Font.BOLD if line == 1 else Font.PLAIN
            panel.words((130, line * 12.5), contents.shortened(value, bold, 9.5, 240), font=bold, size=9.5)
        panel.qr((panel.width - _QR, 0), code, _QR)
        panel.words(
            (panel.width - _QR / 2, _QR + 6), "nomor paket dan sidik jari segel", size=6.5, align=Align.CENTRE
        )

    pages.figure(max(_QR + 10, len(facts) * 12.5 + 6), draw)
    if plan.kind is PackageKind.FOOTAGE:
        pages.text(
            "Paket ini memuat segmen rekaman asli yang tidak diubah satu bit pun, beserta klip turunan, "
            "catatan perekam, dan bukti kapan catatan itu tercakup dalam log arsip. Semua isi disegel dengan "
            "tanda tangan elektronik dan penanda waktu.",
            size=9.5,
        )
        pages.english(
            "The package holds the recorded segments with not one bit changed, clips cut from them, the "
            "recorder's records and proof of when the archive's log covered them. All of it is sealed with "
            "an electronic signature and a time stamp."
        )
    else:
        pages.text(
            "Dinyatakan bahwa arsip tidak menyimpan rekaman dari kamera yang disebut di bawah pada rentang "
            "yang disebut di atas. Sebab setiap bagian rentang tercantum di bawah.",
            size=9.5,
        )
        pages.english(
            "It is stated that the archive holds no footage of the cameras named below in the span named "
            "above. The cause of each part is listed below."
        )


def _request(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Permintaan dan persetujuan", "Request and approval")
    request = plan.request
    if request is None:
        pages.fact(
            "Diminta oleh",
            f"{plan.actor}, langsung pada server arsip, tanpa permintaan yang tercatat dalam sistem",
        )
        return
    pages.fact("Nomor permintaan", request.id)
    pages.fact("Diajukan", moment(request.filed_at, zone))
    pages.fact("Instansi", f"{request.agency} ({word(AGENCIES, request.agency_kind)})")
    pages.fact("Satuan / unit", request.unit or "–")
    pages.fact("Pemohon", requester(request))
    pages.fact("NRP / NIP", request.nrp_nip or "–")
    pages.fact("Surat permintaan", letter(request))
    if request.letter_sha256:
        pages.fact("SHA-256 pindaian surat", request.letter_sha256, font=Font.FIXED, size=8)
    for basis in request.legal_basis:
        pages.fact("Dasar hukum", legal_basis(basis))
    pages.fact("Tujuan", request.purpose or "–")
    if request.urgent:
        pages.fact("Sifat", "mendesak", font=Font.BOLD)
    if request.hold_id:
        pages.fact("Penahanan", request.hold_id)
    pages.fact("SHA-256 permintaan", request.entry_sha256, font=Font.FIXED, size=8)
    pages.space(4)
    if not request.approvals:
        pages.text("Tidak ada persetujuan yang tercatat.", font=Font.BOLD, size=9.5)
    for one in request.approvals:
        name = one.name if one.by in {"", one.name} else f"{one.name} ({one.by})"
        pages.fact("Disetujui oleh", f"{name}, {word(ROLES, one.role)}, {moment(one.at, zone)}")
        same = one.entry_sha256 == request.entry_sha256
        shown = "sama dengan SHA-256 permintaan di atas" if same else one.entry_sha256
        pages.fact("atas permintaan", shown, font=Font.PLAIN if same else Font.FIXED, size=9.5 if same else 8)


def requester(request: RequestFacts) -> str:
    """The requester with rank."""
    return f"{request.rank} {request.name}".strip()


def letter(request: RequestFacts) -> str:
    """Number and date of the letter of request, or a note that it has not arrived."""
    if not request.letter_number:
        return "belum diterima ketika paket disiapkan"
    return f"{request.letter_number}, tanggal {date_in_words(request.letter_date)}"


def legal_basis(basis: LegalBasis) -> str:
    """One legal basis in words."""
    article = f", {basis.article}" if basis.article else ""
    return f"{word(BASES, basis.kind)} {basis.number}{article}".strip()


def _cameras(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Kamera", "Cameras", room=120)
    numbered = list(enumerate(plan.cameras, 1))
    columns = (
        Column(title="No", width=28, align=Align.RIGHT, size=8),
        Column(title="Kamera", width=82, size=8),
        Column(title="Nama", width=142, size=8),
        Column(title="Wilayah (kode)", width=70, size=8),
        Column(title="Lintang, bujur", width=98, size=8),
        Column(title="Jenis", width=63, size=8),
    )
    pages.grid(columns, [(str(n), *_camera(camera)) for n, camera in numbered])
    if plan.changes:
        heard = cameras_with_sound(plan)
        pages.text("Perubahan keterangan kamera dalam rentang:", size=9, font=Font.BOLD)
        for change in plan.changes:
            cells = list(_camera(change.camera))
            if change.camera.id in heard:
                cells.append("suara direkam" if change.camera.audio else "suara tidak direkam")
            pages.bullet(f"{moment(change.at, zone)}: {'; '.join(cells)}", size=8.5)
    pages.keep_together(sketch.HEIGHT + 24)
    pages.space(6)
    places = [(str(n), camera.place.lat, camera.place.lon) for n, camera in numbered]
    pages.figure(sketch.HEIGHT, lambda panel: sketch.draw(panel, places))
    pages.english(
        "Sketsa letak menurut koordinat terdaftar; nomor seperti pada tabel. / Sketch to scale, U = north."
    )


def _camera(camera: Camera) -> tuple[str, ...]:
    place = camera.place
    return (
        camera.id,
        camera.name,
        place.kelurahan
        if place.kelurahan.startswith(place.kecamatan)
        else f"{place.kecamatan} / {place.kelurahan}",
        f"{place.lat:f}, {place.lon:f}",
        word(OWNERS, place.owner.value),
    )


def _times(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Garis waktu dan celah", "Timeline and gaps", room=110)
    spans: dict[str, list[Timespan]] = {camera.id: [] for camera in plan.cameras}
    gaps: dict[str, list[Timespan]] = {camera.id: [] for camera in plan.cameras}
    for item in plan.originals:
        spans[item.ref.camera].append(item.ref.span)
    for gap in plan.gaps:
        gaps[gap.camera].append(gap.span)
    rows = [
        timeline.Row(f"{n}  {camera.id}", SpanSet(spans[camera.id]), gaps[camera.id])
        for n, camera in enumerate(plan.cameras, 1)
    ]
    timeline.draw(pages, rows, plan.span, zone)
    pages.space(4)
    contents.gaps(pages, plan, zone)


def _pictures(pages: Pages, plan: PackagePlan, zone: ZoneInfo, pictures: Sheet | None) -> None:
    pages.heading("Cuplikan gambar", "Contact sheet", room=150)
    if pictures is None:
        pages.text("Tidak dibuat: FFmpeg tidak terpasang pada penyegel.", size=9.5)
        return
    pages.text(
        "Gambar kecil dari gambar utuh dalam rekaman, hanya sebagai ilustrasi; barang buktinya adalah segmen "
        "asli. "
        f"Waktu dalam {zone_word(zone, plan.span.start)}.",
        size=9,
    )
    pages.english("Small pictures of keyframes, an illustration only; the exhibit is the segments.")
    if all(len(stills) <= 1 for stills in pictures.values()):
        pages.space(6)
        pages.pictures([_one_of(pictures, n, camera, zone) for n, camera in _shown(plan, pictures)])
        missing = [camera.id for camera in plan.cameras if not pictures.get(camera.id)]
        if missing:
            pages.text(f"{_NO_PICTURE}: {', '.join(missing)}", size=9)
        return
    for n, camera in enumerate(plan.cameras, 1):
        stills = pictures.get(camera.id, ())
        pages.keep_together(140)
        pages.space(6)
        pages.text(f"{n}. {camera.id}  {camera.name}", font=Font.BOLD, size=9)
        pages.space(3)
        if not stills:
            pages.text(_NO_PICTURE, size=9, indent=12)
        pages.pictures([Picture(jpeg=one.jpeg, caption=(fine_moment(one.instant, zone),)) for one in stills])


_NO_PICTURE = "Tidak ada gambar yang dapat ditampilkan dalam rentang ini"


def _shown(plan: PackagePlan, pictures: Sheet) -> list[tuple[int, Camera]]:
    return [(n, camera) for n, camera in enumerate(plan.cameras, 1) if pictures.get(camera.id)]


def _one_of(pictures: Sheet, n: int, camera: Camera, zone: ZoneInfo) -> Picture:
    still = pictures[camera.id][0]
    return Picture(jpeg=still.jpeg, caption=(f"{n}. {camera.id}", fine_moment(still.instant, zone)))


def _seal(pages: Pages, copied: Copied, zone: ZoneInfo) -> None:
    plan = copied.plan
    pages.heading("Segel", "The seal", room=150)
    pages.fact("Bentuk", "CAdES-BES (CMS) atas tagmanifest-sha256.txt, SHA-256")
    pages.fact("Penanda tangan", certificates.subject(copied.signer))
    pages.fact(
        "Sidik jari SHA-256", grouped(certificates.fingerprint(copied.signer)), font=Font.FIXED, size=8.5
    )
    pages.fact("Otoritas penanda waktu", authority(copied.tsa))
    if copied.tsa == "local":
        pages.fact("", LOCAL_STAMP)
    system = [f"{word(SYSTEM, name)} {value}" for name, value in sorted(plan.system.items())]
    pages.fact("Sistem", "; ".join(system) or "–")
    pages.space(4)
    pages.text("Cara membandingkan", font=Font.BOLD, size=9.5)
    pages.text(
        "Laporan ini ikut disegel, maka nilai SHA-256 tagmanifest-sha256.txt tidak dapat tercantum di sini. "
        "Nilai itu, sidik jari penanda tangan dan waktu penandaan tercetak di berita acara serah terima. "
        "Jalankan sha256sum tagmanifest-sha256.txt di folder paket dan bandingkan dengan berita acara; "
        "bandingkan sidik jari di atas dengan yang diumumkan instansi. Langkah lengkap: data/VERIFIKASI.txt.",
        size=9.5,
    )
    pages.english(
        "This report is inside the seal, so it cannot state the SHA-256 of tagmanifest-sha256.txt. That "
        "value, the signer's fingerprint and the time of the stamp are printed on the handover report: "
        "compare them."
    )


def authority(tsa: str) -> str:
    """The name of a time-stamping authority."""
    return "lokal" if tsa == "local" else tsa


def grouped(digest: str) -> str:
    """A hash in groups of eight, so that people can compare it by eye."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _limits(pages: Pages, plan: PackagePlan) -> None:
    pages.heading("Yang dibuktikan dan tidak dibuktikan", "What the seal proves and does not", room=110)
    pages.bullet(
        "Segel dan penanda waktu membuktikan siapa yang menyegel, bahwa isi paket tidak berubah sejak itu, "
        "dan bahwa segel sudah ada pada waktu penandaan. Log arsip membuktikan bahwa catatan segmen yang "
        "tercakup, beserta nilai SHA-256-nya, sudah ada pada waktu penandaan pos pemeriksaan log.",
        "Seal and time stamp prove who sealed, that nothing has changed since, and that the seal existed at "
        "the time of the stamp. The log proves that the record of each segment it covers, with its hash, "
        "existed at the time of the checkpoint's stamp.",
    )
    for indonesian, english in report.limits(plan.kind):
        pages.bullet(indonesian, english)
