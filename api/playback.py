"""Recording playback: one start and one end event per session and camera (design: custody event).

A player requests hundreds of small pieces. The playlist opens a session and gives its id to the player in
every URL; the start event is durable before the playlist, and so before any footage, is sent. The end event
records what was really sent; it is written when the session was idle for some time, or when the process
stops. After a crash it is missing, which reads as "unknown end".

A request for a piece with an id that this process does not know (it restarted, or another process made the
id) opens the session again, with a start event before the piece.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from api.audit import Act, AuditEvent, AuditTrail
from api.statements import interval
from archive.clock import Clock
from archive.model.custody import Actor, Outcome
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, SpanSet, Timespan, format_instant

Key = tuple[str, str, str]
"""Session id, principal id, camera."""

PieceEnd = Callable[[int, Timespan | None, SegmentRef | None], None]
"""Must be called once when a piece ends: with the bytes sent, the wall time that they show, and the segment
of which they are a viewing copy (None if they are the footage itself)."""

MAX_SPANS = 200
_NOTHING: Mapping[str, str] = MappingProxyType({})
_STRIPES = 16


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
    copied: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the segments of which viewing copies were sent, by run."""


class PlaybackSessions:
    """The sessions of one process. Thread-safe. ``idle`` (µs) without a request ends one."""

    def __init__(self, audit: AuditTrail, clock: Clock, *, idle: int) -> None:
        self._audit = audit
        self._clock = clock
        self._idle = idle
        self._guard = threading.Lock()
        self._opening = tuple(threading.Lock() for _ in range(_STRIPES))
        self._sessions: dict[Key, _Playback] = {}

    def open(
        self, actor: Actor, camera: str, purpose: str, span: Timespan, details: Mapping[str, str] = _NOTHING
    ) -> str:
        """Begin a session; its start event is durable when this returns the session's id.

        ``details`` are added to the start event.
        """
        session = secrets.token_urlsafe(12)
        asked = {"from": format_instant(span.start), "to": format_instant(span.end), **details}
        made = self._begin(session, actor, camera, purpose, asked)
        with self._guard:
            self._sessions[session, actor.id, camera] = made
        return session

    def take(self, session: str, actor: Actor, camera: str, purpose: str) -> PieceEnd:
        """Begin to send one piece within a session.

        If this process does not know the session, it is opened, and its start event is durable when this
        returns. Raises as the custody record.
        """
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

        def end(count: int, span: Timespan | None, copied: SegmentRef | None) -> None:
            with self._guard:
                taken.active -= 1
                taken.pieces += 1
                taken.bytes_sent += count
                taken.seen_at = self._clock.monotonic()
                if span is not None and count:
                    taken.spans = taken.spans | SpanSet((span,))
                if copied is not None and count:
                    taken.copied.setdefault(copied.run, set()).add(copied.seq)

        return end

    def end_idle(self) -> None:
        """Write the end events of sessions that had no request for the idle time."""
        now = self._clock.monotonic()
        self._end(lambda session: session.active == 0 and now - session.seen_at >= self._idle)

    def end_all(self) -> None:
        """Write the end events of all sessions, because the process stops."""
        self._end(lambda session: True)

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
                        **_copied(session.copied),
                    },
                )
            )


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
