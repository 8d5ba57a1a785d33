"""``saksi record``: the recorder in the foreground."""

import asyncio
import re
from typing import Annotated

import typer

from archive.errors import Malformed
from ops.cli.options import Cameras, open_site
from ops.cli.output import note

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
    from ops.recording import record_cameras
    from ops.telemetry import stderr_log

    seconds = parse_duration(for_) if for_ else None
    with open_site() as site:
        note("Recording; stop with Ctrl-C or SIGTERM.")
        asyncio.run(record_cameras(site, stderr_log(), cameras=camera, seconds=seconds))
