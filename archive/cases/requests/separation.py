"""Three people: one asks, one approves, one hands over. And whether an approval matches the present request.

The entries themselves show who did what; a state's statement about itself does not count. The job that seals
checks it again (:func:`check_approval`): a key that can write entries cannot thereby make packages.
"""

from collections.abc import Iterable, Sequence

from archive.cases.requests.transitions import RequestAct
from archive.errors import Refused
from archive.ids import check_request_id, check_sha256
from archive.model.evidence import PackageKind
from archive.model.request import ENDED, KIND, Request, RequestStatus, Verdict, from_state
from archive.persons import same_person
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import relations_of
from archive.separation import Decision, check_separation

_AUTHORING = frozenset({RequestAct.FILE.action, RequestAct.AMEND.action})
_UNCHANGED = frozenset(
    {
        RequestAct.COMMENT.action,
        RequestAct.ATTACH.action,
        RequestAct.ADD_LETTER.action,
        RequestAct.HAND_OVER.action,
        RequestAct.RECEIVE.action,
        RequestAct.CLOSE.action,
    }
)


def authors(history: Iterable[Entry]) -> tuple[str, ...]:
    """Everybody who filed or amended the request."""
    return tuple(dict.fromkeys(entry.actor for entry in history if entry.action in _AUTHORING))


def approvers(history: Iterable[Entry]) -> tuple[str, ...]:
    """Everybody who ever approved it."""
    return tuple(dict.fromkeys(entry.actor for entry in history if entry.action == RequestAct.APPROVE.action))


def check_approval(
    ledger: Ledger,
    request_id: str,
    entry_sha256: str,
    *,
    evidence_id: str = "",
    kind: PackageKind | None = None,
) -> Request:
    """Check that a package may be sealed for a request, and return the request as it was approved.

    That is the state of the approval's entry, so that it is the same however often a package is begun.

    ``entry_sha256`` is the entry that was approved, as the package's own request names it. ``evidence_id``,
    if given, must be the package that the approval chose, and ``kind`` the kind that it approved.

    Raises:
        NotFound: ``request_not_found``.
        Refused: ``approval_missing``: nobody approved that entry; ``approval_void``: it was amended, rejected
            or cancelled since; as :func:`archive.separation.check_separation` by the relations at the time of
            the approval: the approver had filed or amended it, or was tied to a person who had.
        IntegrityError: ``ledger_broken``, ``bad_entry``.
        Malformed: ``bad_id``, ``bad_request_record``.
    """
    head = ledger.head(KIND, check_request_id(request_id))
    history = list(ledger.history(KIND, request_id))
    bound = _at(history, check_sha256(entry_sha256))
    if bound is None:
        raise _missing(request_id)
    approval = history[bound + 1] if bound + 1 < len(history) else None
    if approval is None or approval.action != RequestAct.APPROVE.action:
        raise _missing(request_id)
    asked, approved = (from_state(request_id, history[at].state) for at in (bound, bound + 1))
    decision = approved.decision
    if (
        decision is None
        or decision.outcome is not Verdict.APPROVED
        or decision.entry_sha256 != entry_sha256
        or not same_person(decision.by, approval.actor)
    ):
        raise _missing(request_id)
    asked_by = authors(history[: bound + 1])
    relations = relations_of(ledger, (approval.actor, *asked_by), until=approval.at)
    check_separation(Decision.REQUEST_APPROVE, approval.actor, asked_by, relations, approval.at)
    now = from_state(request_id, head.state)
    since = {entry.action for entry in history[bound + 2 :]}
    stands = (
        head.digest == history[-1].digest
        and since <= _UNCHANGED
        and now.status not in ENDED | {RequestStatus.SUBMITTED}
        and now.decision == decision
        and asked.substance == approved.substance == now.substance
        and evidence_id in ("", now.evidence_id)
        and kind in (None, decision.kind)
    )
    if not stands:
        raise Refused(
            f"the approval of {request_id} is void",
            code="approval_void",
            hint="It was amended, rejected or cancelled since. Approve its present version.",
        )
    return approved


def _at(history: Sequence[Entry], digest: str) -> int | None:
    return next((at for at, entry in enumerate(history) if entry.digest == digest), None)


def _missing(request_id: str) -> Refused:
    return Refused(
        f"nobody approved this version of {request_id}",
        code="approval_missing",
        hint="A package is sealed only after its request is approved.",
    )
