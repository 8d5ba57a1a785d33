"""``saksi export``: order clips of many cameras and hours, follow them, and write what is finished."""

import time
from pathlib import Path
from typing import Annotated

import typer

from archive.cases.exports.model import UNFINISHED, Export, ExportStatus, check_order, export_json
from archive.cases.exports.package import check_fetchable, export_zip
from archive.errors import Unavailable
from archive.footage.download.naming import several
from archive.footage.reader import check_span
from archive.timespan import SECOND
from ops.cli.downloads import Container, path_in, write_export
from ops.cli.options import From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import print_json, print_table, progress_bar, say
from ops.cli.times import span_text, time_text, zone_of_city
from ops.exports import ExportPlans, board_of
from ops.wiring import Site

app = typer.Typer(
    help="Exports: clips of many cameras and hours, made by saksi work and kept for a day.",
    no_args_is_help=True,
)

ExportId = Annotated[str, typer.Argument(help="Id of the export.", metavar="ID", show_default=False)]

LOOK_S = 1.0
"""How often ``follow`` looks."""


@app.command("start")
def start(
    camera: Annotated[list[str], typer.Option("--camera", help="Camera id; may be repeated.", metavar="ID")],
    start: From,
    end: To,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Order an export; saksi work makes it."""
    span = parse_span(start, end)
    cameras = tuple(dict.fromkeys(camera))
    with open_site() as site:
        now = site.clock.now()
        check_span(span, now)
        check_order(len(cameras), span, now)
        size = ExportPlans(site).footage_bytes(cameras, span)
        export = board_of(site).order(actor().id, purpose, cameras, span, footage_bytes=size)
        _record(site, "export.order", export, purpose)
        _tell(site, export, as_json=json_)


@app.command("follow")
def follow(
    export_id: ExportId,
    seconds: Annotated[
        int, typer.Option("--for", help="Longest time to wait, in seconds.", min=1, metavar="SECONDS")
    ] = 86_400,
    json_: Json = False,
) -> None:
    """Wait until an export is finished, and show how much of it is made."""
    with open_site() as site:
        board, who = board_of(site), actor().id
        export = board.find(who, export_id)
        _record(site, "export.read", export, "")
        end = site.clock.monotonic() + seconds * SECOND
        with progress_bar(export_id) as bar:
            while export.state.status in UNFINISHED:
                bar(len(export.state.pieces), export.order.piece_count)
                if site.clock.monotonic() >= end:
                    raise Unavailable(
                        f"the export {export_id} is still {export.state.status.value}",
                        code="export_not_finished",
                        hint="Is saksi work running? Follow it again, or look: saksi export show",
                    )
                time.sleep(LOOK_S)
                export = board.find(who, export_id)
        _tell(site, export, as_json=json_)
        if export.state.status is not ExportStatus.READY:
            raise typer.Exit(2)


@app.command("list")
def list_(json_: Json = False) -> None:
    """Show your exports, the newest first."""
    with open_site() as site:
        found = board_of(site).exports_of(actor().id)
        site.custody.record("export.read", actor=actor(), details={"results": len(found)})
        if json_:
            print_json({"exports": [export_json(export) for export in found]})
            return
        zone = zone_of_city(site)
        print_table(
            ("EXPORT", "STATUS", "CAMERAS", "TIME", "MADE"),
            [
                (
                    one.order.id,
                    one.state.status.value,
                    ", ".join(one.order.cameras),
                    span_text(one.order.span, zone),
                    f"{len(one.state.pieces)}/{one.order.piece_count}",
                )
                for one in found
            ],
        )


@app.command("show")
def show(export_id: ExportId, json_: Json = False) -> None:
    """Show one export and how much of it is made."""
    with open_site() as site:
        export = board_of(site).find(actor().id, export_id)
        _record(site, "export.read", export, "")
        _tell(site, export, as_json=json_)


@app.command("pause")
def pause(export_id: ExportId, json_: Json = False) -> None:
    """Pause an export; what is made of it stays."""
    _change(export_id, ExportStatus.PAUSED, as_json=json_)


@app.command("resume")
def resume(export_id: ExportId, json_: Json = False) -> None:
    """Continue an export that is paused."""
    _change(export_id, ExportStatus.QUEUED, as_json=json_)


@app.command("cancel")
def cancel(export_id: ExportId, json_: Json = False) -> None:
    """Cancel an export; what is made of it is removed."""
    _change(export_id, ExportStatus.CANCELLED, as_json=json_)


@app.command("download")
def download(
    export_id: ExportId,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the ZIP.", metavar="FILE")],
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Write a finished export as one ZIP."""
    with open_site() as site:
        board = board_of(site)
        export = board.find(actor().id, export_id)
        check_fetchable(export, frozenset(board.parts(export.order)), ExportPlans(site).etag_of)
        zone, order = zone_of_city(site), export.order
        made = export_zip(
            export, site.stores.cache, lambda name: site.registry.as_of(name, order.span.start), zone
        )
        name = several(len(order.cameras), order.span, zone)
        output = path_in(output, name, Container.MP4, cameras=2)
        write_export(site, (order.id, *order.cameras), order.span, made, output, purpose or order.purpose)
        if json_:
            print_json({**export_json(export), "file": str(output)})
        else:
            say(f"{output}: {len(export.state.files)} clips, {made.size} bytes")


def _change(export_id: str, wanted: ExportStatus, *, as_json: bool) -> None:
    with open_site() as site:
        export = board_of(site).change(actor().id, export_id, wanted)
        _record(site, "export.change", export, "", status=wanted.value)
        _tell(site, export, as_json=as_json)


def _record(site: Site, act: str, export: Export, purpose: str, **details: str) -> None:
    order = export.order
    site.custody.record(
        act,
        actor=actor(),
        objects=(order.id, *order.cameras),
        purpose=purpose or order.purpose,
        details={**order.span.to_json(), **details},
    )


def _tell(site: Site, export: Export, *, as_json: bool) -> None:
    if as_json:
        print_json(export_json(export))
        return
    order, state, zone = export.order, export.state, zone_of_city(site)
    say(f"{order.id}: {state.status.value}, {len(state.pieces)} of {order.piece_count} parts")
    say(f"  cameras {', '.join(order.cameras)}")
    say(f"  time    {span_text(order.span, zone)}")
    say(f"  ordered {time_text(order.ordered_at, zone)}")
    if state.message:
        say(f"  why     {state.message} [{state.code}]")
    if state.status is ExportStatus.READY:
        say(f"  kept until {time_text(state.until, zone)}")
