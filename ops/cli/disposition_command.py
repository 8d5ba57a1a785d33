"""``saksi retention apply`` and ``record``, ``saksi archive orphans`` and ``pressure``."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from archive import keys
from archive.canonical import JsonObject
from archive.errors import Conflict, Malformed, Unavailable
from archive.lifecycle.disposition.decide import Decision
from archive.lifecycle.disposition.found import list_dispositions
from archive.lifecycle.disposition.listing import RECORD
from archive.lifecycle.disposition.orphans import OrphanKind
from archive.lifecycle.disposition.pressure import Level
from archive.lifecycle.disposition.stored_paper import read_paper
from archive.model.disposition import Disposition, to_state
from archive.records.indexed.walk import MOST
from archive.timespan import parse_instant
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, print_table, progress_bar, say
from ops.cli.times import time_text, zone_of_city
from ops.disposition import Dispositions, list_digest, pressure_of, require_list, require_plan
from ops.following import whole_list

DispositionId = Annotated[str, typer.Argument(metavar="ID", help="The disposition's id, such as dsp-….")]


def register(retention: typer.Typer, archive: typer.Typer) -> None:
    """Add the commands to their groups, once."""
    if any(command.callback is apply for command in retention.registered_commands):
        return
    retention.command()(apply)
    retention.command()(dispositions)
    retention.command()(record)
    archive.command()(orphans)
    archive.command()(pressure)


def apply(
    plan: Annotated[
        str,
        typer.Option("--plan", help="Destroy only if the list still has this digest, from --dry-run."),
    ] = "",
    at: Annotated[
        str, typer.Option("--at", help="The plan's 'at', if --plan is from saksi retention plan.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is due for destruction; change nothing.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why now; kept in the ledger.")] = "",
    json_: Json = False,
) -> int:
    """Destroy the footage whose retention maximum has passed; can be stopped and restarted at any time."""
    if at and not plan:
        raise Malformed("--at is used only together with --plan", code="bad_usage")
    with open_site() as site, progress_bar("deciding") as bar:
        work = Dispositions(site)
        if dry_run:
            decision = work.due(bar.step)
            done: list[Disposition] = []
        else:
            decision = None
            if at:
                require_plan(site, plan, parse_instant(at))
            by_list = bool(plan) and not at
            done = work.apply(
                actor=actor().id,
                reason=reason,
                approve=(lambda found: require_list(plan, found)) if by_list else lambda found: None,
                lists=1 if by_list else None,
                progress=bar.step,
            )
    if decision is not None:
        print_json(_decision_json(decision)) if json_ else _say_decision(decision)
        return 0
    if json_:
        print_json({"dispositions": [{"id": one.id, **to_state(one)} for one in done]})
        return 0
    for one in done:
        _say(one)
    if not done:
        say("nothing is due for destruction")
    return 0


def dispositions(json_: Json = False) -> None:
    """List every disposition."""
    with open_site() as site:
        page = whole_list(site, lambda cursor: list_dispositions(site.index, limit=MOST, cursor=cursor))
    found = sorted(page.items, key=lambda one: one.id)
    if json_:
        listed = [{"id": one.id, **to_state(one)} for one in found]
        print_json({"dispositions": listed, "as_of": page.as_of_text})
        return
    print_table(
        ("ID", "CAUSE", "STATUS", "STARTED", "LISTED", "DESTROYED", "KEPT"),
        [
            (
                one.id,
                one.cause.value,
                one.status.value,
                time_text(one.started_at, zone_of_city(site)),
                str(one.segments),
                "" if one.outcome is None else str(one.outcome.destroyed),
                "" if one.outcome is None else str(sum(one.outcome.kept.values())),
            )
            for one in found
        ],
    )


def record(
    disposition: DispositionId,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write the PDF here.", metavar="OUT")] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check signature, time stamp, list and counts; exit 1 if one is wrong."
        ),
    ] = False,
    json_: Json = False,
) -> int:
    """Show the record of one disposition, write its PDF, or check it."""
    with open_site() as site:
        work = Dispositions(site)
        found = work.find(disposition)
        prefix = keys.disposition_prefix(found.id)
        if verify:
            verdict = work.verify(found)
            if json_:
                print_json({"id": found.id, **verdict.to_json()})
            else:
                say(f"{found.id}: {'in order' if verdict.valid else 'NOT in order'}")
                for finding in verdict.findings:
                    note(f"  {finding.object}: {finding.message} [{finding.code}]")
            return 0 if verdict.valid else 1
        if found.outcome is None:
            raise Conflict(
                f"disposition {found.id} is still open",
                code="disposition_open",
                hint="The record is made when the disposition ends: saksi work --once dispose",
            )
        if pdf is not None:
            try:
                pdf.write_bytes(read_paper(site.stores.records, found, found.outcome.pdf_sha256)[1])
            except OSError as error:
                raise Unavailable(f"{pdf} cannot be written: {error.strerror}", code="unwritable") from error
        text = site.stores.records.get(prefix + RECORD).decode()
    if json_:
        say(text)  # exactly the bytes that were signed
    else:
        _say(found)
    return 0


def orphans(
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Adopt objects, drop entries, and record losses.")
    ] = False,
    json_: Json = False,
) -> int:
    """Find objects without an index entry and entries without an object; exit 1 if footage was lost."""
    with open_site() as site, progress_bar("walking") as bar:
        sweep = Dispositions(site).sweep(bar.step)
        found = sweep.settle() if adopt else list(sweep.find())
    counts = Counter(one.kind.value for one in found)
    lost = counts[OrphanKind.OBJECT_MISSING.value]
    if json_:
        print_json({"settled": adopt, "counts": dict(counts), "orphans": [one.to_json() for one in found]})
        return 1 if lost else 0
    for one in found:
        note(f"  {one.kind.value:16} {one.key}: {one.message}")
    say(f"{len(found) or 'no'} orphans" + (", settled" if adopt and found else ""))
    return 1 if lost else 0


def pressure(
    plan: Annotated[bool, typer.Option("--plan", help="Show what could be destroyed.")] = False,
    json_: Json = False,
) -> int:
    """Show how full the store is and what could be destroyed; changes nothing; exit 1 above the red mark."""
    with open_site() as site:
        now = pressure_of(site)
        relief = Dispositions(site).relief(now) if plan or now.excess else None
    if json_:
        print_json(now.to_json() | {"relief": None if relief is None else relief.to_json()})
        return 1 if now.level is Level.RED else 0
    size = f"of {now.quota >> 20} MiB" if now.quota else "(no quota is set: archive_quota_gib)"
    say(f"{now.level.value}: {now.used >> 20} MiB are used {size}")
    if relief is not None and now.excess:
        say(f"{now.excess >> 20} MiB are above the amber mark of {now.amber_percent} %")
        say(
            f"{relief.bytes >> 20} MiB are past their minimum and not held; "
            f"policies permit destroying {relief.permitted_bytes >> 20} MiB of it"
        )
        if not relief.enough:
            say("That is not enough: enlarge the store, or recorders will stop with the gap spool_full.")
        elif relief.permitted_bytes < relief.needed:
            say("For more, a policy must set on_pressure: dispose_past_minimum.")
    return 1 if now.level is Level.RED else 0


def _decision_json(decision: Decision) -> JsonObject:
    doomed = decision.doomed
    return {
        "digest": list_digest(decision),
        "segments": len(doomed.segments),
        "bytes": doomed.bytes,
        "more": decision.full,
        "stays": dict(decision.stays),
        "findings": [
            {"code": one.code, "key": one.object, "message": one.message} for one in decision.findings
        ],
        "list": [{"key": one.key, "policy": one.policy, "size": one.size} for one in doomed.segments],
    }


def _say_decision(decision: Decision) -> None:
    doomed = decision.doomed
    say(f"{len(doomed.segments)} segments, {doomed.bytes >> 20} MiB are due; nothing was changed")
    for reason, count in sorted(decision.stays.items()):
        say(f"  {count} stay: {reason}")
    for finding in decision.findings:
        note(f"  {finding.object}: {finding.message} [{finding.code}]")
    if decision.full:
        say("More is due than one list can hold; apply makes as many lists as it needs.")
    say(f"digest {list_digest(decision)}")


def _say(found: Disposition) -> None:
    say(f"{found.id}: {found.status.value}, {found.segments} segments were listed")
    outcome = found.outcome
    if outcome is None:
        return
    say(f"  destroyed {outcome.destroyed} segments, {outcome.destroyed_bytes} bytes")
    for reason, count in outcome.kept.items():
        say(f"  kept      {count}: {reason}")
    say(f"  list      {found.list_sha256}")
    say(f"  record    {outcome.record_sha256}")
    say(f"  signed by {outcome.signer_sha256}")
