"""Handover of a sealed package: give, fetch, confirm, close."""

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from api.asked_requests import RequestId, shown_request
from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import instant
from api.preconditions import CHANGE, Version, decided_on, tagged
from api.request_context import RequestContext, require
from api.routing import BINARY, add_document, add_json
from api.schemas.handover import (
    ClosedOut,
    CloseIn,
    ConfirmIn,
    DownloadOut,
    HandoverIn,
    HandoverOut,
    OfficerIn,
)
from api.statements import attachment
from archive.canonical import JsonObject
from archive.cases.handover.facts import facts_json, facts_of
from archive.cases.handover.reading import Handover
from archive.cases.handover.report import qr_text
from archive.cases.people.users import Users
from archive.documents import qr
from archive.errors import Malformed, NotFound, Refused
from archive.model.handover import HoldAfter
from archive.model.handover import Officer as NamedOfficer
from archive.timespan import format_instant


def add_routes(router: APIRouter) -> None:
    """Add the routes of a handover under /v1/requests/{request_id}."""
    one, tag = "/v1/requests/{request_id}", "handover"
    add_json(router, "GET", f"{one}/handover", get_handover, HandoverOut, 404, tag=tag)
    add_json(router, "POST", f"{one}/handover", hand_over, HandoverOut, *CHANGE, status=201, tag=tag)
    add_json(
        router,
        "POST",
        f"{one}/handover/downloads",
        begin_download,
        DownloadOut,
        404,
        409,
        status=201,
        tag=tag,
    )
    add_document(
        router,
        f"{one}/handover/{{number}}/berita-acara.pdf",
        get_report,
        "application/pdf",
        404,
        tag=tag,
        schema=BINARY,
    )
    add_json(router, "POST", f"{one}/handover/confirm", confirm, HandoverOut, 404, 409, 413, tag=tag)
    add_json(router, "POST", f"{one}/close", close_request, ClosedOut, *CHANGE, tag=tag)


Officer = Annotated[RequestContext, require("requests.hand_over")]
Reader = Annotated[RequestContext, require("requests.read", Reach.MINE)]
Recipient = Annotated[RequestContext, require("requests.receive", Reach.MINE)]


def get_handover(context: Reader, request_id: RequestId) -> JSONResponse:
    """The newest handover of a request: to whom, until when, what was fetched, and the receipt."""
    context.begin(Act.HANDOVER_READ, request_id)
    shown_request(context, request_id)
    found = context.services.handovers.newest(request_id)
    return _answer(context, found)


def get_report(
    context: Reader,
    request_id: RequestId,
    number: Annotated[int, Path(ge=1, le=9999, description="The number of the handover, from 1.")],
) -> Response:
    """The report of one handover as PDF (berita acara serah terima).

    It includes the receipt once the recipient has confirmed, and the archive's electronic seal (PAdES) once
    the sealing job has printed it; ``Saksi-Signed`` says whether it bears the seal.
    """
    context.begin(Act.HANDOVER_READ, request_id, details={"number": number})
    shown_request(context, request_id)
    found = context.services.handovers.numbered(request_id, number)
    page = context.services.handover_reports.page(found)
    right = found.right
    context.objects = (request_id, right.evidence_id)
    context.done(part="berita-acara.pdf", bytes=len(page.pdf), sha256=sha256(page.pdf).hexdigest())
    name = f"berita-acara-{right.evidence_id}-{right.number}.pdf"
    return Response(
        page.pdf,
        media_type="application/pdf",
        headers={
            "Content-Disposition": attachment(name),
            "Saksi-Signed": "?1" if page.is_signed else "?0",
        },
    )


def hand_over(context: Officer, request_id: RequestId, version: Version, form: HandoverIn) -> JSONResponse:
    """Hand the package over to the requester; the officer must be neither the requester nor the decider."""
    context.begin(Act.HANDOVER_GIVE, request_id)
    with decided_on():
        found = context.services.handovers.give(
            request_id,
            actor=context.principal.id,
            downloads=form.downloads,
            hours=form.hours,
            note=form.note,
            recipient=_of_the_agency(context, request_id, form.recipient),
            officer=_officer(context, form.officer),
            expected=version,
        )
    right = found.right
    context.objects = (request_id, right.evidence_id)
    context.details |= {"number": right.number, "recipient": right.recipient.person}
    return _answer(context, found, status=201)


