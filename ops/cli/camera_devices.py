"""``saksi camera discover`` and ``password``, and what ``saksi camera add --onvif`` asks a camera."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeGuard
from urllib.parse import urlsplit

import typer

from archive.canonical import JsonObject
from archive.errors import Malformed, Refused
from archive.footage.source_url import Source, parse_source, with_account
from archive.model.camera import Camera, shown_source
from archive.model.camera_details import device_address
from archive.model.gap import GapCause
from archive.model.sub_stream import NO_SUB
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.cli.passwords import asked_password, private_text
from ops.cli.record import parse_duration
from ops.wiring import Site
from recorder.devices import JPEG, DeviceReport, FoundDevice, Login, OfferedStream, clock_json

_PATIENCE_S = 6.0
"""How long a stream may take to say whether it lets an account in."""


def register(app: typer.Typer) -> None:
    """Add the commands to ``saksi camera``, once."""
    if any(command.callback is discover for command in app.registered_commands):
        return
    app.command("discover")(discover)
    app.command("password")(password)


def discover(
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "--interface", help="Address of this host to ask from; may be repeated; without it: all."
        ),
    ] = None,
    for_: Annotated[
        str, typer.Option("--for", help="How long to listen, such as 3s.", metavar="TIME")
    ] = "3s",
    json_: Json = False,
) -> int:
    """List the cameras that answer to ONVIF on this host's networks. Exit 1: none does."""
    from ops.recording import devices_of

    seconds = parse_duration(for_)
    with open_site() as site:
        found = asyncio.run(devices_of(site).search(interface or (), seconds))
        known = _by_host(site.registry.cameras())
    rows = [(one, known.get(urlsplit(one.address).hostname or "", [])) for one in found]
    if json_:
        print_json({"devices": [_found_json(one, cameras) for one, cameras in rows]})
        return 0 if found else 1
    if not found:
        note("No camera answered. Searches stay within one network: run this on a recorder's host there.")
        return 1
    print_table(
        ("ADDRESS", "ANSWERED FROM", "MAKER", "MODEL", "CAMERA"),
        [
            (one.address, one.answered_from, one.maker or "-", one.model or "-", " ".join(cameras) or "-")
            for one, cameras in rows
        ],
    )
    return 0


def password(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns id,password; mode 0600.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask every camera, say what would happen; write nothing.")
    ] = False,
    user: Annotated[
        str, typer.Option("--user", help="Account that may change accounts; without it: each camera's own.")
    ] = "",
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File with its password, mode 0600; without it: asked for."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each change.")] = "",
    json_: Json = False,
) -> int:
    """Give cameras new passwords; the old one counts until the new one works. Exit 2: a row failed."""
    from ops.camera_passwords import PasswordChange, read_rows
    from ops.recording import devices_of

    rows = read_rows(private_text(file))
    admin = Login(user, asked_password(password_file, f"Password of {user}")) if user else None
    with open_site() as site:
        change = PasswordChange(
            registry=site.registry,
            devices=devices_of(site),
            stream=lambda source: _ask_stream(site, source),
            actor=actor().id,
            reason=reason,
            admin=admin,
            is_dry=dry_run,
        )
        results = []
        for one in change.run(rows):
            results.append(one)
            if not json_:
                shown = one.to_json()
                would = "would be " if dry_run and one.error is None else ""
                say(f"line {one.row.line} ({one.row.camera}): {would}{shown['outcome']}")
                if one.error is not None:
                    note(f"  {one.error.message} [{one.error.code}]")
                    note(f"  {one.error.hint}")
    if json_:
        print_json({"dry_run": dry_run, "rows": [one.to_json() for one in results]})
    return 2 if any(one.error is not None for one in results) else 0


@dataclass(frozen=True, slots=True)
class OnvifChoice:
    """What was found out about a camera before it is registered."""

    address: str
    source: str
    report: DeviceReport
    main: OfferedStream
    sub: OfferedStream | None
    sub_source: str
    """With its account; "" if none is offered, or only on another host than the main stream's."""

    def to_json(self) -> JsonObject:
        """As ``saksi camera add --json`` prints it; addresses without secrets."""
        return {
            **self.report.facts.to_json(),
            "clock": clock_json(self.report.clock),
            "main": self.main.profile,
            "sub": None if self.sub is None else self.sub.profile,
            "streams": [
                {
                    "profile": one.profile,
                    "name": one.name,
                    "url": shown_source(one.url),
                    "codec": one.codec,
                    "width": one.width,
                    "height": one.height,
                    "fps": one.fps,
                }
                for one in self.report.streams
            ],
        }


def chosen(site: Site, host: str, login: Login, *, source: str, profile: str) -> OnvifChoice:
    """Ask a camera for its streams, and choose the one to record; a given ``source`` is taken instead.

    Raises:
        Refused: ``stream_elsewhere``: the camera says that its stream is on another host.
        ArchiveError: as :class:`recorder.devices.Devices`.
    """
    from ops.recording import devices_of

    address = device_address(host)
    report = asyncio.run(devices_of(site).look(address, login))
    main = report.main(profile)
    named, asked = urlsplit(shown_source(main.url)).hostname, urlsplit(address).hostname
    if not source and named != asked:
        raise Refused(
            f"the camera at {asked} says that its stream is at {named}",
            code="stream_elsewhere",
            hint="If that is right, or the camera stands behind a router, give the address with --source.",
        )
    sub = report.sub(main)
    here = urlsplit(source or main.url).hostname
    kept = sub is not None and urlsplit(shown_source(sub.url)).hostname == here
    return OnvifChoice(
        address,
        with_account(source or main.url, login.user, login.password),
        report,
        main,
        sub,
        with_account(sub.url, login.user, login.password) if sub is not None and kept else "",
    )


