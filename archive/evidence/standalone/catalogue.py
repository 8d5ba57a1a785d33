"""Every finding of both verifiers: its code, how grave it is, a sentence in two languages, what it rests on.

``docs/reference/verification.md`` shows this table; ``tests/unit/evidence/test_standalone_catalogue.py``
holds both verifiers to it. A sentence is about the part that a finding names; details of the case follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.evidence.standalone import catalogue_contents as contents
from archive.evidence.standalone import catalogue_trust as trusted
from archive.evidence.standalone.catalogue_contents import Rows

ERROR, WARNING, OPEN = contents.ERROR, contents.WARNING, contents.OPEN


@dataclass(frozen=True)
class Entry:
    """One finding that may be made."""

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


ENTRIES = _entries(
    ("structure", contents.STRUCTURE),
    ("payload", contents.PAYLOAD),
    ("completeness", contents.COMPLETENESS),
    ("statement", contents.STATEMENT),
    ("originals", contents.ORIGINALS),
    ("derivation", contents.DERIVATION),
    ("journal", contents.JOURNAL),
    ("log", trusted.LOG),
    ("seal", trusted.SEAL),
    ("signer", trusted.SIGNER),
    ("stamp", trusted.STAMP),
)
"""By code. A code may be found in another step too, as ``certificate_expired`` of a stamp."""
