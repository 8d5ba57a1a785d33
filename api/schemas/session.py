"""Sign-in and sessions as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import CASE, FROM, GRANT, SEALED, TO
from archive.model.grant import Right
from archive.model.user import Role

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Purpose = Annotated[str, StringConstraints(max_length=200)]


class SignIn(BaseModel):
    """Name and password of a local account, and the purpose of the session."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Dewi Lestari"])
    password: Annotated[Password, Field(repr=False)] = Field(examples=["kuda laut hijau di teluk"])
    purpose: Purpose = Field("", examples=[CASE])


class PurposeIn(BaseModel):
    """The purpose of the session: a shift, an incident number. It is recorded with every act."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose = Field(examples=[CASE])


class PasswordIn(BaseModel):
    """The old password and a new one."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[Password, Field(repr=False)] = Field(examples=["kuda laut hijau di teluk"])
    new: Annotated[Password, Field(repr=False)] = Field(examples=["perahu biru menuju pulau"])


class GrantOut(BaseModel):
    """Footage that was opened to the caller."""

    id: str = Field(examples=[GRANT])
    cameras: list[str] = Field(examples=[["cam-1"]])
    from_: Annotated[str, Field(alias="from")] = Field(examples=[FROM])
    to: str = Field(examples=[TO])
    rights: list[Right]
    until: str = Field(examples=["2026-11-27T09:43:17.904000Z"])


class SessionOut(BaseModel):
    """The caller and their purpose. ``districts`` is null for a caller who is not bound to districts."""

    id: str = Field(examples=["user:citra"])
    roles: list[Role] = Field(examples=[["war_room"]])
    districts: list[str] | None = Field(examples=[["73.71.01"]])
    agency: str = Field(examples=[""])
    purpose: str = Field(examples=[CASE])
    ends_at: str | None = Field(examples=[SEALED])
    grants: list[GrantOut] = Field(examples=[[]])


class SignedOut(BaseModel):
    """``location`` is the URL that ends the browser's session at the OpenID provider, or "" without one."""

    location: str = Field(examples=["/"])
