"""``saksi record``: the recorder in the foreground."""

import asyncio
import re
from typing import Annotated

import typer

from archive.errors import ArchiveError, Malformed, NotFound
from ops.cli.options import Cameras, open_site
from ops.cli.output import note
from ops.wiring import Site

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?\Z", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def register(app: typer.Typer) -> None:
    """Add the command to the top level."""
    app.command("record")(record)


def parse_duration(text: str) -> float:
    """The seconds in ``60s``, ``10m``, ``1h`` or a bare number. Raises Malformed ``bad_duration``."""
    match = _DURATION.match(text.strip())
    if match is None or float(match[1]) == 0:
        raise Malformed(f"{text!r} is not a duration", code="bad_duration", hint="Write 60s, 10m or 1h.")
    return float(match[1]) * _SECONDS[match[2]]


def record(
    camera: Cameras = None,
    for_: Annotated[
        str, typer.Option("--for", help="Stop after this long, such as 60s.", metavar="TIME")
    ] = "",
) -> None:
    """Record until --for has passed or SIGTERM arrives; archives everything before it exits."""
    from ops.heap import as_if_absent, share_heap
    from ops.recording import record_cameras
    from ops.telemetry import stderr_log

    share_heap()
    seconds = parse_duration(for_) if for_ else None
    with open_site() as site:
        # Opening the index imports Elasticsearch's client, and with it, if they are there, libraries for ways
        # of sending that nobody uses: 8 MiB.
        with as_if_absent("aiohttp", "requests"):
            beginning = _beginning(site, camera, seconds)
        note(f"{beginning}; stop with Ctrl-C or SIGTERM.")
        asyncio.run(record_cameras(site, stderr_log(), cameras=camera, seconds=seconds))


def _beginning(site: Site, chosen: list[str] | None, seconds: float | None) -> str:
    """What recording begins with, in words.

    Raises:
        NotFound: ``no_camera``: the time is limited, and there is nothing to record in it. Without a limit
            the recorder waits for the first camera.
    """
    try:
        cameras = [one for one in site.registry.cameras() if not chosen or one.id in chosen]
    except ArchiveError:
        if seconds is not None:
            raise
        return "Recording"  # without the store the recorder begins with the cameras that its spool keeps
    active = sum(not one.disabled for one in cameras)
    if active:
        return f"Recording {active} {'camera' if active == 1 else 'cameras'}"
    why = "every camera is disabled" if cameras else "no camera is registered"
    if seconds is not None:
        raise NotFound(
            f"there is nothing to record: {why}",
            code="no_camera",
            hint="Register one: saksi camera add; or record a disabled one again: saksi camera enable",
        )
    return f"Waiting for a camera to record: {why}"
