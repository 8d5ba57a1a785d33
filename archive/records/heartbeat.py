"""Judges a recorder's health by its last heartbeat. Pure: no clock is read here.

``saksi doctor``, the figures for Prometheus and the notices all use this judgement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from archive.canonical import JsonObject
from archive.timespan import HOUR, MINUTE, SECOND

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
    """One problem of one recorder: a stable code, a sentence, and what to do.

    ``due_at`` is when the spool is full, if that is the problem.
    """

    recorder: str
    code: str
    message: str
    hint: str
    due_at: int | None = None


BEHIND = 10 * MINUTE
"""An entry that has waited for longer shows that the archive is behind, even if others get through."""
FILLING = 24 * HOUR
"""A spool that will be full sooner needs a person."""

CODES = (
    "recorder_silent",
    "recorder_clock",
    "store_error",
    "index_error",
    "journal_error",
    "commit_stalled",
    "archive_behind",
    "spool_full",
    "spool_filling",
    "set_aside",
    "quarantine_full",
)
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
    if state.get("stopped"):
        return  # in order, and everything is archived; its cameras are judged one by one
    if age >= PATIENCE:
        message = f"{name} was last seen {age // SECOND} s ago"
        yield Trouble(name, "recorder_silent", message, "Check its host; its cameras are not being recorded.")
    elif age <= -PATIENCE:
        message = f"the last heartbeat of {name} is {-age // SECOND} s in the future: it may have died since"
        hint = "Check that it runs, and NTP there: every segment has this host's time."
        yield Trouble(name, "recorder_clock", message, hint)
    for code, (what, hint) in _WHERE.items():
        if error := str(state.get(code) or ""):
            yield Trouble(name, code, f"{name}: {what} ({error})", f"{hint} Check the recorder's log.")
    stalled = int(state.get("stalled_us") or 0)
    if stalled >= PATIENCE:
        message = f"{name}: nothing was archived for {stalled // SECOND} s; {state.get('waiting')} wait"
        yield Trouble(name, "commit_stalled", message, "Check its log, its disk, the store and the index.")
    yield from _waiting(name, state, beat.at)
    if aside := int(state.get("set_aside") or 0):
        message = f"{name} set {aside} entries aside since it started"
        yield Trouble(
            name, "set_aside", message, "Check its quarantine folder and saksi integrity-incident list."
        )
    if dropped := int(state.get("quarantine_dropped") or 0):
        message = (
            f"{name}: its quarantine is full, and {dropped} files that no segment can be made of were dropped"
        )
        hint = "saksi spool there names the cameras; mend them, and move the quarantine to another disk."
        yield Trouble(name, "quarantine_full", message, hint)


def _waiting(name: str, state: JsonObject, at: int) -> Iterator[Trouble]:
    """Troubles of a spool that does not empty."""
    waited = int(state.get("oldest_us") or 0)
    if waited >= BEHIND:
        message = f"{name}: an entry has waited for {waited // MINUTE} minutes; {state.get('waiting')} wait"
        yield Trouble(name, "archive_behind", message, "Footage since then is not found until it arrives.")
    if state.get("spool_full"):
        message = f"{name}: the spool is full, and its cameras are not recorded"
        yield Trouble(name, "spool_full", message, "Free its disk or raise spool_quota_mib; check the store.")
    elif state.get("fill_s") is not None and int(state["fill_s"]) * SECOND < FILLING:
        left = int(state["fill_s"])
        hours, minutes = divmod(left // 60, 60)
        message = f"{name}: the spool is full in {hours} h {minutes} min at the present rate"
        hint = "Check the store and the index: entries stay in it."
        yield Trouble(name, "spool_filling", message, hint, due_at=at + left * SECOND)
