"""Coverage, gaps and pending time of cameras; and the segments behind them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse

from api.acts import Act
from api.auth.permissions import Reach
from api.cameras import candidates
from api.parameters import asked_span, camera_ids, none_given
from api.places import Where, WhereAsked
from api.routing import add_json
from api.schemas.recordings import RecordingsOut, SegmentsPage, segment_json
from api.visit import Visit, require, span_details
from archive.footage.reader import check_span
from archive.timespan import Timespan
from search.coverage import recordings
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
    visit: Annotated[Visit, require("recordings.read", Reach.OWN, Reach.FACTS)],
    span: Annotated[Timespan, Depends(asked_span)],
    where: WhereAsked,
    camera: Cameras,
) -> JSONResponse:
    """Coverage by run, gaps with their causes, and pending time, of every requested camera."""
    where = visit.access.narrowed(where)
    query = _query(visit, Act.RECORDINGS_SEARCH, span, where, camera)
    known = candidates(visit.services, query, where)
    found = recordings(
        visit.services.index,
        query,
        registered=known.asked,
        passing=known.passing,
        unmoved=known.unmoved,
        now=visit.services.clock.now(),
    )
    visit.done(cameras=len(found.cameras))
    return JSONResponse(found.to_json())


def search_segments(
    visit: Annotated[Visit, require("recordings.read", Reach.OWN, Reach.FACTS)],
    span: Annotated[Timespan, Depends(asked_span)],
    where: WhereAsked,
    camera: Cameras,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=1000, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Segments that overlap the span, page by page, each exactly once even while recording continues."""
    where = visit.access.narrowed(where)
    query = _query(visit, Act.SEGMENTS_SEARCH, span, where, camera)
    if query.cameras is not None:
        candidates(visit.services, query, where)
    page = visit.services.index.search(query, limit=limit, cursor=cursor or None)
    visit.done(results=len(page.items))
    return JSONResponse({"segments": [segment_json(ref) for ref in page.items], "next": page.next})


def _query(visit: Visit, act: Act, span: Timespan, where: Where, camera: list[str]) -> SegmentQuery:
    cameras = camera_ids(camera, visit.services.settings.max_cameras)
    visit.begin(act, *cameras, details={**span_details(span), **where.details()})
    check_span(span, visit.services.clock.now())
    query = where.query(span, cameras)
    visit.access.searched(cameras, lambda: visit.services.index.cameras(query))
    return query
