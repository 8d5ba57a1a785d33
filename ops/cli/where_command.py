"""``saksi search`` and ``saksi timeline``: which cameras saw a place, and what there is of them."""

import shutil
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.directory import CameraDirectory
from archive.errors import NotFound
from archive.footage.reader import check_span
from archive.model.areas import Areas, Level
from archive.model.camera import OwnerKind
from archive.model.stay import Stay
from archive.timespan import SpanSet, Timespan
from ops.cli.options import Cameras, From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, print_table, say
from ops.cli.timeline_picture import cells_of, draw, fitting_step
from ops.cli.times import bound_text, span_text, zone_of_city
from ops.wiring import Site
from search.asking import area_of, details_of
from search.finding import Found, FoundCamera, find, parts_of
from search.held import held_spans
from search.shown import camera_json, found_geojson, found_json, timeline_json
from search.stays import StayBook
from search.tally import CameraState
from search.timeline import step_of, timeline
from search.where import CameraFilter, InView, View, sightings, words_of

_VIEWS: Mapping[View | None, str] = {
    View.YES: "in view",
    View.UNKNOWN: "unknown",
    View.NO: "elsewhere",
    None: "",
}


class Zone(StrEnum):
    """Where hours and days begin."""

    CITY = "city"
    UTC = "UTC"


Codes = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the commands to the top level."""
    app.command("search")(search)
    app.command("timeline")(show_timeline)


def search(
    start: From,
    end: To,
    near: Annotated[str, typer.Option("--near", help="Around this point.", metavar="LAT,LON")] = "",
    radius: Annotated[
        str, typer.Option("--radius", help="Metres around --near, up to 20000.", metavar="M")
    ] = "",
    box: Annotated[
        str, typer.Option("--box", help="Between these edges.", metavar="SOUTH,WEST,NORTH,EAST")
    ] = "",
    polygon: Annotated[
        str, typer.Option("--polygon", help="Inside these corners, in order.", metavar="LAT,LON;LAT,LON;…")
    ] = "",
    route: Annotated[str, typer.Option("--route", help="Along this line.", metavar="LAT,LON;LAT,LON;…")] = "",
    buffer: Annotated[
        str, typer.Option("--buffer", help="Metres to each side of --route, 1 to 500.", metavar="M")
    ] = "",
    kecamatan: Annotated[
        Codes, typer.Option("--kecamatan", help="District by code or name; may be repeated.", metavar="AREA")
    ] = None,
    kelurahan: Annotated[
        Codes, typer.Option("--kelurahan", help="Kelurahan by code or name; may be repeated.", metavar="AREA")
    ] = None,
    owner: Annotated[
        list[OwnerKind] | None, typer.Option("--owner", help="Owner kind; may be repeated.", metavar="OWNER")
    ] = None,
    camera: Cameras = None,
    text: Annotated[
        str, typer.Option("--text", help="Words of the name or the address.", metavar="WORDS")
    ] = "",
    in_view: Annotated[
        InView,
        typer.Option(
            "--in-view",
            help="Keep any, those possible in view, or only those in view.",
            metavar="any|possible|only",
        ),
    ] = InView.ANY,
    limit: Annotated[
        int, typer.Option("--limit", help="Cameras in one answer, 1 to 1000.", metavar="N")
    ] = 100,
    cursor: Annotated[
        str, typer.Option("--cursor", help="Continue after the previous answer.", metavar="NEXT")
    ] = "",
    geojson: Annotated[bool, typer.Option("--geojson", help="Print GeoJSON on stdout.")] = False,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Find the cameras that may have seen a place in a span, the most useful first."""
    span = parse_span(start, end)
    with open_site() as site:
        now, areas = site.clock.now(), site.areas
        wanted = CameraFilter(
            area=area_of(
                near=near, radius_m=radius, box_=box, polygon_=polygon, route_=route, buffer_m=buffer
            ),
            kecamatan=areas.codes(Level.KECAMATAN, kecamatan) if kecamatan else None,
            kelurahan=areas.codes(Level.KELURAHAN, kelurahan) if kelurahan else None,
            owners=tuple(owner) if owner else None,
            cameras=tuple(dict.fromkeys(camera)) if camera else None,
            words=words_of(text) if text else (),
            in_view=in_view,
        )
        check_span(span, now)
        stays, states = _city(site, wanted.cameras or ())
        found = find(
            site.index,
            stays,
            wanted,
            span,
            cameras=states,
            held=held_spans(site.index, span),
            now=now,
            limit=limit,
            cursor=cursor or None,
        )
        site.custody.record(
            "cameras.search",
            actor=actor(),
            objects=wanted.cameras or (),
            purpose=purpose,
            details={**span.to_json(), **details_of(wanted), "cameras": len(found.cameras)},
        )
        zone = zone_of_city(site)
    if geojson:
        print_json(found_geojson(found, span, now, areas))
    elif json_:
        print_json(found_json(found, span, now, areas))
    else:
        _tell(found, span, zone, areas)


