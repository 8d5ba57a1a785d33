"""Which cameras and recorders work now, and the compliance list of the cameras' permits."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.archive_health import fixity_json
from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import none_given
from api.places import WhereAsked
from api.request_context import RequestContext, require
from api.routing import add_document, add_json
from api.schemas.camera_health import ArchiveHealthOut, CamerasHealthPage, ComplianceOut, RecordersHealthOut
from api.statements import attachment
from archive.model.camera import Camera
from archive.records.camera_health import CameraState, counts
from archive.records.indexed.marks import turn_at
from archive.records.recorder_health import recorder_json
from archive.timespan import SECOND, format_instant
from search.compliance import Compliance, compliance, compliance_csv
from search.health import day_of, gaps_of_day, health_of

MAX_PAGE = 1000
CSV = "text/csv"


def add_routes(router: APIRouter) -> None:
    """Add /v1/health and its subpaths."""
    tag = "health"
    add_json(router, "GET", "/v1/health/cameras", list_camera_health, CamerasHealthPage, tag=tag)
    add_json(router, "GET", "/v1/health/recorders", list_recorder_health, RecordersHealthOut, tag=tag)
    add_json(router, "GET", "/v1/health/archive", get_archive_health, ArchiveHealthOut, tag=tag)
    add_json(router, "GET", "/v1/health/compliance", list_compliance, ComplianceOut, tag=tag)
    add_document(router, "/v1/health/compliance.csv", get_compliance_csv, CSV, tag=tag)


Licensing = Annotated[RequestContext, require("compliance.read", Reach.OWN)]


def list_camera_health(
    context: Annotated[RequestContext, require("health.read", Reach.OWN)],
    where: WhereAsked,
    state: Annotated[
        list[CameraState],
        Query(default_factory=none_given, description="Only cameras in this state; may be repeated."),
    ],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """What every camera does now, by id; a camera without proof that its footage grows is not recording."""
    services = context.services
    now = services.clock.now()
    known = [one.camera for one in services.directory.cameras().values()]
    found = health_of(services.index, filter(_admits(context, where), known), now)
    matching = sorted(
        (one for one in found if (not state or one.state in state) and one.camera.id > cursor),
        key=lambda one: one.camera.id,
    )
    page = matching[:limit]
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
            "cameras": cameras,
            "next": page[-1].camera.id if len(matching) > limit else None,
        }
    )


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


def list_compliance(context: Licensing, where: WhereAsked) -> JSONResponse:
    """Every camera with its permit: registered, integrated, silent, retention promised against kept."""
    found = _compliance(context, where)
    return JSONResponse({"cameras": [one.to_json() for one in found]})


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
