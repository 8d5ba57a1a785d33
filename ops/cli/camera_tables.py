"""``saksi camera import``, ``export`` and ``moves``."""

import json
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.camera_tables import plan_json
from api.moves import moves_json
from archive.canonical import JsonObject
from archive.errors import AlreadyExists, Malformed
from archive.footage.cameras import COLUMNS
from archive.footage.exchange.geojson import read_geojson, to_geojson
from archive.footage.exchange.importing import Existing, Import
from archive.footage.exchange.spreadsheet import read_csv, to_csv
from archive.footage.moves import stays_of
from archive.model.camera import full_json
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, say
from ops.cli.times import time_text, zone_of_city

_GEOJSON = {".geojson", ".json"}


class Format(StrEnum):
    """The forms of a table of cameras."""

    CSV = "csv"
    GEOJSON = "geojson"


def register(app: typer.Typer) -> None:
    """Add the commands to ``saksi camera``, once."""
    if any(command.callback is import_ for command in app.registered_commands):
        return
    app.command("import")(import_)
    app.command("export")(export)
    app.command("moves")(moves)


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=f"GeoJSON, or CSV with the columns {','.join(COLUMNS)}")
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Change cameras that are registered already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, row by row; write nothing.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept with each change. A camera that moves needs it.")
    ] = "",
    json_: Json = False,
) -> int:
    """Register every row of a CSV or GeoJSON file; a bad row is reported and the others are taken."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Malformed(f"{file} cannot be read: {error.strerror}", code="unreadable_input") from error
    table = read_geojson(data) if file.suffix.lower() in _GEOJSON else read_csv(data)
    with open_site() as site:
        work = Import(
            registry=site.registry,
            existing=Existing.UPDATE if update else Existing.REFUSE,
            reason=reason,
            box=site.settings.city_box,
            areas=site.areas,
        )
        plan = work.plan(table)
        if not dry_run:
            plan = work.carry_out(plan, actor=actor().id)
            counts = {name: len(getattr(plan, name)) for name in ("added", "changed", "refused")}
            site.custody.record("camera.import", actor=actor(), details=counts)
    told = plan_json(plan, dry_run=dry_run)
    print_json(told) if json_ else _say_plan(told)
    return 2 if plan.refused else 0


def _say_plan(told: JsonObject) -> None:
    would = "would be " if told["dry_run"] else ""
    counts = (
        f"{len(told['added'])} {would}added, {len(told['changed'])} {would}changed, "
        f"{len(told['unchanged'])} unchanged, {len(told['refused'])} {would}refused"
    )
    say(f"Cameras: {counts}")
    for row in told["changed"]:
        for name, change in row["fields"].items():
            say(f"  line {row['line']} ({row['id']}): {name} {change['from']!r} -> {change['to']!r}")
    for row in told["remarks"]:
        note(f"  line {row['line']} ({row['camera']}): {row['id']} / {row['en']}")
    for row in told["refused"]:
        at = f"{row['id']}, {row['field']}" if row["field"] else row["id"]
        note(f"  line {row['line']} ({at}): {row['message']} [{row['code']}]")
        if row["hint"]:
            note(f"    {row['hint']}")
    if told["ignored"]:
        note(f"Columns that Saksi sets itself were ignored: {', '.join(told['ignored'])}")


def export(
    format_: Annotated[Format, typer.Option("--format", help="csv, or geojson (RFC 7946).")] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; else stdout.")
    ] = None,
) -> None:
    """Write all cameras as a table that import reads back; sources are without passwords."""
    with open_site() as site:
        cameras = site.registry.cameras()
        site.custody.record(
            "camera.export", actor=actor(), details={"cameras": len(cameras), "format": format_.value}
        )
        areas = site.areas
    if format_ is Format.CSV:
        _write(output, to_csv(cameras))
        return
    collection = to_geojson(full_json(camera, areas) for camera in cameras)
    if output is None:
        print_json(collection)
    else:
        _write(output, json.dumps(collection, ensure_ascii=False, indent=2) + "\n")


def _write(output: Path | None, text: str) -> None:
    """Write it whole to stdout, or to a new file that only this user may read: it names owners."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError as error:
        raise AlreadyExists(
            f"{output} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        ) from error
    except OSError as error:
        raise Malformed(
            f"{output} cannot be written: {error.strerror}",
            code="output_unwritable",
            hint="Check the folder.",
        ) from error
    note(f"Written to {output}")


def moves(camera_id: Annotated[str, typer.Argument(metavar="ID")], json_: Json = False) -> None:
    """Show where a camera stood and looked, from when until when, and who moved it."""
    with open_site() as site:
        site.registry.camera(camera_id)
        stays = stays_of(site.registry.history(camera_id))
        told = moves_json(stays, site.areas)
        zone = zone_of_city(site)
    if json_:
        print_json({"camera": camera_id, "moves": told})
        return
    for one in told:
        until = "now" if one["until"] is None else time_text(one["until"], zone)
        say(f"{time_text(one['from'], zone)} to {until}")
        say("  " + ", ".join(_stay(one)))
        say(f"  by {one['by']}{': ' if one['reason'] else ''}{one['reason']}")


def _stay(one: JsonObject) -> Iterator[str]:
    """Where the camera stood, where it looked, and how far it had been moved; what is known of it."""
    yield f"{one['lat']} {one['lon']}"
    yield f"kelurahan {one['kelurahan']} {one['kelurahan_name']}".strip()
    if one["bearing"] is not None:
        yield f"looks {one['bearing']}° ± {one['field_of_view'] / 2:g}° for {one['reach_m']} m"
    if one["moved_m"] is not None:
        yield f"moved {one['moved_m']:g} m"
