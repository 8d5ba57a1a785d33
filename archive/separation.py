"""Separation of duties: one rule for every decision that takes a second person.

Nobody decides on what was proposed by themselves, by a person whose account they opened, invited or raised,
or by a person who did that to theirs, within :data:`WINDOW`. The rule is a pure function of the decision, the
people, and the relations between them; :mod:`archive.records.relations` reads those from the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from archive.errors import Refused
from archive.persons import names_person, person_of, unknown_person
from archive.timespan import DAY, format_instant

WINDOW = 30 * DAY
"""How long opening, inviting or raising an account ties two people, in µs."""


class Decision(StrEnum):
    """Every decision that one person may not take on their own proposal, or about themselves."""

    POLICY_APPROVE = "policy_approve"
    HOLD_RELEASE = "hold_release"
    REQUEST_APPROVE = "request_approve"
    REQUEST_REJECT = "request_reject"
    REQUEST_RAISE_LIMIT = "request_raise_limit"
    REQUEST_HAND_OVER = "request_hand_over"
    REQUEST_CLOSE = "request_close"
    BREAK_GLASS_APPROVE = "break_glass_approve"
    ACCOUNT_CONSENT = "account_consent"
    ACCOUNT_CHANGE = "account_change"
    ACCOUNT_LINK = "account_link"
    INVITATION_COMPLETE = "invitation_complete"
    GRANT_GIVE = "grant_give"
    SOUND_ALLOW = "sound_allow"


TAKES_KNOWN_PEOPLE = frozenset(Decision) - {Decision.ACCOUNT_CHANGE, Decision.GRANT_GIVE}
"""Decisions that root, a shared account and a token without a known maker cannot take part in.

The others belong to one person, who only may not decide in their own favour.
"""


@dataclass(frozen=True, slots=True)
class Tie:
    """One person opened, invited or raised the account of another. ``at`` in µs; ``act`` as in the ledger.

    ``by`` are the ids of the person who acted.
    """

    by: frozenset[str]
    account: str
    at: int
    act: str


@dataclass(frozen=True, slots=True)
class Relations:
    """What the ledger knows about the people of one decision.

    ``ids`` has for each actor every id of the person behind it; an empty set for an actor that names no
    person. An actor that is not in it is its own only id.
    """

    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()

    def ids_of(self, actor: str) -> frozenset[str]:
        """Every id of the person behind an actor."""
        return self.ids.get(actor, frozenset({person_of(actor)}))

    def is_known(self, actor: str) -> bool:
        """Whether the actor names a person, or a rule of the archive."""
        return names_person(actor) and bool(self.ids_of(actor))

    def same(self, one: str, other: str) -> bool:
        """Whether two actors are one person. Actors that name no person are one if their ids are equal."""
        return person_of(one) == person_of(other) or bool(self.ids_of(one) & self.ids_of(other))

    def tie(self, one: str, other: str, at: int) -> Tie | None:
        """What tied two people within :data:`WINDOW` before ``at``, or None."""
        mine, theirs = self.ids_of(one), self.ids_of(other)
        for tie in self.ties:
            pairs = ((mine, theirs), (theirs, mine))
            if at - tie.at < WINDOW and any(tie.by & a and tie.account in b for a, b in pairs):
                return tie
        return None

    def free_at(self, one: str, other: str, at: int) -> int | None:
        """The first time from ``at`` on when no tie keeps two people apart; None if they are one person."""
        if self.same(one, other):
            return None
        while tie := self.tie(one, other, at):
            at = tie.at + WINDOW
        return at

    def may_be_one(self, one: str, other: str) -> bool:
        """Whether a person of the host, of whom no account is known, may own the account of the other."""
        mine, theirs = self.ids_of(one), self.ids_of(other)
        return (_is_host_only(mine) and _has_account(theirs)) or (
            _is_host_only(theirs) and _has_account(mine)
        )


def check_separation(
    decision: Decision,
    decider: str,
    proposers: Iterable[str],
    relations: Relations,
    at: int,
    *,
    about: Iterable[str] = (),
) -> None:
    """Allow a decision at ``at`` (µs), or refuse it.

    ``proposers`` are everybody who proposed it. ``about`` are people whom it favours: the decider may not be
    one of them, and no other relation to them counts.

    Raises:
        Refused: ``same_person`` (``own_account``, ``own_grant`` for those decisions): the decider proposed
            it, or it is about them; ``person_unknown``: one of the people is not known; ``host_unlinked``:
            a person of the host, whose account is not known, and an account; ``persons_tied``: one of the
            two opened, invited or raised the account of the other.
    """
    others = tuple(dict.fromkeys(proposers))
    is_for_known = decision in TAKES_KNOWN_PEOPLE
    if is_for_known and not relations.is_known(decider):
        raise unknown_person(decider)
    for other in (*others, *about):
        if relations.same(decider, other):
            raise _own(decision, decider)
    for other in others:
        if is_for_known and not relations.is_known(other):
            raise unknown_person(other)
        if is_for_known and relations.may_be_one(decider, other):
            raise _unlinked(decider, other)
        tie = relations.tie(decider, other, at)
        if tie is not None:
            raise _tied(decider, other, tie)


def check_known(actor: str, relations: Relations) -> None:
    """Require that a proposal for a second person comes from a known person. Raises ``person_unknown``."""
    if not relations.is_known(actor):
        raise unknown_person(actor)


def _is_host_only(ids: frozenset[str]) -> bool:
    return bool(ids) and all(one.startswith("os:") for one in ids)


def _has_account(ids: frozenset[str]) -> bool:
    return any(one.startswith("user:") for one in ids)


def _own(decision: Decision, decider: str) -> Refused:
    match decision:
        case Decision.GRANT_GIVE:
            return Refused(
                "nobody opens footage to themselves or to their own agency",
                code="own_grant",
                hint="Minta orang lain memberikannya. / Ask another person to give it.",
            )
        case Decision.ACCOUNT_CHANGE | Decision.ACCOUNT_LINK:
            return Refused(
                "nobody gives themselves a role, a district, an agency or another name",
                code="own_account",
                hint="Minta administrator lain. / Ask another administrator.",
            )
    return Refused(
        f"{decider} proposed this, or it is about them",
        code="same_person",
        hint="Orang lain harus melakukannya. / Another person must do it.",
    )


def _unlinked(decider: str, other: str) -> Refused:
    return Refused(
        f"{decider} and {other} may be one person: which account the person of the host has is not on record",
        code="host_unlinked",
        hint="Administrator lain mencatatnya: saksi user link AKUN --host NAMA. / Another administrator puts"
        " it on record: saksi user link ACCOUNT --host NAME.",
    )


def _tied(decider: str, other: str, tie: Tie) -> Refused:
    return Refused(
        f"{decider} cannot decide on what {other} proposed: one of them opened, invited or raised the account"
        f" of the other ({tie.act}, {format_instant(tie.at)})",
        code="persons_tied",
        hint=f"Minta orang lain, atau tunggu {WINDOW // DAY} hari sejak itu. / Ask another person, or wait"
        f" {WINDOW // DAY} days from then.",
    )
