"""``saksi spool``: what waits on this recorder's disk, and how long it lasts."""

import typer

from archive.timespan import MINUTE, SECOND, format_instant
from ops.cli.options import Json
from ops.cli.output import note, print_json, print_table, say
from ops.cli.retention_text import size_text
from ops.settings import Settings
from recorder.settings import RecorderSettings
from recorder.spool_view import CameraWaiting, SpoolView, look

_HOUR_S = 3600


def register(app: typer.Typer) -> None:
    """Add the command to the top level."""
    app.command("spool")(spool)


def spool(json_: Json = False) -> int:
    """Show what waits in the spool here, and when it would be full. Exit 1: within an hour."""
    from archive.clock import SystemClock

    settings = Settings.load()
    found = look(
        settings.spool_dir, quota=settings.spool_quota_mib << 20, reserve=RecorderSettings().spool_reserve
    )
    now = SystemClock().now()
    if json_:
        print_json(found.to_json())
    else:
        _show(found, now)
    return 1 if _is_short(found, now) else 0


def _is_short(found: SpoolView, now: int) -> bool:
    """Whether it would be full within an hour, and what came a minute ago has not left."""
    is_stuck = found.oldest is not None and now - found.oldest > MINUTE
    return is_stuck and found.full_in is not None and found.full_in < _HOUR_S


def _show(found: SpoolView, now: int) -> None:
    rows = [_row(one, now) for one in found.cameras if one.segments or one.rate]
    if rows:
        print_table(("CAMERA", "SEGMENTS", "SIZE", "OLDEST", "PER HOUR"), rows)
    left = "never, by what is known" if found.full_in is None else f"in {_length(found.full_in)}"
    say(
        f"{size_text(found.bytes)} wait of {size_text(found.quota)}; "
        f"{size_text(found.room)} may still come, {size_text(found.free)} are free on the disk"
    )
    say(f"{size_text(found.rate * _HOUR_S)} come in per hour; if nothing leaves, the spool is full {left}")
    if found.gaps:
        say(f"{found.gaps} records of gaps wait")
    if found.quarantined:
        note(
            f"{found.quarantined} entries ({size_text(found.quarantine_bytes)}) are in quarantine: "
            "see the runbook for integrity incidents"
        )
    for one in found.dropped:
        note(
            f"{one.camera}: {one.files} files ({size_text(one.bytes)}) found no room and were dropped "
            f"since {format_instant(one.since)}; mend the camera, and move the quarantine to another disk"
        )
    if _is_short(found, now):
        note("Then its cameras are not recorded. Check the store and the index: saksi health recorders")


def _row(one: CameraWaiting, now: int) -> tuple[str, ...]:
    waited = "-" if one.oldest is None else _length(max(0, now - one.oldest) // SECOND)
    rate = "-" if one.rate is None else size_text(one.rate * _HOUR_S)
    return (one.camera, str(one.segments), size_text(one.bytes), waited, rate)


def _length(seconds: int) -> str:
    minutes = seconds * SECOND // MINUTE
    return f"{seconds} s" if not minutes else f"{minutes // 60} h {minutes % 60} min"
