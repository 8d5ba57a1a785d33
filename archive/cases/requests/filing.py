"""Filing, amending, adding papers, cancelling: what the asking agency does.

**File** 1 the form is checked, all fields at once · 2 the limits are checked, and the camera-hours about to
be kept are announced · 3 the hold is placed, with the request's id as its case: it is in force from here · 4
the ledger entry: the request exists · 5 the index document. After a crash between 2 and 3 the announcement
counts for ten minutes. After a crash between 3 and 4 the hold stands for a request that was never filed; the
job releases it an hour later (:mod:`archive.cases.requests.job`). A filing that takes longer than five
minutes to reach 4 gives up.

**Amend** as filing, but at 3 the hold grows to cover the changed request; it never shrinks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from archive.cases.requests import limits as camera_hours
from archive.cases.requests.attachments import Attachments
from archive.cases.requests.book import RequestHead
from archive.cases.requests.form import Ground, Judged, RequestForm, judge, judge_letter
from archive.cases.requests.limits import Limits
from archive.cases.requests.reservations import Announced, Reservations
from archive.cases.requests.stream import Filer, RequestStream, bounded, text_of
from archive.cases.requests.transitions import RequestAct, after
from archive.errors import Conflict, NotFound, Unavailable
from archive.ids import new_request_id
from archive.lifecycle.holds.service import Holds
from archive.model.hold import Hold
from archive.model.request import Attachment, AttachmentKind, Letter, Request, RequestStatus
from archive.records.relations import relations_of
from archive.separation import check_known
from archive.timespan import DAY, MINUTE, Timespan

MAX_ATTACHMENTS = 50
FILING_LIMIT = 5 * MINUTE
REVIEW = 90 * DAY

DueAt = Callable[[str, int], int | None]
"""When a camera's footage of an instant must be destroyed by rule, µs; None if no rule destroys it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingRules:
    """Settings of an installation: limits, when an urgent request's letter is due (µs), and the time zone."""

    limits: Limits
    letter_due: int
    max_future: int
    zone: tzinfo


