"""One attempt to record one camera: from the start of FFmpeg to the reason why it ended."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Malformed
from archive.footage.mp4.jpeg import holds_jpeg, size_of
from archive.ids import new_run_id
from archive.model.camera import Camera
from archive.model.gap import GapCause, RunEnd
from archive.model.segment import MADE_FROM
from archive.timespan import SECOND
from recorder.capture_session import CaptureSession
from recorder.command import NOTICED_BY, record_command
from recorder.encoding import JpegPictures, is_by_arrival
from recorder.facts import CaptureFacts
from recorder.pictures import PicturesWritten
from recorder.probe import diagnose
from recorder.process import Capture, Closed, start_capture
from recorder.seeing import MJPEG, Size
from recorder.sources import Source
from recorder.workshop import Workshop

STEP = SECOND
"""A step of the wall clock larger than this begins a new run."""
_OVERLONG = 120
_LOOK_EVERY = 1.0
_MEASURE_EVERY = 0.25
_OPENING = 6
"""How long (s) to wait for the next file's first pictures; a fragment is 0.5 s long, or one picture."""
_OPENING_EVERY = 0.05
_FRAGMENT = 0.5
"""FFmpeg writes nothing of a file before it has so much of it (s): nobody looks earlier."""
_MUTE_AFTER = 8
"""FFmpeg opens its first file within some 7 s, or waits for sound that does not come. It has half the time
that a camera has for its first keyframe, but so long at least (s)."""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended. ``lasted`` is how long footage arrived, in seconds."""

    cause: RunEnd
    lasted: float = 0
    messages: tuple[str, ...] = ()


class Attempt:
    """One FFmpeg and its session. Call :meth:`run` once; :meth:`stop` may be called meanwhile.

    ``sound`` is the codec of the camera's sound that is recorded too; "" for none. ``jpeg`` is the size of
    JPEG pictures, which are turned into H.264; None for pictures that are copied.
    """

    def __init__(
        self, workshop: Workshop, camera: Camera, source: Source, sound: str = "", jpeg: Size | None = None
    ) -> None:
        self._workshop = workshop
        self._camera = camera
        self._source = source
        self._sound = sound
        self._jpeg = jpeg
        self._patience = source.patience(workshop.settings.input_timeout)
        self._patience_us = round(self._patience * SECOND)
        self._pictures = PicturesWritten(sound != "")
        self._left_out = ""
        self._wanted_end: RunEnd | None = None
        self._capture: Capture | None = None
        self._base = 0
        self._grown_at = 0
        self._ended = 0
        self._had_room = True
        self.session: CaptureSession | None = None
        self.is_mute = False
        """Whether it was ended because announced sound did not come, and no picture without it."""
        self.found_jpeg: Size | None = None
        """The size of the camera's JPEG pictures, where it was ended because they are not copied."""

    def stop(self, reason: RunEnd) -> None:
        """End the attempt in order, for this reason."""
        self._wanted_end = self._wanted_end or reason
        if self._capture is not None:
            self._end(self._capture)

    @property
    def damaged(self) -> int:
        """How many packets came damaged, as far as FFmpeg says."""
        return 0 if self._capture is None else self._capture.damaged

    @property
    def has_footage(self) -> bool:
        """Whether it has given a segment whose times are known."""
        return self.session is not None and self.session.covered_until is not None

    def grown_at(self) -> int:
        """When FFmpeg last wrote pictures into a file (wall time, µs); 0 if there was none yet.

        It writes into a later file than the session's while the one before becomes a segment.
        """
        session = self.session
        number = 0 if session is None else session.number
        while session is not None:
            try:
                written = self._pictures.at(session.folder.raw(number))
            except OSError:
                break  # There is none yet, or it is becoming a segment right now.
            self._grown_at = (
                written or self._grown_at
            )  # not the latest ever: the wall clock may have been set back
            number += 1
        return self._grown_at

    async def run(self, otherwise: GapCause) -> AttemptEnd:
        """Record until FFmpeg ends or :meth:`stop` is called.

        ``otherwise`` is the cause of an unexplained stretch before the first segment. When this returns,
        every segment has been handed to the archiver and the reason for the end is known.

        Raises:
            StoreFull, Unavailable: the disk failed. FFmpeg's output stays in the session's folder.
        """
        shop, settings = self._workshop, self._workshop.settings
        began = shop.clock.monotonic()
        self._base = shop.clock.now() - began
        session = self.session = await shop.in_thread(self._new_session, otherwise)
        watching: asyncio.Task[None] | None = None
        measuring: asyncio.Task[None] | None = None
        try:
            command = record_command(
                shop.binary,
                self._source,
                session.folder.path,
                segment_seconds=self._camera.segment_seconds,
                timeout_us=self._patience_us,
                sound=self._sound,
                pictures=None if self._jpeg is None else JpegPictures(*self._jpeg, session.facts.began),
            )
            capture = self._capture = await start_capture(
                command,
                clock=shop.clock,
                redact=self._source.redact,
                keep_open=(session.folder.descriptor,),
            )
            session.is_written = lambda: capture.running
            if self._wanted_end is not None:
                self._end(capture)
            watching = asyncio.create_task(self._watch(capture, session))
            measuring = asyncio.create_task(self._measure(capture, session))
            await self._hear(capture, session)
            await capture.end(settings.stop_grace)
            cause = await self._cause()
            ended = self._base + self._ended
            spooled_leaves = await shop.in_thread(session.end, cause, ended, self._patience_us)
            shop.archiver.deliver(spooled_leaves)
            shop.tell_set_aside(self._camera.id, session.quarantined)
        finally:
            for task in (watching, measuring):
                if task is not None:
                    task.cancel()
            if self._capture is not None:
                await self._capture.end(settings.stop_grace)
            session.folder.let_go()
        covered = session.covered_until
        lasted = 0.0 if covered is None else (covered - self._base - began) / SECOND
        return AttemptEnd(session.reason, lasted, capture.messages)

    def _new_session(self, otherwise: GapCause) -> CaptureSession:
        shop, camera = self._workshop, self._camera
        now = shop.clock.now()
        facts = CaptureFacts(
            camera=camera.id,
            recorder=shop.recorder,
            run=new_run_id(now),
            place=camera.place,
            is_live=self._source.is_live,
            not_before=shop.accounts.covered_until(camera.id),
            otherwise=otherwise,
            doubt=3 * self._patience_us,
            began=now,
            noticed_by=0 if self._jpeg else NOTICED_BY.get(self._source.kind, 0),
            sound=self._sound,
            pictures=MJPEG if self._jpeg else "",
            is_by_arrival=self._jpeg is not None and is_by_arrival(self._source.kind),
        )
        folder = shop.spool.new_session(camera.id, facts.to_json())
        return CaptureSession(
            folder,
            facts,
            spool=shop.spool,
            accounts=shop.accounts,
            clock=shop.clock,
            host_time=shop.host_time,
            device_clock=lambda: shop.device_clock(camera.id),
        )

    async def _hear(self, capture: Capture, session: CaptureSession) -> None:
        """Turn each closed FFmpeg file into a segment; end FFmpeg if that fails."""
        shop = self._workshop
        waiting: asyncio.Queue[tuple[Closed, int] | None] = asyncio.Queue()
        listening = asyncio.create_task(self._listen(capture, waiting))
        try:
            while (heard := await waiting.get()) is not None:
                pause = _FRAGMENT
                while capture.running and waiting.empty() and not session.has_opened(heard[0].number + 1):
                    if shop.clock.monotonic() - heard[0].heard > _OPENING * SECOND:
                        break
                    await asyncio.sleep(pause)
                    pause = _OPENING_EVERY
                await self._close(session, *heard)
            await listening
        finally:
            listening.cancel()

    async def _listen(self, capture: Capture, waiting: "asyncio.Queue[tuple[Closed, int] | None]") -> None:
        """Note when each line comes, whatever the processing of the one before takes.

        The same for FFmpeg's end: when it was, and whether its disk had room.
        """
        clock = self._workshop.clock
        try:
            async for closed in capture.closed():
                waiting.put_nowait((closed, clock.now() - clock.monotonic()))
            self._ended = clock.monotonic()
            self._had_room = self._workshop.spool.has_room()
        finally:
            waiting.put_nowait(None)

    async def _close(self, session: CaptureSession, closed: Closed, base: int) -> None:
        shop = self._workshop
        arrival = self._base + closed.heard
        try:
            if abs(base - self._base) > STEP:
                self._base = base
                after = base + closed.heard
                shop.log.warning("clock_stepped", camera=self._camera.id, by_us=after - arrival)
                spooled_leaves = await shop.in_thread(session.stepped, closed.number, arrival, after)
            else:
                spooled_leaves = await shop.in_thread(session.closed, closed.number, arrival)
            shop.archiver.deliver(spooled_leaves)
            self._note_sound(session)
            if session.is_stuck:
                self.stop(RunEnd.TIMESTAMPS)
        except Malformed as error:
            if self._is_jpeg(session.folder.raw(closed.number)):
                return
            shop.log.error("segment_refused", camera=self._camera.id, reason=error.message)
            self.stop(RunEnd.STREAM_ERROR if self._has_room() else RunEnd.SPOOL_FULL)

    def _note_sound(self, session: CaptureSession) -> None:
        """Say once why sound is left out, and again if the reason changes."""
        before, self._left_out = self._left_out, session.sound_left_out
        if self._left_out not in ("", before):
            log, camera = self._workshop.log, self._camera.id
            log.warning("sound_left_out", camera=camera, reason=self._left_out)

    async def _measure(self, capture: Capture, session: CaptureSession) -> None:
        """Observe the growth of the first file until it closes, and what a camera's pictures are."""
        first = session.folder.raw(0)
        is_told = False
        while capture.running and session.number == 0:
            session.look()
            is_told = is_told or self._is_jpeg(first) is not None
            await asyncio.sleep(_MEASURE_EVERY)

    def _is_jpeg(self, path: Path) -> bool | None:
        """Whether the file's pictures are JPEG, which ends an attempt to copy them. None: not known yet."""
        if self._jpeg is not None or not self._source.is_live:
            return False
        told = holds_jpeg(path)
        if told:
            self.found_jpeg = size_of(path)
            self.stop(RunEnd.PARAMETER_CHANGE)
        return told

    async def _watch(self, capture: Capture, session: CaptureSession) -> None:
        """End a capture in cases that FFmpeg's own time-out misses: no keyframe, no growth, no cut."""
        settings, clock = self._workshop.settings, self._workshop.clock
        began = clock.monotonic()
        number, since = 0, began
        path = session.folder.raw(number)
        while capture.running:
            await asyncio.sleep(_LOOK_EVERY)
            now = clock.monotonic()
            if session.number != number:
                number, since = session.number, now
                path = session.folder.raw(number)
            try:
                written = self._pictures.at(path)
            except FileNotFoundError:
                # The file does not exist yet, or is becoming a segment right now.
                mute_after = max(_MUTE_AFTER, settings.no_keyframe_seconds / 2) * SECOND
                if number == 0 and self._sound in MADE_FROM and now - began > mute_after:
                    self.is_mute = True
                    self.stop(RunEnd.PARAMETER_CHANGE)
                elif number == 0 and now - began > settings.no_keyframe_seconds * SECOND:
                    self.stop(RunEnd.NO_KEYFRAME)
                continue
            silent = clock.now() - written if written else now - since
            if silent > max(settings.stall_seconds * SECOND, 3 * self._patience_us):
                self.stop(RunEnd.STALLED)
            elif now - since > (self._camera.segment_seconds + _OVERLONG) * SECOND:
                self.stop(RunEnd.NO_KEYFRAME)

    def _end(self, capture: Capture) -> None:
        """Ask FFmpeg to end, and kill it if it does not; its output is read until then."""
        capture.terminate()
        asyncio.get_running_loop().call_later(self._workshop.settings.stop_grace, capture.kill)

    def _has_room(self) -> bool:
        """Whether the disk has room, and had it when FFmpeg ended: it may be there again a moment later."""
        return self._had_room and self._workshop.spool.has_room()

    async def _cause(self) -> RunEnd:
        """Why it ended: from our own actions and from a probe of the camera; never from FFmpeg's messages."""
        if self._wanted_end is not None:
            return self._wanted_end
        if not self._has_room():
            return RunEnd.SPOOL_FULL
        told = await diagnose(self._source, timeout=self._patience)
        return RunEnd.STREAM_ERROR if told is None else RunEnd(told.value)
