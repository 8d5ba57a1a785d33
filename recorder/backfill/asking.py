"""Asks one camera for the holes in its recording, and brings what it kept into the archive.

Whatever comes is a run of its own, dated by the first answer about the camera's clock after the hole; its
record names the gap that it fills. Nothing is concluded from silence: that a camera says it has nothing is
one outcome, that it does not answer another one. A hole that is refused stops no other hole.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import disk_errors
from archive.errors import ArchiveError, Conflict, Malformed, Refused, Unavailable
from archive.footage.sources import SourceRule
from archive.ids import new_run_id
from archive.model.camera import Camera
from archive.model.segment import TIMESCALE, DeviceClock, Segment
from archive.timespan import DAY, MINUTE, SECOND, SpanSet, Timespan
from recorder.backfill.clocks import UNPROVEN, WANDERS_PPM, answers_in, clock_during
from recorder.backfill.fetching import Fetched, Fetcher, keep_facts, kept_facts, no_room
from recorder.backfill.holes import Hole
from recorder.backfill.memory import check_absence, check_times, may_have, recording_of, replay_of
from recorder.backfill.outcomes import JOINS, Answer, is_filled_of, is_of_hole, outcome_of, unasked
from recorder.backfill.session import packets_lost
from recorder.bringing import Bringer, Stated, spans_of
from recorder.current import Made
from recorder.devices import Devices, KeptRecording, Login
from recorder.host_time import Host
from recorder.reach import reach
from recorder.sources import Source, parse_source
from recorder.spool import CaptureFolder
from recorder.trust import proven

T = TypeVar("T")

SOURCE = "backfill"
"""The source of such a run's clock statement, and the origin of its journal batches."""
RECENT = 7 * DAY
"""Holes that are older are asked for only when a person asks."""
_LONGEST_OVERLAP = MINUTE
_MOST_STRETCHES = 200
_LOGIN_REFUSED = "replay_login_refused"
_EVER = 1 << 62
_PARTS = SECOND // 2
"""By how much the times in the files may part from those that the camera says, as in a stretch."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A camera's memory as it was found: where its recording is replayed, and what its clock says.

    ``wider`` is added to the bound of the times (µs); ``flags`` are those of their statement.
    """

    clock: DeviceClock
    recording: KeptRecording
    source: Source
    wider: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks one camera. ``address`` is where it speaks ONVIF, ``recording`` a token or "".

    ``camera_at`` gives the camera as it was registered at an instant. ``witnesses`` finds segments around a
    hole, whose leaves state the camera's clock. ``barred`` is the time of which nothing may be recorded.
    ``stopping`` says whether to leave off.
    """

    bringer: Bringer
    devices: Devices
    fetcher: Fetcher
    rule: SourceRule
    clock: Clock
    host_time: Host
    camera_at: Callable[[int], Camera]
    source: Source
    address: str
    recording: str = ""
    barred: SpanSet = field(default_factory=SpanSet)
    witnesses: Callable[[Timespan], Sequence[Segment]] = lambda _hole: ()
    stopping: Callable[[], bool] = lambda: False

    async def go_on(self) -> list[str]:
        """Bring in what an earlier call fetched whole, and remove what it had in part; returns the runs."""
        found: list[str] = []
        camera = self.bringer.spool.root / "cameras" / self.bringer.camera.id
        for path in await asyncio.to_thread(lambda: sorted(camera.glob("*/"))):
            folder = CaptureFolder(path)
            await asyncio.to_thread(folder.acquire)
            try:
                if await asyncio.to_thread(kept_facts, path) is not None:
                    await _to_its_end(self._bring_in, folder)
                    found.append(path.name)
            except ArchiveError as error:
                if _may_pass(error):
                    raise
                # It is no footage; its hole is asked for again.
            finally:
                folder.let_go()
            await asyncio.to_thread(self.bringer.spool.remove, folder)
        await _to_its_end(self.bringer.hand_in)
        return found

    async def look(self) -> Memory:
        """Ask for clock and recording.

        Raises:
            StoreFull: the spool has no room; the camera was not asked.
            As :class:`recorder.devices.Devices`, and ``recording_…``.
        """
        if not await asyncio.to_thread(self.bringer.spool.spares, 0):
            raise no_room()
        login = Login(self.source.user, self.source.password)
        clock = await self.devices.clock(self.address, login)
        kept = await self.devices.recordings(self.address, login)
        device = parse_source(self.address).host
        recording = recording_of(kept, wanted=self.recording, host=self.source.host, device=device)
        check_times(recording, clock.at + clock.offset_us, device)
        url = await self.devices.replay_url(self.address, login, recording.token)
        source = replay_of(url, self.source, device)
        source = await reach(source, self.rule, timeout=self.fetcher.patience)
        source = await proven(source, self.rule, timeout=self.fetcher.patience, now=self.clock.now())
        flags = () if self.address.startswith("https://") else (UNPROVEN,)
        return Memory(clock, recording, source, flags=flags)

    async def ask_each(self, memory: Memory, holes: Iterable[Hole]) -> AsyncIterator[Answer]:
        """Ask for each hole, one after the other. Raises as :meth:`ask`.

        A login that is refused once is not tried for the other holes: some cameras lock an account after a
        few, and the live footage comes by the same one.
        """
        refused: Refused | None = None
        for hole in holes:
            if self.stopping():
                return
            if refused is not None:
                yield unasked(hole, refused)
                continue
            answer = await self.ask(memory, hole)
            yield answer
            if answer.code == _LOGIN_REFUSED:
                refused = Refused(answer.reason, code=answer.code)

    async def ask(self, memory: Memory, hole: Hole) -> Answer:
        """Ask for one hole.

        Raises Unavailable, StoreFull, Refused: archive or spool fail or refuse, and nothing came.
        """
        runs: list[str] = []
        pictures, lost, has_ended = 0, 0, False
        error: ArchiveError | None = None
        try:
            memory = await self._dated(memory, hole)
            for piece in hole.pieces():
                try:
                    async for run, fetched in self._stretches(memory, hole, piece):
                        if fetched.is_new:
                            runs.append(run)
                            pictures += fetched.pictures
                        lost += fetched.lost
                        error = error or fetched.broke_off
                        has_ended |= fetched.broke_off is not None
                except (Malformed, Conflict) as refused:
                    error = error or refused  # this piece is refused; the others may come
                if has_ended or self.stopping():
                    break
        except ArchiveError as found:
            if not runs and not is_of_hole(found):
                raise
            error = found
        missing = await asyncio.to_thread(self._missing, hole)
        if lost and missing:
            error = error or packets_lost(memory.source.host)
        is_filled = not missing or (bool(runs) and is_filled_of(hole, missing, lost))
        if is_filled:
            error = None
        outcome = outcome_of(bool(runs), is_filled, error, self.stopping())
        return Answer(
            hole=hole, outcome=outcome, runs=tuple(runs), pictures=pictures, lost=lost, missing=missing,
            code="" if error is None else error.code, reason="" if error is None else error.message,
        )  # fmt: skip

    async def _dated(self, memory: Memory, hole: Hole) -> Memory:
        """The memory with the clock that the camera had in the hole. Malformed: ``camera_clock_set``.

        A camera that was cut off had no time server either: its clock wandered for as long as the hole lasts,
        and may have been put right before it was asked. So that is in the bound too.
        """
        segments = await asyncio.to_thread(self.witnesses, hole.span)
        found = clock_during(hole.span, answers_in(segments, memory.clock), memory.clock)
        wider = found.wider + hole.span.duration // SECOND * WANDERS_PPM
        flags = tuple(sorted({*memory.flags, *found.flags}))
        return replace(memory, clock=found.answer, wider=wider, flags=flags)

    async def _stretches(
        self, memory: Memory, hole: Hole, piece: Timespan
    ) -> AsyncIterator[tuple[str, Fetched]]:
        """Fetch and bring in what the camera has of a piece, stretch by stretch.

        Raises Malformed ``backfill_not_allowed``: all of it may be of time that may not be recorded.
        """
        ahead = memory.clock.offset_us
        allowed = piece.intersection(self._allowed(memory, piece))
        if allowed is None:
            raise _not_allowed()  # it was not asked: that is not "nothing there"
        asked: Timespan | None = Timespan(allowed.start + ahead, allowed.end + ahead)
        for _ in range(_MOST_STRETCHES):
            if asked is None or not may_have(memory.recording, asked) or self.stopping():
                return
            run = new_run_id(self.clock.now())
            folder = CaptureFolder(self.bringer.spool.root / "cameras" / self.bringer.camera.id / run)
            fetched = await self._fetch(memory, hole, asked, folder)
            if fetched is None:
                check_absence(memory.recording, memory.source.host)
                return
            yield run, fetched
            if fetched.resumes is None:
                return
            # If the camera's clock was set back there, what it says twice is not asked for twice.
            resumes = max(fetched.resumes, fetched.ends + 1)
            asked = None if resumes >= asked.end else Timespan(resumes, asked.end)

    def _allowed(self, memory: Memory, span: Timespan) -> Timespan:
        """The time around ``span`` of which something may be recorded, also if the camera's clock is off."""
        doubt = memory.clock.within_us + memory.wider + _age(memory.clock, span.start) * WANDERS_PPM
        before = [one.end for one in self.barred if one.start < span.start]
        after = [one.start for one in self.barred if one.start >= span.start]
        since, until = max(before, default=-_EVER) + doubt, min(after, default=_EVER) - doubt
        return Timespan(since, max(until, since + 1))

    def _within(self, memory: Memory, asked: Timespan) -> Timespan:
        """As :meth:`_allowed`, of and in the camera's time."""
        ahead = memory.clock.offset_us
        allowed = self._allowed(memory, Timespan(asked.start - ahead, asked.end - ahead))
        return Timespan(allowed.start + ahead, allowed.end + ahead)

    async def _fetch(
        self, memory: Memory, hole: Hole, asked: Timespan, folder: CaptureFolder
    ) -> Fetched | None:
        spool = self.bringer.spool
        if not await asyncio.to_thread(spool.spares, 0):
            raise no_room()
        with disk_errors(self.bringer.camera.id):
            await asyncio.to_thread(lambda: folder.path.mkdir(parents=True))
        await asyncio.to_thread(folder.acquire)
        try:
            camera = self.bringer.camera
            fetched = await self.fetcher.fetch(
                memory.source, asked, folder, within=self._within(memory, asked),
                segment_seconds=camera.segment_seconds, has_room=spool.spares,
            )  # fmt: skip
            if fetched is not None:
                await asyncio.to_thread(self._keep, memory, hole, asked, fetched, folder)
                is_new = await _to_its_end(self._bring_in, folder)
                fetched = replace(fetched, is_new=is_new)
        except ArchiveError as error:
            if not _may_pass(error) or await asyncio.to_thread(kept_facts, folder.path) is None:
                await asyncio.to_thread(spool.remove, folder)
            raise  # what is whole in the folder is brought in by the next call
        finally:
            folder.let_go()
        await asyncio.to_thread(spool.remove, folder)
        return fetched

    def _keep(
        self, memory: Memory, hole: Hole, asked: Timespan, fetched: Fetched, folder: CaptureFolder
    ) -> None:
        clock = memory.clock
        start = fetched.begins - clock.offset_us
        bound = self.host_time().bound_us
        uncertainty = clock.within_us + memory.wider + fetched.drift + _age(clock, start) * WANDERS_PPM
        keep_facts(
            folder.path,
            {
                "gap": hole.gap,
                "asked": asked.start - clock.offset_us,
                "start": start,
                "end": fetched.ends - clock.offset_us,
                "offset_us": clock.offset_us,
                "uncertainty_us": None if bound is None else uncertainty + bound,
                "pictures": fetched.pictures,
                "flags": list(memory.flags),
            },
        )

    def _bring_in(self, folder: CaptureFolder) -> bool:
        """A whole stretch into the archive; the same call goes on where the last one ended.

        False if all of it is there already: where packets are lost each time, not each time adds a run.
        """
        facts = kept_facts(folder.path)
        if facts is None:
            return False
        if self.bringer.index.run(folder.path.name) is not None:
            return True
        bringer = replace(self.bringer, camera=self.camera_at(facts["start"]))
        made = bringer.make(folder, "what the camera kept")
        written = sum(one.finalised.frames for one in made)
        if written < facts["pictures"]:
            raise Malformed(
                f"of {facts['pictures']} pictures that the camera sent FFmpeg can read {written}",
                code="replay_pictures_missing",
                hint="Copy the recording from the camera to a file, and see whether a player shows it.",
            )
        spans = spans_of(made, facts["start"])
        apart = _apart(made, facts)
        whole = Timespan(spans[0].start, spans[-1].end)
        run, finished = folder.path.name, bringer.finished(folder)
        there = self._there(run, whole)
        since = facts["asked"] if "asked" in facts else facts["start"]
        asked = Timespan(min(since, whole.end - 1), whole.end)
        new = SpanSet((whole,)).within(asked) - there
        if new.duration < JOINS and not finished:
            return False
        self._check(there, asked)
        uncertainty = facts["uncertainty_us"]
        stated = Stated(
            source=SOURCE, uncertainty_us=None if uncertainty is None else uncertainty + apart,
            offset_us=facts["offset_us"], has_own_clock=True, fills=(facts["gap"],),
            flags=tuple(facts.get("flags", ())),
        )  # fmt: skip
        bringer.archive(folder, run, made, spans, stated, "", finished)
        return True

    def _there(self, run: str, whole: Timespan) -> SpanSet:
        """Where there is footage already, of other runs."""
        found = self.bringer.index.segments(self.bringer.camera.id, whole)
        return SpanSet(one.span for one in found if one.run != run)

    def _check(self, there: SpanSet, asked: Timespan) -> None:
        """Footage that there is already stays what it is.

        The group of pictures before what was asked for may overlap with it, however long it is.
        """
        both = there.within(asked)
        if both.duration > _LONGEST_OVERLAP:
            raise Conflict(
                f"{both.duration // SECOND} s of what the camera sent lie where there is footage already",
                code="backfill_overlaps",
                hint="The camera sends other times than it was asked for. Check its clock and its zone.",
            )

    def _missing(self, hole: Hole) -> SpanSet:
        covered = SpanSet(one.span for one in self.bringer.index.segments(self.bringer.camera.id, hole.span))
        return hole.missing - covered


