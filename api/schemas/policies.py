"""Retention policies and plans as JSON, in and out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from api.parameters import instant
from archive.lifecycle.retention.basis import Change
from archive.lifecycle.retention.service import scope_of
from archive.model.retention import MAX_DAYS, OnPressure, Scope, Terms

Short = Annotated[str, StringConstraints(max_length=500)]
Time = Annotated[str, StringConstraints(max_length=64)]
Days = Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)]


class TermsOut(BaseModel):
    """How long to keep, and from when to when; null for what never is destroyed and never ends."""

    keep_days_min: int
    keep_days_max: int | None
    basis: str
    effective_from: str
    effective_until: str | None
    on_pressure: OnPressure


class ProposalOut(BaseModel):
    """A shortening that waits for a second admin; ``terms`` is null where the policy would be withdrawn."""

    withdraws: bool
    terms: TermsOut | None
    by: str
    at: str


class PolicyOut(BaseModel):
    """One scope's policy: in force now, decided and waiting to begin, proposed."""

    scope: str
    id: str
    version: int
    in_force: TermsOut | None
    waiting: list[TermsOut]
    proposal: ProposalOut | None
    changed_at: str
    changed_by: str
    reason: str


class PolicyEntryOut(BaseModel):
    """One change of a policy."""

    version: int
    at: str
    actor: str
    action: str
    reason: str


class PolicyWithHistoryOut(PolicyOut):
    """A policy and every change of it, oldest first."""

    history: list[PolicyEntryOut]


class PoliciesOut(BaseModel):
    """Every policy, by id."""

    policies: list[PolicyOut]


class ScopeTermsOut(BaseModel):
    """A scope that admits a camera's footage, and its terms in force, if any."""

    scope: str
    terms: TermsOut | None


class ExplanationOut(BaseModel):
    """Why a camera's footage is kept as long as it is. ``wins`` is null where no policy is in force."""

    camera: str
    at: str
    kecamatan: str | None
    owner: str | None
    wins: str | None
    keep_days_min: int
    keep_days_max: int | None
    scopes: list[ScopeTermsOut]


class TermsIn(BaseModel):
    """Terms to adopt; ``keep_days_max`` null means that nothing is destroyed.

    They begin now and never end unless the times say so.
    """

    model_config = ConfigDict(extra="forbid")

    keep_days_min: Days
    keep_days_max: Days | None
    basis: Short
    effective_from: Time | None = None
    effective_until: Time | None = None
    on_pressure: OnPressure = OnPressure.KEEP

    def terms(self, now: int) -> Terms:
        """The same inside. Raises Malformed ``bad_terms``, ``naive_time``, ``bad_time``."""
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

    reason: Short


class ApprovalReason(BaseModel):
    """Why, if anything is to be said; it goes on record. What is approved is the version in If-Match."""

    model_config = ConfigDict(extra="forbid")

    reason: Short = ""


class PolicyReason(BaseModel):
    """Why; it goes on record."""

    model_config = ConfigDict(extra="forbid")

    reason: Short


class ChangeIn(BaseModel):
    """Terms that nobody decided yet, to see what they would do."""

    model_config = ConfigDict(extra="forbid")

    scope: Short
    terms: TermsIn

    def change(self, now: int) -> Change:
        """The same inside. Raises Malformed ``bad_scope``, ``bad_terms``."""
        scope: Scope = scope_of(self.scope)
        return Change(scope, self.terms.terms(now))


class PlanIn(BaseModel):
    """What to plan: at an instant (now), for some cameras (all), as it is or with a change."""

    model_config = ConfigDict(extra="forbid")

    at: Time | None = None
    cameras: list[Annotated[str, StringConstraints(max_length=63)]] | None = None
    change: ChangeIn | None = None


class AmountOut(BaseModel):
    """Segments and their bytes."""

    segments: int
    bytes: int


class ShareOut(BaseModel):
    """Footage past its term: what goes; what a hold and what a longer lock keeps; what lies at an edge.

    ``edge`` is decided segment by segment: at least ``goes``, at most both together will go.
    """

    goes: AmountOut
    held: AmountOut
    locked: AmountOut
    edge: AmountOut
    approximate: bool


class CameraShareOut(ShareOut):
    """One camera's."""

    camera: str


class DayShareOut(CameraShareOut):
    """One camera's of one of the city's days."""

    day: str


class SizeOut(BaseModel):
    """The store's size at the end of a day."""

    day: str
    bytes: int


class PlannedChangeOut(BaseModel):
    """The change a plan was made with."""

    scope: str
    terms: TermsOut


class PlanOut(BaseModel):
    """What would go at ``at``. ``digest`` names it; ``policies`` are the versions it was made by."""

    id: str
    digest: str
    at: str
    made_at: str
    policies: dict[str, int]
    change: PlannedChangeOut | None
    cameras: int
    stored: AmountOut
    total: ShareOut
    by_camera: list[CameraShareOut]
    days: list[DayShareOut]
    projected: list[SizeOut]
