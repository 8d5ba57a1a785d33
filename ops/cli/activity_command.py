"""``saksi activity``: when something changed in a box of a camera's picture."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.canonical import JsonObject
from archive.footage import reader
from archive.footage.reader import Reading, check_span
from archive.footage.skim.box import box_of
from archive.footage.skim.decoding import Decoder
from archive.footage.skim.looking import DEFAULT_LIMIT, DEFAULT_THRESHOLD, Order, Question
from archive.footage.skim.made import Activity
from archive.footage.skim.parts import Part
from archive.footage.skim.searching import look
from archive.timespan import Timespan
from ops.cli.options import From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.times import span_text, time_text, zone_of_city
from recorder.binary import find_ffmpeg


def register(app: typer.Typer) -> None:
    """Add the command to the top level."""
    app.command("activity")(activity)


def activity(
    camera: Annotated[str, typer.Argument(help="Camera id.", metavar="CAMERA")],
    start: From,
    end: To,
    box: Annotated[
        str,
        typer.Option(
            "--box", help="Part of the picture, 0 to 1; without it: all of it.", metavar="X0,Y0,X1,Y1"
        ),
    ] = "",
    threshold: Annotated[
        float, typer.Option("--threshold", help="How strong, in multiples of the noise.", metavar="N")
    ] = DEFAULT_THRESHOLD,
    order: Annotated[
        Order,
        typer.Option("--order", help="From which end to look, for --limit.", metavar="earliest|latest"),
    ] = Order.EARLIEST,
    limit: Annotated[int, typer.Option("--limit", help="Intervals wanted.", metavar="N")] = DEFAULT_LIMIT,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Say when something changed in a box of a camera's picture; nobody is recognised."""
    span = parse_span(start, end)
    question = Question(
        camera=camera, span=span, box=box_of(box), threshold=threshold, order=order, limit=limit
    )
    with open_site() as site, progress_bar("hours") as bar:
        registered, now = site.registry.camera(camera), site.clock.now()
        check_span(span, now)
        skimmer = site.skimmer(Decoder(find_ffmpeg().path))

        def read(part: Timespan) -> Reading:
            return reader.read(
                site.index,
                camera,
                part,
                registered_at=registered.registered_at,
                now=now,
                is_disabled=registered.disabled,
            )

        def cached(parts: Sequence[Part]) -> list[Activity | None]:
            return [skimmer.cached(part) for part in parts]

        looking = look(question, read, cached, skimmer.activity, now=now, progress=bar)
        answer = looking.answer()
        site.custody.record(
            "activity.search",
            actor=actor(),
            objects=(camera,),
            purpose=purpose,
            details={
                **span.to_json(),
                "box": str(question.box),
                "threshold": format(threshold, "g"),
                "intervals": len(answer["intervals"]),
                "hours_looked": answer["hours"]["done"],
            },
        )
        zone = zone_of_city(site)
    if json_:
        print_json(answer)
        return
    _tell(answer, zone)


def _tell(answer: JsonObject, zone: ZoneInfo) -> None:
    for one in answer["intervals"]:
        when = span_text(Timespan.parse(one["from"], one["to"]), zone)
        say(f"{when}  strength {one['strength']:.1f}, strongest at {time_text(one['at'], zone)}")
    if not answer["intervals"]:
        say("no activity found")
    note(
        f"looked at {answer['looked_seconds']:.0f} s; what comes and goes within "
        f"{answer['longest_step_seconds']:.1f} s between two keyframes is not seen"
    )
    for one in answer["coarse"]:
        when = span_text(Timespan.parse(one["from"], one["to"]), zone)
        note(f"coarse  {when}: keyframes up to {one['longest_step_seconds']:.1f} s apart")
    for one in answer["not_looked_at"]:
        when = span_text(Timespan.parse(one["from"], one["to"]), zone)
        note(f"not looked at  {when}: {' '.join((one['cause'], one['what'])).strip()}")
    note(answer["notice"]["id"])
    note(answer["notice"]["en"])
