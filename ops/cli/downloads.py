"""Writing downloads of footage: a clip, untouched segments, or the clips of several cameras.

Each is on record before its first byte, and after its last with what was really written.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from archive.errors import AlreadyExists, ArchiveError, Malformed, StoreFull
from archive.footage import reader
from archive.footage.clip.exact import Clip, NoFootage, earlier_segments, plan_clip
from archive.footage.download.bulk import Bulk, CameraClips, check_bulk, clips_of, plan_bulk
from archive.footage.download.checked import Checksums
from archive.footage.download.naming import DownloadName, name_of, several
from archive.footage.download.originals import Originals
from archive.footage.reader import Reading
from archive.model.custody import Outcome
from archive.timespan import SECOND, Timespan
from archive.zips import VirtualZip
from ops.cli.options import actor
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.times import span_text, zone_of_city
from ops.wiring import Site

_CLIP = ("clip.download.started", "clip.download.ended")
_EXPORT = ("export.download.started", "export.download.ended")


class Container(StrEnum):
    """What a download is: one stream of exactly the span, or the untouched segments."""

    MP4 = "mp4"
    ORIGINAL = "original"


def check_container(container: Container) -> None:
    """Refuse untouched segments of several cameras at once. Raises Malformed ``one_camera``."""
    if container is Container.ORIGINAL:
        raise Malformed(
            "untouched segments are written for one camera at a time",
            code="one_camera",
            hint="Repeat the command for each camera, or leave out --container original.",
        )


def path_in(output: Path, name: DownloadName, container: Container, *, cameras: int = 1) -> Path:
    """Where to write: the path itself, or in a folder a file whose name people understand."""
    if not output.is_dir():
        return output
    is_clip = container is Container.MP4 and cameras == 1
    return output / f"{name.text}{'.mp4' if is_clip else '.zip'}"


def reading_of(site: Site, camera: str, span: Timespan) -> Reading:
    """What there is of a camera in a span. Raises NotFound, Malformed."""
    registered = site.registry.camera(camera)
    return reader.read(
        site.index,
        camera,
        span,
        registered_at=registered.registered_at,
        now=site.clock.now(),
        is_disabled=registered.disabled,
    )


def refused(
    site: Site,
    cameras: Sequence[str],
    span: Timespan,
    container: Container,
    nothing: NoFootage,
    purpose: str,
) -> None:
    """Record that there was nothing to write."""
    site.custody.record(
        "clip.download",
        actor=actor(),
        objects=tuple(cameras),
        purpose=purpose,
        outcome=Outcome.REFUSED,
        details=span.to_json() | {"container": container.value, "code": nothing.code},
    )


def write_clip(site: Site, made: Clip, output: Path, purpose: str) -> None:
    """Write one exact clip."""
    details = made.asked.to_json() | {"container": Container.MP4.value}
    _fetch(site, (made.camera,), details, made, output, purpose)


def write_originals(site: Site, made: Originals, output: Path, purpose: str, *, as_json: bool) -> None:
    """Write the ZIP of untouched segments, and say what it holds."""
    asked = {f"asked_{edge}": at for edge, at in made.asked.to_json().items()}
    details = made.touched.to_json() | asked | {"container": Container.ORIGINAL.value}
    _fetch(site, (made.camera,), details, made.zip, output, purpose)
    zone = zone_of_city(site)
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


def write_bulk(
    site: Site, cameras: Sequence[str], span: Timespan, output: Path, purpose: str, *, as_json: bool
) -> None:
    """Write the clips of several cameras as one ZIP, and say what it has of each.

    Raises:
        Malformed: ``bulk_too_large``, and as :func:`reading_of`.
        NoFootage: none of the cameras has anything to show.
    """
    check_bulk(len(cameras), span)
    zone = zone_of_city(site)
    name = several(len(cameras), span, zone)
    readings = [reading_of(site, camera, span) for camera in cameras]
    try:
        clips = [_clips_of(site, reading, zone) for reading in readings]
        made = plan_bulk(span, clips, name=name, zone=zone, known=Checksums())
    except NoFootage as nothing:
        refused(site, cameras, span, Container.MP4, nothing, purpose)
        raise
    output = path_in(output, name, Container.MP4, cameras=len(cameras))
    details = span.to_json() | {"container": Container.MP4.value}
    _fetch(site, cameras, details, made.zip, output, purpose)
    if as_json:
        print_json(made.describe() | {"file": str(output)})
        return
    _tell_bulk(made, output, zone)


def write_export(
    site: Site, objects: Sequence[str], span: Timespan, made: VirtualZip, output: Path, purpose: str
) -> None:
    """Write the ZIP of a finished export."""
    _fetch(site, objects, span.to_json(), made, output, purpose, _EXPORT)


def _clips_of(site: Site, reading: Reading, zone: ZoneInfo) -> CameraClips:
    then = site.registry.as_of(reading.camera, reading.span.start)

    def plan(part: Reading) -> Clip:
        earlier = earlier_segments(part, site.index)
        return plan_clip(part, site.stores.footage, pool=site.pool, earlier=earlier)

    return clips_of(reading, then, plan, lambda span: name_of(then, site.areas, span, zone))


def _tell_bulk(made: Bulk, output: Path, zone: ZoneInfo) -> None:
    say(f"{output}: {len(made.cameras)} cameras, {made.zip.size} bytes")
    for one in made.cameras:
        say(f"  {one.camera.id}: " + (", ".join(path for path, _ in one.clips) or "no footage"))
        for gap in one.gaps:
            note(f"    gap     {span_text(gap.span, zone)}: {gap.cause}")
        for span in one.left_out:
            note(f"    left out {span_text(span, zone)}: less than 1 s")
    say("  check   unpack it, then: sha256sum -c SHA256SUMS")


def _fetch(
    site: Site,
    cameras: Sequence[str],
    details: Mapping[str, Any],
    source: Clip | VirtualZip,
    output: Path,
    purpose: str,
    acts: tuple[str, str] = _CLIP,
) -> None:
    site.custody.record(acts[0], actor=actor(), objects=tuple(cameras), purpose=purpose, details=details)
    draft = Draft(output)
    try:
        draft.write(source)
    finally:
        sent = draft.written
        seconds = -(-source.footage_us(0, sent) // SECOND) if sent else 0
        site.custody.record(
            acts[1],
            actor=actor(),
            objects=tuple(cameras),
            purpose=purpose,
            outcome=Outcome.DONE if draft.is_whole else Outcome.FAILED,
            details={**details, "bytes_sent": sent, "seconds_sent": seconds},
        )


class Draft:
    """A download beside its target, so that an incomplete one never has the name of a whole one.

    ``written`` is how many bytes of footage were written, also if that failed in the end.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self.written = 0
        self.is_whole = False

    def write(self, source: Clip | VirtualZip) -> None:
        """Write all of it, then give it its name.

        Raises:
            AlreadyExists: ``output_exists``, also if it came into being meanwhile.
            StoreFull, Malformed: ``output_full``, ``output_unwritable``.
            ArchiveError: as the source.
        """
        if self._output.exists():
            raise _exists(self._output)
        draft = self._output.with_name(f".{self._output.name}.{os.getpid()}")
        try:
            with draft.open("xb") as target, progress_bar("clip") as bar:
                for piece in source.stream():
                    target.write(piece)
                    self.written += len(piece)
                    bar(self.written, source.size)
                target.flush()
                os.fsync(target.fileno())
            _name(draft, self._output)
        except OSError as error:
            raise _cannot_write(self._output, error) from error
        finally:
            draft.unlink(missing_ok=True)
        self.is_whole = True


def _name(draft: Path, output: Path) -> None:
    """Give a draft its name, unless a file has it: a rename would replace that."""
    try:
        output.hardlink_to(draft)
    except FileExistsError as error:
        raise _exists(output) from error
    except OSError:
        # A disk without links, such as a memory stick's.
        if output.exists():
            raise _exists(output) from None
        draft.rename(output)


def _exists(output: Path) -> AlreadyExists:
    return AlreadyExists(
        f"{output} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
    )


def _cannot_write(output: Path, error: OSError) -> ArchiveError:
    if error.errno == errno.ENOSPC:
        return StoreFull(f"there is no room for {output}", code="output_full", hint="Write to another disk.")
    return Malformed(
        f"{output} cannot be written: {error.strerror}", code="output_unwritable", hint="Check the folder."
    )
