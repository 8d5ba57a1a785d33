"""``saksi hold``: legal holds for a case; two people release one."""

import time
from typing import Annotated

import typer

from archive.errors import Refused
from archive.lifecycle.holds.answers import hold_json, progress_json
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.listing import Wanted, list_holds
from archive.lifecycle.holds.progress import HoldProgress, ProgressBoard
from archive.lifecycle.holds.service import HoldHead
from archive.lifecycle.retention.answers import history_json
from archive.model.custody import Outcome
from archive.records.indexed.walk import MOST
from archive.timespan import Timespan, parse_instant
from ops.cli.options import Camera, From, Json, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, print_table, progress_bar, say
from ops.cli.times import time_text, value_text, zone_of_city
from ops.following import whole_list
from ops.wiring import Site

app = typer.Typer(
    help="Place, review and release legal holds; apply them in the store.", no_args_is_help=True
)

_LOOKS, _PAUSE = 60, 0.5
"""How many times to check whether the job has applied a hold, and the seconds between two checks."""

HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="hold-<32 hex digits>")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Leave it to the job to apply it in the store.")]
SomeCameras = Annotated[list[str], typer.Option("--camera", help="Camera id; may be repeated.", metavar="ID")]
ReviewAt = Annotated[
    str, typer.Option("--review-at", help="When someone must look again, RFC 3339 with offset.", metavar="T")
]


@app.command()
def place(
    camera: SomeCameras,
    start: From,
    end: To,
    case: Annotated[str, typer.Option("--case", help="Report, letter or case number.")],
    owner: Annotated[str, typer.Option("--owner", help="The person responsible for the hold.")],
    basis: Annotated[str, typer.Option("--basis", help="Legal basis.")],
    review_at: ReviewAt,
    no_wait: NoWait = False,
    json_: Json = False,
) -> int:
    """Place a hold, in force at once; then set and verify the store's hold flag on all it covers."""
    span, review = parse_span(start, end), parse_instant(review_at)
    with open_site() as site:
        head = site.holds.place(
            cameras=camera,
            span=span,
            case=case,
            owner=owner,
            basis=basis,
            review_at=review,
            actor=actor().id,
        )
        _record(site, "hold.place", head, span)
        return _carry(site, head, is_left_to_the_job=no_wait, json_=json_)


