"""Retention policies and plans as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from api.parameters import instant
from api.schemas.examples import DECIDED, FROM, HASH, PERWALI
from api.schemas.people import People
from archive.lifecycle.retention.basis import Change
from archive.lifecycle.retention.service import scope_of
from archive.model.retention import MAX_DAYS, OnPressure, Scope, Terms

Short = Annotated[str, StringConstraints(max_length=500)]
Time = Annotated[str, StringConstraints(max_length=64)]
Days = Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)]


class TermsOut(BaseModel):
    """How long to keep, and the period of validity; null means never destroyed, and without end."""

    keep_days_min: int = Field(examples=[30])
    keep_days_max: int | None = Field(examples=[90])
    basis: str = Field(examples=[PERWALI])
    effective_from: str = Field(examples=[DECIDED])
    effective_until: str | None = Field(examples=[None])
    on_pressure: OnPressure


class ProposalOut(BaseModel):
    """A shortening that waits for a second admin; ``terms`` is null if the policy would be withdrawn."""

    withdraws: bool
    terms: TermsOut | None
    by: str = Field(examples=["user:citra"])
    at: str = Field(examples=[FROM])


class PolicyOut(BaseModel):
    """One scope's policy: its terms in force, terms decided that begin later, and a proposal."""

    scope: str = Field(examples=["kecamatan:73.71.01"])
    id: str = Field(examples=["kecamatan-73.71.01"])
    version: int = Field(examples=[1])
    in_force: TermsOut | None
    waiting: list[TermsOut]
    proposal: ProposalOut | None
    changed_at: str = Field(examples=[DECIDED])
    changed_by: str = Field(examples=["user:citra"])
    reason: str = Field(examples=["Rapat 7"])


class PolicyEntryOut(BaseModel):
    """One change of a policy."""

    version: int = Field(examples=[1])
    at: str = Field(examples=[FROM])
    actor: str = Field(examples=["user:citra"])
    action: str = Field(examples=["hold.placed"])
    reason: str = Field(examples=["lengkap"])


class PolicyWithHistoryOut(PolicyOut):
    """A policy and every change of it, oldest first."""

    history: list[PolicyEntryOut]
    people: People


class PoliciesOut(BaseModel):
    """Every policy, by id.

    Everything is kept for ``floor_days``, whatever policies say; an approved shortening begins after
    ``wait_hours``. ``as_of`` is the time until which the index has what every process wrote; null if no job
    follows it.
    """

    policies: list[PolicyOut]
    people: People
    floor_days: int = Field(examples=[30])
    wait_hours: int = Field(examples=[24])
    as_of: str | None = Field(examples=[DECIDED])


class ScopeTermsOut(BaseModel):
    """A scope that a camera's footage falls into, and its terms in force, if any."""

    scope: str = Field(examples=["kecamatan:73.71.01"])
    terms: TermsOut | None


class ExplanationOut(BaseModel):
    """Why a camera's footage is kept as long as it is. ``wins`` is null if no policy is in force."""

    camera: str = Field(examples=["cam-1"])
    at: str = Field(examples=[FROM])
    kecamatan: str | None = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    owner: str | None = Field(examples=["public"])
    wins: str | None = Field(examples=["kecamatan:73.71.01"])
    keep_days_min: int = Field(examples=[30])
    keep_days_max: int | None = Field(examples=[90])
    scopes: list[ScopeTermsOut]


