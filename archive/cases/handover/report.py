"""*Berita acara serah terima*: who gave which package to whom, with the values that both compare.

It lies beside the sealed package (``handover/``), so it can carry what the package cannot state about itself:
the SHA-256 of its tag manifest, and the time of its stamp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

from archive.cases.handover.facts import HandoverFacts
from archive.documents.fonts import Font
from archive.documents.indonesian import (
    clock_time,
    date_in_words,
    day_in_words,
    moment,
    number,
    size,
    zone_named,
    zone_word,
)
from archive.documents.pages import Column, Pages
from archive.documents.panel import Align, Panel, Shade
from archive.documents.words import BASES, word
from archive.evidence.documents.sealing_report import LOCAL_STAMP, authority, grouped
from archive.model.handover import Right

_QR = 128.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The authority and its seal, which the report names beside the facts of the handover.

    ``camera_names`` are by camera id; a camera without a name shows only its id.
    """

    organization: str
    tz_display: str
    signer_subject: str = ""
    camera_names: Mapping[str, str] = field(default_factory=dict)


def qr_text(right: Right) -> str:
    """The text of the QR code: the three values to compare, each with its label."""
    return f"SAKSI {right.evidence_id} TAGMANIFEST {right.tagmanifest_sha256} SIGNER {right.signer_sha256}"


def render(facts: HandoverFacts, letterhead: Letterhead) -> bytes:
    """The report; the same facts give the same bytes. Without a receipt its place stays open.

    Raises:
        Malformed: ``bad_time_zone``.
    """
    zone = zone_named(letterhead.tz_display)
    receipt = facts.receipt
    pages = Pages(
        footer=f"Berita acara serah terima {facts.right.evidence_id} / {facts.right.number}",
        author=letterhead.organization,
        made_at=facts.right.given_at if receipt is None else receipt.confirmed_at,
    )
    _title(pages, facts, letterhead)
    _parties(pages, facts, zone)
    _package(pages, facts, letterhead, zone)
    _values(pages, facts, letterhead, zone)
    _request(pages, facts)
    _terms(pages, facts, zone)
    _receipt(pages, facts, zone)
    _signatures(pages, facts)
    return pages.encode()


def _title(pages: Pages, facts: HandoverFacts, letterhead: Letterhead) -> None:
    pages.text(letterhead.organization.upper(), font=Font.BOLD, size=12, centred=True)
    pages.space(4)
    pages.text("BERITA ACARA SERAH TERIMA BUKTI ELEKTRONIK", font=Font.BOLD, size=14, centred=True)
    pages.english("Report of handover of electronic evidence", centred=True)
    pages.text(f"Nomor: {facts.right.evidence_id} / {facts.right.number}", size=10, centred=True)
    pages.line()
    pages.space(6)


def _parties(pages: Pages, facts: HandoverFacts, zone: ZoneInfo) -> None:
    right, to, officer = facts.right, facts.right.recipient, facts.right.officer
    at = right.given_at
    pages.text(
        f"Pada hari {day_in_words(at, zone)}, pukul {clock_time(at, zone)} {zone_word(zone, at)}, kami yang "
        "bertanda tangan di bawah ini:"
    )
    pages.space(4)
    pages.text("PIHAK PERTAMA, yang menyerahkan", font=Font.BOLD, size=9.5)
    pages.fact("Nama", officer.name or _BLANK)
    pages.fact("NIP", officer.nip or _BLANK)
    pages.fact("Jabatan", officer.position or _BLANK)
    pages.fact("Akun pada sistem", right.given_by)
    pages.space(4)
    pages.text("PIHAK KEDUA, yang menerima", font=Font.BOLD, size=9.5)
    pages.fact("Nama / pangkat", f"{to.rank} {to.name}".strip() or _BLANK)
    pages.fact("NRP / NIP", to.nrp_nip or _BLANK)
    pages.fact("Instansi / satuan", ", ".join(one for one in (to.agency, to.unit) if one) or _BLANK)
    pages.fact("Akun pada sistem", to.person or "–")
    pages.space(4)
    pages.text(
        "PIHAK PERTAMA menyerahkan kepada PIHAK KEDUA satu paket bukti elektronik yang tersegel, dan PIHAK "
        "KEDUA memeriksa nilai-nilai di bawah ini terhadap paket yang diterimanya."
    )
    pages.english(
        "The first party hands one sealed package of electronic evidence to the second party, who compares "
        "the values below with the package received."
    )


_BLANK = "." * 60


def _package(pages: Pages, facts: HandoverFacts, letterhead: Letterhead, zone: ZoneInfo) -> None:
    pages.heading("Paket bukti", "The package", room=90)
    pages.fact("Nomor", facts.right.evidence_id, font=Font.BOLD)
    pages.fact("Perkara", facts.case or "–")
    pages.fact("Rekaman dari" if facts.originals else "Rentang dari", moment(facts.span.start, zone))
    pages.fact("sampai (tidak termasuk)", moment(facts.span.end, zone))
    if facts.originals:
        pages.fact("Isi", f"{number(facts.originals)} segmen asli; seluruh isi {size(facts.size)}")
    else:
        pages.fact("Isi", f"surat keterangan tidak ada rekaman; seluruh isi {size(facts.size)}")
    pages.space(4)
    columns = (
        Column(title="No", width=34, align=Align.RIGHT),
        Column(title="Kamera", width=110),
        Column(title="Nama", width=339),
    )
    names = letterhead.camera_names
    pages.grid(
        columns, ((str(n), camera, names.get(camera, "–")) for n, camera in enumerate(facts.cameras, 1))
    )


