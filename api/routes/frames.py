"""Single pictures: the keyframe at or before an instant, as JPEG. For viewing; never the exhibit."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId, asked_span, instant
from api.ranges import is_unmodified
from api.request_context import RequestContext, require, span_details
from api.routing import BINARY, add_document
from api.sheets import make_sheet, sheet_etag
from api.statements import gap_headers
from archive.errors import Malformed
from archive.footage.clip.exact import all_gaps, no_footage
from archive.footage.clip.footage import read_header
from archive.footage.sheet.keyframes import Keyframes
from archive.footage.sheet.plan import MOST_COLUMNS, MOST_TILES, slots_of
from archive.timespan import HOUR, SECOND, Timespan, format_instant


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras/{camera}/frame.jpg and contact-sheet.jpg."""
    path = "/v1/cameras/{camera}/frame.jpg"
    add_document(router, path, get_frame, "image/jpeg", 304, 404, 409, tag="frames", schema=BINARY)
    path = "/v1/cameras/{camera}/contact-sheet.jpg"
    add_document(router, path, get_contact_sheet, "image/jpeg", 304, 404, 409, tag="frames", schema=BINARY)


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


def get_contact_sheet(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    columns: Annotated[int, Query(ge=1, le=MOST_COLUMNS, description="Pictures in a row.")] = 4,
    tiles: Annotated[int, Query(ge=1, le=MOST_TILES, description="Pictures in all.")] = 16,
) -> Response:
    """A contact sheet: evenly spaced keyframes of a span with their times, and gaps hatched, with the cause.

    For viewing, never the exhibit. Each picture has its own time, which is before the middle of its part.
    """
    context.begin(
        Act.FRAME_VIEW, camera, details={**span_details(span), "for": "contact_sheet", "tiles": tiles}
    )
    settings = context.services.settings
    if not SECOND <= span.duration <= settings.max_playlist:
        raise Malformed(
            f"a contact sheet of {span.duration // SECOND} s is not made",
            code="bad_sheet_span",
            hint=f"Request 1 s to {settings.max_playlist // HOUR} h.",
        )
    access = context.access
    access.footage(camera, span)
    reading = context.runtime.clips.reading(camera, span)
    if not reading.segments:
        raise no_footage(reading)
    slots = slots_of(reading, tiles)
    etag = sheet_etag(reading, slots, columns)
    if is_unmodified(request.headers.get("if-none-match"), etag):
        context.done(status=304)
        return Response(status_code=304, headers={"ETag": etag})
    keyframes = Keyframes(lambda ref: read_header(ref, context.services.stores.footage))
    sheet = make_sheet(context.runtime.frames, keyframes, reading, slots, columns, settings.zone)
    if sheet.instants:
        # A keyframe may be from before the span, which the caller may not be permitted to see.
        access.footage(camera, Timespan(min(span.start, *sheet.instants), span.end))
    context.done(bytes=len(sheet.jpeg), frames=len(sheet.instants))
    headers = {"ETag": etag, "Saksi-Frames": str(len(sheet.instants)), **gap_headers(all_gaps(reading))}
    return Response(sheet.jpeg, media_type="image/jpeg", headers=headers)
