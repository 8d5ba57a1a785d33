"""Supervision of one camera: attempt after attempt, with every moment between them accounted for."""

import asyncio
from dataclasses import dataclass

from archive.errors import ArchiveError, IntegrityError, Malformed, StoreFull, Unavailable
from archive.model.camera import Camera
from archive.model.gap import GapCause, RunEnd
from recorder.backoff import BackOff, Question, pause, unless
from recorder.capture import Attempt, AttemptEnd
from recorder.capture_session import CaptureSession
from recorder.hearing import Hearing
from recorder.neighbours import network_of
from recorder.probe import diagnose
from recorder.reach import Unreached, answers, reach
from recorder.recovery import Leftover
from recorder.seeing import Seeing
from recorder.sources import Source, parse_source
from recorder.trust import proven
from recorder.workshop import Workshop

_SOUND = 10.0
"""A connection that gave footage for this many seconds was sound: the next attempt starts at once."""
_LOOK_AGAIN = 2.0
_MOST_TRIES = 8
"""So often the disk may fail an unfinished session (not for want of room); then it waits for a person."""
_MOST_OWED = 100
"""Changes of cause that wait for unfinished sessions; of more the first ones count."""

_GAP_AFTER = {
    RunEnd.STOPPED: GapCause.RECORDER_RESTART,
    RunEnd.PARAMETER_CHANGE: GapCause.CONNECTING,
    RunEnd.CLOCK_STEP: GapCause.CLOCK_STEP,
    RunEnd.TIMESTAMPS: GapCause.STREAM_ERROR,
}


@dataclass(slots=True)
class SupervisorState:
    """The current state, for metrics and heartbeats.

    ``attempts`` counts FFmpegs, ``failures`` failed turns since footage last arrived soundly. ``began`` is
    when the present turn began (wall time, µs). ``damaged`` counts damaged packets of past attempts.
    """

    attempts: int = 0
    failures: int = 0
    began: int = 0
    damaged: int = 0
    is_capturing: bool = False


