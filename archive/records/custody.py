"""Custody: acts on footage, durable before the first byte of it leaves.

Each process that serves footage is a *writer* with a chain of numbered objects, each naming the hash of
the one before. One thread of the writer stores them; callers of :meth:`CustodyWriter.record` wait for their
event to be durable. Events that arrive while an object is being written share the next one (group commit), so
a hundred callers cost two puts, not a hundred. While several requests are being served, the writer pauses
between two objects, for twice the time that the last put took, so that one put carries more events.

An object is lines of canonical JSON: a header ``{"v","writer","batch","prev","at","lines"}``, then events.
"""

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from archive import canonical, keys
from archive.attended import each
from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.errors import AlreadyExists, ArchiveError, IntegrityError, Malformed, Unavailable
from archive.ids import check_name
from archive.model import custody as events
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.ports import Content, Lock, LockMode, ObjectStore
from archive.prefetch import in_order
from archive.timespan import DAY, HOUR, SECOND, Timespan, format_instant, hour_of, parse_instant

VERSION = 1
GENESIS = "0" * 64
MAX_BATCH = 500
LONGEST_PAUSE = SECOND // 20
READ_AHEAD = 32
"""Objects that a reader with a pool fetches at once."""

OnStored = Callable[[str, bytes], None]
"""Called with the name and bytes of an object that was just stored; must not wait or raise."""


def new_writer_id(name: str) -> str:
    """A writer id that no other process has: the name and 32 random bits. Each start makes a new one."""
    return check_name("writer", f"{name}-{secrets.token_hex(4)}")


class Company:
    """Counts the requests being served that may record an event. Thread-safe."""

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self._guard = threading.Lock()
        self.present = 0

    def come(self) -> None:
        """Count a request that begins."""
        with self._guard:
            self.present += 1

    def leave(self) -> None:
        """Count a request that ends."""
        with self._guard:
            self.present -= 1

    def await_others(self, microseconds: int) -> None:
        """Pause, so that other requests can add their events; do not pause for a single request."""
        if self.present > 1 and microseconds > 0:
            self._pause(microseconds / SECOND)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event whose caller waits until it is ``done``."""

    event: CustodyEvent
    done: "Future[None]" = field(default_factory=Future)


class CustodyWriter:
    """Records events of one process. Thread-safe; its own thread writes and ends with it.

    With ``company`` the writer pauses between objects while other requests are being served. ``on_stored`` is
    called with the name and bytes of each stored object, before its callers are released; it must not wait.
    """

    def __init__(
        self,
        records: ObjectStore,
        clock: Clock,
        *,
        writer: str,
        lock_days: int = 3650,
        company: Company | None = None,
        on_stored: OnStored | None = None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._writer = check_name("writer", writer)
        self._lock_days = lock_days
        self._batch = 0
        self._prev = GENESIS
        self._unclear: tuple[str, bytes, Lock] | None = None
        self._queue: list[_Waiting] = []
        self._guard = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "custody")
        self._company = company
        self._on_stored = on_stored
        self._stored: list[tuple[str, bytes]] = []
        self._next_at = 0

    def record(
        self,
        event_type: str,
        *,
        actor: Actor,
        objects: tuple[str, ...] = (),
        purpose: str = "",
        outcome: Outcome = Outcome.DONE,
        details: Mapping[str, Any] | None = None,
    ) -> CustodyEvent:
        """Store one event; when this returns it is durable.

        Raises:
            Unavailable: the event is not known to be stored: the act it records must not happen.
        """
        event = CustodyEvent(
            id=secrets.token_hex(16),
            at=self._clock.now(),
            type=event_type,
            actor=actor,
            objects=objects,
            purpose=purpose,
            outcome=outcome,
            details=details or {},
        )
        canonical.encode(events.to_json(event))  # a bad event fails its own caller, not the batch
        waiting = _Waiting(event)
        with self._guard:
            self._queue.append(waiting)
            if len(self._queue) == 1:
                self._wake()
        waiting.done.result()
        return event

    def _wake(self) -> None:
        """Have the queue written. If the process is ending, fail its callers: no thread will write it."""
        try:
            self._thread.submit(self._write)
        except RuntimeError as error:
            queue, self._queue = self._queue, []
            failure = _not_known(error)
            for item in queue:
                item.done.set_exception(failure)

    def _write(self) -> None:
        """Write the waiting events."""
        try:
            if self._company is not None:
                self._company.await_others(self._next_at - self._clock.monotonic())
        finally:
            began = self._clock.monotonic()
            self._flush()
            ended = self._clock.monotonic()
            self._next_at = ended + min(2 * (ended - began), LONGEST_PAUSE)

    def _flush(self) -> None:
        with self._guard:
            batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
            if self._queue:
                self._wake()
        if not batch:
            return  # its callers were failed when no thread could be started
        failure: ArchiveError | None = None
        try:
            self._settle_unclear()
            self._store([item.event for item in batch])
        except ArchiveError as error:
            failure = error
        finally:
            # A caller must not wait for ever for an event that is no longer in the queue.
            if failure is None and (cause := sys.exception()) is not None:
                failure = _not_known(cause)
            stored, self._stored = self._stored, []
            try:
                if self._on_stored is not None:
                    for key, body in stored:
                        self._on_stored(key, body)
            finally:
                for item in batch:
                    item.done.set_result(None) if failure is None else item.done.set_exception(failure)

    def _store(self, batch: Sequence[CustodyEvent]) -> None:
        now = self._clock.now()
        header = {
            "v": VERSION,
            "writer": self._writer,
            "batch": self._batch + 1,
            "prev": self._prev,
            "at": format_instant(now),
            "lines": len(batch),
        }
        lines = [canonical.encode(header)]
        lines += [canonical.encode(events.to_json(event)) for event in batch]
        self._unclear = (
            keys.custody_key(self._writer, self._batch + 1, now),
            b"".join(line + b"\n" for line in lines),
            Lock(LockMode.GOVERNANCE, now + self._lock_days * DAY),
        )
        self._settle_unclear()

    def _settle_unclear(self) -> None:
        """Put the object again whose put got no answer, if any; the chain continues only after it.

        After a lost answer the object may or may not be stored. Its callers got an error and did not act; an
        event without its act is harmless, a hole in the chain is not.
        """
        if self._unclear is None:
            return
        key, body, lock = self._unclear
        try:
            self._records.put(key, Content.of_bytes(body), lock=lock)
        except AlreadyExists as error:
            raise IntegrityError(f"{key} is taken by other bytes", code="custody_chain") from error
        self._batch, self._prev, self._unclear = self._batch + 1, sha256_hex(body), None
        self._stored.append((key, body))


def _not_known(cause: BaseException) -> Unavailable:
    failure = Unavailable(
        "the custody event is not known to be stored", code="custody_unavailable", hint="Try again."
    )
    failure.__cause__ = cause
    return failure


@dataclass(frozen=True, slots=True)
class CustodyBatch:
    """One stored object of a writer's chain."""

    writer: str
    batch: int
    prev: str
    digest: str
    events: tuple[CustodyEvent, ...]


