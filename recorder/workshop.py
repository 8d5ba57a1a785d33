"""The shared tools of every camera's supervisor, passed down from the recorder."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from archive.clock import Clock
from archive.footage.sources import SourceRule
from archive.model.segment import DeviceClock
from recorder.accounts import Accounts
from recorder.archiver import Archiver, Log
from recorder.backoff import Chance
from recorder.binary import Binary
from recorder.host_time import Host
from recorder.neighbours import Neighbours
from recorder.roster import Sources
from recorder.settings import RecorderSettings
from recorder.spool import Spool

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workshop:
    """Shared tools. Threads of ``finishing`` finalise; one camera uses one of them at a time.

    ``chance`` spreads the attempts of many cameras. ``device_clock`` is what a camera last said of its clock.
    """

    recorder: str
    binary: Binary
    settings: RecorderSettings
    clock: Clock
    spool: Spool
    accounts: Accounts
    archiver: Archiver
    sources: Sources
    finishing: ThreadPoolExecutor
    log: Log
    host_time: Host
    rule: SourceRule
    chance: Chance
    neighbours: Neighbours
    device_clock: Callable[[str], DeviceClock | None]

    def tell_set_aside(self, camera: str, files: Sequence[Path]) -> None:
        """Tell people of files that no segment could be made of: they are in quarantine now."""
        for kept in files:
            self.log.error("file_set_aside", camera=camera, file=kept.name)
        self.archiver.counters.set_aside += len(files)

    async def in_thread(self, call: Callable[..., T], *arguments: object) -> T:
        """Run disk or processor work outside the event loop."""
        work = asyncio.get_running_loop().run_in_executor(self.finishing, lambda: call(*arguments))
        return await asyncio.shield(work)
