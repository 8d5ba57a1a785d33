"""Recording playback: one start and one end event per session and camera (design: custody event).

A player requests hundreds of small pieces. The playlist opens a session and gives its id to the player in
every URL; the start event is durable before the playlist, and so before any footage, is sent. The end event
records what was really sent; it is written when the session was idle for some time, or when the process
stops. After a crash it is missing, which reads as "unknown end".

A request for a piece with an id that is not known (the process restarted, or one on another host made the id)
opens the session again, with a start event before the piece.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from api.audit import Act, AuditEvent, AuditTrail
from api.playback_book import Claim, Opened, Playback, PlaybackBook
from api.statements import interval
from archive.model.custody import Actor, Outcome
from archive.timespan import SECOND, Timespan, format_instant

PieceEnd = Callable[[int, Timespan | None], None]
"""Must be called once when a piece ends: with the bytes sent, and the wall time that they show."""

MAX_SPANS = 200
_LOOK_S = 0.01
"""Between two looks at a session that another request is opening."""


class PlaybackSessions:
    """The sessions in a book. Thread-safe. ``idle`` (µs) without a request ends one."""

    def __init__(self, audit: AuditTrail, book: PlaybackBook, *, idle: int) -> None:
        self._audit = audit
        self._book = book
        self._idle = idle

    def open(self, actor: Actor, camera: str, purpose: str, span: Timespan) -> str:
        """Begin a session; its start event is durable when this returns the session's id."""
        session = secrets.token_urlsafe(12)
        asked = {"from": format_instant(span.start), "to": format_instant(span.end)}
        made = self._begin(session, actor, camera, purpose, asked)
        self._book.opened((session, actor.id, camera), made, active=0)
        return session

    def take(self, session: str, actor: Actor, camera: str, purpose: str) -> PieceEnd:
        """Begin to send one piece within a session.

        If the session is not known, it is opened, and its start event is durable when this returns; of
        concurrent pieces only one opens it. Raises as the custody record.
        """
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
        return lambda count, span: self._book.piece(key, count, span)

    def end_idle(self) -> None:
        """Write the end events of sessions that had no request for the idle time."""
        self._end(self._book.over(self._idle))

    def end_all(self) -> None:
        """Write the end events of all sessions, because the process stops."""
        self._end(self._book.over(None))

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
                        "seconds_shown": session.spans.duration // SECOND,
                    },
                )
            )
