"""The custody record as JSON."""

from typing import Any, Literal

from pydantic import BaseModel


class LabelOut(BaseModel):
    """What an act is called, in Indonesian and in English."""

    id: str
    en: str


class ActorOut(BaseModel):
    """Who acted. Address and session are "" for readers who are not shown them."""

    id: str
    role: str
    agency: str
    address: str
    session: str


class ActOut(BaseModel):
    """One act. ``proof`` names the stored line that says so; ``details`` hold text and integers."""

    at: str
    id: str
    source: Literal["custody", "ledger"]
    type: str
    premis: str
    label: LabelOut
    actor: ActorOut
    purpose: str
    outcome: Literal["done", "refused", "failed"]
    objects: list[str]
    details: dict[str, Any]
    proof: str


class CustodyPage(BaseModel):
    """Acts in order of time; ``next`` is the cursor that goes on, null at the end."""

    acts: list[ActOut]
    next: str | None
