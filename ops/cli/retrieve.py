"""``saksi recordings`` and ``saksi clip``: show coverage and gaps, and cut an exact clip."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from archive.errors import AlreadyExists, ArchiveError, Malformed, StoreFull
from archive.footage import reader
from archive.footage.clip.exact import Clip, NoFootage, check_length, earlier_segments, plan_clip
from archive.footage.reader import Reading
from archive.model.custody import Outcome
from archive.timespan import Timespan
from ops.cli.options import Camera, Cameras, From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.picture import draw
from ops.cli.times import bound_text, span_text, zone_of_city
from ops.wiring import Site
from search.coverage import Recordings
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
    return found, tuple(registered)


def clip(
    camera: Camera,
    start: From,
    end: To,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the MP4.", metavar="FILE")],
    purpose: Purpose = "",
    json_: Json = False,
) -> None:
    """Write the exact clip [from, to) of one camera, without re-encoding."""
    span = parse_span(start, end)
    check_length(span)
    with open_site() as site:
        registered = site.registry.camera(camera)
        now = site.clock.now()
        reading = reader.read(
            site.index,
            camera,
            span,
            registered_at=registered.registered_at,
            now=now,
            is_disabled=registered.disabled,
        )
        try:
            earlier = earlier_segments(reading, site.index)
            planned = plan_clip(reading, site.stores.footage, pool=site.pool, earlier=earlier)
        except NoFootage as nothing:
            site.custody.record(
                "clip.download",
                actor=actor(),
                objects=(camera,),
                purpose=purpose,
                outcome=Outcome.REFUSED,
                details=span.to_json() | {"code": nothing.code},
            )
            if json_:
                print_json(_empty(reading, nothing))
            raise
        site.custody.record(
            "clip.download.started", actor=actor(), objects=(camera,), purpose=purpose, details=span.to_json()
        )
        sent = 0
        try:
            sent = _write(planned, output)
        finally:
            site.custody.record(
                "clip.download.ended",
                actor=actor(),
                objects=(camera,),
                purpose=purpose,
                outcome=Outcome.DONE if sent else Outcome.FAILED,
                details=span.to_json() | {"bytes_sent": sent},
            )
        if json_:
            print_json(planned.describe())
        else:
            _tell(planned, output, zone_of_city(site))


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
    for gap in planned.gaps:
        note(f"  gap     {span_text(gap.span, zone)}: {gap.cause}")


def _write(planned: Clip, output: Path) -> int:
    """Write beside the target, then rename, so that an incomplete clip never has the clip's name."""
    if output.exists():
        raise AlreadyExists(
            f"{output} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        )
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    done = 0
    try:
        with draft.open("xb") as target, progress_bar("clip") as bar:
            for piece in planned.stream():
                target.write(piece)
                done += len(piece)
                bar(done, planned.size)
            target.flush()
            os.fsync(target.fileno())
        draft.rename(output)
    except OSError as error:
        raise _cannot_write(output, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return done


def _cannot_write(output: Path, error: OSError) -> ArchiveError:
    if error.errno == errno.ENOSPC:
        return StoreFull(f"there is no room for {output}", code="output_full", hint="Write to another disk.")
    return Malformed(
        f"{output} cannot be written: {error.strerror}", code="output_unwritable", hint="Check the folder."
    )


def _empty(reading: Reading, nothing: NoFootage) -> dict[str, Any]:
    return {
        "asked": reading.span.to_json(),
        "actual": None,
        "hidden_preroll_us": 0,
        "hidden_tail_us": 0,
        "frames": 0,
        "hidden_frames": 0,
        "bytes": 0,
        "sha256": None,
        "pieces": [],
        "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in nothing.gaps],
        "others": [],
    }