def _values(pages: Pages, facts: HandoverFacts, letterhead: Letterhead, zone: ZoneInfo) -> None:
    right = facts.right
    pages.heading("Nilai yang dibandingkan", "Values to compare", room=_QR + 80)
    rows = (
        ("SHA-256 tagmanifest-sha256.txt", right.tagmanifest_sha256),
        ("Sidik jari sertifikat penyegel (SHA-256)", right.signer_sha256),
    )

    def draw(panel: Panel) -> None:
        panel.box((0, 2), panel.width, _QR + 6, fill=None, edge=Shade.SOFT)
        y = 18.0
        for name, digest in rows:
            panel.words((10, y), name, size=9)
            parts = grouped(digest).split(" ")
            for line in (parts[:4], parts[4:]):
                y += 15
                panel.words((10, y), " ".join(line), font=Font.FIXED, size=11)
            y += 21
        panel.words((10, y), "Kode QR memuat nomor paket dan kedua nilai ini.", size=7.5, shade=Shade.SOFT)
        panel.qr((panel.width - _QR - 3, 5), qr_text(right), _QR)

    pages.figure(_QR + 12, draw)
    if letterhead.signer_subject:
        pages.fact("Penanda tangan", letterhead.signer_subject)
    pages.fact("Waktu penandaan", moment(right.gen_time, zone), font=Font.BOLD)
    pages.fact("Otoritas penanda waktu", authority(right.tsa))
    if right.tsa == "local":
        pages.fact("", LOCAL_STAMP)


def _request(pages: Pages, facts: HandoverFacts) -> None:
    pages.heading("Dasar penyerahan", "Basis of the handover", room=90)
    pages.fact("Permintaan", facts.right.request_id or "–")
    if facts.letter_number:
        pages.fact("Surat permintaan", f"{facts.letter_number}, tanggal {date_in_words(facts.letter_date)}")
    else:
        pages.fact("Surat permintaan", "belum diterima ketika diserahkan", font=Font.BOLD)
    for basis in facts.legal_basis:
        kind, _, rest = basis.partition(" ")
        pages.fact("Dasar hukum", f"{word(BASES, kind)} {rest}".strip())
    pages.fact("Tujuan", facts.purpose or "–")
    known = facts.approved_name or facts.approved_by
    also = f" ({facts.approved_by})" if facts.approved_by not in {"", known} else ""
    pages.fact("Disetujui oleh", f"{known}{also}" or "–")


def _terms(pages: Pages, facts: HandoverFacts, zone: ZoneInfo) -> None:
    right = facts.right
    pages.heading("Cara penyerahan", "How it is handed over", room=60)
    if right.downloads:
        pages.fact("Unduhan", f"paling banyak {number(right.downloads)} kali oleh akun PIHAK KEDUA")
        pages.fact("Berlaku sampai", moment(right.until, zone))
    else:
        pages.fact("Media", "diserahkan pada media; tidak dapat diunduh")
    for one in facts.fetched:
        pages.fact(f"Unduhan ke-{one.count}", moment(one.at, zone))
    if right.note:
        pages.fact("Catatan", right.note)


def _receipt(pages: Pages, facts: HandoverFacts, zone: ZoneInfo) -> None:
    receipt, right = facts.receipt, facts.right
    pages.heading("Penerimaan", "Receipt", room=80)
    if receipt is None:
        pages.text(
            "Belum dikonfirmasi dalam sistem. PIHAK KEDUA menyatakan telah membandingkan kedua nilai di "
            "atas dengan paket yang diterima:",
            size=9.5,
        )
        for text in ("sama", "tidak sama, yaitu: " + "." * 60):
            pages.figure(18, partial(_tick_box, text=text))
        return
    pages.fact("Dikonfirmasi oleh", receipt.confirmed_by)
    pages.fact("Pada", moment(receipt.confirmed_at, zone))
    same = (receipt.tagmanifest_sha256, receipt.signer_sha256) == (
        right.tagmanifest_sha256,
        right.signer_sha256,
    )
    pages.fact("Hasil", "kedua nilai sama dengan di atas" if same else "NILAI TIDAK SAMA", font=Font.BOLD)
    if not same:
        pages.fact("SHA-256 yang dinyatakan", grouped(receipt.tagmanifest_sha256), font=Font.FIXED, size=8.5)
        pages.fact("Sidik jari yang dinyatakan", grouped(receipt.signer_sha256), font=Font.FIXED, size=8.5)
    pages.fact("Unduhan dimulai", f"{number(receipt.downloads)} kali")


def _tick_box(panel: Panel, text: str) -> None:
    panel.box((2, 4), 9, 9)
    panel.words((18, 12), text, size=9.5)


def _signatures(pages: Pages, facts: HandoverFacts) -> None:
    to, officer = facts.right.recipient, facts.right.officer
    pages.keep_together(170)
    pages.space(8)
    pages.text(
        "Berita acara ini dibuat dengan sebenarnya. Cara memeriksa paket ada di data/VERIFIKASI.txt di "
        "dalamnya.",
        size=9.5,
    )
    for name, digest in (
        ("SHA-256 penyerahan", facts.right_sha256),
        ("SHA-256 penerimaan", facts.receipt_sha256),
    ):
        if digest:
            pages.fact(name, digest, font=Font.FIXED, size=8)
    pages.space(10)
    line = "_" * 34
    pages.columns(
        [
            [
                "PIHAK KEDUA",
                "Yang menerima",
                *[""] * 5,
                f"{to.rank} {to.name}".strip() or line,
                _id("NRP/NIP", to.nrp_nip),
            ],
            ["PIHAK PERTAMA", "Yang menyerahkan", *[""] * 5, officer.name or line, _id("NIP", officer.nip)],
        ]
    )


def _id(name: str, digits: str) -> str:
    return f"{name}: {digits or '.' * 24}"
