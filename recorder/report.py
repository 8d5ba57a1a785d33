"""What a recorder says of itself and of its cameras in each heartbeat: facts, and no judgement.

:mod:`archive.records.heartbeat` and :mod:`archive.records.camera_health` judge them. Integers and texts only;
what is not known is left out.
"""

from collections import deque
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.timespan import MINUTE, SECOND
from recorder.accounts import Accounts
from recorder.archiver import Archiver
from recorder.pulse import Pulse
from recorder.spool import Spool
from recorder.supervisor import CameraSupervisor

_WINDOW = 10 * MINUTE
_LEAST = MINUTE
"""The shortest stretch from which a rate is computed, and the longest that entries wait in normal work."""


@dataclass(slots=True)
class Filling:
    """How soon the spool is full, by how its room shrank in the last ten minutes."""

    _seen: deque[tuple[int, int]] = field(default_factory=deque)

    def look(self, at: int, room: int) -> int | None:
        """Seconds until there is no room, by its bytes at ``at`` (monotonic µs); None if it keeps its size.

        Call it at each heartbeat.
        """
        self._seen.append((at, room))
        while at - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        began, before = self._seen[0]
        if at - began < _LEAST or before <= room:
            return None
        return max(0, room) * (at - began) // (before - room) // SECOND


def spool_facts(spool: Spool, archiver: Archiver, filling: Filling, clock: Clock) -> JsonObject:
    """The spool, its disk, and what waits in it.

    ``oldest_us`` is how long the oldest entry has waited; ``fill_s`` is in how many seconds the spool is full
    if it goes on as in the last minutes, only while entries wait longer than a minute. ``quarantine_bytes``
    are kept for people, ``quarantine_dropped`` counts files that found no room there and were not kept.
    """
    free, room = spool.measure()
    left = filling.look(clock.monotonic(), room)
    oldest = archiver.oldest
    waited = 0 if oldest is None else max(0, clock.now() - oldest)
    facts: JsonObject = {
        "spool_bytes": spool.held_bytes,
        "spool_room": max(0, room),
        "spool_full": int(spool.is_full),
        "disk_free": free,
        "quarantine_bytes": spool.quarantine.bytes,
        "quarantine_dropped": spool.quarantine.files_dropped,
        "waiting": archiver.waiting,
        "oldest_us": waited,
        "stalled_us": archiver.stalled,
    }
    if left is not None and waited > _LEAST:
        facts["fill_s"] = left
    return facts


def archive_facts(archiver: Archiver) -> JsonObject:
    """What was archived since the start, and what fails now."""
    counters = archiver.counters
    return {
        "segments": counters.segments,
        "bytes": counters.bytes,
        "leaves": counters.leaves,
        "batches": counters.batches,
        "lost": counters.lost,
        "set_aside": counters.set_aside,
        "store_error": counters.store_error,
        "index_error": counters.index_error,
        "journal_error": counters.journal_error,
    }


def camera_facts(supervisor: CameraSupervisor, accounts: Accounts, pulse: Pulse) -> JsonObject:
    """One camera.

    ``capturing``: an FFmpeg runs; ``began``: when it or the present turn began; ``kept``: it has given
    footage; ``grown``: when its file last grew (0: no file yet). ``cause`` and ``gap_from``: the open gap's
    cause, and up to when it is recorded. ``damaged``: packets that came damaged since the recorder's
    start, if any. The rest is :meth:`recorder.pulse.Pulse.to_json`.
    """
    state, gap = supervisor.state, accounts.open_gap(supervisor.camera.id)
    cause = supervisor.untold or (None if gap is None else gap.cause)
    facts: JsonObject = {
        "capturing": int(state.is_capturing),
        "kept": int(supervisor.has_footage),
        "began": state.began,
        "grown": supervisor.grown_at(),
        "attempts": state.attempts,
        "failures": 0 if supervisor.has_footage else state.failures,
        "cause": "" if cause is None else cause.value,
    }
    if supervisor.damaged:
        facts["damaged"] = supervisor.damaged
    if gap is not None:
        facts["gap_from"] = gap.written
    return facts | pulse.to_json()
