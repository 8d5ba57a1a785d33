"""Moves leaves from the spool into the archive: uploads in parallel, commits in groups, seals batches.

Stores and index may be unavailable for hours: a leaf that cannot be delivered waits in the spool and is
tried again, and capture never waits for it. An entry that can never be taken because of its content is set
aside, and all others go on.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from archive.clock import Clock
from archive.errors import AlreadyExists, ArchiveError, IntegrityError, Malformed
from archive.footage.ingest import (
    ANSWERS_OF_STORES,
    FAULTS_OF_CONTENT,
    UNREADABLE,
    Ingest,
    Refusal,
    SpooledLeaf,
)
from archive.model.segment import Segment
from recorder.pulse import Pulses
from recorder.settings import RecorderSettings

T = TypeVar("T")
_LONGEST_PAUSE = 15.0
_LONGEST_SILENCE = 2.0
"""A store or an index that is away is asked again after so long at most: what is fresh waits for that too."""
_MOST_AT_ONCE = 500
_TRIES = 3
_FRESH, _LATER = 0, 1


class Log(Protocol):
    """The log for events: the methods of a structlog logger."""

    def info(self, event: str, **fields: Any) -> Any:
        """A normal event."""
        ...

    def warning(self, event: str, **fields: Any) -> Any:
        """An event that may need a person."""
        ...

    def error(self, event: str, **fields: Any) -> Any:
        """An event that needs a person."""
        ...


@dataclass(slots=True)
class Counters:
    """Counts of archived entries and of errors since the start.

    ``set_aside`` counts entries that can never be taken. ``moved_at`` is when (monotonic µs) an entry was
    last archived, or began to wait while no other waited.
    """

    segments: int = 0
    bytes: int = 0
    leaves: int = 0
    batches: int = 0
    lost: int = 0
    set_aside: int = 0
    store_error: str = ""
    index_error: str = ""
    journal_error: str = ""
    moved_at: int = 0


class Archiver:
    """One recorder's way into the archive.

    ``before_seal`` makes sure that the ledger knows the recorder and that the recorder knows its place in the
    journal. ``before_upload`` keeps what so far only the logbook holds. ``give_up`` is called for a segment
    that the archive will never take: other bytes under its name, or bytes that changed on disk. ``set_aside``
    is called for an entry that is refused because of its content.
    """

    def __init__(
        self,
        ingest: Ingest,
        settings: RecorderSettings,
        *,
        before_seal: Callable[[], None],
        before_upload: Callable[[], None],
        give_up: Callable[[SpooledLeaf], None],
        set_aside: Callable[[SpooledLeaf], None],
        log: Log,
        clock: Clock,
    ) -> None:
        self._ingest = ingest
        self._settings = settings
        self._before_seal = before_seal
        self._before_upload = before_upload
        self._give_up = give_up
        self._set_aside = set_aside
        self._log = log
        self._clock = clock
        self.counters = Counters()
        self.pulses = Pulses()
        self._to_store: asyncio.PriorityQueue[tuple[int, int, SpooledLeaf]] = asyncio.PriorityQueue()
        self._turns = itertools.count()
        self._to_commit: asyncio.Queue[SpooledLeaf] = asyncio.Queue()
        self._open: dict[SpooledLeaf, None] = {}
        self._all_done = asyncio.Event()
        self._all_done.set()
        self._hurry = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._storing = ThreadPoolExecutor(settings.uploads, "store")
        self._committing = ThreadPoolExecutor(1, "commit")
        self._sealing = ThreadPoolExecutor(1, "seal")
        self._failures: dict[SpooledLeaf, int] = {}
        self._failing: set[str] = set()
        self._unstored: set[SpooledLeaf] = set()
        self._unindexed: set[SpooledLeaf] = set()
        self._stored = 0
        self._refused_at: dict[SpooledLeaf, int] = {}

    @property
    def waiting(self) -> int:
        """The number of leaves that are not archived yet."""
        return len(self._open)

    @property
    def oldest(self) -> int | None:
        """When the leaf was made that has waited longest (wall time, µs); None if none waits."""
        first = next(iter(self._open), None)
        return None if first is None else first.leaf.ingested_at

    @property
    def stalled(self) -> int:
        """How long (µs) leaves have waited without any being archived; 0 if none waits."""
        return self._clock.monotonic() - self.counters.moved_at if self._open else 0

    def deliver(self, spooled_leaves: Sequence[SpooledLeaf]) -> None:
        """Accept leaves; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._take, tuple(spooled_leaves))

    def deliver_backlog(self, spooled_leaves: Sequence[SpooledLeaf]) -> None:
        """Accept what waited in the spool at the start: it is stored after all that is fresh."""
        self._loop.call_soon_threadsafe(self._take, tuple(spooled_leaves), _LATER)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.uploads):
                group.create_task(self._store_all())
            group.create_task(self._commit_all())
            group.create_task(self._seal_all())

    async def drain(self, timeout: float) -> bool:
        """Archive everything that waits and upload the journal; False if that did not succeed in time.

        After this call nothing may be delivered.
        """
        self._hurry.set()
        try:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(0)
                await self._all_done.wait()
                pause = 0.2
                while not await self._seal_once():
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Stop the threads; unfinished work is finished or tried again at the next start."""
        for pool in (self._storing, self._committing, self._sealing):
            pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, spooled_leaves: Sequence[SpooledLeaf], rank: int = _FRESH) -> None:
        if not self._open:
            self.counters.moved_at = self._clock.monotonic()
        for spooled in spooled_leaves:
            self._open[spooled] = None
            self.pulses.made(spooled.leaf)
            if spooled.stored:
                self._to_commit.put_nowait(spooled)
            else:
                self._to_store.put_nowait((rank, next(self._turns), spooled))
        if self._open:
            self._all_done.clear()

    # Steps 4 and 5 -----------------------------------------------------------------------------------

    async def _store_all(self) -> None:
        pause = 0.5
        while True:
            rank, _, spooled = await self._to_store.get()
            if rank == _FRESH and spooled.leaf.camera in self._failing:
                self._to_store.put_nowait((_LATER, next(self._turns), spooled))
                continue
            try:
                await self._in(self._storing, self._ingest.store, spooled)
            except ArchiveError as error:
                if _casts_doubt(error) and await self._doubt(spooled, error):
                    continue
                if isinstance(error, Malformed) and self._is_final(spooled, error):
                    await self._aside(spooled, error)
                    continue
                failure: ArchiveError = error
            else:
                pause = 0.5
                self._stored += 1
                self._leave_queue(spooled)
                self._failing.discard(spooled.leaf.camera)
                self._refused_at.pop(spooled, None)
                self._to_commit.put_nowait(spooled)
                continue
            # A refusal is retried too: rights can be repaired, footage cannot be recorded again.
            if self.counters.store_error != failure.code:
                self._log.error("store_failed", code=failure.code, reason=failure.message, hint=failure.hint)
            self.counters.store_error = failure.code
            self._store_later(spooled)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_SILENCE)

    def _store_later(self, spooled: SpooledLeaf) -> None:
        """Try it again, after what is fresh; so the segments of a camera that fails delay no other's."""
        self._failing.add(spooled.leaf.camera)
        self._unstored.add(spooled)
        self._to_store.put_nowait((_LATER, next(self._turns), spooled))

    def _leave_queue(self, spooled: SpooledLeaf) -> None:
        """It is no longer to be stored. The error stands while another that failed still waits."""
        self._unstored.discard(spooled)
        if self.counters.store_error and not self._unstored:
            self._log.info("store_is_back", waiting=len(self._open))
            self.counters.store_error = ""

    def _is_final(self, spooled: SpooledLeaf, error: Malformed) -> bool:
        """Whether the content is at fault. A store's own answer counts once it has taken another segment."""
        if error.code not in FAULTS_OF_CONTENT:
            return False
        if error.code not in ANSWERS_OF_STORES:
            return True
        return self._stored > self._refused_at.setdefault(spooled, self._stored)

    async def _doubt(self, spooled: SpooledLeaf, error: ArchiveError) -> bool:
        """Bytes differ, or cannot be read. If the disk altered or lost them, give the segment up; else retry.

        Returns:
            False if the spool's bytes are right and the store has no others: the store is at fault.
        """
        tries = self._failures.pop(spooled, 0) + 1
        if tries < _TRIES:
            self._failures[spooled] = tries
            self._store_later(spooled)
            await asyncio.sleep(0.5)
            return True
        pause = 0.5
        while isinstance(error, AlreadyExists) or not await self._is_intact(spooled):
            try:
                await self._in(self._committing, self._give_up, spooled)
            except ArchiveError as failure:
                # A disk that takes no record of the loss may come back, and the segment with it.
                self._log.error("set_aside_waits", code=failure.code, reason=failure.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            self._log.error("segment_lost", code=error.code, reason=error.message, ticket=str(spooled.ticket))
            self.counters.lost += 1
            self._leave_queue(spooled)
            self._ingest.let_go(spooled)
            self._done([spooled])
            return True
        return False

    async def _is_intact(self, spooled: SpooledLeaf) -> bool:
        try:
            return await self._in(self._storing, self._ingest.is_intact, spooled)
        except ArchiveError:
            return True  # the disk does not answer, so nothing shows that the bytes are wrong

    async def _aside(self, spooled: SpooledLeaf, error: Malformed) -> None:
        """The archive can never take it. Its line is still written, if the logbook takes it."""
        self._log.error(
            "set_aside", camera=spooled.leaf.camera, code=error.code, reason=error.message,
            ticket=str(spooled.ticket),
        )  # fmt: skip
        self._leave_queue(spooled)
        self._refused_at.pop(spooled, None)
        if not spooled.journalled:
            await self._insist(self._ingest.note, spooled)
        await self._insist(self._set_aside, spooled)
        self._ingest.let_go(spooled)
        self.counters.set_aside += 1
        self._done([spooled])

    async def _insist(self, call: Callable[[SpooledLeaf], None], spooled: SpooledLeaf) -> None:
        """Repeat a step that only the disk can stop, until it is done; other leaves go on meanwhile."""
        pause = 0.5
        while True:
            try:
                return await self._in(self._committing, call, spooled)
            except ArchiveError as error:
                self._log.error("set_aside_waits", code=error.code, reason=error.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    # Steps 6 to 8 ------------------------------------------------------------------------------------

    async def _commit_all(self) -> None:
        """Commit groups; one begins ``group_seconds`` after the last began, or at once if that is past.

        So a segment that comes alone waits for nothing, and many that come together share one sync.
        """
        due = self._loop.time()
        while True:
            group = [await self._to_commit.get()]
            await self._hurry_until(due)
            due = self._loop.time() + self._settings.group_seconds
            while not self._to_commit.empty() and len(group) < _MOST_AT_ONCE:
                group.append(self._to_commit.get_nowait())
            await self._commit(group)

    async def _hurry_until(self, due: float) -> None:
        """Wait until then (the loop's time), or until the recorder stops."""
        wait = due - self._loop.time()
        if wait <= 0:
            return
        try:
            async with asyncio.timeout(wait):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _commit(self, group: list[SpooledLeaf]) -> None:
        pause = 0.5
        while True:
            try:
                refused = await self._in(self._committing, self._ingest.commit, tuple(group))
                break
            except ArchiveError as error:
                self._commit_failed(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_SILENCE)
        self._unindexed.difference_update(group)
        self._unindexed.update(refusal.spooled for refusal in refused if not refusal.is_final)
        if self.counters.index_error and not self._unindexed:
            self._log.info("index_is_back", waiting=len(self._open))
            self.counters.index_error = ""
        left = {refusal.spooled for refusal in refused}
        taken = [spooled for spooled in group if spooled not in left]
        for spooled in taken:
            self.counters.leaves += 1
            if isinstance(spooled.leaf, Segment):
                self.counters.segments += 1
                self.counters.bytes += spooled.leaf.size
            self.pulses.archived(spooled.leaf)
            self._failures.pop(spooled, None)
        self._done(taken)
        for refusal in refused:
            if refusal.is_final:
                await self._aside(refusal.spooled, refusal.error)
            else:
                self._try_later(refusal)

    def _commit_failed(self, error: ArchiveError) -> None:
        if self.counters.index_error != error.code:
            self._log.error("commit_failed", code=error.code, reason=error.message, hint=error.hint)
        self.counters.index_error = error.code

    def _try_later(self, refusal: Refusal) -> None:
        """The index refuses every entry of this kind, so the index may be at fault. No other leaf waits."""
        self._commit_failed(refusal.error)
        tries = self._failures[refusal.spooled] = self._failures.get(refusal.spooled, 0) + 1
        pause = min(0.5 * 2.0 ** min(tries, 8), _LONGEST_SILENCE)
        self._loop.call_later(pause, self._to_commit.put_nowait, refusal.spooled)

    # Batches -----------------------------------------------------------------------------------------

    async def _seal_all(self) -> None:
        pause = 1.0
        while True:
            await asyncio.sleep(pause)
            if self._hurry.is_set():
                continue  # The drain seals.
            sealed = await self._seal_once()
            pause = self._settings.batch_seconds if sealed else min(2 * pause, _LONGEST_PAUSE)

    async def _seal_once(self) -> bool:
        try:
            self.counters.batches += await self._in(self._sealing, self._seal_and_upload)
        except ArchiveError as error:
            self._log.warning("journal_waits", code=error.code, reason=error.message, hint=error.hint)
            self.counters.journal_error = error.code
            return False
        self.counters.journal_error = ""
        return True

    def _seal_and_upload(self) -> int:
        self._before_seal()
        self._ingest.seal()
        self._before_upload()
        return self._ingest.upload()

    def _done(self, finished: Sequence[SpooledLeaf]) -> None:
        for spooled in finished:
            self._open.pop(spooled, None)
        if finished:
            self.counters.moved_at = self._clock.monotonic()
        if not self._open:
            self._all_done.set()

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[..., T], *arguments: object) -> T:
        return await self._loop.run_in_executor(pool, lambda: call(*arguments))


def _casts_doubt(error: ArchiveError) -> bool:
    """Whether the spool's own bytes may be at fault."""
    return isinstance(error, AlreadyExists | IntegrityError) or error.code == UNREADABLE
