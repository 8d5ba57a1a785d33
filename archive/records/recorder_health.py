"""One recorder now, as the HTTP interface and the command line show it: facts, and the troubles judged."""

from typing import Any

from archive.canonical import JsonObject
from archive.records.heartbeat import Beat, troubles
from archive.timespan import SECOND, format_instant


def recorder_json(beat: Beat, now: int) -> JsonObject:
    """A recorder's last heartbeat and its troubles at ``now`` (µs); null for what it does not say.

    ``commit_age_seconds`` is how long entries have waited without any getting through, 0 if none waits.
    """
    state = beat.state
    cameras = state.get("cameras")
    started = _number(state, "started")
    return {
        "recorder": beat.recorder,
        "seen_at": format_instant(beat.at),
        "seen_seconds_ago": (now - beat.at) // SECOND,
        "version": str(state.get("version") or ""),
        "started_at": None if started is None else format_instant(started),
        "cameras": len(cameras) if isinstance(cameras, dict) else 0,
        "waiting": _number(state, "waiting"),
        "oldest_seconds": _seconds(state, "oldest_us"),
        "commit_age_seconds": _seconds(state, "stalled_us"),
        "spool_bytes": _number(state, "spool_bytes"),
        "spool_room_bytes": _number(state, "spool_room"),
        "spool_full_in_seconds": _number(state, "fill_s"),
        "disk_free_bytes": _number(state, "disk_free"),
        "store_error": str(state.get("store_error") or ""),
        "index_error": str(state.get("index_error") or ""),
        "journal_error": str(state.get("journal_error") or ""),
        "lost": _number(state, "lost"),
        "set_aside": _number(state, "set_aside"),
        "troubles": [
            {"code": one.code, "message": one.message, "hint": one.hint} for one in troubles(beat, now)
        ],
    }


def _number(state: JsonObject, name: str) -> int | None:
    found: Any = state.get(name)
    return found if isinstance(found, int) else None


def _seconds(state: JsonObject, name: str) -> int | None:
    found = _number(state, name)
    return None if found is None else found // SECOND
