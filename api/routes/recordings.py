"""Coverage, gaps and pending time of cameras; and the segments behind them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse

from api.audit import Act
from api.auth.permissions import Reach
from api.cameras import candidates, disabled_cameras
from api.parameters import asked_span, camera_ids, none_given
from api.places import Where, WhereAsked
from api.request_context import RequestContext, require, span_details
from api.routing import add_json
from api.schemas.recordings import RecordingsOut, SegmentsPage, segment_json
from archive.footage.reader import check_span
from archive.timespan import Timespan
from search.coverage import recordings, with_pauses
from search.query import MAX_PAGE, SegmentQuery

Cameras = Annotated[
    list[str],
    Query(
        default_factory=none_given,
        alias="camera",
        description="Camera ids; may be repeated. Default all.",
    ),
]


def add_routes(router: APIRouter) -> None:
    """Add /v1/recordings and /v1/segments."""
    tag = "recordings"
    add_json(router, "GET", "/v1/recordings", list_recordings, RecordingsOut, 404, tag=tag)
    add_json(router, "GET", "/v1/segments", search_segments, SegmentsPage, 404, tag=tag)


def list_recordings(
    context: Annotated[RequestContext, require("recordings.read", Reach.OWN, Reach.FACTS)],
    span: Annotated[Timespan, Depends(asked_span)],
    where: WhereAsked,
    camera: Cameras,
) -> JSONResponse:
    """Coverage by run, gaps with their causes, and pending time, of every requested camera."""
    where = context.access.narrowed(where)
    query = _query(context, Act.RECORDINGS_SEARCH, span, where, camera)
    known = candidates(context.services, query, where)
    found = recordings(
        context.services.index,
        query,
        registered=known.asked,
        passing=known.passing,
        unmoved=known.unmoved,
        disabled=disabled_cameras(context.services),
        now=context.services.clock.now(),
    )
    context.done(cameras=len(found.cameras))
    return JSONResponse(with_pauses(context.services.index, query, found).to_json())


def search_segments(
    context: Annotated[RequestContext, require("recordings.read", Reach.OWN, Reach.FACTS)],
    span: Annotated[Timespan, Depends(asked_span)],
    where: WhereAsked,
    camera: Cameras,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=1000, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Segments that overlap the span, page by page, each exactly once even while recording continues."""
    where = context.access.narrowed(where)
    query = _query(context, Act.SEGMENTS_SEARCH, span, where, camera)
    if query.cameras is not None:
        candidates(context.services, query, where)
    page = context.services.index.search(query, limit=limit, cursor=cursor or None)
    context.done(results=len(page.items))
    return JSONResponse({"segments": [segment_json(ref) for ref in page.items], "next": page.next})


def _query(
    context: RequestContext, act: Act, span: Timespan, where: Where, camera: list[str]
) -> SegmentQuery:
    cameras = camera_ids(camera, context.services.settings.max_cameras)
    context.begin(act, *cameras, details={**span_details(span), **where.details()})
    check_span(span, context.services.clock.now())
    query = where.query(span, cameras)
    context.access.searched(cameras, lambda: context.services.index.cameras(query))
    return query
