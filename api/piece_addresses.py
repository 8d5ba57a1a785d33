"""The addresses that playlists name: of initialisations, segments, viewing copies and keyframes.

They are relative to the playlist's own. Each carries the session under which the piece is recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from urllib.parse import urlencode

from api import hls
from api.request_context import RequestContext
from archive.footage.clip.keyframes import KeyframeSegment
from archive.model.segment import SegmentRef


class Listing(StrEnum):
    """What a playlist lists: the footage as it is stored, or viewing copies of it in H.264."""

    ORIGINAL = "original"
    VIEWING_COPY = "viewing_copy"


class Listening(StrEnum):
    """Whether a playlist has the sound that its segments have."""

    LEFT_OUT = "left_out"
    KEPT = "kept"


def in_session(context: RequestContext, session: str) -> dict[str, str]:
    """What every address of a session carries.

    A person's purpose is in it, so that each piece has one even if the process was restarted.
    """
    purpose = context.purpose if context.principal.is_person else ""
    return {"session": session} | ({"purpose": purpose} if purpose else {})


def stored_segments(carried: Mapping[str, str], firsts: dict[str, int]) -> Callable[[SegmentRef], hls.View]:
    """URLs relative to the playlist's; one initialisation for each run, that of its segment in ``firsts``."""
    inits = _inits(carried, firsts)
    query = urlencode(carried)

    def view(ref: SegmentRef) -> hls.View:
        return hls.View(inits(ref), hls.Resource(f"segments/{ref.run}/{ref.seq}/media.m4s?{query}"))

    return view


def viewing_copies(carried: Mapping[str, str], _firsts: dict[str, int]) -> Callable[[SegmentRef], hls.View]:
    """As :func:`stored_segments`, for viewing copies, which need no initialisation."""
    query = urlencode(carried)
    return lambda ref: hls.View(None, hls.Resource(f"segments/{ref.run}/{ref.seq}/copy.ts?{query}"))


def keyframe_lister(
    context: RequestContext, refs: Sequence[SegmentRef], session: str, firsts: dict[str, int]
) -> hls.Lister:
    """The keyframes of these segments; their headers are read now, in parallel."""
    footage = context.services.stores.footage
    carried = in_session(context, session)
    with closing(context.runtime.clips.headers.read_all(refs)) as headers:
        found = {ref: KeyframeSegment(ref, header, footage) for ref, header in headers}
    inits, query = _inits(carried, firsts), urlencode(carried)

    def listed(ref: SegmentRef) -> hls.Listed:
        url = f"segments/{ref.run}/{ref.seq}/keyframes.m4s?{query}"
        return hls.Listed(
            inits(ref),
            [
                hls.Piece(one.span.start, one.ticks, hls.Resource(url, one.start, one.length))
                for one in found[ref].keyframes
            ],
        )

    return listed


def _inits(carried: Mapping[str, str], firsts: dict[str, int]) -> Callable[[SegmentRef], hls.Resource]:
    query = urlencode(carried)

    def init(ref: SegmentRef) -> hls.Resource:
        first = firsts.setdefault(ref.run, ref.seq)
        return hls.Resource(f"segments/{ref.run}/{first}/init.mp4?{query}")

    return init


def listened(heard: bool) -> dict[str, str]:
    """What the addresses of a playlist with sound carry."""
    return {"sound": Listening.KEPT.value} if heard else {}
