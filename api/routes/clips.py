"""Exact clips: the MP4 itself, and its description."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId, asked_span, camera_ids, none_given
from api.request_context import RequestContext, require, span_details
from api.routing import add_bytes, add_json
from api.schemas.clip import ClipOut
from api.several import check_all, seen_all
from api.statements import clip_headers, interval, named, originals_headers
from api.transfer import Download, Representation, send
from archive.errors import Malformed
from archive.footage.clip.exact import NoFootage, check_length, no_clip_json
from archive.footage.download.bulk import check_bulk
from archive.footage.download.naming import several
from archive.timespan import Timespan, format_instant


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras/{camera}/clip.mp4, /v1/cameras/{camera}/clip and /v1/clips.zip."""
    tag = "clips"
    path = "/v1/cameras/{camera}/clip.mp4"
    add_bytes(router, path, download_clip, "video/mp4", "application/zip", tag=tag)
    add_bytes(router, "/v1/clips.zip", download_clips, "application/zip", tag=tag)
    add_json(router, "GET", "/v1/cameras/{camera}/clip", describe_clip, ClipOut, 404, tag=tag)


def download_clip(
    context: Annotated[RequestContext, require("clips.download", Reach.OWN, Reach.GRANTED)],
    request: Request,
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    container: Annotated[
        Literal["mp4", "original"],
        Query(
            description="'mp4': exactly the span. 'original': the untouched segments as a ZIP with hashes; "
            "they are not cut, so there is also footage outside the span."
        ),
    ] = "mp4",
) -> Response:
    """The exact clip ``[from, to)`` as MP4: nothing re-encoded, the same bytes for the same request.

    With ``container=original`` the whole segments of the span, untouched, in a ZIP without compression.
    """
    context.begin(Act.CLIP_DOWNLOAD, camera, details={**span_details(span), "container": container})
    context.access.footage(camera, span)
    query = f"from={format_instant(span.start)}&to={format_instant(span.end)}"
    where = f"{context.services.settings.base_path}/v1/cameras/{camera}/clip?{query}"
    make = _exact if container == "mp4" else _original
    shown = make(context, camera, span, where)
    return send(context, request, shown, Download(context, Act.CLIP_DESCRIBE))


def _exact(context: RequestContext, camera: str, span: Timespan, where: str) -> Representation:
    clips = context.runtime.clips
    seen, clip = clips.clip(camera, span)
    headers = clip_headers(clip, described_at=where)
    return Representation(
        size=clip.size,
        etag=clip.etag,
        media_type="video/mp4",
        headers={**headers, "Content-Disposition": named(clips.name(seen), ".mp4")},
        stream=clip.stream,
        footage_us=clip.footage_us,
    )


def _original(context: RequestContext, camera: str, span: Timespan, where: str) -> Representation:
    check_length(span)
    clips = context.runtime.clips
    seen = clips.seen(camera, span)
    segments = clips.segments(seen.reading)
    context.access.whole(camera, segments)
    made = clips.originals(seen, segments)
    context.details |= {
        **span_details(made.touched),
        "asked_from": format_instant(span.start),
        "asked_to": format_instant(span.end),
    }
    headers = originals_headers(made, described_at=where)
    return Representation(
        size=made.zip.size,
        etag=made.zip.etag,
        media_type="application/zip",
        headers={**headers, "Content-Disposition": named(clips.name(seen), ".zip")},
        stream=made.zip.stream,
        footage_us=made.zip.footage_us,
    )


def download_clips(
    context: Annotated[RequestContext, require("clips.download", Reach.OWN, Reach.GRANTED)],
    request: Request,
    span: Annotated[Timespan, Depends(asked_span)],
    camera: Annotated[
        list[str],
        Query(default_factory=none_given, description="Camera ids; repeated.", examples=[["cam-1", "cam-2"]]),
    ],
) -> Response:
    """The exact clips of several cameras as one ZIP without compression, with hashes and all gaps.

    A camera without footage is named in it. If one may not be had, the whole request is refused.
    """
    cameras = camera_ids(camera, context.services.settings.max_cameras)
    context.begin(Act.CLIP_DOWNLOAD, *cameras, details={**span_details(span), "container": "mp4"})
    if not cameras:
        raise Malformed("no camera is named", code="bad_filter", hint="Give camera=… once or more often.")
    check_bulk(len(cameras), span)
    check_all(context.access, cameras, span)
    clips = context.runtime.clips
    made = clips.bulk(seen_all(clips, cameras, span), span)
    return send(
        context,
        request,
        Representation(
            size=made.zip.size,
            etag=made.zip.etag,
            media_type="application/zip",
            headers={
                "Saksi-Asked": interval(span),
                "Saksi-Cameras": str(len(cameras)),
                "Saksi-Cameras-Without-Footage": str(len(made.empty)),
                "Content-Disposition": named(
                    several(len(cameras), span, context.services.settings.zone), ".zip"
                ),
            },
            stream=made.zip.stream,
            footage_us=made.zip.footage_us,
            cameras_in=made.cameras_in,
        ),
        Download(context, Act.CLIP_DESCRIBE),
    )


def describe_clip(
    context: Annotated[RequestContext, require("clips.read", Reach.OWN, Reach.GRANTED)],
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    digest: Annotated[
        Literal["sha256", "none"],
        Query(description="'none' leaves out the SHA-256, which costs reading the whole clip."),
    ] = "sha256",
) -> JSONResponse:
    """The description of a clip: asked and actual span, hidden footage, pieces with wall times, gaps.

    A span wholly in gaps has no clip (``actual`` and ``sha256`` are null); the answer names the gaps.
    """
    context.begin(Act.CLIP_DESCRIBE, camera, details=span_details(span))
    context.access.footage(camera, span)
    try:
        _, clip = context.runtime.clips.clip(camera, span)
    except NoFootage as error:
        context.done(frames=0)
        return JSONResponse(no_clip_json(span, error.gaps))
    if digest == "none":
        described = {**clip.outline(), "sha256": None}
    else:
        described = clip.describe()
    context.done(frames=clip.frames, etag=clip.etag)
    return JSONResponse(described)
