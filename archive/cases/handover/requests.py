"""The request as a handover sees it, and the entries that a handover adds to its stream.

A handover's papers are objects. The request's stream decides which of them count, by the ``reason`` of three
entries: ``request.handed_over`` and ``request.received`` name the handover's number and the paper's SHA-256,
``request.closed`` the closing's. A paper that no entry names comes from an attempt that crashed or came
second. It means nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archive.cases.requests.transitions import ENDS, RequestAct, after
from archive.errors import Conflict, IntegrityError, NotFound, Unavailable
from archive.evidence import jobs
from archive.ids import check_request_id
from archive.lifecycle.holds.service import Documents
from archive.model.evidence import EvidenceRecord, EvidenceStatus
from archive.model.request import (
    KIND,
    Request,
    RequestStatus,
    from_state,
    public_state,
    shown_status,
    to_state,
)
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import relations_of
from archive.separation import Decision, check_separation

_ASKING = frozenset({RequestAct.FILE.action, RequestAct.AMEND.action})
_NAMED = re.compile(r"handover (\d{1,4}): sha256 ([0-9a-f]{64})\Z", re.ASCII)
_CLOSING = re.compile(r"closing: sha256 ([0-9a-f]{64})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Named:
    """A paper that an entry names: its handover's number (0 for a closing), and its SHA-256."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A request with its history, and its package."""

    entries: Sequence[Entry]
    request: Request
    package: EvidenceRecord | None

    @property
    def entry(self) -> Entry:
        """The newest entry."""
        return self.entries[-1]

    @property
    def status(self) -> RequestStatus:
        """The status of the request, with its package taken into account."""
        return shown_status(self.request, None if self.package is None else self.package.status)

    @property
    def given(self) -> Sequence[Named]:
        """The handovers, oldest first."""
        return [
            _named(entry, _NAMED) for entry in self.entries if entry.action == RequestAct.HAND_OVER.action
        ]

    @property
    def received(self) -> Mapping[int, Named]:
        """The receipts, by the number of their handover."""
        found = (_named(entry, _NAMED) for entry in self.entries if entry.action == RequestAct.RECEIVE.action)
        return {one.number: one for one in found}

    @property
    def closing(self) -> Named | None:
        """The closing; None while the request is not closed."""
        found = [_named(entry, _CLOSING) for entry in self.entries if entry.action == RequestAct.CLOSE.action]
        return found[-1] if found else None

    @property
    def askers(self) -> Sequence[str]:
        """Everybody who asked: the requester, and those who filed or amended it, by their actor ids."""
        wrote = [entry.actor for entry in self.entries if entry.action in _ASKING]
        return tuple(dict.fromkeys((self.request.requester.person, *wrote)))

    @property
    def deciders(self) -> Sequence[str]:
        """Everybody who ever decided about it, by their actor ids."""
        decisions = [from_state(entry.id, entry.state).decision for entry in self.entries]
        return tuple(dict.fromkeys(one.by for one in decisions if one is not None))


class RequestFiles:
    """Reads requests, and appends the entries of handovers. Not thread-safe: :meth:`standing`."""

    def __init__(self, ledger: Ledger, records: ObjectStore, index: Documents) -> None:
        self._ledger = ledger
        self._index = index
        self._heads = StrictHeads(ledger, records, KIND, ends=ENDS)

    def find(self, request_id: str, expected: int | None = None) -> RequestFile:
        """A request; ``expected`` is the version that the caller has read, None for the newest.

        Raises:
            Conflict: ``ledger_conflict``: the request has another version by now.
            NotFound: ``request_not_found``.
            IntegrityError: ``ledger_broken``. Malformed: ``bad_id``, ``bad_request_record``.
        """
        entries = tuple(self._ledger.history(KIND, check_request_id(request_id)))
        if not entries:
            raise NotFound(f"there is no request {request_id}", code="request_not_found")
        if expected not in (None, entries[-1].version):
            raise Conflict(
                f"request {request_id} was changed by another person",
                code="ledger_conflict",
                hint="Read it again and repeat the change if it still makes sense.",
            )
        request = from_state(request_id, entries[-1].state)
        package = None
        if request.evidence_id:
            try:
                package = jobs.find(self._ledger, request.evidence_id).record
            except NotFound:
                package = None  # approved a moment ago; sealing is about to be requested
        return RequestFile(entries, request, package)

    def check_apart(self, decision: Decision, actor: str, others: Sequence[str], at: int) -> None:
        """Allow a decision on what others did. Raises as :func:`archive.separation.check_separation`."""
        self.check_each_apart(decision, (actor,), others, at)

    def check_each_apart(
        self, decision: Decision, actors: Sequence[str], others: Sequence[str], at: int
    ) -> None:
        """As :meth:`check_apart` for each of the actors; their relations are read once."""
        relations = relations_of(self._ledger, (*actors, *others))
        for actor in actors:
            check_separation(decision, actor, others, relations, at)

    def standing(self, *status: RequestStatus) -> Mapping[str, Entry]:
        """The newest entries of all requests whose stored status is one of these."""
        return {
            name: entry
            for name, entry in self._heads.refresh().items()
            if entry.state.get("status") in status
        }

    def append(self, file: RequestFile, act: RequestAct, *, actor: str, reason: str) -> None:
        """Append the entry of an act after the entry that was read.

        Raises:
            Conflict: ``request_state``: not in this state; ``ledger_conflict``: another writer was first.
        """
        status = after(act, file.status)
        state = to_state(replace(file.request, status=status))
        entry = self._ledger.append(
            KIND,
            file.request.id,
            state,
            expected=file.entry.version,
            actor=actor,
            action=act.action,
            reason=reason,
        )
        try:
            self._index.put_document(KIND, entry.id, entry.version, public_state(state))
        except Unavailable:
            pass  # the entry stands; the index job writes the document


def naming(number: int, sha256: str) -> str:
    """How an entry names a paper of a handover."""
    return f"handover {number}: sha256 {sha256}"


def naming_closing(sha256: str) -> str:
    """How an entry names the closing."""
    return f"closing: sha256 {sha256}"


def require_sealed(file: RequestFile) -> EvidenceRecord:
    """The sealed and stamped package of a request that may be handed over.

    Raises:
        Conflict: ``not_sealed``; ``not_stamped``: without its token a package proves no time;
            ``request_closed``.
    """
    if file.status is RequestStatus.CLOSED:
        raise Conflict(
            f"{file.request.id} is closed",
            code="request_closed",
            hint="It cannot be handed over any more. File a new request.",
        )
    package = file.package
    if package is None or package.package is None or package.status is EvidenceStatus.SEAL_FAILED:
        raise Conflict(
            f"{file.request.id} is {file.status.value}",
            code="not_sealed",
            hint="Only a sealed package can be handed over.",
        )
    if package.package.gen_time is None:
        raise Conflict(
            f"{package.request.evidence_id} is sealed but has no time stamp yet",
            code="not_stamped",
            hint="The worker keeps asking the authority: saksi work --once seal",
        )
    return package


def _named(entry: Entry, form: re.Pattern[str]) -> Named:
    match = form.match(entry.reason)
    if match is None:
        raise IntegrityError(
            f"{entry.key} does not name a paper of a handover",
            code="bad_handover",
            hint="Do not append to it; run saksi archive check and call the auditor.",
        )
    return Named(int(match[1]), match[2]) if form is _NAMED else Named(0, match[1])
