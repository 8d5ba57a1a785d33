"""``saksi index``: the index, which can always be rebuilt from the archive."""

import typer

from archive.integrity.rebuild.report import RebuildReport
from archive.integrity.rebuild.sync import Sync, SyncReport, lag
from archive.records.indexed.marks import followed_at
from archive.timespan import format_instant
from ops.cli.options import Json, open_site
from ops.cli.output import print_json, progress_bar, say
from ops.cli.times import time_text, value_text, zone_of_city
from search.locations import renew_index
from search.rebuilding import rebuild_index

app = typer.Typer(help="Rebuild the index and show what it holds.", no_args_is_help=True)


@app.command()
def rebuild(json_: Json = False) -> int:
    """Rebuild the index from the archive alone; exit 1 if a record could not be indexed."""
    with open_site() as site, progress_bar("rebuilding") as bar:
        renew_index(site.settings.index_url)
        report = rebuild_index(site.stores, site.bare_index, progress=bar.step)
    return _summary(report, json_=json_)


@app.command()
def sync(json_: Json = False) -> int:
    """Bring the index up to date from the archive; exit 1 if a record could not be indexed."""
    with open_site() as site, progress_bar("bringing up to date") as bar:
        report = Sync(site.stores, site.bare_index, site.clock).run(bar.step)
        followed = site.follower().run(bar.step)
    report.custody_events, report.ledger_entries = followed.events, followed.entries
    report.left_out += followed.left_out
    return _summary(report, json_=json_)


@app.command()
def status(json_: Json = False) -> None:
    """Show what the index holds, how many journal batches it lacks, and until when it has people's acts."""
    with open_site() as site:
        status = site.bare_index.status()
        followed = followed_at(site.bare_index)
        found = status.to_json() | {
            "whole": site.wholeness.found(),
            "lag": lag(site.stores.records, status.cursors, site.clock.now()),
            "followed_at": None if followed is None else format_instant(followed),
        }
    if json_:
        print_json(found)
        return
    zone = zone_of_city(site)
    edges = {name: "–" if found[name] is None else time_text(found[name], zone) for name in ("first", "last")}
    for name, value in (found | edges).items():
        say(f"{name:12} {'–' if value is None else value_text(value, zone)}")


def _summary(report: RebuildReport | SyncReport, *, json_: bool) -> int:
    if json_:
        print_json(report.to_json())
    else:
        for name, value in report.to_json().items():
            say(f"{name:16} {value}")
    return 1 if report.left_out else 0
