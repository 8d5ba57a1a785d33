"""Requests as JSON, in and out.

The archive checks all fields of a request together and names each missing or wrong one in ``errors``; these
models check only the shape.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from api.schemas.examples import (
    CASE,
    DECIDED,
    EVIDENCE,
    FILED,
    FROM,
    HASH,
    HOLD,
    OTHER,
    REQUEST,
    REVIEW,
    SEALED,
    TO,
)
from api.schemas.holds import HoldProgressOut
from api.schemas.people import People
from archive.cases.requests.form import BasisForm, RequestForm
from archive.cases.requests.transitions import RequestAct
from archive.model.evidence import PackageKind
from archive.model.hold import HoldStatus
from archive.model.request import AgencyKind, AttachmentKind, BasisKind, RequestStatus, Verdict

Text = Annotated[str, StringConstraints(max_length=4000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RequesterIn(_In):
    """The requester, as the letter names them. ``nrp_nip``: 8 to 18 digits."""

    name: Text = Field("", examples=["Dewi Lestari"])
    rank: Text = Field("", examples=["AIPTU"])
    nrp_nip: Text = Field("", examples=["78010123"])
    agency_kind: Annotated[Text, Field(description="polri, kejaksaan, pengadilan, satpol_pp")] = Field(
        "", examples=["polri"]
    )
    agency: Text = Field("", examples=["Polrestabes Makassar"])
    unit: Text = Field("", examples=["Satreskrim"])
    contact: Text = Field("", examples=["0411-000000"])


class LetterIn(_In):
    """The letter of request. ``date`` is YYYY-MM-DD; ``sha256`` names an upload."""

    number: Text = Field("", examples=["B/123/XI/2026"])
    date: Text = Field("", examples=["2026-11-24"])
    sha256: Text = Field("", examples=[HASH])


class BasisIn(_In):
    """One legal basis: lp, sprindik, penetapan with a number; perda with number and article."""

    kind: Text = Field("", examples=["lp"])
    number: Text = Field("", examples=["B/123/XI/2026"])
    article: Text = Field("", examples=["Pasal 363"])


class RequestIn(_In):
    """A request for footage of these cameras in ``[from, to)``."""

    requester: RequesterIn = RequesterIn()
    letter: LetterIn = LetterIn()
    legal_basis: Annotated[list[BasisIn], Field(max_length=100)] = []
    case: Text = Field("", examples=[CASE])
    purpose: Text = Field("", examples=["pencurian"])
    cameras: Annotated[list[Text], Field(max_length=1000)] = Field([], examples=[["cam-1"]])
    start: Annotated[Text, Field(alias="from")] = Field("", examples=["2026-11-24T14:00:00+08:00"])
    end: Annotated[Text, Field(alias="to")] = Field("", examples=["2026-11-24T14:10:00+08:00"])
    urgent: StrictBool = False

    def form(self) -> RequestForm:
        """The form that the archive checks."""
        return RequestForm(
            **{f"requester_{name}": text for name, text in self.requester.model_dump().items()},
            **{f"letter_{name}": text for name, text in self.letter.model_dump().items()},
            legal_basis=tuple(BasisForm(**basis.model_dump()) for basis in self.legal_basis),
            case=self.case,
            purpose=self.purpose,
            cameras=tuple(self.cameras),
            start=self.start,
            end=self.end,
            urgent=self.urgent,
        )


class AmendIn(RequestIn):
    """The whole request as amended, and the reason."""

    reason: Text = Field("", examples=["rentang terlalu sempit"])


class CommentIn(_In):
    """A comment to add."""

    text: Text = Field(examples=["Mohon segera."])


class PaperIn(_In):
    """An uploaded paper to add to a request. Kind ``letter`` needs number and date."""

    sha256: Text = Field(examples=[HASH])
    kind: AttachmentKind = AttachmentKind.OTHER
    name: Text = Field("", examples=["surat.pdf"])
    number: Text = Field("", examples=["B/123/XI/2026"])
    date: Text = Field("", examples=["2026-11-24"])


class DecisionIn(_In):
    """The reason; it is recorded. An approval needs none."""

    reason: Text = Field("", examples=["lengkap"])


class ApproveIn(DecisionIn):
    """The reason, and which package: of footage, or the sealed statement of its absence."""

    kind: PackageKind = PackageKind.FOOTAGE


class LimitIn(_In):
    """How many camera-hours this one request may keep, and why."""

    camera_hours: StrictInt = Field(examples=[48])
    reason: Text = Field("", examples=["lengkap"])


class UploadOut(BaseModel):
    """A stored paper. ``media_type`` is determined from its bytes."""

    sha256: str = Field(examples=[HASH])
    size: int = Field(examples=[5242880])
    media_type: str = Field(examples=["application/pdf"])


class RequesterOut(BaseModel):
    """The requester; ``person`` is the account that filed the request."""

    person: str = Field(examples=["user:dewi"])
    name: str = Field(examples=["Dewi Lestari"])
    rank: str = Field(examples=["AIPTU"])
    nrp_nip: str = Field(examples=["78010123"])
    agency_kind: AgencyKind
    agency: str = Field(examples=["Polrestabes Makassar"])
    unit: str = Field(examples=["Satreskrim"])
    contact: str = Field(examples=["0411-000000"])


class LetterOut(BaseModel):
    """The letter; fields are "" until it is added."""

    number: str = Field(examples=["B/123/XI/2026"])
    date: str = Field(examples=["2026-11-24"])
    sha256: str = Field(examples=[HASH])


class BasisOut(BaseModel):
    """One legal basis."""

    kind: BasisKind
    number: str = Field(examples=["B/123/XI/2026"])
    article: str = Field(examples=["Pasal 363"])


class DecisionOut(BaseModel):
    """The decision about the entry with that SHA-256."""

    by: str = Field(examples=["user:citra"])
    name: str = Field(examples=["Citra Wulandari"])
    at: str = Field(examples=[FROM])
    outcome: Verdict
    reason: str = Field(examples=["lengkap"])
    entry_sha256: str = Field(examples=[OTHER])
    without_letter: bool
    kind: PackageKind


class CommentOut(BaseModel):
    """A comment."""

    by: str = Field(examples=["user:citra"])
    at: str = Field(examples=[FROM])
    text: str = Field(examples=["Mohon segera."])


class AttachmentOut(BaseModel):
    """A paper of the request; fetched under ``attachments/<sha256>``."""

    sha256: str = Field(examples=[HASH])
    size: int = Field(examples=[5242880])
    media_type: str = Field(examples=["application/pdf"])
    kind: AttachmentKind
    name: str = Field(examples=["surat.pdf"])
    by: str = Field(examples=["user:citra"])
    at: str = Field(examples=[FROM])


class FailureOut(BaseModel):
    """Why sealing failed."""

    code: str = Field(examples=["no_footage"])
    message: str = Field(examples=["The stored bytes are not the ones that were recorded."])


class RequestOut(BaseModel):
    """A request. If-Match names its ``version``; ``acts`` are those its status allows, for any role."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=[REQUEST])
    version: int = Field(examples=[1])
    entry_sha256: str = Field(examples=[OTHER])
    status: RequestStatus
    requester: RequesterOut
    agency_account: str = Field(examples=["polrestabes"])
    letter: LetterOut
    legal_basis: list[BasisOut]
    case: str = Field(examples=[CASE])
    purpose: str = Field(examples=["pencurian"])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    urgent: bool
    filed_at: str = Field(examples=[FILED])
    hold_id: str = Field(examples=[HOLD])
    held_us: int = Field(examples=[600000000])
    letter_due_at: str | None = Field(examples=[None])
    letter_overdue: bool
    footage_due_at: str | None = Field(examples=[None])
    footage_expiring: bool
    limit_camera_hours: int = Field(examples=[24])
    decision: DecisionOut | None
    evidence_id: str = Field(examples=[EVIDENCE])
    ended_at: str | None = Field(examples=[SEALED])
    comments: list[CommentOut]
    attachments: list[AttachmentOut]
    acts: list[RequestAct]
    failure: FailureOut | None
    changed_at: str = Field(examples=[DECIDED])
    changed_by: str = Field(examples=["user:citra"])


