"""The recorder: the parts that it works with, passed in, and its life from start to orderly end."""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, Unavailable
from archive.footage.ingest import IndexSink, Ingest
from archive.footage.sources import SourceRule
from archive.ids import check_name
from archive.model.camera import Camera
from archive.model.segment import DeviceClock
from archive.ports import Stores
from archive.records.ledger.streams import Ledger
from archive.records.logbook import Logbook
from archive.timespan import SECOND
from recorder import identity
from recorder.accounts import Accounts
from recorder.archiver import Archiver, Log
from recorder.backfill.turn import BackfillTurns
from recorder.backoff import Chance
from recorder.beside import beside
from recorder.binary import Binary
from recorder.crew import Crew
from recorder.device_watch import DeviceWatch
from recorder.host_time import Host, exact
from recorder.neighbours import Neighbours
from recorder.placement.desk import Everything, PlacementDesk
from recorder.placement.rhythm import keep_alive, keep_place, take_leave
from recorder.recovery import Recovery, give_up, set_aside
from recorder.report import Filling, archive_facts, camera_facts, spool_facts
from recorder.roster import Roster, Sources, pause_after
from recorder.settings import RecorderSettings
from recorder.spool import Spool
from recorder.storage_rules import StorageRules
from recorder.sub_watch import SubWatch
from recorder.trials import TrialDesk
from recorder.workshop import Workshop

T = TypeVar("T")
_FINISHERS = 2
_LEAST_DRAIN = 1.0
_INTRODUCED = "introduced.json"


