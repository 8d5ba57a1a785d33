"""Recording playback: one start and one end event per session and camera (design: custody event).

A player requests hundreds of small pieces. The playlist opens a session and gives its id to the player in
every URL; the start event is durable before the playlist, and so before any footage, is sent. The end event
records what was really sent; it is written when the session was idle for some time, or when the process
stops. After a crash it is missing, which reads as "unknown end".

A request for a piece with an id that is not known (the process restarted, or one on another host made the id)
opens the session again, with a start event before the piece.

An id is bound to the person, the camera and the purpose that it was made for (:func:`check_bound`), so an
address that was copied to another person is refused. It is no secret and opens nothing: the rights of the
person who asks are checked at every piece.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from api.audit import Act, AuditEvent, AuditTrail
from api.hls import Growing
from api.playback_book import Claim, Key, Opened, Playback, PlaybackBook
from api.statements import interval
from archive.errors import Refused
from archive.model.custody import Actor, Outcome
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, SpanSet, Timespan, format_instant

PieceEnd = Callable[[int, Timespan | None, SegmentRef | None, Timespan | None], None]
"""Must be called once when a piece ends: with the bytes sent, the wall time that they show, and the segment
of which they are a viewing copy (None if they are the footage itself)."""

MAX_SPANS = 200
_NOTHING: Mapping[str, str] = MappingProxyType({})
MACHINE = "machine"
"""The role of actors that are no people: they name no purpose in an address."""
_RANDOM = 16  # characters of an id before those that bind it
_LISTS = 256
_LOOK_S = 0.01
"""Between two looks at a session that another request is opening."""


class PlaybackSessions:
    """The sessions in a book. Thread-safe. ``idle`` (µs) without a request ends one."""

    def __init__(self, audit: AuditTrail, book: PlaybackBook, *, idle: int) -> None:
        self._audit = audit
        self._book = book
        self._idle = idle
        self._guard = threading.Lock()
        self._lists: OrderedDict[str, Growing] = OrderedDict()

    def open(
        self, actor: Actor, camera: str, purpose: str, span: Timespan, details: Mapping[str, str] = _NOTHING
    ) -> str:
        """Begin a session; its start event is durable when this returns the session's id.

        ``details`` are added to the start event.
        """
        session = bound_id(secrets.token_urlsafe(12), actor, camera, purpose)
        asked = {"from": format_instant(span.start), "to": format_instant(span.end), **details}
        made = self._begin(session, actor, camera, purpose, asked)
        self._book.opened((session, actor.id, camera), made, active=0)
        return session

    def take(self, session: str, actor: Actor, camera: str, purpose: str) -> PieceEnd:
        """Begin to send one piece within a session.

        If the session is not known, it is opened, and its start event is durable when this returns; of
        concurrent pieces only one opens it. Pieces without a session ("") share one for each purpose, so that
        none is on record under another purpose than its own. Raises as the custody record.
        """
        key = self._joined(session or _unnamed(actor, camera, purpose), actor, camera, purpose)

        def end(count: int, span: Timespan | None, copied: SegmentRef | None, heard: Timespan | None) -> None:
            segment = None if copied is None else (copied.run, copied.seq)
            self._book.piece(key, count, span, segment, heard)

        return end

    def grown(
        self,
        session: str,
        actor: Actor,
        camera: str,
        purpose: str,
        *,
        name: str,
        made: Callable[[], Growing],
        is_over: bool,
        text_of: Callable[[Growing], str],
    ) -> str | None:
        """The growing playlist ``name`` of a session, as ``text_of`` makes it; whichever worker is asked.

        One that is not there is ``made``; but for a span that ``is_over`` none is begun, and the answer is
        None. ``text_of`` may be called again if another request made the list longer meanwhile. Opens
        sessions as :meth:`take`. The book keeps what was listed; this process follows the last
        :data:`_LISTS` lists, so as to be told only what is new.

        Raises:
            As ``text_of``; Unavailable ``busy``: the parent of the workers does not answer.
        """
        key = self._joined(session, actor, camera, purpose)
        self._book.left(key)
        shared = "\n".join((*key, name))
        growing = self._following(shared, made)
        with growing.turn:
            while True:
                there = self._book.grown(shared, growing.number, len(growing.lines))
                if there is not None:
                    growing.follow(there)
                elif is_over and not growing.lines:
                    return None
                # What is not there is given whole: the book forgot it, or nobody has listed anything yet.
                number, count = (growing.number, len(growing.lines)) if there is not None else (0, 0)
                text = text_of(growing)
                if len(growing.lines) == count:
                    return text
                growing.number = self._book.grow(
                    shared, number, count, growing.lines[count:], growing.state()
                )
                if growing.number:
                    return text

    def _following(self, shared: str, made: Callable[[], Growing]) -> Growing:
        with self._guard:
            growing = self._lists.get(shared)
            if growing is None:
                growing = self._lists[shared] = made()
            self._lists.move_to_end(shared)
            while len(self._lists) > _LISTS:
                self._lists.popitem(last=False)
            return growing

    def end_idle(self) -> None:
        """Write the end events of sessions that had no request for the idle time."""
        self._end(self._book.over(self._idle))

    def end_all(self) -> None:
        """Write the end events of all sessions, because the process stops."""
        self._end(self._book.over(None))

    def _joined(self, session: str, actor: Actor, camera: str, purpose: str) -> Key:
        """Count a request as active in its session; opens the session if it is not known."""
        key = (session, actor.id, camera)
        while (claim := self._book.claim(key)) is Claim.WAIT:
            time.sleep(_LOOK_S)
        if claim is Claim.MINE:
            made: Opened | None = None
            try:
                made = self._begin(session, actor, camera, purpose, {})
            finally:
                if made is None:
                    self._book.failed(key)
                else:
                    self._book.opened(key, made, active=1)
        return key

    def _begin(
        self, session: str, actor: Actor, camera: str, purpose: str, details: dict[str, str]
    ) -> Opened:
        if actor.session:
            details = {**details, "sign_in": actor.session}
        who = replace(actor, session=session)
        event = self._audit.write(
            AuditEvent(
                type=f"{Act.PLAYBACK}.started",
                actor=who,
                objects=(camera,),
                purpose=purpose,
                outcome=Outcome.DONE,
                details=details,
            )
        )
        return Opened(event.id, who, camera, purpose)

    def _end(self, ended: Sequence[Playback]) -> None:
        for session in ended:
            spans = list(session.spans)
            opened = session.opened
            self._audit.write_late(
                AuditEvent(
                    type=f"{Act.PLAYBACK}.ended",
                    actor=opened.actor,
                    objects=(opened.camera,),
                    purpose=opened.purpose,
                    outcome=Outcome.DONE,
                    details={
                        "start": opened.start,
                        "pieces": session.pieces,
                        "bytes_sent": session.bytes_sent,
                        "shown": " ".join(interval(span) for span in spans[:MAX_SPANS]),
                        "shown_count": len(spans),
                        "seconds_shown": -(-session.spans.duration // SECOND),
                        **_heard(session.heard),
                        **_copied(session.copied),
                        **({"pieces_unknown": session.unknown} if session.unknown else {}),
                    },
                )
            )


def _heard(heard: SpanSet) -> dict[str, object]:
    """How many seconds were sent with sound, rounded up; nothing if none were."""
    return {"seconds_heard": -(-heard.duration // SECOND)} if heard else {}


def _copied(copied: Mapping[str, set[int]]) -> dict[str, object]:
    """Of which segments viewing copies were sent: ``transcoded`` counts them, ``segments`` names them.

    ``segments`` reads ``run:first-last``, a word for each unbroken stretch of numbers.
    """
    if not copied:
        return {}
    words = [f"{run}:{first}-{last}" for run, seqs in copied.items() for first, last in _stretches(seqs)]
    return {"transcoded": sum(map(len, copied.values())), "segments": " ".join(words[:MAX_SPANS])}


def _stretches(numbers: set[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] + 1 == number:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def check_bound(session: str, actor: Actor, camera: str, purpose: str) -> None:
    """Check that a session's id was made for this person, camera and purpose; "" is nobody's and passes.

    Raises:
        Refused: ``playback_of_another``.
    """
    if session and not hmac.compare_digest(session, bound_id(session[:_RANDOM], actor, camera, purpose)):
        raise Refused(
            "this address belongs to the playback of another person, or for another purpose",
            code="playback_of_another",
            hint="Open the playlist yourself; what you see is recorded with your name and purpose.",
        )


def _unnamed(actor: Actor, camera: str, purpose: str) -> str:
    """The id of the session of pieces that a person or a machine fetches without naming one."""
    said = "\0".join((actor.id, camera, purpose)).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(said).digest()[:12]).decode("ascii")


def bound_id(random: str, actor: Actor, camera: str, purpose: str) -> str:
    """An id: its random part, and 96 bits of a hash over it and over what it is bound to."""
    why = "" if actor.role == MACHINE else purpose
    said = "\0".join((random, actor.id, camera, why)).encode()
    return random + base64.urlsafe_b64encode(hashlib.sha256(said).digest()[:12]).decode("ascii")
