"""``saksi camera audio`` and ``approve-audio``: whether a camera's sound is recorded, and who allowed it."""

from typing import Annotated

import typer

from archive.model.camera import Camera, full_json
from archive.model.sound_permission import Audio
from ops.cli.options import Json, actor, open_site
from ops.cli.output import print_json, say
from ops.wiring import Site

_CameraName = Annotated[str, typer.Argument(metavar="ID")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``saksi camera``, once."""
    if any(command.callback is audio for command in app.registered_commands):
        return
    app.command()(audio)
    app.command("approve-audio")(approve_audio)


def audio(
    camera_id: _CameraName,
    wanted: Annotated[
        Audio, typer.Argument(help="keep proposes that sound be recorded; none ends it at once.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")],
    json_: Json = False,
) -> None:
    """Propose that a camera's sound be recorded, for a second admin to approve; or record it no longer."""
    with open_site() as site:
        switch = site.registry.propose_sound if wanted is Audio.KEEP else site.registry.end_sound
        camera = switch(camera_id, actor=actor().id, reason=reason)
        version = site.registry.head(camera_id).entry.version
        _answer(site, camera, version, json_=json_)


def approve_audio(
    camera_id: _CameraName,
    version: Annotated[
        int | None, typer.Option("--version", help="Only if this is still the newest version.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")] = "",
    json_: Json = False,
) -> None:
    """Let a camera's sound be recorded from now on, as another person proposed."""
    with open_site() as site:
        camera = site.registry.allow_sound(camera_id, actor=actor().id, reason=reason, expected=version)
        _answer(site, camera, site.registry.head(camera_id).entry.version, json_=json_)


def _answer(site: Site, camera: Camera, version: int, *, json_: bool) -> None:
    if json_:
        print_json(full_json(camera, site.areas) | {"version": version})
    else:
        for line in sound_lines(camera, version):
            say(line)


def sound_lines(camera: Camera, version: int) -> list[str]:
    """What is decided about a camera's sound, in lines of text."""
    permission, proposal = camera.sound.permission, camera.sound.proposal
    if camera.audio:
        by = "" if permission is None else f": allowed by {permission.allowed_by}, {permission.reason}"
        return [f"Suara direkam. Sound of camera {camera.id} is recorded{by}"]
    lines = [f"Suara tidak direkam. Sound of camera {camera.id} is not recorded"]
    if proposal is not None:
        lines.append(f"  proposed by {proposal.by}: {proposal.reason}")
        lines.append(
            f"  A second admin must approve it: saksi camera approve-audio {camera.id} --version {version}"
        )
    return lines
