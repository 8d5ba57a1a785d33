"""Playback: a playlist of a span, and the pieces that it names (HLS, RFC 8216bis).

The playlist opens a recorded session; every URL in it carries the session's id, and all pieces are recorded
together when the session ends. Pieces are whole segments: a playlist shows a little more than the span.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api import hls
from api.audit import Act
from api.auth.permissions import Reach
from api.footage import Sent
from api.parameters import CameraId, asked_span
from api.playback import PieceEnd
from api.ranges import ByteRange
from api.request_context import RequestContext, require, span_details
from api.routing import add_bytes, add_document
from api.statements import gap_headers, other_headers
from api.transfer import Representation, send
from archive.errors import Malformed, NotFound
from archive.footage.clip.viewing import ViewingSegment, viewing_init
from archive.footage.mp4.header import SegmentHeader
from archive.ids import check_run
from archive.model.segment import SegmentRef
from archive.timespan import HOUR, Timespan

MEDIA_TYPE = "video/mp4"
COPY_TYPE = "video/mp2t"


class Picture(StrEnum):
    """What a playlist lists: the footage as it is stored, or viewing copies of it in H.264."""

    ORIGINAL = "original"
    VIEWING_COPY = "viewing_copy"


Session = Annotated[
    str, Query(description="The session's id, as the playlist gives it.", pattern=r"^[A-Za-z0-9_-]{0,32}$")
]


@dataclass(frozen=True, slots=True)
class _Asked:
    camera: str
    run: str
    seq: int
    session: str


async def _asked_segment(
    camera: CameraId,
    run: Annotated[str, Path(max_length=16)],
    seq: Annotated[int, Path(ge=0, le=10**9)],
    session: Session = "",
) -> _Asked:
    return _Asked(camera, check_run(run), seq, session)


SegmentAsked = Annotated[_Asked, Depends(_asked_segment)]


def add_routes(router: APIRouter) -> None:
    """Add the routes of playlists and pieces."""
    camera, tag = "/v1/cameras/{camera}", "playback"
    add_document(router, f"{camera}/playlist.m3u8", get_playlist, hls.MEDIA_TYPE, 404, 409, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/init.mp4", get_init, MEDIA_TYPE, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/media.m4s", get_media, MEDIA_TYPE, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/copy.ts", get_copy, COPY_TYPE, tag=tag)


def get_playlist(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    picture: Annotated[
        Picture,
        Query(description="The footage as stored, or viewing copies in H.264, which are no evidence."),
    ] = Picture.ORIGINAL,
) -> Response:
    """A playlist of the segments that overlap the span, with wall times, discontinuities and gaps."""
    context.begin(Act.PLAYBACK, camera, details={**span_details(span), **_as(picture)})
    longest = context.services.settings.max_playlist
    if span.duration > longest:
        raise Malformed(
            "the span is too long for one playlist",
            code="playlist_too_long",
            hint=f"Ask for at most {longest // HOUR} h at a time.",
        )
    access = context.access
    access.footage(camera, span)
    reading = access.trim(context.runtime.clips.reading(camera, span))
    hls.check_playable(reading)  # before a session is opened in vain
    session = context.runtime.playback.open(context.actor, camera, context.purpose, span, _as(picture))
    purpose = context.purpose if context.principal.is_person else ""
    query = urlencode({"session": session} | ({"purpose": purpose} if purpose else {}))
    text = hls.vod_playlist(reading, _copies(query) if picture is Picture.VIEWING_COPY else _viewer(query))
    return Response(
        text,
        media_type=hls.MEDIA_TYPE,
        headers={**gap_headers(reading.gaps), **other_headers(reading.others)},
    )


def get_init(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: SegmentAsked,
) -> Response:
    """The initialisation (``ftyp`` and ``moov``) of a segment's run."""
    _, header, record = _segment(context, asked)
    init = viewing_init(header)
    shown = Representation(
        size=len(init),
        etag=f'"{sha256(init).hexdigest()}"',
        media_type=MEDIA_TYPE,
        headers={},
        stream=lambda start, length: iter((init[start : start + length],)),
    )
    return send(context, request, shown, record)


