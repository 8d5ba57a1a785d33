"""Handover of a sealed package: give, fetch, confirm, close."""

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from api.acts import Act
from api.asked_requests import RequestId, shown_request
from api.auth.permissions import Reach
from api.parameters import instant
from api.preconditions import CHANGE, Version, decided_on, tagged
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
from api.visit import Visit, require
from archive.cases.handover.facts import facts_json, facts_of
from archive.cases.handover.reading import Handover
from archive.cases.people.users import Users
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


Officer = Annotated[Visit, require("requests.hand_over")]
Reader = Annotated[Visit, require("requests.read", Reach.MINE)]
Recipient = Annotated[Visit, require("requests.receive", Reach.MINE)]


def get_handover(visit: Reader, request_id: RequestId) -> JSONResponse:
    """The newest handover of a request: to whom, until when, what was fetched, and the receipt."""
    visit.begin(Act.HANDOVER_READ, request_id)
    shown_request(visit, request_id)
    found = visit.services.handovers.newest(request_id)
    return _answer(visit, found)


def get_report(
    visit: Reader,
    request_id: RequestId,
    number: Annotated[int, Path(ge=1, le=9999, description="The number of the handover, from 1.")],
) -> Response:
    """The report of one handover as PDF (berita acara serah terima).

    It includes the receipt once the recipient has confirmed, and the archive's electronic seal (PAdES) once
    the sealing job has printed it; ``Saksi-Signed`` says whether it bears the seal.
    """
    visit.begin(Act.HANDOVER_READ, request_id, details={"number": number})
    shown_request(visit, request_id)
    found = visit.services.handovers.numbered(request_id, number)
    page = visit.services.handover_reports.page(found)
    right = found.right
    visit.objects = (request_id, right.evidence_id)
    visit.done(part="berita-acara.pdf", bytes=len(page.pdf), sha256=sha256(page.pdf).hexdigest())
    name = f"berita-acara-{right.evidence_id}-{right.number}.pdf"
    return Response(
        page.pdf,
        media_type="application/pdf",
        headers={
            "Content-Disposition": attachment(name),
            "Saksi-Signed": "?1" if page.is_signed else "?0",
        },
    )


def hand_over(visit: Officer, request_id: RequestId, version: Version, form: HandoverIn) -> JSONResponse:
    """Hand the package over to the requester; the officer must be neither the requester nor the decider."""
    visit.begin(Act.HANDOVER_GIVE, request_id)
    with decided_on():
        found = visit.services.handovers.give(
            request_id,
            actor=visit.principal.id,
            downloads=form.downloads,
            hours=form.hours,
            note=form.note,
            recipient=_of_the_agency(visit, request_id, form.recipient),
            officer=_officer(visit, form.officer),
            expected=version,
        )
    right = found.right
    visit.objects = (request_id, right.evidence_id)
    visit.details |= {"number": right.number, "recipient": right.recipient.person}
    return _answer(visit, found, status=201)


def begin_download(visit: Recipient, request: Request, request_id: RequestId) -> JSONResponse:
    """Begin a counted download. Its URL is valid for this person until the right ends."""
    visit.begin(Act.HANDOVER_BEGIN_DOWNLOAD, request_id)
    shown_request(visit, request_id)
    found, made = visit.services.handovers.begin_download(
        request_id, person=visit.principal.id, address=visit.actor.address
    )
    right = found.right
    visit.objects = (request_id, right.evidence_id)
    visit.done(number=right.number, download=made.count)
    where = f"{visit.services.settings.base_path}/v1/evidence/{right.evidence_id}/package.zip"
    return JSONResponse(
        {
            "download": made.id,
            "url": f"{where}?download={made.id}",
            "until": format_instant(right.until),
            "remaining": right.downloads - made.count,
        },
        status_code=201,
    )


def confirm(visit: Recipient, request_id: RequestId, form: ConfirmIn) -> JSONResponse:
    """Confirm that the recipient's copy has the fingerprints of the sealed package."""
    visit.begin(Act.HANDOVER_CONFIRM, request_id)
    shown_request(visit, request_id)
    found = visit.services.handovers.confirm(
        request_id,
        person=visit.principal.id,
        tagmanifest=form.tagmanifest_sha256,
        signer=form.signer_sha256,
    )
    right = found.right
    visit.objects = (request_id, right.evidence_id)
    visit.details |= {
        "number": right.number,
        "tagmanifest_sha256": right.tagmanifest_sha256,
        "signer_sha256": right.signer_sha256,
    }
    return _answer(visit, found)


def close_request(visit: Officer, request_id: RequestId, version: Version, form: CloseIn) -> JSONResponse:
    """Close a request that was handed over: its hold is released, or kept until a review."""
    visit.begin(Act.HANDOVER_CLOSE, request_id, details={"hold": form.hold, "reason": form.reason})
    with decided_on():
        closing = visit.services.handovers.closings.close(
            request_id,
            actor=visit.principal.id,
            hold=HoldAfter(form.hold),
            reason=form.reason,
            review_at=instant("review_at", form.review_at) if form.review_at else None,
            expected=version,
        )
    visit.done()
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


def _officer(visit: Visit, form: OfficerIn) -> NamedOfficer:
    """The officer as the report names them: by the given name, else by their account's name."""
    name = form.name
    if not name:
        try:
            name = Users(visit.services.ledger).user(visit.principal.id.partition(":")[2]).name
        except (NotFound, Malformed):
            name = ""  # a machine, or an account that does not exist: the name is written in by hand
    return NamedOfficer(name=name, nip=form.nip, position=form.position)


def _of_the_agency(visit: Visit, request_id: str, recipient: str) -> str:
    """Check that a recipient belongs to the requesting agency. Raises Refused ``not_recipient``."""
    if recipient:
        agency = visit.services.requests.book.request(request_id).request.agency_account
        user = Users(visit.services.ledger).user(recipient.removeprefix("user:"))
        if not agency or user.agency != agency or not user.enabled:
            raise Refused(
                f"{recipient} does not belong to the requesting agency",
                code="not_recipient",
                hint="Name an account of the agency for which the request was filed.",
            )
    return recipient


def _answer(visit: Visit, found: Handover, *, status: int = 200) -> JSONResponse:
    facts = facts_of(found)
    visit.done(status=facts.status, version=facts.version)
    return JSONResponse(facts_json(facts), status_code=status, headers=tagged(facts.version))
