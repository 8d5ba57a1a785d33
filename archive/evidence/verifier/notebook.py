"""Steps, findings and the verdict of one verification, as its modules share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archive.evidence.verifier import canonical, times
from archive.evidence.verifier.accord import Line
from archive.evidence.verifier.certificate import Certificate
from archive.evidence.verifier.container import Container, Unreadable
from archive.evidence.verifier.findings import ERROR, OPEN, WARNING, Broken, Finding, of
from archive.evidence.verifier.revocation_list import RevocationList

STEPS = (
    "structure",
    "payload",
    "completeness",
    "statement",
    "originals",
    "derivation",
    "journal",
    "log",
    "records",
    "seal",
    "signer",
    "stamp",
)
"""In their order; ``docs/reference/verification.md`` explains each."""

PASSED, FAILED, SKIPPED, UNCHECKED = "passed", "failed", "skipped", "unchecked"
VALID, NOT_VALID, NOT_CHECKED = "valid", "not_valid", "not_checked"


MOST = 1000
"""So many findings of one code are kept."""


@dataclass
class Notebook:
    """The parts read so far, and the findings; ``more`` counts those of a code that were not kept.

    ``allowed`` has the codes of errors that the reader accepts: they are warnings. ``partitioned`` says
    whether originals and gaps lie in the span and their times can be read. ``lines`` are the recorders'
    signed lines about the package's cameras, and ``signed`` has the SHA-256 of each, with the time of its
    earliest batch (µs); ``trailers`` has the last lines of the batches. ``lists`` caches the revocation lists
    of each part, or the reason why it has none: every signature of a package is checked against them, and a
    list may have very many entries.
    """

    container: Container
    progress: Callable[[int, int], None]
    findings: list[Finding] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    step: str = STEPS[0]
    tags: bytes | None = None
    manifest: dict[str, str] = field(default_factory=dict)
    info: dict[str, str] = field(default_factory=dict)
    statement: dict[str, Any] | None = None
    actual: dict[str, str] = field(default_factory=dict)
    signer: Certificate | None = None
    gen_time: int | None = None
    tsa: Certificate | None = None
    lists: dict[str, list[RevocationList] | Broken | Unreadable] = field(default_factory=dict)
    checked_at: int = 0
    allowed: frozenset[str] = frozenset()
    partitioned: bool = False
    signed: dict[str, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    trailers: dict[str, bytes] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, set[int]] = field(default_factory=dict, repr=False)

    def begin(self, step: str) -> None:
        """Begin a step; later findings belong to it."""
        self.step = step
        self.steps.setdefault(step, PASSED)

    def skip(self, step: str) -> None:
        """Note that a step has nothing to check."""
        self.steps.setdefault(step, SKIPPED)

    def find(self, code: str, path: str = "", detail: str = "") -> None:
        """Note a finding; its severity is that of its code, unless the reader allowed it.

        Beyond :data:`MOST` of a code, findings are only counted.
        """
        severity = WARNING if code in self.allowed else of(code).severity
        found = Finding(code, self.step, path, detail[:500], severity)
        seen = self._seen.setdefault(code, set())
        if hash(found) in seen:
            return
        seen.add(hash(found))
        if len(seen) > MOST:
            self.more[code] = self.more.get(code, 0) + 1
        else:
            self.findings.append(found)
        if found.severity == ERROR:
            self.steps[self.step] = FAILED
        elif found.severity == OPEN and self.steps.get(self.step) != FAILED:
            self.steps[self.step] = UNCHECKED

    def object_to(self, path: str, error: Broken) -> None:
        """Note an error as a finding."""
        self.find(error.code, error.path or path, error.detail)

    @property
    def tagmanifest_sha256(self) -> str:
        """The SHA-256 to compare with the handover report; empty where the tag manifest cannot be read."""
        return "" if self.tags is None else canonical.sha256(self.tags)

    @property
    def signer_sha256(self) -> str:
        """The signer's fingerprint; empty where it cannot be read."""
        return "" if self.signer is None else self.signer.fingerprint

    @property
    def valid(self) -> bool:
        """Whether there is no error and nothing was left unchecked."""
        return self.verdict == VALID

    @property
    def verdict(self) -> str:
        """``not_valid`` with an error; else ``not_checked`` if something was not checked; else ``valid``."""
        severities = {finding.severity for finding in self.findings}
        if ERROR in severities:
            return NOT_VALID
        return NOT_CHECKED if OPEN in severities else VALID

    def fact(self, name: str, otherwise: Any) -> Any:
        """A member of the statement, or ``otherwise``."""
        return otherwise if self.statement is None else self.statement.get(name, otherwise)

    def to_json(self) -> dict[str, Any]:
        """The whole verdict."""
        return {
            "valid": self.valid,
            "verdict": self.verdict,
            "findings": [finding.to_json() for finding in self.findings],
            "more": dict(self.more),
            "steps": {step: self.steps[step] for step in STEPS if step in self.steps},
            "evidence_id": self.fact("evidence_id", ""),
            "kind": self.fact("kind", ""),
            "case": self.fact("case", ""),
            "tagmanifest_sha256": self.tagmanifest_sha256,
            "signer_sha256": self.signer_sha256,
            "signer_subject": "" if self.signer is None else self.signer.subject_text,
            "gen_time": None if self.gen_time is None else times.show(self.gen_time),
            "tsa_subject": "" if self.tsa is None else self.tsa.subject_text,
            "checked_at": times.show(self.checked_at),
            "originals": len(self.fact("originals", ())),
            "bytes": sum(self.container.sizes.get(path, 0) for path in self.actual),
        }
