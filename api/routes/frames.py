"""Single pictures of an instant: the frame on screen then, or the keyframe at or before it.

For viewing; never the exhibit. ``frame.jpg`` is small, ``frame.png`` is the decoded frame without any loss.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.audit import Act
from api.auth.permissions import Reach
from api.frames import Picture
from api.parameters import CameraId, asked_span, instant
from api.ranges import is_unmodified
from api.request_context import RequestContext, require, span_details
from api.routing import BINARY, add_document
from api.sheets import make_sheet, sheet_etag
from api.statements import gap_headers
from archive.errors import Malformed
from archive.footage.clip.exact import all_gaps, earlier_segments, no_footage
from archive.footage.derive import Form, Frame
from archive.footage.reader import Reading
from archive.footage.sheet.keyframes import Keyframes
from archive.footage.sheet.plan import MOST_COLUMNS, MOST_TILES, slots_of
from archive.model.segment import SegmentRef
from archive.timespan import HOUR, SECOND, Timespan, format_instant

UNBOUNDED = "unbounded"
"""The uncertainty of a time that nothing bounds, because the recorder's clock was not synchronised."""


@dataclass(frozen=True, slots=True)
class _Asked:
    camera: str
    moment: int
    width: int


async def _asked_frame(
    camera: CameraId,
    at: Annotated[str, Query(description="RFC 3339 with an offset.", examples=["2026-11-24T14:00:00+08:00"])],
    width: Annotated[int, Query(ge=16, le=3840, description="The width in pixels, at most.")] = 1280,
) -> _Asked:
    return _Asked(camera, instant("at", at), width)


FrameAsked = Annotated[_Asked, Depends(_asked_frame)]
Which = Annotated[
    Picture, Query(description="``exact``: the frame on screen at ``at``; ``keyframe``: the last one before.")
]


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras/{camera}/frame.jpg, frame.png and contact-sheet.jpg."""
    for form, endpoint in (("jpg", get_frame), ("png", get_lossless_frame)):
        path = f"/v1/cameras/{{camera}}/frame.{form}"
        media_type = "image/png" if form == "png" else "image/jpeg"
        add_document(router, path, endpoint, media_type, 304, 404, 409, tag="frames", schema=BINARY)
    path = "/v1/cameras/{camera}/contact-sheet.jpg"
    add_document(router, path, get_contact_sheet, "image/jpeg", 304, 404, 409, tag="frames", schema=BINARY)


def get_frame(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: FrameAsked,
    picture: Which = Picture.KEYFRAME,
) -> Response:
    """A frame as JPEG; ``Saksi-Frame-At`` is its time, ``Saksi-Frame-Uncertainty-Us`` how sure that is."""
    return _answer(context, request, asked, picture, Form.JPEG)


def get_lossless_frame(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: FrameAsked,
) -> Response:
    """The frame on screen at an instant, as PNG without loss; the headers are those of ``frame.jpg``."""
    return _answer(context, request, asked, Picture.EXACT, Form.PNG)


def _answer(
    context: RequestContext, request: Request, asked: _Asked, picture: Picture, form: Form
) -> Response:
    camera, moment, width = asked.camera, asked.moment, asked.width
    context.begin(
        Act.FRAME_VIEW,
        camera,
        details={"at": format_instant(moment), "width": width, "picture": picture.value, "form": form.value},
    )
    access = context.access
    access.footage(camera, Timespan(moment, moment + 1))
    reading = context.runtime.clips.reading(camera, Timespan(moment, moment + 1))
    if not reading.segments:
        raise no_footage(reading)
    ref = reading.shown[-1]
    etag = f'"{ref.sha256}-{moment}-{width}-{picture}-{form}"'
    if is_unmodified(request.headers.get("if-none-match"), etag):
        context.done(status=304)
        return Response(status_code=304, headers={"ETag": etag})
    frame = _frame(context, reading, asked, picture, form)
    # The frame is from another instant, which the caller may not be permitted to see.
    access.footage(camera, _reach(moment, frame.instant))
    context.done(bytes=_sent(request, frame.content), frame_at=format_instant(frame.instant))
    headers = {"ETag": etag, **_statements(ref, frame, picture)}
    return Response(frame.content, media_type=f"image/{form}", headers=headers)


def _frame(context: RequestContext, reading: Reading, asked: _Asked, picture: Picture, form: Form) -> Frame:
    frames, ref = context.runtime.frames, reading.shown[-1]
    before = [
        one
        for one in earlier_segments(reading, context.services.index)
        if (one.run, one.seq) == (ref.run, ref.seq - 1)
    ]
    if picture is Picture.EXACT:
        return frames.exact((*before, ref), asked.moment, width=asked.width, form=form)
    if before:
        # The span begins within leading pictures, which are shown before the keyframe of their segment.
        at = Keyframes(context.runtime.clips.headers.read).at(ref, asked.moment)
        if at is not None and at > asked.moment:
            ref = before[-1]
    return frames.keyframe(ref, asked.moment, width=asked.width)


def _reach(moment: int, shown: int) -> Timespan:
    """From one instant to the other. A run may begin with pictures that are shown before its keyframe."""
    return Timespan(min(moment, shown), max(moment, shown) + 1)


def _sent(request: Request, content: bytes) -> int:
    """The bytes of a picture that leave: HEAD has none."""
    return 0 if request.method == "HEAD" else len(content)


def _statements(ref: SegmentRef, frame: Frame, picture: Picture) -> dict[str, str]:
    uncertainty = ref.uncertainty_us
    return {
        "Saksi-Frame-At": format_instant(frame.instant),
        "Saksi-Frame-Picture": picture.value,
        "Saksi-Frame-Uncertainty-Us": UNBOUNDED if uncertainty is None else str(uncertainty),
    }


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
    keyframes = Keyframes(context.runtime.clips.headers.read)
    sheet = make_sheet(context.runtime.frames, keyframes, reading, slots, columns, settings.zone)
    if sheet.instants:
        # A keyframe may be from outside the span, which the caller may not be permitted to see.
        first, last = min(sheet.instants), max(sheet.instants)
        access.footage(camera, Timespan(min(span.start, first), max(span.end, last + 1)))
    context.done(bytes=_sent(request, sheet.jpeg), frames=len(sheet.instants))
    headers = {"ETag": etag, "Saksi-Frames": str(len(sheet.instants)), **gap_headers(all_gaps(reading))}
    return Response(sheet.jpeg, media_type="image/jpeg", headers=headers)
