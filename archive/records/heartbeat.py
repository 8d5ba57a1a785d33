"""Judges a recorder's health by its last heartbeat. Pure: no clock is read here.

``saksi doctor``, the figures for Prometheus and the notices all use this judgement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from archive.canonical import JsonObject
from archive.timespan import MINUTE, SECOND

PATIENCE = 2 * MINUTE
"""A recorder that is silent, or whose entries do not move, for longer than this needs a person."""


class Beat(Protocol):
    """A recorder's last heartbeat: its time (the recorder's own clock, µs) and the reported state."""

    @property
    def recorder(self) -> str:
        """The recorder's id."""
        ...

    @property
    def at(self) -> int:
        """The time of the heartbeat."""
        ...

    @property
    def state(self) -> JsonObject:
        """The reported state: :meth:`recorder.recorder.Recorder.state`."""
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem of one recorder: a stable code, a sentence, and what to do."""

    recorder: str
    code: str
    message: str
    hint: str


CODES = ("recorder_silent", "store_error", "index_error", "journal_error", "commit_stalled", "set_aside")
"""The codes of all troubles."""

_WHERE = {
    "store_error": ("the store takes no footage", "New footage waits in the spool."),
    "index_error": ("the index takes no entries", "New footage is not found until it does."),
    "journal_error": ("the journal is not uploaded", "No checkpoint covers footage recorded since."),
}


def troubles(beat: Beat, now: int) -> Iterator[Trouble]:
    """Every problem of a recorder at ``now`` (µs); none if it is healthy."""
    name, state = beat.recorder, beat.state
    age = now - beat.at
    if age >= PATIENCE:
        message = f"{name} was last seen {age // SECOND} s ago"
        yield Trouble(name, "recorder_silent", message, "Check its host; its cameras are not being recorded.")
    for code, (what, hint) in _WHERE.items():
        if error := str(state.get(code) or ""):
            yield Trouble(name, code, f"{name}: {what} ({error})", f"{hint} Check the recorder's log.")
    stalled = int(state.get("stalled_us") or 0)
    if stalled >= PATIENCE:
        message = f"{name}: nothing was archived for {stalled // SECOND} s; {state.get('waiting')} wait"
        yield Trouble(name, "commit_stalled", message, "Check its log, its disk, the store and the index.")
    if aside := int(state.get("set_aside") or 0):
        message = f"{name} set {aside} entries aside since it started"
        yield Trouble(
            name, "set_aside", message, "Check its quarantine folder and saksi integrity-incident list."
        )
