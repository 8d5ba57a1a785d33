"""``saksi health``: which cameras and recorders work now."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.records.camera_health import CameraHealth, CameraState, counts
from archive.records.recorder_health import recorder_json
from archive.timespan import SECOND, format_instant
from ops.cli.options import Json, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.cli.times import time_text, value_text, zone_of_city
from search.health import camera_health, day_of, gaps_of_day

app = typer.Typer(help="Show which cameras and recorders work now.", no_args_is_help=True)


@app.command()
def cameras(
    state: Annotated[
        list[CameraState] | None,
        typer.Option("--state", help="Only cameras in this state; may be repeated; without it: all."),
    ] = None,
    kecamatan: Annotated[
        str, typer.Option("--kecamatan", help="Only cameras in this district; without it: all.")
    ] = "",
    json_: Json = False,
) -> int:
    """Show what every camera does now. Exit 1: one that should be recorded is not."""
    with open_site() as site:
        now, zone = site.clock.now(), zone_of_city(site)
        every = [
            one for one in camera_health(site.index, now) if kecamatan in ("", one.camera.place.kecamatan)
        ]
        found = [one for one in every if not state or one.state in state]
        gaps = gaps_of_day(site.index, found, day_of(now, zone))
    numbers = {one.value: number for one, number in counts(every).items()}
    is_well = not any(one.is_missed or one.state is CameraState.UNKNOWN for one in every)
    if json_:
        shown = [
            one.to_json()
            | {"gaps_today_seconds": {cause: us // SECOND for cause, us in gaps[one.camera.id].items()}}
            for one in found
        ]
        print_json({"as_of": format_instant(now), "counts": numbers, "cameras": shown})
        return 0 if is_well else 1
    print_table(
        (
            "ID",
            "STATE",
            "SINCE",
            "LAST FOOTAGE",
            "FPS",
            "KBIT/S",
            "FAILED",
            "DAMAGED",
            "MISSING TODAY",
            "RECORDER",
        ),
        [
            (
                one.camera.id,
                state_text(one),
                moment_text(one.since, zone),
                moment_text(one.newest, zone),
                "-" if one.mfps is None else f"{one.mfps / 1000:.1f}",
                "-" if one.kbps is None else str(one.kbps),
                str(one.failures),
                str(one.damaged),
                f"{sum(gaps[one.camera.id].values()) // SECOND} s",
                one.recorder or "-",
            )
            for one in found
        ],
    )
    for one in found:
        for finding in one.findings:
            note(f"{finding.message} [{finding.code}]. {finding.hint}")
    say(", ".join(f"{number} {name}" for name, number in numbers.items() if number) or "no cameras")
    return 0 if is_well else 1


@app.command()
def recorders(json_: Json = False) -> int:
    """Show every recorder by its last heartbeat. Exit 1: one is in trouble, or none was ever seen."""
    with open_site() as site:
        now, zone = site.clock.now(), zone_of_city(site)
        found = [recorder_json(beat, now) for beat in site.bare_index.heartbeats()]
    is_well = bool(found) and not any(one["troubles"] for one in found)
    if json_:
        print_json({"as_of": format_instant(now), "recorders": found})
        return 0 if is_well else 1
    if not found:
        note("No recorder was ever seen; start one: saksi record")
    for one in found:
        for name, value in one.items():
            if name != "troubles":
                say(f"{name:22} {'-' if value in (None, '') else value_text(value, zone)}")
        for trouble in one["troubles"]:
            say(f"{'trouble':22} {trouble['code']}: {trouble['message']}. {trouble['hint']}")
        say("")
    return 0 if is_well else 1


def state_text(one: CameraHealth) -> str:
    """The state, with the cause if there is one: ``silent (unreachable)``."""
    return one.state.value if one.cause in ("", one.state.value) else f"{one.state.value} ({one.cause})"


def moment_text(at: int | None, zone: ZoneInfo) -> str:
    """An instant for a table, ``-`` for none."""
    return "-" if at is None else time_text(at, zone)
