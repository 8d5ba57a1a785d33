"""Accounts, invitations and who could see a camera as JSON, in and out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.model.user import MAX_DISTRICTS, MAX_TEXT, Role

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
District = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Roles = Annotated[list[Role], Field(max_length=len(Role))]
Districts = Annotated[list[District], Field(max_length=MAX_DISTRICTS)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
SignsIn = Literal["provider", "password", "invited", "none"]


class UserOut(BaseModel):
    """An account. ``signs_in`` says how: at the OpenID provider, with a password here, once invited, or not.

    ``issuer`` is the provider's, "" for a local account.
    """

    id: str
    version: int
    name: str
    roles: list[Role]
    districts: list[str]
    agency: str
    issuer: str
    enabled: bool
    signs_in: SignsIn
    changed_at: str
    changed_by: str
    reason: str


class ChangeOut(BaseModel):
    """One entry of the record: who changed something, when and why."""

    version: int
    at: str
    actor: str
    action: str
    reason: str


class OneUserOut(UserOut):
    """An account with its history, oldest first."""

    history: list[ChangeOut]


class UserPage(BaseModel):
    """Some accounts, by id; ``next`` is the cursor that goes on, null at the end."""

    users: list[UserOut]
    next: str | None


class ClosedAccountOut(UserOut):
    """A closed account, and the tokens it had made, which are revoked."""

    tokens_revoked: list[str]


class UserIn(BaseModel):
    """A local account to open. It has no password until an invitation is accepted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "erna",
                    "name": "Erna Wati",
                    "roles": ["kecamatan"],
                    "districts": ["73.71.13"],
                    "reason": "Surat tugas 12/2026",
                }
            ]
        },
    )

    id: Name
    name: Text = ""
    roles: Roles
    districts: Districts = []
    agency: Text = ""
    reason: Reason


class UserChangeIn(BaseModel):
    """What an account is given instead; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"roles": ["war_room"], "reason": "Surat tugas 14/2026"}]},
    )

    roles: Roles | None = None
    districts: Districts | None = None
    agency: Text | None = None
    reason: Reason


class UserReason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "pindah tugas"}]})

    reason: Reason


class InviteIn(BaseModel):
    """Whom to invite, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user": "erna", "reason": "akun baru"}]}
    )

    user: Name
    reason: Reason


class InvitationOut(BaseModel):
    """A code for one person: shown this once, good once, until ``expires_at``."""

    user: str
    code: str
    expires_at: str
    accept_at: str


class AcceptIn(BaseModel):
    """The code of an invitation, and the password that whoever was invited chooses."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(repr=False)]
    password: Annotated[Password, Field(repr=False)]


class SightOut(BaseModel):
    """What somebody could do with the footage, and by what: their role, their district, or a grant."""

    action: str
    by: Literal["role", "district", "grant", "scope"]
    grant: str


class ViewerOut(BaseModel):
    """One account or token that could see the footage."""

    who: str
    name: str
    roles: list[Role]
    agency: str
    sights: list[SightOut]


class ViewersOut(BaseModel):
    """Who could, at ``at``, see what the camera recorded at ``footage_at``."""

    camera: str
    at: str
    footage_at: str
    kecamatan: str
    viewers: list[ViewerOut]
