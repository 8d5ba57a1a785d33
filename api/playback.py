"""Recording playback: one start and one end event per session and camera (design: custody event).

A player requests hundreds of small pieces. The playlist opens a session and gives its id to the player in
every URL; the start event is durable before the playlist, and so before any footage, is sent. The end event
records what was really sent; it is written when the session was idle for some time, or when the process
stops. After a crash it is missing, which reads as "unknown end".

A request for a piece with an id that this process does not know (it restarted, or another process made the
id) opens the session again, with a start event before the piece.

An id is bound to the person, the camera and the purpose that it was made for (:func:`check_bound`), so an
address that was copied to another person is refused. It is no secret and opens nothing: the rights of the
person who asks are checked at every piece.
"""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from api.audit import Act, AuditEvent, AuditTrail
from api.hls import Growing
from api.statements import interval
from archive.clock import Clock
from archive.errors import Refused
from archive.model.custody import Actor, Outcome
from archive.timespan import SECOND, SpanSet, Timespan, format_instant

Key = tuple[str, str, str]
"""Session id, principal id, camera."""

PieceEnd = Callable[[int, Timespan | None], None]
"""Must be called once when a piece ends: with the bytes sent, and the wall time that they show."""

MAX_SPANS = 200
MACHINE = "machine"
"""The role of actors that are no people: they name no purpose in an address."""
_STRIPES = 16
_RANDOM = 16  # characters of an id before those that bind it


@dataclass(slots=True)
class _Playback:
    actor: Actor
    camera: str
    purpose: str
    start: str
    seen_at: int
    active: int = 0
    pieces: int = 0
    bytes_sent: int = 0
    spans: SpanSet = field(default_factory=SpanSet)
    lists: dict[str, Growing] = field(default_factory=dict)


class PlaybackSessions:
    """The sessions of one process. Thread-safe. ``idle`` (µs) without a request ends one."""

    def __init__(self, audit: AuditTrail, clock: Clock, *, idle: int) -> None:
        self._audit = audit
        self._clock = clock
        self._idle = idle
        self._guard = threading.Lock()
        self._opening = tuple(threading.Lock() for _ in range(_STRIPES))
        self._sessions: dict[Key, _Playback] = {}

    def open(self, actor: Actor, camera: str, purpose: str, span: Timespan) -> str:
        """Begin a session; its start event is durable when this returns the session's id."""
        session = bound_id(secrets.token_urlsafe(12), actor, camera, purpose)
        asked = {"from": format_instant(span.start), "to": format_instant(span.end)}
        made = self._begin(session, actor, camera, purpose, asked)
        with self._guard:
            self._sessions[session, actor.id, camera] = made
        return session

    def take(self, session: str, actor: Actor, camera: str, purpose: str) -> PieceEnd:
        """Begin to send one piece within a session.

        If this process does not know the session, it is opened, and its start event is durable when this
        returns. Raises as the custody record.
        """
        taken = self._taken(session, actor, camera, purpose)

        def end(count: int, span: Timespan | None) -> None:
            with self._guard:
                taken.active -= 1
                taken.pieces += 1
                taken.bytes_sent += count
                taken.seen_at = self._clock.monotonic()
                if span is not None and count:
                    taken.spans = taken.spans | SpanSet((span,))

        return end

    def growing(
        self,
        session: str,
        actor: Actor,
        camera: str,
        purpose: str,
        *,
        name: str,
        made: Callable[[], Growing] | None,
    ) -> Growing | None:
        """The growing playlist ``name`` of a session; one that is not there is ``made``, or None.

        Opens sessions as :meth:`take`.
        """
        taken = self._taken(session, actor, camera, purpose)
        with self._guard:
            taken.active -= 1
            taken.seen_at = self._clock.monotonic()
            if name not in taken.lists and made is not None:
                taken.lists[name] = made()
            return taken.lists.get(name)

    def end_idle(self) -> None:
        """Write the end events of sessions that had no request for the idle time."""
        now = self._clock.monotonic()
        self._end(lambda session: session.active == 0 and now - session.seen_at >= self._idle)

    def end_all(self) -> None:
        """Write the end events of all sessions, because the process stops."""
        self._end(lambda session: True)

    def _taken(self, session: str, actor: Actor, camera: str, purpose: str) -> _Playback:
        """The session, counted as active; opened if this process does not know it."""
        key = (session, actor.id, camera)
        taken = self._join(key)
        if taken is None:
            with self._opening[hash(key) % _STRIPES]:  # of concurrent pieces only one opens the session
                taken = self._join(key)
                if taken is None:
                    taken = self._begin(session, actor, camera, purpose, {})
                    taken.active = 1
                    with self._guard:
                        self._sessions[key] = taken
        return taken

    def _join(self, key: Key) -> _Playback | None:
        with self._guard:
            known = self._sessions.get(key)
            if known is not None:
                known.active += 1
            return known

    def _begin(
        self, session: str, actor: Actor, camera: str, purpose: str, details: dict[str, str]
    ) -> _Playback:
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
        return _Playback(who, camera, purpose, event.id, self._clock.monotonic())

    def _end(self, is_over: Callable[[_Playback], bool]) -> None:
        with self._guard:
            over = [key for key, session in self._sessions.items() if is_over(session)]
            ended = [self._sessions.pop(key) for key in over]
        for session in ended:
            spans = list(session.spans)
            self._audit.write_late(
                AuditEvent(
                    type=f"{Act.PLAYBACK}.ended",
                    actor=session.actor,
                    objects=(session.camera,),
                    purpose=session.purpose,
                    outcome=Outcome.DONE,
                    details={
                        "start": session.start,
                        "pieces": session.pieces,
                        "bytes_sent": session.bytes_sent,
                        "shown": " ".join(interval(span) for span in spans[:MAX_SPANS]),
                        "shown_count": len(spans),
                        "seconds_shown": session.spans.duration // SECOND,
                    },
                )
            )


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


def bound_id(random: str, actor: Actor, camera: str, purpose: str) -> str:
    """An id: its random part, and 96 bits of a hash over it and over what it is bound to."""
    why = "" if actor.role == MACHINE else purpose
    said = "\0".join((random, actor.id, camera, why)).encode()
    return random + base64.urlsafe_b64encode(hashlib.sha256(said).digest()[:12]).decode("ascii")
