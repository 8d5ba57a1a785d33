"""Every finding of the verifier: its code, its severity, a sentence in two languages, and what it rests on.

``docs/reference/verification.md`` shows this table; ``tests/unit/evidence/test_verifier_findings.py`` checks
that the verifier agrees. A sentence is about the part that a finding names; details of the case follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive.evidence.verifier import findings_contents as contents
from archive.evidence.verifier import findings_records as recorded
from archive.evidence.verifier import findings_trust as trusted
from archive.evidence.verifier.findings_contents import Rows

ERROR, WARNING, OPEN = contents.ERROR, contents.WARNING, contents.OPEN


class Broken(Exception):
    """A problem that makes a part unusable; it becomes a finding."""

    def __init__(self, code: str, detail: str = "", path: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.path = path


@dataclass(frozen=True)
class Entry:
    """One possible finding."""

    code: str
    step: str
    severity: str
    indonesian: str
    english: str
    rests_on: str


UNKNOWN = Entry(
    "unknown",
    "",
    ERROR,
    "Temuan ini tidak dikenal oleh pemeriksa ini.",
    "This verifier does not know this finding.",
    "",
)


def of(code: str) -> Entry:
    """The entry of a code; an unknown code is an error of its own."""
    return ENTRIES.get(code, UNKNOWN)


def _entries(*groups: tuple[str, Rows]) -> dict[str, Entry]:
    return {
        code: Entry(code, step, severity, indonesian, english, rests_on)
        for step, rows in groups
        for code, severity, indonesian, english, rests_on in rows
    }


@dataclass(frozen=True)
class Finding:
    """One finding. ``path`` is inside the package or empty; ``detail`` has details of this case (English).

    ``severity`` is ``error``, ``warning``, or ``unchecked``.
    """

    code: str
    step: str
    path: str
    detail: str
    severity: str

    def to_json(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        entry = of(self.code)
        return {
            "code": self.code,
            "severity": self.severity,
            "step": self.step,
            "path": self.path,
            "message": {"id": entry.indonesian, "en": entry.english},
            "rests_on": entry.rests_on,
            "detail": self.detail,
        }


UNLOGGED = frozenset({"leaf_not_journalled", "leaf_not_logged", "gap_not_signed", "log_missing"})
"""Missing proofs that an expert may accept (``--allow-unlogged``): they are warnings then."""

ENTRIES = _entries(
    ("structure", contents.STRUCTURE),
    ("payload", contents.PAYLOAD),
    ("completeness", contents.COMPLETENESS),
    ("statement", contents.STATEMENT),
    ("originals", contents.ORIGINALS),
    ("derivation", contents.DERIVATION),
    ("journal", contents.JOURNAL),
    ("log", trusted.LOG),
    ("records", recorded.RECORDS),
    ("seal", trusted.SEAL),
    ("signer", trusted.SIGNER),
    ("stamp", trusted.STAMP),
)
"""By code. A code may occur in other steps too, such as ``certificate_expired`` for a stamp."""
