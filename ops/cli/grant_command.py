"""``saksi grant``: footage opened to one person or agency for a limited time."""

from typing import Annotated

import typer

from archive.canonical import JsonObject
from archive.cases.people.grant_list import Wanted, list_grants
from archive.errors import Malformed
from archive.lifecycle.retention.answers import history_json
from archive.model.grant import Grant, Right, to_state
from archive.records.indexed.walk import MOST
from archive.timespan import parse_instant
from ops.cli.options import From, Json, To, actor, open_site, parse_span
from ops.cli.output import print_json, print_table, say
from ops.cli.times import time_text, value_text, zone_of_city
from ops.following import whole_list

app = typer.Typer(help="Open footage to a person or agency for a limited time.", no_args_is_help=True)


@app.command()
def give(
    start: From,
    end: To,
    camera: Annotated[list[str], typer.Option("--camera", metavar="ID", help="May be repeated.")],
    until: Annotated[str, typer.Option("--until", metavar="T", help="When it ends; RFC 3339 with offset.")],
    basis: Annotated[str, typer.Option("--basis", metavar="TEXT", help="The document that authorises it.")],
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="The person who gets it.")] = "",
    agency: Annotated[
        str, typer.Option("--agency", metavar="TEXT", help="The agency whose members all get it.")
    ] = "",
    right: Annotated[
        list[str] | None, typer.Option("--right", metavar="RIGHT", help="view (the default), download.")
    ] = None,
    json_: Json = False,
) -> None:
    """Open footage of cameras to a person or agency; in force within seconds."""
    from ops.accounts import grants_of

    with open_site() as site:
        for one in camera:
            site.registry.camera(one)
        grant = grants_of(site).give(
            person=person,
            agency=agency,
            cameras=camera,
            span=parse_span(start, end),
            rights=[_right(text) for text in right or ["view"]],
            until=parse_instant(until),
            basis=basis,
            actor=actor().id,
        )
    print_json(_json(grant)) if json_ else say(grant.id)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List all grants, including ended ones."""
    with open_site() as site:
        now = site.clock.now()
        page = whole_list(
            site, lambda cursor: list_grants(site.index, Wanted(), now, limit=MOST, cursor=cursor)
        )
    found = sorted((grant for grant, _ in page.items), key=lambda grant: grant.id)
    if json_:
        print_json({"grants": [_json(grant) for grant in found], "as_of": page.as_of_text})
        return
    zone = zone_of_city(site)
    print_table(
        ("GRANT", "FOR", "CAMERAS", "FROM", "TO", "RIGHTS", "UNTIL", "STATE"),
        [
            (
                grant.id,
                grant.person or grant.agency,
                " ".join(grant.cameras),
                time_text(grant.span.start, zone),
                time_text(grant.span.end, zone),
                " ".join(sorted(grant.rights)),
                time_text(grant.until, zone),
                "revoked" if grant.revoked else "in force" if grant.in_force(now) else "over",
            )
            for grant in found
        ],
    )


@app.command()
def show(grant: Annotated[str, typer.Argument(metavar="GRANT")], json_: Json = False) -> None:
    """Show one grant and its history."""
    from ops.accounts import grants_of

    with open_site() as site:
        grants = grants_of(site)
        found, history = grants.head(grant).grant, grants.history(grant)
    if json_:
        print_json({**_json(found), "history": history_json(history)})
        return
    zone = zone_of_city(site)
    for name, value in _json(found).items():
        say(f"{name}: {value_text(value, zone)}")
    print_table(
        ("AT", "BY", "WHAT", "WHY"),
        [(time_text(one.at, zone), one.actor, one.action, one.reason) for one in history],
    )


@app.command()
def revoke(
    grant: Annotated[str, typer.Argument(metavar="GRANT")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")] = "",
) -> None:
    """End a grant before its time; the change applies within seconds."""
    from ops.accounts import grants_of

    with open_site() as site:
        grants_of(site).revoke(grant, actor=actor().id, reason=reason)
    say(f"{grant} is revoked")


def _right(text: str) -> Right:
    try:
        return Right(text)
    except ValueError as error:
        raise Malformed(
            f"there is no right {text[:40]!r}", code="bad_grant", hint=f"Use {', '.join(Right)}."
        ) from error


def _json(grant: Grant) -> JsonObject:
    return {"id": grant.id} | to_state(grant) | {"revoked": grant.revoked}
