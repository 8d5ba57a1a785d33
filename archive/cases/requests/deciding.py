"""Approving, rejecting, raising a limit: what the War Room does, by a person who did not ask.

**Approve** 1 the checks: another person, the version that they read, a span that is over, and footage that
exists (or does not exist, where the package is to state its absence) · 2 the ledger entry, bound to the
SHA-256 of the entry that was read; it chooses the id of the package · 3 the caller records it in the custody
log · 4 the package is requested under that id. After a crash before 4 the job requests it; requesting twice
has the effect of once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from archive.cases.requests.book import RequestHead
from archive.cases.requests.limits import Limits
from archive.cases.requests.separation import authors
from archive.cases.requests.stream import RequestStream, text_of
from archive.cases.requests.transitions import RequestAct, after
from archive.errors import Conflict, Malformed, Unavailable
from archive.ids import new_evidence_id
from archive.model.evidence import PackageKind
from archive.model.request import Decision, Request, Verdict
from archive.records.relations import Separation
from archive.separation import Decision as SeparatedDecision
from archive.timespan import Timespan

MAX_LIMIT_HOURS = 10_000


class Packages(Protocol):
    """Sealing, as requests need it."""

    def check(self, cameras: Sequence[str], span: Timespan, kind: PackageKind) -> None:
        """Check that a package of this kind can be made: that there is footage, or that there is none.

        Raises:
            NoFootage: ``no_footage``. Unavailable: the index or the store does not answer.
            Refused: ``footage_exists``, ``footage_pending``.
        """
        ...

    def ask(self, request: Request, entry_sha256: str) -> None:
        """Request the package that the approval chose; does nothing if it was requested already."""
        ...


class Deciding:
    """What the War Room does. Thread-safe."""

    def __init__(self, stream: RequestStream, packages: Packages, limits: Limits) -> None:
        self._stream = stream
        self._packages = packages
        self._limits = limits
        self._separation = Separation(stream.ledger, stream.clock)

    def limit_of(self, request: Request) -> int:
        """The camera-hours that a request may keep: the setting, or what it was raised to."""
        return max(request.limit_camera_hours, self._limits.per_request)

    def approve(
        self,
        request_id: str,
        *,
        by: str,
        name: str,
        expected: int,
        reason: str = "",
        kind: PackageKind = PackageKind.FOOTAGE,
        tell: Callable[[RequestHead], object] = lambda head: None,
    ) -> RequestHead:
        """Approve the entry that was read, report it, and request the package.

        ``tell`` records the approval in the custody log before anything is made because of it. If it fails,
        the approval stands and the job requests the package. With ``kind`` NO_FOOTAGE the package states,
        under seal, that the archive holds nothing of the requested footage; it is handed over like any other.

        Raises:
            NotFound: ``request_not_found``.
            Conflict: ``ledger_conflict``, ``request_state``, ``span_not_over``.
            NoFootage: ``no_footage`` with the gaps.
            Refused: ``same_person``: a person who filed or amended it cannot approve it; ``person_unknown``,
                ``persons_tied``, ``host_unlinked``: as :func:`archive.separation.check_separation`;
                ``footage_exists``, ``footage_pending``: the statement that there is no footage would be
                untrue.
            ArchiveError: as ``tell``.
        """
        why = text_of(reason, "bad_reason") if reason.strip() else ""
        head = self._stream.at(request_id, expected)
        before, now = head.request, self._stream.clock.now()
        status = after(RequestAct.APPROVE, head.status)
        self._check_other(SeparatedDecision.REQUEST_APPROVE, request_id, by)
        if before.span.end > now:
            raise Conflict(
                "the span is not over yet; its hold is in force",
                code="span_not_over",
                hint="Approve the request after its span ends, or ask the agency for a shorter span.",
            )
        self._packages.check(before.cameras, before.span, kind)
        approved = replace(
            before,
            status=status,
            decision=replace(self._decision(head, by, name, now, Verdict.APPROVED, why), kind=kind),
            evidence_id=new_evidence_id(now),
        )
        done = self._stream.append(approved, expected, RequestAct.APPROVE, actor=by, reason=why)
        tell(done)
        try:
            self._packages.ask(approved, head.entry.digest)
        except Unavailable:
            pass  # The approval stands; the job requests the package. Reporting a failure would be false.
        return done

    def reject(self, request_id: str, *, by: str, name: str, expected: int, reason: str) -> RequestHead:
        """Reject a request; its hold is released some days later.

        Raises:
            NotFound, Conflict, Refused: as :meth:`approve`.
            Malformed: ``reason_missing``.
        """
        why = text_of(reason, "reason_missing")
        head = self._stream.at(request_id, expected)
        now = self._stream.clock.now()
        status = after(RequestAct.REJECT, head.status)
        self._check_other(SeparatedDecision.REQUEST_REJECT, request_id, by)
        changed = replace(
            head.request,
            status=status,
            decision=self._decision(head, by, name, now, Verdict.REJECTED, why),
            ended_at=now,
        )
        return self._stream.append(changed, expected, RequestAct.REJECT, actor=by, reason=why)

    def raise_limit(
        self, request_id: str, *, camera_hours: int, by: str, expected: int, reason: str
    ) -> RequestHead:
        """Let one request keep more camera-hours than the setting; its filer then amends it.

        Raises:
            NotFound, Conflict: as :meth:`approve`.
            Malformed: ``bad_limit``, ``reason_missing``.
        """
        why = text_of(reason, "reason_missing")
        if not self._limits.per_request < camera_hours <= MAX_LIMIT_HOURS:
            raise Malformed(
                f"{camera_hours} camera-hours are not an allowed higher limit",
                code="bad_limit",
                hint=f"Give more than {self._limits.per_request} and at most {MAX_LIMIT_HOURS}.",
            )
        head = self._stream.at(request_id, expected)
        self._check_other(SeparatedDecision.REQUEST_RAISE_LIMIT, request_id, by)
        after(RequestAct.RAISE_LIMIT, head.status)
        changed = replace(head.request, limit_camera_hours=camera_hours)
        return self._stream.append(
            changed, expected, RequestAct.RAISE_LIMIT, actor=by, reason=why, before=head
        )

    def _check_other(self, decision: SeparatedDecision, request_id: str, by: str) -> None:
        self._separation.check(decision, by, authors(self._stream.history(request_id)))

    def _decision(
        self, head: RequestHead, by: str, name: str, now: int, outcome: Verdict, reason: str
    ) -> Decision:
        return Decision(
            by=by,
            name=name,
            at=now,
            outcome=outcome,
            reason=reason,
            entry_sha256=head.entry.digest,
            without_letter=not head.request.letter.is_complete,
        )
