"""Dispositions: what was destroyed, by which rule, and the signed record of it. Read-only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.request_context import RequestContext, require
from api.routing import BINARY, add_document, add_json
from api.schemas.dispositions import (
    DispositionOut,
    DispositionRecordOut,
    DispositionsOut,
    disposition_json,
)
from api.statements import attachment
from archive import keys
from archive.errors import Conflict
from archive.ids import check_name
from archive.lifecycle.disposition.found import list_dispositions as listed
from archive.lifecycle.disposition.listing import PDF, RECORD
from archive.lifecycle.disposition.stored_paper import read_paper
from archive.model.disposition import (
    KIND,
    Cause,
    Disposition,
    DispositionOutcome,
    DispositionStatus,
    from_state,
)

MAX_PAGE = 1000

Reader = Annotated[RequestContext, require("dispositions.read")]


def add_routes(router: APIRouter) -> None:
    """Add /v1/dispositions and its subpaths."""
    every, tag = "/v1/dispositions", "retention"
    one = f"{every}/{{disposition}}"
    add_json(router, "GET", every, list_dispositions, DispositionsOut, tag=tag)
    add_json(router, "GET", one, get_disposition, DispositionOut, 404, tag=tag)
    add_json(router, "GET", f"{one}/record.json", get_record, DispositionRecordOut, 404, 409, tag=tag)
    add_document(
        router, f"{one}/record.pdf", get_record_pdf, "application/pdf", 404, 409, tag=tag, schema=BINARY
    )


async def asked_disposition(
    disposition: Annotated[str, Path(description="dsp-<24 hex digits>", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("disposition", disposition)


DispositionId = Annotated[str, Depends(asked_disposition)]


def list_dispositions(
    context: Reader,
    status: Annotated[DispositionStatus | None, Query(description="Only those with this status.")] = None,
    cause: Annotated[Cause | None, Query(description="Only those with this cause.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Dispositions, the newest first."""
    context.begin(Act.DISPOSITION_READ)
    page = listed(context.services.index, status, cause, limit=limit, cursor=cursor)
    context.done(results=len(page.items))
    found = [disposition_json(one) for one in page.items]
    return JSONResponse({"dispositions": found, "next": page.next, "as_of": page.as_of_text})


def get_disposition(context: Reader, disposition: DispositionId) -> JSONResponse:
    """One disposition, as in the ledger now."""
    found = _found(context, disposition)
    context.done()
    return JSONResponse(disposition_json(found))


def get_record(context: Reader, disposition: DispositionId) -> Response:
    """The record, in exactly the bytes that were signed."""
    return Response(_part(context, disposition, RECORD), media_type="application/json")


def get_record_pdf(context: Reader, disposition: DispositionId) -> Response:
    """The record as PDF (berita acara pemusnahan)."""
    found, outcome = _closed(context, disposition)
    page = read_paper(context.services.stores.records, found, outcome.pdf_sha256)[1]
    context.done(part=PDF, bytes=len(page))
    return Response(
        page,
        media_type="application/pdf",
        headers={"Content-Disposition": attachment(f"berita-acara-{disposition}.pdf")},
    )


def _found(context: RequestContext, disposition: str) -> Disposition:
    context.begin(Act.DISPOSITION_READ, disposition)
    return from_state(disposition, context.services.ledger.head(KIND, disposition).state)


def _closed(context: RequestContext, disposition: str) -> tuple[Disposition, DispositionOutcome]:
    found = _found(context, disposition)
    if found.outcome is None:
        raise Conflict(
            f"disposition {found.id} is still open",
            code="disposition_open",
            hint="The record is made when the disposition ends; try again later.",
        )
    return found, found.outcome


def _part(context: RequestContext, disposition: str, name: str) -> bytes:
    found, _ = _closed(context, disposition)
    part = context.services.stores.records.get(keys.disposition_prefix(found.id) + name)
    context.done(part=name, bytes=len(part))
    return part
