"""Skimming footage: when something happened in a box of the picture, and thumbnails for scrubbing.

Both show what a camera saw, so both need the right to play that footage, and a purpose.
"""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.parameters import CameraId, asked_span
from api.problems import gaps_json
from api.ranges import is_unmodified
from api.request_context import RequestContext, require, span_details
from api.routing import BINARY, add_document, add_json
from api.schemas.skim import ActivityOut, SpritesOut
from api.skim import buckets_json, check_sprites_span, check_step
from archive.errors import NotFound
from archive.footage.clip.exact import all_gaps, no_footage
from archive.footage.reader import check_span
from archive.footage.reader import part_of as within
from archive.footage.skim.box import box_of
from archive.footage.skim.looking import DEFAULT_LIMIT, DEFAULT_THRESHOLD, MOST, Order, Question
from archive.footage.skim.made import Sheet
from archive.footage.skim.parts import PART, Part, parts_of, stamp_of, start_of
from archive.timespan import SECOND, SpanSet, Timespan, format_instant

LONGEST_WAIT_S = 30
MOST_SHEETS = 7
"""An hour touches as many sheets of ten minutes at most."""

Player = Annotated[RequestContext, require("footage.play", Reach.OWN, Reach.GRANTED)]


def add_routes(router: APIRouter) -> None:
    """Add the routes of activity and thumbnails."""
    camera, tag = "/v1/cameras/{camera}", "skim"
    add_json(router, "GET", f"{camera}/activity", get_activity, ActivityOut, 404, tag=tag)
    add_json(router, "GET", f"{camera}/sprites", get_sprites, SpritesOut, 404, tag=tag)
    path = f"{camera}/sprites/{{part}}/sheet.jpg"
    add_document(router, path, get_sprite_sheet, "image/jpeg", 304, 404, 409, tag=tag, schema=BINARY)


def get_activity(
    context: Player,
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    box: Annotated[
        str,
        Query(
            max_length=100,
            description="x0,y0,x1,y1 from 0 to 1, the upper left corner first; without it: all of it.",
            examples=["0.2,0.5,0.4,0.9"],
        ),
    ] = "",
    threshold: Annotated[
        float, Query(allow_inf_nan=False, description="How strong it must be, in multiples of the noise.")
    ] = DEFAULT_THRESHOLD,
    order: Annotated[
        Order, Query(description="From which end to look: with 'limit' the next or the previous activity.")
    ] = Order.EARLIEST,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Intervals wanted.")] = DEFAULT_LIMIT,
    step: Annotated[
        str, Query(max_length=8, description="Adds buckets of this length, as in /v1/timeline.")
    ] = "",
    wait_s: Annotated[
        int, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to look at footage before answering.")
    ] = 10,
) -> JSONResponse:
    """When something changed in a box of a camera's picture; nobody and nothing is recognised.

    Footage that nobody asked about before is looked at first, which takes a few seconds for each hour. While
    ``complete`` is false, send the same request again: the answer grows.
    """
    asked = box_of(box)
    details = {**span_details(span), "box": str(asked), "threshold": format(threshold, "g")}
    context.begin(Act.ACTIVITY_SEARCH, camera, details=details)
    question = Question(camera=camera, span=span, box=asked, threshold=threshold, order=order, limit=limit)
    if step:
        check_step(context.services, span, step)  # before footage is looked at in vain
    context.access.footage(camera, span)
    looking = context.runtime.skims.look(question, wait=wait_s * SECOND)
    answer = looking.answer()
    answer["buckets"] = buckets_json(context.services, looking, step) if step else None
    context.done(intervals=len(answer["intervals"]), hours_looked=answer["hours"]["done"])
    return JSONResponse(answer)


