"""Ingest: from a closed segment on the recorder's disk to the archive (design: durable procedures).

1. FFmpeg reports that it closed a segment (:mod:`recorder.process`).
2. It is finalised and synced (:func:`archive.footage.mp4.finalise.finalise`).
3. Its leaf is made and kept as a *ticket* beside it: :func:`write_ticket`. From here on nothing about
   the segment is decided again, so every later step can be repeated.
4. The segment is put if absent, with checksum, lock and leaf: :meth:`Ingest.store`. A put that finds the
   same bytes is as good as one that stored them, since the name carries the hash.
5. The store's own answer names the same checksum.
6. The leaf becomes a line of the logbook, synced; the ticket is marked: :meth:`Ingest.commit`.
7. The index is told.
8. Only now the segment and its ticket leave the spool.

Steps 6 to 8 take many leaves at once, since a sync and a bulk request cost the same for one as for fifty.
Leaves of runs and gaps take the same way without steps 2, 4 and 5. A crash between any two steps leaves a
ticket that says how far it came; :func:`read_tickets` finds it again.

An entry that a step refuses for its own content can never be taken: :meth:`Ingest.commit` names it as a
:class:`Refusal`, takes all others, and the recorder sets it aside. Rights, room and reachability are never
the content's fault: what they stop is tried again.
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
from archive.durable import disk_errors, write_durably
from archive.errors import IntegrityError, Malformed
from archive.model import leaf as leaves
from archive.model.camera import Place, parse_place
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.ports import Content, IndexEntry, Lock, LockMode, ObjectStore, Stored
from archive.records import journal
from archive.records.logbook import Identity, Logbook, identity
from archive.timespan import DAY

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
"""Codes of Malformed by which our own rules judge one entry, whatever else the store or the index take."""

TICKET = ".ticket"
"""Suffix of a ticket whose leaf has no line in the logbook yet."""
JOURNALLED = ".journalled"
"""Suffix of a ticket after step 6."""


class IndexSink(Protocol):
    """What ingest needs of the index."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent, visible when this returns."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Say that a journal batch is wholly in the index; never goes back."""
        ...


@dataclass(slots=True, eq=False)
class Parcel:
    """A leaf on its way into the archive, kept as a ticket in the spool until it is there.

    ``media`` is the finalised segment beside it, None for runs and gaps. ``place`` is where the camera stood
    when the leaf was made. ``extra`` is what the ticket's writer keeps in it for itself. ``on_release`` is
    called after step 8.
    """

    ticket: Path
    leaf: Leaf
    place: Place | None
    media: Path | None = None
    extra: JsonObject = field(default_factory=dict)
    version: str = ""
    held: bool = False
    on_release: "Callable[[Parcel], None] | None" = None

    @property
    def journalled(self) -> bool:
        """Whether step 6 is done."""
        return self.ticket.suffix == JOURNALLED

    @property
    def stored(self) -> bool:
        """Whether steps 4 and 5 are done, or not needed."""
        return self.media is None or self.version != ""

    def entry(self) -> IndexEntry:
        """The leaf as the index takes it."""
        return IndexEntry(leaf=self.leaf, place=self.place, version=self.version, held=self.held)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parcel that the logbook or the index does not take, and why.

    ``is_final`` is False while the index takes no other entry of the kind: then the fault may be its own.
    """

    parcel: Parcel
    error: Malformed
    is_final: bool


def write_ticket(
    path: Path, leaf: Leaf, place: Place | None, *, media: Path | None = None, extra: JsonObject | None = None
) -> Parcel:
    """Step 3: keep the leaf durably at ``path``, whose suffix is :data:`TICKET`.

    Raises:
        StoreFull, Unavailable: the disk; the ticket is not there.
    """
    if path.suffix != TICKET:
        raise Malformed(f"{path.name} does not name a ticket", code="bad_ticket")
    extra = extra or {}
    content = {"leaf": leaves.to_json(leaf), "place": place_to_json(place), "extra": extra}
    write_durably(path, json.dumps(content, separators=(",", ":")).encode("ascii"))
    return Parcel(path, leaf, place, media, extra)


