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
    """Name and password of a local account; what the session is for."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Dewi Lestari"])
    password: Annotated[Password, Field(repr=False)] = Field(examples=["kuda laut hijau di teluk"])
    purpose: Purpose = Field("", examples=[CASE])


class PurposeIn(BaseModel):
    """What the session is for: a shift, an incident number. It goes on record with every act."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose = Field(examples=[CASE])


class PasswordIn(BaseModel):
    """The old password and a new one."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[Password, Field(repr=False)] = Field(examples=["kuda laut hijau di teluk"])
    new: Annotated[Password, Field(repr=False)] = Field(examples=["perahu biru menuju pulau"])


class GrantOut(BaseModel):
    """Footage that was opened to whoever asks."""

    id: str = Field(examples=[GRANT])
    cameras: list[str] = Field(examples=[["cam-1"]])
    from_: Annotated[str, Field(alias="from")] = Field(examples=[FROM])
    to: str = Field(examples=[TO])
    rights: list[Right]
    until: str = Field(examples=["2026-11-27T09:43:17.904000Z"])


class SessionOut(BaseModel):
    """Who is asking, and what for. ``districts`` is null for somebody who is bound to none."""

    id: str = Field(examples=["user:citra"])
    roles: list[Role] = Field(examples=[["war_room"]])
    districts: list[str] | None = Field(examples=[["73.71.01"]])
    agency: str = Field(examples=[""])
    purpose: str = Field(examples=[CASE])
    ends_at: str | None = Field(examples=[SEALED])
    grants: list[GrantOut] = Field(examples=[[]])


class SignedOut(BaseModel):
    """``location`` is where to send the browser to end its session at the OpenID provider; "" for nowhere."""

    location: str = Field(examples=["/"])
