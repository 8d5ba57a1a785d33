"""Shared by the routes of requests: who may see a request, who files for whom, the answer to a change."""

from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import JSONResponse

from api.auth.permissions import Reach
from api.preconditions import tagged
from api.request_context import RequestContext, require, span_details
from archive.cases.requests.answers import request_json
from archive.cases.requests.book import RequestHead
from archive.cases.requests.listing import Theirs
from archive.cases.requests.stream import Filer
from archive.errors import NotFound
from archive.ids import check_request_id
from archive.model.request import AgencyKind
from archive.model.user import Role
from archive.persons import same_person

_KINDS = {
    Role.POLICE: frozenset({AgencyKind.POLRI, AgencyKind.KEJAKSAAN, AgencyKind.PENGADILAN}),
    Role.SATPOL_PP: frozenset({AgencyKind.SATPOL_PP}),
}


async def asked_request(
    request_id: Annotated[str, Path(description="REQ-<year>-<ten characters>", max_length=40)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_request_id(request_id)


RequestId = Annotated[str, Depends(asked_request)]
Reader = Annotated[RequestContext, require("requests.read", Reach.MINE)]
Filing = Annotated[RequestContext, require("requests.file", Reach.MINE)]
Amending = Annotated[RequestContext, require("requests.amend", Reach.MINE)]
Commenting = Annotated[RequestContext, require("requests.comment", Reach.MINE)]
Deciding = Annotated[RequestContext, require("requests.decide")]


def put_on_record(context: RequestContext, head: RequestHead) -> None:
    """Record a change of a request in the audit trail, with its hold, cameras and span."""
    request = head.request
    context.objects = (request.id, request.hold_id, *request.cameras)
    context.details |= span_details(request.span)
    context.done(version=head.entry.version, status=head.status.value)


def answer(
    context: RequestContext, head: RequestHead, *, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer to a change, after it is recorded."""
    if not context.is_recorded:
        put_on_record(context, head)
    body = request_json(head, context.services.clock.now())
    return JSONResponse(body, status_code=status, headers={**tagged(head.entry.version), **(headers or {})})


def filer_of(context: RequestContext) -> Filer:
    """The filer and the agencies they may file for: police by the general bases, Satpol PP by city rules."""
    principal = context.principal
    kinds = frozenset[AgencyKind]().union(*(_KINDS.get(role, frozenset()) for role in principal.roles))
    return Filer(id=principal.id, agency=principal.agency, kinds=kinds if principal.is_person else None)


def shown_request(context: RequestContext, request_id: str) -> RequestHead:
    """The request, if the principal may know of it. Raises NotFound ``request_not_found``."""
    return shown(context, context.services.requests.book.request(request_id))


def shown(context: RequestContext, head: RequestHead) -> RequestHead:
    """As :func:`shown_request`, for a request that was already looked up."""
    if not is_theirs(context, head):
        context.details["denied"] = "request"
        raise NotFound(f"there is no request {head.request.id}", code="request_not_found")
    return head


def reached_requests(context: RequestContext) -> Theirs | None:
    """Which requests the principal reaches, by the rule of :func:`is_theirs`; None for all."""
    reach = context.principal.reach(context.action)
    if Reach.ALL in reach:
        return None
    if Reach.MINE not in reach:
        return Theirs(person="", agency="")
    return Theirs(person=context.principal.id, agency=context.principal.agency)


def is_theirs(context: RequestContext, head: RequestHead) -> bool:
    """Whether the principal reaches all requests, or they or their agency filed this one."""
    principal, request = context.principal, head.request
    reach = principal.reach(context.action)
    if Reach.ALL in reach:
        return True
    if Reach.MINE not in reach:
        return False
    return same_person(request.requester.person, principal.id) or (
        principal.agency != "" and request.agency_account == principal.agency
    )