class RecorderIndex(IndexSink, Protocol):
    """The part of the index that a recorder needs."""

    def high_water(self, camera: str) -> int | None:
        """The latest end of any segment or gap of the camera; None if the index has none."""
        ...

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """Keep a recorder's heartbeat."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderParts:
    """The parts that a recorder works with.

    ``only`` names the cameras to record (empty: all). ``host_time`` says what is known of the machine's
    clock. ``rule`` says where sources may lead. ``last_footage`` asks the index for the end
    of a camera's newest footage. ``version`` is this program's. ``trials`` answers connection tests; without
    it nobody does. ``chance`` spreads the attempts of many cameras. ``device_watch`` asks cameras for clocks
    and alarms; without it nobody does. ``desk`` makes from the spool what says which cameras this recorder
    records; without it all of them. ``backfill`` makes what asks cameras for holes; without it nobody does.
    """

    recorder: str
    spool_dir: Path
    key: Ed25519PrivateKey
    stores: Stores
    ledger: Ledger
    index: RecorderIndex
    sources: Sources
    binary: Binary
    clock: Clock
    settings: RecorderSettings
    log: Log
    only: Collection[str] = ()
    host_time: Host = exact
    rule: SourceRule = field(default_factory=SourceRule)
    last_footage: Callable[[str], int | None] = lambda _camera: None
    version: str = ""
    trials: TrialDesk | None = None
    chance: Chance = random.random
    device_watch: DeviceWatch | None = None
    sub_watch: SubWatch | None = None
    desk: Callable[[Spool], PlacementDesk] = lambda _spool: Everything()
    backfill: Callable[[Spool], BackfillTurns] | None = None


class Recorder:
    """One recorder. Call :meth:`run` once, in the thread of an event loop that lives as long as it does."""

    def __init__(self, parts: RecorderParts) -> None:
        self._parts = parts
        self._id = check_name("recorder", parts.recorder)
        self._stop = asyncio.Event()
        self._is_introduced = False
        self._is_over = False
        self._unreadable: dict[str, str] = {}
        self._crew = Crew(parts.index.high_water, parts.clock, parts.log)
        self._archiver: Archiver | None = None
        self._accounts: Accounts | None = None
        self._spool: Spool | None = None
        self._filling = Filling()
        self._started = parts.clock.now()

    def stop(self) -> None:
        """Request an orderly end; call it in the event loop's thread (or in a signal handler of the loop)."""
        self._stop.set()

    def state(self) -> JsonObject:
        """The current state, for heartbeats (:mod:`recorder.report`); empty before the start."""
        archiver, spool, accounts = self._archiver, self._spool, self._accounts
        if archiver is None or spool is None or accounts is None:
            return {}
        return {
            "version": self._parts.version,
            "started": self._started,
            **({"stopped": 1} if self._is_over else {}),
            **archive_facts(archiver),
            **spool_facts(spool, archiver, self._filling, self._parts.clock),
            "cameras": {
                one.camera.id: camera_facts(one, accounts, archiver.pulses.of(one.camera.id))
                | self._device_facts(one.camera.id)
                for one in self._crew.supervisors
            },
        }

    async def run(self, duration: float | None = None) -> None:
        """Record for ``duration`` seconds, or until :meth:`stop`; everything is archived when this returns.

        Raises:
            Conflict: ``spool_in_use``, ``recorder_unknown_place``.
            Unavailable: ``spool_not_drained``: stopped, but a store or the index did not answer and the rest
                is still in the spool; the next start archives it.
            StoreFull, Unavailable: the disk failed at the start.
        """
        parts, settings = self._parts, self._parts.settings
        spool = self._spool = Spool(
            parts.spool_dir, parts.clock, settings.spool_quota, settings.spool_reserve
        )
        spool.quarantine.tell = lambda camera, file, size: parts.log.error(
            "file_dropped", camera=camera, file=file, bytes=size, reason="its quarantine is full"
        )
        spool.open()
        finishing = ThreadPoolExecutor(_FINISHERS, "finish")
        try:
            await self._record(spool, finishing, duration)
        finally:
            finishing.shutdown(wait=False, cancel_futures=True)
            spool.close()

    async def _record(self, spool: Spool, finishing: ThreadPoolExecutor, duration: float | None) -> None:
        parts, settings = self._parts, self._parts.settings
        logbook = Logbook(
            spool.root / "journal", self._id, parts.key, parts.clock, lock_days=settings.journal_lock_days
        )
        rules = StorageRules(
            parts.ledger, parts.stores.records, spool, parts.clock, parts.log,
            floor_days=settings.retention_floor_days, refresh_seconds=settings.registry_seconds,
        )  # fmt: skip
        await asyncio.to_thread(rules.remember)
        ingest = Ingest(
            footage=parts.stores.footage,
            records=parts.stores.records,
            index=parts.index,
            logbook=logbook,
            recorder=self._id,
            clock=parts.clock,
            locked_until=rules.locked_until,
            is_held=rules.is_held,
        )
        archiver = self._archiver = Archiver(
            ingest,
            settings,
            before_seal=lambda: self._introduce(spool, logbook),
            before_upload=lambda: accounts.save(),
            give_up=lambda spooled: give_up(spooled, spool, accounts),
            set_aside=lambda spooled: set_aside(spooled, spool, accounts),
            log=parts.log,
            clock=parts.clock,
        )
        accounts = self._accounts = Accounts(spool, parts.clock, self._id, archiver.deliver)
        recovery = Recovery(spool, accounts, logbook, parts.clock, parts.log, parts.host_time)
        await asyncio.to_thread(recovery.run)
        archiver.counters.set_aside += recovery.set_aside
        ingest.expect(recovery.spooled_leaves)
        roster = Roster(parts.ledger, parts.stores.records, spool, only=parts.only)
        shop = Workshop(
            self._id, parts.binary, settings, parts.clock, spool, accounts, archiver, parts.sources,
            finishing, parts.log, parts.host_time, parts.rule, parts.chance,
            Neighbours(parts.chance), self._device_clock,
        )  # fmt: skip
        await asyncio.to_thread(self._introduce_early, spool, logbook)
        await asyncio.to_thread(rules.refresh)
        desk = parts.desk(spool)
        await asyncio.to_thread(desk.beat)
        cameras = await asyncio.to_thread(self._first_look, roster, accounts, desk)
        await asyncio.to_thread(
            recovery.explain_absence,
            [camera.id for camera in cameras],
            [camera.id for camera in cameras if camera.disabled],
            new=self._crew.new,
            now=parts.clock.now(),
        )
        self._crew.leftovers = recovery.unfinished
        await self._despite_the_disk(shop, "sign_of_life_waits", spool.touch)
        archiver.deliver_backlog(recovery.spooled_leaves)
        leading = [
            asyncio.create_task(self._keep_roster(roster, shop, desk)),
            asyncio.create_task(self._keep_spool(shop)),
        ]
        if desk.glance is not None:
            leading += [
                asyncio.create_task(
                    keep_place(desk, desk.glance, lambda: self._crew.place(shop, desk), parts.log)
                ),
                asyncio.create_task(keep_alive(desk)),
            ]
        tasks = [
            asyncio.create_task(archiver.run()),
            *leading,
            asyncio.create_task(self._beat()),
            asyncio.create_task(self._keep_rules(rules)),
            asyncio.create_task(self._keep_recalling(archiver)),
            *self._side_work(spool),
        ]
        self._crew.staff(cameras, shop)
        try:
            await self._until_stopped(tasks, duration)
        finally:
            for task in leading:
                task.cancel()
            await asyncio.gather(*leading, return_exceptions=True)
            await self._wind_up(tasks, shop, desk)

    async def _until_stopped(self, tasks: list["asyncio.Task[None]"], duration: float | None) -> None:
        """Wait for the requested end; a task that fails ends the recorder, and its error is raised."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait(
                {stopped, *tasks}, timeout=duration, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopped.cancel()
        for task in done - {stopped}:
            task.result()

    async def _wind_up(self, tasks: list["asyncio.Task[None]"], shop: Workshop, desk: PlacementDesk) -> None:
        """Take leave, stop the cameras, then archive their segments, then upload the journal.

        Nothing here waits for the threads that a store which hangs may hold.
        """
        loop, settings, archiver = asyncio.get_running_loop(), self._parts.settings, shop.archiver
        ends = loop.time() + (settings.stop_seconds if self._stop.is_set() else settings.drain_seconds)
        await take_leave(desk, settings.leave_seconds, self._parts.log)
        results = await self._crew.stop()
        ids = tuple(self._crew.ids)
        await self._despite_the_disk(shop, "gaps_wait", lambda: shop.accounts.stop(ids))
        await self._despite_the_disk(shop, "sign_of_life_waits", shop.spool.touch)
        drained = not tasks[0].done() and await archiver.drain(max(_LEAST_DRAIN, ends - loop.time()))
        self._is_over = drained
        with suppress(TimeoutError):
            async with asyncio.timeout(max(_LEAST_DRAIN, ends - loop.time())):
                await shop.in_thread(self._beat_once)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        archiver.close()
        for result in results:
            if isinstance(result, Exception):
                raise result
        if not drained:
            raise Unavailable(
                f"{archiver.waiting} leaves are still in the spool",
                code="spool_not_drained",
                hint="The store or the index does not answer. Start the recorder again once they do.",
            )

    # Cameras -----------------------------------------------------------------------------------------

    def _first_look(self, roster: Roster, accounts: Accounts, desk: PlacementDesk) -> list[Camera]:
        """Our cameras from the ledger or, if it is unavailable, from the spool; with their accounts open."""
        remembered = roster.remembered()
        try:
            cameras = roster.refresh()
        except ArchiveError as error:
            self._parts.log.error("roster_from_memory", code=error.code, reason=error.message)
            cameras = remembered
        self._tell_unreadable(roster)
        if roster.damaged:
            self._parts.log.error("spool_files_damaged", files=roster.damaged)
        return self._crew.first_look(cameras, accounts, desk)

    def _tell_unreadable(self, roster: Roster) -> None:
        """Log once which cameras have an unreadable newest entry."""
        if roster.unreadable != self._unreadable:
            self._unreadable = dict(roster.unreadable)
            self._parts.log.error("cameras_unreadable", **{"cameras": self._unreadable})

    async def _keep_roster(self, roster: Roster, shop: Workshop, desk: PlacementDesk) -> None:
        """Update the cameras to record, as often as listing them is cheap."""
        settings, clock = self._parts.settings, self._parts.clock
        pause, due = settings.registry_soonest, 0
        while True:
            await asyncio.sleep(pause)
            pause = settings.registry_seconds
            try:
                began = clock.monotonic()
                has_changed = self._crew.know(await asyncio.to_thread(roster.refresh))
                took = (clock.monotonic() - began) / SECOND
                pause = pause_after(took, shortest=settings.registry_soonest, longest=pause)
                self._tell_unreadable(roster)
                if has_changed or began >= due:
                    due = began  # where it fails, the next look tries it again
                    await self._crew.place(shop, desk)
                    due = began + round(settings.registry_seconds * SECOND)
            except ArchiveError as error:
                self._parts.log.warning("roster_waits", code=error.code, reason=error.message)

    async def _keep_spool(self, shop: Workshop) -> None:
        """Every few seconds: leave a sign of life, check the free room, rewrite growing gaps.

        The quarantine is looked at first: a person who empties it makes room.
        """
        while True:
            await asyncio.sleep(self._parts.settings.registry_seconds)
            await self._despite_the_disk(shop, "sign_of_life_waits", shop.spool.touch)
            await self._despite_the_disk(shop, "free_room_unknown", shop.spool.quarantine.look)
            if await self._despite_the_disk(shop, "free_room_unknown", shop.spool.has_room) is False:
                for supervisor in self._crew.supervisors:
                    supervisor.spool_is_full()
            await self._crew.finish_leftovers(shop)
            await self._despite_the_disk(shop, "gaps_wait", self._rewrite_gaps)

    async def _despite_the_disk(self, shop: Workshop, waits: str, work: Callable[[], T]) -> T | None:
        """Do work on the spool. A failing disk is told and ends nothing here: cameras see it themselves."""
        try:
            return await shop.in_thread(work)
        except ArchiveError as error:
            self._parts.log.warning(waits, code=error.code, reason=error.message)
            return None

    async def _keep_rules(self, rules: StorageRules) -> None:
        """Read new policies and holds, also while the recorder shuts down."""
        while True:
            await asyncio.sleep(self._parts.settings.registry_seconds)
            await asyncio.to_thread(rules.refresh)

    async def _keep_recalling(self, archiver: Archiver) -> None:
        """Ask the index for the newest footage of cameras that have given none since the start.

        Recording never waits for the answers: only heartbeats need them.
        """
        while True:
            await asyncio.sleep(self._parts.settings.registry_seconds)
            unknown = [
                (camera, pulse)
                for camera in tuple(self._crew.ids)
                if (pulse := archiver.pulses.of(camera)).made_until is None
            ]
            try:
                for camera, pulse in unknown:
                    pulse.recalled(await asyncio.to_thread(self._parts.last_footage, camera))
            except ArchiveError as error:
                self._parts.log.warning("last_footage_unknown", code=error.code, reason=error.message)

    def _side_work(self, spool: Spool) -> list["asyncio.Task[None]"]:
        """The tasks beside the recording that this recorder has: none of them may end it."""
        parts, crew = self._parts, self._crew
        work: dict[str, Callable[[], Coroutine[object, object, None]]] = {}
        if (trials := parts.trials) is not None:
            work["trials"] = lambda: trials.run(self._id, lambda: crew.ids)
        if (devices := parts.device_watch) is not None:
            work["devices"] = lambda: devices.run(crew.cameras)
        if (subs := parts.sub_watch) is not None:
            work["sub_streams"] = lambda: subs.run(crew.cameras)
        if (make := parts.backfill) is not None:
            work["backfill"] = lambda: make(spool).run(crew.cameras)
        return [asyncio.create_task(beside(what, one, parts.log)) for what, one in work.items()]

    def _device_clock(self, camera: str) -> DeviceClock | None:
        watch = self._parts.device_watch
        return None if watch is None else watch.clock_of(camera)

    def _device_facts(self, camera: str) -> JsonObject:
        watches = (self._parts.device_watch, self._parts.sub_watch)
        return {name: fact for one in watches if one is not None for name, fact in one.facts(camera).items()}

    def _rewrite_gaps(self) -> None:
        for supervisor in self._crew.supervisors:
            supervisor.rewrite_gap()

    # The recorder itself -----------------------------------------------------------------------------

    def _introduce(self, spool: Spool, logbook: Logbook) -> None:
        """Before the first batch: register our key in the ledger; with a new spool, find our place again."""
        if self._is_introduced:
            return
        parts, mark = self._parts, {"recorder": self._id}
        is_ours = spool.kept(_INTRODUCED) == mark
        if not is_ours and identity.find_place(logbook, parts.ledger, parts.stores.records, self._id):
            parts.log.error("spool_was_lost", recorder=self._id, batch=logbook.open_batch)
        identity.register(parts.ledger, self._id, parts.key.public_key())
        if not is_ours:
            spool.keep(_INTRODUCED, mark)
        self._is_introduced = True

    def _introduce_early(self, spool: Spool, logbook: Logbook) -> None:
        """The same at the start, to report at once what only a person can fix; an absent store can wait."""
        try:
            self._introduce(spool, logbook)
        except Unavailable as error:
            self._parts.log.warning("store_away_at_start", code=error.code, reason=error.message)

    async def _beat(self) -> None:
        while True:
            await asyncio.to_thread(self._beat_once)
            await asyncio.sleep(self._parts.settings.heartbeat_seconds)

    def _beat_once(self) -> None:
        try:
            self._parts.index.put_heartbeat(self._id, self._parts.clock.now(), self.state())
        except ArchiveError as error:
            self._parts.log.warning("no_heartbeat", code=error.code, reason=error.message)
