"""Requests for footage: filing with a hold, papers, decisions by another person.

Every change names the version that it was decided on, in ``If-Match``; the answer carries the new one as
``ETag``. The version counts entries of the request; how far sealing is does not change it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.acts import Act
from api.auth.permissions import Reach
from api.routing import add_bytes, add_json
from api.schemas.problem import problem_responses
from api.schemas.requests import (
    AmendIn,
    CommentIn,
    DecisionIn,
    LimitIn,
    OneRequestOut,
    PaperIn,
    RequestIn,
    RequestOut,
    RequestPage,
    UploadOut,
)
from api.statements import attachment
from api.transfer import Download, Representation, send
from api.visit import Visit, require, span_details
from archive.canonical import JsonObject
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.holds.answers import progress_json
from archive.ids import check_name, check_request_id, check_sha256
from archive.model.request import AgencyKind, AttachmentKind, RequestStatus, is_letter_overdue
from archive.model.user import Role
from archive.people.users import Users
from archive.persons import same_person
from archive.requests.answers import brief_json, history_json, related, request_json
from archive.requests.book import RequestHead
from archive.requests.sniffing import SUFFIXES
from archive.requests.stream import Filer
from archive.timespan import format_instant

MAX_PAGE = 1000
MAX_RELATED = 50
UPLOADS = "/v1/requests/attachments"

_ETAG = re.compile(r'"(\d{1,8})"\Z', re.ASCII)
_KINDS = {
    Role.POLICE: frozenset({AgencyKind.POLRI, AgencyKind.KEJAKSAAN, AgencyKind.PENGADILAN}),
    Role.SATPOL_PP: frozenset({AgencyKind.SATPOL_PP}),
}


def add_routes(router: APIRouter) -> None:
    """Add /v1/requests and what is under it; handing over is added by :mod:`api.routes.handover`."""
    one, tag = "/v1/requests/{request_id}", "requests"
    change = (404, 409, 412, 413, 428)
    add_json(router, "GET", "/v1/requests", list_requests, RequestPage, tag=tag)
    add_json(router, "POST", "/v1/requests", file_request, RequestOut, 404, 409, 413, status=201, tag=tag)
    _add_upload(router, tag)
    add_json(router, "GET", one, get_request, OneRequestOut, 404, tag=tag)
    add_json(router, "POST", f"{one}/amend", amend_request, RequestOut, *change, tag=tag)
    add_json(router, "POST", f"{one}/comments", comment_on_request, RequestOut, *change, tag=tag)
    add_json(router, "POST", f"{one}/attachments", add_paper, RequestOut, *change, tag=tag)
    add_bytes(router, f"{one}/attachments/{{sha256}}", get_paper, "application/octet-stream", tag=tag)
    add_json(router, "POST", f"{one}/approve", approve_request, RequestOut, *change, tag=tag)
    add_json(router, "POST", f"{one}/reject", reject_request, RequestOut, *change, tag=tag)
    add_json(router, "POST", f"{one}/cancel", cancel_request, RequestOut, *change, tag=tag)
    add_json(router, "POST", f"{one}/limit", raise_limit, RequestOut, *change, tag=tag)


def _add_upload(router: APIRouter, tag: str) -> None:
    tags: list[str | Enum] = [tag]
    content: dict[str, Any] = {
        media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in SUFFIXES
    }
    router.add_api_route(
        UPLOADS,
        upload_paper,
        methods=["POST"],
        tags=tags,
        status_code=201,
        responses={201: {"model": UploadOut}, **problem_responses(413, 415)},
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )


async def asked_request(
    request_id: Annotated[str, Path(description="REQ-<year>-<ten characters>", max_length=40)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_request_id(request_id)


async def asked_version(
    if_match: Annotated[
        str, Header(alias="If-Match", description="The ETag of what was read.", examples=['"1"'])
    ] = "",
) -> int:
    """The version that a change was decided on.

    Raises:
        Refused: ``precondition_required`` (428); ``precondition_failed`` (412) for what is no ETag of ours.
    """
    if not if_match:
        raise Refused(
            "a change names the version that it was decided on",
            code="precondition_required",
            hint="Read the request, and send its ETag as If-Match.",
        )
    match = _ETAG.match(if_match.strip())
    if match is None:
        raise _stale()
    return int(match[1])


RequestId = Annotated[str, Depends(asked_request)]
Version = Annotated[int, Depends(asked_version)]
Reader = Annotated[Visit, require("requests.read", Reach.MINE)]
Filing = Annotated[Visit, require("requests.file", Reach.MINE)]
Amending = Annotated[Visit, require("requests.amend", Reach.MINE)]
Commenting = Annotated[Visit, require("requests.comment", Reach.MINE)]
Deciding = Annotated[Visit, require("requests.decide")]


def list_requests(
    visit: Reader,
    status: Annotated[RequestStatus | None, Query(description="Only requests that stand there.")] = None,
    agency: Annotated[str, Query(max_length=200, description="Only requests of this agency.")] = "",
    camera: Annotated[str, Query(max_length=63, description="Only requests about this camera.")] = "",
    overdue: Annotated[bool, Query(description="Only urgent ones whose letter is overdue.")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=40, description="'next' of the page before.")] = "",
) -> JSONResponse:
    """Requests, the newest first."""
    visit.begin(Act.REQUEST_READ)
    now = visit.services.clock.now()
    if camera:
        check_name("camera", camera)
    found = [
        head
        for head in visit.services.requests.book.requests()
        if status in (None, head.status)
        and agency in ("", head.request.agency_account, head.request.requester.agency)
        and camera in ("", *head.request.cameras)
        and (not overdue or is_letter_overdue(head.request, now))
        and _is_theirs(visit, head)
    ]
    if cursor:
        at = [n for n, head in enumerate(found) if head.request.id == cursor]
        if not at:
            raise Malformed("the cursor is not known", code="bad_cursor", hint="Begin again without one.")
        found = found[at[0] + 1 :]
    page = found[:limit]
    following = page[-1].request.id if len(found) > limit else None
    visit.done(results=len(page))
    return JSONResponse({"requests": [brief_json(head, now) for head in page], "next": following})


def get_request(visit: Reader, request_id: RequestId) -> JSONResponse:
    """One request, its hold in the store, its history, and others about the same cameras and time."""
    visit.begin(Act.REQUEST_READ, request_id)
    services = visit.services
    head = _shown(visit, request_id)
    now = services.clock.now()
    others = (one for one in services.requests.book.requests() if _is_theirs(visit, one))
    answer = request_json(head, now) | {
        "hold": _hold_json(visit, head),
        "history": history_json(services.requests.stream.history(request_id)),
        "related": [brief_json(one, now) for one in related(head, others)[:MAX_RELATED]],
    }
    visit.done(status=head.status.value)
    return JSONResponse(answer, headers=_etag(head))


def file_request(visit: Filing, form: RequestIn) -> JSONResponse:
    """File a request; its hold is in force when this is answered."""
    visit.begin(Act.REQUEST_FILE, details={"urgent": int(form.urgent)})
    head = visit.services.requests.filing.file(form.form(), _filer(visit))
    where = f"{visit.services.settings.base_path}/v1/requests/{head.request.id}"
    return _answer(visit, head, status=201, headers={"Location": where})


def amend_request(visit: Amending, request_id: RequestId, version: Version, form: AmendIn) -> JSONResponse:
    """Ask for something else instead; an approval that there was is void, and the hold only grows."""
    visit.begin(Act.REQUEST_AMEND, request_id)
    _shown(visit, request_id)
    with _decided_on():
        head = visit.services.requests.filing.amend(
            request_id, form.form(), _filer(visit), expected=version, reason=form.reason
        )
    return _answer(visit, head)


def comment_on_request(
    visit: Commenting, request_id: RequestId, version: Version, form: CommentIn
) -> JSONResponse:
    """Say something about a request."""
    visit.begin(Act.REQUEST_COMMENT, request_id)
    _shown(visit, request_id)
    with _decided_on():
        head = visit.services.requests.stream.comment(
            request_id, text=form.text, by=visit.principal.id, expected=version
        )
    return _answer(visit, head)


async def upload_paper(
    visit: Annotated[Visit, require("requests.file", Reach.MINE)], request: Request
) -> JSONResponse:
    """Store a paper: PDF, JPEG or PNG, told by its bytes. A request then names it by its SHA-256."""
    visit.begin(Act.ATTACHMENT_UPLOAD)
    attachments = visit.services.requests.attachments
    with attachments.incoming() as incoming:
        try:
            async for piece in request.stream():
                await to_thread.run_sync(incoming.write, piece)
        except ClientDisconnect as error:
            raise Malformed("the paper broke off on its way", code="attachment_cut_short") from error

        def keep() -> JsonObject:
            kept = attachments.keep(incoming, account=_filer(visit).account)
            visit.objects = (f"attachments/{kept.sha256}",)
            visit.done(size=kept.size, media_type=kept.media_type)
            return {"sha256": kept.sha256, "size": kept.size, "media_type": kept.media_type}

        return JSONResponse(await to_thread.run_sync(keep), status_code=201)


def add_paper(visit: Amending, request_id: RequestId, version: Version, form: PaperIn) -> JSONResponse:
    """Add an uploaded paper: the letter that an urgent request lacks, or another."""
    visit.begin(Act.REQUEST_ATTACH, request_id, details={"kind": form.kind.value})
    _shown(visit, request_id)
    filing, by = visit.services.requests.filing, _filer(visit)
    with _decided_on():
        if form.kind is AttachmentKind.LETTER:
            head = filing.add_letter(
                request_id,
                number=form.number,
                date=form.date,
                sha256=form.sha256,
                by=by,
                expected=version,
            )
        else:
            head = filing.attach(
                request_id, sha256=check_sha256(form.sha256), name=form.name, by=by, expected=version
            )
    return _answer(visit, head)


def get_paper(
    visit: Reader,
    request: Request,
    request_id: RequestId,
    sha256: Annotated[str, Path(description="As the request names it.", max_length=64)],
) -> Response:
    """A paper of a request, to be saved and never shown in place."""
    visit.begin(Act.ATTACHMENT_DOWNLOAD, request_id, details={"sha256": check_sha256(sha256)})
    paper = _shown(visit, request_id).request.attachment(sha256)
    if paper is None:
        raise NotFound(f"{request_id} has no such paper", code="attachment_not_found")
    attachments = visit.services.requests.attachments
    name = f"{request_id}-{paper.kind.value}-{sha256[:8]}.{SUFFIXES[paper.media_type]}"
    shown = Representation(
        size=paper.size,
        etag=f'"{sha256}"',
        media_type="application/octet-stream",
        headers={"Content-Disposition": attachment(name)},
        stream=lambda start, length: attachments.stream(sha256, start, length),
    )
    return send(visit, request, shown, Download(visit, Act.REQUEST_READ))


def approve_request(
    visit: Deciding, request_id: RequestId, version: Version, form: DecisionIn
) -> JSONResponse:
    """Approve the version that was read, as another person than who asked; its package is then made."""
    visit.begin(Act.REQUEST_APPROVE, request_id)
    with _decided_on():
        head = visit.services.requests.deciding.approve(
            request_id, by=visit.principal.id, name=_name(visit), expected=version, reason=form.reason
        )
    decision = head.request.decision
    if decision is not None:
        visit.details |= {
            "without_letter": int(decision.without_letter),
            "evidence": head.request.evidence_id,
        }
    return _answer(visit, head)


def reject_request(
    visit: Deciding, request_id: RequestId, version: Version, form: DecisionIn
) -> JSONResponse:
    """Refuse the version that was read; its hold is released some days later."""
    visit.begin(Act.REQUEST_REJECT, request_id)
    with _decided_on():
        head = visit.services.requests.deciding.reject(
            request_id, by=visit.principal.id, name=_name(visit), expected=version, reason=form.reason
        )
    return _answer(visit, head)


def cancel_request(
    visit: Amending, request_id: RequestId, version: Version, form: DecisionIn
) -> JSONResponse:
    """Take a request back; its hold is released some days later."""
    visit.begin(Act.REQUEST_CANCEL, request_id)
    _shown(visit, request_id)
    with _decided_on():
        head = visit.services.requests.filing.cancel(
            request_id, by=visit.principal.id, expected=version, reason=form.reason
        )
    return _answer(visit, head)


def raise_limit(visit: Deciding, request_id: RequestId, version: Version, form: LimitIn) -> JSONResponse:
    """Let this one request keep more camera-hours; whoever filed then amends it."""
    visit.begin(Act.REQUEST_RAISE_LIMIT, request_id, details={"camera_hours": form.camera_hours})
    with _decided_on():
        head = visit.services.requests.deciding.raise_limit(
            request_id,
            camera_hours=form.camera_hours,
            by=visit.principal.id,
            expected=version,
            reason=form.reason,
        )
    return _answer(visit, head)


@contextmanager
def _decided_on() -> Iterator[None]:
    """A version that is not the newest any more is a failed precondition."""
    try:
        yield
    except Conflict as error:
        if error.code != "ledger_conflict":
            raise
        raise _stale() from error


def _stale() -> Refused:
    return Refused(
        "the request was changed since it was read",
        code="precondition_failed",
        hint="Read it again, and repeat the change if it still makes sense.",
    )


def _answer(
    visit: Visit, head: RequestHead, *, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    request = head.request
    visit.objects = (request.id, request.hold_id, *request.cameras)
    visit.details |= span_details(request.span)
    visit.done(version=head.entry.version, status=head.status.value)
    body = request_json(head, visit.services.clock.now())
    return JSONResponse(body, status_code=status, headers={**_etag(head), **(headers or {})})


def _etag(head: RequestHead) -> dict[str, str]:
    return {"ETag": f'"{head.entry.version}"'}


def _hold_json(visit: Visit, head: RequestHead) -> JsonObject:
    services = visit.services
    held = services.holds.hold(head.request.hold_id)
    return {
        "id": held.hold.id,
        "status": held.hold.status.value,
        "in_force": held.hold.in_force,
        "review_at": format_instant(held.hold.review_at),
        "progress": progress_json(held, services.hold_progress.progress(held.hold.id)),
    }


def _filer(visit: Visit) -> Filer:
    """Who files, for which kinds of agency: police for the general bases, Satpol PP for city regulations."""
    principal = visit.principal
    kinds = frozenset[AgencyKind]().union(*(_KINDS.get(role, frozenset()) for role in principal.roles))
    return Filer(id=principal.id, agency=principal.agency, kinds=kinds if principal.is_person else None)


def _name(visit: Visit) -> str:
    """The officer's name, as the record of people has it; else their id."""
    person = visit.principal.id.removeprefix("user:")
    if person == visit.principal.id:
        return person
    try:
        return Users(visit.services.ledger).user(person).name or person
    except NotFound:
        return person


def _shown(visit: Visit, request_id: str) -> RequestHead:
    """The request, where it is theirs to know of. Raises NotFound ``request_not_found``."""
    head = visit.services.requests.book.request(request_id)
    if not _is_theirs(visit, head):
        visit.details["denied"] = "request"
        raise NotFound(f"there is no request {request_id}", code="request_not_found")
    return head


def _is_theirs(visit: Visit, head: RequestHead) -> bool:
    """All for those who see all; else what they filed, and what their own agency did."""
    principal, request = visit.principal, head.request
    reach = principal.reach(visit.action)
    if Reach.ALL in reach:
        return True
    if Reach.MINE not in reach:
        return False
    return same_person(request.requester.person, principal.id) or (
        principal.agency != "" and request.agency_account == principal.agency
    )
