"""Closing a request that was handed over, and deciding about its hold.

1. The closing is put as an object. It names the reason, and whether the hold stays or goes.
2. The entry ``request.closed`` names that object. From here on nothing can be fetched.
3. The hold is released, or reviewed. After a crash before this step, :meth:`Closings.settle` does it.
"""

from dataclasses import dataclass
from typing import Protocol

from archive.canonical import JsonObject
from archive.cases.handover.reading import Shelf
from archive.cases.handover.requests import Named, RequestFile, RequestFiles, naming_closing
from archive.cases.requests.transitions import RequestAct
from archive.clock import Clock
from archive.errors import Conflict, Malformed
from archive.lifecycle.holds.service import HoldHead
from archive.model.handover import MAX_TEXT, HoldAfter, check_text
from archive.model.hold import HoldStatus
from archive.model.request import RequestStatus
from archive.separation import Decision
from archive.timespan import format_instant, parse_instant

BY_RULE = "rule:request-closed"
"""The actor that approves the release of a closed request's hold: three people have acted by then."""


class HoldDesk(Protocol):
    """What closing needs of legal holds; :class:`archive.lifecycle.holds.service.Holds` provides it."""

    def hold(self, hold_id: str) -> HoldHead:
        """One hold. Raises NotFound ``hold_not_found``."""
        ...

    def review(self, hold_id: str, *, review_at: int, actor: str, reason: str) -> HoldHead:
        """Keep the hold, and set its next review."""
        ...

    def propose_release(self, hold_id: str, *, actor: str, reason: str) -> HoldHead:
        """Propose the release."""
        ...

    def approve_release(self, hold_id: str, *, actor: str, expected: int | None = None) -> HoldHead:
        """Approve the release."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Why a request was closed, and what happens to its hold; ``review_at`` (µs) if the hold stays."""

    request_id: str
    by: str
    at: int
    reason: str
    hold: HoldAfter
    review_at: int | None


class Closings:
    """The closings of one archive. :meth:`settle` is for one thread."""

    def __init__(self, files: RequestFiles, shelf: Shelf, holds: HoldDesk, clock: Clock) -> None:
        self._files = files
        self._shelf = shelf
        self._holds = holds
        self._clock = clock
        self._settled: set[str] = set()

    def close(
        self,
        request_id: str,
        *,
        actor: str,
        hold: HoldAfter,
        reason: str,
        review_at: int | None = None,
        expected: int | None = None,
    ) -> Closing:
        """Close a request that was handed over, and release its hold or keep it.

        Raises:
            NotFound: ``request_not_found``, ``handover_not_found``.
            Refused: ``same_person``: the person who asked may not close; ``person_unknown``,
                ``persons_tied``, ``host_unlinked``: as :func:`archive.separation.check_separation`.
            Conflict: ``request_closed``, ``not_received`` while the recipient may still fetch and confirm,
                ``ledger_conflict``.
            Malformed: ``bad_handover_request``: no reason, or a hold that stays without a future review.
        """
        file = self._files.find(request_id, expected)
        if file.status is RequestStatus.CLOSED:
            raise Conflict(f"{request_id} is already closed", code="request_closed")
        now = self._clock.now()
        self._files.check_apart(Decision.REQUEST_CLOSE, actor, file.askers, now)
        found = self._shelf.newest(file)
        if found.receipt is None and now < found.right.until:
            raise Conflict(
                f"the receipt of {found.right.evidence_id} is not confirmed",
                code="not_received",
                hint=f"Wait for it; after {format_instant(found.right.until)} you can close without it.",
            )
        wanted = hold is HoldAfter.KEEP
        if wanted != (review_at is not None) or (review_at is not None and review_at <= now):
            raise Malformed(
                "a hold that stays needs a future review, and a released hold must have no review",
                code="bad_handover_request",
                hint="Give review_at with hold 'keep', and only with it.",
            )
        closing = Closing(
            request_id=request_id,
            by=actor,
            at=now,
            reason=check_text("reason", reason, needed=True),
            hold=hold,
            review_at=review_at,
        )
        digest = self._shelf.put(found.right, "closing", _closing_state(closing))
        self._files.append(file, RequestAct.CLOSE, actor=actor, reason=naming_closing(digest))
        self._settle(self._files.find(request_id))
        return closing

    def closing(self, request_id: str) -> Closing | None:
        """How a request was closed; None if it is open. Raises NotFound ``request_not_found``."""
        file = self._files.find(request_id)
        return None if file.closing is None else self._closing(file, file.closing)

    def settle(self) -> int:
        """Settle the holds of closed requests; returns how many were settled."""
        done = 0
        for name, entry in self._files.standing(RequestStatus.CLOSED).items():
            if entry.digest not in self._settled:
                done += self._settle(self._files.find(name))
                self._settled.add(entry.digest)
        return done

    def _settle(self, file: RequestFile) -> int:
        """Step 3 of closing, unless it is done. Returns 1 if something was done, else 0."""
        if file.closing is None or not file.request.hold_id:
            return 0
        closing = self._closing(file, file.closing)
        head = self._holds.hold(file.request.hold_id)
        if not head.hold.in_force:
            return 0
        if closing.hold is HoldAfter.KEEP:
            if closing.review_at is None or head.hold.review_at >= closing.review_at:
                return 0
            self._holds.review(
                head.hold.id, review_at=closing.review_at, actor=closing.by, reason=closing.reason
            )
            return 1
        if head.hold.status is not HoldStatus.RELEASE_PROPOSED:
            why = f"{file.request.id} is closed: {closing.reason}"[:MAX_TEXT]
            head = self._holds.propose_release(head.hold.id, actor=closing.by, reason=why)
        self._holds.approve_release(head.hold.id, actor=BY_RULE, expected=head.entry.version)
        return 1

    def _closing(self, file: RequestFile, named: Named) -> Closing:
        state = self._shelf.read(file, Named(file.given[-1].number, named.sha256), "closing")
        try:
            review_at = state["review_at"]
            return Closing(
                request_id=state["request_id"],
                by=state["by"],
                at=parse_instant(state["at"]),
                reason=state["reason"],
                hold=HoldAfter(state["hold"]),
                review_at=parse_instant(review_at) if review_at else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"a closing cannot be read: {error}", code="bad_handover") from error


def _closing_state(closing: Closing) -> JsonObject:
    return {
        "v": 1,
        "request_id": closing.request_id,
        "by": closing.by,
        "at": format_instant(closing.at),
        "reason": closing.reason,
        "hold": closing.hold.value,
        "review_at": "" if closing.review_at is None else format_instant(closing.review_at),
    }
