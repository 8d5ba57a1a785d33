"""``saksi fixity``: read stored objects, compare them with their record, and show the progress."""

from typing import Annotated

import typer

from archive.model.finding import Finding
from ops.cli.options import Json, open_site, parse_span
from ops.cli.output import note, print_json, print_table, progress_bar, say
from ops.cli.times import time_text, zone_of_city

app = typer.Typer(help="Read what is stored and compare it with its record.", no_args_is_help=True)

INTEGRITY = 4
_MIB = 1 << 20


@app.command()
def status(json_: Json = False) -> None:
    """Show what share was checked within the round, and the oldest check."""
    from archive.records.integrity_incidents import IntegrityIncidentStatus, incidents
    from ops.fixity import status_of

    with open_site() as site:
        found = status_of(site)
        open_ones = list(incidents(site.ledger, IntegrityIncidentStatus.OPEN))
        budget = site.settings.fixity_mib_per_second
    if json_:
        print_json(
            {
                **found.to_json(),
                "mib_per_second": budget,
                "open_incidents": [incident.to_json() for incident in open_ones],
            }
        )
        return
    zone = zone_of_city(site)
    oldest = "never" if found.oldest is None else time_text(found.oldest, zone)
    say(f"{found.percent} % of {found.hours} camera-hours were checked within {found.days} days")
    say(f"oldest check: {oldest if found.hours else 'nothing is known yet'}")
    say(f"budget {budget} MiB/s, last day {found.rate / _MIB:.2f} MiB/s; {len(open_ones)} open incidents")
    print_table(
        ("camera", "hours", "looked at", "%", "bytes", "findings", "oldest"),
        [
            (
                one.camera,
                str(one.hours),
                str(one.within),
                str(one.percent),
                str(one.size),
                str(one.findings),
                "never" if one.oldest is None else time_text(one.oldest, zone),
            )
            for one in found.cameras
        ],
    )


@app.command()
def run(
    camera: Annotated[str, typer.Option("--camera", help="Only this camera.", metavar="ID")] = "",
    start: Annotated[str, typer.Option("--from", help="Only segments from here on.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="Only segments before this.", metavar="T")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Check everything now, even what was checked recently.")
    ] = False,
    json_: Json = False,
) -> int:
    """Check now, without a budget: what is due, a camera, a span or everything; exit 4 on findings."""
    from ops.fixity import make_scrub

    findings: list[Finding] = []
    span = parse_span(start, end) if start or end else None
    objects = size = 0
    with open_site() as site, progress_bar("fixity") as bar:
        scrub = make_scrub(site, None, findings.append)
        chosen = everything or bool(camera) or span is not None
        for step in scrub.now(camera or None, span) if chosen else scrub.due():
            objects, size = objects + 1, size + step.size
            bar.step(step.unit, objects)
    if json_:
        print_json(
            {
                "valid": not findings,
                "objects": objects,
                "bytes": size,
                "findings": [
                    {"code": one.code, "object": one.object, "message": one.message, "details": one.details}
                    for one in findings
                ],
            }
        )
    else:
        say(f"{objects} objects, {size} bytes: {len(findings) or 'no'} findings")
        for one in findings:
            note(f"  {one.object}: {one.message} [{one.code}]")
    return INTEGRITY if findings else 0