class TermsIn(BaseModel):
    """Terms to adopt; ``keep_days_max`` null means that nothing is destroyed.

    They begin now and never end unless the times say so.
    """

    model_config = ConfigDict(extra="forbid")

    keep_days_min: Days = Field(examples=[30])
    keep_days_max: Days | None = Field(examples=[90])
    basis: Short = Field(examples=[PERWALI])
    effective_from: Time | None = Field(None, examples=[DECIDED])
    effective_until: Time | None = Field(None, examples=[None])
    on_pressure: OnPressure = OnPressure.KEEP

    def terms(self, now: int) -> Terms:
        """The archive's form of the terms. Raises Malformed ``bad_terms``, ``naive_time``, ``bad_time``."""
        begins = self.effective_from
        ends = self.effective_until
        return Terms(
            keep_days_min=self.keep_days_min,
            keep_days_max=self.keep_days_max,
            basis=self.basis,
            effective_from=now if begins is None else instant("effective_from", begins),
            effective_until=None if ends is None else instant("effective_until", ends),
            on_pressure=self.on_pressure,
        )


class ProposeIn(TermsIn):
    """Terms to adopt, and why."""

    reason: Short = Field(examples=["Rapat 7"])


class ApprovalReason(BaseModel):
    """A reason, if any; it is recorded. The version in If-Match is what is approved."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field("", examples=["lengkap"])


class PolicyReason(BaseModel):
    """The reason; it is recorded."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = Field(examples=["Rapat 9"])


class ChangeIn(BaseModel):
    """Terms that are not decided, to see their effect."""

    model_config = ConfigDict(extra="forbid")

    scope: Short = Field(examples=["kecamatan:73.71.01"])
    terms: TermsIn

    def change(self, now: int) -> Change:
        """The archive's form of the change. Raises Malformed ``bad_scope``, ``bad_terms``."""
        scope: Scope = scope_of(self.scope)
        return Change(scope, self.terms.terms(now))


class PlanIn(BaseModel):
    """What to plan: at an instant (default now), for some cameras (default all), with a change or without."""

    model_config = ConfigDict(extra="forbid")

    at: Time | None = Field(None, examples=["2026-12-01T00:00:00+08:00"])
    cameras: list[Annotated[str, StringConstraints(max_length=63)]] | None = Field(None, examples=[["cam-1"]])
    change: ChangeIn | None = None


class AmountOut(BaseModel):
    """Segments and their bytes."""

    segments: int = Field(examples=[60])
    bytes: int = Field(examples=[31457280])


class ShareOut(BaseModel):
    """Footage past its term: to be destroyed, kept by a hold, kept by a longer lock, or at an edge.

    ``edge`` is decided segment by segment: at least ``goes``, at most both together will be destroyed.
    """

    goes: AmountOut
    held: AmountOut
    locked: AmountOut
    edge: AmountOut
    approximate: bool


class CameraShareOut(ShareOut):
    """One camera's share."""

    camera: str = Field(examples=["cam-1"])


class DayShareOut(CameraShareOut):
    """One camera's share of one day, in the city's time zone."""

    day: str = Field(examples=["2026-11-24"])


class SizeOut(BaseModel):
    """The store's size at the end of a day, the bytes that go on it, and those that only a hold keeps.

    The first day has all that is due by its end.
    """

    day: str = Field(examples=["2026-11-24"])
    bytes: int = Field(examples=[31457280])
    goes: int = Field(examples=[524288])
    held: int = Field(examples=[0])


class PlannedChangeOut(BaseModel):
    """The change a plan was made with, and whether a second person would have to approve it."""

    scope: str = Field(examples=["kecamatan:73.71.01"])
    terms: TermsOut
    shortens: bool


class PlanOut(BaseModel):
    """What would be destroyed at ``at``. ``digest`` identifies it; ``policies`` are the versions used."""

    id: str = Field(examples=["plan-9f86d081884c7d65"])
    digest: str = Field(examples=[HASH])
    at: str = Field(examples=[FROM])
    made_at: str = Field(examples=[DECIDED])
    policies: dict[str, int] = Field(examples=[{"kecamatan-73.71.01": 3}])
    change: PlannedChangeOut | None
    cameras: int = Field(examples=[1])
    stored: AmountOut
    total: ShareOut
    by_camera: list[CameraShareOut]
    days: list[DayShareOut]
    projected: list[SizeOut]
