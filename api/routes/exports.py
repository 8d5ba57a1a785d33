"""Exports: order, follow, pause, continue, cancel and fetch them. Each belongs to who ordered it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.camera_then import CameraHistories
from api.parameters import camera_ids, instant
from api.request_context import RequestContext, require, span_details
from api.routing import add_bytes, add_json
from api.schemas.exports import ExportChangeIn, ExportIn, ExportList, ExportOut
from api.several import check_all, seen_all
from api.statements import interval, named
from api.transfer import Download, Representation, send
from archive.cases.exports.model import ExportStatus, check_order, export_json
from archive.cases.exports.package import StoredPart, check_fetchable, export_zip
from archive.footage.download.bulk import footage_bytes
from archive.footage.download.naming import several
from archive.footage.reader import check_span
from archive.ids import check_name
from archive.model.camera import Camera
from archive.timespan import Timespan

Exporting = Annotated[RequestContext, require("clips.download", Reach.OWN, Reach.GRANTED)]


def add_routes(router: APIRouter) -> None:
    """Add /v1/exports and its subpaths."""
    one, tag = "/v1/exports/{export_id}", "exports"
    add_json(router, "POST", "/v1/exports", order_export, ExportOut, 404, 409, 413, status=202, tag=tag)
    add_json(router, "GET", "/v1/exports", list_exports, ExportList, tag=tag)
    add_json(router, "GET", one, get_export, ExportOut, 404, tag=tag)
    add_json(router, "POST", f"{one}/status", change_export, ExportOut, 404, 409, 413, tag=tag)
    add_bytes(router, f"{one}/export.zip", download_export, "application/zip", tag=tag)


async def asked_export(
    export_id: Annotated[str, Path(description="exp-<24 hex digits>", max_length=40)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("export", export_id)


ExportId = Annotated[str, Depends(asked_export)]


def order_export(context: Exporting, form: ExportIn) -> JSONResponse:
    """Order the clips of many cameras and hours; a worker makes them, and they are kept for a day."""
    cameras = camera_ids(form.cameras, context.services.settings.max_cameras)
    span = Timespan(instant("from", form.start), instant("to", form.end))
    context.begin(Act.EXPORT_ORDER, *cameras, details=span_details(span))
    now = context.services.clock.now()
    check_span(span, now)
    check_order(len(cameras), span, now)
    check_all(context.access, cameras, span)
    size = footage_bytes([one.reading for one in seen_all(context.runtime.clips, cameras, span)])
    export = context.services.exports.order(
        context.principal.id, context.purpose, cameras, span, footage_bytes=size
    )
    context.objects = (export.order.id, *cameras)
    where = f"{context.services.settings.base_path}/v1/exports/{export.order.id}"
    return JSONResponse(export_json(export), status_code=202, headers={"Location": where})


def list_exports(context: Exporting) -> JSONResponse:
    """The caller's own exports, the newest first."""
    context.begin(Act.EXPORT_READ)
    found = context.services.exports.exports_of(context.principal.id)
    context.done(results=len(found))
    return JSONResponse({"exports": [export_json(export) for export in found]})


def get_export(context: Exporting, export_id: ExportId) -> JSONResponse:
    """One export and how much of it is made."""
    context.begin(Act.EXPORT_READ, export_id)
    export = context.services.exports.find(context.principal.id, export_id)
    context.done(status=export.state.status.value)
    return JSONResponse(export_json(export))


def change_export(context: Exporting, export_id: ExportId, form: ExportChangeIn) -> JSONResponse:
    """Pause, continue or cancel an export; the worker looks between two clips."""
    context.begin(Act.EXPORT_CHANGE, export_id, details={"status": form.status})
    export = context.services.exports.change(context.principal.id, export_id, ExportStatus(form.status))
    return JSONResponse(export_json(export))


def download_export(context: Exporting, request: Request, export_id: ExportId) -> Response:
    """A finished export as one ZIP without compression; always the same bytes, so it can be continued.

    It is refused once the right to its footage ended, and once its footage was destroyed or completed.
    """
    context.begin(Act.EXPORT_DOWNLOAD, export_id)
    services, clips = context.services, context.runtime.clips
    export = services.exports.find(context.principal.id, export_id)
    order = export.order
    context.begin(Act.EXPORT_DOWNLOAD, export_id, *order.cameras, details=span_details(order.span))
    check_all(context.access, order.cameras, order.span)
    check_fetchable(export, frozenset(services.exports.parts(order)), clips.etag_of)
    histories = CameraHistories(services.registry.history)

    def camera_of(name: str) -> Camera:
        seen = clips.seen(name, Timespan(order.span.start, order.span.start + 1))
        return histories.then(seen.newest, seen.version, order.span.start)

    made = export_zip(export, services.stores.cache, camera_of, services.settings.zone)
    name = several(len(order.cameras), order.span, services.settings.zone)
    return send(
        context,
        request,
        Representation(
            size=made.size,
            etag=made.etag,
            media_type="application/zip",
            headers={"Saksi-Asked": interval(order.span), "Content-Disposition": named(name, ".zip")},
            stream=made.stream,
            footage_us=made.footage_us,
            cameras_in=lambda start, length: dict.fromkeys(
                part.camera for part in made.parts_in(start, length) if isinstance(part, StoredPart)
            ),
        ),
        Download(context, Act.EXPORT_READ),
    )
