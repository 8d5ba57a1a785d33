"""One recorder's spool on disk, and the real archive that it delivers to."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from archive.footage.ingest import Ingest, SpooledLeaf, write_ticket
from archive.model.gap import Gap
from archive.model.segment import Segment
from archive.ports import IndexEntry
from archive.records.logbook import Logbook
from archive.timespan import DAY, Timespan
from recorder.accounts import Accounts
from recorder.archiver import Archiver
from recorder.recovery import give_up, set_aside
from recorder.settings import RecorderSettings
from recorder.spool import Spool
from tests.support.archives import RECORDER_KEY, SmallArchive
from tests.support.leaves import T0

QUICK = RecorderSettings(batch_seconds=0.05, group_seconds=0.05, uploads=2)


@dataclass
class PickyIndex:
    """The real index behind a filter that a test can set."""

    inner: Any
    judge: Callable[[IndexEntry], None] = lambda entry: None

    def add(self, entries: Sequence[IndexEntry]) -> None:
        for entry in entries:
            self.judge(entry)
        self.inner.add(entries)

    def cursor(self, recorder: str) -> int:
        found: int = self.inner.cursor(recorder)
        return found

    def advance_cursor(self, recorder: str, batch: int) -> None:
        self.inner.advance_cursor(recorder, batch)


@dataclass
class Desk:
    """One recorder's spool, and the real archive that it delivers to."""

    archive: SmallArchive
    folder: Path
    delivered: list[SpooledLeaf] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = PickyIndex(self.archive.index)
        self.restart()

    def restart(self) -> None:
        """Restart the recorder's side on the same disk."""
        self.spool = Spool(self.folder / "spool", self.archive.clock, 1 << 30, 1 << 20)
        self.spool.open()
        self.logbook = Logbook(self.spool.root / "journal", "rec-1", RECORDER_KEY, self.archive.clock)
        self.accounts = Accounts(self.spool, self.archive.clock, "rec-1", self.delivered.extend)
        self.ingest = Ingest(
            footage=self.archive.stores.footage,
            records=self.archive.stores.records,
            index=self.index,
            logbook=self.logbook,
            recorder="rec-1",
            clock=self.archive.clock,
            locked_until=lambda leaf, _place: leaf.span.start + 30 * DAY,
        )

    def spooled(self, leaf: Segment) -> SpooledLeaf:
        """A segment in the spool, with its ticket."""
        folder = self.spool.root / "cameras" / leaf.camera / leaf.run
        folder.mkdir(parents=True, exist_ok=True)
        media = folder / f"{leaf.seq:06d}.mp4"
        content = f"{leaf.camera}/{leaf.run}/{leaf.seq}".encode() * 50
        media.write_bytes(content)
        leaf = replace(leaf, sha256=sha256(content).hexdigest(), size=len(content))
        return write_ticket(folder / f"{leaf.seq:06d}.ticket", leaf, None, media=media)

    def archiver(self, settings: RecorderSettings = QUICK) -> Archiver:
        made = Archiver(
            self.ingest,
            settings,
            before_seal=lambda: None,
            before_upload=lambda: None,
            give_up=lambda spooled: give_up(spooled, self.spool, self.accounts),
            set_aside=lambda spooled: set_aside(spooled, self.spool, self.accounts),
            log=structlog.get_logger("test"),
            clock=self.archive.clock,
        )
        self.accounts.deliver = made.deliver
        return made

    def bring_in(self, spooled_leaves: Sequence[SpooledLeaf], *, seconds: float = 15) -> Archiver:
        """Deliver and drain; fail if any parcel is not finished."""

        async def work() -> Archiver:
            archiver = self.archiver()
            archiver.deliver(spooled_leaves)
            task = asyncio.create_task(archiver.run())
            try:
                assert await archiver.drain(seconds), "something waits for ever"
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                archiver.close()
            return archiver

        return asyncio.run(work())

    def indexed(self, camera: str) -> list[int]:
        whole = Timespan(T0 - DAY, T0 + DAY)
        return [one.seq for one in self.archive.index.segments(camera, whole)]

    def gaps(self, camera: str) -> list[Gap]:
        return list(self.archive.index.gaps(camera, Timespan(T0 - DAY, T0 + DAY)))

    def quarantined(self) -> list[str]:
        return sorted(path.name for path in (self.spool.root / "quarantine").iterdir())