class BriefOut(BaseModel):
    """A request in a list. ``letter_missing``: its letter lacks its number, its date or its scan."""

    id: str = Field(examples=[REQUEST])
    version: int = Field(examples=[1])
    status: RequestStatus
    agency_kind: AgencyKind
    agency: str = Field(examples=["Polrestabes Makassar"])
    unit: str = Field(examples=["Satreskrim"])
    case: str = Field(examples=[CASE])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    urgent: bool
    letter_due_at: str | None = Field(examples=[None])
    letter_missing: bool
    letter_overdue: bool
    footage_due_at: str | None = Field(examples=[None])
    footage_expiring: bool
    hold_id: str = Field(examples=[HOLD])
    evidence_id: str = Field(examples=[EVIDENCE])
    filed_at: str = Field(examples=[FILED])
    changed_at: str = Field(examples=[DECIDED])


class RequestHoldOut(BaseModel):
    """The request's hold, and how far it is set in the store; ``progress`` is null before the first sweep."""

    id: str = Field(examples=[HOLD])
    status: HoldStatus
    in_force: bool = Field(examples=[True])
    review_at: str = Field(examples=[REVIEW])
    progress: HoldProgressOut | None


class RequestEntryOut(BaseModel):
    """One act on the request."""

    version: int = Field(examples=[1])
    at: str = Field(examples=[FROM])
    actor: str = Field(examples=["user:citra"])
    action: str = Field(examples=["hold.placed"])
    reason: str = Field(examples=["lengkap"])
    sha256: str = Field(examples=[HASH])


class OtherOut(BaseModel):
    """A colleague who may decide instead."""

    person: str = Field(examples=["user:tono"])
    name: str = Field(examples=["Tono Wijaya"])


class DecidingOut(BaseModel):
    """Whether the caller may decide now. If not, ``code``, ``detail`` and ``hint`` say why.

    ``others`` are colleagues who may.
    """

    act: RequestAct
    may: bool
    code: str = Field(examples=["same_person"])
    detail: str = Field(examples=["Anda sendiri yang mengajukannya."])
    hint: str = Field(examples=["Orang lain harus melakukannya."])
    others: list[OtherOut]


class OneRequestOut(RequestOut):
    """A request with its hold, its history, and others about the same cameras and time.

    ``limit_in_force`` is the setting's, or what this request was raised to. ``deciding`` has one member for
    each decision that the status allows, for callers of the War Room; it is empty for others.
    """

    hold: RequestHoldOut
    history: list[RequestEntryOut]
    related: list[BriefOut]
    limit_in_force: int = Field(examples=[48])
    deciding: list[DecidingOut]
    people: People


class RequestPage(BaseModel):
    """Some requests, the newest first; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    requests: list[BriefOut]
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])
