"""``evidence.json``: what a package says about itself. Schema ``evidence-package-1.schema.json``.

Text, integers, lists and objects only, in canonical form (RFC 8785): two programs that agree on what it says
agree on its bytes. Times are RFC 3339 in UTC with six decimals.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import Malformed

SCHEMA_ID = "urn:saksi:evidence-package:1"

Text = Annotated[str, StringConstraints(max_length=4096)]
Time = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$")
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[str, StringConstraints(pattern=r"^data/[A-Za-z0-9._/-]+$", max_length=200)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,63}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]


def _plain(value: Any) -> Any:
    """Text, integers, lists and objects of them; nothing that two JSON libraries could write differently."""
    match value:
        case bool() | None | float():
            raise ValueError("holds a truth value, a null or a fraction; write text or an integer")
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value


class _Part(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True
    )


class SpanPart(_Part):
    """A half-open span of time."""

    start: Time = Field(alias="from")
    end: Time = Field(alias="to")


class CameraPart(_Part):
    """A camera as it was registered."""

    id: Name
    name: Text
    lat: Text
    lon: Text
    kecamatan: Text
    kelurahan: Text
    owner: Text
    view: Literal["public"]
    segment_seconds: Count
    registered_at: Time


class LockPart(_Part):
    """The retention of the object a segment was copied from."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: Time


class ClockPart(_Part):
    """How far to trust the wall time of a segment."""

    source: Text
    offset_us: int
    uncertainty_us: Count
    flags: tuple[Text, ...]


class OriginalPart(SpanPart):
    """An untouched segment: the exhibit.

    Its leaf is line ``leaf_line`` of the part ``leaf``; ``leaf_sha256`` is taken without the line feed.
    """

    path: Path
    camera: Name
    recorder: Name
    run: Text
    seq: Count
    sha256: Digest
    size: Count
    key: Text
    version: Text
    leaf: Path
    leaf_line: Annotated[int, Field(ge=1, lt=2**53)]
    leaf_sha256: Digest
    codec: Text
    frames: Count
    clock: ClockPart
    ingested_at: Time
    lock: LockPart | None = None


class GapPart(SpanPart):
    """A stretch without footage, and why."""

    camera: Name
    cause: Text


class PiecePart(SpanPart):
    """A run of bytes of an original that stands unchanged in a clip."""

    original: Path
    original_offset: Count
    clip_offset: Count
    length: Annotated[int, Field(ge=1, lt=2**53)]


class DerivativePart(_Part):
    """A clip cut from the originals: a convenience, not the exhibit. ``about`` is the clip's own account."""

    path: Path
    camera: Name
    kind: Literal["clip"]
    sha256: Digest
    size: Count
    pieces: tuple[PiecePart, ...]
    about: Annotated[dict[str, Any], AfterValidator(_plain)]


class JournalPart(_Part):
    """A recorder's signed batch of leaves."""

    path: Path
    recorder: Name
    batch: Count
    sha256: Digest
    public_key: Path


class CustodyPart(_Part):
    """The custody lines up to sealing."""

    path: Path
    sha256: Digest
    lines: Count


class SealPart(_Part):
    """How, by whom and with which clock the package is sealed."""

    form: Literal["CAdES-BES"]
    digest: Literal["sha256"]
    signer_sha256: Digest
    signer_subject: Text
    tsa: Text


class LimitPart(_Part):
    """One thing the seal does not prove, in both languages."""

    id: Text
    en: Text


class Statement(_Part):
    """The whole of ``evidence.json``."""

    schema_: Literal["urn:saksi:evidence-package:1"] = Field(alias="schema")
    evidence_id: Annotated[str, StringConstraints(pattern=r"^EVD-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{10}$")]
    case: Text
    actor: Text
    span: SpanPart
    prepared_at: Time
    tz_display: Text
    system: dict[str, Text]
    cameras: tuple[CameraPart, ...]
    originals: tuple[OriginalPart, ...]
    gaps: tuple[GapPart, ...]
    derivatives: tuple[DerivativePart, ...]
    journals: tuple[JournalPart, ...]
    custody: CustodyPart
    package_until: Time
    seal: SealPart
    limits: tuple[LimitPart, ...]


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
        return Statement.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"evidence.json, field {where}: {first['msg']}", code="bad_statement") from error
    except Malformed as error:
        raise Malformed(f"evidence.json: {error.message}", code="bad_statement") from error


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of ``evidence.json``, for programs that are not ours."""
    body = Statement.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID} | body
