"""``saksi seal``, ``saksi verify`` and ``saksi evidence``: make, verify and fetch evidence packages."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.clock import SystemClock
from archive.errors import AlreadyExists, Malformed
from archive.evidence.listing import list_packages
from archive.model.evidence import EvidenceRecord, PackageKind, package_state, to_state
from archive.records.indexed.walk import MOST
from ops.cli.options import Cameras, From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import print_json, print_table, progress_bar, say
from ops.cli.times import time_text, value_text, zone_of_city
from ops.following import whole_list
from ops.wiring import Site, build_facts

if TYPE_CHECKING:
    from ops.evidence import Evidence

evidence_app = typer.Typer(help="Requested evidence packages.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="EVIDENCE_ID")]
Output = Annotated[Path, typer.Option("-o", "--output", help="Where to write the ZIP.", metavar="FILE.zip")]


def register(app: typer.Typer) -> None:
    """Add the commands to the top level."""
    app.command("seal")(seal)
    app.command("verify")(verify_package)
    app.command("verify-build")(verify_build)
    app.add_typer(evidence_app, name="evidence")


def seal(
    start: From,
    end: To,
    case: Annotated[str, typer.Option("--case", help="Report or letter number.", metavar="TEXT")],
    output: Output,
    camera: Cameras = None,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Seal the unchanged originals of some cameras and a span into a package, and write it as a ZIP."""
    span = parse_span(start, end)
    _refuse_existing(output)
    with open_site() as site:
        cameras = tuple(camera) if camera else tuple(c.id for c in site.registry.cameras())
        work = _evidence(site)
        _ = work.worker  # reports a missing seal key before anything is written
        record = work.request(cameras=cameras, span=span, case=case, actor=actor().id, purpose=purpose)
        evidence_id = record.request.evidence_id
        with progress_bar("sealing") as bar:
            package = work.seal_now(evidence_id, bar)
        _download(work, evidence_id, output, purpose)
    facts = package_state(package)
    if json_:
        print_json(
            {
                name: facts[name]
                for name in ("evidence_id", "tagmanifest_sha256", "signer_sha256", "gen_time", "tsa")
            }
        )
        return
    say(
        f"{output}: {evidence_id} is sealed, {facts['originals']} originals, {facts['size']} bytes of payload"
    )
    say(f"  tag manifest SHA-256  {facts['tagmanifest_sha256']}")
    say(f"  signer SHA-256        {facts['signer_sha256']}")
    stamped = value_text(facts["gen_time"], zone_of_city(site)) if facts["gen_time"] else "none yet"
    say(f"  time stamp            {stamped} by {facts['tsa']}")


def _download(work: "Evidence", evidence_id: str, output: Path, purpose: str) -> None:
    from archive.evidence.zipped import write_zip

    custody = work.site.custody
    custody.record("evidence.download.started", actor=actor(), objects=(evidence_id,), purpose=purpose)
    with progress_bar("writing") as bar:
        size = write_zip(work.site.stores.records, evidence_id, output, bar)
    custody.record(
        "evidence.download.ended",
        actor=actor(),
        objects=(evidence_id,),
        purpose=purpose,
        details={"bytes_sent": size},
    )


def verify_package(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="A .zip or an unpacked folder.")],
    trust: Annotated[
        list[Path], typer.Option("--trust", help="Trust root, from OUTSIDE the package.", metavar="PEM")
    ],
    tsa_trust: Annotated[
        list[Path] | None, typer.Option("--tsa-trust", help="Root of the timestamp authority.", metavar="PEM")
    ] = None,
    signer: Annotated[
        str | None, typer.Option("--signer", help="Expected certificate fingerprint.", metavar="SHA256")
    ] = None,
    crl: Annotated[
        list[Path] | None,
        typer.Option("--crl", help="Revocation list, from OUTSIDE the package.", metavar="FILE"),
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="Expected fingerprint of the log's key.", metavar="SHA256")
    ] = None,
    recorder_key: Annotated[
        list[Path] | None,
        typer.Option("--recorder-key", help="A recorder's key, from OUTSIDE the package.", metavar="PEM"),
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            "--at", help="Judge certificates now, at the stamp's time, or at T.", metavar="now|stamp|T"
        ),
    ] = "now",
    allow_unlogged: Annotated[
        bool,
        typer.Option("--allow-unlogged", help="Accept proofs of recorder and log that are missing."),
    ] = False,
    json_: Json = False,
) -> int:
    """Verify a package offline. Exit 1: not valid, 3: signatures not checked, 4: the check broke off."""
    from archive.evidence.verification import parse_at, verify
    from archive.evidence.verifier import command, wording
    from archive.evidence.verifier.findings import UNLOGGED
    from archive.trust.judge import load_trust

    moment = parse_at(at)
    trusted = load_trust(
        trust, tsa_trust or [], signer, log_key, crls=crl or [], recorder_keys=recorder_key or []
    )
    sys.excepthook = command.broke_off  # Python's own exit code would read as a verdict
    with progress_bar("verifying") as bar:
        notebook = verify(
            package,
            trust=trusted,
            at=moment,
            clock=SystemClock(),
            progress=bar,
            allowed=UNLOGGED if allow_unlogged else frozenset(),
        )
    if json_:
        print_json(notebook.to_json())
    else:
        for line in wording.verdict(notebook, str(package)):
            say(line)
    return command.EXIT[notebook.verdict]


