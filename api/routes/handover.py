"""Handing a sealed package over: give, fetch, confirm, close."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.acts import Act
from api.auth.permissions import Reach
from api.parameters import instant
from api.routes.requests import RequestId, Version
from api.routing import add_json
from api.schemas.handover import (
    ClosedOut,
    CloseIn,
    ConfirmIn,
    DownloadOut,
    HandoverIn,
    HandoverOut,
)
from api.visit import Visit, require
from archive.errors import Conflict, NotFound, Refused
from archive.handover.facts import facts_json, facts_of
from archive.handover.reading import Handover
from archive.model.handover import HoldAfter
from archive.people.users import Users
from archive.persons import same_person
from archive.timespan import format_instant


def add_routes(router: APIRouter) -> None:
    """Add what is under /v1/requests/{request_id} once its package is sealed."""
    one, tag = "/v1/requests/{request_id}", "handover"
    change = (404, 409, 412, 413, 428)
    add_json(router, "GET", f"{one}/handover", get_handover, HandoverOut, 404, tag=tag)
    add_json(router, "POST", f"{one}/handover", hand_over, HandoverOut, *change, status=201, tag=tag)
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
    add_json(router, "POST", f"{one}/handover/confirm", confirm, HandoverOut, 404, 409, 413, tag=tag)
    add_json(router, "POST", f"{one}/close", close, ClosedOut, *change, tag=tag)


Officer = Annotated[Visit, require("requests.hand_over")]
Recipient = Annotated[Visit, require("requests.receive", Reach.MINE)]


def get_handover(
    visit: Annotated[Visit, require("requests.read", Reach.MINE)], request_id: RequestId
) -> JSONResponse:
    """The newest handover of a request: to whom, until when, what was fetched, and the receipt."""
    visit.begin(Act.HANDOVER_READ, request_id)
    found = visit.services.handovers.newest(request_id)
    if Reach.ALL not in visit.principal.reach(visit.action) and not _is_theirs(visit, found):
        visit.details["denied"] = "handover"
        raise NotFound(f"there is no request {request_id}", code="request_not_found")
    return _answer(visit, found)


def hand_over(visit: Officer, request_id: RequestId, version: Version, form: HandoverIn) -> JSONResponse:
    """Hand the package over to whoever asked for it; by somebody who neither asked nor decided."""
    visit.begin(Act.HANDOVER_GIVE, request_id)
    with _decided_on():
        found = visit.services.handovers.give(
            request_id,
            actor=visit.principal.id,
            downloads=form.downloads,
            hours=form.hours,
            note=form.note,
            recipient=_of_the_agency(visit, request_id, form.recipient),
            expected=version,
        )
    right = found.right
    visit.objects = (request_id, right.evidence_id)
    visit.details |= {"number": right.number, "recipient": right.recipient.person}
    return _answer(visit, found, status=201)


def begin_download(visit: Recipient, request: Request, request_id: RequestId) -> JSONResponse:
    """Begin a counted download. Its address is good for this person until the right ends."""
    visit.begin(Act.HANDOVER_BEGIN_DOWNLOAD, request_id)
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
    """Confirm that the copy in hand has the fingerprints of what was sealed."""
    visit.begin(Act.HANDOVER_CONFIRM, request_id)
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


def close(visit: Officer, request_id: RequestId, version: Version, form: CloseIn) -> JSONResponse:
    """Close a request that was handed over: its hold is released, or kept until a review."""
    visit.begin(Act.HANDOVER_CLOSE, request_id, details={"hold": form.hold, "reason": form.reason})
    with _decided_on():
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


def _of_the_agency(visit: Visit, request_id: str, recipient: str) -> str:
    """Accept the account of a recipient, and return it. Raises Refused ``not_recipient``."""
    if recipient:
        agency = visit.services.requests.book.request(request_id).request.agency_account
        user = Users(visit.services.ledger).user(recipient.removeprefix("user:"))
        if not agency or user.agency != agency or not user.enabled:
            raise Refused(
                f"{recipient} is not of the agency that asked",
                code="not_recipient",
                hint="Name an account of the agency for which the request was filed.",
            )
    return recipient


def _is_theirs(visit: Visit, found: Handover) -> bool:
    """Whether a request is of the person or of their agency."""
    request, agency = found.file.request, visit.principal.agency
    return same_person(request.requester.person, visit.principal.id) or (
        bool(agency) and request.agency_account == agency
    )


@contextmanager
def _decided_on() -> Iterator[None]:
    """A version that is not the newest any more is a failed precondition."""
    try:
        yield
    except Conflict as error:
        if error.code != "ledger_conflict":
            raise
        raise Refused(
            "the request was changed since it was read",
            code="precondition_failed",
            hint="Read it again, and repeat the change if it still makes sense.",
        ) from error


def _answer(visit: Visit, found: Handover, *, status: int = 200) -> JSONResponse:
    facts = facts_of(found)
    visit.done(status=facts.status, version=facts.version)
    return JSONResponse(facts_json(facts), status_code=status, headers={"ETag": f'"{facts.version}"'})
