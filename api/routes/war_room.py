"""The call for the War Room's software: playable history of several cameras over one window."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse

from api.audit import Act
from api.auth.access import Access
from api.auth.permissions import Reach
from api.cameras import disabled_cameras, registered_cameras
from api.history import MAX_VIEWED, Addresses, Facts, camera_json, facts_then
from api.parameters import asked_span, camera_ids, none_given
from api.places import WhereAsked
from api.request_context import RequestContext, require, span_details
from api.routing import add_json
from api.schemas.war_room import HistoryOut
from archive.errors import Malformed, NotFound, Refused
from archive.footage.reader import check_span
from archive.ids import check_name
from archive.model.areas import Level
from archive.timespan import HOUR, SpanSet, Timespan, format_instant
from search.coverage import recordings, with_pauses
from search.held import held_spans
from search.query import MAX_FILTER

MAX_CAMERAS = 100
USUAL_CAMERAS = 25

Cameras = Annotated[
    list[str],
    Query(
        default_factory=none_given,
        alias="camera",
        description="Camera ids; may be repeated. Default all.",
    ),
]
Kelurahan = Annotated[
    list[str],
    Query(
        default_factory=none_given,
        description="Kelurahan, by code or name, in which a camera stood; may be repeated.",
        max_length=MAX_FILTER,
        examples=[["73.71.01.1001"]],
    ),
]


def add_routes(router: APIRouter) -> None:
    """Add /v1/war-room/history."""
    add_json(router, "GET", "/v1/war-room/history", get_history, HistoryOut, 404, tag="war room")


def get_history(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    span: Annotated[Timespan, Depends(asked_span)],
    where: WhereAsked,
    camera: Cameras,
    kelurahan: Kelurahan,
    limit: Annotated[int, Query(ge=1, le=MAX_CAMERAS, description="Cameras in one answer.")] = USUAL_CAMERAS,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous answer.")] = "",
) -> JSONResponse:
    """Each camera's history in a window, and where to play it: facts, coverage, gaps, holds, links.

    Cameras are named, or found by place (where they stood then). The answer does not reveal that a camera
    exists whose footage the caller may not see. Cameras come in pages, by id.
    """
    access, services = context.access, context.services
    named = camera_ids(camera, services.settings.max_cameras)
    kelurahan = list(services.areas.codes(Level.KELURAHAN, kelurahan))
    places = {"kelurahan": ",".join(kelurahan)} if kelurahan else {}
    context.begin(
        Act.RECORDINGS_SEARCH,
        *named,
        details={**span_details(span), **where.details(), **places, "for": "war_room"},
    )
    _check(span, services.settings.max_playlist, services.clock.now())
    after = check_name("camera", cursor) if cursor else ""
    for one in named:
        access.footage(one, span)
    where = access.narrowed(where) if not named else where
    query = where.query(span, named)
    registered = registered_cameras(services, query, where)
    candidates = (one for one in sorted(registered) if one > after)
    known = ((one, facts_then(services, one, span, access.admits)) for one in candidates)
    stood = (pair for pair in known if not kelurahan or _stood(pair[1], frozenset(kelurahan)))
    facts = dict(islice(stood, limit + 1))
    page = list(facts)[:limit]
    context.objects = tuple(page) or named
    asked = replace(query, cameras=tuple(page))
    found = recordings(
        services.index,
        asked,
        registered={one: registered[one] for one in page},
        disabled=disabled_cameras(services),
        now=services.clock.now(),
    )
    found = with_pauses(services.index, asked, found)
    # That a case keeps footage is as confidential as the hold itself.
    sees_holds = Reach.ALL in context.principal.reach("holds.read")
    held = held_spans(services.index, span) if sees_holds else None
    purpose = context.purpose if context.principal.is_person else ""
    addresses = Addresses(services.settings, span, purpose)
    may_play = _may_play(context, span)
    answer = {
        "from": format_instant(span.start),
        "to": format_instant(span.end),
        "asked_at": format_instant(services.clock.now()),
        "cameras": [
            camera_json(
                one,
                facts=facts[one],
                found=found,
                held=None if held is None else held.get(one, SpanSet()),
                addresses=addresses,
                areas=services.areas,
                may_play=may_play(one),
            )
            for one in page
        ],
        "view": addresses.view(page[:MAX_VIEWED]) if page else None,
        "next": page[-1] if len(facts) > len(page) else None,
    }
    context.done(cameras=len(page))
    return JSONResponse(answer)


def _check(span: Timespan, longest: int, now: int) -> None:
    check_span(span, now)
    if span.duration > longest:
        raise Malformed(
            "the window is too long for one answer",
            code="history_too_long",
            hint=f"Ask for at most {longest // HOUR} h at a time, one call for each day.",
        )


def _stood(facts: Iterable[Facts], kelurahan: frozenset[str]) -> bool:
    return any(one.camera.place.kelurahan in kelurahan for one in facts)


def _may_play(context: RequestContext, span: Timespan) -> Callable[[str], bool]:
    """A test whether the whole window of a camera may be played; a denial is not recorded as a refusal."""
    access = Access(context.services, context.principal, context.action, lambda _why: None)

    def may_play(camera: str) -> bool:
        try:
            access.footage(camera, span)
        except (NotFound, Refused):
            return False
        return True

    return may_play
