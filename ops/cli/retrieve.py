"""``saksi recordings`` and ``saksi clip``: show coverage and gaps, and cut an exact clip."""

import errno
import os
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from archive.errors import AlreadyExists, ArchiveError, Malformed, StoreFull
from archive.footage import reader
from archive.footage.clip.exact import Clip, NoFootage, check_length, earlier_segments, plan_clip
from archive.footage.download.checked import Checksums
from archive.footage.download.naming import name_of
from archive.footage.download.originals import Originals, originals_in, plan_originals
from archive.footage.reader import Reading
from archive.model.camera import Camera as RegisteredCamera
from archive.model.custody import Outcome
from archive.timespan import SECOND, Timespan
from archive.zips import VirtualZip
from ops.cli.options import Camera, Cameras, From, Json, Purpose, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.picture import draw
from ops.cli.times import bound_text, span_text, zone_of_city
from ops.wiring import Site
from search.coverage import Recordings
from search.coverage import recordings as search_recordings
from search.query import SegmentQuery


class Container(StrEnum):
    """What a download is: one stream of exactly the span, or the untouched segments."""

    MP4 = "mp4"
    ORIGINAL = "original"


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
    """Write the exact clip [from, to) of one camera, without re-encoding."""
    span = parse_span(start, end)
    check_length(span)
    with open_site() as site:
        reading = _reading(site, camera, span)
        then = site.registry.as_of(camera, span.start)
        try:
            made = _planned(site, reading, then, container)
        except NoFootage as nothing:
            site.custody.record(
                "clip.download",
                actor=actor(),
                objects=(camera,),
                purpose=purpose,
                outcome=Outcome.REFUSED,
                details=span.to_json() | {"container": container.value, "code": nothing.code},
            )
            if json_:
                print_json(_empty(reading, nothing))
            raise
        if output.is_dir():
            ending = ".mp4" if isinstance(made, Clip) else ".zip"
            output /= name_of(then, site.areas, span, zone_of_city(site)).text + ending
        _fetch(site, made, output, purpose)
        if isinstance(made, Clip):
            if json_:
                print_json(made.describe())
            else:
                _tell(made, output, zone_of_city(site))
        else:
            _tell_originals(made, output, zone_of_city(site), as_json=json_)


def _reading(site: Site, camera: str, span: Timespan) -> Reading:
    registered = site.registry.camera(camera)
    return reader.read(
        site.index,
        camera,
        span,
        registered_at=registered.registered_at,
        now=site.clock.now(),
        is_disabled=registered.disabled,
    )


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


def _fetch(site: Site, made: Clip | Originals, output: Path, purpose: str) -> None:
    """Write it, with a custody event before the first byte and one after the last."""
    details = made.asked.to_json() | {"container": Container.MP4.value}
    source: Clip | VirtualZip
    if isinstance(made, Clip):
        camera, source = made.camera, made
    else:
        camera, source = made.camera, made.zip
        asked = {f"asked_{edge}": at for edge, at in made.asked.to_json().items()}
        details = made.touched.to_json() | asked | {"container": Container.ORIGINAL.value}
    site.custody.record(
        "clip.download.started", actor=actor(), objects=(camera,), purpose=purpose, details=details
    )
    sent = 0
    try:
        sent = _write(source, output)
    finally:
        seconds = -(-source.footage_us(0, sent) // SECOND) if sent else 0
        site.custody.record(
            "clip.download.ended",
            actor=actor(),
            objects=(camera,),
            purpose=purpose,
            outcome=Outcome.DONE if sent else Outcome.FAILED,
            details=details | {"bytes_sent": sent, "seconds_sent": seconds},
        )


def _tell_originals(made: Originals, output: Path, zone: ZoneInfo, *, as_json: bool) -> None:
    if as_json:
        print_json(made.describe() | {"file": str(output)})
        return
    say(f"{output}: {len(made.segments)} untouched segments, {made.zip.size} bytes")
    say(f"  whole   {span_text(made.whole, zone)}")
    say(
        f"  outside {made.before_us / 1e6:.3f} s before and {made.after_us / 1e6:.3f} s after:"
        " segments are not cut"
    )
    say("  check   unpack it, then: sha256sum -c SHA256SUMS")
    for gap in made.gaps:
        note(f"  gap     {span_text(gap.span, zone)}: {gap.cause}")


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


def _write(planned: Clip | VirtualZip, output: Path) -> int:
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
