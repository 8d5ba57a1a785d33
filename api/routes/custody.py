"""The custody record: what was done with an item, or by a person. Reading it is recorded too.

An auditor may query any item, any person and any span of time. Everybody else sees their own acts, and all
acts on the packages that they requested, without addresses and sessions of others.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.audit import Act
from api.auth.access import asked_for
from api.auth.permissions import Reach
from api.parameters import instant
from api.request_context import RequestContext, require
from api.routing import BINARY, add_document, add_json
from api.schemas.custody import CustodyPage
from api.statements import attachment
from archive.errors import NotFound, Refused
from archive.persons import same_person
from archive.records.custody_report.items import Item
from archive.records.custody_report.lines import Made, jsonl, line_json
from archive.records.custody_report.paper import printable, printed
from archive.records.custody_report.record import MAX_LINES, Asked, asked_details
from archive.timespan import Timespan, format_instant

JSONL, PDF = "application/jsonl", "application/pdf"


@dataclass(frozen=True, slots=True)
class _Question:
    item: str
    person: str
    start: str
    end: str
    footage_start: str
    footage_end: str
    taken_out: bool


async def _asked(
    item: Annotated[
        str, Query(max_length=600, description="EVD-…, REQ-…, a hold, a camera, or a segment's key.")
    ] = "",
    person: Annotated[
        str,
        Query(
            max_length=200, description="An actor, such as user:citra; with an item: only their acts on it."
        ),
    ] = "",
    start: Annotated[
        str, Query(alias="from", max_length=64, description="Acts at or after: RFC 3339 with an offset.")
    ] = "",
    end: Annotated[str, Query(alias="to", max_length=64, description="Acts before.")] = "",
    footage_from: Annotated[str, Query(max_length=64, description="For a camera: footage at or after.")] = "",
    footage_to: Annotated[str, Query(max_length=64, description="For a camera: footage before.")] = "",
    only: Annotated[
        Literal["", "taken_out"], Query(description="Only acts by which something left the archive.")
    ] = "",
) -> _Question:
    return _Question(item, person, start, end, footage_from, footage_to, only == "taken_out")


Question = Annotated[_Question, Depends(_asked)]
Reader = Annotated[RequestContext, require("custody.read", Reach.MINE)]


def add_routes(router: APIRouter) -> None:
    """Add /v1/custody and its reports."""
    every, tag = "/v1/custody", "custody"
    add_json(router, "GET", every, list_acts, CustodyPage, 404, tag=tag)
    add_document(router, f"{every}/report.pdf", get_report_pdf, PDF, 404, tag=tag, schema=BINARY)
    add_document(router, f"{every}/report.jsonl", get_report_jsonl, JSONL, 404, tag=tag)


def list_acts(
    context: Reader,
    question: Question,
    limit: Annotated[int, Query(ge=1, le=MAX_LINES)] = 100,
    cursor: Annotated[str, Query(max_length=100, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Acts on an item, of a person, of a person on an item, or all of a span, in order of time."""
    asked, whole = _permitted(context, question)
    page = context.services.custody_record.page(asked, limit=limit, cursor=cursor)
    context.done(results=len(page.lines))
    return JSONResponse(
        {
            "acts": [line_json(line, whole=whole) for line in page.lines],
            "next": page.next,
            "as_of": None if page.as_of is None else format_instant(page.as_of),
        }
    )


def get_report_pdf(context: Reader, question: Question) -> Response:
    """The report as PDF, in Indonesian."""
    asked, whole = _permitted(context, question)
    lines = printable(context.services.custody_record, asked)
    made = printed(asked, lines, _made(context), whole=whole)
    context.done(results=len(lines), bytes=len(made))
    return Response(made, media_type=PDF, headers={"Content-Disposition": attachment(_name(asked, "pdf"))})


def get_report_jsonl(context: Reader, question: Question) -> Response:
    """The report as JSON lines: a header, one line per act, and an end with their number and SHA-256."""
    asked, whole = _permitted(context, question)
    lines = context.services.custody_record.lines(asked)
    context.done()

    return StreamingResponse(
        jsonl(asked, lines, _made(context), whole=whole),
        media_type=JSONL,
        headers={"Content-Disposition": attachment(_name(asked, "jsonl"))},
    )


def _permitted(context: RequestContext, question: _Question) -> tuple[Asked, bool]:
    """The query limited to what the caller may see; and whether they may see addresses and sessions.

    Raises:
        NotFound, Malformed: as :meth:`archive.records.custody_report.record.CustodyRecord.asked`.
        Refused: ``not_permitted`` for another person's acts.
    """
    named = tuple(one for one in (question.item, question.person) if one)
    context.begin(Act.CUSTODY_READ, *named)
    sees_all = Reach.ALL in context.principal.reach(context.action)
    own = context.principal.id
    if not sees_all and question.person and not same_person(question.person, own):
        context.details["denied"] = "person"
        raise Refused(
            "you may see only your own acts",
            code="not_permitted",
            hint="An auditor sees everybody's acts.",
        )
    footage = None
    if question.footage_start or question.footage_end:
        footage = Timespan(
            instant("footage_from", question.footage_start), instant("footage_to", question.footage_end)
        )
    person = question.person or ("" if question.item or sees_all else own)
    asked = context.services.custody_record.asked(
        item=_item(context, question.item, footage, sees_all=sees_all) if question.item else None,
        person=person,
        start=instant("from", question.start) if question.start else None,
        end=instant("to", question.end) if question.end else None,
        taken_out=question.taken_out,
    )
    context.details |= asked_details(asked)
    if sees_all:
        return asked, True
    if asked.item is not None and not asked.person and _has_part_in(context, asked.item):
        return asked, False
    return replace(asked, person=own), True


def _item(context: RequestContext, text: str, footage: Timespan | None, *, sees_all: bool) -> Item:
    """The item. To callers who do not see all, a missing item looks like one on which they never acted."""
    try:
        return context.services.custody_record.item(text, footage=footage)
    except NotFound:
        if sees_all:
            raise
        return Item(text=text, names=frozenset({text}))


def _has_part_in(context: RequestContext, item: Item) -> bool:
    """Whether the caller, or their agency, requested the package, and so may see all acts on it."""
    actor = ""
    if not item.request_id:
        if not item.evidence_id:
            return False
        try:
            actor = context.services.evidence.record(item.evidence_id).request.actor
        except NotFound:
            return False
    return asked_for(context.services.ledger, context.principal, actor=actor, request_id=item.request_id)


def _made(context: RequestContext) -> Made:
    settings, services = context.services.settings, context.services
    return Made(
        by=context.principal.id,
        at=services.clock.now(),
        organization=settings.organization,
        time_zone=settings.zone.key,
    )


def _name(asked: Asked, ending: str) -> str:
    subject = asked.person if asked.item is None else asked.item.text
    if not subject:
        subject = "-".join(format_instant(at)[:16] for at in (asked.span.start, asked.span.end))
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in subject)[-80:]
    return f"custody-{plain}.{ending}"
