"""``saksi log``: the tamper-evident log: make, show, prove and verify checkpoints."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from archive.errors import AlreadyExists, Malformed, NotFound
from archive.timespan import Timespan, parse_instant
from ops.cli.options import Json, open_site, parse_span
from ops.cli.output import note, print_json, print_table, progress_bar, say
from ops.cli.times import time_text, zone_of_city
from ops.wiring import Site

if TYPE_CHECKING:
    from archive.records.checkpoint.findings import LogReport
    from archive.records.checkpoint.prove import InclusionProof

app = typer.Typer(help="The tamper-evident log over journals, ledger and custody.", no_args_is_help=True)

Trust = Annotated[
    list[Path] | None,
    typer.Option("--trust", help="Trust root, from OUTSIDE this host; may be repeated.", metavar="PEM"),
]


@app.command()
def make(json_: Json = False) -> None:
    """Make a checkpoint now, without waiting for its interval."""
    from ops.log import Log

    with open_site() as site, progress_bar("gathering") as bar:
        log = Log(site)
        made = log.maker.make(bar.step)
        log.maker.settle()
        troubles = log.maker.troubles
        state = None if made is None else log.state(made.note.number)
    for trouble in troubles:
        note(f"  {trouble.message} [{trouble.code}]")
    if made is None or state is None:
        print_json({"made": False}) if json_ else say("Another process made this checkpoint first.")
        return
    if json_:
        print_json({"made": True, "objects": made.objects, "refused": made.refused, **state.to_json()})
        return
    say(f"checkpoint {made.note.number}: {made.objects} objects, {made.note.size} leaves")
    say(f"  root    {made.note.root.hex()}")
    say(f"  SHA-256 {made.note.digest}")
    if made.refused:
        note(f"  {made.refused} objects were refused; the ledger has an integrity incident for each")


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="[N]", help="One checkpoint; without it: the newest.")] = 0,
    count: Annotated[
        int, typer.Option("--count", help="How many of the newest checkpoints.", min=1, max=10_000)
    ] = 24,
    json_: Json = False,
) -> None:
    """Show the newest checkpoints: time, number of leaves, signature, time stamp, witnesses."""
    from ops.log import Log

    with open_site() as site:
        log = Log(site)
        states = [log.state(number)] if number else list(log.newest_states(count))
    if json_:
        print_json({"checkpoints": [state.to_json() for state in states]})
        return
    print_table(
        ("N", "AT", "LEAVES", "SIGNED", "STAMPED", "WITNESSES", "SHA-256"),
        [
            (
                str(state.note.number),
                time_text(state.note.at, zone_of_city(site)),
                str(state.note.size),
                "yes" if state.signed else "not yet",
                "yes" if state.stamped else "not yet",
                str(state.receipts),
                state.note.digest,
            )
            for state in states
        ],
    )


@app.command()
def verify(
    trust: Trust = None,
    tsa_trust: Annotated[
        list[Path] | None, typer.Option("--tsa-trust", help="Root of the timestamp authority.", metavar="PEM")
    ] = None,
    signer: Annotated[
        str | None, typer.Option("--signer", help="Expected certificate fingerprint.", metavar="SHA256")
    ] = None,
    crl: Annotated[
        list[Path] | None, typer.Option("--crl", help="Revocation list of an authority.", metavar="FILE")
    ] = None,
    day: Annotated[str, typer.Option("--day", help="One local day.", metavar="YYYY-MM-DD")] = "",
    start: Annotated[str, typer.Option("--from", help="From here on.", metavar="T")] = "",
    end: Annotated[str, typer.Option("--to", help="Before this.", metavar="T")] = "",
    whole: Annotated[bool, typer.Option("--all", help="Everything since the first checkpoint.")] = False,
    json_: Json = False,
) -> int:
    """Verify the log of a day, a span or all of it from the archive alone; exit 1 if it is not intact."""
    from ops.log import Log

    with open_site() as site, progress_bar("verifying") as bar:
        span = _span(site, day, start, end, whole=whole)
        if not trust:
            note(
                "No --trust given: this host's own root.pem is trusted, which proves nothing about this host."
            )
        report = Log(site).verify(
            trust=trust or [],
            stamp_trust=tsa_trust or [],
            signer=signer,
            crls=crl or [],
            span=span,
            progress=bar.step,
        )
    if json_:
        print_json(report.to_json())
    else:
        _say_report(report)
    return 0 if report.valid else 1


@app.command()
def prove(
    name: Annotated[
        str,
        typer.Argument(metavar="[KEY]", help="A segment's or ledger entry's key, KEY#LINE, or an event id."),
    ] = "",
    leaf: Annotated[
        Path | None, typer.Option("--leaf", help="A line to prove, from a text file.", metavar="FILE")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the parts into this new folder.", metavar="DIR"),
    ] = None,
    json_: Json = False,
) -> None:
    """Prove that a checkpoint covers one line; -o writes parts that sha256sum, xxd and jq can check."""
    from archive.records.checkpoint.prove import prove as prove_name
    from archive.records.checkpoint.prove import prove_lines, stated_line

    if bool(name) == (leaf is not None):
        raise Malformed(
            "name one line to prove", code="bad_usage", hint="saksi log prove KEY, or --leaf FILE"
        )
    line = None if leaf is None else _read_leaf(leaf)
    with open_site() as site:
        if line is None:
            proof = prove_name(site.stores, name)
        else:
            proof = prove_lines(site.stores.records, [stated_line(line)])[0]
    if output is not None:
        _write_parts(proof, output)
    if json_:
        print_json(proof.to_json())
        return
    found: dict[str, Any] = proof.inclusion_json()
    for field in ("origin", "number", "leaf_index", "tree_size", "leaf_hash", "key", "line"):
        say(f"{field:11} {found[field]}")


def _span(site: Site, day: str, start: str, end: str, *, whole: bool) -> Timespan | None:
    if [bool(day), bool(start or end), whole].count(True) != 1:
        raise Malformed(
            "no period to verify is given",
            code="bad_usage",
            hint="Give --day D, or --from T --to T, or --all.",
        )
    if whole:
        return None
    if start or end:
        return parse_span(start, end)
    return local_day(day, ZoneInfo(site.settings.time_zone))


def local_day(text: str, zone: ZoneInfo) -> Timespan:
    """A calendar day in a zone. Raises Malformed ``bad_day``."""
    try:
        first = date.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"{text!r} is not a day", code="bad_day", hint="Write 2026-11-24.") from error
    edges = [datetime.combine(first + timedelta(days=more), time(), zone).isoformat() for more in (0, 1)]
    return Timespan(*map(parse_instant, edges))


def _say_report(report: "LogReport") -> None:
    verdict = "UTUH / INTACT" if report.valid else "TIDAK UTUH / NOT INTACT"
    say(
        f"{report.origin or 'log'}: {verdict}: {report.checkpoints} of {report.chain} checkpoints read, "
        f"{report.objects} objects, {report.leaves} leaves"
    )
    for finding in report.findings:
        found = finding.to_json()
        note(f"  {finding.severity.value}: {finding.object} [{finding.code}]")
        note(f"    {found['message']['id']}\n    {found['message']['en']} {finding.detail}".rstrip())
    if report.newest:
        say(f"  newest checkpoint SHA-256 {report.newest}")
    for signer in sorted(report.signers):
        say(f"  signed by      {signer}")
    for authority in sorted(report.authorities):
        say(f"  stamped by     {authority}")
    say(f"  witnesses      {', '.join(sorted(report.witnesses)) or 'none'}")


def _read_leaf(path: Path) -> bytes:
    try:
        return path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", code="leaf_not_found") from error


def _write_parts(proof: "InclusionProof", folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise AlreadyExists(
            f"{folder} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        ) from error
    except OSError as error:
        raise Malformed(f"{folder} cannot be made: {error.strerror}", code="output_unwritable") from error
    for name, content in proof.parts().items():
        (folder / name).write_bytes(content)
    note(f"{folder}: {', '.join(proof.parts())}")
