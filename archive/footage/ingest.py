"""Ingest: from a closed segment on the recorder's disk to the archive (design: durable procedures).

1. FFmpeg reports that it closed a segment (:mod:`recorder.process`).
2. It is finalised and synced (:func:`archive.footage.mp4.finalise.finalise`).
3. Its leaf is made and kept as a *ticket* beside it: :func:`write_ticket`. From here on all facts about the
   segment are fixed, so every later step can be repeated.
4. The segment is put if absent, with checksum, lock and leaf: :meth:`Ingest.store`. A put that finds the
   same bytes already there counts as success, since the name carries the hash.
5. The store's own answer names the same checksum.
6. The leaf becomes a line of the logbook, synced; the ticket is marked: :meth:`Ingest.commit`.
7. The leaf is added to the index.
8. Then the segment and its ticket are removed from the spool.

Steps 6 to 8 take many leaves at once, since a sync and a bulk request cost the same for one as for fifty.
Leaves of runs and gaps go the same way without steps 2, 4 and 5. A crash between any two steps leaves a
ticket that says how far it came; :func:`read_tickets` finds it again.

If a step refuses an entry for its content, no retry helps: :meth:`Ingest.commit` returns it as a
:class:`Refusal` and takes all others, and the recorder sets it aside. Missing rights, a full store and an
unreachable store are not the content's fault; after those the step is tried again.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from archive import canonical
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import disk_errors, read_unless_lost, sha256_unless_lost, write_durably
from archive.errors import IntegrityError, Malformed
from archive.model import leaf as leaves
from archive.model.camera import Place, parse_place
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.ports import Content, IndexEntry, Lock, LockMode, ObjectStore, Stored
from archive.records import journal
from archive.records.logbook import Identity, Logbook, identity
from archive.records.set_aside import take_each
from archive.timespan import DAY, format_instant

FAULTS_OF_CONTENT = frozenset(
    {
        "bad_batch",
        "bad_id",
        "bad_key",
        "bad_leaf",
        "bad_metadata",
        "not_canonical",
        "object_too_large",
        "segment_too_long",
    }
)
"""Codes of Malformed that come from our own rules for one entry. Such a refusal is final."""

ANSWERS_OF_STORES = frozenset({"bad_key", "bad_metadata", "object_too_large"})
"""Those codes that may also come from a store: a proxy's limit on headers, or a path that is too long."""

UNREADABLE = "content_unreadable"
"""The code of a store's Unavailable where it is the spool's disk that does not give the segment."""

TICKET = ".ticket"
"""Suffix of a ticket whose leaf is not in the logbook yet."""
JOURNALLED = ".journalled"
"""Suffix of a ticket after step 6."""


class IndexSink(Protocol):
    """The part of the index that ingest needs."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent. Queries see them when this returns."""
        ...

    def cursor(self, recorder: str) -> int:
        """The last journal batch that is wholly in the index; 0 for none."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a journal batch is wholly in the index; the cursor never goes back."""
        ...


