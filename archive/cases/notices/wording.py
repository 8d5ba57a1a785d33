"""The words of notices: Indonesian first, English second, times in the city's zone with seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from archive.cases.notices.notice import Event, Notice
from archive.documents.indonesian import moment

_TITLES: Mapping[Event, tuple[str, str]] = MappingProxyType(
    {
        Event.REQUEST_NEW: ("Permintaan rekaman menunggu keputusan", "Request for footage awaits a decision"),
        Event.REQUEST_URGENT: ("MENDESAK: permintaan rekaman", "URGENT: request for footage"),
        Event.LETTER_OVERDUE: (
            "Surat permintaan mendesak belum diterima",
            "The letter of an urgent request is overdue",
        ),
        Event.HOLD_REVIEW_DUE: (
            "Penahanan rekaman perlu ditinjau",
            "A legal hold is due for review",
        ),
        Event.SEALED: ("Paket bukti telah disegel", "Evidence package sealed"),
        Event.SEAL_FAILED: ("Penyegelan paket bukti gagal", "Sealing an evidence package failed"),
        Event.HANDED_OVER: ("Paket bukti telah diserahkan", "Evidence package handed over"),
        Event.INTEGRITY_INCIDENT: (
            "PENTING: insiden integritas arsip",
            "IMPORTANT: archive integrity incident",
        ),
        Event.CANARY_RED: (
            "PENTING: perlindungan arsip tidak berfungsi",
            "IMPORTANT: the archive's protection does not work",
        ),
        Event.ARCHIVE_PRESSURE: ("Ruang penyimpanan arsip menipis", "The archive is running out of space"),
        Event.RECORDER_TROUBLE: (
            "PENTING: perekam bermasalah",
            "IMPORTANT: a recorder is in trouble",
        ),
        Event.CAMERA_SILENT: ("PENTING: kamera tidak terekam", "IMPORTANT: cameras are not being recorded"),
        Event.CAMERA_ALARM: (
            "PENTING: kamera melaporkan gangguan pada gambarnya",
            "IMPORTANT: cameras report that something is wrong with their picture",
        ),
        Event.CAMERA_CLOCK_OFF: ("Jam kamera meleset", "Clocks of cameras are off"),
        Event.INDEX_BEHIND: (
            "PENTING: indeks tidak mengikuti arsip",
            "IMPORTANT: the index does not follow the archive",
        ),
        Event.REQUEST_APPROVED: ("Permintaan rekaman disetujui", "Request for footage approved"),
        Event.REQUEST_REJECTED: ("Permintaan rekaman ditolak", "Request for footage rejected"),
        Event.GRANT_ENDING: ("Izin melihat rekaman akan berakhir", "A grant of footage ends soon"),
        Event.GRANT_FOOTAGE_ENDING: (
            "Rekaman dalam izin segera habis masa simpannya dan tidak ditahan",
            "Footage of a grant reaches the end of its term and is not held",
        ),
        Event.REQUEST_FOOTAGE_ENDING: (
            "Rekaman dalam permintaan segera habis masa simpannya dan tidak ditahan",
            "Footage of a request reaches the end of its term and is not held",
        ),
        Event.PACKAGE_FILLED: (
            "Rekaman susulan masuk untuk waktu yang menurut paket tidak ada rekamannya",
            "Footage came in later for a time that a package says has none",
        ),
        Event.EXPORT_READY: ("Ekspor klip siap diambil", "An export of clips is ready"),
        Event.EXPORT_FAILED: (
            "Ekspor klip gagal atau kedaluwarsa",
            "An export of clips failed or is outdated",
        ),
        Event.TEST: ("Uji coba pemberitahuan Saksi", "Saksi test notice"),
    }
)
_ABOUT: Mapping[Event, tuple[str, str]] = MappingProxyType(
    {
        Event.SEALED: ("Paket", "Package"),
        Event.SEAL_FAILED: ("Paket", "Package"),
        Event.PACKAGE_FILLED: ("Paket", "Package"),
        Event.HOLD_REVIEW_DUE: ("Penahanan", "Legal hold"),
        Event.INTEGRITY_INCIDENT: ("Temuan", "Finding"),
        Event.CANARY_RED: ("Temuan", "Finding"),
        Event.ARCHIVE_PRESSURE: ("Tingkat", "Level"),
        Event.RECORDER_TROUBLE: ("Perekam", "Recorder"),
        Event.CAMERA_SILENT: ("Perekam", "Recorder"),
        Event.CAMERA_ALARM: ("Perekam", "Recorder"),
        Event.CAMERA_CLOCK_OFF: ("Perekam", "Recorder"),
        Event.INDEX_BEHIND: ("Pekerjaan", "Job"),
        Event.GRANT_ENDING: ("Izin", "Grant"),
        Event.GRANT_FOOTAGE_ENDING: ("Izin", "Grant"),
        Event.EXPORT_READY: ("Ekspor", "Export"),
        Event.EXPORT_FAILED: ("Ekspor", "Export"),
        Event.TEST: ("Uji coba", "Test"),
    }
)
_DUE: Mapping[Event, tuple[str, str]] = MappingProxyType(
    {
        Event.HOLD_REVIEW_DUE: ("Tinjau sejak", "Review since"),
        Event.GRANT_ENDING: ("Berakhir", "Ends"),
        Event.GRANT_FOOTAGE_ENDING: ("Dimusnahkan sejak", "Destroyed from"),
        Event.REQUEST_FOOTAGE_ENDING: ("Dimusnahkan sejak", "Destroyed from"),
        Event.RECORDER_TROUBLE: ("Penuh pada", "Full at"),
        Event.EXPORT_READY: ("Disimpan sampai", "Kept until"),
    }
)
MAX_TEXT = 120


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in words. ``title`` holds no word that a person typed, so it can be a header."""

    title: str
    indonesian: str
    english: str

    @property
    def text(self) -> str:
        """Both languages, as a mail shows them."""
        return f"{self.indonesian}\n-- \n{self.english}"


