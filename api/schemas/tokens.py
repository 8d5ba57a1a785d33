"""Tokens of machines as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.examples import DECIDED

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Action = Annotated[str, StringConstraints(min_length=1, max_length=63)]
District = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Time = Annotated[str, StringConstraints(max_length=64)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TokenOut(BaseModel):
    """The facts about a token. ``actions``, ``districts`` and ``expires_at`` are null if not limited."""

    name: str = Field(examples=["war-room"])
    version: int = Field(examples=[1])
    made_at: str = Field(examples=[DECIDED])
    made_by: str = Field(examples=["user:kominfo"])
    actions: list[str] | None = Field(examples=[["footage.play"]])
    districts: list[str] | None = Field(examples=[["73.71.01"]])
    expires_at: str | None = Field(examples=["2027-02-24T00:00:00.000000Z"])
    expired: bool


class TokenPage(BaseModel):
    """Every token that was not revoked, in the order they were made."""

    tokens: list[TokenOut]


class MadeTokenOut(TokenOut):
    """A new token; ``token`` is shown only this once."""

    token: str = Field(examples=["saksi_0rWm3…"])


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

    name: Name = Field(examples=["war-room"])
    actions: Annotated[list[Action], Field(min_length=1, max_length=100)] = Field(examples=[["footage.play"]])
    districts: Annotated[list[District], Field(min_length=1, max_length=100)] | None = Field(
        None, examples=[["73.71.01"]]
    )
    expires_at: Time = Field(examples=["2027-02-24T08:00:00+08:00"])
    reason: Reason = Field(examples=["integrasi War Room"])


class TokenReason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "bocor"}]})

    reason: Reason = Field(examples=["lengkap"])