def begin_download(context: Recipient, request: Request, request_id: RequestId) -> JSONResponse:
    """Begin a counted download. Its URL works in this session of this person alone, until the right ends."""
    context.begin(Act.HANDOVER_BEGIN_DOWNLOAD, request_id)
    shown_request(context, request_id)
    found, made = context.services.handovers.begin_download(
        request_id,
        person=context.principal.id,
        address=context.actor.address,
        session=context.principal.session,
    )
    right = found.right
    context.objects = (request_id, right.evidence_id)
    context.done(number=right.number, download=made.count)
    where = f"{context.services.settings.base_path}/v1/evidence/{right.evidence_id}/package.zip"
    return JSONResponse(
        {
            "download": made.id,
            "url": f"{where}?download={made.id}",
            "until": format_instant(right.until),
            "remaining": right.downloads - made.count,
        },
        status_code=201,
    )


def confirm(context: Recipient, request_id: RequestId, form: ConfirmIn) -> JSONResponse:
    """Confirm that the recipient's copy has the fingerprints of the sealed package."""
    context.begin(Act.HANDOVER_CONFIRM, request_id)
    shown_request(context, request_id)
    found = context.services.handovers.confirm(
        request_id,
        person=context.principal.id,
        tagmanifest=form.tagmanifest_sha256,
        signer=form.signer_sha256,
    )
    right = found.right
    context.objects = (request_id, right.evidence_id)
    context.details |= {
        "number": right.number,
        "tagmanifest_sha256": right.tagmanifest_sha256,
        "signer_sha256": right.signer_sha256,
    }
    return _answer(context, found)


def close_request(context: Officer, request_id: RequestId, version: Version, form: CloseIn) -> JSONResponse:
    """Close a request that was handed over: its hold is released, or kept until a review."""
    context.begin(Act.HANDOVER_CLOSE, request_id, details={"hold": form.hold, "reason": form.reason})
    with decided_on():
        closing = context.services.handovers.closings.close(
            request_id,
            actor=context.principal.id,
            hold=HoldAfter(form.hold),
            reason=form.reason,
            review_at=instant("review_at", form.review_at) if form.review_at else None,
            expected=version,
        )
    context.done()
    return JSONResponse(
        {
            "request_id": request_id,
            "status": "closed",
            "by": closing.by,
            "at": format_instant(closing.at),
            "reason": closing.reason,
            "hold": closing.hold.value,
            "review_at": None if closing.review_at is None else format_instant(closing.review_at),
        }
    )


def _officer(context: RequestContext, form: OfficerIn) -> NamedOfficer:
    """The officer as the report names them: by the given name, else by their account's name."""
    name = form.name
    if not name:
        try:
            name = (
                Users(context.services.ledger, context.services.clock)
                .user(context.principal.id.partition(":")[2])
                .name
            )
        except (NotFound, Malformed):
            name = ""  # a machine, or an account that does not exist: the name is written in by hand
    return NamedOfficer(name=name, nip=form.nip, position=form.position)


def _of_the_agency(context: RequestContext, request_id: str, recipient: str) -> str:
    """Check that a recipient belongs to the requesting agency. Raises Refused ``not_recipient``."""
    if recipient:
        agency = context.services.requests.book.request(request_id).request.agency_account
        user = Users(context.services.ledger, context.services.clock).user(recipient.removeprefix("user:"))
        if not agency or user.agency != agency or not user.enabled:
            raise Refused(
                f"{recipient} does not belong to the requesting agency",
                code="not_recipient",
                hint="Name an account of the agency for which the request was filed.",
            )
    return recipient


def _answer(context: RequestContext, found: Handover, *, status: int = 200) -> JSONResponse:
    facts = facts_of(found)
    context.done(status=facts.status, version=facts.version)
    body = facts_json(facts) | {
        "qr_values": _qr_json(qr_text(facts.right)),
        "qr_page": _page_json(context.services.settings.public_url, facts.right.request_id),
    }
    return JSONResponse(body, status_code=status, headers=tagged(facts.version))


def _page_json(public_url: str, request_id: str) -> JsonObject | None:
    """The code that opens the request on the recipient's own device; None where no address reaches it."""
    return _qr_json(f"{public_url}/permintaan/{request_id}") if public_url else None


def _qr_json(text: str) -> JsonObject:
    return {"text": text, "rows": qr.rows(text)}
