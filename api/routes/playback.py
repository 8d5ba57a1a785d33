"""Playback: playlists of a span, and the pieces that they name (HLS, RFC 8216bis).

A playlist opens a recorded session; every URL in it carries the session's id, and all pieces are recorded
together when the session ends. Pieces are whole segments: a playlist shows a little more than the span.

``master.m3u8`` names a playlist to play and one of keyframes to scrub, both in one session. Only within a
session do playlists grow while their span is not over: a player reloads them, and each reload outside a
session would be another playback on record.

A playlist of viewing copies names the same segments as H.264, made while they are sent and never stored.

Sound is in a playlist that is asked for with it, if its span is over and every segment has it: a player that
was given sound stops where a segment has none. ``master.m3u8`` names a playlist with sound where that is so.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
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
from api.piece_addresses import (
    Listening,
    Listing,
    in_session,
    keyframe_lister,
    listened,
    stored_segments,
    viewing_copies,
)
from api.playback import PieceEnd, check_bound
from api.ranges import ByteRange
from api.request_context import RequestContext, require, span_details
from api.routing import add_bytes, add_document
from api.statements import gap_headers, other_headers
from api.transfer import Representation, send
from archive.errors import Malformed, NotFound
from archive.footage.clip.keyframes import KeyframeSegment
from archive.footage.clip.sent import Source, after, heard_through, seen_through
from archive.footage.clip.viewing import ViewingSegment, heard_together, pictures_of, viewing_init
from archive.footage.mp4.header import SegmentHeader
from archive.footage.reader import Reading
from archive.ids import check_run
from archive.model.segment import SegmentRef
from archive.timespan import HOUR, Timespan, format_instant

MEDIA_TYPE = "video/mp4"
COPY_TYPE = "video/mp2t"


Sound = Annotated[
    Listening,
    Query(description="Whether to keep the sound, if every segment has it. Clips and packages always do."),
]

MAX_GROWING = 6 * HOUR
"""A growing playlist is kept in memory, so its span is shorter than a finished one's may be."""

MAX_KEYFRAMES = HOUR
"""A playlist of keyframes needs the header of every segment, and so does one with sound."""

Session = Annotated[
    str, Query(description="The session's id, as the playlist gives it.", pattern=r"^[A-Za-z0-9_-]{0,32}$")
]


@dataclass(frozen=True, slots=True)
class _Asked:
    camera: str
    run: str
    seq: int
    session: str
    sound: Listening


async def _asked_segment(
    camera: CameraId,
    run: Annotated[str, Path(max_length=16)],
    seq: Annotated[int, Path(ge=0, le=10**9)],
    session: Session = "",
    sound: Sound = Listening.LEFT_OUT,
) -> _Asked:
    return _Asked(camera, check_run(run), seq, session, sound)


SegmentAsked = Annotated[_Asked, Depends(_asked_segment)]


