"""``saksi integrity-incident``: integrity incidents, and who closed them."""

from typing import Annotated

import typer

from archive.records.indexed.walk import MOST
from archive.records.integrity_incident_list import list_incidents
from archive.records.integrity_incidents import (
    IntegrityIncident,
    IntegrityIncidentStatus,
    close_integrity_incident,
    find_integrity_incident,
)
from ops.cli.options import Json, actor, open_site
from ops.cli.output import print_json, print_table, say
from ops.cli.refusing import in_zone
from ops.cli.times import time_text, value_text, zone_of_city
from ops.following import whole_list
from ops.wiring import Site

app = typer.Typer(help="Integrity incidents: list, show, close.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="INCIDENT_ID")]


@app.command("list")
def list_(
    status: Annotated[
        IntegrityIncidentStatus | None,
        typer.Option("--status", help="Only incidents with this status; without it: all."),
    ] = None,
    json_: Json = False,
) -> None:
    """List incidents."""
    with open_site() as site:
        page = whole_list(site, lambda cursor: list_incidents(site.index, status, limit=MOST, cursor=cursor))
    found = sorted(page.items, key=lambda one: one.id)
    if json_:
        print_json({"incidents": [one.to_json() for one in found], "as_of": page.as_of_text})
        return
    zone = zone_of_city(site)
    print_table(
        ("incident", "status", "code", "object", "since"),
        [(one.id, one.status.value, one.code, one.subject, time_text(one.changed_at, zone)) for one in found],
    )


@app.command()
def show(incident_id: Id, json_: Json = False) -> None:
    """Show one incident."""
    with open_site() as site:
        found = find_integrity_incident(site.ledger, incident_id)
    _print(site, found, json_=json_)


@app.command()
def close(
    incident_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="What was done about it.", metavar="TEXT")],
    json_: Json = False,
) -> None:
    """Close an incident that was resolved; it opens again when the same finding returns."""
    with open_site() as site:
        closed = close_integrity_incident(site.ledger, incident_id, actor=actor().id, reason=reason)
    _print(site, closed, json_=json_)


def _print(site: Site, incident: IntegrityIncident, *, json_: bool) -> None:
    if json_:
        print_json(incident.to_json())
        return
    zone = zone_of_city(site)
    say(f"{incident.id}  {incident.status.value} since {time_text(incident.changed_at, zone)}")
    say(f"{incident.code}: {incident.subject}")
    say(in_zone(incident.message, zone))
    say(f"found by {incident.found_by}")
    for name, value in incident.details.items():
        say(f"  {name}: {value_text(value, zone)}")
    if incident.closed_by:
        say(f"closed by {incident.closed_by}: {incident.closed_reason}")
