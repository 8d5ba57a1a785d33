"""Accounts, invitations, and the answer to who could see a camera, as JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import DECIDED, FROM, GRANT
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
    """An account. ``signs_in``: at the OpenID provider, with a password here, only invited yet, or not.

    ``issuer`` is the provider's, "" for a local account. ``proposed`` are roles that wait for another
    administrator's consent. ``hosts`` are the person's names on hosts of the archive.
    """

    id: str = Field(examples=["dewi"])
    version: int = Field(examples=[1])
    name: str = Field(examples=["Dewi Lestari"])
    roles: list[Role] = Field(examples=[["police"]])
    proposed: list[Role] = Field(examples=[[]])
    districts: list[str] = Field(examples=[["73.71.01"]])
    agency: str = Field(examples=["polrestabes"])
    issuer: str = Field(examples=[""])
    hosts: list[str] = Field(examples=[[]])
    enabled: bool
    signs_in: SignsIn
    changed_at: str = Field(examples=[DECIDED])
    changed_by: str = Field(examples=["user:citra"])
    reason: str = Field(examples=["lengkap"])


class ChangeOut(BaseModel):
    """One change: who made it, when and why."""

    version: int = Field(examples=[1])
    at: str = Field(examples=[FROM])
    actor: str = Field(examples=["user:citra"])
    action: str = Field(examples=["hold.placed"])
    reason: str = Field(examples=["lengkap"])


class SecondPartOut(BaseModel):
    """What waits for a second person now, and why the caller may not be the one.

    ``invited_by`` has the first half of a code that waits for its second; "" if none waits. ``consent`` and
    ``second_half`` are codes of problems; "" if the caller may do it, or if nothing waits.
    """

    invited_by: str = Field(examples=["user:kominfo"])
    consent: str = Field(examples=["persons_tied"])
    second_half: str = Field(examples=[""])


class OneUserOut(UserOut):
    """An account with what of it waits for a second person, and its history, oldest first."""

    second_part: SecondPartOut
    history: list[ChangeOut]


class UserPage(BaseModel):
    """Some accounts, by id; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has what every process wrote; null if no job follows it.
    """

    users: list[UserOut]
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[DECIDED])


class ClosedAccountOut(UserOut):
    """A closed account, and the tokens it had made, which were revoked with it."""

    tokens_revoked: list[str] = Field(examples=[[]])


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

    id: Name = Field(examples=["dewi"])
    name: Text = Field("", examples=["Dewi Lestari"])
    roles: Roles = Field(examples=[["police"]])
    districts: Districts = Field([], examples=[["73.71.01"]])
    agency: Text = Field("", examples=["polrestabes"])
    reason: Reason = Field(examples=["lengkap"])


class UserChangeIn(BaseModel):
    """New roles, districts or agency of an account; a field that is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"roles": ["war_room"], "reason": "Surat tugas 14/2026"}]},
    )

    roles: Roles | None = None
    districts: Districts | None = Field(None, examples=[["73.71.01"]])
    agency: Text | None = Field(None, examples=["polrestabes"])
    reason: Reason = Field(examples=["lengkap"])


class UserReason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "pindah tugas"}]})

    reason: Reason = Field(examples=["lengkap"])


class InviteIn(BaseModel):
    """Whom to invite, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user": "erna", "reason": "akun baru"}]}
    )

    user: Name = Field(examples=["dewi"])
    reason: Reason = Field(examples=["lengkap"])


class InvitationOut(BaseModel):
    """A half of a code for one person, shown only this once; the whole is valid once, to ``expires_at``."""

    user: str = Field(examples=["dewi"])
    code: str = Field(examples=["undangan_q3Jw0fZ7mK1xTn8sVbRd2LcY"])
    expires_at: str = Field(examples=["2027-02-24T00:00:00.000000Z"])
    accept_at: str = Field(examples=["/auth/invitation"])


class AcceptIn(BaseModel):
    """The code of an invitation, first half and second half, and the password that the person chooses."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(repr=False)] = Field(
        examples=["undangan_q3Jw0fZ7mK1xTn8sVbRd2LcY lanjutan_H5uPz9aEwX4tGo6iNy1MkQ0s"]
    )
    password: Annotated[Password, Field(repr=False)] = Field(examples=["kuda laut hijau di teluk"])


class SightOut(BaseModel):
    """An action possible on the footage, and its basis: a role, a district, a grant, or a token's scope."""

    action: str = Field(examples=["hold.placed"])
    by: Literal["role", "district", "grant", "scope"]
    grant: str = Field(examples=[GRANT])


class ViewerOut(BaseModel):
    """One account or token that could see the footage."""

    who: str = Field(examples=["user:dewi"])
    name: str = Field(examples=["Dewi Lestari"])
    roles: list[Role]
    agency: str = Field(examples=["Polrestabes Makassar"])
    sights: list[SightOut]


class ViewersOut(BaseModel):
    """Who could, at ``at``, see what the camera recorded at ``footage_at``."""

    camera: str = Field(examples=["cam-1"])
    at: str = Field(examples=[FROM])
    footage_at: str = Field(examples=[FROM])
    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    viewers: list[ViewerOut]