@dataclass(slots=True, eq=False)
class SpooledLeaf:
    """A leaf on its way into the archive, kept as a ticket in the spool until it has arrived.

    ``media`` is the finalised segment beside it, None for runs and gaps. ``place`` is where the camera stood
    when the leaf was made. ``extra`` holds further facts for the ticket's writer. ``on_release`` is called
    after step 8.
    """

    ticket: Path
    leaf: Leaf
    place: Place | None
    media: Path | None = None
    extra: JsonObject = field(default_factory=dict)
    version: str = ""
    held: bool = False
    on_release: "Callable[[SpooledLeaf], None] | None" = None

    @property
    def journalled(self) -> bool:
        """Whether step 6 is done."""
        return self.ticket.suffix == JOURNALLED

    @property
    def stored(self) -> bool:
        """Whether steps 4 and 5 are done, or not needed."""
        return self.media is None or self.version != ""

    def entry(self) -> IndexEntry:
        """The leaf in the form that the index takes."""
        return IndexEntry(leaf=self.leaf, place=self.place, version=self.version, held=self.held)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A leaf that the logbook or the index refuses, and why.

    ``is_final`` is False until the index has taken another entry of that sort and then refused this one
    again: before that the fault may lie with the index.
    """

    spooled: SpooledLeaf
    error: Malformed
    is_final: bool


def write_ticket(
    path: Path, leaf: Leaf, place: Place | None, *, media: Path | None = None, extra: JsonObject | None = None
) -> SpooledLeaf:
    """Step 3: keep the leaf durably at ``path``, whose suffix is :data:`TICKET`.

    Raises:
        StoreFull, Unavailable: the disk failed; no ticket was written.
    """
    if path.suffix != TICKET:
        raise Malformed(f"{path.name} does not name a ticket", code="bad_ticket")
    extra = extra or {}
    content = {"leaf": leaves.to_json(leaf), "place": place_to_json(place), "extra": extra}
    write_durably(path, json.dumps(content, separators=(",", ":")).encode("ascii"))
    return SpooledLeaf(path, leaf, place, media, extra)


def read_ticket(path: Path) -> SpooledLeaf:
    """Read a ticket back. If its segment is still there, it lies beside it: same stem, suffix ``.mp4``.

    Raises:
        IntegrityError: ``ticket_damaged``.
    """
    with disk_errors(path.name):
        content = read_unless_lost(path) or b""
        media = path.with_suffix(".mp4")
        there = media.exists()
    try:
        value = canonical.decode(content)
        leaf, place, extra = leaves.from_json(value["leaf"]), place_from_json(value["place"]), value["extra"]
    except (Malformed, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{path} cannot be read: {error}",
            code="ticket_damaged",
            hint="The disk altered it. Keep the folder, and call the administrator of the archive.",
        ) from error
    return SpooledLeaf(path, leaf, place, media if there else None, extra)


def read_tickets(folder: Path) -> Iterator[SpooledLeaf]:
    """Every ticket in a folder, by name. Errors as :func:`read_ticket`."""
    for path in ticket_paths(folder):
        yield read_ticket(path)


def ticket_paths(folder: Path) -> list[Path]:
    """The paths of a folder's tickets, by name."""
    with disk_errors(folder.name):
        names = sorted(name for name in os.listdir(folder) if Path(name).suffix in (TICKET, JOURNALLED))
    return [folder / name for name in names]


