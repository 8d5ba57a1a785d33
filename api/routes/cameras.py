"""Cameras: list, read, add, edit, disable, enable, allow sound, and where each stood.

A single camera is read from the ledger, which is authoritative; lists come from the index, which may be a
moment behind. The index holds no owner's name: it is personal data, and reading it is recorded.
"""

from collections.abc import Iterator
from typing import Annotated, Protocol

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.moves import moves_json
from api.parameters import CameraId
from api.places import Where, WhereAsked
from api.preconditions import CHANGE, Version, decided_on, list_answer, read_answer, tagged
from api.request_context import RequestContext, require
from api.routing import add_json
from api.schemas.camera import (
    AudioApproval,
    AudioIn,
    CameraIn,
    CameraOut,
    CameraPatch,
    CamerasOut,
    MovesOut,
    Reason,
)
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.moves import stays_of
from archive.model.areas import Level
from archive.model.camera import Camera, full_json, public_json
from archive.model.sound_permission import Audio


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras and its subpaths."""
    one, tag = "/v1/cameras/{camera}", "cameras"
    add_json(router, "GET", "/v1/cameras", list_cameras, CamerasOut, 304, tag=tag)
    add_json(router, "POST", "/v1/cameras", add_camera, CameraOut, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_camera, CameraOut, 304, 404, tag=tag)
    add_json(router, "PATCH", one, edit_camera, CameraOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/disable", disable_camera, CameraOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/enable", enable_camera, CameraOut, *CHANGE, tag=tag)
    add_json(router, "PUT", f"{one}/audio", set_audio, CameraOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/audio/approve", approve_audio, CameraOut, *CHANGE, tag=tag)
    add_json(router, "GET", f"{one}/moves", list_moves, MovesOut, 404, tag=tag)


def list_cameras(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)],
    request: Request,
    where: WhereAsked,
) -> Response:
    """Every registered camera that passes the filters, by id; filters apply to its present place.

    A reader who has the list already (`If-None-Match`) gets a 304 instead of it.
    """
    texts, access = context.runtime.camera_texts, context.access
    found = [texts.of(camera, access) for camera in _admitted(context, where)]
    return list_answer(request, b'{"cameras":[' + b",".join(found) + b"]}")


def listed(context: RequestContext, where: Where) -> list[JsonObject]:
    """The cameras that the caller may know of and that stand where the filters look, as lists show them."""
    access, areas = context.access, context.services.areas
    return [public_json(access.shown(camera), areas) for camera in _admitted(context, where)]


def _admitted(context: RequestContext, where: Where) -> Iterator[Camera]:
    access = context.access
    for known in context.services.directory.cameras().values():
        place = known.camera.place
        if where.admits(place) and access.admits(place):
            yield known.camera


def get_camera(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)],
    request: Request,
    camera: CameraId,
) -> Response:
    """One camera. Its owner's name is shown to those who may see more than public facts."""
    # Recorded as done only if it shows a person's name: else only refusals are, for hidden and for missing
    # cameras alike.
    context.begin(Act.ACCESS, camera, details={"action": context.action})
    head = context.services.registry.head(camera)
    shown = context.access.found(head.camera)
    if shown.details.owner_name:
        context.begin(Act.CAMERA_READ, camera)
        context.done()
    return read_answer(request, head.entry.version, _shown(context, shown))


def add_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)], form: CameraIn
) -> JSONResponse:
    """Register a camera; its timeline begins now."""
    context.begin(Act.CAMERA_CHANGE, form.id)
    context.access.district(_district(context, form.kecamatan))
    camera = context.services.registry.add(form.form(), actor=context.principal.id, reason=form.reason)
    context.services.directory.changed()
    where = f"{context.services.settings.base_path}/v1/cameras/{camera.id}"
    return JSONResponse(_shown(context, camera), status_code=201, headers={"Location": where, **tagged(1)})


def edit_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    patch: CameraPatch,
) -> JSONResponse:
    """Change some fields of a camera."""
    context.begin(Act.CAMERA_CHANGE, camera)
    changes = patch.changes()
    to = changes.get("kecamatan")
    context.access.change(camera, None if to is None else _district(context, to))
    if not changes:
        raise Malformed("no field is to be changed", code="nothing_to_change", hint="Name a field.")
    with decided_on():
        edited = context.services.registry.edit(
            camera, changes, actor=context.principal.id, reason=patch.reason, expected=version
        )
    context.services.directory.changed()
    return JSONResponse(_shown(context, edited), headers=tagged(version + 1))


def disable_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    why: Reason,
) -> JSONResponse:
    """Stop recording a camera; its timeline continues as a gap of cause ``disabled``."""
    return _switched(context, camera, context.services.registry.disable, version, why.reason)


def enable_camera(
    context: Annotated[RequestContext, require("cameras.edit", Reach.OWN)],
    camera: CameraId,
    version: Version,
    why: Reason,
) -> JSONResponse:
    """Record a disabled camera again."""
    return _switched(context, camera, context.services.registry.enable, version, why.reason)


def set_audio(
    context: Annotated[RequestContext, require("cameras.audio", Reach.OWN)],
    camera: CameraId,
    version: Version,
    asked: AudioIn,
) -> JSONResponse:
    """Propose that a camera's sound be recorded, or record it no longer.

    `keep` changes nothing until a second administrator approves it. `none` holds at once for new footage and
    drops a proposal; what is recorded stays as it is. A camera that is moved or gets another device is
    `none` until sound is allowed anew.
    """
    registry = context.services.registry
    switch = registry.propose_sound if asked.audio is Audio.KEEP else registry.end_sound
    return _switched(context, camera, switch, version, asked.reason)


def approve_audio(
    context: Annotated[RequestContext, require("cameras.audio", Reach.OWN)],
    camera: CameraId,
    version: Version,
    why: AudioApproval,
) -> JSONResponse:
    """Record a camera's sound from now on, as another administrator proposed."""
    return _switched(context, camera, context.services.registry.allow_sound, version, why.reason)


def list_moves(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)], camera: CameraId
) -> JSONResponse:
    """Where a camera stood and looked, from when until when, oldest first; from the ledger.

    District staff see its stays in their districts. Who moved it and why is shown to those who may see more
    than public facts.
    """
    context.begin(Act.ACCESS, camera, details={"action": context.action})
    access = context.access
    access.found(context.services.registry.camera(camera))
    stays = stays_of(context.services.registry.history(camera))
    moves = moves_json([one for one in stays if access.admits(one.camera.place)], context.services.areas)
    if access.sees_more_than_facts:
        return JSONResponse({"camera": camera, "moves": moves})
    return JSONResponse({"camera": camera, "moves": [{**one, "by": None, "reason": None} for one in moves]})


def _shown(context: RequestContext, camera: Camera) -> JsonObject:
    return full_json(camera, context.services.areas)


def _district(context: RequestContext, text: str) -> str:
    """The code of a district to register in; any other text stays, for the registry to refuse."""
    return context.services.areas.found(Level.KECAMATAN, text) or text


class _Switch(Protocol):
    def __call__(self, camera_id: str, /, *, actor: str, reason: str, expected: int) -> Camera: ...


def _switched(
    context: RequestContext, camera: str, switch: _Switch, version: int, reason: str
) -> JSONResponse:
    context.begin(Act.CAMERA_CHANGE, camera)
    context.access.change(camera, None)
    with decided_on():
        switched = switch(camera, actor=context.principal.id, reason=reason, expected=version)
    context.services.directory.changed()
    return JSONResponse(_shown(context, switched), headers=tagged(version + 1))
