"""Requests for footage: filing with a hold, and decisions by another person.

Every change names the version that it is based on, in ``If-Match``; the answer carries the new one as
``ETag``. The version counts the request's entries; progress of sealing does not change it.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.asked_requests import (
    Amending,
    Commenting,
    Deciding,
    Filing,
    Reader,
    RequestId,
    answer,
    filer_of,
    is_theirs,
    put_on_record,
    reached_requests,
    shown,
    shown_request,
)
from api.audit import Act
from api.deciding import deciding_json
from api.named_people import with_people
from api.preconditions import CHANGE, Version, decided_on, read_answer
from api.request_context import RequestContext
from api.routing import add_json
from api.schemas.requests import (
    AmendIn,
    ApproveIn,
    CommentIn,
    DecisionIn,
    LimitIn,
    OneRequestOut,
    RequestIn,
    RequestOut,
    RequestPage,
)
from archive.canonical import JsonObject
from archive.cases.people.users import Users
from archive.cases.requests.answers import brief_json, history_json, related, request_json
from archive.cases.requests.book import RequestHead
from archive.cases.requests.listing import Wanted, list_related
from archive.cases.requests.listing import list_requests as listed
from archive.errors import IntegrityError, NotFound, Unavailable
from archive.ids import check_name
from archive.lifecycle.holds.answers import progress_json
from archive.model.request import RequestStatus
from archive.timespan import format_instant

MAX_PAGE = 1000
MAX_RELATED = 50


def add_routes(router: APIRouter) -> None:
    """Add /v1/requests and its subpaths, except those of papers and handovers."""
    one, tag = "/v1/requests/{request_id}", "requests"
    add_json(router, "GET", "/v1/requests", list_requests, RequestPage, tag=tag)
    add_json(router, "POST", "/v1/requests", file_request, RequestOut, 404, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_request, OneRequestOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/amend", amend_request, RequestOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/comments", comment_on_request, RequestOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/approve", approve_request, RequestOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/reject", reject_request, RequestOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/cancel", cancel_request, RequestOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/limit", raise_limit, RequestOut, *CHANGE, tag=tag)


def list_requests(
    context: Reader,
    status: Annotated[RequestStatus | None, Query(description="Only requests with this status.")] = None,
    agency: Annotated[str, Query(max_length=200, description="Only requests of this agency.")] = "",
    camera: Annotated[str, Query(max_length=63, description="Only requests about this camera.")] = "",
    overdue: Annotated[bool, Query(description="Only urgent requests whose letter is overdue.")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=40, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Requests, the newest first."""
    context.begin(Act.REQUEST_READ)
    now = context.services.clock.now()
    if camera:
        check_name("camera", camera)
    wanted = Wanted(
        status=status, agency=agency, camera=camera, overdue=overdue, theirs=reached_requests(context)
    )
    page = listed(context.services.index, wanted, now, limit=limit, cursor=cursor)
    context.done(results=len(page.items))
    return JSONResponse({"requests": page.items, "next": page.next, "as_of": page.as_of_text})


def get_request(context: Reader, request: Request, request_id: RequestId) -> Response:
    """One request, its hold in the store, its history, and others about the same cameras and time."""
    context.begin(Act.REQUEST_READ, request_id)
    services = context.services
    try:
        history = services.requests.stream.history(request_id)
    except IntegrityError:
        shown_request(context, request_id)  # others must not learn that its history is damaged
        raise
    head = shown(context, services.requests.book.head_of(history[-1]))
    now = services.clock.now()
    found = request_json(head, now) | {
        "hold": _hold_json(context, head),
        "history": history_json(history),
        "related": _related(context, head, now),
        "limit_in_force": services.requests.deciding.limit_of(head.request),
        "deciding": deciding_json(context, history, head),
    }
    context.done(status=head.status.value)
    return read_answer(request, head.entry.version, with_people(context, found))


def _related(context: RequestContext, head: RequestHead, now: int) -> list[JsonObject]:
    """Others about the same cameras and time, from the index; while it cannot say, from the ledger.

    Who decides on a request must be able to read it, also while the index is being rebuilt.
    """
    services = context.services
    try:
        theirs = reached_requests(context)
        page = list_related(services.index, head.request, theirs, now, limit=MAX_RELATED)
    except Unavailable:
        others = (one for one in services.requests.book.requests() if is_theirs(context, one))
        return [brief_json(one, now) for one in related(head, others)[:MAX_RELATED]]
    return list(page.items)


