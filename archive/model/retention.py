"""Retention policies: how long footage must be kept, and after how long it must be destroyed.

A policy belongs to a *scope*: the whole city (``default``), one kind of owner, one kecamatan or one camera.
The most specific scope that has terms in force wins (camera, then kecamatan, then owner, then default). Each
set of *terms* comes into force at its own instant, so a stream's newest entry holds the terms in force and
the terms that will follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name
from archive.model.camera import OwnerKind, Place
from archive.timespan import format_instant, parse_instant

KIND = "policy"
"""The ledger kind of policies; a stream's id is :attr:`Scope.id`."""

MAX_DAYS = 36_500


class OnPressure(StrEnum):
    """What may happen to footage past its minimum term when the store runs full."""

    KEEP = "keep"
    DISPOSE_PAST_MINIMUM = "dispose_past_minimum"


class ScopeKind(StrEnum):
    """The kinds of scope, least specific first."""

    DEFAULT = "default"
    OWNER = "owner"
    KECAMATAN = "kecamatan"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one policy applies to; ``value`` is "" for the default.

    Raises:
        Malformed: ``bad_scope``.
    """

    kind: ScopeKind
    value: str = ""

    def __post_init__(self) -> None:
        if (self.kind is ScopeKind.DEFAULT) != (self.value == ""):
            raise _bad_scope(f"{self.kind.value}:{self.value}")
        if self.kind is ScopeKind.OWNER and self.value not in set(OwnerKind):
            raise _bad_scope(f"{self.kind.value}:{self.value}")
        if self.value:
            check_name(f"{self.kind.value} scope", self.id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``default``, ``owner:business``, ``kecamatan:73.71.13`` or ``camera:cam-1``."""
        kind, _, value = text.partition(":")
        try:
            return cls(ScopeKind(kind), value)
        except ValueError as error:
            raise _bad_scope(text) from error

    @property
    def id(self) -> str:
        """The id of the policy's ledger stream."""
        return self.kind.value if not self.value else f"{self.kind.value}-{self.value}"

    def __str__(self) -> str:
        return self.kind.value if not self.value else f"{self.kind.value}:{self.value}"

    def admits(self, camera: str, place: Place | None) -> bool:
        """Whether footage of the camera, recorded at that place, falls under this scope."""
        match self.kind:
            case ScopeKind.DEFAULT:
                return True
            case ScopeKind.OWNER:
                return place is not None and place.owner.value == self.value
            case ScopeKind.KECAMATAN:
                return place is not None and place.kecamatan == self.value
            case ScopeKind.CAMERA:
                return camera == self.value


def _bad_scope(text: str) -> Malformed:
    return Malformed(
        f"{text!r} is not the scope of a policy",
        code="bad_scope",
        hint="Write default, owner:business, kecamatan:73.71.13 or camera:ID.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long footage is kept, counted from a segment's start, and when these terms are in force.

    Footage is locked for ``keep_days_min`` and must be destroyed after ``keep_days_max``; None there means
    that this policy destroys nothing. ``effective_until`` is None if the terms have no end. ``on_pressure``
    says whether footage past its minimum may be destroyed when the store runs full.

    Raises:
        Malformed: ``bad_terms``.
    """

    keep_days_min: int
    keep_days_max: int | None
    basis: str
    effective_from: int
    effective_until: int | None = None
    on_pressure: OnPressure = OnPressure.KEEP

    def __post_init__(self) -> None:
        longest = self.keep_days_max
        if not 1 <= self.keep_days_min <= MAX_DAYS or (
            longest is not None and not self.keep_days_min <= longest <= MAX_DAYS
        ):
            raise Malformed(
                f"footage cannot be kept at least {self.keep_days_min} and at most {longest} days",
                code="bad_terms",
                hint=f"Give 1 ≤ keep_days_min ≤ keep_days_max ≤ {MAX_DAYS}.",
            )
        if self.effective_until is not None and self.effective_until <= self.effective_from:
            raise Malformed("the terms end before they begin", code="bad_terms")

    def in_force(self, at: int) -> bool:
        """Whether these terms are in force at the instant."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Terms that wait for a second admin, because under them footage would be destroyed sooner.

    ``terms`` is None if the proposal withdraws the policy.
    """

    terms: Terms | None
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One scope's terms, in order of ``effective_from``; if several are in force, the last one counts."""

    scope: Scope
    terms: tuple[Terms, ...]
    proposal: Proposal | None = None

    def in_force(self, at: int) -> Terms | None:
        """The terms in force at the instant, if any."""
        return next((terms for terms in reversed(self.terms) if terms.in_force(at)), None)


def to_state(policy: Policy) -> JsonObject:
    """The policy as its ledger entry holds it."""
    proposal = policy.proposal
    return {
        "scope": str(policy.scope),
        "terms": [terms_to_json(terms) for terms in policy.terms],
        "proposal": None
        if proposal is None
        else {
            "terms": None if proposal.terms is None else terms_to_json(proposal.terms),
            "by": proposal.by,
            "at": format_instant(proposal.at),
        },
    }


def from_state(state: Mapping[str, Any]) -> Policy:
    """Read a policy back. Raises Malformed ``bad_policy``."""
    try:
        proposal = state["proposal"]
        return Policy(
            scope=Scope.parse(state["scope"]),
            terms=tuple(terms_from_json(terms) for terms in state["terms"]),
            proposal=None
            if proposal is None
            else Proposal(
                terms=None if proposal["terms"] is None else terms_from_json(proposal["terms"]),
                by=proposal["by"],
                at=parse_instant(proposal["at"]),
            ),
        )
    except (KeyError, TypeError, AttributeError, Malformed) as error:
        raise Malformed(f"a policy cannot be read: {error}", code="bad_policy") from error


def terms_to_json(terms: Terms) -> JsonObject:
    """Terms as the ledger, the API and plans write them."""
    until = terms.effective_until
    return {
        "keep_days_min": terms.keep_days_min,
        "keep_days_max": terms.keep_days_max,
        "basis": terms.basis,
        "effective_from": format_instant(terms.effective_from),
        "effective_until": None if until is None else format_instant(until),
        "on_pressure": terms.on_pressure.value,
    }


def terms_from_json(value: Mapping[str, Any]) -> Terms:
    """Read terms back. Raises Malformed, KeyError or TypeError."""
    until = value["effective_until"]
    pressure = value.get("on_pressure", OnPressure.KEEP.value)
    if pressure not in set(OnPressure):
        raise Malformed(f"{pressure!r} is not a value of on_pressure", code="bad_terms")
    return Terms(
        keep_days_min=value["keep_days_min"],
        keep_days_max=value["keep_days_max"],
        basis=value["basis"],
        effective_from=parse_instant(value["effective_from"]),
        effective_until=None if until is None else parse_instant(until),
        on_pressure=OnPressure(pressure),
    )
