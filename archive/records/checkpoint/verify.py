"""Verification of the log, from the archive alone and with trust roots from outside it.

1. *chain*: every number from 1 on exists, is readable, belongs to this log, and names the previous one.
2. For each checkpoint of the requested time: its *seals* (signature, stamp, receipts), its *leaves* (the list
   is the one it names, in order, and gives its root), and every *object* on the list: present and unchanged,
   line by line.
3. *Journals* are signed by their recorders' registered keys; journals, custody and ledger are unbroken
   chains (I2).
4. *Coverage* (I3): every object of that time in the archive is under exactly one checkpoint.
5. No object has a second version or a delete marker, and no foreign object lies there.

All steps run, so that a reader sees every finding. The cache is not used.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import canonical, keys
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound
from archive.ports import ObjectStore, ObjectVersion, Stores
from archive.records import merkle
from archive.records.checkpoint import stored
from archive.records.checkpoint.arrived import PREFIXES, UNREADABLE, registered_keys, verify_batch
from archive.records.checkpoint.chains import Chains, link_of
from archive.records.checkpoint.covered import Covered
from archive.records.checkpoint.findings import LogReport
from archive.records.checkpoint.leaves import ObjectLeaves, Opening, leaves_of
from archive.records.checkpoint.note import GENESIS, Note
from archive.records.checkpoint.seals import SealCheck
from archive.records.checkpoint.uncovered import GRACE
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, Timespan, format_instant, hour_of, parse_instant
from archive.trust.judge import Trust

Progress = Callable[[str, int], None]
"""Called with the step's name and its progress."""


def _silent(_step: str, _seen: int) -> None:
    return


def verify_log(
    stores: Stores,
    clock: Clock,
    *,
    trust: Trust,
    interval: int,
    span: Timespan | None = None,
    progress: Progress = _silent,
) -> LogReport:
    """Verify the whole log, or the checkpoints and objects of ``span``; always the chain from the first.

    ``interval`` (µs) is the pause between two checkpoints. Only the records bucket is read.

    Raises:
        Unavailable, Refused: the store does not answer; everything else is a finding.
    """
    return _Verification(stores.records, clock, trust, interval, span, progress).run()


