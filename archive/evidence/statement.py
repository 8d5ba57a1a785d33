"""``evidence.json``: what a package says about itself. Schema ``evidence-package-1.schema.json``.

Text, integers, lists and objects only, in canonical form (RFC 8785): two programs that agree on what it says
agree on its bytes. Times are RFC 3339 in UTC with six decimals. Version 1 is frozen: a member may neither be
added nor change its meaning without a new ``schema``.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.evidence.parts import (
    ApprovalPart,
    CameraChange,
    CameraClockPart,
    CameraFacts,
    CameraPart,
    CheckpointPart,
    ClockPart,
    CustodyPart,
    DerivationPart,
    DerivativePart,
    DispositionPart,
    DocumentPart,
    GapPart,
    HiddenPart,
    HoldPart,
    JournalPart,
    LegalBasisPart,
    LetterPart,
    LimitPart,
    LockPart,
    LogPart,
    OriginalPart,
    Part,
    PiecePart,
    RequesterPart,
    RequestPart,
    SealPart,
    SlicesPart,
    SpanPart,
    Text,
    Time,
    plain,
)

SCHEMA_ID = "urn:saksi:evidence-package:1"


class Statement(Part):
    """The whole of ``evidence.json``."""

    schema_: Literal["urn:saksi:evidence-package:1"] = Field(alias="schema")
    evidence_id: Annotated[str, StringConstraints(pattern=r"^EVD-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{10}$")]
    kind: Literal["footage", "no_footage"]
    case: Text
    actor: Text
    span: SpanPart
    prepared_at: Time
    tz_display: Text
    system: dict[str, Text]
    request: RequestPart | None = None
    approvals: Annotated[tuple[ApprovalPart, ...], Field(min_length=1)] | None = None
    hold: HoldPart | None = None
    cameras: tuple[CameraPart, ...]
    originals: tuple[OriginalPart, ...]
    clocks: tuple[CameraClockPart, ...]
    gaps: tuple[GapPart, ...]
    derivatives: tuple[DerivativePart, ...]
    journals: tuple[JournalPart, ...]
    checkpoints: Annotated[tuple[CheckpointPart, ...], Field(min_length=1)] | None = None
    dispositions: Annotated[tuple[DispositionPart, ...], Field(min_length=1)] | None = None
    documents: Annotated[tuple[DocumentPart, ...], Field(min_length=1)] | None = None
    custody: CustodyPart
    package_until: Time
    seal: SealPart
    limits: tuple[LimitPart, ...]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "footage" and not self.originals:
            raise ValueError("a package of footage has originals")
        if self.kind == "no_footage" and (self.originals or self.derivatives or self.clocks):
            raise ValueError("a statement that there is no footage has no originals, clips or clocks")
        return self


def check(value: JsonObject) -> bytes:
    """The canonical bytes of a statement given as an object, after reading them back as anybody would.

    Raises:
        Malformed: ``bad_statement``, ``not_canonical``.
    """
    data = canonical.encode(value)
    decode(data)
    return data


def decode(data: bytes) -> Statement:
    """Read a statement strictly.

    Raises:
        Malformed: ``bad_statement`` naming the first field that is wrong, or that the bytes are not
        canonical.
    """
    try:
        value = canonical.decode(data)
        if canonical.encode(value) != data:
            raise Malformed("it is not in canonical form", code="bad_statement")
        found = Statement.model_validate_json(data, strict=True)
        plain(value)
        return found
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise Malformed(f"evidence.json {error}", code="bad_statement") from error
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"evidence.json, field {where}: {first['msg']}", code="bad_statement") from error
    except Malformed as error:
        raise Malformed(f"evidence.json: {error.message}", code="bad_statement") from error


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of ``evidence.json``, for programs that are not ours."""
    body = _without_nulls(Statement.model_json_schema(by_alias=True, mode="validation"))
    empty = {name: {"maxItems": 0} for name in ("clocks", "derivatives", "originals")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **body,
        "if": {"properties": {"kind": {"const": "no_footage"}}},
        "then": {"properties": empty},
        "else": {"properties": {"originals": {"minItems": 1}}},
    }


def _without_nulls(schema: Any) -> Any:
    """The schema without the nulls that stand for absent members: what is absent is left out."""
    match schema:
        case list():
            return [_without_nulls(item) for item in schema]
        case {"anyOf": [one, {"type": "null"}], **_others}:
            return _without_nulls(one)
        case dict():
            return {name: _without_nulls(item) for name, item in schema.items()}
    return schema


__all__ = [
    "SCHEMA_ID",
    "ApprovalPart",
    "CameraChange",
    "CameraClockPart",
    "CameraFacts",
    "CameraPart",
    "CheckpointPart",
    "ClockPart",
    "CustodyPart",
    "DerivationPart",
    "DerivativePart",
    "DispositionPart",
    "DocumentPart",
    "GapPart",
    "HiddenPart",
    "HoldPart",
    "JournalPart",
    "LegalBasisPart",
    "LetterPart",
    "LimitPart",
    "LockPart",
    "LogPart",
    "OriginalPart",
    "PiecePart",
    "RequestPart",
    "RequesterPart",
    "SealPart",
    "SlicesPart",
    "SpanPart",
    "Statement",
    "Text",
    "Time",
    "check",
    "decode",
    "json_schema",
]