def read_ticket(path: Path) -> Parcel:
    """Read a ticket back; its segment lies beside it under the same stem with ``.mp4``, if it is still there.

    Raises:
        IntegrityError: ``ticket_damaged``.
    """
    with disk_errors(path.name):
        content = path.read_bytes()
        media = path.with_suffix(".mp4")
        there = media.exists()
    try:
        value = canonical.decode(content)
        leaf, place, extra = leaves.from_json(value["leaf"]), place_from_json(value["place"]), value["extra"]
    except (Malformed, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{path} cannot be read: {error}",
            code="ticket_damaged",
            hint="The disk altered it. Keep the folder, and call whoever looks after the archive.",
        ) from error
    return Parcel(path, leaf, place, media if there else None, extra)


def read_tickets(folder: Path) -> Iterator[Parcel]:
    """Every ticket in a folder, by name. Errors as :func:`read_ticket`."""
    for path in ticket_paths(folder):
        yield read_ticket(path)


def ticket_paths(folder: Path) -> list[Path]:
    """Where a folder's tickets lie, by name."""
    with disk_errors(folder.name):
        names = sorted(name for name in os.listdir(folder) if Path(name).suffix in (TICKET, JOURNALLED))
    return [folder / name for name in names]


class Ingest:
    """Steps 4 to 8. :meth:`store` may run in many threads; :meth:`commit` in one at a time.

    ``locked_until`` says until when a segment recorded at a place is locked, which is for a day from now at
    least; ``is_held`` whether a legal hold covers it. Both are asked right before each put.
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
        self._taken: Counter[type[Leaf]] = Counter()
        self._refused_at: dict[Parcel, int] = {}

    def expect(self, parcels: Iterable[Parcel]) -> None:
        """At start-up: lines from before that may not be indexed yet, so that the cursor waits for them."""
        for parcel in parcels:
            if parcel.journalled:
                self._unindexed[identity(parcel.leaf)] = 0

    def store(self, parcel: Parcel) -> None:
        """Steps 4 and 5: the segment is in the store, and the store says so; nothing for runs and gaps.

        Raises:
            IntegrityError: ``checksum_mismatch``: the disk altered the segment after it was hashed, or the
                store answered for other bytes; ``segment_vanished``: the spool has it no longer.
            Malformed: the store cannot keep it as it is.
            AlreadyExists: the name holds other bytes, which nothing of ours can make.
            Refused, StoreFull, Unavailable: as the store; the segment waits in the spool.
        """
        segment, media = parcel.leaf, parcel.media
        if media is None or not isinstance(segment, Segment):
            return
        line = journal.encode_line(segment)
        with disk_errors(media.name):
            if not media.exists():
                raise IntegrityError(
                    f"{media} is gone, and its ticket is there",
                    code="segment_vanished",
                    hint="Somebody removed it from the spool, or the disk lost it.",
                )
            content = Content.of_file(media, sha256=segment.sha256)
        # What lay in the spool beyond its term is locked all the same: no store takes a lock in the past.
        until = max(self._locked_until(segment, parcel.place), self._clock.now() + DAY)
        held = self._is_held(segment)
        stored = self._footage.put(
            segment.key,
            content,
            metadata={"leaf": line.decode("ascii")},
            lock=Lock(LockMode.GOVERNANCE, until),
            hold=held,
        )
        self._compare(segment, content, stored)
        parcel.version, parcel.held = stored.version, held

    def commit(self, parcels: Sequence[Parcel]) -> tuple[Refusal, ...]:
        """Steps 6, 7 and 8 for parcels that are stored; to be repeated with the same ones after an error.

        Returns:
            Those that are refused for what is in them. All others are through.
        """
        refused = self._write_lines(parcels)
        unfit = {refusal.parcel for refusal in refused}
        taken, unindexable = self._add([parcel for parcel in parcels if parcel not in unfit])
        with self._turn:
            for parcel in taken:
                self._unindexed.pop(identity(parcel.leaf), None)
        for parcel in taken:
            _release(parcel)
        return (*refused, *unindexable)

    def note(self, parcel: Parcel) -> None:
        """Step 6 alone, for a segment that no store takes: its line vouches for the bytes that are kept.

        Raises:
            StoreFull, Unavailable: the disk. What cannot be a line gets none.
        """
        self._write_lines([parcel])

    def let_go(self, parcel: Parcel) -> None:
        """It is set aside: the cursor no longer waits for it."""
        self._refused_at.pop(parcel, None)
        with self._turn:
            self._unindexed.pop(identity(parcel.leaf), None)

    def _write_lines(self, parcels: Sequence[Parcel]) -> list[Refusal]:
        """Step 6. One that cannot be a line costs no other its line."""
        refused: list[Refusal] = []
        with self._turn:
            fresh = [parcel for parcel in parcels if not parcel.journalled]
            if not fresh:
                return []
            try:
                self._write_together(fresh)
            except Malformed:
                for parcel in fresh:
                    try:
                        self._write_together([parcel])
                    except Malformed as error:
                        refused.append(Refusal(parcel, error, is_final=True))
        return refused

    def _write_together(self, fresh: Sequence[Parcel]) -> None:
        batch = self._logbook.append(parcel.leaf for parcel in fresh)
        self._unindexed.update((identity(parcel.leaf), batch) for parcel in fresh)
        for parcel in fresh:
            mark_journalled(parcel)

    def _add(self, parcels: Sequence[Parcel]) -> tuple[Sequence[Parcel], list[Refusal]]:
        """Step 7: what the index took, and what it refuses."""
        taken: list[Parcel] = []
        found: list[tuple[Parcel, Malformed]] = []
        try:
            self._index.add([parcel.entry() for parcel in parcels])
            taken.extend(parcels)
        except Malformed:  # one of them: which one, each by itself will show
            for parcel in parcels:
                try:
                    self._index.add([parcel.entry()])
                    taken.append(parcel)
                except Malformed as error:
                    self._refused_at.setdefault(parcel, self._taken[type(parcel.leaf)])
                    found.append((parcel, error))
        self._taken.update(type(parcel.leaf) for parcel in taken)
        for parcel in taken:
            self._refused_at.pop(parcel, None)
        return taken, [Refusal(parcel, error, self._is_final(parcel, error)) for parcel, error in found]

    def _is_final(self, parcel: Parcel, error: Malformed) -> bool:
        """Our own rule, or the index took another of the kind since it first refused this one."""
        if error.code in FAULTS_OF_CONTENT:
            return True
        return self._taken[type(parcel.leaf)] > self._refused_at[parcel]

    def seal(self) -> int | None:
        """Sign the waiting lines as the next batch; its number, or None where no line waits.

        Every line's ticket is marked before this can run, so no later start takes a line for missing.
        """
        with self._turn:
            return self._logbook.seal()

    def upload(self) -> int:
        """Upload every sealed batch, oldest first, and advance the index's cursor; how many went up.

        Raises:
            ArchiveError: as the store or the index; what is left waits for the next call.
        """
        count = 0
        for number in self._logbook.sealed():
            self._logbook.upload(self._records, number)
            count += 1
        with self._turn:
            through = min((*self._unindexed.values(), self._logbook.open_batch)) - 1
        if through > self._cursor:
            self._index.advance_cursor(self._recorder, through)
            self._cursor = through
        return count

    def _compare(self, segment: Segment, content: Content, stored: Stored) -> None:
        if stored.sha256 != segment.sha256 or content.size != segment.size:
            raise IntegrityError(
                f"the store answered {stored.sha256} of {content.size} bytes for {segment.key}",
                code="checksum_mismatch",
                hint="The segment stays in the spool. Look at the disk and at the store.",
            )


def mark_journalled(parcel: Parcel) -> None:
    """Step 6's mark, also on what is set aside. A ticket that is gone was marked or let go before."""
    marked = parcel.ticket.with_suffix(JOURNALLED)
    with disk_errors(parcel.ticket.name):
        try:
            parcel.ticket.rename(marked)
        except FileNotFoundError:
            pass
    parcel.ticket = marked


def _release(parcel: Parcel) -> None:
    """Step 8. The segment goes first: a ticket without one is complete."""
    with disk_errors(parcel.ticket.name):
        if parcel.media is not None:
            parcel.media.unlink(missing_ok=True)
        if parcel.on_release is None:
            parcel.ticket.unlink(missing_ok=True)
    if parcel.on_release is not None:
        parcel.on_release(parcel)


def place_to_json(place: Place | None) -> JsonObject | None:
    """A place as tickets keep it; degrees as text, since JSON numbers round."""
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