def verify_build(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write it.", metavar="FILE.pyz")
    ] = Path("dist/saksi-verify.pyz"),
    json_: Json = False,
) -> None:
    """Write saksi-verify.pyz, the verifier in one file (Python 3.9, openssl); same source, same bytes."""
    from ops import pyz

    digest = pyz.write(output)
    if json_:
        print_json({"path": str(output), "sha256": digest})
        return
    say(f"{digest}  {output}")


@evidence_app.command("request")
def request_(
    start: From,
    end: To,
    case: Annotated[str, typer.Option("--case", help="Report or letter number.", metavar="TEXT")],
    camera: Cameras = None,
    no_footage: Annotated[
        bool, typer.Option("--no-footage", help="Request a sealed statement that there is no footage.")
    ] = False,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Request a package of some cameras and a span; the worker seals it (saksi work)."""
    span = parse_span(start, end)
    kind = PackageKind.NO_FOOTAGE if no_footage else PackageKind.FOOTAGE
    with open_site() as site:
        cameras = tuple(camera) if camera else tuple(c.id for c in site.registry.cameras())
        record = _evidence(site).request(
            cameras=cameras, span=span, case=case, actor=actor().id, purpose=purpose, kind=kind
        )
    if json_:
        print_json(_as_json(record))
        return
    say(f"{record.request.evidence_id} is requested: saksi evidence show {record.request.evidence_id}")


@evidence_app.command("list")
def list_(json_: Json = False) -> None:
    """List every requested package."""
    with open_site() as site:
        page = whole_list(site, lambda cursor: list_packages(site.index, limit=MOST, cursor=cursor))
        zone = zone_of_city(site)
    records = sorted(page.items, key=lambda one: one.request.evidence_id)
    if json_:
        print_json({"evidence": [_as_json(record) for record in records], "as_of": page.as_of_text})
        return
    print_table(
        ("EVIDENCE", "STATUS", "CASE", "CAMERAS", "FROM", "TO"),
        [
            (
                r.request.evidence_id,
                r.status.value,
                r.request.case,
                " ".join(r.request.cameras),
                time_text(r.request.span.start, zone),
                time_text(r.request.span.end, zone),
            )
            for r in records
        ],
    )


@evidence_app.command()
def show(evidence_id: Id, json_: Json = False) -> None:
    """Show one package's state."""
    with open_site() as site:
        state = _as_json(_evidence(site).record(evidence_id))
    if json_:
        print_json(state)
        return
    for name, value in state.items():
        say(f"{name:14} {value_text(value, zone_of_city(site))}")


@evidence_app.command()
def download(evidence_id: Id, output: Output, purpose: Purpose = "") -> None:
    """Write a sealed package as a ZIP."""
    _refuse_existing(output)
    with open_site() as site:
        work = _evidence(site)
        work.package(evidence_id)
        _download(work, evidence_id, output, purpose)
    say(f"{output} is written")


def _as_json(record: EvidenceRecord) -> dict[str, Any]:
    return to_state(record)


def _refuse_existing(output: Path) -> None:
    if output.exists():
        raise AlreadyExists(
            f"{output} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        )
    if not output.parent.exists():
        raise Malformed(f"the folder of {output} does not exist", code="output_unwritable")


def _evidence(site: Site) -> "Evidence":
    from ops.evidence import Evidence  # the signing libraries take half a second to import

    return Evidence(site, build_facts())
