"""Removes a session's tickets once the archive has them."""

import threading
from pathlib import Path

from archive.durable import disk_errors
from archive.footage.ingest import JOURNALLED, TICKET, Parcel, read_ticket, read_tickets
from archive.model.segment import Segment
from recorder.spool import SessionFolder, Spool


class Releases:
    """The tickets of a session that still exist, and when its folder may be removed. Thread-safe."""

    def __init__(self, folder: SessionFolder, spool: Spool) -> None:
        self._folder = folder
        self._spool = spool
        self._turn = threading.Lock()
        self._waiting: set[Path] = set()
        self._newest: Parcel | None = None
        self._closed = (folder.path / "closed").exists()

    def add(self, parcel: Parcel) -> None:
        """Add a ticket. The previous newest one is then removed, if the archive has its segment."""
        parcel.on_release = self.release
        with self._turn:
            self._waiting.add(_stem(parcel))
            before = self._newest
            if parcel.media is not None:
                self._newest = parcel
                if before is not None and _stem(before) not in self._waiting:
                    before.ticket.unlink(missing_ok=True)

    def release(self, parcel: Parcel) -> None:
        """The archive has the parcel (step 8; its segment is already removed)."""
        if parcel.media is not None and isinstance(parcel.leaf, Segment):
            self._spool.account_for(-parcel.leaf.size)
        with self._turn:
            self._waiting.discard(_stem(parcel))
            if self._closed or parcel is not self._newest:
                parcel.ticket.unlink(missing_ok=True)
            self._go_if_done()

    def close(self) -> None:
        """The session ended: no more tickets will follow."""
        with disk_errors("closed"):
            (self._folder.path / "closed").touch()
        self._folder.let_go()
        with self._turn:
            self._closed = True
            self._go_if_done()

    def newest_on_disk(self) -> Parcel | None:
        """The newest segment's ticket; only it holds the state of the timeline."""
        tickets = sorted(
            path for path in self._folder.path.iterdir()
            if path.suffix in (TICKET, JOURNALLED) and path.stem.isdigit()
        )  # fmt: skip
        return read_ticket(tickets[-1]) if tickets else None

    def take_up(self) -> list[Parcel]:
        """The tickets on disk that are not fully archived.

        A journalled segment's ticket without its segment is complete: step 8 removes the segment first.
        """
        found = list(read_tickets(self._folder.path))
        waiting = [
            parcel
            for parcel in found
            if parcel.media is not None or not parcel.journalled or not isinstance(parcel.leaf, Segment)
        ]
        for parcel in waiting:
            self.add(parcel)
            if isinstance(parcel.leaf, Segment):
                self._spool.account_for(parcel.leaf.size)
        return waiting

    @property
    def is_closed(self) -> bool:
        """Whether no more tickets will follow."""
        return self._closed

    def _go_if_done(self) -> None:
        if self._closed and not self._waiting:
            self._spool.remove(self._folder)


def _stem(parcel: Parcel) -> Path:
    return parcel.ticket.with_suffix("")
