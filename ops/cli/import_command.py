"""``saksi import``: footage that was recorded elsewhere, such as on an NVR, into the archive."""

from pathlib import Path
from typing import Annotated

import typer

from archive.errors import Malformed
from archive.timespan import SECOND, format_instant, parse_instant
from ops.cli.options import Camera, Json, actor, open_site
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.record import parse_duration
from ops.cli.times import span_text, zone_of_city
from ops.wiring import Site
from recorder.importing import Imported

_FROM_NAME = "name"


def register(app: typer.Typer) -> None:
    """Add the command to the top level."""
    app.command("import")(import_footage)


def import_footage(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="MP4, Matroska or MPEG-TS with H.264 or H.265, or a folder of them."
        ),
    ],
    camera: Camera,
    start: Annotated[
        str,
        typer.Option(
            "--start",
            metavar="T|name",
            help="When the first picture was taken, RFC 3339 with offset; further files follow it. "
            "name: each file's name has its time, by the city's clock.",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the custody record.")],
    uncertainty: Annotated[
        str,
        typer.Option(
            "--uncertainty",
            metavar="TIME",
            help="How far off the times may be, such as 2s; without it: unknown.",
        ),
    ] = "",
    json_: Json = False,
) -> None:
    """Bring footage that was recorded elsewhere into the archive, as it is. Run it again after a failure."""
    from ops.importing import ImportWish, import_files
    from ops.telemetry import stderr_log

    if not reason.strip():
        raise Malformed("an import needs a reason", code="import_without_reason", hint="Give --reason.")
    with open_site() as site:
        wish = ImportWish(
            camera=camera,
            paths=files,
            start=None if start == _FROM_NAME else parse_instant(start),
            uncertainty=round(parse_duration(uncertainty) * SECOND) if uncertainty else None,
            actor=actor(),
            reason=reason.strip(),
        )
        found: list[Imported] = []
        with progress_bar("import") as bar:

            def progress(name: str, done: int, of: int) -> None:
                bar.step(name, done)
                bar(done, of)

            for one in import_files(site, stderr_log(), wish, progress=progress):
                found.append(one)
                if not json_:
                    _tell(site, one)
    if json_:
        print_json({"camera": camera, "files": [_json(one) for one in found]})


def _tell(site: Site, one: Imported) -> None:
    name, span = one.facts.path.name, span_text(one.span, zone_of_city(site))
    if not one.is_new:
        say(f"{name}: the archive has it already as {span} (run {one.run})")
        return
    say(f"{name}: {span}, {one.segments} segments, {one.frames} pictures (run {one.run})")
    if one.facts.sound and not one.sound:
        note(f"{name}: its sound ({one.facts.sound}) is left out: this camera may record none of that sort")


def _json(one: Imported) -> dict[str, object]:
    return {
        "file": one.facts.path.name,
        "sha256": one.facts.sha256,
        "is_new": one.is_new,
        "run": one.run,
        "from": format_instant(one.span.start),
        "to": format_instant(one.span.end),
        "segments": one.segments,
        "pictures": one.frames,
        "bytes": one.bytes,
        "codec": one.facts.pictures,
        "sound": one.sound,
        "sound_of_file": one.facts.sound,
    }