def show_timeline(
    start: From,
    end: To,
    camera: Annotated[list[str], typer.Option("--camera", help="Camera id; may be repeated.", metavar="ID")],
    step: Annotated[
        str,
        typer.Option(
            "--step", help="1s to 30s, 1m to 30m, 1h to 12h, 1d; without it: one line.", metavar="S"
        ),
    ] = "",
    zone: Annotated[
        Zone, typer.Option("--zone", help="Where hours and days begin.", metavar="city|UTC")
    ] = Zone.CITY,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Draw how much of each stretch of time was recorded, and what is missing."""
    span = parse_span(start, end)
    wanted = CameraFilter(cameras=tuple(dict.fromkeys(camera)))
    names = wanted.cameras or ()
    width = shutil.get_terminal_size().columns
    chosen = step or fitting_step(span.duration, cells_of(names, width))
    length = step_of(chosen)
    with open_site() as site:
        now = site.clock.now()
        check_span(span, now)
        stays, states = _city(site, names)
        city = zone_of_city(site)
        clock = city if zone is Zone.CITY else ZoneInfo("UTC")
        parts = parts_of(sightings(stays, wanted, span))
        found = timeline(
            site.index,
            {name: parts.get(name, SpanSet()) for name in names},
            span,
            length,
            clock,
            cameras=states,
            held=held_spans(site.index, span),
            now=now,
        )
        site.custody.record(
            "recordings.search",
            actor=actor(),
            objects=names,
            purpose=purpose,
            details={**span.to_json(), "for": "timeline", "step": chosen},
        )
    if json_:
        print_json(timeline_json(found, names, chosen, clock.key))
        return
    for line in draw(found, names, clock, width):
        say(line)


def _tell(found: Found, span: Timespan, zone: ZoneInfo, areas: Areas) -> None:
    say(f"{found.total} cameras, {span_text(span, zone)}, read by {found.resolution.value}")
    columns = ("view", "m", "to it", "camera", "recorded", "missing", "clock", "name")
    print_table(columns, [_row(one, areas) for one in found.cameras])
    if found.next is not None:
        note(f"more: --cursor {found.next}")


def _row(one: FoundCamera, areas: Areas) -> tuple[str, ...]:
    shown = camera_json(one, areas)
    away = one.sighting.direction
    missing = [f"{cause} {seconds:.0f} s" for cause, seconds in shown["gap_seconds"].items()]
    if one.tally.pending:
        missing.append(f"pending {shown['pending_seconds']:.0f} s")
    return (
        _VIEWS[one.sighting.view],
        "" if away is None else f"{away.distance_m:.0f}",
        "" if away is None else f"{shown['bearing']}°",
        one.sighting.camera,
        f"{shown['coverage_percent']:.2f} %",
        ", ".join(missing),
        bound_text(one.uncertainty_us) if one.coverage else "",
        one.sighting.facts.name,
    )


def _city(
    site: Site, named: tuple[str, ...]
) -> tuple[Mapping[str, tuple[Stay, ...]], Mapping[str, CameraState]]:
    """The stays and the states of all cameras. Raises NotFound for a named one that does not exist."""
    known = CameraDirectory(site.index, site.clock).cameras()
    for name in named:
        if name not in known:
            raise NotFound(f"there is no camera {name}", code="camera_not_found")
    states = {
        name: CameraState(one.camera.registered_at, is_disabled=one.camera.disabled)
        for name, one in known.items()
    }
    return StayBook(site.index, site.registry.history).stays(known), states
