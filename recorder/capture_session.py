"""One session: the output of one FFmpeg, turned into timed segments with tickets, in order.

Every fact that a later step depends on is on disk first, so that the next start resumes an interrupted
session exactly where it stopped:

* ``session.json``: its camera, its first run, and where the camera's time account stood;
* ``arrivals``: when each segment's successor arrived, one line each, written on arrival;
* ``NNNNNN.raw.mp4`` → ``NNNNNN.mp4`` → ``NNNNNN.ticket``: a raw segment is removed once its ticket exists;
* each ticket keeps the state of the timeline after it, and the newest one stays until the session is over;
* ``closed``: no more segments will follow; the folder is removed with its last ticket.

Used by one thread at a time, except for the release of leaves, which comes from the archiver.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import disk_errors
from archive.errors import Malformed, Unavailable
from archive.footage.ingest import JOURNALLED, TICKET, SpooledLeaf, write_ticket
from archive.footage.mp4.finalise import UNREADABLE, Finalised
from archive.footage.mp4.jpeg import holds_jpeg
from archive.footage.mp4.parameters import Sets
from archive.ids import new_run_id
from archive.model.gap import GapCause, RunEnd
from archive.model.segment import TIMESCALE, DeviceClock, Run, Segment
from archive.timespan import SECOND, Timespan
from recorder.accounts import Accounts
from recorder.current import CurrentRun, Made
from recorder.facts import Arrivals, CaptureFacts, read_facts
from recorder.growth import Growth, Openings
from recorder.host_time import Host, exact
from recorder.making import is_stuck, make, make_bridged, notice_of, piece_of
from recorder.release import Releases
from recorder.segments import segment_leaf
from recorder.spool import CaptureFolder, Spool
from recorder.timing import Piece, RunTimeline, Timed

_PATIENCE, _STEP = 0.5, 0.005
_SILENT_SHARE = 0.8


class CaptureSession:
    """Writes one session's segments. ``device_clock`` is what the camera said of its clock, if it did."""

    def __init__(
        self,
        folder: CaptureFolder,
        facts: CaptureFacts,
        *,
        spool: Spool,
        accounts: Accounts,
        clock: Clock,
        host_time: Host = exact,
        device_clock: Callable[[], DeviceClock | None] = lambda: None,
        releases: Releases | None = None,
    ) -> None:
        self.folder = folder
        self.facts = facts
        self._spool = spool
        self._accounts = accounts
        self._clock = clock
        self._host_time = host_time
        self._device_clock = device_clock
        self._run = CurrentRun(facts.run, RunTimeline(facts.not_before), facts.otherwise)
        self._arrivals = Arrivals(folder.path / "arrivals")
        self._next = 0
        self._held: tuple[Made, int] | None = None
        self._description = ""
        self._sets: Sets = ()  # the connection's, after the newest finalised segment
        self._growth = Growth()
        self._openings = Openings()
        self._releases = releases or Releases(folder, spool)
        self.quarantined: list[Path] = []  # files that no segment could be made of, kept for people
        self.reason = RunEnd.RECORDER_RESTART
        self.is_written: Callable[[], bool] = lambda: False
        """Whether FFmpeg still runs."""
        self.is_stuck = False
        """Whether the camera's timestamps went back so far that only a new connection gives true ones."""
        self.sound_left_out = ""  # why the newest segment is without the sound that its source holds

    @classmethod
    def resume(
        cls, folder: CaptureFolder, *, spool: Spool, accounts: Accounts, clock: Clock, host_time: Host = exact
    ) -> "CaptureSession":
        """Resume an interrupted session; :meth:`end` then makes the remaining segments.

        Raises:
            IntegrityError: ``ticket_damaged``.
            Malformed: ``bad_session``: its ``session.json`` is absent or cannot be read.
        """
        facts = read_facts(folder)
        session = cls(folder, facts, spool=spool, accounts=accounts, clock=clock, host_time=host_time)
        session._take_up(session._releases.newest_on_disk())
        return session

    def retake(self) -> "CaptureSession":
        """Resume this session after a disk error, in the same process.

        Raises:
            StoreFull, Unavailable, IntegrityError: as :meth:`resume`.
        """
        self.folder.let_go()
        self.folder.acquire()
        session = CaptureSession(
            self.folder, self.facts, spool=self._spool, accounts=self._accounts, clock=self._clock,
            host_time=self._host_time, device_clock=self._device_clock, releases=self._releases,
        )  # fmt: skip
        session._take_up(self._releases.newest_on_disk())
        return session

    def settle(self) -> None:
        """After :meth:`waiting`, for a closed session: remove its folder if nothing waits."""
        self._releases.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing remains but the release of its tickets."""
        return self._releases.is_closed

    def waiting(self) -> list[SpooledLeaf]:
        """After :meth:`resume`: the tickets that are not fully archived, in order.

        Raises:
            IntegrityError: ``ticket_damaged``.
        """
        return self._releases.take_up()

    def fresh(self) -> list[SpooledLeaf]:
        """Tickets that calls which failed have made: for a session that nobody goes on with."""
        return self._releases.fresh()

    @property
    def covered_until(self) -> int | None:
        """The end of the footage whose times are known."""
        return self._run.end

    @property
    def number(self) -> int:
        """The number of the segment that FFmpeg is writing, or will write next."""
        return self._next

    def look(self) -> None:
        """Note how far the connection's first file has grown: a few times a second, until it closes."""
        self._growth.look(self.folder.raw(0))

    def has_opened(self, number: int) -> bool:
        """Whether the file of this number tells when it began (:mod:`archive.footage.mp4.opening`)."""
        return self._openings.shown(self.folder.raw(number)) > self.facts.noticed_by

    def closed(self, number: int, arrival: int) -> list[SpooledLeaf]:
        """FFmpeg closed a segment; the next one's first packet arrived at ``arrival`` (wall time, µs).

        Returns:
            Tickets of the segments whose times became final, in order, and those of a call that failed.

        Raises:
            Malformed: ``bad_segment``: no segment can be made of it; the caller must end the session.
            StoreFull, Unavailable: the disk failed; the caller must end the session, and resume it later.
        """
        self._arrivals.note(number, arrival)
        self._closed(number, arrival)
        return self._releases.fresh()

    def stepped(self, number: int, arrival: int, arrival_after: int) -> list[SpooledLeaf]:
        """The same after a step of the wall clock: a new run begins with the next segment."""
        self._growth = Growth()
        self._arrivals.note(number, arrival, arrival_after)
        self._closed(number, arrival)
        self._step(arrival_after)
        return self._releases.fresh()

    def end(self, reason: RunEnd, ended: int = 0, patience: int = 0) -> list[SpooledLeaf]:
        """FFmpeg is gone: turn its remaining files into segments, and record the run.

        A segment without a whole fragment is dropped; an unreadable one is kept for people. If the camera
        answers (``stream_error``) but its footage had ended more than 0.8 ``patience`` before FFmpeg ended,
        at ``ended`` (both µs), or none came for so long, the cause is ``stalled``; :attr:`reason` holds the
        result.

        Raises:
            StoreFull, Unavailable: the disk failed; may be called again after :meth:`resume`.
        """
        notes = self._arrivals.read()
        if self._held is not None:
            made, arrival = self._held
            if self.folder.raw(made.number + 1).exists():
                self._place(made, arrival)
            else:
                self._place_last(made)
            self._held = None
        numbers = [number for number in self.folder.raw_numbers() if number >= self._next]
        for number in numbers:
            is_last = number == numbers[-1]
            if number > self._next:  # a crash came after a file was set aside, before its run had ended
                self._break_off(GapCause.SET_ASIDE)
            try:
                made = self._make(number)
            except (Malformed, Unavailable) as error:
                if isinstance(error, Unavailable) and error.code != UNREADABLE:
                    raise
                self._set_aside(number, error.code, is_last=is_last)
                continue
            if is_last:
                self._place_last(made)
                continue
            heard = notes.get(number)
            self._place(made, heard[0] if heard else None)
            if heard is not None and len(heard) > 1:
                self._step(heard[1])
        self._anchor_rest()
        silent = ended - (self._run.end or self.facts.began or ended)
        if reason is RunEnd.STREAM_ERROR and patience and silent > patience * _SILENT_SHARE:
            reason = RunEnd.STALLED
        self.reason = reason
        self._finish_run(reason)
        self._releases.close()
        return self._releases.fresh()

    # Segments ----------------------------------------------------------------------------------------

    def _closed(self, number: int, arrival: int) -> None:
        if self._held is not None:
            held, its_arrival = self._held
            self._held = None
            self._place(held, its_arrival)
        for unheard in range(self._next, number):
            self._place(self._make(unheard), None)
        made = self._make(number)
        if self._goes_on(number):
            self._place(made, arrival)
        else:
            self._held = (made, arrival)

    def _goes_on(self, number: int) -> bool:
        """Whether FFmpeg began another segment: it reports the very last one in the same way."""
        patience = _PATIENCE
        while not self.folder.raw(number + 1).exists():
            if patience <= 0 or not self.is_written():
                return self.folder.raw(number + 1).exists()
            time.sleep(_STEP)
            patience -= _STEP
        return True

    def _make(self, number: int) -> Made:
        made = make(self.folder, number, self._run, self.facts.noticed_by, self._sets)
        self._sets = made.finalised.sets
        self.sound_left_out = made.finalised.sound_left_out
        self._next = number + 1
        return made

    def _place(self, made: Made, arrival: int | None) -> None:
        self._change_parameters(made.finalised)
        piece = self._piece(made)
        if arrival is not None and self._has_jumped(piece, arrival):
            self._place_jump(made, piece, arrival)
            return
        self._run.waiting.append(made)
        self._keep(self._run.timeline.close(piece, arrival))

    def _place_last(self, made: Made) -> None:
        """The run ends here: its footage reaches the last presentation time without a hole before it."""
        written = self._written(made.number)
        piece = self._piece(made)
        if 2 * piece.squeezed < piece.pictures:
            piece = replace(piece, squeezed=0)  # FFmpeg may write it late: time alone proves no step back.
        if self._has_jumped(piece, written):
            self._change_parameters(made.finalised)
            self._place_jump(made, piece, written)
            return
        duration = made.finalised.contiguous_end - made.finalised.header.first_pts
        if duration <= 0:
            self._drop(made.number)
            return
        self._place(replace(made, duration=duration), None)

    def _piece(self, made: Made) -> Piece:
        return piece_of(made, self._growth, self.facts)

    def _has_jumped(self, piece: Piece, arrival: int) -> bool:
        """Only a camera's media is compared with elapsed time; a file is read as fast as possible."""
        facts, run = self.facts, self._run
        is_later = arrival > (run.end or facts.began)  # else the clock was set back: no proof
        return facts.is_live and is_later and run.timeline.has_jumped(piece, arrival, began=facts.began)

    def _place_jump(self, made: Made, piece: Piece, arrival: int) -> None:
        """The camera's timestamps jumped inside this segment: it becomes its own run, dated by arrival.

        Its false durations are replaced where they follow from how long it lasted. The previous run ends, and
        the next segment begins another: no date depends on the jump.
        """
        self._finish_run(RunEnd.TIMESTAMPS)
        self.is_stuck = is_stuck(made.finalised)
        ended = self._run
        not_before = self._accounts.covered_until(self.facts.camera)
        start = max(ended.end or 0, self.facts.began)
        timeline = RunTimeline(not_before, is_settled=True)
        ended_at = max(arrival - piece.next_lead * SECOND // TIMESCALE, start + 1)
        made, strange = make_bridged(self.folder, made, (ended_at - start) * TIMESCALE // SECOND)
        piece = self._piece(made)
        self._run = replace(
            ended, run=new_run_id(self._clock.now()), timeline=timeline, seq=0, start=None,
            otherwise=GapCause.STREAM_ERROR, waiting=[made],
        )  # fmt: skip
        self._keep([timeline.date_by_arrival(piece, start, ended_at, strange=strange)])
        self._finish_run(RunEnd.TIMESTAMPS)
        timeline = RunTimeline(self._accounts.covered_until(self.facts.camera), is_settled=True)
        timeline.begin(arrival)
        self._run = CurrentRun(new_run_id(self._clock.now()), timeline, GapCause.STREAM_ERROR, end=ended_at)

    def _keep(self, timed: Sequence[Timed]) -> None:
        for one in timed:
            self._keep_one(one)

    def _keep_one(self, timed: Timed) -> None:
        run, facts = self._run, self.facts
        made = run.waiting.pop(0)
        found = made.finalised
        segment = segment_leaf(
            facts, found, timed, run=run.run, seq=run.seq, host=self._host_time(),
            device=self._device_clock(), now=self._clock.now(), usual=made.usual,
        )  # fmt: skip
        self._accounts.footage_from(facts.camera, timed.span.start, run.otherwise)
        run.seq += 1
        run.start = timed.span.start if run.start is None else run.start
        run.end = timed.span.end
        extra: JsonObject = {
            "number": made.number,
            "ticks": found.header.tfdt + found.media_duration,
            "continues_at": found.header.first_pts + made.duration,
            "description": found.description,
            "sets": [one.hex() for one in found.sets],
            "run_start": run.start,
            "timeline": timed.state,
            "distances": [*made.distances],
        }
        path = self.folder.path / f"{made.number:06d}{TICKET}"
        spooled = write_ticket(path, segment, facts.place, media=self.folder.final(made.number), extra=extra)
        self._accounts.covered(facts.camera, timed.span.end)
        self._releases.add(spooled)
        self._spool.account_for(found.size)
        with disk_errors(path.name):
            self.folder.raw(made.number).unlink(missing_ok=True)

    # Runs --------------------------------------------------------------------------------------------

    def _change_parameters(self, made: Finalised) -> None:
        """After another picture size or profile a new run begins, with a segment and without a gap."""
        before, self._description = self._description, made.description
        if before in ("", made.description):
            return
        self._finish_run(RunEnd.PARAMETER_CHANGE)
        ended = self._run
        self._run = replace(
            ended, run=new_run_id(self._clock.now()), otherwise=GapCause.RECORDER_RESTART, seq=0, start=None
        )

    def _step(self, arrival_after: int) -> None:
        if self._held is not None:
            return  # FFmpeg is ending: there is no next segment.
        self._finish_run(RunEnd.CLOCK_STEP)
        timeline = RunTimeline(self._accounts.covered_until(self.facts.camera), is_settled=True)
        timeline.begin(arrival_after)
        self._run = self._run.followed_by(new_run_id(self._clock.now()), timeline, GapCause.CLOCK_STEP)

    def _finish_run(self, reason: RunEnd) -> None:
        self._anchor_rest()
        run = self._run
        if run.start is None or run.end is None:
            return
        record = Run(
            camera=self.facts.camera,
            recorder=self.facts.recorder,
            run=run.run,
            span=Timespan(run.start, run.end),
            segments=run.seq,
            reason=reason,
            ingested_at=self._clock.now(),
        )
        path = self.folder.path / f"run-{run.run}{TICKET}"
        if path.with_suffix(JOURNALLED).exists():
            return  # The session was resumed after its run had been recorded.
        self._releases.add(write_ticket(path, record, self.facts.place))

    def _anchor_rest(self) -> None:
        """Time the segments that still wait for an observation."""
        run = self._run
        if not run.waiting:
            return
        last = run.waiting[-1]
        self._keep(
            run.timeline.finish(
                last_written=self._written(last.number) - notice_of(last, self.facts.noticed_by),
                doubt=self.facts.doubt,
                began=self.facts.began,
            )
        )

    def _written(self, number: int) -> int:
        """When a raw segment was last written."""
        with disk_errors("a segment"):
            return self.folder.raw(number).stat().st_mtime_ns // 1000

    def _set_aside(self, number: int, code: str, *, is_last: bool) -> None:
        """A raw file that cannot become a segment."""
        self._next = number + 1
        is_empty = code == "torn_segment" or holds_jpeg(self.folder.raw(number))
        if is_empty:
            self._drop(number)
        elif (kept := self._spool.quarantine.take(self.folder.raw(number))) is not None:
            self.quarantined.append(kept)
        if not is_last:
            self._break_off(GapCause.STREAM_ERROR if is_empty else GapCause.SET_ASIDE)

    def _break_off(self, cause: GapCause) -> None:
        """A file is missing: the run ends before it, and another begins after it."""
        self._finish_run(RunEnd.STREAM_ERROR)
        account = self._accounts.covered_until(self.facts.camera)
        self._run = CurrentRun(new_run_id(self._clock.now()), RunTimeline(account), cause)

    def _drop(self, number: int) -> None:
        with disk_errors("a segment"):
            self.folder.final(number).unlink(missing_ok=True)
            self.folder.raw(number).unlink(missing_ok=True)

    # Taking up ---------------------------------------------------------------------------------------

    def _take_up(self, newest: SpooledLeaf | None) -> None:
        """Continue after the newest ticket. Later finalised segments are removed and made again."""
        if newest is not None:
            segment, extra = newest.leaf, newest.extra
            if not isinstance(segment, Segment):
                raise Malformed(f"{newest.ticket} is not a segment's ticket", code="bad_session")
            timeline = RunTimeline.resume(extra["timeline"], not_before=self.facts.not_before)
            self._run = CurrentRun.resumed(segment, extra, timeline, self.facts.otherwise)
            self._description = extra.get("description", "")  # tickets of older recorders have none
            self._sets = tuple(bytes.fromhex(one) for one in extra.get("sets", ()))
            self._next = extra["number"] + 1
        with disk_errors("a segment"):
            for number in self.folder.raw_numbers():
                if number >= self._next:
                    self.folder.final(number).unlink(missing_ok=True)
