"""Integrity incidents: list, read, close."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require
from api.routing import add_json
from api.schemas.integrity_incidents import (
    IntegrityIncidentCloseIn,
    IntegrityIncidentOut,
    IntegrityIncidentsPage,
    OneIntegrityIncidentOut,
)
from archive.ids import check_name
from archive.lifecycle.retention.answers import history_json
from archive.records import integrity_incidents as record
from archive.records.integrity_incident_list import list_incidents
from archive.records.integrity_incidents import IntegrityIncidentStatus, find_integrity_incident

MAX_PAGE = 1000


def add_routes(router: APIRouter) -> None:
    """Add /v1/integrity-incidents and its subpaths."""
    one, tag = "/v1/integrity-incidents/{incident_id}", "incidents"
    add_json(
        router, "GET", "/v1/integrity-incidents", list_integrity_incidents, IntegrityIncidentsPage, tag=tag
    )
    add_json(router, "GET", one, get_integrity_incident, OneIntegrityIncidentOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/close", close_integrity_incident, IntegrityIncidentOut, *CHANGE, tag=tag)


async def asked_incident(
    incident_id: Annotated[str, Path(description="inc- and 24 hex digits", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("incident", incident_id)


IncidentId = Annotated[str, Depends(asked_incident)]
Reader = Annotated[RequestContext, require("incidents.read")]


def list_integrity_incidents(
    context: Reader,
    status: Annotated[
        IntegrityIncidentStatus | None, Query(description="Only those with this status.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Integrity incidents, the newest first, by when each was first found."""
    page = list_incidents(context.services.index, status, limit=limit, cursor=cursor)
    listed = [one.to_json() for one in page.items]
    return JSONResponse({"incidents": listed, "next": page.next, "as_of": page.as_of_text})


def get_integrity_incident(context: Reader, request: Request, incident_id: IncidentId) -> Response:
    """One integrity incident and its history."""
    ledger = context.services.ledger
    found = find_integrity_incident(ledger, incident_id)
    history = history_json(ledger.history(record.KIND, found.id))
    return read_answer(request, found.version, found.to_json() | {"history": history})


def close_integrity_incident(
    context: Annotated[RequestContext, require("incidents.close")],
    incident_id: IncidentId,
    version: Version,
    why: IntegrityIncidentCloseIn,
) -> JSONResponse:
    """Close an integrity incident, saying what was done; it reopens if the same fault is found again."""
    context.begin(Act.INCIDENT_CLOSE, incident_id)
    with decided_on():
        closed = record.close_integrity_incident(
            context.services.ledger,
            incident_id,
            actor=context.principal.id,
            reason=why.reason,
            expected=version,
        )
    return JSONResponse(closed.to_json(), headers=tagged(closed.version))
