"""``saksi camera``: the camera registry."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveError, Malformed, Unavailable
from archive.footage.advice import remarks, sound_remarks
from archive.footage.cameras import CameraForm
from archive.footage.source_url import with_account
from archive.model.camera import Camera, full_json, public_json
from archive.model.sound_permission import audio_of
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
Bearing = Annotated[str | None, typer.Option(help="Where it looks: degrees clockwise from north, 0 to 359.")]
FieldOfView = Annotated[str | None, typer.Option(help="Width of the view in degrees, 1 to 360.")]
Reach = Annotated[str | None, typer.Option("--reach-m", help="Metres up to which a person can be made out.")]
Address = Annotated[str | None, typer.Option(help="Street address of the mounting.")]
Height = Annotated[str | None, typer.Option("--height-m", help="Metres above the ground.")]
OwnerName = Annotated[str | None, typer.Option(help="Name of the owner; personal data.")]
Permit = Annotated[str | None, typer.Option(help="Permit number of the licensing office (PTSP).")]
CameraPurpose = Annotated[str | None, typer.Option("--purpose", help="Why the camera is there.")]
Signs = Annotated[str | None, typer.Option(help="Whether a sign says so at the place: yes, no or unknown.")]
InstalledOn = Annotated[str | None, typer.Option(help="Day it was mounted, such as 2026-11-24.")]
IntegratedOn = Annotated[str | None, typer.Option(help="Day it was connected to the city.")]
SubUrl = Annotated[
    str | None, typer.Option("--sub", help="URL of its smaller stream, for live walls; none takes it away.")
]
OnvifAddress = Annotated[str | None, typer.Option("--onvif", help="Where it answers to ONVIF: host or URL.")]


@app.command()
def add(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    lat: Annotated[str, typer.Option(help="Degrees, WGS 84.")],
    lon: Annotated[str, typer.Option(help="Degrees, WGS 84.")],
    kecamatan: Annotated[str, typer.Option(help="District by code or name, such as 73.71.13 or Rappocini.")],
    kelurahan: Annotated[str, typer.Option(help="Village by code or name, such as 73.71.13.1001 or Tidung.")],
    owner: Annotated[str, typer.Option(help="government, business, public or worship.")],
    view: Annotated[str, typer.Option(help="Must be public: only public space is recorded.")],
    source: Annotated[str, typer.Option(help="rtsp(s)://, http(s)://, udp://, file:// or test:// URL.")] = "",
    onvif: Annotated[
        str, typer.Option(help="Host or URL where it answers to ONVIF; without --source its main stream.")
    ] = "",
    profile: Annotated[str, typer.Option(help="The ONVIF profile to record; without it: the largest.")] = "",
    user: Annotated[str, typer.Option(help="Account on the camera; its password is asked for.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File with its password, mode 0600; without it: asked for."),
    ] = None,
    segment_seconds: Annotated[str, typer.Option(help="Nominal segment length, 2 to 300.")] = "",
    bearing: Bearing = None,
    field_of_view: FieldOfView = None,
    reach_m: Reach = None,
    address: Address = None,
    height_m: Height = None,
    owner_name: OwnerName = None,
    permit: Permit = None,
    purpose: CameraPurpose = None,
    signage: Signs = None,
    installed_on: InstalledOn = None,
    integrated_on: IntegratedOn = None,
    sub: SubUrl = None,
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
    from ops.cli.camera_devices import asked_login, chosen, is_url, say_choice

    login = asked_login(user, password_file, onvif=onvif, source=source, sub=sub or "")
    form = CameraForm(
        id=camera_id,
        source=with_account(source, login.user, login.password) if login and source else source,
        name=name,
        lat=lat,
        lon=lon,
        kecamatan=kecamatan,
        kelurahan=kelurahan,
        owner=owner,
        view=view,
        segment_seconds=segment_seconds,
        bearing=bearing or "",
        field_of_view=field_of_view or "",
        reach_m=reach_m or "",
        address=address or "",
        height_m=height_m or "",
        owner_name=owner_name or "",
        permit=permit or "",
        purpose=purpose or "",
        signage=signage or "",
        installed_on=installed_on or "",
        integrated_on=integrated_on or "",
        onvif=onvif,
        sub=with_account(sub, login.user, login.password) if login and is_url(sub) else sub or "",
    )
    with open_site_or_ask() as site:
        choice = None
        if onvif and login is not None:
            drafted = form if form.source else replace(form, source="test://", sub="")
            site.registry.drafted(drafted)  # before a camera is asked
            choice = chosen(site, onvif, login, source=source, profile=profile)
            form = replace(form, source=choice.source, sub=form.sub or choice.sub_source)
        camera = site.registry.add(form, actor=actor().id, reason=reason)
        found = remarks(camera.place, site.settings.city_box, site.areas)
        seen = _look(site, camera, still) if probe else None
        shown = full_json(camera, site.areas)
    if json_:
        told = [{"code": one.code, "id": one.id, "en": one.en} for one in found]
        device = {} if choice is None else {"device": choice.to_json()}
        print_json(shown | {"remarks": told, "probe": None if seen is None else seen.to_json()} | device)
        return
    for one in found:
        note(f"Perhatikan: {one.id}. (Note: {one.en}.)")
    if choice is not None:
        say_choice(choice)
    say(f"Camera {camera.id} is registered; record it with: saksi record --camera {camera.id}")
    if seen is not None:
        say(f"It sends {seen.codec}, {seen.width} x {seen.height}, {seen.fps:g} pictures a second.")
        if seen.made_from:
            say(seen.about_pictures())
        say(seen.about_sound())
        say(f"Still: {seen.still}" if seen.still else "No still could be made of it on this machine.")
    if camera.sub is not None:
        say(f"Its smaller stream, for live walls: {camera.sub.source} (never recorded)")


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
        what = "tidak dapat direkam" if error.code == "codec_not_recorded" else "belum memberi gambar"
        note(f"Kamera terdaftar, tetapi {what}. ({error.message}) {error.hint}")
        return None


@app.command("list")
def list_(json_: Json = False) -> None:
    """List all cameras, and what each does now; the JSON has only what is registered."""
    with open_site() as site:
        cameras, areas = site.registry.cameras(), site.areas
        if json_:
            print_json({"cameras": [public_json(camera, areas) for camera in cameras]})
            return
        found = _health(site, cameras)
        zone = zone_of_city(site)
    print_table(
        ("ID", "NAME", "KECAMATAN", "OWNER", "SOURCE", "AUDIO", "STATE", "SINCE", "LAST FOOTAGE"),
        [
            (
                one.camera.id,
                one.camera.name,
                f"{one.camera.place.kecamatan} {areas.name(one.camera.place.kecamatan)}".strip(),
                one.camera.place.owner.value,
                one.camera.source,
                audio_of(is_kept=one.camera.audio).value,
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
        if camera.details.owner_name:  # a person's name: reading it leaves a trace
            site.custody.record("camera.read", actor=actor(), objects=(camera_id,))
        shown = full_json(camera, site.areas)
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
        print_json(shown | {"history": changes})
        return
    zone = zone_of_city(site)
    for name, value in shown.items():
        if value is not None:
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
    bearing: Bearing = None,
    field_of_view: FieldOfView = None,
    reach_m: Reach = None,
    address: Address = None,
    height_m: Height = None,
    owner_name: OwnerName = None,
    permit: Permit = None,
    purpose: CameraPurpose = None,
    signage: Signs = None,
    installed_on: InstalledOn = None,
    integrated_on: IntegratedOn = None,
    onvif: OnvifAddress = None,
    sub: SubUrl = None,
    user: Annotated[str, typer.Option(help="Account on the camera; its password is asked for.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File with its password, mode 0600; without it: asked for."),
    ] = None,
    reason: Reason = "",
    json_: Json = False,
) -> None:
    """Change some fields of a camera; a blank value clears an optional one. Recorders follow in seconds."""
    from ops.cli.camera_devices import with_new_login

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
        "bearing": bearing,
        "field_of_view": field_of_view,
        "reach_m": reach_m,
        "address": address,
        "height_m": height_m,
        "owner_name": owner_name,
        "permit": permit,
        "purpose": purpose,
        "signage": signage,
        "installed_on": installed_on,
        "integrated_on": integrated_on,
        "onvif": onvif,
        "sub": sub,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    if not (changes or user or password_file):
        raise Malformed(
            "nothing to change", code="bad_usage", hint="Give at least one field, such as --name."
        )
    with open_site() as site:
        head = site.registry.head(camera_id)
        before = head.camera
        with_login = with_new_login(site, before, changes, user, password_file)
        # A person may take a while to type a password: what was changed meanwhile must not be written over.
        expected = head.entry.version if with_login is not changes else None
        camera = site.registry.edit(camera_id, with_login, actor=actor().id, reason=reason, expected=expected)
        found = remarks(camera.place, site.settings.city_box, site.areas)
        found += sound_remarks(before, camera)
        shown = full_json(camera, site.areas)
    if json_:
        print_json(shown)
        return
    for one in found:
        note(f"Perhatikan: {one.id}. (Note: {one.en}.)")
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
        shown = full_json(camera, site.areas)
    print_json(shown) if json_ else say(f"Camera {camera.id} is disabled")


@app.command()
def enable(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")],
    json_: Json = False,
) -> None:
    """Record a disabled camera again."""
    with open_site() as site:
        camera = site.registry.enable(camera_id, actor=actor().id, reason=reason)
        shown = full_json(camera, site.areas)
    print_json(shown) if json_ else say(f"Camera {camera.id} is enabled")
