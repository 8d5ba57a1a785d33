"""Fetches one unbroken stretch of what a camera kept into a folder of the spool, as raw segments.

FFmpeg takes the pictures out of the packets and cuts them into files, as it does for live footage. The
stretch is whole in the folder once its facts stand beside the files; without them it is worth nothing.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import disk_errors, write_durably
from archive.errors import ArchiveError, Malformed, StoreFull, Unavailable
from archive.timespan import MINUTE, SECOND, Timespan
from recorder.backfill.memory import other_times
from recorder.backfill.relay import Relay, relaying
from recorder.backfill.session import ReplaySession, packets_lost, replaying
from recorder.backfill.sorting import Goes, Stretch, without_keyframe
from recorder.binary import Binary
from recorder.command import replay_command
from recorder.process import Capture, start_capture
from recorder.sources import Source, parse_source
from recorder.spool import CaptureFolder

FACTS, _PROBE = "replay.json", "probe"
_LEAST_SEGMENT_S = 10
"""Of a stretch's first pictures FFmpeg writes marks instead of times, seven seconds before the others. Only a
file that has all of them can be finalised: it must not be cut before."""
_FFMPEG_WAITS_US = 120_000_000
_GRACE = 5.0
_FINISH = 60.0
_LONGEST_S, _TIMES = 600.0, 2
"""How long a camera may let us wait in all: ten minutes, and twice as long as what was asked for lasts."""
_PACKET_HEAD = 4
_NEAR = MINUTE
"""A camera that has none of what was asked for may send the group of pictures before it, or the one after."""
_LOOKS_EVERY = 4 << 20
"""Bytes from one look at the spool's room to the next."""