class Filing:
    """What the asking agency does. Thread-safe. ``due_at`` knows the rules that destroy footage."""

    def __init__(
        self,
        stream: RequestStream,
        holds: Holds,
        attachments: Attachments,
        reservations: Reservations,
        rules: FilingRules,
        due_at: DueAt,
    ) -> None:
        self._stream = stream
        self._due_at = due_at
        self._reservations = reservations
        self._holds = holds
        self._attachments = attachments
        self._rules = rules

    def file(self, form: RequestForm, by: Filer) -> RequestHead:
        """File a request; when this returns its hold is in force.

        After an error of the class Unavailable the request may have been filed all the same; the book shows
        it.

        Raises:
            BadForm: ``bad_form`` with every fault.
            TooLarge: ``request_too_large`` with what would fit.
            Refused: ``person_unknown``: the filer is not a known person, so that nobody could decide on the
                request.
        """
        check_known(by.id, relations_of(self._stream.ledger, (by.id,)))
        now = self._stream.clock.now()
        judged = judge(form, self._ground(by, now))
        held_us = len(judged.cameras) * judged.span.duration
        camera_hours.check_request(len(judged.cameras), judged.span, self._rules.limits.per_request)
        papers = self._with_scan((), judged.letter, by, now)
        request_id = new_request_id(now)
        self._announce(Announced(request_id, held_us), by.agency, by.id, now)
        hold = self._place(request_id, judged, judged.cameras, judged.span, by.id)
        request = Request(
            id=request_id,
            status=RequestStatus.SUBMITTED,
            agency_account=by.agency,
            filed_at=now,
            hold_id=hold.id,
            held_us=held_us,
            letter_due_at=None if judged.letter.is_complete else now + self._rules.letter_due,
            footage_due_at=self._first_due(judged),
            attachments=papers,
            **_fields(judged),
        )
        if self._stream.clock.now() - hold.placed_at > FILING_LIMIT:
            raise Unavailable(
                "filing took too long", code="filing_too_slow", hint="Nothing was filed. Try again."
            )
        return self._stream.append(request, 0, RequestAct.FILE, actor=by.id, reason=judged.purpose[:200])

    def amend(
        self, request_id: str, form: RequestForm, by: Filer, *, expected: int, reason: str
    ) -> RequestHead:
        """Change a request; an existing approval becomes void.

        Raises:
            NotFound: ``request_not_found``.
            Conflict: ``ledger_conflict``, ``request_state``.
            BadForm, TooLarge: as :meth:`file`.
            Malformed: ``reason_missing``.
            Refused: ``person_unknown``, as :meth:`file`.
        """
        check_known(by.id, relations_of(self._stream.ledger, (by.id,)))
        why = text_of(reason, "reason_missing")
        head = self._stream.at(request_id, expected)
        before, now = head.request, self._stream.clock.now()
        status = after(RequestAct.AMEND, head.status)
        judged = judge(form, self._ground(by, now, papers=before.attachments))
        papers = self._with_scan(before.attachments, judged.letter, by, now)
        hold = self._grown(head, judged, by, now)
        letter_due = before.letter_due_at
        if letter_due is None and not judged.letter.is_complete:
            letter_due = before.filed_at + self._rules.letter_due
        fields = _fields(judged)
        fields["requester"] = replace(judged.requester, person=before.requester.person)
        changed = replace(
            before,
            status=status,
            hold_id=hold.id,
            held_us=max(before.held_us, len(hold.cameras) * hold.span.duration),
            letter_due_at=letter_due,
            footage_due_at=self._first_due(judged),
            decision=None,
            evidence_id="",
            attachments=papers,
            **fields,
        )
        return self._stream.append(changed, expected, RequestAct.AMEND, actor=by.id, reason=why)

    def add_letter(
        self, request_id: str, *, number: str, date: str, sha256: str, by: Filer, expected: int
    ) -> RequestHead:
        """Add the missing letter of an urgent request. An approval stays valid.

        Raises:
            NotFound, Conflict: as :meth:`amend`; Conflict ``letter_there`` if it is complete already.
            BadForm: ``bad_form``.
        """
        head = self._stream.at(request_id, expected)
        before, now = head.request, self._stream.clock.now()
        after(RequestAct.ADD_LETTER, head.status)
        if before.letter.is_complete:
            raise Conflict(
                f"the letter of {request_id} is complete already",
                code="letter_there",
                hint="To name another letter, amend the request.",
            )
        letter = judge_letter(number, date, sha256, self._ground(by, now, papers=before.attachments))
        changed = replace(
            before, letter=letter, attachments=self._with_scan(before.attachments, letter, by, now)
        )
        return self._stream.append(
            changed, expected, RequestAct.ADD_LETTER, actor=by.id, reason=letter.number, before=head
        )

    def attach(self, request_id: str, *, sha256: str, name: str, by: Filer, expected: int) -> RequestHead:
        """Add a paper that the account uploaded.

        Raises:
            NotFound: ``request_not_found``, ``attachment_not_found``.
            Conflict: ``ledger_conflict``, ``request_state``, ``attachment_there``, ``too_many_attachments``.
        """
        head = self._stream.at(request_id, expected)
        before = head.request
        after(RequestAct.ATTACH, head.status)
        if before.attachment(sha256) is not None:
            raise Conflict("the paper is already attached", code="attachment_there")
        added = self._paper(sha256, AttachmentKind.OTHER, name, by, self._stream.clock.now())
        papers = bounded((*before.attachments, added), MAX_ATTACHMENTS, "too_many_attachments")
        changed = replace(before, attachments=papers)
        return self._stream.append(
            changed, expected, RequestAct.ATTACH, actor=by.id, reason=sha256, before=head
        )

    def cancel(self, request_id: str, *, by: str, expected: int, reason: str) -> RequestHead:
        """Cancel a request; its hold is released some days later.

        Raises:
            NotFound, Conflict: as :meth:`amend`.
            Malformed: ``reason_missing``.
        """
        why = text_of(reason, "reason_missing")
        head = self._stream.at(request_id, expected)
        changed = replace(
            head.request, status=after(RequestAct.CANCEL, head.status), ended_at=self._stream.clock.now()
        )
        return self._stream.append(changed, expected, RequestAct.CANCEL, actor=by, reason=why)

    def _ground(self, by: Filer, now: int, papers: Sequence[Attachment] = ()) -> Ground:
        known = {paper.sha256 for paper in papers}
        return Ground(
            person=by.id,
            now=now,
            zone=self._rules.zone,
            max_future=self._rules.max_future,
            kinds=by.kinds,
            is_camera=self._is_camera,
            is_upload=lambda sha256: (
                sha256 in known or self._attachments.is_uploaded(sha256, account=by.account)
            ),
        )

    def _first_due(self, judged: Judged) -> int | None:
        due = [self._due_at(camera, judged.span.start) for camera in judged.cameras]
        return min((one for one in due if one is not None), default=None)

    def _is_camera(self, camera: str) -> bool:
        try:
            self._stream.ledger.entry("camera", camera, 1)
        except NotFound:
            return False
        return True

    def _announce(self, wanted: Announced, agency: str, person: str, now: int) -> None:
        """Check an account's limit over filed and announced requests, and announce this one next."""
        limits = self._rules.limits

        def judge(announced: dict[str, int]) -> dict[str, int]:
            others = [
                head.request
                for head in self._stream.book.newest()
                if head.request.id != wanted.request_id
                and camera_hours.same_account(head.request, agency, person)
            ]
            kept = camera_hours.open_us(others, now, limits, announced)
            camera_hours.check_agency(wanted.held_us, kept, limits.per_agency)
            return {one.id: one.held_us for one in others}

        self._reservations.announce(Filer(id=person, agency=agency).account, wanted, judge)

    def _place(
        self, request_id: str, judged: Judged, cameras: Sequence[str], span: Timespan, actor: str
    ) -> Hold:
        bases = "; ".join(
            f"{one.kind.value} {one.number} {one.article}".strip() for one in judged.legal_basis
        )
        placed = self._holds.place(
            cameras=cameras,
            span=span,
            case=request_id,
            owner=judged.requester.agency,
            basis=bases[:200],
            review_at=self._stream.clock.now() + REVIEW,
            actor=actor,
        )
        return placed.hold

    def _grown(self, head: RequestHead, judged: Judged, by: Filer, now: int) -> Hold:
        """The hold, grown to cover the changed request; a new one if people released the old one."""
        request = head.request
        hold = self._holds.hold(request.hold_id).hold
        cameras = tuple(sorted({*hold.cameras, *judged.cameras}))
        span = Timespan(min(hold.span.start, judged.span.start), max(hold.span.end, judged.span.end))
        if not hold.in_force:
            cameras, span = judged.cameras, judged.span
        elif (cameras, span) == (tuple(sorted(hold.cameras)), hold.span):
            return hold
        limit = max(request.limit_camera_hours, self._rules.limits.per_request)
        camera_hours.check_request(len(cameras), span, limit)
        wanted = Announced(request.id, len(cameras) * span.duration)
        self._announce(wanted, request.agency_account, request.requester.person, now)
        if not hold.in_force:
            return self._place(request.id, judged, cameras, span, by.id)
        extended = self._holds.extend(
            hold.id, cameras=judged.cameras, span=span, actor=by.id, reason=f"{request.id} amended"
        )
        return extended.hold

    def _with_scan(
        self, papers: tuple[Attachment, ...], letter: Letter, by: Filer, now: int
    ) -> tuple[Attachment, ...]:
        if not letter.sha256 or any(paper.sha256 == letter.sha256 for paper in papers):
            return papers
        added = self._paper(letter.sha256, AttachmentKind.LETTER, letter.number or "surat", by, now)
        return bounded((*papers, added), MAX_ATTACHMENTS, "too_many_attachments")

    def _paper(self, sha256: str, kind: AttachmentKind, name: str, by: Filer, now: int) -> Attachment:
        found = self._attachments.uploaded(sha256, account=by.account)
        return Attachment(
            sha256=found.sha256,
            size=found.size,
            media_type=found.media_type,
            kind=kind,
            name=text_of(name, "bad_attachment_name")[:200],
            by=by.id,
            at=now,
        )


def _fields(judged: Judged) -> dict[str, Any]:
    return {
        "requester": judged.requester,
        "letter": judged.letter,
        "legal_basis": judged.legal_basis,
        "case": judged.case,
        "purpose": judged.purpose,
        "cameras": judged.cameras,
        "span": judged.span,
        "urgent": judged.urgent,
    }
