"""Brings footage into the archive that no capture of ours made: a run of its own, from its segments on.

Imports (:mod:`recorder.importing`) and what a camera kept itself (:mod:`recorder.backfill.asking`) share
these steps. Each may be repeated after a crash: tickets stay in the folder until the run is whole in the
archive, and a second try goes on where the first one ended.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.footage.ingest import Ingest, SpooledLeaf, read_ticket, ticket_paths, write_ticket
from archive.model.camera import Camera
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import TIMESCALE, UNSYNCHRONISED, ClockStatement, Run, Segment, SegmentRef
from archive.timespan import SECOND, Timespan
from recorder.accounts import Accounts
from recorder.current import CurrentRun, Made
from recorder.facts import CaptureFacts
from recorder.host_time import EXACT
from recorder.making import is_squeezed, make
from recorder.segments import segment_leaf
from recorder.spool import CaptureFolder, Spool
from recorder.timing import Piece, RunTimeline, Timed

AT_ONCE = 50
_LONGEST_PICTURE = 10 * TIMESCALE
"""A picture that lasts for longer is a hole in the footage."""


class FootageIndex(Protocol):
    """The part of the index that is asked."""

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """The segments that overlap a span."""
        ...

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """The records of gaps that overlap a span."""
        ...

    def run(self, run: str) -> Run | None:
        """A finished run."""
        ...

    def high_water(self, camera: str) -> int | None:
        """Up to when the camera's time is accounted for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What is stated about the clock of a run: the leaf's ``source`` and figures, in µs.

    ``offset_us`` is the other clock minus ours, as measured. ``uncertainty_us`` bounds the error; None:
    nothing does. ``has_own_clock``: the times are those of a clock of its own, which each leaf then states.
    ``fills`` are the ids of the gaps that the run fills. ``flags`` are further ones of the statement.
    """

    source: str
    uncertainty_us: int | None
    offset_us: int = 0
    has_own_clock: bool = False
    fills: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def clock(self) -> ClockStatement:
        """As the leaf has it."""
        flags = (*self.flags, UNSYNCHRONISED) if self.uncertainty_us is None else self.flags
        return ClockStatement(
            source=self.source,
            offset_us=self.offset_us,
            uncertainty_us=self.uncertainty_us or 0,
            flags=flags,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringer:
    """Brings runs of one camera in. ``ingest`` and ``accounts`` are those of the recorder of that name.

    ``gaps`` are the tickets of gaps that wait; ``progress`` is told how many of how many segments are done.
    """

    recorder: str
    camera: Camera
    spool: Spool
    ingest: Ingest
    accounts: Accounts
    gaps: list[SpooledLeaf]
    index: FootageIndex
    clock: Clock
    progress: Callable[[int, int], None]

    def make(self, folder: CaptureFolder, name: str) -> list[Made]:
        """Finalise the raw segments in a folder; ``name`` says in errors what they are cut from.

        Raises:
            Malformed: ``import_unreadable``, ``import_times_jump``, ``import_parameters_change``,
                ``bad_segment``: they cannot become a run.
            StoreFull, Unavailable: the disk failed.
        """
        current = CurrentRun("", RunTimeline(None), GapCause.RECORDER_RESTART)
        numbers = folder.raw_numbers()
        made: list[Made] = []
        for number in numbers:
            made.append(make(folder, number, current, 0, made[-1].finalised.sets if made else ()))
        if not made:
            raise Malformed(f"{name} holds no pictures", code="import_unreadable")
        last = made[-1]
        ends = last.finalised.contiguous_end - last.finalised.header.first_pts
        made[-1] = replace(last, duration=max(1, ends))
        parameters = {one for piece in made for _, one in piece.finalised.parameter_sets}
        if len(parameters) > 1 or len({piece.finalised.description for piece in made}) > 1:
            raise Malformed(
                f"the pictures of {name} change their size or profile",
                code="import_parameters_change",
                hint="Cut the file there, and import each part with its own start.",
            )  # fmt: skip
        at = 0
        for piece in made:
            lasts = piece.finalised.header.samples.durations
            if is_squeezed(piece.finalised) or max(lasts) > _LONGEST_PICTURE:
                raise Malformed(
                    f"the times in {name} jump, {at // TIMESCALE} s after its start or later",
                    code="import_times_jump",
                    hint="Cut the file there, and import each part with its own start.",
                )
            at += piece.duration
        return made

    def finished(self, folder: CaptureFolder) -> dict[str, SpooledLeaf]:
        """The tickets of an earlier try, by stem. Raises IntegrityError ``ticket_damaged``."""
        return {path.stem: read_ticket(path) for path in ticket_paths(folder.path)}

    def archive(
        self,
        folder: CaptureFolder,
        run: str,
        made: Sequence[Made],
        spans: Sequence[Timespan],
        stated: Stated,
        sound: str,
        finished: dict[str, SpooledLeaf],
    ) -> None:
        """Store the segments, and record them and their run; ``finished`` is from :meth:`finished`.

        Raises:
            Unavailable: ``import_refused``; the disk or a store failed; the same call goes on later.
            StoreFull: the same.
        """
        self.ingest.expect(one for one in finished.values() if one.media is not None)
        name, start = self.camera.id, spans[0].start
        known = max(self.camera.registered_at, self.index.high_water(name) or 0)
        self.accounts.open(name, self.camera.place, since=known)
        self.accounts.footage_from(name, start, GapCause.RECORDER_RESTART)
        waiting, self.gaps[:] = list(self.gaps), []
        for seq, (piece, span) in enumerate(zip(made, spans, strict=True)):
            before = finished.get(f"{piece.number:06d}")
            if before is not None and before.journalled and before.media is None:
                folder.final(piece.number).unlink(missing_ok=True)
            else:
                waiting.append(before or self._ticket(folder, run, seq, piece, span, stated, sound))
            if len(waiting) >= AT_ONCE:
                self._commit(waiting)
                waiting = []
            self.progress(seq + 1, len(made))
        whole = Timespan(start, spans[-1].end)
        waiting.append(finished.get(f"run-{run}") or self._run_ticket(folder, run, len(made), whole, stated))
        self._commit(waiting)
        self.accounts.covered(name, whole.end)
        self.accounts.save()
        self.hand_in()

    def _ticket(
        self,
        folder: CaptureFolder,
        run: str,
        seq: int,
        made: Made,
        span: Timespan,
        stated: Stated,
        sound: str,
    ) -> SpooledLeaf:
        found = made.finalised
        segment = segment_leaf(
            self._facts(run, sound),
            found,
            Timed(Piece(found.header.first_pts, made.duration), span, stated.clock(), {}),
            run=run,
            seq=seq,
            host=EXACT,  # Its times are stated; this host's clock has no part in them.
            now=self.clock.now(),
            usual=made.usual,
        )
        if stated.has_own_clock:
            segment = replace(segment, camera_time=span.start + stated.offset_us)
        path = folder.path / f"{made.number:06d}.ticket"
        return write_ticket(path, segment, self.camera.place, media=folder.final(made.number))

    def _run_ticket(
        self, folder: CaptureFolder, run: str, count: int, span: Timespan, stated: Stated
    ) -> SpooledLeaf:
        record = Run(
            camera=self.camera.id, recorder=self.recorder, run=run, span=span, segments=count,
            reason=RunEnd.STOPPED, ingested_at=self.clock.now(), fills=stated.fills,
        )  # fmt: skip
        return write_ticket(folder.path / f"run-{run}.ticket", record, self.camera.place)

    def _facts(self, run: str, sound: str) -> CaptureFacts:
        return CaptureFacts(
            camera=self.camera.id, recorder=self.recorder, run=run, place=self.camera.place, is_live=False,
            not_before=0, otherwise=GapCause.RECORDER_RESTART, doubt=0, sound=sound,
        )  # fmt: skip

    def _commit(self, spooled_leaves: Sequence[SpooledLeaf]) -> None:
        for spooled in spooled_leaves:
            if isinstance(spooled.leaf, Segment):
                spooled.on_release = _keep_ticket
            self.ingest.store(spooled)
        refused = self.ingest.commit(tuple(spooled_leaves))
        if refused:
            raise Unavailable(
                f"the archive refuses an entry of the import: {refused[0].error.message}",
                code="import_refused",
                hint="Repair the index (saksi doctor), and run the same import again: it goes on.",
            )

    def hand_in(self) -> None:
        """Sign and upload the lines that wait. After an error of the store the next call tries again."""
        self.ingest.seal()
        self.ingest.upload()


def _keep_ticket(spooled: SpooledLeaf) -> None:
    """A ticket stays until its whole file is archived: it says what need not be done again."""


def spans_of(made: Sequence[Made], start: int) -> list[Timespan]:
    """The wall time of each segment: the first picture is at ``start``."""
    origin = made[0].finalised.header.first_pts

    def at(pts: int) -> int:
        return start + (pts - origin) * SECOND // TIMESCALE

    starts = [at(one.finalised.header.first_pts) for one in made]
    last = made[-1]
    edges = [*starts, at(last.finalised.header.first_pts + last.duration)]
    return [Timespan(one, after) for one, after in pairwise(edges)]
