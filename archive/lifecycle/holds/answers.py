"""Holds as the API and the command line show them."""

from archive.canonical import JsonObject
from archive.lifecycle.holds.progress import HoldProgress
from archive.lifecycle.holds.service import HoldHead
from archive.model.hold import Hold, to_state
from archive.records.indexed.newest import Said
from archive.timespan import format_instant


def hold_json(hold: Hold, newest: Said, now: int) -> JsonObject:
    """One hold: its newest state, who changed it last, and whether its review is due."""
    return {
        "id": hold.id,
        "version": newest.version,
        **to_state(hold),
        "in_force": hold.in_force,
        "review_due": hold.review_due(now),
        "changed_at": format_instant(newest.at),
        "changed_by": newest.actor,
        "reason": newest.reason,
    }


def progress_json(head: HoldHead, progress: HoldProgress | None) -> JsonObject | None:
    """How far the store follows the hold; None before the first sweep of its newest entry."""
    if progress is None or progress.entry_version != head.entry.version:
        return None
    return {
        "in_force": progress.in_force,
        "swept_at": format_instant(progress.swept_at),
        "segments": progress.segments,
        "bytes": progress.bytes,
        "verified": progress.verified,
        "kept": progress.kept,
        "troubles": progress.troubles,
        "is_verified": progress.is_verified,
        "settled": progress.settled,
        "waits_for": list(progress.waits_for),
    }
