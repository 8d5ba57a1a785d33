"""``saksi retention``: how long footage is kept, who changed that, and what would be destroyed."""

from dataclasses import replace
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.lifecycle.retention.answers import explanation_json, history_json, policy_json
from archive.lifecycle.retention.basis import Change
from archive.lifecycle.retention.listing import all_policies
from archive.lifecycle.retention.plan import Fate, Plan
from archive.lifecycle.retention.service import PolicyRecord, scope_of
from archive.model.retention import OnPressure, Scope, ScopeKind, Terms
from archive.timespan import parse_instant
from ops.cli.options import Camera, Cameras, Json, actor, district_codes, open_site
from ops.cli.output import print_json, print_table, progress_bar, say
from ops.cli.retention_text import amount, plot, terms_text
from ops.cli.times import time_text, value_text, zone_of_city
from ops.following import follow_once
from ops.wiring import Site
from search.planning import hours_of

app = typer.Typer(
    help="Show, propose and approve retention policies; plan destruction.", no_args_is_help=True
)

SCOPE_HELP = "default, owner:business, kecamatan:73.71.13 or camera:ID"
ScopeText = Annotated[str, typer.Argument(metavar="SCOPE", help=SCOPE_HELP)]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]
Begins = Annotated[
    str, typer.Option("--from", help="In force from, RFC 3339 with offset; without it: now.", metavar="T")
]
Ends = Annotated[str, typer.Option("--until", help="In force until; without it: for ever.", metavar="T")]


def _asked(text: str) -> Scope:
    """The scope that a text means; a kecamatan by code or name."""
    kind, _, value = text.partition(":")
    if kind == ScopeKind.KECAMATAN:
        text = f"{kind}:{district_codes((value,))[0]}"
    return scope_of(text)


@app.command()
def policies(json_: Json = False) -> None:
    """List every policy: in force, waiting to begin, waiting for a second admin."""
    with open_site() as site:
        follow_once(site)
        page = all_policies(site.index)
        found = [policy_json(record, site.clock.now()) for record in page.items]
        zone = zone_of_city(site)
    if json_:
        print_json({"policies": found, "as_of": page.as_of_text})
        return
    print_table(
        ("SCOPE", "IN FORCE", "WAITING TO BEGIN", "PROPOSED", "VERSION"),
        [
            (
                policy["scope"],
                terms_text(policy["in_force"], zone),
                "; ".join(terms_text(terms, zone) for terms in policy["waiting"]),
                _proposal_text(policy["proposal"], zone),
                str(policy["version"]),
            )
            for policy in found
        ],
    )


@app.command()
def show(scope: ScopeText, json_: Json = False) -> None:
    """Show one policy and its history."""
    asked = _asked(scope)
    with open_site() as site:
        policy = policy_json(site.policies.record(asked), site.clock.now())
        history = history_json(site.policies.history(asked))
        zone = zone_of_city(site)
    if json_:
        print_json(policy | {"history": history})
        return
    _say_policy(policy, zone)
    print_table(
        ("VERSION", "AT", "ACTOR", "ACTION", "REASON"),
        [tuple(value_text(value, zone) for value in change.values()) for change in history],
    )


@app.command()
def explain(
    camera: Camera,
    at: Annotated[str, typer.Option("--at", help="RFC 3339 with offset; without it: now.", metavar="T")] = "",
    json_: Json = False,
) -> None:
    """Show which policy applies to a camera's footage, and which others match."""
    moment = parse_instant(at) if at else None
    with open_site() as site:
        found = explanation_json(site.policies.explain(camera, moment))
        found |= {"kecamatan_name": site.areas.name(found["kecamatan"] or "")}
        zone = zone_of_city(site)
    if json_:
        print_json(found)
        return
    longest = found["keep_days_max"]
    say(
        f"{camera}: kept at least {found['keep_days_min']} days, "
        + ("never destroyed" if longest is None else f"destroyed after {longest} days")
        + (f"; by {found['wins']}" if found["wins"] else "; by the floor, no policy is in force")
    )
    print_table(
        ("", "SCOPE", "IN FORCE"),
        [
            ("wins" if one["scope"] == found["wins"] else "", one["scope"], terms_text(one["terms"], zone))
            for one in found["scopes"]
        ],
    )


@app.command()
def propose(
    scope: ScopeText,
    keep_min: Annotated[int, typer.Option("--min", help="Number of days footage is locked.", metavar="DAYS")],
    keep_max: Annotated[
        str, typer.Option("--max", help="Days after which it is destroyed, or: never.", metavar="DAYS")
    ],
    basis: Annotated[str, typer.Option("--basis", help="Legal basis.")],
    reason: Why,
    start: Begins = "",
    end: Ends = "",
    on_pressure: Annotated[
        OnPressure,
        typer.Option(
            "--on-pressure", help="Whether footage past --min may be destroyed when the store is full."
        ),
    ] = OnPressure.KEEP,
    json_: Json = False,
) -> None:
    """Adopt terms; terms that allow earlier destruction wait for a second admin."""
    with open_site() as site:
        terms = _terms(site, keep_min, keep_max, basis, start, end)
        terms = replace(terms, on_pressure=on_pressure)
        record = site.policies.propose(_asked(scope), terms, actor=actor().id, reason=reason)
        _answer(site, record, json_=json_)


