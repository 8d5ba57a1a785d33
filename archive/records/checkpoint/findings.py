"""What a verification of the log finds: a stable code, the object, and a sentence in two languages."""

from dataclasses import dataclass, field
from types import MappingProxyType

from archive.canonical import JsonObject
from archive.timespan import format_instant
from archive.trust.judge import Severity

_E, _W = Severity.ERROR, Severity.WARNING

SENTENCES = MappingProxyType(
    {
        "second_version": (_E, "Ada versi kedua di atas objek ini.", "Somebody wrote over this object."),
        "delete_marker": (_E, "Ada penanda hapus di atas objek ini.", "Somebody deleted over this object."),
        "foreign_object": (_E, "Objek ini bukan bagian dari log.", "This object does not belong here."),
        "orphaned_leaves": (
            _W,
            "Daftar daun ini tidak dipakai pos pemeriksaan mana pun; sisa percobaan yang terputus.",
            "No checkpoint uses this list of leaves; an attempt that was cut short leaves one.",
        ),
        "checkpoint_missing": (_E, "Pos pemeriksaan ini hilang.", "This checkpoint is missing."),
        "checkpoint_altered": (_E, "Pos pemeriksaan ini telah diubah.", "This checkpoint was altered."),
        "origin_differs": (
            _E,
            "Pos pemeriksaan ini milik log lain.",
            "This checkpoint is of another log.",
        ),
        "chain_broken": (
            _E,
            "Pos pemeriksaan ini tidak menyambung ke pos sebelumnya.",
            "This checkpoint does not follow the one before it.",
        ),
        "time_reversed": (
            _W,
            "Pos pemeriksaan ini berwaktu lebih awal daripada pos sebelumnya.",
            "This checkpoint states an earlier time than the one before it.",
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
            "The tree's root does not follow from its leaves.",
        ),
        "signature_missing": (_E, "Tanda tangan hilang.", "The signature is missing."),
        "signature_invalid": (_E, "Tanda tangan tidak sah.", "The signature is not valid."),
        "signer_unexpected": (
            _E,
            "Ditandatangani dengan sertifikat lain daripada yang diharapkan.",
            "Signed with another certificate than the expected one.",
        ),
        "stamp_missing": (_E, "Stempel waktu hilang.", "The time stamp is missing."),
        "stamp_invalid": (_E, "Stempel waktu tidak sah.", "The time stamp is not valid."),
        "stamped_late": (
            _W,
            "Stempel waktu lebih lambat daripada selang; jendela pemalsuan selama itu.",
            "Stamped later than the interval; the window for forgery was that long.",
        ),
        "stamped_early": (
            _W,
            "Stempel waktu lebih awal daripada pos pemeriksaannya.",
            "Stamped before the time that the checkpoint states.",
        ),
        "receipt_invalid": (
            _E,
            "Tanda terima saksi luar tidak sesuai dengan pos pemeriksaan ini.",
            "A witness's receipt is not of this checkpoint.",
        ),
        "object_missing": (
            _E,
            "Objek yang tercatat dalam log ini hilang dari arsip.",
            "The log has this object, the archive has it no longer.",
        ),
        "object_altered": (
            _E,
            "Isi objek ini bukan lagi yang tercatat dalam log.",
            "This object is not what the log recorded.",
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
            "Objek ini tercatat lebih lambat daripada selang; jendela pemalsuan selama itu.",
            "This object came under a checkpoint late; the window for forgery was that long.",
        ),
        "uncovered": (
            _E,
            "Objek ini tidak tercatat di bawah pos pemeriksaan mana pun.",
            "No checkpoint has this object.",
        ),
        "journal_invalid": (
            _E,
            "Kumpulan jurnal ini bukan tulisan perekamnya.",
            "This journal batch is not its recorder's.",
        ),
        "form_invalid": (_E, "Objek ini tidak dapat dibaca.", "This object cannot be read."),
        "link_missing": (
            _E,
            "Mata rantai sebelum objek ini hilang.",
            "What came before this object in its chain is missing.",
        ),
        "link_broken": (
            _E,
            "Objek ini tidak menyambung ke mata rantai sebelumnya.",
            "This object does not follow the one before it in its chain.",
        ),
        "link_twice": (
            _E,
            "Mata rantai ini ada dua.",
            "There are two of this link of the chain.",
        ),
    }
)
"""By code: severity, Indonesian, English."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its code (of :data:`SENTENCES`), the object, and what exactly, in English."""

    code: str
    object: str
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """An ``error`` makes the log invalid; a ``warning`` is for the reader to judge."""
        return SENTENCES[self.code][0]

    def to_json(self) -> JsonObject:
        """As reports give it; the sentence in Indonesian and in English."""
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
    """What a verification saw and found; valid when no finding is an error.

    ``checkpoints`` counts those whose leaves were read, ``chain`` all whose chain was followed. ``signers``
    and ``authorities`` are fingerprints and names to compare with what was published.
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
    findings: list[Finding] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether nothing found is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def find(self, code: str, name: str, detail: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(code, name, detail))

    def to_json(self) -> JsonObject:
        """As ``saksi log verify --json`` prints it."""
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
