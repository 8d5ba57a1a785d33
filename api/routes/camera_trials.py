"""Connection tests of cameras: a recorder tries a source and answers. The API itself reaches no camera.

A test belongs to who asked for it. No answer, event or log has the user name, password or query of a source.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.request_context import RequestContext, require
from api.routing import BINARY, add_document, add_json
from api.schemas.camera_trials import CameraTrialIn, CameraTrialOut
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.trials import Trial, check_trial_id, trial_json
from archive.ids import check_name
from archive.model.camera import Camera

JPEG = "image/jpeg"
SOON = "1"
"""Seconds after which to ask again."""

Tester = Annotated[RequestContext, require("cameras.edit", Reach.OWN)]


def add_routes(router: APIRouter) -> None:
    """Add /v1/camera-trials and its subpaths."""
    one, tag = "/v1/camera-trials/{trial_id}", "cameras"
    add_json(router, "POST", "/v1/camera-trials", order_trial, CameraTrialOut, 404, 413, status=202, tag=tag)
    add_json(router, "GET", one, get_trial, CameraTrialOut, 404, tag=tag)
    add_document(router, f"{one}/still.jpg", get_still, JPEG, 404, tag=tag, schema=BINARY)


async def asked_trial(
    trial_id: Annotated[
        str,
        Path(description="trial-<24 hex digits>", max_length=40, examples=["trial-0123456789abcdef01234567"]),
    ],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_trial_id(trial_id)


TrialId = Annotated[str, Depends(asked_trial)]


def order_trial(context: Tester, form: CameraTrialIn) -> JSONResponse:
    """Have a recorder try a camera, or a source that no camera has yet; the answer comes within seconds.

    Ask the address in `Location` until the status is neither `waiting` nor `taken`.
    """
    registry = context.services.registry
    camera = check_name("camera", form.camera) if form.camera else ""
    if not camera and not form.source:
        raise Malformed(
            "neither a camera nor a source is named", code="nothing_to_try", hint="Name one of them."
        )
    context.begin(Act.CAMERA_TRIAL, *([camera] if camera else []))
    if camera:
        context.access.change(camera, None)
    if form.source:
        shown, sealed = registry.sealed(form.source)
    else:
        shown, sealed = _stream_of(registry.camera(camera), form.stream)
    trial = context.services.trials.order(
        context.principal.id, camera=camera, source=shown, sealed_source=sealed
    )
    context.done(trial=trial.id, source=shown)
    where = f"{context.services.settings.base_path}/v1/camera-trials/{trial.id}"
    return JSONResponse(
        _answer(context, trial), status_code=202, headers={"Location": where, "Retry-After": SOON}
    )


def _stream_of(camera: Camera, stream: Literal["main", "sub"]) -> tuple[str, str]:
    """One of its streams, as it may be shown, and sealed. Raises Malformed ``nothing_to_try``."""
    if stream == "main":
        return camera.source, camera.sealed_source
    if camera.sub is None:
        raise Malformed(
            f"camera {camera.id} has no sub stream", code="nothing_to_try", hint="Try its main stream."
        )
    return camera.sub.source, camera.sub.sealed_source


def get_trial(context: Tester, trial_id: TrialId) -> JSONResponse:
    """How far a connection test is, and what the recorder saw."""
    context.begin(Act.ACCESS, trial_id, details={"action": context.action})
    trial = context.services.trials.find(context.principal.id, trial_id)
    return JSONResponse(_answer(context, trial), headers={} if trial.is_over else {"Retry-After": SOON})


def get_still(context: Tester, trial_id: TrialId) -> Response:
    """The picture that the recorder made."""
    context.begin(Act.CAMERA_TRIAL_STILL, trial_id)
    trial = context.services.trials.find(context.principal.id, trial_id)
    picture = context.services.trials.still(context.principal.id, trial_id)
    if trial.camera:
        context.objects = (trial.camera,)
    context.done(source=trial.source, bytes=len(picture))
    return Response(picture, media_type=JPEG)


def _answer(context: RequestContext, trial: Trial) -> JsonObject:
    base = context.services.settings.base_path
    still = f"{base}/v1/camera-trials/{trial.id}/still.jpg" if trial.has_still else None
    return {**trial_json(trial), "still": still}
