"""The time accounts of all cameras, kept on disk, with every gap record as a ticket.

A camera's account says up to when each instant of its time is covered by footage or a gap. Thread-safe:
sessions are timed in worker threads. A gap's ticket is durable before the footage that ends the gap, so that
a crash between the two leaves no hole (invariant I6).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.footage.ingest import SpooledLeaf, write_ticket
from archive.ids import new_run_id
from archive.model.camera import Place
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment
from archive.timespan import MINUTE
from recorder.gaps import GapBook, OpenGap
from recorder.spool import Spool

_KEPT = "accounts.json"
_YOUNG = MINUTE
_MOST_WAITING = 100
"""Changes of cause that wait for room on the disk; of more the first ones count."""


@dataclass(slots=True)
class Accounts:
    """One :class:`~recorder.gaps.GapBook` per camera. ``deliver`` passes the tickets on to the archive.

    A cause that the disk did not take waits, and is recorded before anything that comes after it.
    """

    spool: Spool
    clock: Clock
    recorder: str
    deliver: Callable[[Sequence[SpooledLeaf]], None]
    _books: dict[str, GapBook] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _kept: JsonObject = field(default_factory=dict)
    _waiting: dict[str, list[tuple[int, GapCause]]] = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> None:
        """Read the accounts that the last recorder on this spool kept."""
        self._kept = self.spool.kept(_KEPT) or {}

    def knows(self, camera: str) -> bool:
        """Whether the camera's account is open, or was kept by the last recorder on this spool."""
        return camera in self._books or camera in self._kept

    def open(self, camera: str, place: Place | None, *, since: int) -> None:
        """Open the account of a camera; its time is accounted for up to ``since`` or, if kept, later."""
        with self._turn:
            if place is not None:
                self._places[camera] = place
            book = self._books.get(camera)
            if book is None:
                book = GapBook(camera, self.recorder, since, new_run_id)
                self._books[camera] = book
                if camera in self._kept:
                    book.restore(self._kept.pop(camera))
            elif book.open is None:
                book.covered_until = max(book.covered_until, since)

    def elsewhere(self, camera: str, until: int) -> None:
        """Another recorder may have accounted for the camera's time up to ``until``: ours begins there."""
        with self._turn:
            book = self._books[camera]
            if book.open is not None and until > book.open.written:
                book.open = None
            if book.open is None:
                book.covered_until = max(book.covered_until, until)

    def leave(self, camera: str) -> None:
        """Another recorder records the camera from now on; our account stays as far as it came."""
        with self._turn:
            book = self._books.pop(camera)
            self._waiting.pop(camera, None)
            written = 0 if book.open is None else book.open.written
            self._kept[camera] = {"covered_until": max(book.covered_until, written), "gap": None}
            self.save()

    def covered_until(self, camera: str) -> int:
        """The instant up to which the camera's time is accounted for."""
        with self._turn:
            return self._books[camera].covered_until

    def open_gap(self, camera: str) -> OpenGap | None:
        """The open gap, or None."""
        with self._turn:
            return self._books[camera].open

    def missing(self, camera: str, at: int, cause: GapCause) -> None:
        """Record that from ``at`` on there is no footage because of ``cause``.

        Raises:
            StoreFull, Unavailable: the disk failed; it is recorded as soon as it does not.
        """
        with self._turn:
            waiting = self._waiting.setdefault(camera, [])
            if (not waiting or waiting[-1][1] is not cause) and len(waiting) < _MOST_WAITING:
                waiting.append((at, cause))
            self._record_waiting(camera)

    def footage_from(self, camera: str, start: int, otherwise: GapCause) -> None:
        """Footage from ``start`` on is about to be kept; record the gap before it first."""
        with self._turn:
            self._record_waiting(camera)
            with self._all_or_nothing(camera) as book:
                had_gap = book.open is not None
                now = self.clock.now()
                spooled_leaves = self._write(camera, book.footage_from(start, now=now, otherwise=otherwise))
                if had_gap:
                    self.save()
            self.deliver(spooled_leaves)

    def covered(self, camera: str, end: int) -> None:
        """Footage up to ``end`` is kept. Nothing is written here: after a crash its ticket proves it."""
        with self._turn:
            self._books[camera].covered(end)

    def instead(self, segment: Segment, cause: GapCause) -> None:
        """Record a gap in place of a segment that the archive will never have; its time stays accounted for.

        Idempotent: the gap's id follows from the segment.
        """
        with self._turn:
            gap = Gap(
                camera=segment.camera,
                recorder=self.recorder,
                gap=id_for_segment(cause, segment.run, segment.seq),
                span=segment.span,
                cause=cause,
                ingested_at=self.clock.now(),
            )
            self.deliver(self._write(segment.camera, [gap]))

    def rewrite(self, camera: str) -> None:
        """Record the open gap up to now, once an hour.

        One of cause ``disabled`` is recorded soon: readers extend it to the present.
        """
        with self._turn:
            if camera not in self._books:
                return  # It was left meanwhile.
            self._record_waiting(camera)
            with self._all_or_nothing(camera) as book:
                is_off = book.open is not None and book.open.cause is GapCause.DISABLED
                young = 0 if is_off else _YOUNG
                spooled_leaves = self._write(camera, book.rewrite(self.clock.now(), young=young))
            self.deliver(spooled_leaves)

    def stop(self, cameras: Sequence[str]) -> None:
        """The recorder of these cameras stops: record their open gaps up to now."""
        with self._turn:
            now = self.clock.now()
            for camera in cameras:
                with self._all_or_nothing(camera) as book:
                    spooled_leaves = self._write(camera, book.so_far(now, now=now))
                self.deliver(spooled_leaves)
            self.save()

    def save(self) -> None:
        """Write the accounts to the disk."""
        with self._turn:
            kept = {camera: book.to_json() for camera, book in self._books.items()}
            self.spool.keep(_KEPT, self._kept | kept)

    def _record_waiting(self, camera: str) -> None:
        """Record the changes of cause that wait, in order. Raises as the disk; what is left waits on."""
        waiting = self._waiting.get(camera, [])
        while waiting:
            at, cause = waiting[0]
            with self._all_or_nothing(camera) as book:
                before = book.open
                spooled_leaves = self._write(camera, book.missing(at, cause, now=self.clock.now()))
                if book.open != before:
                    self.save()
            del waiting[0]
            self.deliver(spooled_leaves)

    @contextmanager
    def _all_or_nothing(self, camera: str) -> Iterator[GapBook]:
        """Undo the change if the disk does not take it: a gap without its ticket would be a hole."""
        book = self._books[camera]
        before = (book.open, book.covered_until)
        try:
            yield book
        except ArchiveError:
            book.open, book.covered_until = before
            raise

    def _write(self, camera: str, gaps: Sequence[Gap]) -> list[SpooledLeaf]:
        """Write the tickets. The caller delivers them, each only once, after the account has changed."""
        place = self._places.get(camera)
        folder = self.spool.root / "gaps"
        return [write_ticket(folder / f"{gap.gap}-{gap.span.end}.ticket", gap, place) for gap in gaps]
