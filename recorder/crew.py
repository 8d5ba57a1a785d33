"""The cameras that a recorder records now: one supervisor each, taken and left as the desk says."""

import asyncio
from collections.abc import Callable, KeysView, Sequence

from archive.clock import Clock
from archive.errors import ArchiveError
from archive.model.camera import Camera
from archive.model.gap import GapCause
from archive.timespan import HOUR
from recorder.accounts import Accounts
from recorder.archiver import Log
from recorder.opening import Opening
from recorder.placement.desk import PlacementDesk
from recorder.recovery import Leftover
from recorder.supervisor import CameraSupervisor
from recorder.workshop import Workshop

_LOOK_BACK = HOUR
"""How far back another recorder's last entry of a camera may be: open gaps are recorded each hour."""


class Crew:
    """The supervisors. Everything is called in the event loop's thread, except :meth:`first_look`.

    ``high_water`` asks the index for the end of a camera's newest segment or gap.
    """

    def __init__(self, high_water: Callable[[str], int | None], clock: Clock, log: Log) -> None:
        self._opening = Opening(high_water, log)
        self._clock = clock
        self._log = log
        self._registered: Sequence[Camera] = ()
        self._supervisors: dict[str, tuple[CameraSupervisor, asyncio.Task[None]]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self.leftovers: dict[str, Leftover] = {}
        """What the disk kept from being finished at the start: the camera's first supervisor takes it up.

        Of cameras that are not ours it is finished by :meth:`finish_leftovers`.
        """

    @property
    def ids(self) -> KeysView[str]:
        """The ids of the cameras that are recorded; it follows what is taken and left."""
        return self._supervisors.keys()

    @property
    def supervisors(self) -> list[CameraSupervisor]:
        """Those at work now."""
        return [supervisor for supervisor, _ in tuple(self._supervisors.values())]

    @property
    def new(self) -> tuple[str, ...]:
        """Of :meth:`first_look`: the cameras that nobody can have recorded before."""
        return tuple(self._opening.new)

    def cameras(self) -> list[Camera]:
        """The cameras that are recorded."""
        return [supervisor.camera for supervisor in self.supervisors]

    def first_look(self, cameras: Sequence[Camera], accounts: Accounts, desk: PlacementDesk) -> list[Camera]:
        """Those that are ours at the start, with their accounts open; blocks, and starts nothing yet."""
        self._opening.is_shared = desk.is_shared
        self._registered = cameras
        duties = desk.look(cameras, ())
        own = [camera for camera in cameras if camera.id in duties.record]
        for camera in own:
            self._opening.open(camera, accounts, alive=accounts.spool.last_alive() or 0)
        return own

    def staff(self, cameras: Sequence[Camera], shop: Workshop) -> None:
        """Supervise these; those that are supervised already get the camera as it is registered now."""
        for camera in cameras:
            if camera.id in self._supervisors:
                self._supervisors[camera.id][0].change(camera)
                continue
            is_new = camera.id in self._opening.new
            self._opening.new.discard(camera.id)  # It may come back from another recorder later.
            supervisor = CameraSupervisor(
                shop, camera, GapCause.CONNECTING if is_new else GapCause.RECORDER_RESTART
            )
            if (leftover := self.leftovers.pop(camera.id, None)) is not None:
                supervisor.take_up(leftover)
            self._supervisors[camera.id] = (supervisor, asyncio.create_task(supervisor.run()))

    def know(self, cameras: Sequence[Camera]) -> bool:
        """From now on these are registered; :meth:`place` acts on it. Whether they are others than before."""
        before, self._registered = self._registered, cameras
        return list(before) != list(cameras)

    async def place(self, shop: Workshop, desk: PlacementDesk) -> None:
        """Ask the desk which cameras are ours; take those that are new, and leave those that others have.

        Raises:
            ArchiveError: as the desk or the disk; the next call goes on.
        """
        async with self._turn:
            duties = await asyncio.to_thread(desk.look, self._registered, tuple(self._supervisors))
            own = [
                camera
                for camera in self._registered
                if camera.id in duties.record and camera.id not in self._leaving
            ]
            self._opening.begin()
            self.staff([camera for camera in own if camera.id in self._supervisors], shop)
            for camera in own:
                if camera.id not in self._supervisors:
                    oldest = self._clock.now() - _LOOK_BACK
                    await asyncio.to_thread(self._opening.open, camera, shop.accounts, oldest=oldest)
                    self.staff([camera], shop)  # at once: nobody else may record it
                    self._log.info("camera_taken", camera=camera.id)
            for camera_id in self._supervisors.keys() - duties.record:
                self._leaving[camera_id] = asyncio.create_task(self._leave(camera_id, shop))

    async def finish_leftovers(self, shop: Workshop) -> None:
        """Once there is room, finish what was left of cameras that another recorder has now.

        The time after that footage is the other's to account for. What the disk fails stays for the next.
        """
        for camera in [one for one in self._registered if one.id in self.leftovers]:
            async with self._turn:
                leftover = self.leftovers.get(camera.id)
                if leftover is None or camera.id in self._supervisors:
                    continue
                supervisor = CameraSupervisor(shop, camera, GapCause.RECORDER_RESTART)
                supervisor.take_up(leftover)
                supervisor.stop()
                [failed] = await asyncio.gather(supervisor.run(), return_exceptions=True)
                if failed is not None:
                    self._log.error("lane_failed", camera=camera.id, reason=repr(failed))
                leftover.sessions = supervisor.unfinished
                if leftover.sessions:
                    continue
                del self.leftovers[camera.id]
                try:
                    await shop.in_thread(shop.accounts.leave, camera.id)
                except ArchiveError as error:
                    self._log.warning("account_left_open", camera=camera.id, reason=error.message)

    async def stop(self) -> list[BaseException | None]:
        """End every supervisor in order; returns what each ended with."""
        for supervisor in self.supervisors:
            supervisor.stop()
        tasks = (*(task for _, task in self._supervisors.values()), *self._leaving.values())
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave(self, camera_id: str, shop: Workshop) -> None:
        """End a camera in order: another recorder has footage of it."""
        supervisor, task = self._supervisors.pop(camera_id)
        supervisor.stop()
        try:
            await task
            await shop.in_thread(shop.accounts.stop, (camera_id,))
            await shop.in_thread(shop.accounts.leave, camera_id)
            self._log.info("camera_left", camera=camera_id)
        except ArchiveError as error:
            self._log.warning("account_left_open", camera=camera_id, reason=error.message)
        finally:
            del self._leaving[camera_id]
