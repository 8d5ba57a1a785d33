"""``record.pdf``: the disposition record on paper, in Indonesian, with places for signatures."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from archive.canonical import JsonObject
from archive.disposition.pages import Font, Pages
from archive.timespan import as_datetime, parse_instant

_CAUSES: Mapping[str, str] = {
    "retention": "masa simpan paling lama menurut kebijakan telah lewat",
    "pressure": "ruang simpan hampir penuh; kebijakan mengizinkan pemusnahan setelah masa simpan minimum",
    "break_glass": "perintah yang sah untuk memusnahkan sebelum masa kunci berakhir",
}
_REASONS = {
    "under_hold": "ditahan untuk perkara (legal hold)",
    "under_retention": "masih terkunci di penyimpanan",
    "refused": "ditolak oleh penyimpanan",
    "policy_changed": "kebijakan berubah sebelum gilirannya",
}
_ZONES = {"Asia/Makassar": "WITA", "Asia/Jakarta": "WIB", "Asia/Jayapura": "WIT", "UTC": "UTC"}
_SCOPES = {
    "default": "seluruh kota",
    "owner": "jenis pemilik",
    "kecamatan": "kecamatan",
    "camera": "kamera",
}
_DAYS_WIDTHS = (200, 90, 90, 103)


def render(record: JsonObject, record_sha256: str, signature_sha256: str) -> bytes:
    """The PDF of a record: the same bytes for the same record."""
    zone = ZoneInfo(record["time_zone"])
    pages = Pages(footer=f"Berita acara pemusnahan {record['id']}")
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
        "Rekaman yang tercantum dalam daftar dengan nilai hash di bawah ini telah dimusnahkan secara "
        "permanen dari penyimpanan arsip menurut dasar yang disebut di bawah. Catatan (leaf) setiap segmen "
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
    pages.fact("Tidak dimusnahkan", f"{_number(kept['segments'])} segmen")
    for reason, count in kept["reasons"].items():
        pages.fact("", f"{_number(count)} segmen: {_REASONS.get(reason, reason)}")


def _policies(pages: Pages, record: JsonObject, zone: ZoneInfo) -> None:
    _heading(pages, "Kebijakan yang menjadi dasar")
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
                f"Riwayat v{act['version']}", f"{act['action']}: {act['actor']}, {_when(act['at'], zone)}"
            )
        pages.space(4)


def _days(pages: Pages, record: JsonObject) -> None:
    _heading(pages, "Rincian menurut kamera dan hari")
    rows = [
        (day["camera"], day["day"], _number(day["segments"]), _size(day["bytes"])) for day in record["days"]
    ]
    total = record["destroyed"]
    rows.append(("Jumlah", "", _number(total["segments"]), _size(total["bytes"])))
    pages.table(("Kamera", "Hari", "Segmen", "Ukuran"), rows, _DAYS_WIDTHS)


def _hashes(pages: Pages, record: JsonObject, record_sha256: str, signature_sha256: str) -> None:
    _heading(pages, "Nilai hash SHA-256")
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
    _heading(pages, "Tanda tangan")
    pages.columns(
        [
            (title, "", "", "", "", "_" * 26, "Nama:" + " " * 30, "NIP:" + " " * 33)
            for title in ("Pelaksana", "Saksi", "Mengetahui")
        ]
    )


def _heading(pages: Pages, text: str) -> None:
    pages.space(8)
    pages.keep_together(60)
    pages.text(text, font=Font.BOLD, size=11)
    pages.space(2)


def _when(text: str, zone: ZoneInfo) -> str:
    moment = as_datetime(parse_instant(text)).astimezone(zone)
    name = _ZONES.get(zone.key, moment.strftime("%z"))
    return f"{moment:%d-%m-%Y %H:%M:%S} {name}"


def _amount(counts: Mapping[str, Any]) -> str:
    return f"{_number(counts['segments'])} segmen, {_size(counts['bytes'])}"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def _size(size: int) -> str:
    if size < 1_000_000:
        return f"{_number(size)} byte"
    unit, divisor = ("GB", 1_000_000_000) if size >= 1_000_000_000 else ("MB", 1_000_000)
    hundredths = size * 100 // divisor
    return f"{_number(hundredths // 100)},{hundredths % 100:02d} {unit}"