def get_sprites(
    context: Player,
    camera: CameraId,
    span: Annotated[Timespan, Depends(asked_span)],
    sheets: Annotated[
        int, Query(ge=1, le=MOST_SHEETS, description="Sheets that may be made before answering.")
    ] = MOST_SHEETS,
) -> JSONResponse:
    """Where the thumbnails of a span are: up to an hour, one for each half minute; and what is missing.

    With ``sheets=1`` the first ten minutes are there soonest. While ``complete`` is false, send the same
    request again: the answer grows in order of time.
    """
    context.begin(Act.SPRITES_VIEW, camera, details=span_details(span))
    check_span(check_sprites_span(span), context.services.clock.now())
    context.access.footage(camera, span)
    reading = context.runtime.skims.reading(camera, span)
    made = context.runtime.skims.sheets(reading, span, most=sheets)
    found = [(part, sheet) for part, sheet in made if sheet is not None and sheet.jpeg]
    unreadable = SpanSet(
        part.recorded for part, sheet in made if sheet is not None and part.recorded and not sheet.jpeg
    )
    sprites = [one for number, (_, sheet) in enumerate(found) for one in _sprites(sheet, number, span)]
    high_water = context.services.index.high_water(camera)
    context.done(sprites=len(sprites))
    return JSONResponse(
        {
            "camera": camera,
            **span.to_json(),
            "until": None if high_water is None else format_instant(high_water),
            "complete": all(sheet is not None for _, sheet in made),
            "sheets": [_sheet(context, part) for part, _ in found],
            "sprites": sprites,
            "gaps": gaps_json(all_gaps(within(reading, span))),
            "unreadable": [one.to_json() for one in unreadable.within(span)],
        }
    )


def get_sprite_sheet(
    context: Player,
    request: Request,
    camera: CameraId,
    part: Annotated[str, Path(max_length=20, description="Its ten minutes.", examples=["20261124T0600Z"])],
) -> Response:
    """The thumbnails of ten minutes in one JPEG. It needs the right to all their footage."""
    start = start_of(part)
    context.begin(Act.SPRITES_VIEW, camera, details=span_details(Timespan(start, start + PART)))
    skims = context.runtime.skims
    span = Timespan(start, start + PART)
    reading = skims.reading(camera, span)
    (made,) = parts_of(camera, span, reading.segments)
    context.access.footage(camera, made.recorded or span)
    if made.recorded is None:
        raise no_footage(within(reading, span))
    etag = f'"{made.name}"'
    if is_unmodified(request.headers.get("if-none-match"), etag):
        context.done(status=304)
        return Response(status_code=304, headers={"ETag": etag})
    ((_, sheet),) = skims.sheets(reading, span, most=1)
    if sheet is None or not sheet.jpeg:
        raise NotFound(
            f"no picture can be made of camera {camera} in {span}",
            code="no_picture",
            hint="The footage itself is untouched; request a clip, or another time.",
        )
    context.done(bytes=0 if request.method == "HEAD" else len(sheet.jpeg))
    return Response(sheet.jpeg, media_type="image/jpeg", headers={"ETag": etag})


def _sprites(sheet: Sheet, number: int, span: Timespan) -> list[dict[str, Any]]:
    """The thumbnails of a sheet whose keyframes lie in the span."""
    return [
        {
            "at": format_instant(at),
            "sheet": number,
            "x": place % sheet.columns * sheet.width,
            "y": place // sheet.columns * sheet.height,
            "width": sheet.width,
            "height": sheet.height,
        }
        for place, at in enumerate(sheet.tiles)
        if at is not None and at in span
    ]


def _sheet(context: RequestContext, part: Part) -> dict[str, Any]:
    permitted = part.recorded is not None and context.access.sees_footage(part.camera, part.recorded)
    purpose = context.purpose if context.principal.is_person else ""
    query = f"?{urlencode({'purpose': purpose})}" if purpose else ""
    base = context.services.settings.base_path
    path = f"{base}/v1/cameras/{quote(part.camera)}/sprites/{stamp_of(part.start)}/sheet.jpg{query}"
    return {**part.span.to_json(), "url": path if permitted else None}
