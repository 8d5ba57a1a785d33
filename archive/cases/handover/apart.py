"""Which decisions about a request a person may take, and who else may: asked before anybody tries.

A decision itself asks again (:mod:`archive.separation`), with the ledger of that moment. This answers from
the same entries by the same rule, so that a page can say beforehand that it would be refused, and why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archive.cases.handover.requests import RequestFile
from archive.cases.requests.separation import authors
from archive.cases.requests.transitions import RequestAct, possible
from archive.errors import Refused
from archive.records.ledger.streams import Ledger
from archive.records.relations import relations_of
from archive.separation import Decision, check_separation

DECISIONS: Mapping[RequestAct, Decision] = MappingProxyType(
    {
        RequestAct.APPROVE: Decision.REQUEST_APPROVE,
        RequestAct.REJECT: Decision.REQUEST_REJECT,
        RequestAct.RAISE_LIMIT: Decision.REQUEST_RAISE_LIMIT,
        RequestAct.HAND_OVER: Decision.REQUEST_HAND_OVER,
        RequestAct.CLOSE: Decision.REQUEST_CLOSE,
    }
)
"""The acts that take another person than those before."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Whether a person may decide now. ``refused`` is why not; ``others`` are candidates who may instead."""

    act: RequestAct
    refused: Refused | None
    others: tuple[str, ...] = ()


def chances(
    ledger: Ledger, file: RequestFile, person: str, candidates: Iterable[str], at: int, *, most: int = 5
) -> Sequence[Chance]:
    """One chance for each decision that the state of the request allows.

    ``candidates`` are read only where the person may not; ``most`` bounds how many of them are named.

    Raises:
        Unavailable: the ledger does not answer. IntegrityError, Malformed: a stream is unreadable.
    """
    rule = _Rule(ledger, at)
    found: list[Chance] = []
    others: dict[tuple[str, ...], tuple[str, ...]] = {}
    for act in possible(file.status):
        if act not in DECISIONS:
            continue
        before = _before(act, file)
        refused = rule.refusal(act, person, before)
        if refused is not None and before not in others:
            others[before] = rule.first(act, candidates, before, most)
        found.append(Chance(act, refused, () if refused is None else others[before]))
    return found


def _before(act: RequestAct, file: RequestFile) -> tuple[str, ...]:
    """Everybody who must be another person than who does the act."""
    match act:
        case RequestAct.HAND_OVER:
            return tuple(dict.fromkeys((*file.askers, *file.deciders)))
        case RequestAct.CLOSE:
            return tuple(file.askers)
    return authors(file.entries)


@dataclass(frozen=True, slots=True)
class _Rule:
    ledger: Ledger
    at: int

    def refusal(self, act: RequestAct, person: str, before: tuple[str, ...]) -> Refused | None:
        try:
            relations = relations_of(self.ledger, (person, *before))
            check_separation(DECISIONS[act], person, before, relations, self.at)
        except Refused as refused:
            return refused
        return None

    def first(
        self, act: RequestAct, candidates: Iterable[str], before: tuple[str, ...], most: int
    ) -> tuple[str, ...]:
        named: list[str] = []
        for one in candidates:
            if len(named) == most:
                break
            if self.refusal(act, one, before) is None:
                named.append(one)
        return tuple(named)
