"""The accounts of all cameras' time, kept on disk, with every gap record as a ticket.

Thread-safe: sessions are timed in worker threads. A gap's ticket is durable before the footage that ends it,
so that a crash between the two leaves no hole (invariant I6).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.footage.ingest import Parcel, write_ticket
from archive.ids import new_run_id
from archive.model.camera import Place
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment
from archive.timespan import MINUTE
from recorder.gaps import GapBook
from recorder.spool import Spool

_KEPT = "accounts.json"
_YOUNG = MINUTE


@dataclass(slots=True)
class Accounts:
    """One :class:`~recorder.gaps.GapBook` per camera. ``deliver`` takes the tickets on to the archive."""

    spool: Spool
    clock: Clock
    recorder: str
    deliver: Callable[[Sequence[Parcel]], None]
    _books: dict[str, GapBook] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _kept: JsonObject = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> None:
        """Read what the last recorder here had kept."""
        self._kept = self.spool.kept(_KEPT) or {}

    def knows(self, camera: str) -> bool:
        """Whether the camera's account is open, or was kept by the last recorder here."""
        return camera in self._books or camera in self._kept

    def open(self, camera: str, place: Place | None, *, since: int) -> None:
        """Open the account of a camera whose time is accounted for up to ``since`` or, if kept, later."""
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

    def covered_until(self, camera: str) -> int:
        """Up to where the camera's time is accounted for."""
        with self._turn:
            return self._books[camera].covered_until

    def open_cause(self, camera: str) -> GapCause | None:
        """The cause of the gap that is open now, or None."""
        with self._turn:
            gap = self._books[camera].open
            return None if gap is None else gap.cause

    def missing(self, camera: str, at: int, cause: GapCause) -> None:
        """From ``at`` on there is no footage because of ``cause``."""
        with self._turn:
            with self._all_or_nothing(camera) as book:
                before = book.open
                parcels = self._write(camera, book.missing(at, cause, now=self.clock.now()))
                if book.open != before:
                    self.save()
            self.deliver(parcels)

    def footage_from(self, camera: str, start: int, otherwise: GapCause) -> None:
        """Footage from ``start`` on is about to be kept; the gap before it is recorded first."""
        with self._turn:
            with self._all_or_nothing(camera) as book:
                had_gap = book.open is not None
                now = self.clock.now()
                parcels = self._write(camera, book.footage_from(start, now=now, otherwise=otherwise))
                if had_gap:
                    self.save()
            self.deliver(parcels)

    def covered(self, camera: str, end: int) -> None:
        """Footage up to ``end`` is kept. Its ticket says so after a crash; nothing is written here."""
        with self._turn:
            self._books[camera].covered(end)

    def instead(self, segment: Segment, cause: GapCause) -> None:
        """The archive will not have this segment: a gap of its own, inside what was accounted for.

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
        """Record the open gap as far as it has come, once an hour."""
        with self._turn:
            with self._all_or_nothing(camera) as book:
                parcels = self._write(camera, book.rewrite(self.clock.now(), young=_YOUNG))
            self.deliver(parcels)

    def stop(self, cameras: Sequence[str]) -> None:
        """The recorder of these cameras stops: their open gaps are recorded up to now."""
        with self._turn:
            now = self.clock.now()
            for camera in cameras:
                with self._all_or_nothing(camera) as book:
                    parcels = self._write(camera, book.so_far(now, now=now))
                self.deliver(parcels)
            self.save()

    def save(self) -> None:
        """Keep the accounts on disk."""
        with self._turn:
            kept = {camera: book.to_json() for camera, book in self._books.items()}
            self.spool.keep(_KEPT, self._kept | kept)

    @contextmanager
    def _all_or_nothing(self, camera: str) -> Iterator[GapBook]:
        """What the disk does not take has not happened: a gap without its ticket would be a hole."""
        book = self._books[camera]
        before = (book.open, book.covered_until)
        try:
            yield book
        except ArchiveError:
            book.open, book.covered_until = before
            raise

    def _write(self, camera: str, gaps: Sequence[Gap]) -> list[Parcel]:
        """Tickets, to be delivered once the account stands: a ticket is delivered only once."""
        place = self._places.get(camera)
        folder = self.spool.root / "gaps"
        return [write_ticket(folder / f"{gap.gap}-{gap.span.end}.ticket", gap, place) for gap in gaps]