def words_of(notice: Notice, *, zone: ZoneInfo, address: str) -> Words:
    """A notice in words. ``address`` is the URL of the installation for people, without a trailing slash."""
    indonesian, english = _TITLES[notice.event]
    return Words(
        title=f"[Saksi] {indonesian} – {plain(notice.subject)}",
        indonesian=_body(indonesian, _rows(notice, 0, zone, address)),
        english=_body(english, _rows(notice, 1, zone, address)),
    )


def plain(text: str) -> str:
    """A text that a person typed: on one line, without unprintable characters, cut to 120 letters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def _body(title: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join([title, "", *(f"{name}: {value}" for name, value in rows), ""])


def _rows(notice: Notice, language: int, zone: ZoneInfo, address: str) -> list[tuple[str, str]]:
    def say(indonesian: str, english: str) -> str:
        return (indonesian, english)[language]

    about = _ABOUT.get(notice.event, ("Permintaan", "Request"))[language]
    rows = [(about, plain(notice.subject)), (say("Waktu", "Time"), moment(notice.at, zone))]
    if notice.agency_name:
        rows.append((say("Instansi", "Agency"), plain(notice.agency_name)))
    if notice.unit:
        rows.append((say("Satuan", "Unit"), plain(notice.unit)))
    if notice.cameras:
        rows.append((say("Jumlah kamera", "Cameras"), str(notice.cameras)))
    if notice.due_at is not None:
        due = _DUE.get(notice.event, ("Batas waktu surat", "Letter due"))[language]
        rows.append((due, moment(notice.due_at, zone)))
    if notice.code and notice.code != notice.subject:
        rows.append((say("Kode", "Code"), plain(notice.code)))
    if notice.link:
        rows.append((say("Tautan", "Link"), f"{address}{notice.link}"))
    return rows
