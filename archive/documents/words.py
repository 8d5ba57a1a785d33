"""The Indonesian words on paper for the archive's own terms."""

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    "unreachable": "kamera tidak terjangkau",
    "auth_failed": "kamera menolak kata sandi perekam",
    "stream_error": "aliran gambar rusak",
    "stalled": "gambar berhenti mengalir",
    "no_keyframe": "kamera tidak mengirim gambar utuh",
    "recorder_restart": "perekam dimulai ulang",
    "recorder_overload": "perekam kelebihan beban",
    "spool_full": "ruang antre perekam penuh",
    "upload_lost": "rekaman hilang sebelum masuk arsip",
    "set_aside": "rekaman ada, tetapi disisihkan karena tidak dapat diindeks",
    "disabled": "perekaman kamera dinonaktifkan",
    "connecting": "kamera baru didaftarkan atau diubah; perekam belum tersambung",
    "clock_step": "jam perekam dimajukan; tidak ada rekaman yang hilang",
    "disposed": "dimusnahkan menurut aturan, tercatat",
    "not_yet": "belum terjadi ketika paket disiapkan",
    "not_registered": "kamera belum terdaftar",
    "pending": "belum masuk arsip ketika paket disiapkan",
    "unknown": "sebab tidak tercatat",
}
"""Causes of gaps: a recorder's, the archive's, and those a reader computes."""

OWNERS: Mapping[str, str] = {
    "government": "milik pemerintah",
    "business": "tempat usaha",
    "public": "fasilitas umum",
    "worship": "rumah ibadah",
}
AGENCIES: Mapping[str, str] = {
    "polri": "Kepolisian Negara Republik Indonesia",
    "kejaksaan": "Kejaksaan Republik Indonesia",
    "pengadilan": "Pengadilan",
    "satpol_pp": "Satpol PP / PPNS",
}
BASES: Mapping[str, str] = {
    "lp": "Laporan Polisi",
    "sprindik": "Surat Perintah Penyidikan",
    "penetapan": "Penetapan",
    "perda": "Peraturan Daerah",
}
ROLES: Mapping[str, str] = {
    "admin": "admin Kominfo",
    "war_room": "operator War Room",
    "kecamatan": "operator kecamatan",
    "police": "kepolisian",
    "satpol_pp": "Satpol PP / PPNS",
    "auditor": "auditor",
}
CLOCK_SOURCES: Mapping[str, str] = {
    "arrival": "saat gambar tiba di perekam",
    "import": "keterangan saat impor",
    "backfill": "jam kamera, diambil susulan",
}
CLOCK_FLAGS: Mapping[str, str] = {
    "timestamps_unreliable": "waktu dari kamera tidak dapat dipercaya; dipakai waktu tiba",
    "ambiguous": "jam perekam mundur; dua bagian bertumpang tindih",
    "unsynchronised": "jam perekam tidak tersinkron",
    "camera_clock_disagrees": "jam kamera sebelum dan sesudah celah berbeda; ketidakpastian diperlebar",
    "camera_clock_asked_once": "jam kamera sebelum celah tidak diketahui",
    "camera_clock_unproven": "jam kamera ditanya lewat http, jawabannya tidak terbukti",
}
SYSTEM: Mapping[str, str] = {
    "name": "nama",
    "version": "versi",
    "commit": "revisi",
    "host": "mesin",
    "config_sha256": "SHA-256 pengaturan",
}
"""Facts of an installation; names of programs stay."""
DISPOSITION_CAUSES: Mapping[str, str] = {
    "retention": "masa simpan paling lama telah lewat",
    "pressure": "ruang simpan hampir penuh",
    "break_glass": "perintah yang sah sebelum masa kunci berakhir",
}
DOCUMENTS: Mapping[str, str] = {
    "letter": "surat permintaan",
    "approval": "persetujuan",
    "sealing_report": "laporan penyegelan",
}


def word(words: Mapping[str, str], name: str) -> str:
    """The word for a name, or the name itself where there is no word: a document never lacks it."""
    return words.get(name, name)
