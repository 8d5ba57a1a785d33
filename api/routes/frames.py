"""Single pictures: the keyframe at or before an instant, as JPEG. For viewing; never the exhibit."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId, instant
from api.ranges import is_unmodified
from api.request_context import RequestContext, require
from api.routing import BINARY, add_document
from archive.footage.clip.exact import no_footage
from archive.timespan import Timespan, format_instant


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras/{camera}/frame.jpg."""
    path = "/v1/cameras/{camera}/frame.jpg"
    add_document(router, path, get_frame, "image/jpeg", 304, 404, 409, tag="frames", schema=BINARY)


def get_frame(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    camera: CameraId,
    at: Annotated[str, Query(description="RFC 3339 with an offset.", examples=["2026-11-24T14:00:00+08:00"])],
    width: Annotated[int, Query(ge=16, le=3840, description="The width in pixels, at most.")] = 1280,
) -> Response:
    """The last keyframe at or before an instant; ``Saksi-Frame-At`` gives its time."""
    moment = instant("at", at)
    context.begin(Act.FRAME_VIEW, camera, details={"at": format_instant(moment), "width": width})
    access = context.access
    access.footage(camera, Timespan(moment, moment + 1))
    reading = context.runtime.clips.reading(camera, Timespan(moment, moment + 1))
    if not reading.segments:
        raise no_footage(reading)
    ref = reading.shown[-1]
    etag = f'"{ref.sha256}-{moment}-{width}"'
    if is_unmodified(request.headers.get("if-none-match"), etag):
        context.done(status=304)
        return Response(status_code=304, headers={"ETag": etag})
    still = context.runtime.frames.still(ref, moment, width)
    # The keyframe is from an earlier instant, which the caller may not be permitted to see.
    access.footage(camera, Timespan(still.instant, moment + 1))
    context.done(bytes=len(still.jpeg), frame_at=format_instant(still.instant))
    headers = {"ETag": etag, "Saksi-Frame-At": format_instant(still.instant)}
    return Response(still.jpeg, media_type="image/jpeg", headers=headers)