@app.command()
def extend(
    hold_id: HoldId,
    reason: Why,
    camera: Annotated[
        list[str] | None, typer.Option("--camera", help="Camera to add; may be repeated.", metavar="ID")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="An earlier start.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="A later end.", metavar="T")] = "",
    no_wait: NoWait = False,
    json_: Json = False,
) -> int:
    """Add cameras to a hold, or widen its span; it never shrinks."""
    with open_site() as site:
        before = site.holds.hold(hold_id).hold.span
        span = Timespan(
            parse_instant(start) if start else before.start, parse_instant(end) if end else before.end
        )
        head = site.holds.extend(hold_id, cameras=camera or (), span=span, actor=actor().id, reason=reason)
        _record(site, "hold.extend", head, span)
        return _carry(site, head, is_left_to_the_job=no_wait, json_=json_)


@app.command()
def review(hold_id: HoldId, review_at: ReviewAt, reason: Why, json_: Json = False) -> None:
    """Record a review: why the footage must stay, and when the next review is due."""
    with open_site() as site:
        head = site.holds.review(hold_id, review_at=parse_instant(review_at), actor=actor().id, reason=reason)
        _record(site, "hold.review", head)
        _answer(site, head, json_=json_)


@app.command()
def release(hold_id: HoldId, reason: Why, json_: Json = False) -> None:
    """Propose to release a hold; it stays in force until another person approves."""
    with open_site() as site:
        head = site.holds.propose_release(hold_id, actor=actor().id, reason=reason)
        _record(site, "hold.release", head)
        _answer(site, head, json_=json_)


@app.command("approve-release")
def approve_release(
    hold_id: HoldId,
    version: Annotated[
        int | None, typer.Option("--version", help="Only if this is still the newest version.")
    ] = None,
    no_wait: NoWait = False,
    json_: Json = False,
) -> int:
    """Release a hold whose release another person proposed; then clear the flags that no other hold needs."""
    with open_site() as site:
        head = site.holds.approve_release(hold_id, actor=actor().id, expected=version)
        _record(site, "hold.release", head)
        return _carry(site, head, is_left_to_the_job=no_wait, json_=json_)


@app.command("withdraw-release")
def withdraw_release(hold_id: HoldId, reason: Why, json_: Json = False) -> None:
    """Withdraw a proposed release."""
    with open_site() as site:
        head = site.holds.withdraw_release(hold_id, actor=actor().id, reason=reason)
        _record(site, "hold.release", head)
        _answer(site, head, json_=json_)


@app.command("list")
def list_(
    due: Annotated[bool, typer.Option("--due", help="Only holds whose review is due.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Include released holds.")] = False,
    json_: Json = False,
) -> None:
    """List the holds in force, the newest first."""
    with open_site() as site:
        wanted, now = Wanted(in_force=not every, due=due), site.clock.now()
        page = whole_list(site, lambda cursor: list_holds(site.index, wanted, now, limit=MOST, cursor=cursor))
        zone = zone_of_city(site)
    # Those that are due: the longest overdue first.
    found = sorted(page.items, key=lambda one: (one["review_at"], one["id"])) if due else page.items
    if json_:
        print_json({"holds": found, "as_of": page.as_of_text})
        return
    print_table(
        ("HOLD", "CASE", "CAMERAS", "FROM", "TO", "STATUS", "REVIEW"),
        [
            (
                one["id"],
                one["case"],
                ", ".join(one["cameras"]),
                time_text(one["from"], zone),
                time_text(one["to"], zone),
                one["status"],
                time_text(one["review_at"], zone) + (" (due)" if one["review_due"] else ""),
            )
            for one in found
        ],
    )


@app.command()
def show(hold_id: HoldId, json_: Json = False) -> None:
    """Show one hold, how far it is applied in the store, and its history."""
    with open_site() as site:
        head = site.holds.hold(hold_id)
        found = hold_json(head.hold, head.entry, site.clock.now())
        found["progress"] = progress_json(head, ProgressBoard(site.stores.cache).progress(hold_id))
        history = history_json(site.holds.history(hold_id))
    if json_:
        print_json(found | {"history": history})
        return
    zone = zone_of_city(site)
    for name, value in found.items():
        say(f"{name:12} {value_text(value, zone)}")
    print_table(
        ("VERSION", "AT", "ACTOR", "ACTION", "REASON"),
        [tuple(value_text(value, zone) for value in change.values()) for change in history],
    )


@app.command()
def sweep(
    hold_id: Annotated[
        list[str] | None, typer.Argument(metavar="[HOLD]...", help="Without it: all in force.")
    ] = None,
    json_: Json = False,
) -> int:
    """Set and verify all flags of holds now; exit 4 if the store does not apply them."""
    with open_site() as site:
        names = hold_id or [head.hold.id for head in site.holds.holds() if head.hold.in_force]
        sweeper = site.hold_sweeper()
        swept = [_swept(sweeper, name) for name in names]
    if json_:
        print_json({"swept": [one.to_json() for one in swept]})
    else:
        for one in swept:
            say(_sentence(one))
    return 0 if all(one.is_verified for one in swept) else 4


@app.command()
def tidy(camera: Camera, start: From, end: To, json_: Json = False) -> None:
    """Clear flags that no hold in force needs: recorders set them while they cannot read a hold."""
    span = parse_span(start, end)
    with open_site() as site:
        site.custody.record(
            "hold.tidy", actor=actor(), objects=(camera,), details={"span": str(span)}, outcome=Outcome.DONE
        )
        count = site.hold_sweeper().tidy(camera, span)
    print_json({"cleared": count}) if json_ else say(f"{count} flags cleared")


def _carry(site: Site, head: HoldHead, *, is_left_to_the_job: bool, json_: bool) -> int:
    """Apply a hold in the store, then print it; returns 4 if the store does not apply it."""
    found = hold_json(head.hold, head.entry, site.clock.now())
    if not json_:
        state = "is in force" if head.hold.in_force else "is released"
        say(f"{head.hold.id} {state} since {found['changed_at']}")
    if is_left_to_the_job:
        if json_:
            print_json(found | {"progress": None})
        return 0
    try:
        done: HoldProgress | None = _swept(site.hold_sweeper(), head.hold.id)
    except Refused as error:
        if error.code != "store_access_denied":
            raise
        # This process's account must not set flags; the account of the job may.
        done = _carried_by_the_job(site, head)
    if json_:
        print_json(found | {"progress": progress_json(head, done)})
    elif done is not None:
        say(_sentence(done))
    else:
        note(f"The job 'holds' has not applied it in the store yet: saksi hold show {head.hold.id}")
    if done is None:
        return 3
    return 0 if done.is_verified else 4


def _carried_by_the_job(site: Site, head: HoldHead) -> HoldProgress | None:
    """The job's progress with the hold; None if the job took too long."""
    board = ProgressBoard(site.stores.cache)
    for _ in range(_LOOKS):
        found = board.progress(head.hold.id)
        if found is not None and found.entry_version >= head.entry.version:
            return found
        time.sleep(_PAUSE)
    return None


def _swept(sweeper: Sweeper, hold_id: str) -> HoldProgress:
    with progress_bar("verified in the store") as bar:
        return sweeper.sweep(hold_id, lambda seen, done: bar(done, seen))


def _sentence(done: HoldProgress) -> str:
    held = f"{done.hold}: {done.segments} segments"
    held += f", {done.verified} verified as {'held' if done.in_force else 'free'}"
    if done.kept:
        held += f", {done.kept} kept by other holds"
    if done.troubles:
        held += f", {done.troubles} in trouble: see saksi integrity-incident list"
    if done.waits_for:
        held += f"; not finished: waits for {', '.join(done.waits_for)}"
    return held


def _answer(site: Site, head: HoldHead, *, json_: bool) -> None:
    found = hold_json(head.hold, head.entry, site.clock.now())
    if json_:
        print_json(found)
        return
    say(f"{head.hold.id}: {head.hold.status.value}")
    if head.hold.release is not None and head.hold.in_force:
        note(f"Another person approves: saksi hold approve-release {head.hold.id}")


def _record(site: Site, act: str, head: HoldHead, span: Timespan | None = None) -> None:
    site.custody.record(
        act,
        actor=actor(),
        objects=(head.hold.id, *head.hold.cameras),
        details={"status": head.hold.status.value} | ({} if span is None else {"span": str(span)}),
    )
