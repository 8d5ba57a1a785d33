"""``saksi archive``: check what is stored against the invariants."""

from typing import Annotated

import typer

from archive.timespan import MINUTE, Timespan
from ops.cli.options import Json, open_site, parse_span
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.refusing import in_zone
from ops.cli.times import zone_of_city

app = typer.Typer(help="Check the archive against its invariants.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Check the archive against its invariants."""


@app.command()
def check(
    start: Annotated[str, typer.Option("--from", help="Only segments from here on.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="Only segments before this.", metavar="T")] = "",
    locks: Annotated[
        bool, typer.Option("--locks", help="Ask the store for each segment's checksum, lock and hold (I4).")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Do --locks, and read and hash everything.")] = False,
    json_: Json = False,
) -> int:
    """Check I1 to I7, I9 and the chains of the records; exit 1 if one is broken."""
    # The signature and time stamp libraries are slow to import; only this command waits for them.
    from archive.integrity.check import Checker, Depth

    span: Timespan | None = parse_span(start, end) if start or end else None
    depth = Depth.BYTES if deep else Depth.HEADS if locks else Depth.LISTING
    with open_site() as site, progress_bar("checking") as bar:
        checker = Checker(
            site.stores,
            site.bare_index,
            site.clock,
            depth=depth,
            floor_days=site.settings.retention_floor_days,
            log_interval=site.settings.checkpoint_minutes * MINUTE,
            pool=site.pool,
            progress=bar.step,
            record_index=site.bare_index,
        )
        report = checker.run(span)
    if json_:
        print_json(report.to_json())
    else:
        say(
            f"{report.segments} segments, {report.cameras} cameras, {report.batches} journal batches, "
            f"{report.entries} ledger entries, {report.custody} custody objects, {report.packages} packages: "
            f"{len(report.breaches) or 'no'} breaches"
        )
        for breach in report.breaches:
            message = in_zone(breach.message, zone_of_city(site))
            note(f"  {breach.invariant} {breach.object}: {message} [{breach.code}]")
        for key in sorted(report.set_aside):
            note(f"  {key} is set aside until a person decides")
        for recorder, count in sorted(report.adopted.items()):
            note(f"  {count} segments of {recorder} are adopted: another recorder signed for them")
        for run in sorted(report.without_a_line):
            note(
                f"  run {run} segments have no signed line; saksi work --only adopt signs for lost recorders"
            )
    return 1 if report.breaches else 0
