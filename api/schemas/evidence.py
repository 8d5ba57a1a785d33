"""Evidence packages as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.canonical import JsonObject
from archive.model.evidence import EvidenceRecord, EvidenceStatus, PackageKind
from archive.timespan import format_instant


class SealIn(BaseModel):
    """What shall be sealed, for which case and why. Times are RFC 3339 with an offset.

    ``kind`` ``no_footage`` asks for a sealed statement that the archive holds nothing of it.
    """

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[Annotated[str, StringConstraints(max_length=63)]], Field(min_length=1)]
    start: Annotated[str, StringConstraints(max_length=64), Field(alias="from")]
    end: Annotated[str, StringConstraints(max_length=64), Field(alias="to")]
    case: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    purpose: Annotated[str, StringConstraints(max_length=200)] = ""
    kind: PackageKind = PackageKind.FOOTAGE


class Failure(BaseModel):
    """Why a package was not made."""

    code: str
    message: str


class EvidenceOut(BaseModel):
    """A package asked for. What is only known once it is sealed is null before.

    ``tagmanifest_sha256`` is what people compare; ``bytes`` and ``originals`` count the payload. ``waiting``
    is the code of what sealing waits for, such as ``checkpoint_pending``, and empty where it is nothing.
    """

    evidence_id: str
    kind: PackageKind
    status: EvidenceStatus
    cameras: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    case: str
    requested_by: str
    requested_at: str
    attempts: int
    waiting: str
    tagmanifest_sha256: str | None
    signer_sha256: str | None
    gen_time: str | None
    tsa: str | None
    originals: int | None
    bytes: int | None
    failure: Failure | None


class EvidencePage(BaseModel):
    """Some packages, the newest request first; ``next`` is the cursor that goes on, null at the end."""

    evidence: list[EvidenceOut]
    next: str | None


class FindingText(BaseModel):
    """What a finding says, in Indonesian and in English."""

    id: str
    en: str


class FindingOut(BaseModel):
    """One thing a verification found."""

    code: str
    severity: Literal["error", "warning", "unchecked"]
    step: str
    path: str
    message: FindingText
    rests_on: str
    detail: str


class VerificationOut(BaseModel):
    """The verdict on a stored package; more fields tell what was checked."""

    model_config = ConfigDict(extra="allow")

    valid: bool
    verdict: Literal["valid", "not_valid", "not_checked"]
    findings: list[FindingOut]


def evidence_json(record: EvidenceRecord) -> JsonObject:
    """A package's state as every answer writes it."""
    asked, package = record.request, record.package
    stamped = package.gen_time if package is not None else None
    return {
        "evidence_id": asked.evidence_id,
        "kind": asked.kind.value,
        "status": record.status.value,
        "cameras": list(asked.cameras),
        "from": format_instant(asked.span.start),
        "to": format_instant(asked.span.end),
        "case": asked.case,
        "requested_by": asked.actor,
        "requested_at": format_instant(asked.asked_at),
        "attempts": record.attempts,
        "waiting": record.waiting,
        "tagmanifest_sha256": None if package is None else package.tagmanifest_sha256,
        "signer_sha256": None if package is None else package.signer_sha256,
        "gen_time": None if stamped is None else format_instant(stamped),
        "tsa": None if package is None else package.tsa,
        "originals": None if package is None else package.originals,
        "bytes": None if package is None else package.size,
        "failure": {"code": record.failure_code, "message": record.failure} if record.failure_code else None,
    }
