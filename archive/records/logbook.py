"""The logbook: a recorder's journal while it is still on the recorder's own disk.

Lines are appended with an fsync. Every minute or sooner they are sealed as the next batch, which is signed
and hash-linked (:mod:`archive.records.journal`), and uploaded (design: durable procedures, ingest step 6).

The folder holds, per batch number N of ten digits::

    open-N.jsonl      lines not yet sealed; exactly one N is open
    sealed-N.jsonl    the batch's bytes, waiting for the store
    sealed-N.key      the object name of its first upload attempt
    sent-N.jsonl      the newest uploaded batch: its digest is the next one's ``prev``

A sealed or sent batch of number N makes ``open-N`` void: after a crash between sealing and removal no line is
repeated. An object name is fixed before the first attempt, since an attempt whose answer was lost may have
succeeded. Only if the store says that the name is free does the batch move to the hour of a later upload,
where the checkpoint looks for it.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.clock import Clock
from archive.durable import UNFINISHED, disk_errors, sync_folder, write_all, write_durably
from archive.errors import IntegrityError, Malformed, NotFound, Refused
from archive.ids import check_name
from archive.model import leaf as leaves
from archive.model.gap import Gap
from archive.model.leaf import Leaf
from archive.model.segment import Run
from archive.ports import Content, Lock, LockMode, ObjectStore
from archive.records import journal
from archive.timespan import DAY, HOUR

_NAME = re.compile(r"(open|sealed|sent)-(\d{10})\.jsonl\Z", re.ASCII)
_SCANNED = (0, HOUR, 2 * HOUR)
"""Checkpoints list the newest three hour folders; a name in an older one is renewed if it is free."""

Identity = tuple[str, str, int]


def identity(leaf: Leaf) -> Identity:
    """The identity of a line: a segment's run and number, a run's id, a gap's id and end."""
    match leaf:
        case Gap():
            return ("gap", leaf.gap, leaf.span.end)
        case Run():
            return ("run", leaf.run, 0)
        case _:
            return ("segment", leaf.run, leaf.seq)


