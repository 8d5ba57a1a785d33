"""Sign-in and sessions as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archive.model.grant import Right
from archive.model.user import Role

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Purpose = Annotated[str, StringConstraints(max_length=200)]


class SignIn(BaseModel):
    """Name and password of a local account; what the session is for."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Annotated[Password, Field(repr=False)]
    purpose: Purpose = ""


class PurposeIn(BaseModel):
    """What the session is for: a shift, an incident number. It goes on record with every act."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class PasswordIn(BaseModel):
    """The old password and a new one."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[Password, Field(repr=False)]
    new: Annotated[Password, Field(repr=False)]


class GrantOut(BaseModel):
    """Footage that was opened to whoever asks."""

    id: str
    cameras: list[str]
    from_: Annotated[str, Field(alias="from")]
    to: str
    rights: list[Right]
    until: str


class SessionOut(BaseModel):
    """Who is asking, and what for. ``districts`` is null for somebody who is bound to none."""

    id: str
    roles: list[Role]
    districts: list[str] | None
    agency: str
    purpose: str
    ends_at: str | None
    grants: list[GrantOut]


class SignedOut(BaseModel):
    """``location`` is where to send the browser to end its session at the OpenID provider; "" for nowhere."""

    location: str
