"""``saksi request``: file, show and decide requests for footage on this host."""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from api.schemas.requests import RequestIn
from archive.canonical import JsonObject, sha256_hex
from archive.cases.requests.answers import history_json, request_json
from archive.cases.requests.book import RequestHead
from archive.cases.requests.form import BadForm
from archive.cases.requests.listing import Wanted, list_requests
from archive.cases.requests.stream import Filer
from archive.errors import Malformed, Unavailable
from archive.model.evidence import PackageKind
from archive.model.request import RequestStatus
from archive.records.indexed.walk import MOST
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.cli.times import time_text, zone_of_city
from ops.following import whole_list
from ops.wiring import Site

app = typer.Typer(help="File, read and decide requests for footage.", no_args_is_help=True)

PIECE = 1 << 20

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="REQ-<year>-<ten characters>")]
Version = Annotated[
    int, typer.Option("--version", help="The version you read; refused if it is not the newest.")
]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]


@app.command("list")
def list_(
    status: Annotated[
        RequestStatus | None, typer.Option("--status", help="Only requests in this state.")
    ] = None,
    agency: Annotated[str, typer.Option("--agency", help="Only requests of this agency.")] = "",
    camera: Annotated[
        str, typer.Option("--camera", help="Only requests about this camera.", metavar="ID")
    ] = "",
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only requests whose letter is overdue.")
    ] = False,
    json_: Json = False,
) -> None:
    """List requests, the newest first."""
    with open_site() as site:
        now, zone = site.clock.now(), zone_of_city(site)
        wanted = Wanted(status=status, agency=agency, camera=camera, overdue=overdue)
        page = whole_list(
            site, lambda cursor: list_requests(site.index, wanted, now, limit=MOST, cursor=cursor)
        )
    if json_:
        print_json({"requests": page.items, "as_of": page.as_of_text})
        return
    print_table(
        ("REQUEST", "STATUS", "AGENCY", "CASE", "CAMERAS", "FROM", "TO", ""),
        [
            (
                one["id"],
                one["status"],
                one["agency"],
                one["case"],
                ", ".join(one["cameras"]),
                time_text(one["from"], zone),
                time_text(one["to"], zone),
                ", ".join(word for word, mark in _MARKS if one[mark]),
            )
            for one in page.items
        ],
    )


_MARKS = (
    ("urgent", "urgent"),
    ("letter overdue", "letter_overdue"),
    ("footage expiring", "footage_expiring"),
)


@app.command()
def show(request_id: RequestId, json_: Json = False) -> None:
    """Show one request, its version and its history."""
    with open_site() as site:
        head = site.requests.book.request(request_id)
        found = request_json(head, site.clock.now())
        found["history"] = history_json(site.requests.stream.history(request_id))
        zone = zone_of_city(site)
        site.custody.record("request.read", actor=actor(), objects=(request_id,))
    if json_:
        print_json(found)
        return
    requester, letter = found["requester"], found["letter"]
    say(f"{found['id']}  {found['status']}  version {found['version']}")
    say(f"  {requester['rank']} {requester['name']}, {requester['unit']}, {requester['agency']}")
    say(f"  letter {letter['number'] or '–'} of {letter['date'] or '–'}; case {found['case']}")
    start, end = (time_text(found[edge], zone) for edge in ("from", "to"))
    say(f"  {', '.join(found['cameras'])} from {start} to {end}")
    say(f"  hold {found['hold_id']}; package {found['evidence_id'] or '–'}")
    if found["failure"]:
        say(f"  failed: {found['failure']['message']} [{found['failure']['code']}]")
    print_table(
        ("VERSION", "AT", "WHO", "WHAT", "WHY"),
        [
            (str(one["version"]), time_text(one["at"], zone), one["actor"], one["action"], one["reason"])
            for one in found["history"]
        ],
    )


@app.command("file")
def file_(
    form: Annotated[
        Path, typer.Option("--json", help="The request, in the form of the HTTP API.", metavar="FILE")
    ],
    letter: Annotated[
        Path | None, typer.Option("--letter", help="The letter's scan: PDF, JPEG or PNG.", metavar="FILE")
    ] = None,
    agency: Annotated[str, typer.Option("--agency", help="The agency, as in its members' accounts.")] = "",
) -> None:
    """File a request that came on paper; its hold is in force when the command ends. Prints JSON."""
    by = Filer(id=actor().id, agency=agency)
    asked = _read(form)
    with open_site() as site:
        if letter is not None:
            scan = _upload(site, letter, by)
            asked = asked.model_copy(update={"letter": asked.letter.model_copy(update={"sha256": scan})})
        try:
            head = site.requests.filing.file(asked.form(), by)
        except BadForm as error:
            for fault in error.errors:
                note(fault.message)
            raise
        _record(site, "request.file", head)
        print_json(request_json(head, site.clock.now()))


