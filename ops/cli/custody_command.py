"""``saksi custody``: what was done to an item, or by a person."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.errors import AlreadyExists, Malformed, Unavailable
from archive.records.custody_report.lines import Made, jsonl, line_json
from archive.records.custody_report.record import Asked, CustodyRecord, Line, asked_details
from archive.records.custody_report.vocabulary import word_of
from archive.timespan import Timespan, format_instant, parse_instant
from ops.cli.options import Json, Purpose, actor, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.cli.times import time_text, zone_of_city
from ops.following import follow_once
from ops.wiring import Site

_BLOCK = 500
"""Events of one table."""

app = typer.Typer(help="The custody record: who did what, when and why.", no_args_is_help=True)


@app.callback()
def custody() -> None:
    """The custody record: who did what, when and why."""


@app.command()
def show(
    item: Annotated[
        str, typer.Option("--item", help="EVD-…, REQ-…, a hold, a camera or a segment's key.", metavar="ID")
    ] = "",
    person: Annotated[
        str, typer.Option("--person", help="An actor, such as user:citra; with --item: only their events.")
    ] = "",
    start: Annotated[str, typer.Option("--from", help="Events from this time on.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="Events before this time.", metavar="T")] = "",
    footage_from: Annotated[
        str, typer.Option("--footage-from", help="For a camera: footage from this time on.", metavar="T")
    ] = "",
    footage_to: Annotated[
        str, typer.Option("--footage-to", help="For a camera: footage before this time.", metavar="T")
    ] = "",
    pdf: Annotated[
        Path | None, typer.Option("--pdf", help="Write the report as a PDF.", metavar="OUT.pdf")
    ] = None,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print the report as JSON lines.")] = False,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Show every custody event of an item, a person, or both. Reading the record is itself recorded."""
    if (pdf is not None) + as_lines + json_ > 1:
        raise Malformed("only one of --pdf, --jsonl and --json can be given", code="bad_usage")
    with open_site() as site:
        asked = _asked(site, item, person, (start, end), (footage_from, footage_to))
        site.custody.record(
            "custody.read",
            actor=actor(),
            objects=tuple(one for one in (item, person) if one),
            purpose=purpose,
            details=asked_details(asked),
        )
        made = Made(
            by=actor().id,
            at=site.clock.now(),
            organization=site.settings.organization,
            time_zone=site.settings.time_zone,
        )
        as_of = follow_once(site)
        if pdf is not None:
            _print_pdf(pdf, asked, site.custody_record, made)
            return
        lines = site.custody_record.lines(asked)
        if as_lines:
            for line in jsonl(asked, lines, made):
                say(line.decode("utf-8").rstrip("\n"))
        elif json_:
            print_json({"acts": [line_json(line) for line in lines], "as_of": format_instant(as_of)})
        else:
            _print_tables(lines, zone_of_city(site))


def _asked(site: Site, item: str, person: str, acts: tuple[str, str], footage: tuple[str, str]) -> Asked:
    shown = Timespan.parse(*footage) if any(footage) else None
    record = site.custody_record
    return record.asked(
        item=record.item(item, footage=shown) if item else None,
        person=person,
        start=parse_instant(acts[0]) if acts[0] else None,
        end=parse_instant(acts[1]) if acts[1] else None,
    )


def _print_pdf(path: Path, asked: Asked, record: CustodyRecord, made: Made) -> None:
    from archive.records.custody_report.paper import printable, printed

    found = printable(record, asked)
    page = printed(asked, found, made)
    try:
        with path.open("xb") as target:
            target.write(page)
    except FileExistsError as error:
        raise AlreadyExists(
            f"{path} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        ) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}", code="output_unwritable") from error
    note(f"{path} is written: {len(found)} events")


def _print_tables(lines: Iterator[Line], zone: ZoneInfo) -> None:
    """One table after another, each with its head: a long report begins before it is read to its end."""
    block = list(islice(lines, _BLOCK))
    _print_table(block, zone)
    while len(block) == _BLOCK and (block := list(islice(lines, _BLOCK))):
        _print_table(block, zone)


def _print_table(lines: list[Line], zone: ZoneInfo) -> None:
    print_table(
        ("AT", "WHO", "WHAT", "OUTCOME", "OBJECTS", "PROOF"),
        [
            (
                time_text(line.at, zone),
                line.actor.id,
                word_of(line.type).english,
                line.outcome.value,
                " ".join(line.objects),
                line.proof,
            )
            for line in lines
        ],
    )
