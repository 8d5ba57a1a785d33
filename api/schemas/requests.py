"""Requests as JSON, in and out.

Fields of a request that are missing or wrong are judged together by the archive, which names each of them in
``errors``; here only the shape is.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from api.schemas.holds import HoldProgressOut
from archive.cases.requests.form import BasisForm, RequestForm
from archive.cases.requests.transitions import RequestAct
from archive.model.evidence import PackageKind
from archive.model.hold import HoldStatus
from archive.model.request import AgencyKind, AttachmentKind, BasisKind, RequestStatus, Verdict

Text = Annotated[str, StringConstraints(max_length=4000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RequesterIn(_In):
    """Who asks, as the letter names them. ``nrp_nip``: 8 to 18 digits."""

    name: Text = ""
    rank: Text = ""
    nrp_nip: Text = ""
    agency_kind: Annotated[Text, Field(description="polri, kejaksaan, pengadilan, satpol_pp")] = ""
    agency: Text = ""
    unit: Text = ""
    contact: Text = ""


class LetterIn(_In):
    """The letter of request. ``date`` is YYYY-MM-DD; ``sha256`` names an upload."""

    number: Text = ""
    date: Text = ""
    sha256: Text = ""


class BasisIn(_In):
    """One legal basis: lp, sprindik, penetapan with a number; perda with number and article."""

    kind: Text = ""
    number: Text = ""
    article: Text = ""


class RequestIn(_In):
    """A request for footage of these cameras in ``[from, to)``."""

    requester: RequesterIn = RequesterIn()
    letter: LetterIn = LetterIn()
    legal_basis: Annotated[list[BasisIn], Field(max_length=100)] = []
    case: Text = ""
    purpose: Text = ""
    cameras: Annotated[list[Text], Field(max_length=1000)] = []
    start: Annotated[Text, Field(alias="from")] = ""
    end: Annotated[Text, Field(alias="to")] = ""
    urgent: StrictBool = False

    def form(self) -> RequestForm:
        """The form as the archive judges it."""
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
    """The whole request anew, and why."""

    reason: Text = ""


class CommentIn(_In):
    """What somebody has to say."""

    text: Text


class PaperIn(_In):
    """An uploaded paper, to be added to a request. Of kind ``letter`` it needs number and date."""

    sha256: Text
    kind: AttachmentKind = AttachmentKind.OTHER
    name: Text = ""
    number: Text = ""
    date: Text = ""


class DecisionIn(_In):
    """Why; it goes on record. An approval needs none."""

    reason: Text = ""


class ApproveIn(DecisionIn):
    """Why, and which package: of footage, or the sealed statement that there is none."""

    kind: PackageKind = PackageKind.FOOTAGE


class LimitIn(_In):
    """How many camera-hours this one request may keep, and why."""

    camera_hours: StrictInt
    reason: Text = ""


class UploadOut(BaseModel):
    """A stored paper. ``media_type`` is what its bytes are."""

    sha256: str
    size: int
    media_type: str


class RequesterOut(BaseModel):
    """Who asks; ``person`` is the account that filed."""

    person: str
    name: str
    rank: str
    nrp_nip: str
    agency_kind: AgencyKind
    agency: str
    unit: str
    contact: str


class LetterOut(BaseModel):
    """The letter; fields are "" until it is there."""

    number: str
    date: str
    sha256: str


class BasisOut(BaseModel):
    """One legal basis."""

    kind: BasisKind
    number: str
    article: str


class DecisionOut(BaseModel):
    """What was decided about the entry with that SHA-256."""

    by: str
    name: str
    at: str
    outcome: Verdict
    reason: str
    entry_sha256: str
    without_letter: bool
    kind: PackageKind


class CommentOut(BaseModel):
    """What somebody said."""

    by: str
    at: str
    text: str


class AttachmentOut(BaseModel):
    """A paper of the request; fetched under ``attachments/<sha256>``."""

    sha256: str
    size: int
    media_type: str
    kind: AttachmentKind
    name: str
    by: str
    at: str


class FailureOut(BaseModel):
    """Why sealing failed."""

    code: str
    message: str


class RequestOut(BaseModel):
    """A request. ``version`` is what If-Match names; ``acts`` what its state allows, whoever may do it."""

    model_config = ConfigDict(extra="allow")

    id: str
    version: int
    entry_sha256: str
    status: RequestStatus
    requester: RequesterOut
    agency_account: str
    letter: LetterOut
    legal_basis: list[BasisOut]
    case: str
    purpose: str
    cameras: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    urgent: bool
    filed_at: str
    hold_id: str
    held_us: int
    letter_due_at: str | None
    letter_overdue: bool
    limit_camera_hours: int
    decision: DecisionOut | None
    evidence_id: str
    ended_at: str | None
    comments: list[CommentOut]
    attachments: list[AttachmentOut]
    acts: list[RequestAct]
    failure: FailureOut | None
    changed_at: str
    changed_by: str


class BriefOut(BaseModel):
    """A request in a list."""

    id: str
    version: int
    status: RequestStatus
    agency_kind: AgencyKind
    agency: str
    unit: str
    case: str
    cameras: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    urgent: bool
    letter_due_at: str | None
    letter_overdue: bool
    hold_id: str
    evidence_id: str
    filed_at: str
    changed_at: str


class RequestHoldOut(BaseModel):
    """The request's hold, and how far the store follows it; ``progress`` is null before the first sweep."""

    id: str
    status: HoldStatus
    in_force: bool
    review_at: str
    progress: HoldProgressOut | None


class RequestEntryOut(BaseModel):
    """One act on the request."""

    version: int
    at: str
    actor: str
    action: str
    reason: str
    sha256: str


class OneRequestOut(RequestOut):
    """A request with its hold, its history, and others about the same cameras and time."""

    hold: RequestHoldOut
    history: list[RequestEntryOut]
    related: list[BriefOut]


class RequestPage(BaseModel):
    """Some requests, the newest first; ``next`` is the cursor that goes on, null at the end."""

    requests: list[BriefOut]
    next: str | None
