"""Papers of requests: uploading one, adding it to a request, fetching it.

A paper is uploaded first and then named by its hash, so that a request's form is small, and repeating it does
not send a scan twice. Its type is determined from its bytes only (:mod:`archive.cases.requests.sniffing`).
"""

from enum import Enum
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.asked_requests import Amending, Filing, Reader, RequestId, answer, filer_of, shown_request
from api.audit import Act
from api.preconditions import CHANGE, Version, decided_on
from api.routing import add_bytes, add_json
from api.schemas.problem import problem_responses
from api.schemas.requests import PaperIn, RequestOut, UploadOut
from api.statements import attachment
from api.transfer import Download, Representation, send
from archive.canonical import JsonObject
from archive.cases.requests.sniffing import SUFFIXES
from archive.errors import Malformed, NotFound
from archive.ids import check_sha256
from archive.model.request import AttachmentKind

UPLOADS = "/v1/requests/attachments"


def add_routes(router: APIRouter) -> None:
    """Add the routes of papers under /v1/requests."""
    one, tag = "/v1/requests/{request_id}/attachments", "requests"
    _add_upload(router, tag)
    add_json(router, "POST", one, add_paper, RequestOut, *CHANGE, tag=tag)
    add_bytes(router, f"{one}/{{sha256}}", get_paper, "application/octet-stream", tag=tag)


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


async def upload_paper(context: Filing, request: Request) -> JSONResponse:
    """Store a paper: PDF, JPEG or PNG, determined from its bytes. A request then names it by its SHA-256."""
    context.begin(Act.ATTACHMENT_UPLOAD)
    attachments = context.services.requests.attachments
    with attachments.incoming() as incoming:
        try:
            async for piece in request.stream():
                await to_thread.run_sync(incoming.write, piece)
        except ClientDisconnect as error:
            raise Malformed("the upload of the paper was interrupted", code="attachment_cut_short") from error

        def keep() -> JsonObject:
            kept = attachments.keep(incoming, account=filer_of(context).account)
            context.objects = (f"attachments/{kept.sha256}",)
            context.done(size=kept.size, media_type=kept.media_type)
            return {"sha256": kept.sha256, "size": kept.size, "media_type": kept.media_type}

        return JSONResponse(await to_thread.run_sync(keep), status_code=201)


def add_paper(context: Amending, request_id: RequestId, version: Version, form: PaperIn) -> JSONResponse:
    """Add an uploaded paper: the letter that an urgent request still lacks, or another."""
    context.begin(Act.REQUEST_ATTACH, request_id, details={"kind": form.kind.value})
    shown_request(context, request_id)
    filing, by = context.services.requests.filing, filer_of(context)
    with decided_on():
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
    return answer(context, head)


def get_paper(
    context: Reader,
    request: Request,
    request_id: RequestId,
    sha256: Annotated[str, Path(description="The paper's SHA-256 in the request.", max_length=64)],
) -> Response:
    """A paper of a request, for download only: browsers never show it inline."""
    context.begin(Act.ATTACHMENT_DOWNLOAD, request_id, details={"sha256": check_sha256(sha256)})
    paper = shown_request(context, request_id).request.attachment(sha256)
    if paper is None:
        raise NotFound(f"{request_id} has no such paper", code="attachment_not_found")
    attachments = context.services.requests.attachments
    name = f"{request_id}-{paper.kind.value}-{sha256[:8]}.{SUFFIXES[paper.media_type]}"
    shown = Representation(
        size=paper.size,
        etag=f'"{sha256}"',
        media_type="application/octet-stream",
        headers={"Content-Disposition": attachment(name)},
        stream=lambda start, length: attachments.stream(sha256, start, length),
    )
    return send(context, request, shown, Download(context, Act.REQUEST_READ))
