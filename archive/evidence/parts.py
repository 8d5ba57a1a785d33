"""The parts that ``evidence.json`` is made of; :mod:`archive.evidence.statement` is the whole.

Members that may be absent are None here; in the JSON they are left out, since a null is refused.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from archive.errors import Malformed
from archive.timespan import parse_instant

Text = Annotated[str, StringConstraints(max_length=4096)]


def real_time(text: str) -> str:
    """Refuse a time that no calendar has."""
    try:
        parse_instant(text)
    except Malformed as error:
        raise ValueError(error.message) from error
    return text


Time = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"),
    AfterValidator(real_time),
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[str, StringConstraints(pattern=r"^data/[A-Za-z0-9._/-]+$", max_length=200)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,63}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]


def plain(value: Any) -> Any:
    """Text, integers, lists and objects of them; nothing that two JSON libraries could write differently."""
    match value:
        case bool() | None | float():
            raise ValueError("holds a truth value, a null or a fraction; write text or an integer")
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


class Part(BaseModel):
    """Strict: unknown members are refused, nothing is converted."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True
    )


class SpanPart(Part):
    """A half-open span of time."""

    start: Time = Field(alias="from")
    end: Time = Field(alias="to")


class CameraFacts(Part):
    """What was registered of a camera."""

    name: Text
    lat: Text
    lon: Text
    kecamatan: Text
    kelurahan: Text
    owner: Text
    view: Literal["public"]
    segment_seconds: Count


class CameraChange(CameraFacts):
    """What was registered of a camera from ``at`` on."""

    at: Time


class CameraPart(CameraFacts):
    """A camera as it was registered when the span began, and each later change within the span, in order."""

    id: Name
    registered_at: Time
    changes: Annotated[tuple[CameraChange, ...], Field(min_length=1)] | None = None


class RequesterPart(Part):
    """The person who asked."""

    name: Text
    rank: Text
    nrp_nip: Text


class LetterPart(Part):
    """The letter of request; ``sha256`` is that of its scan, absent while it has not come."""

    number: Text
    date: Text
    sha256: Digest | None = None


class LegalBasisPart(Part):
    """One legal basis of the request."""

    kind: Text
    number: Text
    article: Text


class RequestPart(Part):
    """The request that the package answers, as approved.

    ``entry_sha256`` is of the ledger entry that every approval binds to.
    """

    id: Annotated[str, StringConstraints(pattern=r"^REQ-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{10}$")]
    entry_sha256: Digest
    filed_at: Time
    agency_kind: Text
    agency: Text
    unit: Text
    requester: RequesterPart
    letter: LetterPart | None = None
    legal_basis: tuple[LegalBasisPart, ...]
    case: Text
    purpose: Text
    urgent: Annotated[int, Field(ge=0, le=1)]


class ApprovalPart(Part):
    """One approval; ``entry_sha256`` is of the request entry that was decided on."""

    role: Text
    name: Text
    by: Text
    at: Time
    entry_sha256: Digest


class HoldPart(Part):
    """The legal hold that keeps the originals in the archive."""

    id: Text


class LockPart(Part):
    """The retention of the object a segment was copied from."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: Time


class ClockPart(Part):
    """How far to trust the wall time of a segment."""

    source: Text
    offset_us: int
    uncertainty_us: Count
    flags: tuple[Text, ...]


class LogPart(Part):
    """Where a line stands in the tamper-evident log.

    It is leaf ``index`` (from 0) of the ``size`` leaves of checkpoint number ``checkpoint``; line
    ``proof_line`` (from 1) of the part ``proof`` is its inclusion proof.
    """

    checkpoint: Annotated[int, Field(ge=1, lt=2**53)]
    index: Count
    size: Annotated[int, Field(ge=1, lt=2**53)]
    proof: Path
    proof_line: Annotated[int, Field(ge=1, lt=2**53)]


class OriginalPart(SpanPart):
    """An untouched segment: the exhibit.

    Its leaf is line ``leaf_line`` of the part ``leaf``; ``leaf_sha256`` is taken without the line feed.
    ``log`` is absent where the log never had the leaf.
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
    log: LogPart | None = None


class CameraClockPart(Part):
    """How far to trust the wall times of a camera's originals, all together."""

    camera: Name
    sources: tuple[Text, ...]
    offset_least_us: int
    offset_most_us: int
    uncertainty_us: Count
    flags: tuple[Text, ...]


class GapPart(SpanPart):
    """A stretch without footage, and why."""

    camera: Name
    cause: Text


class SlicesPart(Part):
    """The slice NAL units of a piece: ``count`` of the original's in a row, from number ``first`` on.

    Numbers count the original's slice NAL units from 0.

    ``sha256`` is over, for each, its length as 4 bytes big-endian, and its bytes.
    """

    first: Count
    count: Count
    sha256: Digest


class PiecePart(SpanPart):
    """A run of bytes of an original that stands unchanged in a clip.

    ``slices`` is absent where the original's samples cannot be read as NAL units.
    """

    original: Path
    original_offset: Count
    clip_offset: Count
    length: Annotated[int, Field(ge=1, lt=2**53)]
    slices: SlicesPart | None = None


class HiddenPart(Part):
    """What is in a clip and is not shown, because frames refer to it; any tool can reveal it."""

    frames: Count
    preroll_us: Count
    tail_us: Count


class DerivationPart(Part):
    """How a clip follows from its originals: ``slices`` slice NAL units in all its pieces."""

    method: Literal["slice-nal-sha256"]
    codec: Literal["h264", "hevc"]
    slices: Count


class DerivativePart(Part):
    """A clip cut from the originals: a convenience, not the exhibit.

    ``asked`` is the span that was asked for, ``actual`` from the first frame shown to the end of the last.
    ``about`` is the rest of the clip's own account.
    """

    path: Path
    camera: Name
    kind: Literal["clip"]
    sha256: Digest
    size: Count
    asked: SpanPart
    actual: SpanPart
    hidden: HiddenPart
    derivation: DerivationPart
    pieces: tuple[PiecePart, ...]
    about: Annotated[dict[str, Any], AfterValidator(plain)]


class JournalPart(Part):
    """A recorder's signed batch of leaves."""

    path: Path
    recorder: Name
    batch: Count
    sha256: Digest
    public_key: Path


class CheckpointPart(Part):
    """A checkpoint of the log: paths of its text, of the log key's signature and of the time stamp over it.

    ``root`` is in hex, ``at`` when it was begun by the log's clock, ``gen_time`` the stamp's time, ``sha256``
    of the text.
    """

    number: Annotated[int, Field(ge=1, lt=2**53)]
    origin: Text
    size: Annotated[int, Field(ge=1, lt=2**53)]
    root: Digest
    at: Time
    gen_time: Time
    sha256: Digest
    checkpoint: Path
    seal: Path
    stamp: Path


class DispositionPart(SpanPart):
    """A destruction on record that took footage of the span: its newest ledger entry is the part ``path``."""

    id: Text
    cause: Text
    path: Path
    sha256: Digest
    log: LogPart | None = None


class DocumentPart(Part):
    """A paper for people."""

    path: Path
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    sha256: Digest


class CustodyPart(Part):
    """The custody lines up to sealing."""

    path: Path
    sha256: Digest
    lines: Count


class SealPart(Part):
    """How, by whom and with which clock the package is sealed."""

    form: Literal["CAdES-BES"]
    digest: Literal["sha256"]
    signer_sha256: Digest
    signer_subject: Text
    tsa: Text


class LimitPart(Part):
    """One thing the seal does not prove, in both languages."""

    id: Text
    en: Text
