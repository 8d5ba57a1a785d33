"""Questions about places and times: which cameras saw it, timelines, and the coverage of many cameras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.cameras import camera_facts
from api.directory import Registered
from api.parameters import asked_span, camera_ids, instant
from api.request_context import RequestContext, require, span_details
from api.routing import add_json
from api.schemas.problem import problem_responses
from api.schemas.search import FEATURES, GEOJSON, CoverageMatrixOut, SearchIn, SearchOut, TimelineOut
from api.where import WantedCameras
from archive.footage.reader import check_span
from archive.ids import check_name
from archive.model.stay import Stay
from archive.timespan import SpanSet, Timespan
from search.asking import details_of
from search.finding import find, parts_of, present
from search.held import held_spans
from search.query import MAX_PAGE
from search.shown import found_geojson, found_json, matrix_json, timeline_json
from search.tally import CameraState
from search.timeline import matrix, step_of, timeline, whole_buckets
from search.where import CameraFilter, check_codes, sightings

MAX_TIMELINES = 20

Asker = Annotated[RequestContext, require("recordings.read", Reach.OWN, Reach.FACTS)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Cameras in one answer.")]
Cursor = Annotated[str, Query(max_length=1000, description="'next' of the previous page.")]


class Zone(StrEnum):
    """Where hours and days begin: in the city's time zone, or in UTC."""

    CITY = "city"
    UTC = "UTC"


def add_routes(router: APIRouter) -> None:
    """Add /v1/search, /v1/timeline and /v1/coverage."""
    tag = "search"
    for method, endpoint in (("GET", search_cameras), ("POST", search_by_form)):
        router.add_api_route(
            "/v1/search", endpoint, methods=[method], tags=[tag],
            responses={
                200: {"model": SearchOut, "content": {GEOJSON: {"schema": FEATURES}}},
                **problem_responses(*(404,) if method == "GET" else (404, 413)),
            },
        )  # fmt: skip
    router.add_api_route("/v1/search", search_cameras, methods=["HEAD"], include_in_schema=False)
    add_json(router, "GET", "/v1/timeline", get_timeline, TimelineOut, 404, tag=tag)
    add_json(router, "GET", "/v1/coverage", get_coverage, CoverageMatrixOut, 404, tag=tag)


def search_cameras(
    context: Asker,
    span: Annotated[Timespan, Depends(asked_span)],
    wanted: WantedCameras,
    limit: Limit = 100,
    cursor: Cursor = "",
    format_: Annotated[
        Literal["json", "geojson"], Query(alias="format", description="'geojson' for a map.")
    ] = "json",
) -> Response:
    """The cameras that may have seen a place in a span: distance, view, coverage, gaps, clock.

    Cameras with the place in view come first, then those whose view is unknown, then those that looked
    elsewhere. Among equals the nearest comes first, then the best covered. A page is never missing a camera,
    however much is recorded meanwhile.
    """
    return _search(context, wanted, span, limit=limit, cursor=cursor or None, format_=format_)


def search_by_form(context: Asker, form: SearchIn) -> Response:
    """The same question as a body: for outlines and routes that are too long for an address."""
    span = Timespan(instant("from", form.start), instant("to", form.end))
    return _search(
        context,
        form.wanted(context.services.areas),
        span,
        limit=form.limit,
        cursor=form.cursor,
        format_=form.format,
    )


def get_timeline(
    context: Asker,
    span: Annotated[Timespan, Depends(asked_span)],
    camera: Annotated[list[str], Query(description=f"Camera ids, up to {MAX_TIMELINES}; may be repeated.")],
    step: Annotated[
        str, Query(max_length=8, description="1s … 30s, 1m … 30m, 1h … 12h, 1d.", examples=["5m"])
    ] = "1h",
    zone: Annotated[Zone, Query(description="Where buckets of hours and days begin.")] = Zone.CITY,
) -> JSONResponse:
    """How much of each bucket of time was recorded, held and missing, by cause, of some cameras."""
    wanted = CameraFilter(cameras=camera_ids(camera, MAX_TIMELINES))
    length = step_of(step)
    _begin(context, wanted, span, Act.RECORDINGS_SEARCH, {"for": "timeline", "step": step})
    city = _city(context, wanted, span)
    seen = parts_of(sightings(city.stays, wanted, span, city.districts))
    names = wanted.cameras or ()
    found = timeline(
        context.services.index,
        {name: seen.get(name, SpanSet()) for name in names},
        span,
        length,
        _zone(context, zone),
        cameras=city.states,
        held=_held(context, span),
        now=context.services.clock.now(),
    )
    context.done(cameras=len(names))
    return JSONResponse(timeline_json(found, names, step, _zone(context, zone).key))