class Ingest:
    """Steps 4 to 8. :meth:`store` may run in many threads; :meth:`commit` in one at a time.

    ``locked_until`` gives the end of the lock for a segment recorded at a place, at least a day from now;
    ``is_held`` says whether a legal hold covers it. Both are called right before each put.
    """

    def __init__(
        self,
        *,
        footage: ObjectStore,
        records: ObjectStore,
        index: IndexSink,
        logbook: Logbook,
        recorder: str,
        clock: Clock,
        locked_until: Callable[[Segment, Place | None], int],
        is_held: Callable[[Segment], bool] = lambda segment: False,
    ) -> None:
        self._footage = footage
        self._records = records
        self._index = index
        self._logbook = logbook
        self._recorder = recorder
        self._clock = clock
        self._locked_until = locked_until
        self._is_held = is_held
        self._turn = threading.Lock()
        self._unindexed: dict[Identity, int] = {}
        self._cursor = 0
        self._vouched: int | None = None
        self._lacks = False
        self._taken: Counter[tuple[type[Leaf], str]] = Counter()
        self._refused_at: dict[SpooledLeaf, int] = {}

    def expect(self, spooled_leaves: Iterable[SpooledLeaf]) -> None:
        """At start-up: name earlier lines that may not be indexed yet, so that the cursor waits for them."""
        for spooled in spooled_leaves:
            if spooled.journalled:
                self._unindexed[identity(spooled.leaf)] = 0

    def store(self, spooled: SpooledLeaf) -> None:
        """Steps 4 and 5: put the segment, and check the store's answer; does nothing for runs and gaps.

        Raises:
            IntegrityError: ``checksum_mismatch``: the disk altered the segment after it was hashed, or the
                store's answer is about other bytes; ``segment_vanished``: it is no longer in the spool.
            Malformed: the store cannot keep this content.
            AlreadyExists: the name holds other bytes; Saksi itself never causes this.
            Refused, StoreFull, Unavailable: as the store, or :data:`UNREADABLE`; it waits in the spool.
        """
        segment, media = spooled.leaf, spooled.media
        if media is None or not isinstance(segment, Segment):
            return
        line = journal.encode_line(segment)
        with disk_errors(media.name):
            if not media.exists():
                raise IntegrityError(
                    f"{media} is gone, but its ticket is there",
                    code="segment_vanished",
                    hint="It was removed from the spool, or the disk lost it.",
                )
            content = Content.of_file(media, sha256=segment.sha256)
        # A segment that waited in the spool past its term is locked too: no store takes a lock in the past.
        until = max(self._locked_until(segment, spooled.place), self._clock.now() + DAY)
        held = self._is_held(segment)
        stored = self._footage.put(
            segment.key,
            content,
            metadata={"leaf": line.decode("ascii")},
            lock=Lock(LockMode.GOVERNANCE, until),
            hold=held,
        )
        self._compare(segment, content, stored)
        # What was there already keeps the flag of its first put; the sweep of holds flags what is covered.
        spooled.version, spooled.held = stored.version, held and stored.created

    def is_intact(self, spooled: SpooledLeaf) -> bool:
        """Whether the spool still holds the bytes that the leaf names. Raises Unavailable as the disk."""
        if spooled.media is None or not isinstance(spooled.leaf, Segment):
            return True
        with disk_errors(spooled.media.name):
            return sha256_unless_lost(spooled.media) == spooled.leaf.sha256

    def commit(self, spooled_leaves: Sequence[SpooledLeaf]) -> tuple[Refusal, ...]:
        """Steps 6, 7 and 8 for stored leaves. After an error, call it again with the same leaves.

        Returns:
            The leaf that are refused for their content. All others are done.
        """
        refused = self._write_lines(spooled_leaves)
        unfit = {refusal.spooled for refusal in refused}
        taken, unindexable = self._add([spooled for spooled in spooled_leaves if spooled not in unfit])
        with self._turn:
            for spooled in taken:
                self._unindexed.pop(identity(spooled.leaf), None)
        for spooled in taken:
            _release(spooled)
        return (*refused, *unindexable)

    def note(self, spooled: SpooledLeaf) -> None:
        """Step 6 alone, for a segment that no store takes: its line vouches for the bytes that are kept.

        A leaf that the logbook cannot take gets no line.

        Raises:
            StoreFull, Unavailable: the disk failed.
        """
        self._write_lines([spooled])

    def let_go(self, spooled: SpooledLeaf) -> None:
        """Stop the cursor from waiting for a leaf that is set aside."""
        self._refused_at.pop(spooled, None)
        with self._turn:
            self._unindexed.pop(identity(spooled.leaf), None)

    def _write_lines(self, spooled_leaves: Sequence[SpooledLeaf]) -> list[Refusal]:
        """Step 6. A leaf that the logbook refuses does not keep the others from their lines."""
        refused: list[Refusal] = []
        with self._turn:
            fresh = [spooled for spooled in spooled_leaves if not spooled.journalled]
            if not fresh:
                return []
            try:
                self._write_together(fresh)
            except Malformed:
                for spooled in fresh:
                    try:
                        self._write_together([spooled])
                    except Malformed as error:
                        refused.append(Refusal(spooled, error, is_final=True))
        return refused

    def _write_together(self, fresh: Sequence[SpooledLeaf]) -> None:
        batch = self._logbook.append(spooled.leaf for spooled in fresh)
        self._unindexed.update((identity(spooled.leaf), batch) for spooled in fresh)
        for spooled in fresh:
            mark_journalled(spooled)

    def _add(self, spooled_leaves: Sequence[SpooledLeaf]) -> tuple[Sequence[SpooledLeaf], list[Refusal]]:
        """Step 7: the leaf that the index took, and those that it refuses."""
        taken: list[SpooledLeaf] = []
        found: list[Refusal] = []

        def take(part: Sequence[SpooledLeaf]) -> None:
            self._index.add([spooled.entry() for spooled in part])
            taken.extend(part)

        def refused(spooled: SpooledLeaf, error: Malformed) -> None:
            found.append(Refusal(spooled, error, self._is_final(spooled, error)))

        take_each(spooled_leaves, take, refused)
        self._taken.update(_sort(spooled.leaf) for spooled in taken)
        for spooled in taken:
            self._refused_at.pop(spooled, None)
        return taken, found

    def _is_final(self, spooled: SpooledLeaf, error: Malformed) -> bool:
        """True for our own rules, and if the index took another of the sort since it first refused this one.

        Entries taken by the same call do not count: the index may have been mended between the two.
        """
        if error.code in FAULTS_OF_CONTENT:
            return True
        taken = self._taken[_sort(spooled.leaf)]
        return taken > self._refused_at.setdefault(spooled, taken)

    def seal(self) -> int | None:
        """Sign the waiting lines as the next batch; returns its number, or None if no line waits.

        Every line's ticket is marked before this can run, so no later start thinks that a line is missing.
        """
        with self._turn:
            return self._logbook.seal()

    def upload(self) -> int:
        """Upload every sealed batch, oldest first, and advance the index's cursor; returns their number.

        The cursor never passes a batch that the index may lack: :meth:`_advance`.

        Raises:
            ArchiveError: as the store or the index; the remaining batches wait for the next call.
        """
        count = 0
        if self._vouched is None:
            self._vouched = self._logbook.oldest_batch - 1
        for number in self._logbook.sealed():
            self._logbook.upload(self._records, number)
            count += 1
        with self._turn:
            through = min((*self._unindexed.values(), self._logbook.open_batch)) - 1
        if through > self._cursor:
            self._advance(through, self._vouched)
        return count

    def _advance(self, through: int, vouched: int) -> None:
        """Advance the index's cursor, if the index has every batch up to ``vouched``.

        Later ones were indexed from here. If the index lacks older ones, an old copy was put back, and with
        the lost one went what is indexed of the open batch. A sync brings all that; then the cursor goes on.
        """
        if self._index.cursor(self._recorder) < vouched:
            if not self._lacks:
                self._lacks, self._vouched = True, self._logbook.open_batch
            return
        self._index.advance_cursor(self._recorder, through)
        self._cursor = through
        self._lacks, self._vouched = False, max(through, vouched)

    def _compare(self, segment: Segment, content: Content, stored: Stored) -> None:
        if stored.sha256 != segment.sha256 or content.size != segment.size:
            raise IntegrityError(
                f"the store answered {stored.sha256} of {content.size} bytes for {segment.key}",
                code="checksum_mismatch",
                hint="The segment stays in the spool. Check the disk and the store.",
            )


