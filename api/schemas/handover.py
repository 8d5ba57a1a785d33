"""Handovers as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Digest = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="64 hex digits as typed or pasted; case, spaces, colons and hyphens do not matter."),
]


class OfficerIn(BaseModel):
    """Who hands over, as the report names them; the name is the account's where it is left out."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    nip: Annotated[str, StringConstraints(max_length=200)] = ""
    position: Annotated[str, StringConstraints(max_length=200)] = ""


class HandoverIn(BaseModel):
    """The terms of a handover; what is left out is as the settings say. ``downloads`` 0: on a carrier.

    ``recipient`` is the account of whoever asked, such as ``user:budi``, where the request came on paper.
    """

    model_config = ConfigDict(extra="forbid")

    downloads: Annotated[int, Field(ge=0, le=100)] | None = None
    hours: Annotated[int, Field(ge=1, le=744)] | None = None
    note: Annotated[str, StringConstraints(max_length=200)] = ""
    recipient: Annotated[str, StringConstraints(pattern=r"^(user:[A-Za-z0-9.-]{1,63})?$")] = ""
    officer: OfficerIn = OfficerIn()


class ConfirmIn(BaseModel):
    """The two fingerprints of what the recipient holds."""

    model_config = ConfigDict(extra="forbid")

    tagmanifest_sha256: Digest
    signer_sha256: Digest


class CloseIn(BaseModel):
    """Why, and what becomes of the hold; ``review_at`` (RFC 3339 with an offset) with ``keep`` alone."""

    model_config = ConfigDict(extra="forbid")

    hold: Literal["release", "keep"]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    review_at: Annotated[str, StringConstraints(max_length=64)] = ""


class RecipientOut(BaseModel):
    """To whom the package was handed over."""

    person: str
    name: str
    rank: str
    nrp_nip: str
    agency: str
    unit: str


class OfficerOut(BaseModel):
    """Who handed over, as the report names them."""

    name: str
    nip: str
    position: str


class FetchedOut(BaseModel):
    """One counted download."""

    count: int
    at: str


class ReceiptOut(BaseModel):
    """The recipient's confirmation."""

    v: int
    confirmed_by: str
    confirmed_at: str
    right_sha256: str
    tagmanifest_sha256: str
    signer_sha256: str
    downloads: int


class AskingLetterOut(BaseModel):
    """The letter of request."""

    number: str
    date: str


class HandoverOut(BaseModel):
    """The newest handover of a request; ``version`` and ``status`` are the request's."""

    v: int
    evidence_id: str
    number: int
    request_id: str
    request_entry: str
    recipient: RecipientOut
    downloads: int
    remaining: int
    until: str
    given_by: str
    officer: OfficerOut
    given_at: str
    note: str
    tagmanifest_sha256: str
    signer_sha256: str
    tsa: str
    gen_time: str
    right_sha256: str
    status: str
    version: int
    fetched: list[FetchedOut]
    receipt: ReceiptOut | None
    receipt_sha256: str
    case: str
    purpose: str
    cameras: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    letter: AskingLetterOut
    legal_basis: list[str]
    approved_by: str
    approved_name: str
    originals: int
    bytes: int


class DownloadOut(BaseModel):
    """A counted download: fetch ``url``, and go on there by Range when it breaks off."""

    download: str
    url: str
    until: str
    remaining: int


class ClosedOut(BaseModel):
    """A closed request; ``review_at`` where its hold stays, null where it goes."""

    request_id: str
    status: Literal["closed"]
    by: str
    at: str
    reason: str
    hold: Literal["release", "keep"]
    review_at: str | None