def get_media(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: SegmentAsked,
) -> Response:
    """A segment's ``moof`` and ``mdat`` for a player.

    With an open GOP the leading pictures are left out, since players fail on them: ``Saksi-Skipped-Frames``
    gives their number. Clips and packages never leave anything out.
    """
    ref, header, record = _segment(context, asked)
    if ref.gop == "open":
        viewed = ViewingSegment(ref, header, context.services.stores.footage)
        shown = Representation(
            size=viewed.size,
            etag=f'"{ref.sha256}-v"',
            media_type=MEDIA_TYPE,
            headers={"Saksi-Skipped-Frames": str(viewed.skipped)},
            stream=viewed.stream,
        )
    else:
        shown = _as_stored(context, ref, len(header.init))
    return send(context, request, shown, record)


def get_copy(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: SegmentAsked,
) -> Response:
    """A viewing copy of a segment: H.264 in MPEG-TS, made now and stored nowhere. It is no evidence.

    It is for browsers that cannot decode the camera's codec. Its pictures have the original's times.
    """
    ref, _, record = _segment(context, asked)
    made = context.runtime.copies.copy(ref)
    shown = Representation(
        size=len(made.media),
        etag=f'"{sha256(made.media).hexdigest()}"',
        media_type=COPY_TYPE,
        headers={"Saksi-Skipped-Frames": str(made.skipped), "Saksi-Transcoded": "h264"},
        stream=lambda start, length: iter((made.media[start : start + length],)),
    )
    return send(context, request, shown, replace(record, copied=ref))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Records a piece under its session; ``copied`` is the segment that a viewing copy was made of."""

    context: RequestContext
    asked: _Asked
    span: Timespan | None
    copied: SegmentRef | None = None

    def looked(self, etag: str, status: int) -> None:
        """Record the session; no bytes were sent."""
        self._take()(0, None, None)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Record the session's start, durably; return the function to call at the end."""
        end = self._take()
        return lambda sent: end(sent.bytes_sent, self.span, self.copied)

    def _take(self) -> PieceEnd:
        context = self.context
        return context.runtime.playback.take(
            self.asked.session, context.actor, self.asked.camera, context.purpose
        )


def _segment(context: RequestContext, asked: _Asked) -> tuple[SegmentRef, SegmentHeader, _Piece]:
    context.begin(Act.PLAYBACK, asked.camera, details={"run": asked.run, "seq": asked.seq})
    ref = context.services.index.segment(asked.run, asked.seq)
    now = context.services.clock.now()
    known = ref is not None and ref.camera == asked.camera
    context.access.footage(asked.camera, ref.span if ref is not None and known else Timespan(now, now + 1))
    if ref is None or not known:
        raise NotFound(
            f"camera {asked.camera} has no segment {asked.seq} of run {asked.run}",
            code="segment_not_found",
            hint="Fetch the playlist again; the footage may have been disposed of.",
        )
    header = context.runtime.clips.headers.read(ref)
    return ref, header, _Piece(context, asked, ref.span)


def _as_stored(context: RequestContext, ref: SegmentRef, init_bytes: int) -> Representation:
    footage = context.services.stores.footage
    return Representation(
        size=ref.size - init_bytes,
        etag=f'"{ref.sha256}"',
        media_type=MEDIA_TYPE,
        headers={},
        stream=lambda start, length: footage.stream(
            ref.key, init_bytes + start, length, version=ref.version or None
        ),
    )


def _as(picture: Picture) -> dict[str, str]:
    """What custody says of it: nothing of the footage as it is stored."""
    return {"picture": picture.value} if picture is Picture.VIEWING_COPY else {}


def _viewer(query: str) -> Callable[[SegmentRef], hls.View]:
    """URLs relative to the playlist's; one initialisation for each run.

    They carry a person's purpose, so that each piece has one even if the process was restarted.
    """
    firsts: dict[str, int] = {}

    def view(ref: SegmentRef) -> hls.View:
        first = firsts.setdefault(ref.run, ref.seq)
        return hls.View(
            init=hls.Resource(f"segments/{ref.run}/{first}/init.mp4?{query}"),
            media=hls.Resource(f"segments/{ref.run}/{ref.seq}/media.m4s?{query}"),
        )

    return view


def _copies(query: str) -> Callable[[SegmentRef], hls.View]:
    """As :func:`_viewer`, for viewing copies, which need no initialisation."""
    return lambda ref: hls.View(None, hls.Resource(f"segments/{ref.run}/{ref.seq}/copy.ts?{query}"))
