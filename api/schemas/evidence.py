"""Evidence packages as JSON, in and out."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import CASE, DECIDED, EVIDENCE, FROM, HASH, REQUEST, SEALED, SIGNER, TO
from api.schemas.people import People
from archive.canonical import JsonObject
from archive.evidence.contents import FileKind, PackagedFile
from archive.model.backfill import Filling
from archive.model.evidence import EvidenceRecord, EvidenceStatus, PackageKind
from archive.timespan import format_instant


class SealIn(BaseModel):
    """Footage to seal, for which case and why. Times are RFC 3339 with an offset.

    ``kind`` ``no_footage`` asks for a sealed statement that the archive holds no footage of the span.
    """

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[Annotated[str, StringConstraints(max_length=63)]], Field(min_length=1)] = Field(
        examples=[["cam-1"]]
    )
    start: Annotated[str, StringConstraints(max_length=64), Field(alias="from")] = Field(
        examples=["2026-11-24T14:00:00+08:00"]
    )
    end: Annotated[str, StringConstraints(max_length=64), Field(alias="to")] = Field(
        examples=["2026-11-24T14:10:00+08:00"]
    )
    case: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(examples=[CASE])
    purpose: Annotated[str, StringConstraints(max_length=200)] = Field("", examples=[CASE])
    kind: PackageKind = PackageKind.FOOTAGE


class Failure(BaseModel):
    """Why a package was not made."""

    code: str = Field(examples=["no_footage"])
    message: str = Field(examples=["The stored bytes are not the ones that were recorded."])


class EvidenceOut(BaseModel):
    """A requested package. Fields that only sealing determines are null before.

    People compare ``tagmanifest_sha256``; ``bytes`` and ``originals`` count the payload. ``waiting`` is the
    code of the condition that sealing waits for, such as ``checkpoint_pending``, or empty. ``request_id`` is
    the request that it answers, or empty.
    """

    evidence_id: str = Field(examples=[EVIDENCE])
    kind: PackageKind
    status: EvidenceStatus = Field(examples=["sealed"])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    case: str = Field(examples=[CASE])
    request_id: str = Field(examples=[REQUEST])
    requested_by: str = Field(examples=["user:citra"])
    requested_at: str = Field(examples=[DECIDED])
    attempts: int = Field(examples=[1])
    waiting: str = Field(examples=[""])
    tagmanifest_sha256: str | None = Field(examples=[HASH])
    signer_sha256: str | None = Field(examples=[SIGNER])
    gen_time: str | None = Field(examples=[SEALED])
    tsa: str | None = Field(examples=["local"])
    originals: int | None = Field(examples=[60])
    bytes: int | None = Field(examples=[31457280])
    failure: Failure | None = Field(examples=[None])


class FillingOut(BaseModel):
    """Footage that came in after a package was sealed, for a time that the package says has none."""

    camera: str = Field(examples=["cam-1"])
    run: str = Field(examples=["6b067960e6db988a"])
    gaps: list[str] = Field(examples=[["6b06795f0a1b2c3d"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    came_at: str = Field(examples=[SEALED])


class OneEvidenceOut(EvidenceOut):
    """A package, with the name of who ordered it.

    ``backfilled`` is what came in since over its gaps. The package stays as it is; a new one would have it.
    """

    backfilled: list[FillingOut]
    people: People


class EvidencePage(BaseModel):
    """Some packages, the newest request first; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    evidence: list[EvidenceOut]
    people: People
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])


class PackagedFileOut(BaseModel):
    """One file of a package: its path there, its size in bytes, its SHA-256, and what it is.

    The seal covers a file that is ``sealed``. The seal itself, and what a handover added, are outside it.
    """

    path: str = Field(examples=["data/derivative/clip-cam-1.mp4"])
    bytes: int = Field(examples=[31457280])
    sha256: str = Field(examples=[HASH])
    kind: FileKind = Field(examples=["clip"])
    sealed: bool = Field(examples=[True])


class PackagedFiles(BaseModel):
    """Some files of a package, by path; ``total`` is the number of all.

    ``next`` is the cursor of the next page, null at the end.
    """

    files: list[PackagedFileOut]
    total: int = Field(examples=[71])
    next: str | None = Field(examples=[None])


class FindingText(BaseModel):
    """What a finding says, in Indonesian and in English."""

    id: str = Field(examples=["Daftar pencabutan ini sudah lama."])
    en: str = Field(examples=["This revocation list is out of date."])


class FindingOut(BaseModel):
    """One thing a verification found."""

    code: str = Field(examples=["crl_stale"])
    severity: Literal["error", "warning", "unchecked"] = Field(examples=["warning"])
    step: str = Field(examples=["seal"])
    path: str = Field(examples=["data/original/…"])
    message: FindingText
    rests_on: str = Field(examples=["nextUpdate of the newest list"])
    detail: str = Field(examples=["to be renewed before 2026-12-01T00:00:00Z"])


class VerificationOut(BaseModel):
    """The verdict on a stored package; further fields list what was checked.

    ``backfilled`` is what came in since over its gaps: it is no fault of the package.
    """

    model_config = ConfigDict(extra="allow")

    valid: bool
    backfilled: list[FillingOut]
    verdict: Literal["valid", "not_valid", "not_checked"]
    findings: list[FindingOut]


def evidence_json(record: EvidenceRecord) -> JsonObject:
    """A package's state as all answers give it."""
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
        "request_id": asked.request_id,
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


def fillings_json(fillings: Iterable[Filling]) -> list[JsonObject]:
    """What came in over a package's gaps, as answers give it."""
    return [one.to_json() for one in fillings]


def file_json(one: PackagedFile) -> JsonObject:
    """A file of a package as answers give it."""
    return {
        "path": one.path,
        "bytes": one.size,
        "sha256": one.sha256,
        "kind": one.kind.value,
        "sealed": one.is_sealed,
    }
