"""The custody record as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.examples import CASE, FROM, REQUEST, TO


class LabelOut(BaseModel):
    """The name of an act, in Indonesian and in English."""

    id: str = Field(examples=["Penahanan ditetapkan"])
    en: str = Field(examples=["Hold placed"])


class ActorOut(BaseModel):
    """Who acted. Address and session are "" for readers who may not see them."""

    id: str = Field(examples=["user:citra"])
    role: str = Field(examples=["war_room"])
    agency: str = Field(examples=[""])
    address: str = Field(examples=["192.0.2.17"])
    session: str = Field(examples=["b3V0c2lkZXI"])


class ActOut(BaseModel):
    """One act. ``proof`` names the stored line that records it; ``details`` hold text and integers."""

    at: str = Field(examples=[FROM])
    id: str = Field(examples=["20261124T091241.520000Z-citra-17"])
    source: Literal["custody", "ledger"]
    type: str = Field(examples=["hold.place"])
    premis: str = Field(examples=["http://id.loc.gov/vocabulary/preservation/eventType/mod"])
    label: LabelOut
    actor: ActorOut
    purpose: str = Field(examples=[CASE])
    outcome: Literal["done", "refused", "failed"]
    objects: list[str] = Field(examples=[[REQUEST, "cam-1"]])
    details: dict[str, Any] = Field(examples=[{"from": FROM, "to": TO}])
    proof: str = Field(examples=["ledger/hold/00000001.json"])


class CustodyPage(BaseModel):
    """Acts in order of time; ``next`` is the cursor of the next page, null at the end.

    ``as_of`` is the time until which the index has the acts of every process; null if no job follows them.
    """

    acts: list[ActOut]
    next: str | None = Field(examples=[None])
    as_of: str | None = Field(examples=[TO])
