"""``saksi archive``: hold the promises against what is stored."""

from typing import Annotated

import typer

from archive.check import Checker
from archive.timespan import Timespan
from ops.cli.options import Json, open_site, parse_span
from ops.cli.output import note, print_json, progress_bar, say

app = typer.Typer(help="Check the archive against its promises.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Check the archive against its promises."""


@app.command()
def check(
    start: Annotated[str, typer.Option("--from", help="Only segments from here on.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="Only segments before this.", metavar="T")] = "",
    deep: Annotated[bool, typer.Option("--deep", help="Read and hash every segment.")] = False,
    json_: Json = False,
) -> int:
    """Check I1, I2, I9 and the chains of ledger, journal and custody; exit 1 where something is broken."""
    span: Timespan | None = parse_span(start, end) if start or end else None
    with open_site() as site, progress_bar("checking") as bar:
        checker = Checker(site.stores, site.index, site.clock, hash_segments=deep, progress=bar.step)
        report = checker.run(span)
    if json_:
        print_json(report.to_json())
    else:
        say(
            f"{report.segments} segments, {report.batches} journal batches, {report.entries} ledger entries, "
            f"{report.custody} custody objects: {len(report.breaches) or 'no'} breaches"
        )
        for breach in report.breaches:
            note(f"  {breach.invariant} {breach.object}: {breach.message} [{breach.code}]")
    return 1 if report.breaches else 0
