"""Tokens of machines as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Action = Annotated[str, StringConstraints(min_length=1, max_length=63)]
District = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Time = Annotated[str, StringConstraints(max_length=64)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TokenOut(BaseModel):
    """A token but for itself. ``actions``, ``districts`` and ``expires_at`` are null where nothing limits."""

    name: str
    version: int
    made_at: str
    made_by: str
    actions: list[str] | None
    districts: list[str] | None
    expires_at: str | None
    expired: bool


class TokenPage(BaseModel):
    """Every token that was not revoked, in the order they were made."""

    tokens: list[TokenOut]


class MadeTokenOut(TokenOut):
    """A new token; ``token`` is shown this once."""

    token: str


class TokenIn(BaseModel):
    """A token to make: for which actions, in which districts (everywhere unless named), until when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "war-room-wall",
                    "actions": ["cameras.read", "recordings.read", "footage.play"],
                    "expires_at": "2027-01-01T00:00:00+08:00",
                    "reason": "Integrasi War Room",
                }
            ]
        },
    )

    name: Name
    actions: Annotated[list[Action], Field(min_length=1, max_length=100)]
    districts: Annotated[list[District], Field(min_length=1, max_length=100)] | None = None
    expires_at: Time
    reason: Reason


class TokenReason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "bocor"}]})

    reason: Reason
