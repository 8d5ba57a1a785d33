"""Cameras as tables: GeoJSON out, CSV or GeoJSON in."""

from enum import Enum
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.camera_tables import plan_json
from api.places import WhereAsked
from api.request_context import RequestContext, require
from api.routes.cameras import listed
from api.routing import add_document
from api.schemas.camera import ImportOut
from api.schemas.problem import problem_responses
from archive.canonical import JsonObject, sha256_hex
from archive.errors import Malformed
from archive.footage.exchange.geojson import MEDIA_TYPE, read_geojson, to_geojson
from archive.footage.exchange.importing import Existing, Import
from archive.footage.exchange.rows import Table
from archive.footage.exchange.spreadsheet import read_csv
from archive.model.camera import Camera

IMPORT = "/v1/cameras/import"
_READERS = {"text/csv": read_csv, MEDIA_TYPE: read_geojson, "application/json": read_geojson}


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras.geojson and /v1/cameras/import."""
    add_document(
        router, "/v1/cameras.geojson", export_cameras, MEDIA_TYPE, tag="cameras", schema={"type": "object"}
    )
    tags: list[str | Enum] = ["cameras"]
    content: dict[str, Any] = {
        "text/csv": {"schema": {"type": "string"}},
        MEDIA_TYPE: {"schema": {"type": "object"}},
    }
    router.add_api_route(
        IMPORT,
        import_cameras,
        methods=["POST"],
        tags=tags,
        responses={200: {"model": ImportOut}, **problem_responses(409, 413, 415)},
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )


def export_cameras(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)], where: WhereAsked
) -> Response:
    """The cameras of the list as a GeoJSON FeatureCollection (RFC 7946), one point each."""
    return JSONResponse(to_geojson(listed(context, where)), media_type=MEDIA_TYPE)


async def import_cameras(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    request: Request,
    dry_run: Annotated[bool, Query(description="Say what would happen; write nothing.")] = False,
    update: Annotated[
        bool, Query(description="Change cameras that are registered; without it such rows are refused.")
    ] = False,
    reason: Annotated[
        str,
        Query(
            max_length=200,
            description="Why; kept with each change. A camera that moves needs it.",
            examples=["Sensus CCTV 2026"],
        ),
    ] = "",
) -> JSONResponse:
    """Register cameras from a CSV or GeoJSON table, and change them with ``update``; row by row.

    A row that cannot be taken is refused with its line, field and cause; the other rows are taken. A field
    whose column is left out stays as it is; so does a source that is blank or as exports show it.
    """
    context.begin(Act.CAMERA_IMPORT, details={"dry_run": int(dry_run), "update": int(update)})
    read = _READERS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if read is None:
        raise Malformed(
            "a table of cameras is CSV or GeoJSON",
            code="import_type",
            hint=f"Send Content-Type: text/csv or {MEDIA_TYPE}.",
        )
    try:
        body = await request.body()
    except ClientDisconnect as error:
        raise Malformed("the table of cameras was cut short", code="import_cut_short") from error
    existing = Existing.UPDATE if update else Existing.REFUSE

    def answer() -> JsonObject:
        table = read(body)
        context.details["sha256"] = sha256_hex(body)
        return _imported(context, table, existing, reason, dry_run=dry_run)

    return JSONResponse(await to_thread.run_sync(answer))


def _imported(
    context: RequestContext, table: Table, existing: Existing, reason: str, *, dry_run: bool
) -> JsonObject:
    services = context.services

    def admits(before: Camera | None, after: Camera) -> None:
        access = context.access
        if before is None:
            access.district(after.place.kecamatan)
        else:
            access.change(before.id, after.place.kecamatan)

    work = Import(
        registry=services.registry,
        existing=existing,
        reason=reason,
        box=services.city_box,
        areas=services.areas,
        admits=admits,
    )
    plan = work.plan(table)
    if not dry_run:
        try:
            plan = work.carry_out(plan, actor=context.principal.id)
        finally:
            services.directory.changed()
    context.done(added=len(plan.added), changed=len(plan.changed), refused=len(plan.refused))
    return plan_json(plan, dry_run=dry_run)
