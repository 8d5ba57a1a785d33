"""Which cameras and recorders work now, and the compliance list of the cameras' permits."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.archive_health import fixity_json
from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import camera_ids, none_given
from api.places import WhereAsked
from api.request_context import RequestContext, require
from api.routing import add_document, add_json
from api.schemas.camera_health import ArchiveHealthOut, CamerasHealthPage, ComplianceOut, RecordersHealthOut
from api.statements import attachment
from archive.canonical import JsonObject
from archive.model.areas import Areas
from archive.model.camera import Camera
from archive.records.camera_health import CameraHealth, CameraState, counts
from archive.records.indexed.marks import turn_at
from archive.records.recorder_health import recorder_json
from archive.timespan import SECOND, format_instant
from search.compliance import Compliance, RetentionVerdict, compliance, compliance_csv
from search.health import day_of, gaps_of_day, health_of

MAX_PAGE = 1000
CSV = "text/csv"
_MOST_DAYS = 1_000_000
"""More than any retention, so that a number of days has as many digits as another one."""


def add_routes(router: APIRouter) -> None:
    """Add /v1/health and its subpaths."""
    tag = "health"
    add_json(router, "GET", "/v1/health/cameras", list_camera_health, CamerasHealthPage, tag=tag)
    add_json(router, "GET", "/v1/health/recorders", list_recorder_health, RecordersHealthOut, tag=tag)
    add_json(router, "GET", "/v1/health/archive", get_archive_health, ArchiveHealthOut, tag=tag)
    add_json(router, "GET", "/v1/health/compliance", list_compliance, ComplianceOut, tag=tag)
    add_document(router, "/v1/health/compliance.csv", get_compliance_csv, CSV, tag=tag)


Licensing = Annotated[RequestContext, require("compliance.read", Reach.OWN)]


class HealthOrder(StrEnum):
    """In which order cameras come."""

    ID = "id"
    TROUBLE = "trouble"


class HealthDetail(StrEnum):
    """How much an answer has of each camera."""

    FULL = "full"
    STATES = "states"


def list_camera_health(
    context: Annotated[RequestContext, require("health.read", Reach.OWN)],
    where: WhereAsked,
    state: Annotated[
        list[CameraState],
        Query(default_factory=none_given, description="Only cameras in this state; may be repeated."),
    ],
    camera: Annotated[
        list[str],
        Query(default_factory=none_given, description="Only these cameras, by id; may be repeated."),
    ],
    order: Annotated[
        HealthOrder,
        Query(description="'trouble': cameras that their recorder's own trouble explains come last."),
    ] = HealthOrder.ID,
    detail: Annotated[
        HealthDetail,
        Query(description="'states': of all cameras that pass the filters only the state, without pages."),
    ] = HealthDetail.FULL,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=65, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """What every camera does now, by id; a camera without proof that its footage grows is not recording."""
    services = context.services
    now = services.clock.now()
    names = frozenset(camera_ids(camera, services.settings.max_cameras))
    known = [one.camera for one in services.directory.cameras().values()]
    found = health_of(services.index, filter(_admits(context, where), known), now)
    matching = {
        key: one
        for one in found
        if (not state or one.state in state)
        and (not names or one.camera.id in names)
        and (key := _key(one, order)) > cursor
    }
    keys = sorted(matching)
    states = None
    if detail is HealthDetail.STATES:
        states = _by_state(matching[key] for key in keys)
        keys = []
    page = [matching[key] for key in keys[:limit]]
    gaps = gaps_of_day(services.index, page, day_of(now, services.settings.zone))
    cameras = [
        one.to_json()
        | {"gaps_today_seconds": {cause: us // SECOND for cause, us in sorted(gaps[one.camera.id].items())}}
        for one in page
    ]
    return JSONResponse(
        {
            "as_of": format_instant(now),
            "counts": {one.value: number for one, number in counts(found).items()},
            "districts": _districts(found, services.areas),
            "states": states,
            "cameras": cameras,
            "next": keys[limit - 1] if len(keys) > limit else None,
        }
    )


def _key(one: CameraHealth, order: HealthOrder) -> str:
    """By which a camera is sorted; no two cameras have the same."""
    return one.camera.id if order is HealthOrder.ID else f"{int(one.is_of_recorder)}/{one.camera.id}"


def _by_state(found: Iterable[CameraHealth]) -> dict[str, list[str]]:
    """The ids of cameras by their state."""
    states: dict[str, list[str]] = {}
    for one in found:
        states.setdefault(one.state.value, []).append(one.camera.id)
    return states


def _districts(found: Iterable[CameraHealth], areas: Areas) -> list[JsonObject]:
    """How the cameras of each district do, by its code."""
    by_code: dict[str, list[CameraHealth]] = {}
    for one in found:
        by_code.setdefault(one.camera.place.kecamatan, []).append(one)
    return [
        {
            "kecamatan": code,
            "kecamatan_name": areas.name(code),
            "counts": {state.value: number for state, number in counts(some).items()},
            "causes": dict(sorted(Counter(one.cause for one in some if one.is_bad).items())),
        }
        for code, some in sorted(by_code.items())
    ]


def list_recorder_health(context: Annotated[RequestContext, require("health.read")]) -> JSONResponse:
    """Every recorder by its last heartbeat, with its troubles; a recorder that was never seen is not here."""
    now = context.services.clock.now()
    beats = context.services.index.heartbeats()
    return JSONResponse(
        {"as_of": format_instant(now), "recorders": [recorder_json(beat, now) for beat in beats]}
    )


def get_archive_health(context: Annotated[RequestContext, require("health.read")]) -> JSONResponse:
    """How far the scrub of the footage is, and how far the index follows the archive."""
    services = context.services
    now = services.clock.now()
    followed = turn_at(services.index)
    return JSONResponse(
        {
            "as_of": format_instant(now),
            "fixity": fixity_json(services.fixity.status()),
            "index_followed_seconds_ago": None if followed is None else (now - followed) / SECOND,
        }
    )


class ComplianceOrder(StrEnum):
    """In which order cameras come."""

    ID = "id"
    WORST = "worst"


def list_compliance(
    context: Licensing,
    where: WhereAsked,
    verdict: Annotated[
        list[RetentionVerdict],
        Query(default_factory=none_given, description="Only cameras with this verdict; may be repeated."),
    ],
    order: Annotated[
        ComplianceOrder, Query(description="'worst': what is kept shortest beside its promise comes first.")
    ] = ComplianceOrder.ID,
    limit: Annotated[int | None, Query(ge=1, le=MAX_PAGE, description="Default all.")] = None,
    cursor: Annotated[str, Query(max_length=72, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Every camera with its permit: registered, integrated, silent, retention promised against kept."""
    found = _compliance(context, where)
    judged = Counter(one.verdict for one in found)
    left = {
        key: one
        for one in found
        if (not verdict or one.verdict in verdict) and (key := _place(one, order)) > cursor
    }
    keys = sorted(left)
    page = keys[:limit]
    return JSONResponse(
        {
            "counts": {one.value: judged[one] for one in RetentionVerdict},
            "permits": {
                "registered": sum(one.is_permitted for one in found),
                "missing": sum(one.is_permitted and not one.is_there for one in found),
            },
            "cameras": [left[key].to_json() for key in page],
            "next": page[-1] if len(keys) > len(page) else None,
        }
    )


def _place(one: Compliance, order: ComplianceOrder) -> str:
    """By which a camera is sorted; no two cameras have the same."""
    return one.id if order is ComplianceOrder.ID else f"{_MOST_DAYS - one.short_by:07d}/{one.id}"


def get_compliance_csv(context: Licensing, where: WhereAsked) -> Response:
    """The same list as CSV."""
    body = compliance_csv(_compliance(context, where))
    return Response(body, media_type=CSV, headers={"Content-Disposition": attachment("kepatuhan-kamera.csv")})


def _compliance(context: RequestContext, where: WhereAsked) -> list[Compliance]:
    """The list, on record before it is answered: it names the owners of cameras."""
    services = context.services
    now = services.clock.now()
    context.begin(Act.COMPLIANCE_READ, details=where.details())
    book = services.policies.book()
    found = compliance(
        services.index,
        _admits(context, where),
        lambda camera: book.ruling(camera.id, camera.place, now),
        now,
    )
    context.done(cameras=len(found))
    return found


def _admits(context: RequestContext, where: WhereAsked) -> Callable[[Camera], bool]:
    access = context.access
    return lambda camera: where.admits(camera.place) and access.admits(camera.place)