def file_request(context: Filing, form: RequestIn) -> JSONResponse:
    """File a request; its hold is in force when this is answered."""
    context.begin(Act.REQUEST_FILE, details={"urgent": int(form.urgent)})
    head = context.services.requests.filing.file(form.form(), filer_of(context))
    where = f"{context.services.settings.base_path}/v1/requests/{head.request.id}"
    return answer(context, head, status=201, headers={"Location": where})


def amend_request(context: Amending, request_id: RequestId, version: Version, form: AmendIn) -> JSONResponse:
    """Replace a request by a new version; an earlier approval becomes void, and the hold can only grow."""
    context.begin(Act.REQUEST_AMEND, request_id)
    shown_request(context, request_id)
    with decided_on():
        head = context.services.requests.filing.amend(
            request_id, form.form(), filer_of(context), expected=version, reason=form.reason
        )
    return answer(context, head)


def comment_on_request(
    context: Commenting, request_id: RequestId, version: Version, form: CommentIn
) -> JSONResponse:
    """Add a comment to a request."""
    context.begin(Act.REQUEST_COMMENT, request_id)
    shown_request(context, request_id)
    with decided_on():
        head = context.services.requests.stream.comment(
            request_id, text=form.text, by=context.principal.id, expected=version
        )
    return answer(context, head)


def approve_request(
    context: Deciding, request_id: RequestId, version: Version, form: ApproveIn
) -> JSONResponse:
    """Approve the version that was read, as another person than the requester; its package is then made.

    With ``kind`` ``no_footage`` the package is a sealed statement that the archive holds no such footage.
    """
    context.begin(Act.REQUEST_APPROVE, request_id)
    with decided_on():
        head = context.services.requests.deciding.approve(
            request_id,
            by=context.principal.id,
            name=_name(context),
            expected=version,
            reason=form.reason,
            kind=form.kind,
            tell=lambda approved: _tell_approval(context, approved),
        )
    return answer(context, head)


def _tell_approval(context: RequestContext, head: RequestHead) -> None:
    decision = head.request.decision
    if decision is not None:
        context.details |= {
            "without_letter": int(decision.without_letter),
            "evidence": head.request.evidence_id,
            "kind": decision.kind.value,
        }
    put_on_record(context, head)


def reject_request(
    context: Deciding, request_id: RequestId, version: Version, form: DecisionIn
) -> JSONResponse:
    """Reject the version that was read; its hold is released some days later."""
    context.begin(Act.REQUEST_REJECT, request_id)
    with decided_on():
        head = context.services.requests.deciding.reject(
            request_id, by=context.principal.id, name=_name(context), expected=version, reason=form.reason
        )
    return answer(context, head)


def cancel_request(
    context: Amending, request_id: RequestId, version: Version, form: DecisionIn
) -> JSONResponse:
    """Cancel a request; its hold is released some days later."""
    context.begin(Act.REQUEST_CANCEL, request_id)
    shown_request(context, request_id)
    with decided_on():
        head = context.services.requests.filing.cancel(
            request_id, by=context.principal.id, expected=version, reason=form.reason
        )
    return answer(context, head)


def raise_limit(context: Deciding, request_id: RequestId, version: Version, form: LimitIn) -> JSONResponse:
    """Allow this one request more camera-hours; the requester can then amend it."""
    context.begin(Act.REQUEST_RAISE_LIMIT, request_id, details={"camera_hours": form.camera_hours})
    with decided_on():
        head = context.services.requests.deciding.raise_limit(
            request_id,
            camera_hours=form.camera_hours,
            by=context.principal.id,
            expected=version,
            reason=form.reason,
        )
    return answer(context, head)


def _hold_json(context: RequestContext, head: RequestHead) -> JsonObject:
    services = context.services
    held = services.holds.hold(head.request.hold_id)
    return {
        "id": held.hold.id,
        "status": held.hold.status.value,
        "in_force": held.hold.in_force,
        "review_at": format_instant(held.hold.review_at),
        "progress": progress_json(held, services.hold_progress.progress(held.hold.id)),
    }


def _name(context: RequestContext) -> str:
    """The officer's name from their account, else their id."""
    person = context.principal.id.removeprefix("user:")
    if person == context.principal.id:
        return person
    try:
        return Users(context.services.ledger, context.services.clock).user(person).name or person
    except NotFound:
        return person
