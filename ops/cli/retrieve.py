"""``saksi recordings`` and ``saksi clip``: show coverage and gaps, and cut an exact clip."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from archive.footage.clip.exact import (
    Clip,
    NoFootage,
    check_length,
    earlier_segments,
    no_clip_json,
    plan_clip,
)
from archive.footage.download.checked import Checksums
from archive.footage.download.naming import name_of
from archive.footage.download.originals import Originals, originals_in, plan_originals
from archive.footage.reader import Reading
from archive.model.camera import Camera as RegisteredCamera
from archive.timespan import Timespan
from ops.cli.downloads import (
    Container,
    check_container,
    path_in,
    reading_of,
    refused,
    write_bulk,
    write_clip,
    write_originals,
)
from ops.cli.options import Cameras, From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, say
from ops.cli.picture import draw
from ops.cli.times import bound_text, span_text, time_text, zone_of_city
from ops.wiring import Site
from search.coverage import Recordings, with_pauses
from search.coverage import recordings as search_recordings
from search.query import SegmentQuery


def register(app: typer.Typer) -> None:
    """Add the commands to the top level."""
    app.command("recordings")(recordings)
    app.command("clip")(clip)


def recordings(
    start: From, end: To, camera: Cameras = None, purpose: Purpose = "", json_: Json = False
) -> None:
    """Show coverage, gaps with their causes, and what is still pending."""
    span = parse_span(start, end)
    with open_site() as site:
        found, cameras = look_up(site, camera, span)
        site.custody.record(
            "recordings.search", actor=actor(), objects=cameras, purpose=purpose, details=span.to_json()
        )
        zone = zone_of_city(site)
    if json_:
        print_json(found.to_json())
        return
    for line in draw(found, span, cameras, zone, shutil.get_terminal_size().columns):
        say(line)


def look_up(site: Site, cameras: Sequence[str] | None, span: Timespan) -> tuple[Recordings, tuple[str, ...]]:
    """The recordings of the named cameras, or of all, and their ids. Raises NotFound for an unknown one."""
    chosen = [site.registry.camera(name) for name in cameras] if cameras else site.registry.cameras()
    registered = {camera.id: camera.registered_at for camera in chosen}
    query = SegmentQuery(span=span, cameras=tuple(registered))
    found = search_recordings(
        site.index,
        query,
        registered=registered,
        disabled={camera.id for camera in chosen if camera.disabled},
        now=site.clock.now(),
    )
    return with_pauses(site.index, query, found), tuple(registered)


def clip(
    camera: Annotated[
        list[str],
        typer.Option("--camera", help="Camera id; repeated: a ZIP with the clip of each.", metavar="ID"),
    ],
    start: From,
    end: To,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Where to write it; in a folder it gets a name with camera, place and time.",
            metavar="FILE",
        ),
    ],
    container: Annotated[
        Container,
        typer.Option(
            "--container",
            help="mp4: exactly the span. original: the untouched segments as a ZIP with hashes.",
        ),
    ] = Container.MP4,
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Write the exact clip [from, to) of one camera, without re-encoding; of several cameras a ZIP."""
    span = parse_span(start, end)
    check_length(span)
    cameras = tuple(dict.fromkeys(camera))
    with open_site() as site:
        if len(cameras) > 1:
            check_container(container)
            write_bulk(site, cameras, span, output, purpose, as_json=json_)
            return
        reading = reading_of(site, cameras[0], span)
        then = site.registry.as_of(cameras[0], span.start)
        try:
            made = _planned(site, reading, then, container)
        except NoFootage as nothing:
            refused(site, cameras, span, container, nothing, purpose)
            if json_:
                print_json(no_clip_json(span, nothing.gaps))
            raise
        zone = zone_of_city(site)
        output = path_in(output, name_of(then, site.areas, span, zone), container)
        if isinstance(made, Clip):
            write_clip(site, made, output, purpose)
            if json_:
                print_json(made.describe())
            else:
                _tell(made, output, zone)
        else:
            write_originals(site, made, output, purpose, as_json=json_)


def _planned(site: Site, reading: Reading, then: RegisteredCamera, container: Container) -> Clip | Originals:
    earlier = earlier_segments(reading, site.index)
    if container is Container.MP4:
        return plan_clip(reading, site.stores.footage, pool=site.pool, earlier=earlier)
    zone = zone_of_city(site)
    return plan_originals(
        reading,
        originals_in(reading, earlier),
        site.stores.footage,
        camera=then,
        name=name_of(then, site.areas, reading.span, zone),
        zone=zone,
        known=Checksums(),
        pool=site.pool,
    )


def _tell(planned: Clip, output: Path, zone: ZoneInfo) -> None:
    say(f"{output}: {planned.frames} frames, {planned.size} bytes, SHA-256 {planned.digest()}")
    say(f"  shown   {span_text(planned.actual, zone)}")
    bounds = [piece.ref.uncertainty_us for piece in planned.pieces]
    known = [one for one in bounds if one is not None]
    say(f"  times   {bound_text(max(known) if len(known) == len(bounds) else None)}")
    if planned.hidden_frames:
        say(
            f"  hidden  {planned.hidden_preroll_us / 1e6:.3f} s before and "
            f"{planned.hidden_tail_us / 1e6:.3f} s after: "
            f"{planned.hidden_frames} frames, which any tool can reveal"
        )
    if planned.sound is not None:
        say(f"  sound   {planned.sound}, {planned.hidden_sound_us / 1e6:.3f} s of it not heard")
    for one in planned.run_changes:
        if one.sha256 is None:
            note(
                f"  change  {time_text(one.at, zone)}: two recorders without a common keyframe;"
                f" frames may repeat or miss there, {bound_text(one.uncertainty_us)}"
            )
    for gap in planned.gaps:
        note(f"  gap     {span_text(gap.span, zone)}: {gap.cause}")
