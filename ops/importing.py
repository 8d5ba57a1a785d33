"""Imports of a site: files that were recorded elsewhere, brought in by a recorder of their own."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from archive.errors import Malformed, NotFound, Refused
from archive.ids import importer_of
from archive.model.custody import Actor
from archive.timespan import SECOND, Timespan, format_instant, from_datetime
from ops.bringing import bringing
from ops.wiring import Site
from recorder.binary import find_ffmpeg
from recorder.importing import FileFacts, Imported, Importer

ACT = "import.ordered"
ORIGIN = "import"
SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".ts", ".m2ts", ".mts"})
_DIGITS = r"(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)[-_. T]?(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)"
_IN_NAME = re.compile(rf"(?<!\d){_DIGITS}(?!\d)", re.ASCII)
_CLOSE = 2 * SECOND
"""Names of files have whole seconds: a file that seems to begin this little before the end of the one before
it follows that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportWish:
    """What is to be imported: ``start`` of the first file (µs), or None where each file's name has its own.

    ``uncertainty`` bounds the error of those times (µs); None: nobody knows.
    """

    camera: str
    paths: Sequence[Path]
    start: int | None
    uncertainty: int | None
    actor: Actor
    reason: str


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files, and in their place the footage of each folder, by name.

    Raises:
        NotFound: ``no_import_file``: there is none.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        found += inside if path.is_dir() else [path]
    missing = [path for path in found if not path.is_file()]
    if missing or not found:
        raise NotFound(
            f"{missing[0] if missing else 'the folder'} holds no footage",
            code="no_import_file",
            hint="Name a file, or a folder with files, that this account may read.",
        )
    return found


def start_in_name(path: Path, zone: ZoneInfo) -> int:
    """The time in a file's name, such as ``20261128-134500.mp4``, by the city's clock (µs).

    Raises:
        Malformed: ``no_start_in_name``.
    """
    match = _IN_NAME.search(path.stem)
    try:
        if match is None:
            raise ValueError(path.name)
        year, month, day, hour, minute, second = map(int, match.groups())
        return from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError as error:
        raise Malformed(
            f"{path.name} has no date and time in its name", code="no_start_in_name",
            hint="Name it like 20261128-134500.mp4 by the city's clock, or give --start with a time.",
        ) from error  # fmt: skip


def import_files(
    site: Site, log: Any, wish: ImportWish, *, progress: Callable[[str, int, int], None]
) -> Iterator[Imported]:
    """Import the files, one after the other, and yield each as it is in the archive.

    ``progress`` is told the file's name, and how many of how many segments are archived.

    Raises:
        ArchiveError: as :meth:`recorder.importing.Importer.bring_in`. What came before is archived; the same
            call goes on where it ended.
    """
    files = files_of(wish.paths)
    zone = ZoneInfo(site.settings.time_zone)
    named = {path: start_in_name(path, zone) for path in files} if wish.start is None else {}
    now_registered = site.registry.camera(wish.camera)
    with _importer(site, log, wish) as importer:
        end = wish.start
        for path in files:
            start = _start(named.get(path), end)
            if start < now_registered.registered_at:
                raise _before_registration(path, start, wish.camera)
            one = replace(
                importer,
                bringer=replace(
                    importer.bringer,
                    camera=site.registry.as_of(wish.camera, start),
                    progress=partial(progress, path.name),
                ),
            )
            imported = one.bring_in(path, start)
            end = imported.span.end
            yield imported


def _start(named: int | None, end: int | None) -> int:
    if named is None:
        assert end is not None  # noqa: S101 - without names there is a start, by construction
        return end
    return end if end is not None and 0 < end - named <= _CLOSE else named


def _before_registration(path: Path, start: int, camera: str) -> Refused:
    return Refused(
        f"{path.name} would begin at {format_instant(start)}, before the registration of {camera}",
        code="import_outside",
        hint="Check --start and its offset. What was before the registration cannot be imported.",
    )


@contextmanager
def _importer(site: Site, log: Any, wish: ImportWish) -> Iterator[Importer]:
    """The import's own recorder: name, key, spool and journal. One import at a time."""

    def before(facts: FileFacts, span: Timespan) -> None:
        site.custody.record(
            ACT, actor=wish.actor, objects=(wish.camera,), purpose=wish.reason,
            details={
                "from": format_instant(span.start), "to": format_instant(span.end),
                "file": facts.path.name[:200], "sha256": facts.sha256,
            },
        )  # fmt: skip

    recorder = importer_of(site.settings.recorder)
    with bringing(site, log, recorder, ORIGIN, site.registry.camera(wish.camera)) as bringer:
        yield Importer(
            bringer=bringer, uncertainty=wish.uncertainty, binary=find_ffmpeg(), clock=site.clock,
            before=before,
        )  # fmt: skip
