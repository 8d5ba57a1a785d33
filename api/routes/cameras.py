"""Cameras: list, look, add, edit, disable, enable."""

from typing import Annotated, Protocol

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.acts import Act
from api.auth.permissions import Reach
from api.cameras import all_cameras
from api.parameters import CameraId
from api.places import WhereAsked
from api.routing import add_json
from api.schemas.camera import CameraIn, CameraOut, CameraPatch, CamerasOut, Reason
from api.visit import Visit, require
from archive.errors import Malformed
from archive.model.camera import Camera, public_json


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras and what is under it."""
    one, tag = "/v1/cameras/{camera}", "cameras"
    add_json(router, "GET", "/v1/cameras", list_cameras, CamerasOut, tag=tag)
    add_json(router, "POST", "/v1/cameras", add_camera, CameraOut, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_camera, CameraOut, 404, tag=tag)
    add_json(router, "PATCH", one, edit_camera, CameraOut, 404, 409, 413, tag=tag)
    add_json(router, "POST", f"{one}/disable", disable_camera, CameraOut, 404, 409, 413, tag=tag)
    add_json(router, "POST", f"{one}/enable", enable_camera, CameraOut, 404, 409, 413, tag=tag)


def list_cameras(
    visit: Annotated[Visit, require("cameras.read", Reach.OWN, Reach.FACTS)], where: WhereAsked
) -> JSONResponse:
    """Every registered camera that passes the filters, by id, at the place where it stands now."""
    access = visit.access
    found = [
        access.shown(camera)
        for camera in all_cameras(visit.services.index)
        if where.admits(camera.place) and access.admits(camera.place)
    ]
    return JSONResponse({"cameras": [public_json(camera) for camera in found]})


def get_camera(
    visit: Annotated[Visit, require("cameras.read", Reach.OWN, Reach.FACTS)], camera: CameraId
) -> JSONResponse:
    """One camera."""
    # Begun and never done: only a refusal goes on record, and one that hides a camera as one that misses it.
    visit.begin(Act.ACCESS, camera, details={"action": visit.action})
    return JSONResponse(public_json(visit.access.camera(camera)))


def add_camera(visit: Annotated[Visit, require("cameras.edit", Reach.OWN)], form: CameraIn) -> JSONResponse:
    """Register a camera; its timeline begins now."""
    visit.begin(Act.CAMERA_CHANGE, form.id)
    visit.access.district(form.kecamatan)
    camera = visit.services.registry.add(form.form(), actor=visit.principal.id, reason=form.reason)
    where = f"{visit.services.settings.base_path}/v1/cameras/{camera.id}"
    return JSONResponse(public_json(camera), status_code=201, headers={"Location": where})


def edit_camera(
    visit: Annotated[Visit, require("cameras.edit", Reach.OWN)], camera: CameraId, patch: CameraPatch
) -> JSONResponse:
    """Change some fields of a camera."""
    visit.begin(Act.CAMERA_CHANGE, camera)
    changes = patch.changes()
    visit.access.change(camera, changes.get("kecamatan"))
    if not changes:
        raise Malformed("nothing is to be changed", code="nothing_to_change", hint="Name a field.")
    edited = visit.services.registry.edit(camera, changes, actor=visit.principal.id, reason=patch.reason)
    return JSONResponse(public_json(edited))


def disable_camera(
    visit: Annotated[Visit, require("cameras.edit", Reach.OWN)], camera: CameraId, why: Reason
) -> JSONResponse:
    """Stop recording a camera; its timeline goes on as a gap of cause ``disabled``."""
    return _switched(visit, camera, visit.services.registry.disable, why)


def enable_camera(
    visit: Annotated[Visit, require("cameras.edit", Reach.OWN)], camera: CameraId, why: Reason
) -> JSONResponse:
    """Record a disabled camera again."""
    return _switched(visit, camera, visit.services.registry.enable, why)


class _Switch(Protocol):
    def __call__(self, camera_id: str, /, *, actor: str, reason: str) -> Camera: ...


def _switched(visit: Visit, camera: CameraId, switch: _Switch, why: Reason) -> JSONResponse:
    visit.begin(Act.CAMERA_CHANGE, camera)
    visit.access.change(camera, None)
    return JSONResponse(public_json(switch(camera, actor=visit.principal.id, reason=why.reason)))
