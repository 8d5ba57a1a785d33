"""Handovers as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import CASE, EVIDENCE, FROM, HASH, OTHER, REQUEST, REVIEW, SEALED, SIGNER, TO

Digest = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="64 hex digits as typed or pasted; case, spaces, colons and hyphens do not matter."),
]


class OfficerIn(BaseModel):
    """Who hands over, as the report names them; without a name the account's name is used."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=200)] = Field("", examples=["Dewi Lestari"])
    nip: Annotated[str, StringConstraints(max_length=200)] = Field("", examples=["198003152006041002"])
    position: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", examples=["Kepala Bidang Layanan E-Government"]
    )


class HandoverIn(BaseModel):
    """The terms of a handover; the settings give terms that are left out. ``downloads`` 0: on a data carrier.

    ``recipient`` is the requester's account, such as ``user:budi``, if the request came on paper.
    """

    model_config = ConfigDict(extra="forbid")

    downloads: Annotated[int, Field(ge=0, le=100)] | None = Field(None, examples=[3])
    hours: Annotated[int, Field(ge=1, le=744)] | None = Field(None, examples=[72])
    note: Annotated[str, StringConstraints(max_length=200)] = Field("", examples=["loket"])
    recipient: Annotated[str, StringConstraints(pattern=r"^(user:[A-Za-z0-9.-]{1,63})?$")] = Field(
        "", examples=["user:dewi"]
    )
    officer: OfficerIn = OfficerIn()


class ConfirmIn(BaseModel):
    """The two fingerprints of the recipient's copy."""

    model_config = ConfigDict(extra="forbid")

    tagmanifest_sha256: Digest = Field(examples=[HASH])
    signer_sha256: Digest = Field(examples=[SIGNER])


class CloseIn(BaseModel):
    """The reason, and what happens to the hold; ``review_at`` (RFC 3339 with offset) only with ``keep``."""

    model_config = ConfigDict(extra="forbid")

    hold: Literal["release", "keep"]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        examples=["perkara diputus"]
    )
    review_at: Annotated[str, StringConstraints(max_length=64)] = Field("", examples=[REVIEW])


class RecipientOut(BaseModel):
    """To whom the package was handed over."""

    person: str = Field(examples=["user:dewi"])
    name: str = Field(examples=["Dewi Lestari"])
    rank: str = Field(examples=["AIPTU"])
    nrp_nip: str = Field(examples=["78010123"])
    agency: str = Field(examples=["Polrestabes Makassar"])
    unit: str = Field(examples=["Satreskrim"])


class OfficerOut(BaseModel):
    """Who handed over, as the report names them."""

    name: str = Field(examples=["Dewi Lestari"])
    nip: str = Field(examples=["198003152006041002"])
    position: str = Field(examples=["Kepala Bidang Layanan E-Government"])


class FetchedOut(BaseModel):
    """One counted download."""

    count: int = Field(examples=[1])
    at: str = Field(examples=[FROM])


class ReceiptOut(BaseModel):
    """The recipient's confirmation."""

    v: int = Field(examples=[1])
    confirmed_by: str = Field(examples=["user:dewi"])
    confirmed_at: str = Field(examples=[SEALED])
    right_sha256: str = Field(examples=[OTHER])
    tagmanifest_sha256: str = Field(examples=[HASH])
    signer_sha256: str = Field(examples=[SIGNER])
    downloads: int = Field(examples=[3])


class AskingLetterOut(BaseModel):
    """The letter of request."""

    number: str = Field(examples=["B/123/XI/2026"])
    date: str = Field(examples=["2026-11-24"])


class QrOut(BaseModel):
    """A QR code: its text, and its rows of modules, ``1`` for a dark one. Draw four light ones around it."""

    text: str = Field(examples=["SAKSI EVD-… TAGMANIFEST … SIGNER …"])
    rows: list[str] = Field(examples=[["1111111", "1000001"]])


class HandoverOut(BaseModel):
    """The newest handover of a request; ``version`` and ``status`` are the request's.

    ``qr_values`` has the package and the two fingerprints, as on the report. ``qr_page`` leads the recipient
    to the request; it is null if the installation has no public address.
    """

    v: int = Field(examples=[1])
    evidence_id: str = Field(examples=[EVIDENCE])
    number: int = Field(examples=[1])
    request_id: str = Field(examples=[REQUEST])
    request_entry: str = Field(examples=[OTHER])
    recipient: RecipientOut
    downloads: int = Field(examples=[3])
    remaining: int = Field(examples=[2])
    until: str = Field(examples=["2026-11-27T09:43:17.904000Z"])
    given_by: str = Field(examples=["user:citra"])
    officer: OfficerOut
    given_at: str = Field(examples=[SEALED])
    note: str = Field(examples=["loket"])
    tagmanifest_sha256: str = Field(examples=[HASH])
    signer_sha256: str = Field(examples=[SIGNER])
    tsa: str = Field(examples=["local"])
    gen_time: str = Field(examples=[SEALED])
    right_sha256: str = Field(examples=[OTHER])
    status: str = Field(examples=["given"])
    version: int = Field(examples=[1])
    fetched: list[FetchedOut]
    receipt: ReceiptOut | None
    receipt_sha256: str = Field(examples=[OTHER])
    case: str = Field(examples=[CASE])
    purpose: str = Field(examples=["pencurian"])
    cameras: list[str] = Field(examples=[["cam-1"]])
    start: str = Field(alias="from", examples=[FROM])
    end: str = Field(alias="to", examples=[TO])
    letter: AskingLetterOut
    legal_basis: list[str] = Field(examples=[[CASE]])
    approved_by: str = Field(examples=["user:citra"])
    approved_name: str = Field(examples=["Citra Wulandari"])
    originals: int = Field(examples=[60])
    bytes: int = Field(examples=[31457280])
    qr_values: QrOut
    qr_page: QrOut | None


class DownloadOut(BaseModel):
    """A counted download: fetch ``url``; after an interruption resume there with Range."""

    download: str = Field(examples=["D7Yk0m2QxB4"])
    url: str = Field(examples=[f"/v1/evidence/{EVIDENCE}/package.zip?download=D7Yk0m2QxB4"])
    until: str = Field(examples=["2026-11-27T09:43:17.904000Z"])
    remaining: int = Field(examples=[2])


class ClosedOut(BaseModel):
    """A closed request; ``review_at`` is null if its hold is released."""

    request_id: str = Field(examples=[REQUEST])
    status: Literal["closed"]
    by: str = Field(examples=["user:citra"])
    at: str = Field(examples=[FROM])
    reason: str = Field(examples=["lengkap"])
    hold: Literal["release", "keep"]
    review_at: str | None = Field(examples=[REVIEW])
