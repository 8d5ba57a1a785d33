"""``saksi backfill``: asks cameras for what they kept while we had no footage of them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.model.camera import Camera
from archive.model.camera_details import device_address
from archive.timespan import SECOND, Timespan, format_instant
from ops.backfilling import BackfillWish, backfill
from ops.cli.options import Cameras, Json, actor, open_site
from ops.cli.output import Bar, print_json, progress_bar, say
from ops.cli.record import parse_duration
from ops.cli.times import span_text, zone_of_city
from ops.wiring import Site
from recorder.backfill.outcomes import Answer, Outcome

ACT = "backfill.asked"


def register(app: typer.Typer) -> None:
    """Add the command to the top level."""
    app.command("backfill")(backfill_cameras)


def backfill_cameras(
    camera: Cameras = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="How far back to look for holes, such as 36h.")
    ] = "168h",
    device: Annotated[
        str,
        typer.Option("--device", metavar="HOST", help="Ask this ONVIF device instead, such as an NVR."),
    ] = "",
    recording: Annotated[
        str, typer.Option("--recording", metavar="TOKEN", help="Which of the device's recordings it is.")
    ] = "",
    mbit: Annotated[
        int, typer.Option("--mbit", min=1, max=1000, help="Megabits a second to take at most.")
    ] = 16,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the custody record.")
    ] = "",
    json_: Json = False,
) -> int:
    """Ask cameras for what they kept while they were not recorded. Exit 1: something is still missing."""
    if (device or recording) and len(camera or ()) != 1:
        raise Malformed(
            "a device or a recording is that of one camera", code="bad_request", hint="Give one --camera."
        )
    at_device = device_address(device) if device else ""
    with open_site() as site, progress_bar("backfill") as bar:
        chosen = [site.registry.camera(one) for one in camera or ()]
        wanted = chosen or [one for one in site.registry.cameras() if one.details.onvif and not one.disabled]
        wishes = [
            BackfillWish(
                camera=one,
                span=_span(site, one, round(parse_duration(since) * SECOND)),
                rate=mbit * 125_000,
                device=at_device,
                recording=recording,
            )
            for one in wanted
        ]

        def tell(wish: BackfillWish, answer: Answer) -> None:
            _record(site, wish.camera.id, answer, reason.strip())
            if not json_:
                say(f"{wish.camera.id}: {sentence(answer, zone_of_city(site))}")

        found = asyncio.run(_ask_each(site, wishes, tell, bar))
    if json_:
        print_json({"holes": [_json(name, one) for name, one in found]})
    elif not found:
        say("There is no hole that a camera may fill.")
    return 0 if all(one.outcome is Outcome.FILLED for _, one in found) else 1


async def _ask_each(
    site: Site, wishes: Sequence[BackfillWish], tell: Callable[[BackfillWish, Answer], None], bar: Bar
) -> list[tuple[str, Answer]]:
    from ops.telemetry import stderr_log

    found: list[tuple[str, Answer]] = []
    for wish in wishes:

        def progress(done: int, of: int, camera: str = wish.camera.id) -> None:
            bar.step(camera, done)
            bar(done, of)

        async for answer in backfill(site, stderr_log(), wish, progress=progress):
            tell(wish, answer)
            found.append((wish.camera.id, answer))
    return found


def sentence(answer: Answer, zone: ZoneInfo) -> str:
    """What came of one hole, in one sentence."""
    hole = span_text(answer.hole.span, zone)
    left = answer.missing.duration / SECOND
    match answer.outcome:
        case Outcome.FILLED:
            return f"{hole}: filled with {answer.pictures} pictures ({_runs(answer)})"
        case Outcome.PART:
            came = f"{answer.pictures} pictures ({_runs(answer)})"
            return f"{hole}: filled in part with {came}; {left:.1f} s are missing"
        case Outcome.NOTHING_THERE:
            return f"{hole}: the camera says that it has none of it"
        case Outcome.NO_ANSWER:
            return f"{hole}: nothing came to its end, which does not say what the camera has ({_why(answer)})"
        case Outcome.FAILED:
            return f"{hole}: this host failed, which does not say what the camera has ({_why(answer)})"
        case Outcome.REFUSED:
            return f"{hole}: refused ({_why(answer)})"


def _span(site: Site, camera: Camera, back: int) -> Timespan:
    now = site.clock.now()
    return Timespan(min(max(camera.registered_at, now - back), now - 1), now)


def _runs(answer: Answer) -> str:
    return ", ".join(f"run {one}" for one in answer.runs)


def _why(answer: Answer) -> str:
    return f"{answer.code}: {answer.reason}" if answer.code else "it broke off"


def _record(site: Site, camera: str, answer: Answer, reason: str) -> None:
    """That it was asked, and what it said, goes on record: also that it said nothing."""
    site.custody.record(
        ACT, actor=actor(), objects=(camera,), purpose=reason,
        details={
            "gap": answer.hole.gap, "from": format_instant(answer.hole.span.start),
            "to": format_instant(answer.hole.span.end), "outcome": answer.outcome.value,
            "runs": " ".join(answer.runs), "code": answer.code,
        },
    )  # fmt: skip


def _json(camera: str, answer: Answer) -> JsonObject:
    return {
        "camera": camera,
        "gap": answer.hole.gap,
        "cause": answer.hole.cause.value,
        "from": format_instant(answer.hole.span.start),
        "to": format_instant(answer.hole.span.end),
        "outcome": answer.outcome.value,
        "runs": list(answer.runs),
        "pictures": answer.pictures,
        "lost": answer.lost,
        "missing": [one.to_json() for one in answer.missing],
        "code": answer.code,
        "reason": answer.reason,
    }