async def _to_its_end(work: Callable[..., T], *given: object) -> T:
    """Work in a thread. Who is cancelled meanwhile waits for it: the spool is ours until it has ended."""
    working = asyncio.get_running_loop().run_in_executor(None, work, *given)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return working.result()


def _may_pass(error: ArchiveError) -> bool:
    """Whether the same call may succeed later: a store, its rights, the index or the disk fails."""
    return isinstance(error, Unavailable) or not is_of_hole(error)


def _age(clock: DeviceClock, instant: int) -> int:
    """Seconds from an instant to the answer about the camera's clock."""
    return max(0, clock.at - instant) // SECOND


def _not_allowed() -> Malformed:
    return Malformed(
        "the camera was disabled or not registered right beside this hole, and its clock is not known so well"
        " that what it kept is surely of the hole",
        code="backfill_not_allowed",
        hint="Synchronise the camera's clock with NTP. This hole stays a gap.",
    )


def _apart(made: Sequence[Made], facts: JsonObject) -> int:
    """By how much (µs) the last picture is off, by the times in the files, from where its mark says.

    Raises Malformed ``replay_times_jump``: by more than a stretch may part.
    """
    first = made[0].finalised.header.first_pts
    last = max(max(one.finalised.header.presentation_times) for one in made)
    shown = facts["start"] + (last - first) * SECOND // TIMESCALE
    apart = abs(shown - facts.get("end", shown))
    if apart > _PARTS:
        raise Malformed(
            "the times in what the camera kept jump: by them its last picture is not when the camera says",
            code="replay_times_jump",
            hint="Copy the recording from the camera to a file, and use saksi import.",
        )
    return int(apart)
