"""The recorder's settings; ``ops`` reads them from its own settings and passes them in.

The segment length is not one of them: each camera has its own (:mod:`archive.model.camera`).
"""

from dataclasses import dataclass

from archive.timespan import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """Times in seconds unless the name says otherwise.

    ``batch_seconds``: leaves are sealed and uploaded as a journal batch this often.
    ``registry_seconds``: policies and holds are read from the ledger this often, and cameras at least;
    ``registry_soonest``: cameras at most, where listing them is quick (:func:`recorder.roster.pause_after`).
    ``group_seconds``: the least time from one sync and index request to the next; what finishes meanwhile
    shares the next one, and a segment that comes alone waits for nothing.
    ``input_timeout``: FFmpeg gives up on a silent camera after this; it takes twice as long to end.
    ``stall_seconds``: a capture whose segment does not grow for this long is ended from outside. With either
    a frozen camera is found within ten seconds.
    ``no_keyframe_seconds``: how long a camera may deliver without one keyframe.
    ``spool_quota`` and ``spool_reserve``: bytes the spool may hold, and bytes to leave free on its disk.
    ``first_retry``, ``steady_retry``, ``steady_for``, ``longest_retry``: the pauses between attempts
    (:class:`recorder.backoff.BackOff`).
    ``drain_seconds``: how long a recorder whose time is over archives what waits; the rest stays in the
    spool. ``stop_seconds`` is the same when it is asked to stop, with the end of the captures.
    ``leave_seconds``: how much of that it waits for the servers of the membership: two of them may hang.
    """

    batch_seconds: float = 60
    group_seconds: float = 0.5
    registry_seconds: float = 5
    registry_soonest: float = 1.2
    heartbeat_seconds: float = 5
    input_timeout: float = 4
    stall_seconds: float = 9
    no_keyframe_seconds: float = 30
    stop_grace: float = 3
    first_retry: float = 0.5
    steady_retry: float = 3
    steady_for: float = 60
    longest_retry: float = 60
    spool_quota: int = 200 << 30
    spool_reserve: int = 512 << 20
    uploads: int = 4
    drain_seconds: float = 30
    stop_seconds: float = 10
    leave_seconds: float = 3
    retention_floor_days: int = 30
    journal_lock_days: int = 3650

    @property
    def input_timeout_us(self) -> int:
        """``input_timeout`` in microseconds."""
        return round(self.input_timeout * SECOND)