def get_coverage(
    context: Asker,
    span: Annotated[Timespan, Depends(asked_span)],
    wanted: WantedCameras,
    unit: Annotated[Literal["day", "hour"], Query(description="The columns of the matrix.")] = "day",
    zone: Annotated[Zone, Query(description="Where hours and days begin.")] = Zone.CITY,
    limit: Limit = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Recorded seconds of many cameras in each hour or day, and a calendar of the same cameras together.

    The span is widened to whole hours or days. Cameras come in pages, by id.
    """
    services = context.services
    step = "1d" if unit == "day" else "1h"
    after = check_name("camera", cursor) if cursor else ""
    _begin(context, wanted, span, Act.RECORDINGS_SEARCH, {"for": "coverage", "step": step})
    span = whole_buckets(span, step_of(step), _zone(context, zone))
    city = _city(context, wanted, span)
    check_codes(city.stays, wanted, city.districts)
    seen = present(services.index, sightings(city.stays, wanted, span, city.districts), city.states)
    latest = {one.camera: one for one in sorted(seen, key=lambda one: (one.camera, one.part.start))}
    parts = parts_of(seen)
    left = [name for name in latest if name > after]
    page = left[:limit]
    found = matrix(
        services.index,
        {name: parts[name] for name in page},
        span,
        step_of(step),
        _zone(context, zone),
        cameras=city.states,
        now=services.clock.now(),
    )
    context.done(cameras=len(page))
    return JSONResponse(
        matrix_json(
            found,
            {name: latest[name] for name in page},
            step,
            _zone(context, zone).key,
            total=len(latest),
            next_=page[-1] if len(left) > len(page) else None,
        )
    )


def _search(
    context: RequestContext,
    wanted: CameraFilter,
    span: Timespan,
    *,
    limit: int,
    cursor: str | None,
    format_: str,
) -> Response:
    _begin(context, wanted, span, Act.CAMERAS_SEARCH, {})
    city = _city(context, wanted, span)
    now = context.services.clock.now()
    found = find(
        context.services.index,
        city.stays,
        wanted,
        span,
        cameras=city.states,
        held=_held(context, span),
        now=now,
        districts=city.districts,
        limit=limit,
        cursor=cursor,
    )
    context.done(cameras=len(found.cameras))
    areas = context.services.areas
    if format_ == "geojson":
        return JSONResponse(found_geojson(found, span, now, areas), media_type=GEOJSON)
    return JSONResponse(found_json(found, span, now, areas))


def _begin(
    context: RequestContext, wanted: CameraFilter, span: Timespan, act: Act, more: Mapping[str, str]
) -> None:
    """Put the question on record, and refuse a span without an answer."""
    context.begin(act, *(wanted.cameras or ()), details={**span_details(span), **details_of(wanted), **more})
    check_span(span, context.services.clock.now())


@dataclass(frozen=True, slots=True)
class _City:
    """All cameras as the caller may know of them: ``districts`` are those whose stays count; None for all."""

    stays: Mapping[str, tuple[Stay, ...]]
    states: Mapping[str, CameraState]
    districts: Sequence[str] | None


def _city(context: RequestContext, wanted: CameraFilter, span: Timespan) -> _City:
    """The cameras, after a check of those that are named. Raises NotFound ``camera_not_found``."""
    services, named = context.services, wanted.cameras or ()
    known = services.directory.cameras()
    if any(name not in known for name in named):
        for name in named:
            camera_facts(services, name)
        services.directory.changed()
        known = services.directory.cameras()
    stays = context.runtime.stays.stays(known)
    districts = context.principal.district_filter(context.action)
    cameras = CameraFilter(cameras=named)
    context.access.searched(named, lambda: {one.camera for one in sightings(stays, cameras, span, districts)})
    return _City(stays, {name: _state(one) for name, one in known.items()}, districts)


def _state(one: Registered) -> CameraState:
    return CameraState(one.camera.registered_at, is_disabled=one.camera.disabled)


def _held(context: RequestContext, span: Timespan) -> Mapping[str, SpanSet] | None:
    """What is held. That a case keeps footage is as confidential as the hold itself."""
    if Reach.ALL not in context.principal.reach("holds.read"):
        return None
    return held_spans(context.services.index, span)


def _zone(context: RequestContext, zone: Zone) -> ZoneInfo:
    return context.services.settings.zone if zone is Zone.CITY else ZoneInfo("UTC")
