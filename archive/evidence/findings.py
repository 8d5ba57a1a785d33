"""What a verification finds, and the notebook its steps share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography import x509

from archive.canonical import JsonObject
from archive.errors import ArchiveError
from archive.evidence.parcel import Parcel
from archive.evidence.slices import Slices
from archive.evidence.statement import Statement
from archive.timespan import format_instant


class Severity(StrEnum):
    """An ``error`` makes the package invalid; a ``warning`` is for the reader to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say. ``path`` is inside the package, or empty; ``message`` names the part or step."""

    code: str
    severity: Severity
    path: str
    message: str


class Step(StrEnum):
    """The steps in their order; ``docs/guide/verify.md`` explains each."""

    STRUCTURE = "structure"
    PAYLOAD = "payload"
    COMPLETENESS = "completeness"
    STATEMENT = "statement"
    ORIGINALS = "originals"
    DERIVATION = "derivation"
    JOURNAL = "journal"
    LOG = "log"
    SEAL = "seal"
    SIGNER = "signer"
    STAMP = "stamp"


class Outcome(StrEnum):
    """How a step ended; ``skipped`` says that an earlier one left nothing to check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """The verdict. ``valid`` holds when no finding is an error.

    ``tagmanifest_sha256`` is what to compare with paper; ``signer_sha256`` and ``signer_subject`` say who
    sealed, ``gen_time`` (µs) when at the latest, ``tsa_subject`` by whose clock; each empty or None where
    it could not be read. ``checked_at`` (µs) is the time certificates were judged at.
    """

    valid: bool
    findings: tuple[Finding, ...]
    steps: Mapping[Step, Outcome]
    evidence_id: str
    case: str
    tagmanifest_sha256: str
    signer_sha256: str
    signer_subject: str
    gen_time: int | None
    tsa_subject: str
    checked_at: int
    originals: int
    size: int


def to_json(result: VerificationResult) -> JsonObject:
    """The verdict as the command line and the API give it."""
    return {
        "valid": result.valid,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "path": finding.path,
                "message": finding.message,
            }
            for finding in result.findings
        ],
        "steps": {step.value: outcome.value for step, outcome in result.steps.items()},
        "evidence_id": result.evidence_id,
        "case": result.case,
        "tagmanifest_sha256": result.tagmanifest_sha256,
        "signer_sha256": result.signer_sha256,
        "signer_subject": result.signer_subject,
        "gen_time": None if result.gen_time is None else format_instant(result.gen_time),
        "tsa_subject": result.tsa_subject,
        "checked_at": format_instant(result.checked_at),
        "originals": result.originals,
        "bytes": result.size,
    }


@dataclass(frozen=True, slots=True)
class Derived:
    """What comparing a clip with its originals found: whether its bytes are theirs, and its pieces' slices.

    ``of_originals`` has one for each piece, None where the original cannot be read as NAL units;
    ``of_clip``, by the clip's own tables and without a SHA-256, is short where the clip cannot.
    """

    same: bool
    of_originals: tuple[Slices | None, ...]
    of_clip: tuple[Slices, ...]


@dataclass(slots=True)
class Inquiry:
    """The notebook of one verification: what was read so far, and what was found.

    ``lists`` has the revocation lists of each part that was read for them, or why there are none: every
    signature of a package is held to them, and a list may have very many entries.
    """

    parcel: Parcel
    progress: Callable[[int, int], None]
    findings: list[Finding] = field(default_factory=list)
    steps: dict[Step, Outcome] = field(default_factory=dict)
    step: Step = Step.STRUCTURE
    tags: bytes | None = None
    manifest: dict[str, str] = field(default_factory=dict)
    info: dict[str, str] = field(default_factory=dict)
    statement: Statement | None = None
    actual: dict[str, str] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)
    signer: x509.Certificate | None = None
    gen_time: int | None = None
    tsa: x509.Certificate | None = None
    lists: dict[str, tuple[x509.CertificateRevocationList, ...] | ArchiveError] = field(default_factory=dict)

    def begin(self, step: Step) -> None:
        """Turn to a step; what is found from here on is of it."""
        self.step = step
        self.steps[step] = Outcome.PASSED

    def skip(self, step: Step) -> None:
        """Note that a step has nothing to check."""
        self.steps[step] = Outcome.SKIPPED

    def error(self, code: str, path: str, message: str) -> None:
        """Something that makes the package invalid."""
        self.findings.append(Finding(code, Severity.ERROR, path, message))
        self.steps[self.step] = Outcome.FAILED

    def warn(self, code: str, path: str, message: str) -> None:
        """Something for the reader to judge."""
        self.findings.append(Finding(code, Severity.WARNING, path, message))

    def object_to(self, path: str, error: ArchiveError) -> None:
        """An error of the archive's own tree, as a finding."""
        self.error(
            error.code, path, f"{error.message}. {error.hint}".strip() if error.hint else error.message
        )

    @property
    def sound(self) -> bool:
        """Whether no error was found so far."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def fact(self, get: Callable[[Statement], Any], otherwise: Any) -> Any:
        """A value of the statement, or ``otherwise`` where there is none."""
        return otherwise if self.statement is None else get(self.statement)