def decode(data: bytes) -> CustodyBatch:
    """Read one custody object. Raises IntegrityError ``custody_form``."""
    lines = data.split(b"\n")
    try:
        if len(lines) < 2 or lines[-1] != b"":
            raise Malformed("the batch is cut off")
        header = canonical.decode(lines[0])
        found = tuple(events.from_json(canonical.decode(line)) for line in lines[1:-1])
        if header["v"] != VERSION or header["lines"] != len(found):
            raise Malformed("the header does not fit the lines")
        return CustodyBatch(header["writer"], header["batch"], header["prev"], sha256_hex(data), found)
    except (Malformed, KeyError, TypeError) as error:
        raise IntegrityError(f"a custody object cannot be read: {error}", code="custody_form") from error


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event, its object and its line there: ``key#line``; the header is line 1."""

    event: CustodyEvent
    key: str
    line: int

    @property
    def hour(self) -> int:
        """The start of the hour under which the object is filed."""
        year, month, day, hour = self.key.split("/")[1:5]
        return parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z")


def read(records: ObjectStore, span: Timespan) -> Iterator[CustodyEvent]:
    """Events of ``span``, in order of their objects' names (hour, then writer)."""
    return (stored.event for stored in read_stored(records, span))


def read_stored(
    records: ObjectStore, span: Timespan, *, pool: Executor | None = None
) -> Iterator[StoredEvent]:
    """As :func:`read`, with the place of each event. Only the hours of ``span`` are listed and read.

    ``pool`` fetches objects in parallel from a store behind a network.

    Raises:
        IntegrityError: ``custody_form``: an object cannot be read; no object is skipped.
    """
    for key, data in _bodies(records, each(_object_keys(records, span)), pool):
        for line, event in enumerate(decode(data).events, 2):
            if event.at in span:
                yield StoredEvent(event, key, line)


def _object_keys(records: ObjectStore, span: Timespan) -> Iterator[str]:
    """Names of the objects that may hold events of a span; a whole day takes one listing."""
    hour = hour_of(span.start)
    end = span.end + HOUR  # a batch is filed under the hour of its flush, which may be the next hour
    while hour < end:
        whole_day = hour % DAY == 0 and hour + DAY <= end
        folder = keys.hour_folder(hour)
        prefix = f"custody/{folder.rpartition('/')[0] if whole_day else folder}/"
        yield from (listed.key for listed in records.list(prefix))
        hour += DAY if whole_day else HOUR


def _bodies(records: ObjectStore, names: Iterator[str], pool: Executor | None) -> Iterator[tuple[str, bytes]]:
    return in_order(lambda name: (name, records.get(name)), names, pool, ahead=READ_AHEAD - 1)
