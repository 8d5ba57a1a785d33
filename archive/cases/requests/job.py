"""What follows from requests without a person's action: the job ``requests``.

1. A package is requested if an approval stands and its package was not requested (a crash in between).
2. The hold of a request that was rejected or cancelled is released some days later, *by rule*.
3. A hold whose request was never filed, or names another hold, is released an hour later, by rule.

Released by rule means: two entries as for people, ``release_proposed`` by the rule and ``released`` by the
job, both with the request's end as their reason. The two people behind it are in the request's own stream. If
a person changed the hold independently of the request (reviewed, extended or kept it), the job leaves it to
people.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from archive.cases.requests.book import RequestBook, RequestHead
from archive.cases.requests.deciding import Packages
from archive.cases.requests.stream import RequestStream
from archive.errors import Conflict
from archive.ids import is_request_id
from archive.lifecycle.holds.service import HoldHead, Holds
from archive.model.hold import HoldStatus
from archive.model.request import ENDED, Request, RequestStatus
from archive.records.ledger.streams import Entry
from archive.timespan import HOUR, format_instant

JOB = "job:requests"
RULE = "rule:requests"
ORPHAN_AFTER = HOUR


@dataclass(frozen=True, slots=True)
class Following:
    """The job over one archive. ``release_after`` (µs): how long the hold outlives a refused request."""

    stream: RequestStream
    holds: Holds
    packages: Packages
    release_after: int

    def run(self) -> int:
        """Do what is due; returns the number of things done.

        Raises:
            Unavailable: a store does not answer.
            IntegrityError, Malformed: a hold or request cannot be read; then nothing is released.
        """
        heads = {head.request.id: head for head in self._book.requests()}
        asked = sum(self._ask(head) for head in heads.values())
        return asked + sum(self._release(hold, heads) for hold in self.holds.holds())

    @property
    def _book(self) -> RequestBook:
        return self.stream.book

    def _ask(self, head: RequestHead) -> int:
        request = head.request
        if request.status is not RequestStatus.APPROVED or head.evidence is not None:
            return 0
        fresh = self._book.request(request.id)  # the listed entry may be a second old
        decision = fresh.request.decision
        if fresh.request.status is not RequestStatus.APPROVED or decision is None or fresh.evidence:
            return 0
        self.packages.ask(fresh.request, decision.entry_sha256)
        return 1

    def _release(self, head: HoldHead, heads: dict[str, RequestHead]) -> int:
        case = head.hold.case
        if not head.hold.in_force or not is_request_id(case):
            return 0
        listed = heads.get(case)
        why = self._why(head, None if listed is None else listed.request)
        if why is None or not _is_ours(self.holds.history(head.hold.id), case):
            return 0
        return self._let_go(head, why)

    def _why(self, head: HoldHead, request: Request | None) -> str | None:
        """Why the hold is to be released now; None if it is not."""
        now, hold = self.stream.clock.now(), head.hold
        if request is None or request.hold_id != hold.id:
            if now < head.entry.at + ORPHAN_AFTER:
                return None
            return f"{hold.case} was never filed with this hold"
        if request.status not in ENDED or request.ended_at is None:
            return None
        if now < request.ended_at + self.release_after:
            return None
        last = self._end_of(request)
        return f"{hold.case} {request.status.value} by {last.actor} at {format_instant(last.at)}"

    def _end_of(self, request: Request) -> Entry:
        """The entry that ended the request."""
        return self.stream.history(request.id)[-1]

    def _let_go(self, head: HoldHead, why: str) -> int:
        try:
            if head.hold.status is HoldStatus.ACTIVE:
                head = self.holds.propose_release(head.hold.id, actor=RULE, reason=why)
            self.holds.approve_release(head.hold.id, actor=JOB, expected=head.entry.version)
        except Conflict:
            return 0  # a person changed the hold this moment; the next turn looks again
        return 1


def _is_ours(history: Iterable[Entry], case: str) -> bool:
    """Whether only the request and the rule have changed the hold."""
    for entry in history:
        if entry.action == "hold.placed" or (
            entry.action == "hold.extended" and entry.reason.startswith(case)
        ):
            continue
        if entry.action == "hold.release_proposed" and entry.actor == RULE:
            continue
        return False
    return True
