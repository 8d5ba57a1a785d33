"""A custody report on paper, in Indonesian (English second): for a judge, a lawyer, an inspector.

Each act is a numbered block: time and act, person, and proof. Times are local, with the zone named. The same
acts give the same pages, except for who ordered the report and when.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from archive.attended import each
from archive.canonical import JsonObject
from archive.documents.fonts import Font
from archive.documents.indonesian import moment, number, zone_named
from archive.documents.pages import Pages
from archive.documents.panel import Shade
from archive.documents.words import ROLES
from archive.errors import Malformed
from archive.records.custody_report.lines import Made, acts_sha256, line_json
from archive.records.custody_report.question import question_lines
from archive.records.custody_report.record import Asked, CustodyRecord, Line, Source
from archive.records.custody_report.vocabulary import OUTCOMES, word_of
from archive.timespan import parse_instant

MAX_PRINTED = 5000
_ROLES: Mapping[str, str] = {**ROLES, "machine": "mesin", "host": "pada server arsip"}
_DETAILS: Mapping[str, str] = {
    "from": "rekaman dari",
    "to": "rekaman sampai",
    "at": "gambar pada",
    "frame_at": "gambar pukul",
    "bytes_sent": "bita terkirim",
    "bytes": "bita terkirim",
    "size": "ukuran (bita)",
    "seconds_shown": "detik rekaman tampil",
    "pieces_unknown": "potongan yang tidak diketahui",
    "seconds_heard": "detik bersuara",
    "ending": "akhir",
    "code": "kode",
    "status": "status",
    "valid": "sah (1 = ya)",
    "reason": "alasan",
    "case": "perkara",
    "results": "hasil",
    "cameras": "jumlah kamera",
    "version": "versi",
    "denied": "sebab",
    "recipient": "penerima",
    "number": "serah terima ke-",
    "download": "unduhan ke-",
    "differs": "tidak cocok",
    "tagmanifest_sha256": "SHA-256 tag manifest",
    "signer_sha256": "sidik jari penanda tangan",
}
"""The details that paper shows, by their names in the record; the JSON lines have all details."""
_TIMES = frozenset({"from", "to", "at", "frame_at"})


def printable(record: CustodyRecord, asked: Asked, *, most: int = MAX_PRINTED) -> tuple[Line, ...]:
    """The acts of a report, if paper can hold them. They are counted in the index before they are read.

    Raises:
        Malformed: ``report_too_long``: more than ``most`` acts; use JSON lines.
        IntegrityError, Unavailable: as :meth:`~archive.records.custody_report.record.CustodyRecord.lines`.
    """
    if record.exceeds(asked, most):
        raise _too_long(most)
    # Not every act can be counted without being read.
    lines = tuple(islice(record.lines(asked), most + 1))
    if len(lines) > most:
        raise _too_long(most)
    return lines


def printed(asked: Asked, lines: Sequence[Line], made: Made, *, whole: bool = True) -> bytes:
    """The PDF of a report.

    Raises:
        Malformed: ``report_too_long``: more than 5000 acts; use JSON lines.
    """
    if len(lines) > MAX_PRINTED:
        raise _too_long(MAX_PRINTED)
    zone = zone_named(made.time_zone)
    pages = Pages(
        footer=f"Catatan rantai pengawasan {_about(asked)}", author=made.organization, made_at=made.at
    )
    _title(pages, asked, made)
    _facts(pages, asked, lines, made, zone, whole)
    _acts(pages, lines, zone, whole)
    _reading(pages)
    return pages.encode()


def _too_long(most: int) -> Malformed:
    return Malformed(
        f"a report of more than {most} acts cannot be printed",
        code="report_too_long",
        hint="Request the JSON lines, or a shorter span, or the acts of one person on the item.",
    )


def _about(asked: Asked) -> str:
    named = [one for one in ("" if asked.item is None else asked.item.text, asked.person) if one]
    return " ".join(named or ["menurut waktu"])


def _title(pages: Pages, asked: Asked, made: Made) -> None:
    pages.text(made.organization.upper(), font=Font.BOLD, size=12, centred=True)
    pages.space(4)
    pages.text("CATATAN RANTAI PENGAWASAN", font=Font.BOLD, size=14, centred=True)
    kind = "Acts of one person" if asked.person else "Everybody's acts in a span of time"
    if asked.item is not None:
        kind = "Chain of custody of an item"
    pages.english(kind, centred=True)
    pages.line()


def _facts(
    pages: Pages, asked: Asked, lines: Sequence[Line], made: Made, zone: ZoneInfo, whole: bool
) -> None:
    item = asked.item
    pages.space(6)
    if item is not None:
        pages.fact("Barang", item.text, font=Font.BOLD)
        for name, value in (
            ("Paket bukti", item.evidence_id),
            ("Permintaan", item.request_id),
            ("Penahanan", item.hold_id),
            ("Kamera", item.camera),
        ):
            if value and value != item.text:
                pages.fact(name, value)
        if item.footage is not None:
            pages.fact("Rekaman dari", moment(item.footage.start, zone))
            pages.fact("Rekaman sampai", moment(item.footage.end, zone))
    if asked.person:
        pages.fact("Orang", asked.person, font=Font.BOLD)
    elif item is None:
        pages.fact("Orang", "siapa pun", font=Font.BOLD)
    if asked.taken_out:
        pages.fact("Perbuatan", "hanya yang membawa sesuatu keluar dari arsip")
    ledger = sum(line.source is Source.LEDGER for line in lines)
    pages.fact("Perbuatan dari", moment(asked.span.start, zone))
    pages.fact("Perbuatan sampai", moment(asked.span.end, zone))
    pages.fact("Jumlah", f"{len(lines) - ledger} perbuatan dan {ledger} catatan buku besar")
    pages.fact("Dibuat oleh", made.by)
    pages.fact("Dibuat pada", moment(made.at, zone))
    pages.fact("SHA-256 perbuatan", acts_sha256(lines, whole=whole), font=Font.FIXED, size=8.5)
    if not whole:
        pages.fact("Catatan", "Alamat jaringan dan sesi tidak ditampilkan kepada penerima ini.")
    pages.space(4)


def _acts(pages: Pages, lines: Sequence[Line], zone: ZoneInfo, whole: bool) -> None:
    pages.keep_together(60)
    pages.line()
    if not lines:
        pages.text("Tidak ada perbuatan yang tercatat dalam rentang waktu ini.")
        pages.english("No act is on record in this span.")
    for count, line in enumerate(each(lines), 1):
        told = line_json(line, whole=whole)
        word = word_of(line.type)
        outcome = "" if line.outcome.value == "done" else f" - {OUTCOMES[line.outcome][0].upper()}"
        question = question_lines(line.details, zone)
        pages.keep_together(62 + 12 * len(question))
        pages.space(5)
        pages.text(
            f"{count}.  {moment(line.at, zone)}   {_capital(word.indonesian)}{outcome}",
            font=Font.BOLD,
            size=9.5,
        )
        pages.text(_who(told["actor"], line.purpose), size=9, indent=22)
        objects = ", ".join(line.objects)
        details = "; ".join(_details(line.details, zone))
        pages.text("; ".join(one for one in (objects, details) if one), size=9, indent=22)
        for row in question:
            pages.text(row, size=9, indent=22)
        premis = f"; PREMIS: {word.premis}" if word.premis else ""
        pages.text(f"{line.type}{premis}; bukti: {line.proof}", size=7.5, indent=22, shade=Shade.SOFT)


def _who(actor: JsonObject, purpose: str) -> str:
    role = ", ".join(_ROLES.get(one, one) for one in actor["role"].split(",") if one)
    capacity = ", ".join(one for one in (role, actor["agency"]) if one)
    parts = [f"Oleh {actor['id']}" + (f" ({capacity})" if capacity else "")]
    if actor["address"] not in ("", "local"):
        parts.append(f"dari alamat {actor['address']}")
    if actor["session"]:
        parts.append(f"sesi {actor['session']}")
    if purpose:
        parts.append(f"keperluan: {purpose}")
    return "; ".join(parts)


def _details(details: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    told = []
    for name, label in _DETAILS.items():
        value = details.get(name)
        if value in (None, ""):
            continue
        if name in _TIMES:
            try:
                value = moment(parse_instant(str(value)), zone)
            except Malformed:
                value = str(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            value = number(value)
        told.append(f"{label}{value}" if label.endswith("-") else f"{label} {value}")
    return told


def _reading(pages: Pages) -> None:
    pages.heading("Cara membaca", "How to read this", room=120)
    pages.text(
        "Setiap perbuatan dicatat sebelum rekaman keluar dari arsip, dan setiap catatan terikat dengan nilai "
        "hash pada catatan sebelumnya. Perintah saksi log verify menyebut catatan yang dihapus, diubah, atau "
        "ditukar urutannya. Perintah saksi log prove, diikuti nama bukti yang tercetak di bawah setiap "
        "perbuatan, membuktikan bahwa catatannya ada dalam log sebelum penanda waktunya.",
        size=9,
    )
    pages.text(
        "Pemutaran dan unduhan dicatat dua kali: ketika mulai dan ketika selesai. Jika hanya permulaannya "
        "tercatat, akhirnya tidak diketahui.",
        size=9,
    )
    pages.english(
        "Every act was recorded before footage left, and every record is bound to the previous one. "
        "'saksi log verify' names a record that was removed, altered or moved. If only the start of an act "
        "is on record, its end is unknown."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
