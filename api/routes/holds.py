"""Legal holds: place, extend, review, and release by two people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.named_people import with_people
from api.parameters import camera_ids, instant
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require, span_details
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
from archive.errors import NotFound, Refused
from archive.ids import check_name
from archive.lifecycle.holds.answers import hold_json, progress_json
from archive.lifecycle.holds.listing import Wanted
from archive.lifecycle.holds.listing import list_holds as listed
from archive.lifecycle.holds.service import MAX_CAMERAS, HoldHead
from archive.lifecycle.retention.answers import history_json
from archive.model.hold import Hold, HoldStatus
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
Reader = Annotated[RequestContext, require("holds.read", Reach.OWN, Reach.MINE)]
Placer = Annotated[RequestContext, require("holds.place")]
Releaser = Annotated[RequestContext, require("holds.release")]


def list_holds(
    context: Reader,
    status: Annotated[HoldStatus | None, Query(description="Only holds with this status.")] = None,
    camera: Annotated[str, Query(max_length=63, description="Only holds of this camera.")] = "",
    due: Annotated[bool, Query(description="Only holds whose review is due.")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Holds, the newest first."""
    context.begin(Act.HOLD_READ)
    is_own = context.principal.reach(context.action) == {Reach.MINE}
    wanted = Wanted(status=status, camera=camera, due=due, placed_by=context.principal.id if is_own else "")
    page = listed(
        context.services.index,
        wanted,
        context.services.clock.now(),
        limit=limit,
        cursor=cursor,
        is_shown=lambda hold: _is_shown(context, hold),
    )
    context.done(results=len(page.items))
    found = {"holds": page.items, "next": page.next, "as_of": page.as_of_text}
    return JSONResponse(with_people(context, found))


def get_hold(context: Reader, request: Request, hold_id: HoldId) -> Response:
    """One hold, how far it is set in the store, and its history."""
    context.begin(Act.HOLD_READ, hold_id)
    services = context.services
    head = _shown(context, hold_id)
    history = history_json(services.holds.history(hold_id))
    answer = hold_json(head.hold, head.entry, services.clock.now())
    progress = progress_json(head, services.hold_progress.progress(hold_id))
    context.done()
    answer = with_people(context, answer | {"progress": progress, "history": history})
    return read_answer(request, head.entry.version, answer)


def place_hold(context: Placer, form: HoldIn) -> JSONResponse:
    """Place a hold; it is in force when this is answered."""
    cameras = camera_ids(form.cameras, MAX_CAMERAS)
    span = Timespan(instant("from", form.start), instant("to", form.end))
    context.begin(Act.HOLD_PLACE, *cameras, details={**span_details(span), "case": form.case})
    _require_cameras(context, cameras)
    head = context.services.holds.place(
        cameras=cameras,
        span=span,
        case=form.case,
        owner=form.owner,
        basis=form.basis,
        review_at=instant("review_at", form.review_at),
        actor=context.principal.id,
    )
    context.objects = (head.hold.id, *cameras)
    where = f"{context.services.settings.base_path}/v1/holds/{head.hold.id}"
    return _answer(context, head, status=201, headers={"Location": where})


def extend_hold(context: Placer, hold_id: HoldId, version: Version, form: ExtendIn) -> JSONResponse:
    """Add cameras or widen the span; this also withdraws a proposed release."""
    cameras = camera_ids(form.cameras, MAX_CAMERAS)
    context.begin(Act.HOLD_EXTEND, hold_id, *cameras)
    before = _shown(context, hold_id).hold
    _require_cameras(context, cameras)
    span = Timespan(
        instant("from", form.start) if form.start else before.span.start,
        instant("to", form.end) if form.end else before.span.end,
    )
    context.details.update(span_details(span))
    with decided_on():
        head = context.services.holds.extend(
            hold_id,
            cameras=cameras,
            span=span,
            actor=context.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(context, head)


def review_hold(context: Placer, hold_id: HoldId, version: Version, form: ReviewIn) -> JSONResponse:
    """Record a review: why the footage must still stay, and when to review it next."""
    context.begin(Act.HOLD_REVIEW, hold_id)
    _shown(context, hold_id)
    with decided_on():
        head = context.services.holds.review(
            hold_id,
            review_at=instant("review_at", form.review_at),
            actor=context.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(context, head)


def propose_release(context: Releaser, hold_id: HoldId, version: Version, why: HoldReason) -> JSONResponse:
    """Propose the release; the hold stays in force until another person approves."""
    context.begin(Act.HOLD_RELEASE, hold_id, details={"step": "propose"})
    _shown(context, hold_id)
    with decided_on():
        head = context.services.holds.propose_release(
            hold_id, actor=context.principal.id, reason=why.reason, expected=version
        )
    return _answer(context, head)


def approve_release(context: Releaser, hold_id: HoldId, version: Version) -> JSONResponse:
    """Approve the release that another person proposed, for the version that was read."""
    context.begin(Act.HOLD_RELEASE, hold_id, details={"step": "approve"})
    _shown(context, hold_id)
    with decided_on():
        head = context.services.holds.approve_release(hold_id, actor=context.principal.id, expected=version)
    return _answer(context, head)


def withdraw_release(context: Releaser, hold_id: HoldId, version: Version, why: HoldReason) -> JSONResponse:
    """Withdraw a proposed release; the hold was in force all along."""
    context.begin(Act.HOLD_RELEASE, hold_id, details={"step": "withdraw"})
    _shown(context, hold_id)
    with decided_on():
        head = context.services.holds.withdraw_release(
            hold_id, actor=context.principal.id, reason=why.reason, expected=version
        )
    return _answer(context, head)


def _answer(
    context: RequestContext, head: HoldHead, *, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    context.done(version=head.entry.version, status=head.hold.status.value)
    return JSONResponse(
        hold_json(head.hold, head.entry, context.services.clock.now()),
        status_code=status,
        headers={**tagged(head.entry.version), **(headers or {})},
    )


def _require_cameras(context: RequestContext, cameras: tuple[str, ...]) -> None:
    """Check that the principal may hold these cameras. Raises NotFound, Refused ``not_permitted``."""
    for camera in cameras:
        context.access.change(camera, None)


def _shown(context: RequestContext, hold_id: str) -> HoldHead:
    """The hold, if the principal may know of it. Raises NotFound ``hold_not_found``."""
    head = context.services.holds.hold(hold_id)
    if not _is_shown(context, head.hold):
        context.details["denied"] = "hold"
        raise NotFound(f"there is no hold {hold_id}", code="hold_not_found")
    return head


def _is_shown(context: RequestContext, hold: Hold) -> bool:
    """Whether the principal reaches all holds, placed this one, or may change all of its cameras."""
    reach = context.principal.reach(context.action)
    if Reach.ALL in reach:
        return True
    if Reach.MINE in reach and hold.placed_by == context.principal.id:
        return True
    if Reach.OWN not in reach:
        return False
    try:
        for camera in hold.cameras:
            context.access.change(camera, None)
    except (NotFound, Refused):
        return False
    return True