HasRoom = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched: the camera's times of its first and last picture (µs), and how it ended.

    ``broke_off`` says why it ended before it was done: the camera left off, or the spool's room was low.
    ``resumes`` is the camera's time of a picture that follows a hole in what it kept. ``drift`` is by how
    much its clock and its media times parted (µs); ``lost`` counts missing packets. ``is_new`` is False if
    the archive had all of it.
    """

    begins: int
    ends: int
    drift: int
    lost: int
    pictures: int
    codec: str
    resumes: int | None = None
    broke_off: ArchiveError | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches from one camera: ``rate`` bytes per second at most. ``patience``: seconds of silence."""

    binary: Binary
    clock: Clock
    rate: int
    patience: float = 10.0

    async def fetch(
        self,
        source: Source,
        asked: Timespan,
        folder: CaptureFolder,
        *,
        within: Timespan,
        segment_seconds: int,
        has_room: HasRoom,
    ) -> Fetched | None:
        """What the camera kept of ``asked`` (its own clock), up to the first hole; None: it has nothing.

        ``source`` is pinned and verified. No picture from outside of ``within`` comes. ``has_room`` says
        whether the spool has room for so many bytes. If the camera breaks off or the room is low, what came
        is kept.

        Raises:
            Unavailable: ``replay_no_answer``, ``replay_broke_off`` before any picture;
                ``replay_packets_lost``: of each group of pictures some is missing; this host failed:
                ``backfill_not_relayed``, ``backfill_not_written``, ``capture_not_started``; the disk failed.
            StoreFull: the spool was full before any picture was written.
            Refused: ``replay_login_refused``. Malformed: ``replay_refused``, ``replay_without_times``,
                ``no_stream``, ``replay_unreadable``; ``replay_times_doubtful``: what it sends is of another
                time.
        """
        async with replaying(source, patience=self.patience) as session:
            track = await session.describe()
            if not await session.play(track, asked):
                return None
            stretch = Stretch(asked, track.codec, within.start, within.end)
            async with relaying(track, self.rate) as relay:
                broke_off = await self._record(session, stretch, relay, folder, segment_seconds, has_room)
        if stretch.begins is not None and stretch.ends >= asked.end - SECOND:
            broke_off = None  # it has fallen silent or gone because it was done
        if stretch.begins is None:
            if broke_off is not None:
                raise broke_off
            if stretch.lost:
                raise packets_lost(source.host)
            if stretch.left_out:  # it has pictures of the hole: that is not "none"
                raise without_keyframe()
            if stretch.nearest is not None and stretch.nearest > _NEAR:
                raise other_times(source.host, stretch.nearest)
            return None
        return Fetched(
            begins=stretch.begins, ends=stretch.ends, drift=stretch.drift, lost=stretch.lost,
            pictures=stretch.pictures, codec=track.codec, resumes=stretch.resumes,
            broke_off=broke_off,
        )  # fmt: skip

    async def _record(
        self,
        session: ReplaySession,
        stretch: Stretch,
        relay: Relay,
        folder: CaptureFolder,
        segment_seconds: int,
        has_room: HasRoom,
    ) -> ArchiveError | None:
        """Pass the stretch to an FFmpeg, which begins with the first packet; the error if it broke off."""
        capture: Capture | None = None
        reading: asyncio.Task[None] | None = None
        broke_off: ArchiveError | None = None
        status: int | None = None
        has_gone, size, looked = False, 0, 0
        longest = _LONGEST_S + _TIMES * stretch.asked.duration / SECOND
        try:
            try:
                async for data in session.packets(longest):
                    await relay.pace(_PACKET_HEAD + len(data))
                    goes, passed = stretch.take(data)
                    for one in passed:
                        if capture is None:
                            capture = await self._start(relay, folder, segment_seconds)
                            reading = asyncio.create_task(_drained(capture))
                            reading.add_done_callback(lambda _: relay.give_up())
                        await relay.pass_on(one)
                        size += len(one)
                    if goes is not Goes.ON:
                        break
                    if size - looked >= _LOOKS_EVERY:
                        looked = size
                        if not await asyncio.to_thread(has_room, size):  # finalising takes the same again
                            broke_off = no_room()
                            break
            except Unavailable as error:
                if error.code != "replay_broke_off":
                    raise
                broke_off = error
            except ConnectionError:
                has_gone = True  # FFmpeg: its status says why
            await relay.finish()
            if capture is not None and reading is not None:
                async with asyncio.timeout(_FINISH):
                    await reading
                    status = await capture.ended()
        except TimeoutError:
            status = None  # it does not come, read on or end
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            if capture is not None:
                await capture.end(_GRACE)
        if capture is not None and (has_gone or status != 0):
            if not await asyncio.to_thread(has_room, size):
                raise no_room()
            await asyncio.to_thread(write_durably, folder.path / _PROBE, b"")  # or it is the disk
            raise _not_written(capture, status, was_asked=relay.was_asked)
        return broke_off

    async def _start(self, relay: Relay, folder: CaptureFolder, segment_seconds: int) -> Capture:
        command = replay_command(
            self.binary,
            parse_source(relay.url),
            folder.path,
            segment_seconds=max(segment_seconds, _LEAST_SEGMENT_S),
            timeout_us=_FFMPEG_WAITS_US,
        )
        return await start_capture(
            command, clock=self.clock, redact=lambda text: text, keep_open=(folder.descriptor,)
        )


def keep_facts(folder: Path, facts: JsonObject) -> None:
    """Keep the facts of a stretch that is whole. Raises StoreFull, Unavailable."""
    write_durably(folder / FACTS, json.dumps(facts, separators=(",", ":")).encode("ascii"))


def kept_facts(folder: Path) -> JsonObject | None:
    """The facts of a stretch that is whole; None for one that is not."""
    with disk_errors(folder.name):
        try:
            found = json.loads((folder / FACTS).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
    return found if isinstance(found, dict) else None


async def _drained(capture: Capture) -> None:
    async for _ in capture.lines():
        pass


def no_room() -> StoreFull:
    """The error for a spool in which live recording needs the room that is left."""
    return StoreFull(
        "the spool has no room for what the camera kept: live recording goes first",
        code="spool_full",
        hint="Free space on the spool's disk. What came is in the archive, and the rest is asked for again.",
    )


def _not_written(capture: Capture, status: int | None, *, was_asked: bool) -> ArchiveError:
    """Why an FFmpeg wrote nothing whole: the footage only if it ended by itself after it had looked at it."""
    why = capture.messages[-1] if capture.messages else "FFmpeg ended early"
    if was_asked and status is not None and status > 0:
        return Malformed(
            f"what the camera kept cannot be read as footage: {why}",
            code="replay_unreadable",
            hint="Copy the recording from the camera to a file, and see whether a player shows it.",
        )
    return Unavailable(
        f"this host did not write what the camera kept: {why}",
        code="backfill_not_written",
        hint="It is tried again by itself. See whether FFmpeg works here (saksi doctor), and free memory.",
    )
