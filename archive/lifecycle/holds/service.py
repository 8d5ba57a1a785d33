"""Placing, growing, reviewing and releasing legal holds: the ``hold`` streams of the ledger.

A hold is in force from the instant its first entry is written until the entry that approves its release.
Entries that make it cover more pass the gate (:mod:`archive.lifecycle.gate`), so that no batch of a
disposition is under way then. Every change is one compare-and-append: if two people change the same entry,
one succeeds and the other reads again. ``expected`` of a change is the version that its author has read, None
the newest. A hold only grows: cameras may be added and its span widened, never removed or narrowed.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Refused, Unavailable
from archive.ids import check_name
from archive.lifecycle.gate import Gate
from archive.model.hold import ENDS, KIND, Hold, HoldStatus, Release, from_state, to_state
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import Separation
from archive.separation import Decision
from archive.timespan import DAY, Timespan, format_instant

MAX_CAMERAS = 1000
MAX_TEXT = 200


class Documents(Protocol):
    """Where readers find the newest state of a hold."""

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream; an older version changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class HoldHead:
    """A hold with its newest entry."""

    entry: Entry
    hold: Hold


def new_hold_id() -> str:
    """``hold-`` and 128 random bits: a person who knows one hold cannot guess another."""
    return f"hold-{secrets.token_hex(16)}"


class Holds:
    """The holds of one archive. Thread-safe.

    ``gate`` is the archive's, which dispositions pass too; None for an archive that never destroys anything.
    ``max_future`` (µs) is how far beyond now a span may reach.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: ObjectStore,
        index: Documents,
        clock: Clock,
        *,
        gate: Gate | None = None,
        max_future: int = 366 * DAY,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._clock = clock
        self._gate = gate
        self._max_future = max_future
        self._heads = StrictHeads(ledger, records, KIND, ends=ENDS)
        self._separation = Separation(ledger, clock)
        self._turn = threading.Lock()

    def place(
        self,
        *,
        cameras: Sequence[str],
        span: Timespan,
        case: str,
        owner: str,
        basis: str,
        review_at: int,
        actor: str,
    ) -> HoldHead:
        """Place a hold; it is in force when this returns.

        After an error of the class Unavailable the hold may be in force all the same; :meth:`holds` shows it.

        Raises:
            NotFound: ``camera_not_found``.
            Malformed: ``bad_hold_request``: no camera, a text that is missing, too long or unprintable, or a
                review that is not in the future; ``hold_too_far`` for a span beyond the longest future.
        """
        now = self._clock.now()
        hold = Hold(
            id=new_hold_id(),
            cameras=self._cameras(cameras),
            span=self._span(span, now),
            case=_text("case", case),
            owner=_text("owner", owner),
            basis=_text("basis", basis),
            review_at=_later(review_at, now),
            placed_by=actor,
            placed_at=now,
        )
        with self._placing():
            return self._append(hold, 0, actor=actor, action="hold.placed", reason=hold.case)

    def extend(
        self,
        hold_id: str,
        *,
        cameras: Sequence[str] = (),
        span: Timespan | None = None,
        actor: str,
        reason: str,
        expected: int | None = None,
    ) -> HoldHead:
        """Add cameras, or widen the span; this withdraws a proposed release.

        Raises:
            NotFound: ``hold_not_found``, ``camera_not_found``.
            Refused: ``hold_shrinks`` for a span that leaves out a part of the present one.
            Conflict: ``hold_released``; ``ledger_conflict`` if another person changed it meanwhile.
            Malformed: ``nothing_to_change``, ``hold_too_far``, ``bad_hold_request``.
        """
        head = self._in_force(hold_id, expected)
        before = head.hold
        wanted = span or before.span
        if wanted.start > before.span.start or wanted.end < before.span.end:
            raise Refused(
                f"{wanted} leaves out a part of what {hold_id} covers",
                code="hold_shrinks",
                hint="A hold only grows; to let footage go, place a smaller hold, then release this one.",
            )
        self._span(wanted, max(self._clock.now(), before.span.end - self._max_future))
        added = [camera for camera in cameras if camera not in before.cameras]
        after = replace(
            before,
            cameras=self._cameras((*before.cameras, *added)),
            span=wanted,
            status=HoldStatus.ACTIVE,
            release=None,
        )
        if (after.cameras, after.span) == (before.cameras, before.span):
            raise Malformed(
                "the hold already covers that",
                code="nothing_to_change",
                hint="Name a camera or a wider span.",
            )
        why = _why(reason)
        with self._placing():
            return self._append(after, head.entry.version, actor=actor, action="hold.extended", reason=why)

    def review(
        self, hold_id: str, *, review_at: int, actor: str, reason: str, expected: int | None = None
    ) -> HoldHead:
        """Record that a person reviewed the hold and why it stays, and when the next review is due.

        Raises:
            NotFound, Conflict: as :meth:`extend`.
            Malformed: ``bad_hold_request`` for a review that is not in the future; ``reason_missing``.
        """
        head = self._in_force(hold_id, expected)
        after = replace(head.hold, review_at=_later(review_at, self._clock.now()))
        return self._append(
            after, head.entry.version, actor=actor, action="hold.reviewed", reason=_why(reason)
        )

    def propose_release(
        self, hold_id: str, *, actor: str, reason: str, expected: int | None = None
    ) -> HoldHead:
        """Propose the release; the hold stays in force until another person approves it.

        Raises:
            NotFound, Conflict: as :meth:`extend`; Conflict ``release_proposed``, if one is proposed.
            Refused: ``person_unknown``: the actor is not a known person.
        """
        self._separation.check_known(actor)
        head = self._in_force(hold_id, expected)
        if head.hold.status is HoldStatus.RELEASE_PROPOSED:
            raise Conflict(
                f"the release of {hold_id} is already proposed",
                code="release_proposed",
                hint="Another person must approve it, or withdraw it.",
            )
        release = Release(proposed_by=actor, proposed_at=self._clock.now(), reason=_why(reason))
        after = replace(head.hold, status=HoldStatus.RELEASE_PROPOSED, release=release)
        return self._append(
            after, head.entry.version, actor=actor, action="hold.release_proposed", reason=release.reason
        )

    def approve_release(self, hold_id: str, *, actor: str, expected: int | None = None) -> HoldHead:
        """Release the hold: from this entry on it is not in force.

        Raises:
            NotFound, Conflict: as :meth:`extend`; Conflict ``release_not_proposed``.
            Refused: ``same_person``: the person who proposed a release cannot approve it; ``person_unknown``,
                ``persons_tied``, ``host_unlinked``: as :func:`archive.separation.check_separation`.
        """
        self._separation.check_known(actor)
        head = self._proposed(hold_id, expected)
        release = head.hold.release
        if release is None:
            raise _not_proposed(hold_id)
        self._separation.check(Decision.HOLD_RELEASE, actor, (release.proposed_by,))
        release = replace(release, approved_by=actor, approved_at=self._clock.now())
        after = replace(head.hold, status=HoldStatus.RELEASED, release=release)
        return self._append(
            after, head.entry.version, actor=actor, action="hold.released", reason=release.reason
        )

    def withdraw_release(
        self, hold_id: str, *, actor: str, reason: str, expected: int | None = None
    ) -> HoldHead:
        """Take a proposed release back; any person may, since the footage then stays.

        Raises:
            NotFound, Conflict: as :meth:`approve_release`.
        """
        head = self._proposed(hold_id, expected)
        after = replace(head.hold, status=HoldStatus.ACTIVE, release=None)
        return self._append(
            after, head.entry.version, actor=actor, action="hold.release_withdrawn", reason=_why(reason)
        )

    def hold(self, hold_id: str) -> HoldHead:
        """One hold. Raises NotFound ``hold_not_found``, IntegrityError, Malformed ``bad_hold``."""
        return self._head(hold_id, None)

    def history(self, hold_id: str) -> Iterator[Entry]:
        """Every entry of one hold, oldest first. Raises IntegrityError ``ledger_broken``."""
        return self._ledger.history(KIND, check_name(KIND, hold_id))

    def holds(self) -> list[HoldHead]:
        """Every hold ever placed, newest first.

        Raises:
            IntegrityError, Malformed: a hold cannot be read; no hold is left out silently.
        """
        with self._turn:
            heads: Mapping[str, Entry] = dict(self._heads.refresh())
        found = [HoldHead(entry, from_state(entry.id, entry.state)) for entry in heads.values()]
        return sorted(found, key=lambda head: (-head.hold.placed_at, head.hold.id))

    def _placing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._gate is None else self._gate.placing()

    def _head(self, hold_id: str, expected: int | None) -> HoldHead:
        entry = self._ledger.head_at(KIND, check_name(KIND, hold_id), expected)
        return HoldHead(entry, from_state(entry.id, entry.state))

    def _in_force(self, hold_id: str, expected: int | None) -> HoldHead:
        head = self._head(hold_id, expected)
        if not head.hold.in_force:
            raise Conflict(
                f"{hold_id} is released",
                code="hold_released",
                hint="Place a new hold if the footage must stay.",
            )
        return head

    def _proposed(self, hold_id: str, expected: int | None) -> HoldHead:
        head = self._in_force(hold_id, expected)
        if head.hold.status is not HoldStatus.RELEASE_PROPOSED:
            raise _not_proposed(hold_id)
        return head

    def _cameras(self, cameras: Sequence[str]) -> tuple[str, ...]:
        chosen = tuple(sorted({check_name("camera", camera) for camera in cameras}))
        if not 1 <= len(chosen) <= MAX_CAMERAS:
            raise Malformed(
                f"a hold covers 1 to {MAX_CAMERAS} cameras, not {len(chosen)}", code="bad_hold_request"
            )
        for camera in chosen:
            self._known(camera)
        return chosen

    def _known(self, camera: str) -> None:
        try:
            self._ledger.entry("camera", camera, 1)
        except NotFound as error:
            raise NotFound(f"there is no camera {camera}", code="camera_not_found") from error

    def _span(self, span: Timespan, now: int) -> Timespan:
        if span.start < 0:
            raise Malformed(
                "nothing was recorded before 1970",
                code="bad_hold_request",
                hint="Give the start of the footage that must stay.",
            )
        if span.end > now + self._max_future:
            raise Malformed(
                f"the hold would reach until {format_instant(span.end)}",
                code="hold_too_far",
                hint=f"It may reach {self._max_future // DAY} days into the future and be extended later.",
            )
        return span

    def _append(self, hold: Hold, expected: int, *, actor: str, action: str, reason: str) -> HoldHead:
        state = to_state(hold)
        entry = self._ledger.append(
            KIND, hold.id, state, expected=expected, actor=actor, action=action, reason=reason
        )
        try:
            self._index.put_document(KIND, hold.id, entry.version, state)
        except Unavailable:
            # The entry stands, so the hold has changed; reporting a failure would be false. The sweep writes
            # the document when it first sees the entry.
            pass
        return HoldHead(entry, hold)


def _not_proposed(hold_id: str) -> Conflict:
    return Conflict(
        f"nobody proposed the release of {hold_id}",
        code="release_not_proposed",
        hint="Propose it first; then another person approves it.",
    )


def _text(name: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise Malformed(
            f"the {name} of a hold is missing, too long or unprintable",
            code="bad_hold_request",
            hint=f"Give 1 to {MAX_TEXT} printable characters.",
        )
    return text


def _why(reason: str) -> str:
    if not reason.strip():
        raise Malformed("a reason is needed", code="reason_missing", hint="Say why with --reason.")
    return _text("reason", reason)


def _later(review_at: int, now: int) -> int:
    if review_at <= now:
        raise Malformed(
            f"a review at {format_instant(review_at)} is already past",
            code="bad_hold_request",
            hint="Give a time in the future for the next review.",
        )
    return review_at
