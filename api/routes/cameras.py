"""Cameras: list, read, add, edit, disable, enable.

A single camera is read from the ledger, which is authoritative; lists come from the index, which may be a
moment behind.
"""

from typing import Annotated, Protocol

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId
from api.places import WhereAsked
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require
from api.routing import add_json
from api.schemas.camera import CameraIn, CameraOut, CameraPatch, CamerasOut, Reason
from archive.errors import Malformed
from archive.model.camera import Camera, public_json


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras and its subpaths."""
    one, tag = "/v1/cameras/{camera}", "cameras"
    add_json(router, "GET", "/v1/cameras", list_cameras, CamerasOut, tag=tag)
    add_json(router, "POST", "/v1/cameras", add_camera, CameraOut, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_camera, CameraOut, 304, 404, tag=tag)
    add_json(router, "PATCH", one, edit_camera, CameraOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/disable", disable_camera, CameraOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/enable", enable_camera, CameraOut, *CHANGE, tag=tag)


def list_cameras(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)], where: WhereAsked
) -> JSONResponse:
    """Every registered camera that passes the filters, by id; filters apply to its present place."""
    access = context.access
    found = [
        access.shown(known.camera)
        for known in context.services.directory.cameras().values()
        if where.admits(known.camera.place) and access.admits(known.camera.place)
    ]
    return JSONResponse({"cameras": [public_json(camera) for camera in found]})


def get_camera(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)],
    request: Request,
    camera: CameraId,
) -> Response:
    """One camera."""
    # Begun but never recorded as done: only refusals are recorded, for hidden and for missing cameras alike.
    context.begin(Act.ACCESS, camera, details={"action": context.action})
    head = context.services.registry.head(camera)
    return read_answer(request, head.entry.version, public_json(context.access.found(head.camera)))


def add_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)], form: CameraIn
) -> JSONResponse:
    """Register a camera; its timeline begins now."""
    context.begin(Act.CAMERA_CHANGE, form.id)
    context.access.district(form.kecamatan)
    camera = context.services.registry.add(form.form(), actor=context.principal.id, reason=form.reason)
    context.services.directory.changed()
    where = f"{context.services.settings.base_path}/v1/cameras/{camera.id}"
    return JSONResponse(public_json(camera), status_code=201, headers={"Location": where, **tagged(1)})


def edit_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    patch: CameraPatch,
) -> JSONResponse:
    """Change some fields of a camera."""
    context.begin(Act.CAMERA_CHANGE, camera)
    changes = patch.changes()
    context.access.change(camera, changes.get("kecamatan"))
    if not changes:
        raise Malformed("no field is to be changed", code="nothing_to_change", hint="Name a field.")
    with decided_on():
        edited = context.services.registry.edit(
            camera, changes, actor=context.principal.id, reason=patch.reason, expected=version
        )
    context.services.directory.changed()
    return JSONResponse(public_json(edited), headers=tagged(version + 1))


def disable_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    why: Reason,
) -> JSONResponse:
    """Stop recording a camera; its timeline continues as a gap of cause ``disabled``."""
    return _switched(context, camera, context.services.registry.disable, version, why)


def enable_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    why: Reason,
) -> JSONResponse:
    """Record a disabled camera again."""
    return _switched(context, camera, context.services.registry.enable, version, why)


class _Switch(Protocol):
    def __call__(self, camera_id: str, /, *, actor: str, reason: str, expected: int) -> Camera: ...


def _switched(
    context: RequestContext, camera: str, switch: _Switch, version: int, why: Reason
) -> JSONResponse:
    context.begin(Act.CAMERA_CHANGE, camera)
    context.access.change(camera, None)
    with decided_on():
        switched = switch(camera, actor=context.principal.id, reason=why.reason, expected=version)
    context.services.directory.changed()
    return JSONResponse(public_json(switched), headers=tagged(version + 1))
