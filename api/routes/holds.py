"""Legal holds: place, extend, review, and release by two people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.acts import Act
from api.auth.permissions import Reach
from api.list_pages import page_of
from api.parameters import camera_ids, instant
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.routing import add_json
from api.schemas.holds import (
    ExtendIn,
    HoldIn,
    HoldOut,
    HoldPage,
    HoldReason,
    OneHoldOut,
    ReviewIn,
)
from api.visit import Visit, require, span_details
from archive.errors import NotFound, Refused
from archive.ids import check_name
from archive.lifecycle.holds.answers import hold_json, progress_json
from archive.lifecycle.holds.service import MAX_CAMERAS, HoldHead
from archive.lifecycle.retention.answers import history_json
from archive.model.hold import HoldStatus
from archive.timespan import Timespan

MAX_PAGE = 1000


def add_routes(router: APIRouter) -> None:
    """Add /v1/holds and its subpaths."""
    one, tag = "/v1/holds/{hold_id}", "holds"
    add_json(router, "GET", "/v1/holds", list_holds, HoldPage, tag=tag)
    add_json(router, "POST", "/v1/holds", place_hold, HoldOut, 404, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_hold, OneHoldOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/extend", extend_hold, HoldOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/review", review_hold, HoldOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/release", propose_release, HoldOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/release/approve", approve_release, HoldOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/release/withdraw", withdraw_release, HoldOut, *CHANGE, tag=tag)


async def asked_hold(
    hold_id: Annotated[str, Path(description="hold-<32 hex digits>", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("hold", hold_id)


HoldId = Annotated[str, Depends(asked_hold)]
Reader = Annotated[Visit, require("holds.read", Reach.OWN, Reach.MINE)]
Placer = Annotated[Visit, require("holds.place")]
Releaser = Annotated[Visit, require("holds.release")]


def list_holds(
    visit: Reader,
    status: Annotated[HoldStatus | None, Query(description="Only holds with this status.")] = None,
    camera: Annotated[str, Query(max_length=63, description="Only holds of this camera.")] = "",
    due: Annotated[bool, Query(description="Only holds whose review is due.")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Holds, the newest first."""
    visit.begin(Act.HOLD_READ)
    now, holds = visit.services.clock.now(), visit.services.holds
    found = [
        head
        for head in (holds.due_for_review() if due else holds.holds())
        if status in (None, head.hold.status)
        and camera in ("", *head.hold.cameras)
        and _is_shown(visit, head)
    ]
    page, following = page_of(found, cursor, limit, lambda head: head.hold.id)
    visit.done(results=len(page))
    return JSONResponse({"holds": [hold_json(head, now) for head in page], "next": following})


def get_hold(visit: Reader, request: Request, hold_id: HoldId) -> Response:
    """One hold, how far it is set in the store, and its history."""
    visit.begin(Act.HOLD_READ, hold_id)
    services = visit.services
    head = _shown(visit, hold_id)
    history = history_json(services.holds.history(hold_id))
    answer = hold_json(head, services.clock.now())
    progress = progress_json(head, services.hold_progress.progress(hold_id))
    visit.done()
    return read_answer(request, head.entry.version, answer | {"progress": progress, "history": history})


def place_hold(visit: Placer, form: HoldIn) -> JSONResponse:
    """Place a hold; it is in force when this is answered."""
    cameras = camera_ids(form.cameras, MAX_CAMERAS)
    span = Timespan(instant("from", form.start), instant("to", form.end))
    visit.begin(Act.HOLD_PLACE, *cameras, details={**span_details(span), "case": form.case})
    _require_cameras(visit, cameras)
    head = visit.services.holds.place(
        cameras=cameras,
        span=span,
        case=form.case,
        owner=form.owner,
        basis=form.basis,
        review_at=instant("review_at", form.review_at),
        actor=visit.principal.id,
    )
    visit.objects = (head.hold.id, *cameras)
    where = f"{visit.services.settings.base_path}/v1/holds/{head.hold.id}"
    return _answer(visit, head, status=201, headers={"Location": where})


