"""Exact clips: the MP4 itself, and its description."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId, asked_span
from api.problems import gaps_json
from api.request_context import RequestContext, require, span_details
from api.routing import add_bytes, add_json
from api.schemas.clip import ClipOut
from api.statements import attachment, clip_headers, compact
from api.transfer import Download, Representation, send
from archive.canonical import JsonObject
from archive.footage.clip.exact import NoFootage
from archive.timespan import Timespan, format_instant


def add_routes(router: APIRouter) -> None:
    """Add /v1/cameras/{camera}/clip.mp4 and /v1/cameras/{camera}/clip."""
    tag = "clips"
    add_bytes(router, "/v1/cameras/{camera}/clip.mp4", download_clip, "video/mp4", tag=tag)
    add_json(router, "GET", "/v1/cameras/{camera}/clip", describe_clip, ClipOut, 404, tag=tag)


def download_clip(
    context: Annotated[RequestContext, require("clips.download", Reach.OWN, Reach.GRANTED)],
    request: Request,
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
) -> Response:
    """The exact clip ``[from, to)`` as MP4: nothing re-encoded, the same bytes for the same request."""
    context.begin(Act.CLIP_DOWNLOAD, camera, details=span_details(span))
    context.access.footage(camera, span)
    _, clip = context.runtime.clips.clip(camera, span)
    zone = context.services.settings.zone
    name = f"saksi_{camera}_{compact(span.start, zone)}_{compact(span.end, zone)}.mp4"
    query = f"from={format_instant(span.start)}&to={format_instant(span.end)}"
    where = f"{context.services.settings.base_path}/v1/cameras/{camera}/clip?{query}"
    shown = Representation(
        size=clip.size,
        etag=clip.etag,
        media_type="video/mp4",
        headers={**clip_headers(clip, described_at=where), "Content-Disposition": attachment(name)},
        stream=clip.stream,
    )
    return send(context, request, shown, Download(context, Act.CLIP_DESCRIBE))


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
        return JSONResponse(_nothing(span, error))
    if digest == "none":
        described = {**clip.outline(), "sha256": None}
    else:
        described = clip.describe()
    context.done(frames=clip.frames, etag=clip.etag)
    return JSONResponse(described)


def _nothing(span: Timespan, error: NoFootage) -> JsonObject:
    return {
        "asked": {"from": format_instant(span.start), "to": format_instant(span.end)},
        "actual": None,
        "hidden_preroll_us": 0,
        "hidden_tail_us": 0,
        "frames": 0,
        "hidden_frames": 0,
        "bytes": 0,
        "sha256": None,
        "pieces": [],
        "gaps": gaps_json(error.gaps),
        "others": [],
    }