def _sort(leaf: Leaf) -> tuple[type[Leaf], str]:
    """Entries that an index keeps together. Each month of segments may have its own schema."""
    return type(leaf), format_instant(leaf.span.start)[:7] if isinstance(leaf, Segment) else ""


def mark_journalled(spooled: SpooledLeaf) -> None:
    """Mark the ticket (step 6), also of a leaf set aside. A ticket that is gone was handled before."""
    marked = spooled.ticket.with_suffix(JOURNALLED)
    with disk_errors(spooled.ticket.name):
        try:
            spooled.ticket.rename(marked)
        except FileNotFoundError:
            pass
    spooled.ticket = marked


def _release(spooled: SpooledLeaf) -> None:
    """Step 8. The segment is removed first: a ticket without a segment is complete."""
    with disk_errors(spooled.ticket.name):
        if spooled.media is not None:
            spooled.media.unlink(missing_ok=True)
        if spooled.on_release is None:
            spooled.ticket.unlink(missing_ok=True)
    if spooled.on_release is not None:
        spooled.on_release(spooled)


def place_to_json(place: Place | None) -> JsonObject | None:
    """A place as tickets store it; degrees as text, since JSON numbers round."""
    if place is None:
        return None
    return {
        "lat": format(place.lat, "f"),
        "lon": format(place.lon, "f"),
        "kecamatan": place.kecamatan,
        "kelurahan": place.kelurahan,
        "owner": place.owner.value,
    }


def place_from_json(value: Mapping[str, Any] | None) -> Place | None:
    """Read a place back. Raises Malformed ``bad_place``, or TypeError for other fields."""
    return None if value is None else parse_place(**value)
