"""The findings of a verification of the log: a stable code, the object, and a sentence in two languages."""

from dataclasses import dataclass, field
from types import MappingProxyType

from archive.canonical import JsonObject
from archive.timespan import format_instant
from archive.trust.judge import Severity

_E, _W = Severity.ERROR, Severity.WARNING

SENTENCES = MappingProxyType(
    {
        "second_version": (
            _E,
            "Ada versi kedua dari objek ini.",
            "There is a second version of this object.",
        ),
        "delete_marker": (
            _E,
            "Ada penanda hapus pada objek ini.",
            "There is a delete marker on this object.",
        ),
        "foreign_object": (_E, "Objek ini bukan bagian dari log.", "This object is not part of the log."),
        "orphaned_leaves": (
            _W,
            "Daftar daun ini tidak dipakai pos pemeriksaan mana pun; sisa percobaan yang terputus.",
            "No checkpoint uses this list of leaves; it is left from an interrupted attempt.",
        ),
        "checkpoint_missing": (_E, "Pos pemeriksaan ini hilang.", "This checkpoint is missing."),
        "checkpoint_altered": (_E, "Pos pemeriksaan ini telah diubah.", "This checkpoint was altered."),
        "origin_differs": (
            _E,
            "Pos pemeriksaan ini milik log lain.",
            "This checkpoint belongs to another log.",
        ),
        "chain_broken": (
            _E,
            "Pos pemeriksaan ini tidak menyambung ke pos sebelumnya.",
            "This checkpoint does not follow the previous one.",
        ),
        "time_reversed": (
            _W,
            "Waktu pos pemeriksaan ini lebih awal daripada waktu pos sebelumnya.",
            "This checkpoint states an earlier time than the previous one.",
        ),
        "leaves_missing": (_E, "Daftar daun ini hilang.", "This list of leaves is missing."),
        "leaves_altered": (_E, "Daftar daun ini telah diubah.", "This list of leaves was altered."),
        "leaves_unordered": (
            _E,
            "Daftar daun tidak berurutan atau menyebut objek dua kali.",
            "The list of leaves is out of order, or names an object twice.",
        ),
        "root_differs": (
            _E,
            "Akar pohon tidak sama dengan akar dari daun-daunnya.",
            "The tree's root does not match its leaves.",
        ),
        "signature_missing": (_E, "Tanda tangan hilang.", "The signature is missing."),
        "signature_invalid": (_E, "Tanda tangan tidak sah.", "The signature is not valid."),
        "signer_unexpected": (
            _E,
            "Ditandatangani dengan sertifikat yang bukan sertifikat yang diharapkan.",
            "Signed with another certificate than the expected one.",
        ),
        "stamp_missing": (_E, "Penanda waktu hilang.", "The time stamp is missing."),
        "stamp_invalid": (_E, "Penanda waktu tidak sah.", "The time stamp is not valid."),
        "stamped_late": (
            _W,
            "Penanda waktu terlambat melebihi selang; selama itu pemalsuan masih mungkin.",
            "Stamped later than the interval allows; forgery was possible for that long.",
        ),
        "stamped_early": (
            _W,
            "Penanda waktu lebih awal daripada waktu pos pemeriksaannya.",
            "Stamped before the time that the checkpoint states.",
        ),
        "receipt_invalid": (
            _E,
            "Tanda terima saksi luar tidak sesuai dengan pos pemeriksaan ini.",
            "A witness's receipt is not for this checkpoint.",
        ),
        "object_missing": (
            _E,
            "Objek yang tercatat dalam log ini hilang dari arsip.",
            "This object is in the log but is missing from the archive.",
        ),
        "object_altered": (
            _E,
            "Isi objek ini berbeda dari yang tercatat dalam log.",
            "This object differs from its record in the log.",
        ),
        "batch_refused": (
            _E,
            "Kumpulan jurnal ini ditolak ketika tiba.",
            "This journal batch was refused when it arrived.",
        ),
        "covered_twice": (
            _E,
            "Objek ini tercatat di bawah dua pos pemeriksaan.",
            "This object is under two checkpoints.",
        ),
        "covered_late": (
            _W,
            "Objek ini terlambat dicatat melebihi selang; selama itu pemalsuan masih mungkin.",
            "This object came under a checkpoint late; forgery was possible for that long.",
        ),
        "uncovered": (
            _E,
            "Objek ini tidak tercatat di bawah pos pemeriksaan mana pun.",
            "No checkpoint covers this object.",
        ),
        "journal_invalid": (
            _E,
            "Kumpulan jurnal ini tidak berasal dari perekamnya.",
            "This journal batch does not come from its recorder.",
        ),
        "form_invalid": (_E, "Objek ini tidak dapat dibaca.", "This object cannot be read."),
        "link_missing": (
            _E,
            "Mata rantai sebelum objek ini hilang.",
            "The link before this object in its chain is missing.",
        ),
        "link_broken": (
            _E,
            "Objek ini tidak menyambung ke mata rantai sebelumnya.",
            "This object does not follow the previous link of its chain.",
        ),
        "link_twice": (
            _E,
            "Mata rantai ini ganda.",
            "This link of the chain exists twice.",
        ),
    }
)
"""By code: severity, Indonesian, English."""


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One finding: its code (in :data:`SENTENCES`), the object, and the detail in English."""

    code: str
    object: str
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """An ``error`` makes the log invalid; a reader judges a ``warning``."""
        return SENTENCES[self.code][0]

    def to_json(self) -> JsonObject:
        """The finding as reports show it, with the sentence in Indonesian and English."""
        severity, indonesian, english = SENTENCES[self.code]
        return {
            "code": self.code,
            "severity": severity.value,
            "object": self.object,
            "message": {"id": indonesian, "en": english},
            "detail": self.detail,
        }


@dataclass(slots=True)
class LogReport:
    """The result of a verification; valid if no finding is an error.

    ``checkpoints`` counts those whose leaves were read, ``chain`` all whose chain was followed. ``signers``
    and ``authorities`` are fingerprints and names to compare with the published ones.
    """

    start: int | None
    end: int | None
    checked_at: int
    origin: str = ""
    chain: int = 0
    checkpoints: int = 0
    objects: int = 0
    leaves: int = 0
    newest: str = ""
    signers: set[str] = field(default_factory=set)
    authorities: set[str] = field(default_factory=set)
    witnesses: set[str] = field(default_factory=set)
    findings: list[LogFinding] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def find(self, code: str, name: str, detail: str = "") -> None:
        """Note a finding."""
        self.findings.append(LogFinding(code, name, detail))

    def to_json(self) -> JsonObject:
        """The report as ``saksi log verify --json`` prints it."""
        return {
            "valid": self.valid,
            "origin": self.origin,
            "from": None if self.start is None else format_instant(self.start),
            "to": None if self.end is None else format_instant(self.end),
            "checked_at": format_instant(self.checked_at),
            "chain": self.chain,
            "checkpoints": self.checkpoints,
            "objects": self.objects,
            "leaves": self.leaves,
            "newest_sha256": self.newest,
            "signers": sorted(self.signers),
            "authorities": sorted(self.authorities),
            "witnesses": sorted(self.witnesses),
            "findings": [finding.to_json() for finding in self.findings],
        }