@app.command()
def approve(
    request_id: RequestId,
    version: Version,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")] = "",
    no_footage: Annotated[
        bool, typer.Option("--no-footage", help="Approve a sealed statement of absence instead.")
    ] = False,
    json_: Json = False,
) -> None:
    """Approve the version you read; the filer cannot approve. The package is then made."""
    with open_site() as site:
        head = site.requests.deciding.approve(
            request_id,
            by=actor().id,
            name=actor().id,
            expected=version,
            reason=reason,
            kind=PackageKind.NO_FOOTAGE if no_footage else PackageKind.FOOTAGE,
            tell=lambda approved: _record(site, "request.approve", approved),
        )
        _show(site, head, json_=json_)
        decision = head.request.decision
        if decision is not None and decision.without_letter and not json_:
            note("Its letter has not arrived yet.")


@app.command()
def reject(request_id: RequestId, version: Version, reason: Why, json_: Json = False) -> None:
    """Reject the version you read; its hold is released some days later."""
    with open_site() as site:
        head = site.requests.deciding.reject(
            request_id, by=actor().id, name=actor().id, expected=version, reason=reason
        )
        _tell(site, "request.reject", head, json_=json_)


@app.command()
def cancel(request_id: RequestId, version: Version, reason: Why, json_: Json = False) -> None:
    """Cancel a request; its hold is released some days later."""
    with open_site() as site:
        head = site.requests.filing.cancel(request_id, by=actor().id, expected=version, reason=reason)
        _tell(site, "request.cancel", head, json_=json_)


@app.command("handover-report")
def handover_report(
    request_id: RequestId,
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the PDF here.", metavar="FILE.pdf")],
    number: Annotated[
        int, typer.Option("--number", min=0, help="Number of the handover, from 1; 0: the newest.")
    ] = 0,
    json_: Json = False,
) -> None:
    """Write the handover report (berita acara serah terima) of a request as PDF."""
    from ops.handover import handovers_of, reports_of

    with open_site() as site:
        handovers = handovers_of(site)
        found = handovers.numbered(request_id, number) if number else handovers.newest(request_id)
        page, right = reports_of(site).page(found), found.right
        digest = sha256_hex(page.pdf)
        site.custody.record(
            "handover.read",
            actor=actor(),
            objects=(request_id, right.evidence_id),
            details={
                "number": right.number,
                "part": "berita-acara.pdf",
                "bytes": len(page.pdf),
                "sha256": digest,
            },
        )
        try:
            with output.open("xb") as file:
                file.write(page.pdf)
        except OSError as error:
            raise Unavailable(f"{output} cannot be written: {error.strerror}", code="unwritable") from error
    if json_:
        print_json(
            {
                "request_id": request_id,
                "evidence_id": right.evidence_id,
                "number": right.number,
                "signed": page.is_signed,
                "sha256": digest,
            }
        )
        return
    say(f"{output}: handover {right.number} of {right.evidence_id}")
    say(f"  {'bears the electronic seal' if page.is_signed else 'not sealed yet: the job seal does that'}")


def _read(path: Path) -> RequestIn:
    try:
        return RequestIn.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise Malformed(
            f"{path.name} is not a valid request: {why}",
            code="bad_request_form",
            hint="docs/guide/requests.md shows one.",
        ) from error


def _upload(site: Site, path: Path, by: Filer) -> str:
    attachments = site.requests.attachments
    try:
        with path.open("rb") as scan, attachments.incoming() as incoming:
            while piece := scan.read(PIECE):
                incoming.write(piece)
            return attachments.keep(incoming, account=by.account).sha256
    except OSError as error:
        raise Malformed(f"{path.name} cannot be read: {error.strerror}", code="bad_request_form") from error


def _tell(site: Site, act: str, head: RequestHead, *, json_: bool) -> None:
    _record(site, act, head)
    _show(site, head, json_=json_)


def _show(site: Site, head: RequestHead, *, json_: bool) -> None:
    found: JsonObject = request_json(head, site.clock.now())
    if json_:
        print_json(found)
    else:
        say(f"{head.request.id}: {head.status.value}, version {head.entry.version}")


def _record(site: Site, act: str, head: RequestHead) -> None:
    request = head.request
    site.custody.record(
        act,
        actor=actor(),
        objects=(request.id, request.hold_id, *request.cameras),
        details={"version": head.entry.version, "status": head.status.value},
    )