def extend_hold(visit: Placer, hold_id: HoldId, version: Version, form: ExtendIn) -> JSONResponse:
    """Add cameras or widen the span; this also withdraws a proposed release."""
    cameras = camera_ids(form.cameras, MAX_CAMERAS)
    visit.begin(Act.HOLD_EXTEND, hold_id, *cameras)
    before = _shown(visit, hold_id).hold
    _require_cameras(visit, cameras)
    span = Timespan(
        instant("from", form.start) if form.start else before.span.start,
        instant("to", form.end) if form.end else before.span.end,
    )
    visit.details.update(span_details(span))
    with decided_on():
        head = visit.services.holds.extend(
            hold_id,
            cameras=cameras,
            span=span,
            actor=visit.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(visit, head)


def review_hold(visit: Placer, hold_id: HoldId, version: Version, form: ReviewIn) -> JSONResponse:
    """Record a review: why the footage must still stay, and when to review it next."""
    visit.begin(Act.HOLD_REVIEW, hold_id)
    _shown(visit, hold_id)
    with decided_on():
        head = visit.services.holds.review(
            hold_id,
            review_at=instant("review_at", form.review_at),
            actor=visit.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(visit, head)


def propose_release(visit: Releaser, hold_id: HoldId, version: Version, why: HoldReason) -> JSONResponse:
    """Propose the release; the hold stays in force until another person approves."""
    visit.begin(Act.HOLD_RELEASE, hold_id, details={"step": "propose"})
    _shown(visit, hold_id)
    with decided_on():
        head = visit.services.holds.propose_release(
            hold_id, actor=visit.principal.id, reason=why.reason, expected=version
        )
    return _answer(visit, head)


def approve_release(visit: Releaser, hold_id: HoldId, version: Version) -> JSONResponse:
    """Approve the release that another person proposed, for the version that was read."""
    visit.begin(Act.HOLD_RELEASE, hold_id, details={"step": "approve"})
    _shown(visit, hold_id)
    with decided_on():
        head = visit.services.holds.approve_release(hold_id, actor=visit.principal.id, expected=version)
    return _answer(visit, head)


def withdraw_release(visit: Releaser, hold_id: HoldId, version: Version, why: HoldReason) -> JSONResponse:
    """Withdraw a proposed release; the hold was in force all along."""
    visit.begin(Act.HOLD_RELEASE, hold_id, details={"step": "withdraw"})
    _shown(visit, hold_id)
    with decided_on():
        head = visit.services.holds.withdraw_release(
            hold_id, actor=visit.principal.id, reason=why.reason, expected=version
        )
    return _answer(visit, head)


def _answer(
    visit: Visit, head: HoldHead, *, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    visit.done(version=head.entry.version, status=head.hold.status.value)
    return JSONResponse(
        hold_json(head, visit.services.clock.now()),
        status_code=status,
        headers={**tagged(head.entry.version), **(headers or {})},
    )


def _require_cameras(visit: Visit, cameras: tuple[str, ...]) -> None:
    """Check that the principal may hold these cameras. Raises NotFound, Refused ``not_permitted``."""
    for camera in cameras:
        visit.access.change(camera, None)


def _shown(visit: Visit, hold_id: str) -> HoldHead:
    """The hold, if the principal may know of it. Raises NotFound ``hold_not_found``."""
    head = visit.services.holds.hold(hold_id)
    if not _is_shown(visit, head):
        visit.details["denied"] = "hold"
        raise NotFound(f"there is no hold {hold_id}", code="hold_not_found")
    return head


def _is_shown(visit: Visit, head: HoldHead) -> bool:
    """Whether the principal reaches all holds, placed this one, or may change all of its cameras."""
    reach = visit.principal.reach(visit.action)
    if Reach.ALL in reach:
        return True
    if Reach.MINE in reach and head.hold.placed_by == visit.principal.id:
        return True
    if Reach.OWN not in reach:
        return False
    try:
        for camera in head.hold.cameras:
            visit.access.change(camera, None)
    except (NotFound, Refused):
        return False
    return True