class Logbook:
    """The local journal of one recorder, in one folder. Thread-safe.

    ``lock_days`` is how long uploaded batches are locked in GOVERNANCE mode. ``origin`` is that of the
    batches (``recorder``, ``import`` or ``adopted``).
    """

    def __init__(
        self,
        folder: Path,
        recorder: str,
        key: Ed25519PrivateKey,
        clock: Clock,
        *,
        lock_days: int = 3650,
        origin: str = "recorder",
    ) -> None:
        self._folder = folder
        self._recorder = check_name("recorder", recorder)
        self._key = key
        self._clock = clock
        self._lock_days = lock_days
        self._origin = origin
        self._turn = threading.Lock()
        self._open = 1
        self._prev = journal.GENESIS
        self._lines: dict[Identity, Leaf] = {}
        self._closed: frozenset[Identity] = frozenset()
        with disk_errors("the logbook"):
            folder.mkdir(parents=True, exist_ok=True)
            self._load()

    @property
    def has_no_batch(self) -> bool:
        """Whether no batch was ever sealed here: the recorder, or its disk, is new."""
        return self._open == 1

    @property
    def open_batch(self) -> int:
        """The number of the batch that will hold the waiting lines."""
        return self._open

    @property
    def oldest_batch(self) -> int:
        """The oldest batch that is still here: the newest one sent, one that waits, or the open one."""
        return min((number for kind, number in self._names() if kind != "open"), default=self._open)

    def continue_from(self, batch: int, digest: str) -> None:
        """Continue after a batch that only the archive still has: the folder was lost with its disk.

        Lines that wait here go into the next batch.
        """
        with self._turn:
            if not self.has_no_batch:
                raise Malformed("the logbook has batches of its own", code="logbook_not_new")
            before = self._open_file()
            self._open, self._prev = batch + 1, digest
            with disk_errors("the logbook"):
                if before.exists():
                    before.rename(self._open_file())
                    sync_folder(self._folder)

    def append(self, lines: Iterable[Leaf]) -> int:
        """Append lines durably; returns the number of their batch.

        Lines that already wait here are left out, and so are those of batches found here at start-up: after
        a power cut a ticket may not show that its line was written.

        Raises:
            Malformed: one of them would make its whole batch unreadable; none was appended.
            StoreFull, Unavailable: none of them was appended.
        """
        with self._turn:
            fresh = {identity(leaf): leaf for leaf in lines}
            for known in [one for one in fresh if one in self._lines or one in self._closed]:
                del fresh[known]
            if fresh:
                self._write(b"".join(journal.encode_line(leaf) + b"\n" for leaf in fresh.values()))
                self._lines.update(fresh)
            return self._open

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf still in the folder: waiting, sealed, and in the newest batch sent."""
        yield from self._closed_leaves()
        yield from tuple(self._lines.values())

    def seal(self) -> int | None:
        """Sign the waiting lines as the next batch; returns its number, or None if no line waits."""
        with self._turn:
            if not self._lines:
                return None
            number = self._open
            content = journal.encode(
                tuple(self._lines.values()),
                recorder=self._recorder,
                batch=number,
                prev=self._prev,
                at=self._clock.now(),
                key=self._key,
                origin=self._origin,
            )
            write_durably(self._file("sealed", number), content)
            with disk_errors("the logbook"):
                self._open_file().unlink(missing_ok=True)
            self._open, self._prev, self._lines = number + 1, journal.digest_of(content), {}
            return number

    def sealed(self) -> Sequence[int]:
        """Numbers of the batches that wait for the store, oldest first."""
        return [number for kind, number in self._names() if kind == "sealed"]

    def upload(self, records: ObjectStore, number: int) -> None:
        """Store one sealed batch and keep it as the newest sent; idempotent.

        Raises:
            ArchiveError: as :meth:`archive.ports.ObjectStore.put`; the batch keeps waiting.
        """
        path = self._file("sealed", number)
        with disk_errors("the logbook"):
            content = path.read_bytes()
        lock = Lock(LockMode.GOVERNANCE, self._clock.now() + self._lock_days * DAY)
        records.put(self._object_name(records, number), Content.of_bytes(content), lock=lock)
        with disk_errors("the logbook"):
            path.rename(self._file("sent", number))
            path.with_suffix(".key").unlink(missing_ok=True)
            sync_folder(self._folder)
            for kind, older in self._names():
                if kind == "sent" and older < number:
                    self._file(kind, older).unlink()

    def _object_name(self, records: ObjectStore, number: int) -> str:
        path = self._file("sealed", number).with_suffix(".key")
        now = self._clock.now()
        scanned = [keys.journal_key(self._recorder, number, now - back) for back in _SCANNED]
        with disk_errors("the logbook"):
            offered = path.read_text("ascii") if path.exists() else None
        if offered is not None and (offered in scanned or not _is_free(records, offered)):
            return offered
        write_durably(path, scanned[0].encode("ascii"))
        return scanned[0]

    def _load(self) -> None:
        for path in self._folder.glob("*" + UNFINISHED):
            path.unlink()
        names = self._names()
        closed = [number for kind, number in names if kind != "open"]
        newest = max(closed, default=0)
        if newest:
            kind = "sealed" if ("sealed", newest) in names else "sent"
            self._prev = journal.decode(self._file(kind, newest).read_bytes()).digest
        opened = max((number for kind, number in names if kind == "open"), default=0)
        self._open = max(newest + 1, opened)
        for kind, number in names:
            if kind == "open" and number <= newest:
                self._file(kind, number).unlink()
        self._lines = self._read_open()
        self._closed = frozenset(identity(leaf) for leaf in self._closed_leaves())

    def _closed_leaves(self) -> Iterator[Leaf]:
        for kind, number in self._names():
            if kind != "open":
                yield from journal.decode(self._file(kind, number).read_bytes()).leaves

    def _read_open(self) -> dict[Identity, Leaf]:
        """The waiting lines; a last line that was not synced, and so never counted, is cut off."""
        path = self._open_file()
        found: dict[Identity, Leaf] = {}
        if not path.exists():
            return found
        *lines, rest = path.read_bytes().split(b"\n")
        for count, line in enumerate(lines, 1):
            try:
                leaf = leaves.decode(line)
            except Malformed as error:
                raise IntegrityError(
                    f"line {count} of {path.name} cannot be read: {error}",
                    code="logbook_damaged",
                    hint="The disk altered it. Keep the file, and call the administrator of the archive.",
                ) from error
            found[identity(leaf)] = leaf
        if rest:
            os.truncate(path, path.stat().st_size - len(rest))
        return found

    def _write(self, content: bytes) -> None:
        path = self._open_file()
        with disk_errors("the logbook"):
            isnew = not path.exists()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                length = os.fstat(descriptor).st_size
                try:
                    write_all(descriptor, content)
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, length)
                    raise
            finally:
                os.close(descriptor)
            if isnew:
                sync_folder(self._folder)

    def _names(self) -> list[tuple[str, int]]:
        with disk_errors("the logbook"):
            matches = (_NAME.match(name) for name in os.listdir(self._folder))
        found = [(match[1], int(match[2])) for match in matches if match is not None]
        return sorted(found, key=lambda name: (name[1], name[0]))

    def _file(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number:010d}.jsonl"

    def _open_file(self) -> Path:
        return self._file("open", self._open)


def newest_in_archive(records: ObjectStore, recorder: str) -> journal.Batch | None:
    """The recorder's newest batch in the archive; lists every journal name, so only for a lost disk.

    Raises:
        ArchiveError: as the store; Refused if the account may not list or read the journal.
    """
    newest: tuple[int, str] | None = None
    for listed in records.list("journal/"):
        try:
            writer, number = keys.parse_batch_key(listed.key)
        except Malformed:
            continue  # archive check reports it, and it keeps no recorder from recording
        if writer == recorder and (newest is None or number > newest[0]):
            newest = (number, listed.key)
    return None if newest is None else journal.decode(records.get(newest[1]))


def _is_free(records: ObjectStore, key: str) -> bool:
    """Whether the store says that the name is free; False if it does not answer."""
    try:
        records.head(key)
    except NotFound:
        return True
    except Refused:
        return False
    return False