@dataclass(slots=True)
class _Verification:
    """The state of one verification."""

    records: ObjectStore
    clock: Clock
    trust: Trust
    interval: int
    span: Timespan | None
    progress: Progress
    now: int = field(init=False)
    report: LogReport = field(init=False)
    chains: Chains = field(init=False)
    seen: Covered = field(default_factory=Covered)
    parts: dict[int, set[str]] = field(default_factory=dict)
    registered: dict[str, dict[str, Ed25519PublicKey]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.clock.now()
        span = self.span
        self.report = LogReport(
            None if span is None else span.start, None if span is None else span.end, self.now
        )
        self.chains = Chains(whole=span is None)

    @property
    def late(self) -> int:
        """The age (µs) from which an object must be under a sealed checkpoint (I3)."""
        return self.interval + GRACE

    def run(self) -> LogReport:
        self._list_checkpoints()
        notes = list(self._chain())
        seals = SealCheck(self.records, self.trust, self.now, self.late)
        for note in notes:
            self.report.checkpoints += 1
            self.progress("checkpoints", self.report.checkpoints)
            seals.check(note, self.parts[note.number], self.report)
            self._leaves(note)
        self.report.findings += self.chains.finish()
        self._coverage(notes)
        return self.report

    def _list_checkpoints(self) -> None:
        """Step 5 for the checkpoints' own objects; notes which parts each number has."""
        for listed in self._versions(stored.PREFIX):
            try:
                number, part = keys.parse_checkpoint_key(listed.key)
            except Malformed:
                self.report.find("foreign_object", listed.key)
                continue
            self.parts.setdefault(number, set()).add(part)

    def _versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The oldest version of each key; every other version and marker is a finding."""
        last = ""
        for version in self.records.versions(prefix):
            if version.deleted:
                self.report.find("delete_marker", version.key, f"at {format_instant(version.stored_at)}")
            elif version.key == last:
                self.report.find("second_version", version.key, f"at {format_instant(version.stored_at)}")
            else:
                yield version
                last = version.key

    def _chain(self) -> Iterator[Note]:
        """Step 1 over all numbers; yields the requested checkpoints that can be read."""
        prev, time = GENESIS, 0
        numbers = [n for n, parts in self.parts.items() if not parts <= _lists(parts)]
        for number in range(1, max(numbers, default=0) + 1):
            name = keys.checkpoint_key(number, stored.CHECKPOINT)
            try:
                note = stored.read_note(self.records, number)
            except NotFound:
                self.report.find("checkpoint_missing", name)
                prev = ""
                continue
            except IntegrityError as error:
                self.report.find("checkpoint_altered", name, error.message)
                prev = ""
                continue
            self.report.chain += 1
            self.report.origin = self.report.origin or note.origin
            if note.origin != self.report.origin:
                self.report.find("origin_differs", name, f"{note.origin}, not {self.report.origin}")
            if prev and note.prev != prev:
                self.report.find("chain_broken", name, f"it names {note.prev}, not {prev}")
            if note.at < time:
                self.report.find("time_reversed", name)
            prev, time = note.digest, note.at
            self.report.newest = note.digest
            self._foreign_parts(note)
            if self._is_asked_for(note):
                yield note
        self._leftovers()

    def _foreign_parts(self, note: Note) -> None:
        known = {stored.CHECKPOINT, stored.SIGNATURE, stored.STAMP, stored.leaves_part(note.leaves)}
        for part in sorted(self.parts[note.number] - known):
            if part in _lists({part}):
                self.report.find("orphaned_leaves", keys.checkpoint_key(note.number, part))
            elif not part.startswith(stored.RECEIPT):
                self.report.find("foreign_object", keys.checkpoint_key(note.number, part))

    def _leftovers(self) -> None:
        """Lists above the newest checkpoint: from an interrupted attempt, or from one in progress."""
        head = max((n for n, parts in self.parts.items() if not parts <= _lists(parts)), default=0)
        for number in sorted(n for n in self.parts if n > head):
            for part in sorted(self.parts[number]):
                self.report.find("orphaned_leaves", keys.checkpoint_key(number, part))

    def _is_asked_for(self, note: Note) -> bool:
        span = self.span
        return span is None or span.start - GRACE <= note.at < span.end + self.late

    def _leaves(self, note: Note) -> None:
        """Step 2: the list, its root, and every object on it."""
        name = keys.checkpoint_key(note.number, stored.leaves_part(note.leaves))
        tree, last, opened = merkle.RootBuilder(), "", False
        try:
            for entry in stored.read_leaves(self.records, note):
                if isinstance(entry, Opening):
                    opened = True
                    tree.add(entry.encode())
                    if entry != Opening(note.origin, note.number, note.prev, note.at):
                        self.report.find("leaves_altered", name, "leaf 0 belongs to another checkpoint")
                    continue
                tree.extend(entry.hashes)
                if entry.key <= last:
                    self.report.find("leaves_unordered", name, entry.key)
                last = entry.key
                self._object(note, entry)
        except NotFound:
            self.report.find("leaves_missing", name)
            return
        except IntegrityError as error:
            self.report.find("leaves_altered", name, error.message)
            return
        self.report.leaves += tree.size
        if not opened or (tree.size, tree.root()) != (note.size, note.root):
            self.report.find("root_differs", keys.checkpoint_key(note.number, stored.CHECKPOINT))

    def _object(self, note: Note, entry: ObjectLeaves) -> None:
        report = self.report
        report.objects += 1
        self.progress("objects", report.objects)
        if entry.key in self.seen:
            report.find("covered_twice", entry.key, f"again under checkpoint {note.number}")
        self.seen.add(entry.key)
        if entry.refused:
            report.find("batch_refused", entry.key, f"{entry.refused}, under checkpoint {note.number}")
        if entry.sha256 == UNREADABLE:
            return
        try:
            data = self.records.get(entry.key)
        except NotFound:
            report.find("object_missing", entry.key, f"under checkpoint {note.number}")
            return
        except IntegrityError as error:
            report.find("object_altered", entry.key, error.message)
            return
        found = leaves_of(entry.key, data, entry.refused)
        if found != entry:
            report.find("object_altered", entry.key, _difference(entry, found))
            return
        if not entry.refused:
            self._content(note, entry, data)

    def _content(self, note: Note, entry: ObjectLeaves, data: bytes) -> None:
        """Step 3: the object's own statements, its signature, and its place in its chain."""
        key = entry.key
        try:
            link = link_of(key, data, entry.sha256)
            self.report.findings += self.chains.add(link)
            if key.startswith("journal/"):
                self._journal(key, data)
        except IntegrityError as error:
            code = "form_invalid" if error.code == "misfiled" else "journal_invalid"
            self.report.find(code, key, error.message)
            return
        due = _stated_time(key, data) + self.late
        if note.at > due:
            self.report.find("covered_late", key, f"under checkpoint {note.number}")

    def _journal(self, key: str, data: bytes) -> None:
        recorder, _ = keys.parse_batch_key(key)
        if recorder not in self.registered:
            self.registered[recorder] = registered_keys(Ledger(self.records, self.clock), recorder)
        verify_batch(key, data, self.registered[recorder])

    def _coverage(self, notes: list[Note]) -> None:
        """Step 4: objects of that time that no checkpoint read so far covers."""
        missing: dict[str, int] = {}
        count = 0
        for prefix in self._prefixes():
            for listed in self._versions(prefix):
                count += 1
                self.progress("coverage", count)
                old = self.now - listed.stored_at > self.late
                if listed.key not in self.seen and old and self._is_of_time(listed):
                    missing[listed.key] = listed.stored_at
        if missing and self.span is not None:
            self._elsewhere(missing, {note.number for note in notes})
        for key, stored_at in missing.items():
            self.report.find("uncovered", key, f"stored at {format_instant(stored_at)}")

    def _elsewhere(self, missing: dict[str, int], read: set[int]) -> None:
        """Search later checkpoints than those read: after a pause of the log, objects come late."""
        for number in sorted(self.parts):
            if not missing:
                return
            if number in read or number < min(read, default=1):
                continue
            try:
                for entry in stored.read_leaves(self.records, stored.read_note(self.records, number)):
                    if isinstance(entry, ObjectLeaves) and missing.pop(entry.key, None) is not None:
                        self.report.find("covered_late", entry.key, f"under checkpoint {number}")
            except (NotFound, IntegrityError):
                continue  # the verification of the whole log reports it

    def _prefixes(self) -> Iterator[str]:
        if self.span is None:
            yield from PREFIXES
            return
        first, last = hour_of(self.span.start) - HOUR, hour_of(self.span.end) + 2 * HOUR
        for prefix in ("custody/", "journal/"):
            for hour in range(first, last, HOUR):
                yield f"{prefix}{keys.hour_folder(hour)}/"
        yield "ledger/"

    def _is_of_time(self, listed: ObjectVersion) -> bool:
        return self.span is None or listed.stored_at in self.span


def _lists(parts: set[str]) -> set[str]:
    """The parts that are lists of leaves."""
    return {part for part in parts if part.startswith("leaves-") and part.endswith(".jsonl")}


def _difference(stated: ObjectLeaves, found: ObjectLeaves) -> str:
    """Where an object differs from its leaves: the first such line, counted from 1."""
    for line, (before, after) in enumerate(zip(stated.hashes, found.hashes, strict=False), 1):
        if before != after:
            return f"line {line} differs; the SHA-256 is {found.sha256}, not {stated.sha256}"
    return (
        f"it has {len(found.hashes)} lines, not {len(stated.hashes)}; "
        f"the SHA-256 is {found.sha256}, not {stated.sha256}"
    )


def _stated_time(key: str, data: bytes) -> int:
    """The latest time at which an object can have reached the archive, by its name and its first line.

    A journal batch may wait in a recorder's spool; its name has the hour of its upload, or one of the two
    hours before.
    """
    if key.startswith("journal/"):
        year, month, day, hour = key.split("/")[1:5]
        return parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z") + 3 * HOUR
    return parse_instant(canonical.decode(data.split(b"\n", 1)[0])["at"])
