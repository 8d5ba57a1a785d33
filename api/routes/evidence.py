"""Evidence packages: request, read, fetch and verify them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.fetching import admitted
from api.named_people import with_people
from api.parameters import camera_ids, instant
from api.request_context import RequestContext, check_purpose, require, span_details
from api.routing import add_bytes, add_json
from api.schemas.evidence import (
    EvidenceOut,
    EvidencePage,
    OneEvidenceOut,
    PackagedFiles,
    SealIn,
    VerificationOut,
    evidence_json,
    file_json,
    fillings_json,
)
from api.statements import attachment
from api.transfer import Download, Record, Representation, send
from archive.evidence.bag import MAX_PATH
from archive.evidence.listing import list_packages
from archive.footage.reader import check_span
from archive.ids import check_evidence_id
from archive.model.evidence import EvidenceStatus
from archive.timespan import Timespan

MAX_PAGE = 1000


def add_routes(router: APIRouter) -> None:
    """Add /v1/evidence and its subpaths."""
    one, tag = "/v1/evidence/{evidence_id}", "evidence"
    add_json(router, "GET", "/v1/evidence", list_evidence, EvidencePage, tag=tag)
    add_json(
        router, "POST", "/v1/evidence", request_evidence, EvidenceOut, 404, 409, 413, status=202, tag=tag
    )
    add_json(router, "GET", one, get_evidence, OneEvidenceOut, 404, tag=tag)
    add_json(router, "GET", f"{one}/files", list_packaged_files, PackagedFiles, 404, 409, tag=tag)
    add_bytes(router, f"{one}/package.zip", download_package, "application/zip", tag=tag)
    add_json(router, "POST", f"{one}/verify", verify_evidence, VerificationOut, 404, 409, tag=tag)


async def asked_evidence(
    evidence_id: Annotated[str, Path(description="EVD-<year>-<ten characters>", max_length=40)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_evidence_id(evidence_id)


EvidenceId = Annotated[str, Depends(asked_evidence)]


def request_evidence(
    context: Annotated[RequestContext, require("evidence.request", Reach.OWN)], form: SealIn
) -> JSONResponse:
    """Request a sealed package of footage, or a sealed statement of its absence; a worker makes it."""
    if form.purpose:
        context.purpose = check_purpose(form.purpose)
    cameras = camera_ids(form.cameras, context.services.settings.max_cameras)
    span = Timespan(instant("from", form.start), instant("to", form.end))
    context.begin(Act.EVIDENCE_REQUEST, *cameras, details={**span_details(span), "case": form.case})
    check_span(span, context.services.clock.now())
    for camera in cameras:
        context.access.footage(camera, span)
    record = context.services.evidence.request(
        cameras=cameras,
        span=span,
        case=form.case,
        actor=context.principal.id,
        purpose=form.purpose,
        kind=form.kind,
    )
    evidence_id = record.request.evidence_id
    context.objects = (evidence_id, *cameras)
    context.done()
    where = f"{context.services.settings.base_path}/v1/evidence/{evidence_id}"
    return JSONResponse(evidence_json(record), status_code=202, headers={"Location": where})


def list_evidence(
    context: Annotated[RequestContext, require("evidence.read", Reach.OWN, Reach.MINE)],
    status: Annotated[EvidenceStatus | None, Query(description="Only packages with this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=40, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Packages, the newest request first."""
    context.begin(Act.EVIDENCE_READ)
    may_see = context.access.has_part_in
    page = list_packages(context.services.index, status, limit=limit, cursor=cursor, is_shown=may_see)
    context.done(results=len(page.items))
    listed = [evidence_json(record) for record in page.items]
    found = {"evidence": listed, "next": page.next, "as_of": page.as_of_text}
    return JSONResponse(with_people(context, found))


def get_evidence(
    context: Annotated[RequestContext, require("evidence.read", Reach.OWN, Reach.MINE)],
    evidence_id: EvidenceId,
) -> JSONResponse:
    """The status of one package."""
    context.begin(Act.EVIDENCE_READ, evidence_id)
    record = context.services.evidence.record(evidence_id)
    context.access.package(record)
    fillings = fillings_json(context.services.evidence.fillings(evidence_id))
    context.done(status=record.status.value)
    return JSONResponse(with_people(context, evidence_json(record) | {"backfilled": fillings}))


def list_packaged_files(
    context: Annotated[RequestContext, require("evidence.read", Reach.OWN, Reach.MINE)],
    evidence_id: EvidenceId,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=MAX_PATH, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """The files of a sealed package: sizes, SHA-256 and what each is, without the package."""
    context.begin(Act.EVIDENCE_READ, evidence_id)
    context.access.package(context.services.evidence.record(evidence_id))
    files = context.services.evidence.files(evidence_id)
    rest = [one for one in files if one.path > cursor]
    page = rest[:limit]
    context.done(results=len(page))
    after = page[-1].path if len(rest) > limit else None
    return JSONResponse({"files": [file_json(one) for one in page], "total": len(files), "next": after})


def download_package(
    context: Annotated[RequestContext, require("evidence.download", Reach.OWN, Reach.GRANTED)],
    request: Request,
    evidence_id: EvidenceId,
    download: Annotated[
        str, Query(max_length=60, description="The id of a counted download, from the answer that began it.")
    ] = "",
) -> Response:
    """The sealed package as a ZIP without compression; always the same bytes, so a download can be resumed.

    The recipient of a handover fetches it under a counted download; Range resumes the same one.
    """
    context.begin(Act.EVIDENCE_DOWNLOAD, evidence_id)
    record = context.services.evidence.record(evidence_id)
    if not context.principal.reach(context.action) & {Reach.ALL, Reach.OWN}:
        # Only a caller who may know of the package is answered with how to fetch it.
        context.access_for("evidence.read").package(record)
    handed_over = admitted(context, record, download)
    if handed_over is None:
        context.access.package(record)
    package = context.services.evidence.package(evidence_id)
    shown = Representation(
        size=package.size,
        etag=f'"{package.etag}"',
        media_type="application/zip",
        headers={"Content-Disposition": attachment(f"{evidence_id}.zip")},
        stream=package.stream,
    )
    fetched: Record = Download(context, Act.EVIDENCE_READ)
    return send(context, request, shown, fetched if handed_over is None else handed_over.counting(fetched))


def verify_evidence(
    context: Annotated[RequestContext, require("evidence.verify", Reach.OWN, Reach.MINE)],
    evidence_id: EvidenceId,
) -> JSONResponse:
    """Verify the archive's own copy of a package: every byte, the seal, the time stamp, the derivation.

    A recipient verifies their own copy, with trust roots from an independent source: ``saksi verify``.
    """
    context.begin(Act.EVIDENCE_VERIFY, evidence_id)
    context.access.package(context.services.evidence.record(evidence_id))
    verdict = context.services.evidence.verify(evidence_id)
    fillings = fillings_json(context.services.evidence.fillings(evidence_id))
    context.done(valid=int(verdict["valid"]))
    return JSONResponse(verdict | {"backfilled": fillings})
