"""``record.pdf``: the disposition record on paper, in Indonesian, with places for signatures."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from archive.canonical import JsonObject
from archive.documents.fonts import Font
from archive.documents.indonesian import moment, number, size, zone_named
from archive.documents.pages import Pages
from archive.records.custody_report.vocabulary import word_of
from archive.timespan import parse_instant

_CAUSES: Mapping[str, str] = {
    "retention": "masa simpan paling lama menurut kebijakan telah lewat",
    "pressure": "ruang simpan hampir penuh; kebijakan mengizinkan pemusnahan setelah masa simpan minimum",
    "break_glass": "perintah yang sah untuk memusnahkan sebelum masa kunci berakhir",
}
_REASONS = {
    "under_hold": "ditahan untuk perkara",
    "under_retention": "masih terkunci di penyimpanan",
    "refused": "ditolak oleh penyimpanan",
    "policy_changed": "kebijakan berubah sebelum gilirannya",
}
_SCOPES = {
    "default": "seluruh kota",
    "owner": "jenis pemilik",
    "kecamatan": "kecamatan",
    "camera": "kamera",
}
_DAYS_WIDTHS = (200, 90, 90, 103)


def render(record: JsonObject, record_sha256: str, signature_sha256: str) -> bytes:
    """The PDF of a record: the same bytes for the same record."""
    zone = zone_named(record["time_zone"])
    pages = Pages(
        footer=f"Berita acara pemusnahan {record['id']}",
        author=record["organization"],
        made_at=parse_instant(record["ended_at"]),
    )
    _title(pages, record)
    _facts(pages, record, zone)
    _policies(pages, record, zone)
    _days(pages, record)
    _hashes(pages, record, record_sha256, signature_sha256)
    _signatures(pages)
    return pages.encode()


def _title(pages: Pages, record: JsonObject) -> None:
    pages.text(record["organization"].upper(), font=Font.BOLD, size=12, centred=True)
    pages.space(4)
    pages.text("BERITA ACARA PEMUSNAHAN REKAMAN CCTV", font=Font.BOLD, size=14, centred=True)
    pages.text("Record of disposition of CCTV footage", size=9, centred=True)
    pages.text(f"Nomor: {record['id']}", size=10, centred=True)
    pages.line()


def _facts(pages: Pages, record: JsonObject, zone: ZoneInfo) -> None:
    listed, destroyed, kept = record["list"], record["destroyed"], record["kept"]
    pages.space(6)
    pages.text(
        "Rekaman yang tercantum dalam daftar dengan nilai SHA-256 di bawah ini telah dimusnahkan secara "
        "permanen dari penyimpanan arsip menurut dasar yang disebut di bawah. Catatan setiap segmen "
        "tetap tersimpan dalam jurnal sebagai bukti bahwa rekaman itu pernah ada."
    )
    pages.space(6)
    pages.fact("Alasan", _CAUSES.get(record["cause"], str(record["cause"])))
    pages.fact("Pelaksana", record["started_by"])
    pages.fact("Mulai", _when(record["started_at"], zone))
    pages.fact("Selesai", _when(record["ended_at"], zone))
    pages.fact("Rekaman dari", _when(record["from"], zone))
    pages.fact("Rekaman sampai", _when(record["to"], zone))
    pages.fact("Tercantum dalam daftar", _amount(listed))
    pages.fact("Dimusnahkan", _amount(destroyed), font=Font.BOLD)
    pages.fact("Tidak dimusnahkan", f"{number(kept['segments'])} segmen")
    for reason, count in kept["reasons"].items():
        pages.fact("", f"{number(count)} segmen: {_REASONS.get(reason, reason)}")


def _policies(pages: Pages, record: JsonObject, zone: ZoneInfo) -> None:
    pages.heading("Kebijakan yang menjadi dasar")
    for policy in record["policies"]:
        kind, _, value = policy["scope"].partition(":")
        scope = f"{_SCOPES.get(kind, kind)} {value}".strip()
        pages.keep_together(60)
        pages.text(f"{policy['scope']} (versi {policy['version']})", font=Font.BOLD, size=9.5)
        pages.fact("Cakupan", scope)
        longest = policy["keep_days_max"]
        until = "tidak ditentukan" if longest is None else f"{longest} hari"
        pages.fact("Masa simpan", f"paling singkat {policy['keep_days_min']} hari, paling lama {until}")
        pages.fact("Dasar hukum", policy["basis"] or "-")
        pages.fact("Jumlah", _amount(policy))
        for act in policy["acts"]:
            pages.fact(
                f"Riwayat v{act['version']}",
                f"{word_of(act['action']).indonesian}: {act['actor']}, {_when(act['at'], zone)}",
            )
        pages.space(4)


def _days(pages: Pages, record: JsonObject) -> None:
    pages.heading("Rincian menurut kamera dan hari")
    rows = [
        (day["camera"], day["day"], number(day["segments"]), size(day["bytes"])) for day in record["days"]
    ]
    total = record["destroyed"]
    rows.append(("Jumlah", "", number(total["segments"]), size(total["bytes"])))
    pages.table(("Kamera", "Hari", "Segmen", "Ukuran"), rows, _DAYS_WIDTHS)


def _hashes(pages: Pages, record: JsonObject, record_sha256: str, signature_sha256: str) -> None:
    pages.heading("Nilai SHA-256")
    for name, digest in (
        ("Daftar (list.jsonl)", record["list"]["sha256"]),
        ("Yang disimpan (kept.jsonl)", record["kept"]["sha256"]),
        ("Catatan (record.json)", record_sha256),
        ("Tanda tangan (.p7s)", signature_sha256),
        ("Sertifikat penanda tangan", record["signer_sha256"]),
    ):
        pages.fact(name, digest, font=Font.FIXED, size=8.5)


def _signatures(pages: Pages) -> None:
    pages.keep_together(150)
    pages.heading("Tanda tangan")
    pages.columns(
        [
            (title, "", "", "", "", "_" * 26, "Nama: " + "." * 26, "NIP: " + "." * 28)
            for title in ("Pelaksana", "Saksi", "Mengetahui")
        ]
    )


def _when(text: str, zone: ZoneInfo) -> str:
    return moment(parse_instant(text), zone)


def _amount(counts: Mapping[str, Any]) -> str:
    return f"{number(counts['segments'])} segmen; {size(counts['bytes'])}"