@app.command()
def approve(
    scope: ScopeText,
    version: Annotated[
        int | None, typer.Option("--version", help="Only if this is still the newest version.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")] = "",
    json_: Json = False,
) -> None:
    """Approve a shortening that another person proposed; it begins after the waiting time."""
    with open_site() as site:
        record = site.policies.approve(_asked(scope), actor=actor().id, reason=reason, expected=version)
        _answer(site, record, json_=json_)


@app.command()
def reject(scope: ScopeText, reason: Why, json_: Json = False) -> None:
    """Reject a proposal, or stop an approved change that has not begun."""
    with open_site() as site:
        _answer(site, site.policies.reject(_asked(scope), actor=actor().id, reason=reason), json_=json_)


@app.command()
def withdraw(scope: ScopeText, reason: Why, json_: Json = False) -> None:
    """Withdraw a policy, so that less specific ones apply; if that shortens, a second admin must approve."""
    with open_site() as site:
        _answer(site, site.policies.withdraw(_asked(scope), actor=actor().id, reason=reason), json_=json_)


@app.command()
def plan(
    cameras: Cameras = None,
    at: Annotated[
        str, typer.Option("--at", help="What would be destroyed then; without it: now.", metavar="T")
    ] = "",
    scope: Annotated[str, typer.Option("--scope", help=f"What if: {SCOPE_HELP}", metavar="SCOPE")] = "",
    keep_min: Annotated[int, typer.Option("--min", help="What if: days locked.", metavar="DAYS")] = 0,
    keep_max: Annotated[
        str, typer.Option("--max", help="What if: days until destroyed, or: never.", metavar="DAYS")
    ] = "",
    days: Annotated[bool, typer.Option("--days", help="Show each day of each camera.")] = False,
    json_: Json = False,
) -> None:
    """Show what would be destroyed, what a hold or lock keeps, and projected sizes; changes nothing."""
    with open_site() as site, progress_bar("planning") as bar:
        made = site.planner.plan(
            hours_of(site.index),
            at=parse_instant(at) if at else None,
            change=_change(site, scope, keep_min, keep_max),
            cameras=cameras,
            progress=bar,
        )
        zone = zone_of_city(site)
    if json_:
        print_json(made.to_json())
        return
    _say_plan(made, zone, days=days)


def _say_plan(made: Plan, zone: ZoneInfo, *, days: bool) -> None:
    when = time_text(made.at, zone)
    say(f"{made.id}: what would be destroyed at {when}; nothing is changed")
    if made.change is not None:
        say(f"assuming the given terms for {made.change.scope}, which are not decided")
    say(f"stored {amount(made.stored)} of {made.cameras} cameras")
    columns = ("GOES", "KEPT BY A HOLD", "KEPT BY A LONGER LOCK", "AT AN EDGE")
    rows = [(camera, *(amount(share.of(fate)) for fate in Fate)) for camera, share in made.by_camera()]
    total = ("all", *(amount(made.total.of(fate)) for fate in Fate))
    print_table(("CAMERA", *columns), [*rows, total])
    if days:
        print_table(
            ("CAMERA", "DAY", *columns),
            [(one.camera, one.day, *(amount(one.share.of(fate)) for fate in Fate)) for one in made.days],
        )
    if made.total.edge.segments:
        say("At the edge of a term or a hold, apply decides segment by segment.")
    for line in plot(made.stored.bytes, made.projected):
        say(line)


def _terms(site: Site, keep_min: int, keep_max: str, basis: str, start: str, end: str) -> Terms:
    return Terms(
        keep_days_min=keep_min,
        keep_days_max=_days(keep_max),
        basis=basis,
        effective_from=parse_instant(start) if start else site.clock.now(),
        effective_until=parse_instant(end) if end else None,
    )


def _change(site: Site, scope: str, keep_min: int, keep_max: str) -> Change | None:
    if not scope and not keep_min and not keep_max:
        return None
    if not (scope and keep_min and keep_max):
        raise Malformed(
            "a plan of a change needs all of --scope, --min and --max",
            code="bad_usage",
            hint="Such as: --scope default --min 30 --max 60",
        )
    return Change(_asked(scope), _terms(site, keep_min, keep_max, "not decided", "", ""))


def _days(text: str) -> int | None:
    if text == "never":
        return None
    if not (text.isascii() and text.isdecimal()):
        raise Malformed(
            f"{text!r} is not a number of days", code="bad_terms", hint="Write a number such as 90, or: never"
        )
    return int(text)


def _answer(site: Site, record: PolicyRecord, *, json_: bool) -> None:
    policy = policy_json(record, site.clock.now())
    print_json(policy) if json_ else _say_policy(policy, zone_of_city(site))


def _say_policy(policy: JsonObject, zone: ZoneInfo) -> None:
    say(f"{policy['scope']}, version {policy['version']}")
    say(f"  in force   {terms_text(policy['in_force'], zone)}")
    for terms in policy["waiting"]:
        say(f"  begins     {terms_text(terms, zone)}")
    if policy["proposal"] is not None:
        say(f"  proposed   {_proposal_text(policy['proposal'], zone)}")
        say(f"  It allows earlier destruction: a second admin must approve --version {policy['version']}.")


def _proposal_text(proposal: JsonObject | None, zone: ZoneInfo) -> str:
    if proposal is None:
        return ""
    asked = "to withdraw it" if proposal["withdraws"] else terms_text(proposal["terms"], zone)
    return f"{asked}; by {proposal['by']} at {time_text(proposal['at'], zone)}"
