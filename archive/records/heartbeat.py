"""What a recorder's last sign of life says about its health. Pure: no clock is read here.

The same judgement stands behind ``saksi doctor``, the figures for Prometheus and the notices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from archive.canonical import JsonObject
from archive.timespan import MINUTE, SECOND

PATIENCE = 2 * MINUTE
"""A recorder that is silent for longer, or whose entries do not move for longer, needs a person."""


class Beat(Protocol):
    """A recorder's last sign of life: when (its own clock, µs) and what it said of itself."""

    @property
    def recorder(self) -> str:
        """Whose it is."""
        ...

    @property
    def at(self) -> int:
        """When it was given."""
        ...

    @property
    def state(self) -> JsonObject:
        """What the recorder said: :meth:`recorder.recorder.Recorder.state`."""
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one recorder: a stable code, a sentence, and what to do."""

    recorder: str
    code: str
    message: str
    hint: str


CODES = ("recorder_silent", "store_error", "index_error", "journal_error", "commit_stalled", "set_aside")
"""Every code of a trouble."""

_WHERE = {
    "store_error": ("the store takes no footage", "What was recorded waits in the spool."),
    "index_error": ("the index takes no entries", "What was recorded is not found until it does."),
    "journal_error": ("the journal is not uploaded", "No checkpoint covers what was recorded since."),
}


def troubles(beat: Beat, now: int) -> Iterator[Trouble]:
    """Everything that is wrong with a recorder at ``now`` (µs); nothing where it is well."""
    name, state = beat.recorder, beat.state
    age = now - beat.at
    if age >= PATIENCE:
        message = f"{name} was last seen {age // SECOND} s ago"
        yield Trouble(name, "recorder_silent", message, "Look at its host; its cameras are not recorded.")
    for code, (what, hint) in _WHERE.items():
        if error := str(state.get(code) or ""):
            yield Trouble(name, code, f"{name}: {what} ({error})", f"{hint} See the log of the recorder.")
    stalled = int(state.get("stalled_us") or 0)
    if stalled >= PATIENCE:
        message = f"{name}: nothing came through for {stalled // SECOND} s; {state.get('waiting')} wait"
        yield Trouble(name, "commit_stalled", message, "See its log, its disk, the store and the index.")
    if aside := int(state.get("set_aside") or 0):
        message = f"{name} set {aside} entries aside since it began"
        yield Trouble(name, "set_aside", message, "See its quarantine folder and saksi incident list.")