class CameraSupervisor:
    """Records one camera until :meth:`stop`. Call all methods in the event loop's thread.

    ``otherwise`` is the cause of time before the first footage that nothing else explains.
    """

    def __init__(self, workshop: Workshop, camera: Camera, otherwise: GapCause) -> None:
        self._shop = workshop
        self.camera = camera
        self.state = SupervisorState()
        self._changed = asyncio.Event()
        self._stopping = False
        self._attempt: Attempt | None = None
        self._otherwise = otherwise
        self._doubted = False
        self._unfinished: list[tuple[CaptureSession, RunEnd]] = []
        self._tries = 0  # that the disk failed the first of the unfinished
        self._owed: list[tuple[int, GapCause]] = []  # causes that follow the footage of the unfinished
        settings = workshop.settings
        self._back_off = BackOff(
            workshop.chance, settings.first_retry, settings.steady_retry, settings.steady_for,
            settings.longest_retry,
        )  # fmt: skip
        self._unanswered: Source | None = None
        self._hearing = Hearing(
            workshop.binary, workshop.clock, workshop.log, workshop.settings.input_timeout
        )
        self._seeing = Seeing(workshop.log)

    def take_up(self, leftover: Leftover) -> None:
        """Finish first what an earlier recorder left and the disk did not take at the start."""
        self._unfinished += [(session, RunEnd.RECORDER_RESTART) for session in leftover.sessions]
        if not self.camera.disabled:
            self._owed.append((leftover.since, GapCause.RECORDER_RESTART))

    def change(self, camera: Camera) -> None:
        """The camera's registration changed; a change that affects FFmpeg begins a new session."""
        before, self.camera = self.camera, camera
        if camera == before:
            return
        self._shop.accounts.open(camera.id, camera.place, since=camera.registered_at)
        if camera.disabled:
            self._end_attempt(RunEnd.DISABLED)
        elif (camera.sealed_source, camera.segment_seconds, camera.place, camera.audio) != (
            before.sealed_source,
            before.segment_seconds,
            before.place,
            before.audio,
        ):
            self._end_attempt(RunEnd.PARAMETER_CHANGE)
        self.state.failures = 0
        self._back_off.clear()
        self._changed.set()

    def spool_is_full(self) -> None:
        """Stop recording until there is room."""
        self._end_attempt(RunEnd.SPOOL_FULL)

    def stop(self) -> None:
        """End in order: FFmpeg's last file becomes a segment."""
        self._stopping = True
        self._end_attempt(RunEnd.STOPPED)
        self._changed.set()

    async def run(self) -> None:
        """Record until :meth:`stop`. A failure of one camera never ends the recorder."""
        while not self._stopping:
            self._changed.clear()
            try:
                wait = await self._turn()
                if wait > 0 and not self._stopping:
                    await self._pause(wait)
            except Exception as error:  # noqa: BLE001 - the supervisor of a camera: logged, and tried again
                self._shop.log.error("lane_failed", camera=self.camera.id, reason=repr(error))
                self.state.failures += 1
                longest = self._shop.settings.longest_retry
                await pause(longest, self._changed, question=None, longest=longest)
        try:
            if self._unfinished and self._shop.spool.has_room():
                await self._finish_leftovers()  # else the next start does: this recorder may run for months
        except ArchiveError as error:
            self._shop.log.warning("session_waits", camera=self.camera.id, reason=error.message)

    @property
    def has_footage(self) -> bool:
        """Whether the present attempt has given footage whose times are known."""
        attempt = self._attempt
        return attempt is not None and attempt.has_footage

    @property
    def untold(self) -> GapCause | None:
        """Why nothing is recorded, where the account waits for footage that the disk does not take."""
        return self._otherwise if self._unfinished and not self.state.is_capturing else None

    @property
    def unfinished(self) -> list[CaptureSession]:
        """The sessions that the disk keeps from being finished, in order."""
        return [session for session, _ in self._unfinished]

    @property
    def damaged(self) -> int:
        """How many packets of the camera came damaged since the recorder's start, as far as FFmpeg says."""
        return self.state.damaged + (0 if self._attempt is None else self._attempt.damaged)

    def grown_at(self) -> int:
        """When the present attempt's newest file last grew (wall time, µs); 0 if it has none yet."""
        attempt = self._attempt
        return 0 if attempt is None else attempt.grown_at()

    def rewrite_gap(self) -> None:
        """Record the open gap again; not while footage may be ending it, or waits to have ended it."""
        if not self.state.is_capturing and not self._unfinished:
            self._shop.accounts.rewrite(self.camera.id)

    async def _turn(self) -> float:
        """One attempt, or the reason for none; returns how long to wait before the next."""
        now = self.state.began = self._shop.clock.now()
        self._unanswered = None
        if self.camera.disabled:
            await self._missing(now, GapCause.DISABLED)
            if not self._unfinished:
                return self._shop.settings.longest_retry
        if not self._shop.spool.has_room():
            return await self._no_room(now)
        try:
            await self._finish_leftovers()
            if self.camera.disabled:
                return 0
            source = parse_source(self._shop.sources.source_of(self.camera))
            try:
                pinned = await unless(self._changed, self._reach(source))
            except Unreached as error:
                self._unanswered = source if source.is_live else None
                return await self._failed(now, AttemptEnd(RunEnd.UNREACHABLE, messages=(error.message,)))
            if pinned is None:
                return 0
            source = pinned
            cause = await unless(self._changed, self._ask_first(source))
            if self._changed.is_set():
                return 0
            if cause is not None:
                self._unanswered = source if cause is GapCause.UNREACHABLE and source.is_live else None
                return await self._failed(now, AttemptEnd(RunEnd(cause.value)))
            outcome = await self._record(source)
        except StoreFull as error:
            self._shop.log.error("spool_full", camera=self.camera.id, reason=error.message)
            return await self._no_room(now)
        except ArchiveError as error:
            self._shop.log.error(
                "attempt_failed", camera=self.camera.id, code=error.code, reason=error.message
            )
            return await self._failed(now, AttemptEnd(RunEnd.STREAM_ERROR))
        if self._stopping:
            return 0
        return await self._failed(now, outcome)

    async def _no_room(self, began: int) -> float:
        """Wait for room. If even the gap cannot be recorded, it is recorded with the next footage."""
        self._otherwise = GapCause.SPOOL_FULL
        await self._missing(began, GapCause.SPOOL_FULL)
        return _LOOK_AGAIN

    async def _reach(self, source: Source) -> Source:
        """The source pinned to its current address, if that is allowed for cameras, and verified."""
        shop = self._shop
        timeout = source.patience(shop.settings.input_timeout)
        found = await reach(source, shop.rule, timeout=timeout, turn=self.state.failures)
        return await proven(found, shop.rule, timeout=timeout, now=shop.clock.now())

    async def _pause(self, wait: float) -> None:
        """Wait before the next attempt; a camera that cannot be reached is asked meanwhile."""
        longest, source = self._shop.settings.longest_retry, self._unanswered
        if source is None or self._unfinished:
            await pause(wait, self._changed, question=None, longest=longest)
            return
        network = network_of(source.host)
        with self._shop.neighbours.waiting(network) as heard:
            question = Question(self._answers, self._asked_every, heard)
            if await pause(wait, self._changed, question=question, longest=longest):
                self._shop.neighbours.answered(network)

    def _asked_every(self) -> float:
        away = self._back_off.lasting(self._shop.clock.monotonic())
        return self._shop.neighbours.every(away, self._shop.settings.steady_retry)

    async def _answers(self) -> bool:
        """Whether the camera that could not be reached accepts a connection."""
        source, patience = self._unanswered, self._shop.settings.steady_retry
        if source is None:
            return False
        try:
            pinned = source if source.name else await self._reach(source)
        except Unreached:
            return False
        return await answers(pinned, timeout=patience)

    async def _ask_first(self, source: Source) -> GapCause | None:
        """After a failure, probe the camera before starting a process for it."""
        if not self._doubted:
            return None
        return await diagnose(source, timeout=source.patience(self._shop.settings.input_timeout))

    async def _record(self, source: Source) -> AttemptEnd:
        camera = self.camera
        sound: str | None = ""
        if camera.audio:
            sound = await unless(self._changed, self._hearing.sound(camera.id, source))
        if sound is None or self.camera != camera:
            return AttemptEnd(RunEnd.PARAMETER_CHANGE)  # Sound may not be allowed any more.
        self.state.attempts += 1
        self.state.is_capturing = True
        attempt = self._attempt = Attempt(self._shop, camera, source, sound, self._seeing.jpeg(source))
        if self._stopping:
            attempt.stop(RunEnd.STOPPED)
        is_whole = False
        try:
            outcome = await attempt.run(self._otherwise)
            is_whole = True
            self._seeing.ended(outcome.cause)
            return outcome
        finally:
            if not is_whole:
                self._seeing.ended(RunEnd.STREAM_ERROR)
            if attempt.session is not None and not is_whole:
                self._unfinished.append((attempt.session, RunEnd.SPOOL_FULL))
            if attempt.is_mute:
                self._hearing.was_mute(camera.id)
            if attempt.found_jpeg is not None:
                self._seeing.sends_jpeg(camera.id, attempt.found_jpeg)
            self.state.damaged += attempt.damaged
            self._attempt = None
            self.state.is_capturing = False

    async def _finish_leftovers(self) -> None:
        """Finish sessions that the disk interrupted. One that can never be finished waits for a person.

        It stays as it is, and the next start tries it again. Nothing was recorded after these sessions,
        whatever the camera does now.
        """
        if not self._unfinished:
            return
        while self._unfinished:
            cut_off, reason = self._unfinished.pop(0)
            try:
                session = await self._shop.in_thread(cut_off.retake)
                self._shop.archiver.deliver(await self._shop.in_thread(session.end, reason))
                self._shop.tell_set_aside(self.camera.id, session.quarantined)
            except (IntegrityError, Malformed, Unavailable) as error:
                if isinstance(error, Unavailable):
                    self._tries += not isinstance(error, StoreFull)
                    if self._tries < _MOST_TRIES:
                        self._unfinished.insert(0, (cut_off, reason))
                        raise
                self._shop.archiver.deliver(cut_off.fresh())
                cut_off.folder.let_go()
                self._shop.archiver.counters.set_aside += 1
                self._shop.log.error(
                    "session_unfinished", camera=self.camera.id, code=error.code, reason=error.message
                )
            self._tries = 0
        owed, self._owed = self._owed or [(self._shop.clock.now(), self._otherwise)], []
        for at, cause in owed:
            await self._missing(at, cause)

    async def _failed(self, began: int, outcome: AttemptEnd) -> float:
        """An attempt failed. Keep the reason, and return how long to wait."""
        cause = _GAP_AFTER.get(outcome.cause) or GapCause(outcome.cause.value)
        self._otherwise = cause
        self._doubted = outcome.cause not in _GAP_AFTER
        if outcome.cause is RunEnd.SPOOL_FULL:
            await self._missing(began, cause)  # at once: the next turn may find room, and no camera
            return 0
        if outcome.cause in _GAP_AFTER or outcome.cause is RunEnd.DISABLED:
            return 0
        if outcome.lasted >= _SOUND:
            self.state.failures = 0
            self._back_off.clear()
        self.state.failures += 1
        await self._missing(began, cause)
        if self.state.failures.bit_count() == 1:  # the first, second, fourth, … in a row
            self._shop.log.warning(
                "camera_lost",
                camera=self.camera.id,
                cause=cause.value,
                failures=self.state.failures,
                lasted=round(outcome.lasted, 1),
                messages=outcome.messages[-3:],
            )
        return self._back_off.failed(self._shop.clock.monotonic())

    async def _missing(self, at: int, cause: GapCause) -> None:
        if self._unfinished:  # Their footage ends the gap before it; this one follows it.
            cause = GapCause.DISABLED if self.camera.disabled else cause
            if len(self._owed) < _MOST_OWED and [one for _, one in self._owed[-1:]] != [cause]:
                self._owed.append((at, cause))
            return
        try:
            await self._shop.in_thread(self._shop.accounts.missing, self.camera.id, at, cause)
        except ArchiveError as error:
            # The account is unchanged; it takes the cause as soon as the disk does.
            self._shop.log.warning("gap_waits", camera=self.camera.id, reason=error.message)

    def _end_attempt(self, reason: RunEnd) -> None:
        if self._attempt is not None:
            self._attempt.stop(reason)
