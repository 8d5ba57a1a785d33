"""``saksi camera``: the camera registry."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveError, Malformed, Unavailable
from archive.footage.advice import remarks
from archive.footage.cameras import COLUMNS, CameraForm, ImportReport
from archive.model.camera import Camera, public_json
from archive.records.camera_health import CameraHealth, judge
from archive.timespan import DAY, format_instant
from ops.cli.health_command import moment_text, state_text
from ops.cli.options import Json, actor, open_site, open_site_or_ask
from ops.cli.output import note, print_json, print_table, say
from ops.cli.times import time_text, value_text, zone_of_city
from ops.wiring import Site
from search.health import health_of

if TYPE_CHECKING:
    from ops.trial import FirstLook

app = typer.Typer(help="Register, change and list cameras.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]


@app.command()
def add(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    source: Annotated[str, typer.Option(help="rtsp(s)://, http(s)://, file:// or test:// URL.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    lat: Annotated[str, typer.Option(help="Degrees, WGS 84.")],
    lon: Annotated[str, typer.Option(help="Degrees, WGS 84.")],
    kecamatan: Annotated[str, typer.Option(help="District code, such as 73.71.13.")],
    kelurahan: Annotated[str, typer.Option(help="Village code, such as 73.71.13.1001.")],
    owner: Annotated[str, typer.Option(help="government, business, public or worship.")],
    view: Annotated[str, typer.Option(help="Must be public: only public space is recorded.")],
    segment_seconds: Annotated[str, typer.Option(help="Nominal segment length, 2 to 300.")] = "",
    reason: Reason = "",
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Look at the camera, show what it sends, keep a still.")
    ] = True,
    still: Annotated[
        Path | None, typer.Option("--still", help="Where to keep the still.", metavar="FILE")
    ] = None,
    json_: Json = False,
) -> None:
    """Register a camera; its timeline begins now."""
    form = CameraForm(
        id=camera_id,
        source=source,
        name=name,
        lat=lat,
        lon=lon,
        kecamatan=kecamatan,
        kelurahan=kelurahan,
        owner=owner,
        view=view,
        segment_seconds=segment_seconds,
    )
    with open_site_or_ask() as site:
        camera = site.registry.add(form, actor=actor().id, reason=reason)
        found = remarks(camera.place, site.settings.city_box)
        seen = _look(site, camera, still) if probe else None
    if json_:
        told = [{"code": one.code, "id": one.id, "en": one.en} for one in found]
        print_json(public_json(camera) | {"remarks": told, "probe": None if seen is None else seen.to_json()})
        return
    for one in found:
        note(f"Perhatikan: {one.id}. (Note: {one.en}.)")
    say(f"Camera {camera.id} is registered; record it with: saksi record --camera {camera.id}")
    if seen is not None:
        say(f"It sends {seen.codec}, {seen.width} x {seen.height}, {seen.fps:g} pictures a second.")
        say(f"Still: {seen.still}" if seen.still else "No still could be made of it on this machine.")


def _look(site: Site, camera: Camera, still: Path | None) -> "FirstLook | None":
    """What the camera sends. One that gives nothing is named on stderr; a made picture is not probed."""
    from archive.footage.source_url import SourceKind, parse_source
    from ops.trial import look_at

    source = parse_source(site.registry.source_of(camera))
    if source.kind is SourceKind.PATTERN:
        return None
    where = still or site.settings.home / "stills" / f"{camera.id}.jpg"
    try:
        return look_at(camera, source, rule=site.source_rule, clock=site.clock, still=where)
    except ArchiveError as error:
        note(f"Kamera terdaftar, tetapi belum memberi gambar. ({error.message}) {error.hint}")
        return None


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help=f"Columns: {','.join(COLUMNS)}")],
    reason: Reason = "",
    json_: Json = False,
) -> int:
    """Register every row of a CSV file; a bad row is reported and the others are added."""
    try:
        rows = file.open("r", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise Malformed(f"{file} cannot be read: {error.strerror}", code="unreadable_input") from error
    with rows, open_site() as site:
        report = site.registry.import_csv(rows, actor=actor().id, reason=reason)
    _print_import(report, json_=json_)
    return 2 if report.refused else 0


def _print_import(report: ImportReport, *, json_: bool) -> None:
    if json_:
        refused = [{"line": r.line, "id": r.id, "code": r.code, "message": r.message} for r in report.refused]
        print_json({"added": [camera.id for camera in report.added], "refused": refused})
        return
    say(f"{len(report.added)} cameras added, {len(report.refused)} refused")
    for row in report.refused:
        note(f"  line {row.line} ({row.id}): {row.message} [{row.code}]")


@app.command("list")
def list_(json_: Json = False) -> None:
    """List all cameras, and what each does now; the JSON has only what is registered."""
    with open_site() as site:
        cameras = site.registry.cameras()
        if json_:
            print_json({"cameras": [public_json(camera) for camera in cameras]})
            return
        found = _health(site, cameras)
        zone = zone_of_city(site)
    print_table(
        ("ID", "NAME", "KECAMATAN", "OWNER", "SOURCE", "STATE", "SINCE", "LAST FOOTAGE"),
        [
            (
                one.camera.id,
                one.camera.name,
                one.camera.place.kecamatan,
                one.camera.place.owner.value,
                one.camera.source,
                state_text(one),
                moment_text(one.since, zone),
                moment_text(one.newest, zone),
            )
            for one in found
        ],
    )


def _health(site: Site, cameras: list[Camera]) -> list[CameraHealth]:
    """What each does now; unknown if the index, where recorders report, does not answer."""
    now = site.clock.now()
    try:
        return health_of(site.index, cameras, now)
    except Unavailable as error:
        note(f"The state of the cameras is not known: {error.message}")
        return list(judge(cameras, (), now))


@app.command()
def compliance(
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False, json_: Json = False
) -> None:
    """List cameras by permit: registered, integrated, silent, and retention promised against kept."""
    from search.compliance import compliance as look
    from search.compliance import compliance_csv

    with open_site() as site:
        now, book = site.clock.now(), site.policies.book()
        found = look(
            site.index, lambda _: True, lambda camera: book.ruling(camera.id, camera.place, now), now
        )
        zone = zone_of_city(site)
    if csv:
        say(compliance_csv(found).replace("\r\n", "\n").rstrip("\n"))
        return
    if json_:
        print_json({"cameras": [one.to_json() for one in found]})
        return
    print_table(
        ("ID", "PERMIT", "OWNER", "REGISTERED", "INTEGRATED", "STATE", "PROMISED", "KEPT", "VERDICT"),
        [
            (
                one.health.camera.id,
                one.permit or "-",
                one.owner_name or one.health.camera.place.owner.value,
                time_text(one.health.camera.registered_at, zone),
                moment_text(one.integrated_at, zone),
                state_text(one.health),
                f"{one.promised_days} d",
                f"{one.kept // DAY} d",
                one.verdict.value,
            )
            for one in found
        ],
    )


@app.command()
def show(camera_id: Annotated[str, typer.Argument(metavar="ID")], json_: Json = False) -> None:
    """Show one camera and its history."""
    with open_site() as site:
        camera = site.registry.camera(camera_id)
        history = list(site.registry.history(camera_id))
    changes = [
        {
            "version": e.version,
            "at": format_instant(e.at),
            "actor": e.actor,
            "action": e.action,
            "reason": e.reason,
        }
        for e in history
    ]
    if json_:
        print_json(public_json(camera) | {"history": changes})
        return
    zone = zone_of_city(site)
    for name, value in public_json(camera).items():
        say(f"{name:16} {value_text(value, zone)}")
    print_table(
        ("VERSION", "AT", "ACTOR", "ACTION", "REASON"),
        [tuple(value_text(value, zone) for value in change.values()) for change in changes],
    )


@app.command()
def edit(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    source: Annotated[str | None, typer.Option()] = None,
    name: Annotated[str | None, typer.Option()] = None,
    lat: Annotated[str | None, typer.Option()] = None,
    lon: Annotated[str | None, typer.Option()] = None,
    kecamatan: Annotated[str | None, typer.Option()] = None,
    kelurahan: Annotated[str | None, typer.Option()] = None,
    owner: Annotated[str | None, typer.Option()] = None,
    view: Annotated[str | None, typer.Option()] = None,
    segment_seconds: Annotated[str | None, typer.Option()] = None,
    reason: Reason = "",
    json_: Json = False,
) -> None:
    """Change some fields of a camera; recorders apply the change within seconds."""
    given = {
        "source": source,
        "name": name,
        "lat": lat,
        "lon": lon,
        "kecamatan": kecamatan,
        "kelurahan": kelurahan,
        "owner": owner,
        "view": view,
        "segment_seconds": segment_seconds,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise Malformed(
            "nothing to change", code="bad_usage", hint="Give at least one field, such as --name."
        )
    with open_site() as site:
        camera = site.registry.edit(camera_id, changes, actor=actor().id, reason=reason)
    if json_:
        print_json(public_json(camera))
    else:
        say(f"Camera {camera.id} is changed")


@app.command()
def disable(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")],
    json_: Json = False,
) -> None:
    """Stop recording a camera; its timeline continues as a gap with the cause disabled."""
    with open_site() as site:
        camera = site.registry.disable(camera_id, actor=actor().id, reason=reason)
    print_json(public_json(camera)) if json_ else say(f"Camera {camera.id} is disabled")


@app.command()
def enable(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")],
    json_: Json = False,
) -> None:
    """Record a disabled camera again."""
    with open_site() as site:
        camera = site.registry.enable(camera_id, actor=actor().id, reason=reason)
    print_json(public_json(camera)) if json_ else say(f"Camera {camera.id} is enabled")