def add_routes(router: APIRouter) -> None:
    """Add the routes of playlists and pieces."""
    camera, tag = "/v1/cameras/{camera}", "playback"
    for name, endpoint in (
        ("master", get_master), ("playlist", get_playlist), ("keyframes", get_keyframe_playlist),
    ):  # fmt: skip
        add_document(router, f"{camera}/{name}.m3u8", endpoint, hls.MEDIA_TYPE, 404, 409, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/init.mp4", get_init, MEDIA_TYPE, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/media.m4s", get_media, MEDIA_TYPE, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/copy.ts", get_copy, COPY_TYPE, tag=tag)
    add_bytes(router, f"{camera}/segments/{{run}}/{{seq}}/keyframes.m4s", get_keyframes, MEDIA_TYPE, tag=tag)


def get_master(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
) -> Response:
    """The playlist that names the span's other two: one to play, one of keyframes to scrub."""
    reading = _reading(context, camera, span, context.services.settings.max_playlist)
    if hls.settled_until(reading) < span.end:
        _check_length(span, MAX_GROWING)
    session = _opened(context, reading)
    carried = {**span.to_json(), **in_session(context, session)}
    query = urlencode(carried)
    headers = _headers_by_codec(context, reading)
    first = next(iter(headers.values()))
    heard = first.sound is not None and _has_sound(context, reading)
    text = hls.master_playlist(
        hls.Variant(
            media=hls.Resource(f"playlist.m3u8?{urlencode({**carried, **listened(heard)})}"),
            keyframes=hls.Resource(f"keyframes.m3u8?{query}") if span.duration <= MAX_KEYFRAMES else None,
            bandwidth=hls.highest_rate(reading.shown),
            codecs=[header.codec_string for header in headers.values()],
            width=first.width,
            height=first.height,
            sound=first.sound.codec_string if heard and first.sound is not None else None,
        )
    )
    return _playlist(text, reading)


def get_playlist(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    session: Session = "",
    picture: Annotated[
        Listing,
        Query(description="The footage as stored, or viewing copies in H.264, which are no evidence."),
    ] = Listing.ORIGINAL,
    sound: Sound = Listening.LEFT_OUT,
) -> Response:
    """A playlist of the segments that overlap the span, with wall times, discontinuities and gaps.

    With the session that ``master.m3u8`` gave it grows until the span is over. ``Saksi-Sound`` says whether
    sound that was asked for is in it.
    """
    view = viewing_copies if picture is Listing.VIEWING_COPY else stored_segments
    reading = _reading(context, camera, span, context.services.settings.max_playlist, picture)

    def text_of(growing: hls.Growing) -> str:
        listed = hls.whole_segments(view(in_session(context, session), growing.firsts))
        return growing.text(reading, listed)

    grown = _grown(context, reading, session, f"media {picture}", hls.Growing, text_of)
    if grown is not None:
        return _with_sound(_playlist(grown, reading), sound, Listening.LEFT_OUT)
    session = session or _opened(context, reading, picture)
    heard = sound is Listening.KEPT and picture is Listing.ORIGINAL and _has_sound(context, reading)
    carried = {**in_session(context, session), **listened(heard)}
    answer = _playlist(hls.vod_playlist(reading, view(carried, {})), reading)
    return _with_sound(answer, sound, Listening.KEPT if heard else Listening.LEFT_OUT)


def get_keyframe_playlist(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    session: Session = "",
) -> Response:
    """A playlist of the keyframes in those segments, each at its wall time, for scrubbing. It grows alike."""
    reading = _reading(context, camera, span, MAX_KEYFRAMES)

    def text_of(growing: hls.Growing) -> str:
        listed = keyframe_lister(context, growing.news(reading), session, growing.firsts)
        return growing.text(reading, listed)

    grown = _grown(context, reading, session, "keyframes", hls.Growing.of_keyframes, text_of)
    if grown is not None:
        return _playlist(grown, reading)
    session = session or _opened(context, reading)
    listed = keyframe_lister(context, reading.shown, session, {})
    return _playlist(hls.keyframe_playlist(reading, listed), reading)


def get_init(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: SegmentAsked,
) -> Response:
    """The initialisation (``ftyp`` and ``moov``) of a segment's run."""
    _, header, record = _segment(context, asked)
    record = replace(record, span_of=lambda _start, _length: None)  # it shows nothing
    init = viewing_init(_listening(header, asked))
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
    gives their number. Sound is left out unless it is asked for. Clips and packages never leave anything out.
    """
    ref, stored, record = _segment(context, asked)
    header = _listening(stored, asked)
    if ref.gop == "open" or header is not stored:
        viewed = ViewingSegment(ref, header, context.services.stores.footage)
        shown = Representation(
            size=viewed.size,
            etag=f'"{ref.sha256}-{"v" if header is stored else "p"}"',
            media_type=MEDIA_TYPE,
            headers={"Saksi-Skipped-Frames": str(viewed.skipped)},
            stream=viewed.stream,
        )
        source: Source = viewed.source_of
    else:
        shown = _as_stored(context, ref, len(header.init))
        source = after(len(header.init))
    seen, heard = seen_through(ref, header, source), heard_through(ref, header, source)
    return send(context, request, shown, replace(record, span_of=seen, heard_of=heard))


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


def get_keyframes(
    context: Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)],
    request: Request,
    asked: SegmentAsked,
) -> Response:
    """A segment's keyframes, each as a ``moof`` and ``mdat`` of its own; the playlist gives their ranges."""
    ref, header, record = _segment(context, asked)
    found = KeyframeSegment(ref, header, context.services.stores.footage)
    shown = Representation(
        size=found.size,
        etag=f'"{ref.sha256}-k"',
        media_type=MEDIA_TYPE,
        headers={},
        stream=found.stream,
    )
    return send(context, request, shown, replace(record, span_of=found.span_of))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Records a piece under its session.

    ``span_of`` tells the wall time that bytes show: start, length; ``heard_of`` that of their sound. Both are
    asked about those that were really sent. ``copied`` is the segment that a viewing copy was made of.
    """

    context: RequestContext
    asked: _Asked
    span_of: Callable[[int, int], Timespan | None]
    copied: SegmentRef | None = None
    heard_of: Callable[[int, int], Timespan | None] = lambda _start, _length: None

    def looked(self, etag: str, status: int) -> None:
        """Record the session; no bytes were sent."""
        self._take()(0, None, None, None)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Record the session's start, durably; return the function to call at the end."""
        end = self._take()

        def tell(sent: Sent) -> None:
            span = heard = None
            if sent.bytes_sent:
                span, heard = (of(part.start, sent.bytes_sent) for of in (self.span_of, self.heard_of))
            end(sent.bytes_sent, span, self.copied, heard)

        return tell

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
    check_bound(asked.session, context.actor, asked.camera, context.purpose)
    header = context.runtime.clips.headers.read(ref)
    return ref, header, _Piece(context, asked, lambda _start, _length: ref.span)


def _reading(
    context: RequestContext, camera: str, span: Timespan, longest: int, picture: Listing = Listing.ORIGINAL
) -> Reading:
    """The segments and gaps of a span that the caller may play; the attempt is on record from here on."""
    context.begin(Act.PLAYBACK, camera, details={**span_details(span), **_as(picture)})
    _check_length(span, longest)
    access = context.access
    access.footage(camera, span)
    return access.playable(context.runtime.clips.reading(camera, span))


def _check_length(span: Timespan, longest: int) -> None:
    if span.duration > longest:
        raise Malformed(
            "the span is too long for one playlist",
            code="playlist_too_long",
            hint=f"Ask for at most {longest // HOUR} h at a time.",
        )


def _opened(context: RequestContext, reading: Reading, picture: Listing = Listing.ORIGINAL) -> str:
    """A new session for a reading. Raises NoFootage, before a session is opened in vain."""
    hls.check_playable(reading)
    playback = context.runtime.playback
    return playback.open(context.actor, reading.camera, context.purpose, reading.span, _as(picture))


def _as(picture: Listing) -> dict[str, str]:
    """What custody says of it: nothing of the footage as it is stored."""
    return {"picture": picture.value} if picture is Listing.VIEWING_COPY else {}


def _grown(
    context: RequestContext,
    reading: Reading,
    session: str,
    kind: str,
    made: Callable[[], hls.Growing],
    text_of: Callable[[hls.Growing], str],
) -> str | None:
    """The session's growing playlist of one kind; None outside a session, and for a span that is over.

    Raises:
        Refused: ``playback_of_another``.
        Malformed: ``playlist_too_long``.
    """
    if not session:
        return None
    span = reading.span
    check_bound(session, context.actor, reading.camera, context.purpose)
    is_over = hls.settled_until(reading) >= span.end
    if not is_over:
        _check_length(span, MAX_GROWING)
    return context.runtime.playback.grown(
        session,
        context.actor,
        reading.camera,
        context.purpose,
        name=f"{kind} {format_instant(span.start)} {format_instant(span.end)}",
        made=made,
        is_over=is_over,
        text_of=text_of,
    )


def _playlist(text: str, reading: Reading) -> Response:
    headers = {**gap_headers(reading.gaps), **other_headers(reading.others)}
    return Response(text, media_type=hls.MEDIA_TYPE, headers=headers)


def _headers_by_codec(context: RequestContext, reading: Reading) -> Mapping[str, SegmentHeader]:
    """The header of the first segment of each codec in a reading."""
    firsts = {ref.codec: ref for ref in reversed(reading.shown)}
    return {codec: context.runtime.clips.headers.read(ref) for codec, ref in firsts.items()}


def _with_sound(answer: Response, asked: Listening, given: Listening) -> Response:
    """The answer, which says what became of sound that was asked for."""
    if asked is Listening.KEPT:
        answer.headers["Saksi-Sound"] = given.value
    return answer


def _listening(header: SegmentHeader, asked: _Asked) -> SegmentHeader:
    """The header of the segment as it is asked for: with its sound, or without."""
    return header if asked.sound is Listening.KEPT else pictures_of(header)


def _has_sound(context: RequestContext, reading: Reading) -> bool:
    """Whether a playlist of a reading can have sound. It cannot grow then, and reads every header."""
    if reading.span.duration > MAX_KEYFRAMES or hls.settled_until(reading) < reading.span.end:
        return False
    with closing(context.runtime.clips.headers.read_all(reading.shown)) as headers:
        return heard_together(header for _, header in headers)


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
