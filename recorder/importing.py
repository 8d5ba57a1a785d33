"""Brings footage that was recorded elsewhere into the archive: a file becomes a run of its own.

An import is a recorder of its own, with its own name, key, spool and journal, whose batches say ``origin:
import``. A file takes these steps, and each may be repeated after a crash:

1. It is hashed. Camera, start and hash give the run its id, so the same import is the same run.
2. FFmpeg copies it into segments in the run's folder, cut at keyframes; nothing is encoded again.
3. The segments are finalised and dated: the first picture is at the stated start, the others follow the
   file's own times. Nothing is stored if the archive has footage of that time.
4. Each segment gets its ticket and goes the way of any other (:mod:`archive.footage.ingest`). Tickets stay
   in the folder until the file is whole in the archive: a second try goes on where the first one ended.
5. The run's record and the journal batch follow, and the folder is removed.

The clock of such a segment is stated, not observed: source ``import``, with the uncertainty that the person
states. Without one nothing bounds the error.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.durable import disk_errors
from archive.errors import Conflict, Malformed, NotFound, Refused, StoreFull
from archive.model.camera import Camera
from archive.timespan import Timespan
from recorder.binary import Binary
from recorder.bringing import Bringer, Stated, spans_of
from recorder.command import Command, import_command, look_at_file_command
from recorder.hearing import is_recorded
from recorder.process import Capture, start_capture
from recorder.spool import CaptureFolder, Spool

PICTURES = ("h264", "hevc")
SOURCE = "import"
_GRACE = 5.0
_CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file is: its SHA-256, its size, the codecs of its pictures and its sound ("" for none)."""

    path: Path
    sha256: str
    size: int
    pictures: str
    sound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One imported file: its run and span. ``is_new`` is False if the archive had it already."""

    facts: FileFacts
    run: str
    span: Timespan
    segments: int
    frames: int
    bytes: int
    sound: str
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Imports files of one camera. ``uncertainty`` bounds the error of the stated times (µs); None: unknown.

    ``bringer`` is made with the import's own recorder. ``before`` is called for each file before anything of
    it is stored: it puts the act on record.
    """

    bringer: Bringer
    uncertainty: int | None
    binary: Binary
    clock: Clock
    before: Callable[[FileFacts, Timespan], None]

    @property
    def camera(self) -> Camera:
        """The camera whose files are imported."""
        return self.bringer.camera

    @property
    def spool(self) -> Spool:
        """The import's own spool."""
        return self.bringer.spool

    def bring_in(self, path: Path, start: int) -> Imported:
        """Import one file whose first picture was taken at ``start`` (µs).

        Raises:
            NotFound: ``no_import_file``.
            Malformed: ``import_unreadable``, ``codec_not_recorded``, ``import_times_jump``,
                ``import_parameters_change``, ``bad_segment``: it cannot become a run.
            Refused: ``import_outside``: it reaches back before the camera's registration, or beyond now.
            Conflict: ``import_overlaps``: the archive has footage of that time.
            StoreFull, Unavailable: the disk or a store failed; the same call goes on later.
        """
        facts = self._look(path)
        sound = facts.sound if self.camera.audio and is_recorded(facts.sound) else ""
        run = self._run_id(facts, start, sound)
        folder = CaptureFolder(self.spool.root / "cameras" / self.camera.id / run)
        done = self.bringer.index.run(run)
        if done is not None:
            self.bringer.hand_in()
            self.spool.remove(folder)
            return self._result(facts, run, done.span, done.segments, 0, 0, "", is_new=False)
        with disk_errors(self.camera.id):
            folder.path.mkdir(parents=True, exist_ok=True)
        folder.acquire()
        try:
            return self._bring_in(folder, facts, start, sound, run)
        finally:
            folder.let_go()

    def _bring_in(
        self, folder: CaptureFolder, facts: FileFacts, start: int, sound: str, run: str
    ) -> Imported:
        try:
            finished = self.bringer.finished(folder)
            self._cut(folder, facts, sound)
            made = self.bringer.make(folder, facts.path.name)
            spans = spans_of(made, start)
            whole = Timespan(spans[0].start, spans[-1].end)
            self._check(facts, run, whole)
        except (Malformed, Refused, Conflict):
            self.spool.remove(folder)
            raise
        self.before(facts, whole)
        fills = tuple(dict.fromkeys(gap.gap for gap in self.bringer.index.gaps(self.camera.id, whole)))
        stated = Stated(source=SOURCE, uncertainty_us=self.uncertainty, fills=fills)
        self.bringer.archive(folder, run, made, spans, stated, sound, finished)
        self.spool.remove(folder)
        frames, size = sum(one.finalised.frames for one in made), sum(one.finalised.size for one in made)
        return self._result(facts, run, whole, len(made), frames, size, sound, is_new=True)

    def _result(
        self, facts: FileFacts, run: str, span: Timespan, segments: int, frames: int, size: int, sound: str,
        *, is_new: bool,
    ) -> Imported:  # fmt: skip
        return Imported(
            facts=facts, run=run, span=span, segments=segments, frames=frames, bytes=size, sound=sound,
            is_new=is_new,
        )  # fmt: skip

    def _run_id(self, facts: FileFacts, start: int, sound: str) -> str:
        said = f"{self.camera.id}|{start}|{facts.sha256}|{self.camera.segment_seconds}|{sound}"
        return sha256_hex(said.encode("ascii"))[:16]

    # Steps 1 and 2 -----------------------------------------------------------------------------------

    def _look(self, path: Path) -> FileFacts:
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except OSError as error:
            raise NotFound(
                f"{path} cannot be read: {error.strerror}", code="no_import_file",
                hint="Name a file, or a folder with files, that this account may read.",
            ) from error  # fmt: skip
        lines: list[bytes] = []
        self._run_ffmpeg(look_at_file_command(self.binary, path), path, lines.append)
        codecs = _codecs(lines)
        pictures = codecs.get("video", "")
        if pictures not in PICTURES:
            raise Malformed(
                f"{path.name} holds {pictures or 'no'} pictures", code="codec_not_recorded",
                hint="Only H.264 and H.265 are archived. Footage is never encoded again, so keep the file as "
                "an attachment of the request.",
            )  # fmt: skip
        return FileFacts(
            path=path, sha256=digest, size=size, pictures=pictures, sound=codecs.get("audio", "")
        )

    def _cut(self, folder: CaptureFolder, facts: FileFacts, sound: str) -> None:
        with disk_errors(facts.path.name):
            if (folder.path / _CUT).exists():
                return
            for number in folder.raw_numbers():
                folder.raw(number).unlink()
        _, room = self.spool.measure()
        if room < 2 * facts.size:
            raise StoreFull(
                f"{facts.path.name} needs {2 * facts.size} bytes of the spool, and {max(0, room)} are free",
                code="spool_full",
                hint="Free space on the spool's disk; what was recorded so far is kept.",
            )
        command = import_command(
            self.binary, facts.path, folder.path, segment_seconds=self.camera.segment_seconds, sound=sound
        )
        self._run_ffmpeg(command, facts.path, lambda _: None, keep_open=(folder.descriptor,))
        with disk_errors(facts.path.name):
            (folder.path / _CUT).touch()

    def _run_ffmpeg(
        self, command: Command, path: Path, take: Callable[[bytes], object], keep_open: Sequence[int] = ()
    ) -> None:
        async def run() -> tuple[int, Capture]:
            capture = await start_capture(
                command, clock=self.clock, redact=lambda text: text, keep_open=keep_open
            )
            try:
                async for line in capture.lines():
                    take(line)
                return await capture.ended(), capture
            finally:
                await capture.end(_GRACE)

        status, capture = asyncio.run(run())
        if status != 0:
            why = capture.messages[-1] if capture.messages else f"status {status}"
            raise Malformed(
                f"{path.name} cannot be read as footage: {why}", code="import_unreadable",
                hint="MP4, Matroska and MPEG-TS are read. See whether a player shows the file.",
            )  # fmt: skip

    # Step 3 ------------------------------------------------------------------------------------------

    def _check(self, facts: FileFacts, run: str, span: Timespan) -> None:
        name, now = self.camera.id, self.clock.now()
        if span.start < self.camera.registered_at or span.end > now:
            raise Refused(
                f"{facts.path.name} would be {span}, outside the time from the registration of {name} to now",
                code="import_outside",
                hint="Check --start and its offset. What was before the registration cannot be imported.",
            )
        for other in self.bringer.index.segments(name, span):
            if other.run == run:
                continue  # of an earlier try whose spool was lost
            both = Timespan(max(span.start, other.span.start), min(span.end, other.span.end))
            raise Conflict(
                f"{facts.path.name} would be {span}, and {name} has footage of {both} already",
                code="import_overlaps",
                hint="Import only what is missing (saksi recordings shows it), or check --start.",
            )


def _codecs(lines: Sequence[bytes]) -> dict[str, str]:
    """Codec by kind of stream, from the head of FFmpeg's ``framehash``."""
    kinds, names = dict(_values(lines, b"#media_type ")), dict(_values(lines, b"#codec_id "))
    return {kind: names.get(number, "") for number, kind in kinds.items()}


def _values(lines: Sequence[bytes], begins: bytes) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith(begins):
            number, _, value = line.removeprefix(begins).decode("latin-1").partition(":")
            yield number.strip(), value.strip()