def asked_login(
    user: str, password_file: Path | None, *, onvif: str, source: str, sub: str = ""
) -> Login | None:
    """The camera's account; None if no user is named, and then a source has its own or needs none.

    Raises:
        Malformed: ``bad_usage``: neither --source nor --onvif, --onvif without --user, or an account twice.
    """
    if not source and not onvif:
        raise _usage("neither --source nor --onvif is given", "Give the stream's URL, or the camera's host.")
    if onvif and not user:
        raise _usage("--onvif needs --user", "Name the camera's account; its password is asked for.")
    if not user:
        return None
    if any("@" in urlsplit(url).netloc for url in (source, sub)):
        raise _usage("a URL has an account, and --user names one", "Leave it out of the URL.")
    return Login(user, asked_password(password_file, f"Password of {user} on the camera"))


def with_new_login(
    site: Site, camera: Camera, changes: dict[str, str], user: str, password_file: Path | None
) -> dict[str, str]:
    """The changes of an edit, with an account for the camera's streams if --user or --password-file is given.

    Without --user the account keeps its name. A sub stream gets it too if it had the main stream's account.

    Raises:
        Malformed: ``bad_usage``: no account is known, or one is given twice; as :func:`asked_password`.
    """
    from ops.camera_passwords import with_login

    if not user and password_file is None:
        return changes
    given = {name: url for name in ("source", "sub") if is_url(url := changes.get(name))}
    if any("@" in urlsplit(url).netloc for url in given.values()):
        raise _usage("a URL has an account, and another is given", "Leave it out of the URL.")
    name = user or parse_source(site.registry.source_of(camera)).user
    if not name:
        raise _usage(f"{camera.id} is registered without an account", "Name it with --user.")
    word = asked_password(password_file, f"Password of {name} on the camera")
    fresh = with_login(site.registry, camera, name, word, source=given.get("source", ""))
    if "sub" in given:
        fresh["sub"] = with_account(given["sub"], name, word)
    elif changes.get("sub"):
        fresh["sub"] = changes["sub"]  # none: it is taken away
    return changes | fresh


def is_url(sub: str | None) -> TypeGuard[str]:
    """Whether --sub names a stream, and is not left out, blank or the word that takes it away."""
    return bool(sub) and sub != NO_SUB


def _about_jpeg(report: DeviceReport) -> str:
    """A sentence about a main stream of JPEG pictures: Indonesian first, English second."""
    if any(one.is_recordable for one in report.streams):
        return (
            "Profil ini mengirim gambar JPEG (MJPEG), yang dikodekan perekam menjadi H.264. Lebih baik pilih"
            " profil H.264 atau H.265."
            " (This profile sends JPEG pictures (MJPEG), which the recorder encodes as H.264. A profile in"
            " H.264 or H.265 is better.)"
        )
    return (
        "Kamera tidak menawarkan H.264 atau H.265, hanya gambar JPEG (MJPEG); perekam mengodekannya menjadi"
        " H.264, dan catatannya menyebut itu."
        " (It offers neither H.264 nor H.265, only JPEG pictures (MJPEG); the recorder encodes them as H.264,"
        " and its record says so.)"
    )


def say_choice(choice: OnvifChoice) -> None:
    """What the camera is and offers, for people."""
    facts, clock = choice.report.facts, choice.report.clock
    say(f"It is {facts.maker} {facts.model}, firmware {facts.firmware}, serial number {facts.serial}.")
    say(
        f"Its clock minus ours: {clock.offset_us / 1_000_000:+.1f} s,"
        f" within {clock.within_us / 1_000_000:.1f} s."
    )
    print_table(
        ("PROFILE", "CODEC", "SIZE", "FPS", "ADDRESS", "USE"),
        [
            (
                one.profile,
                one.codec,
                f"{one.width} x {one.height}",
                str(one.fps or "-"),
                shown_source(one.url),
                "main" if one == choice.main else "sub" if one == choice.sub else "-",
            )
            for one in choice.report.streams
        ],
    )
    if choice.main.codec == JPEG:
        say(_about_jpeg(choice.report))


async def _ask_stream(site: Site, source: Source) -> GapCause | None:
    from recorder.probe import diagnose
    from recorder.reach import reach

    pinned = await reach(source, site.source_rule, timeout=_PATIENCE_S)
    return await diagnose(pinned, timeout=_PATIENCE_S)


def _by_host(cameras: list[Camera]) -> dict[str, list[str]]:
    """The cameras by the hosts of their streams and of their ONVIF addresses."""
    found: dict[str, list[str]] = {}
    for camera in cameras:
        hosts = {urlsplit(url).hostname for url in (camera.source, camera.details.onvif)}
        for host in filter(None, hosts):
            found.setdefault(host, []).append(camera.id)
    return found


def _found_json(one: FoundDevice, cameras: list[str]) -> JsonObject:
    return {
        "address": one.address,
        "answered_from": one.answered_from,
        "maker": one.maker,
        "model": one.model,
        "cameras": cameras,
    }


def _usage(what: str, hint: str) -> Malformed:
    return Malformed(what, code="bad_usage", hint=hint)
