"""Removes a session's tickets once the archive has them."""

import threading
from pathlib import Path

from archive.durable import disk_errors
from archive.footage.ingest import SpooledLeaf, read_ticket, read_tickets, ticket_paths
from archive.model.segment import Segment
from recorder.spool import CaptureFolder, Spool


class Releases:
    """The tickets of a session that still exist, and when its folder may be removed. Thread-safe."""

    def __init__(self, folder: CaptureFolder, spool: Spool) -> None:
        self._folder = folder
        self._spool = spool
        self._turn = threading.Lock()
        self._waiting: set[Path] = set()
        self._newest: SpooledLeaf | None = None
        self._fresh: list[SpooledLeaf] = []
        self._closed = (folder.path / "closed").exists()

    def add(self, spooled: SpooledLeaf) -> None:
        """Add a new ticket. The previous newest one is then removed, if the archive has its segment."""
        self._fresh.append(spooled)
        self._add(spooled)

    def fresh(self) -> list[SpooledLeaf]:
        """What was added since the last call, in order; also by a call that then failed.

        Of a ticket that was written twice only the newer counts.
        """
        found, self._fresh = {one.ticket: one for one in self._fresh}, []
        return list(found.values())

    def _add(self, spooled: SpooledLeaf) -> None:
        spooled.on_release = self.release
        with self._turn:
            self._waiting.add(_stem(spooled))
            before = self._newest
            if spooled.media is not None:
                self._newest = spooled
                if before is not None and _stem(before) not in self._waiting:
                    before.ticket.unlink(missing_ok=True)

    def release(self, spooled: SpooledLeaf) -> None:
        """The archive has the leaf (step 8; its segment is already removed)."""
        if spooled.media is not None and isinstance(spooled.leaf, Segment):
            self._spool.account_for(-spooled.leaf.size)
        with self._turn:
            self._waiting.discard(_stem(spooled))
            if self._closed or spooled is not self._newest:
                spooled.ticket.unlink(missing_ok=True)
            self._go_if_done()

    def close(self) -> None:
        """The session ended: no more tickets will follow."""
        with disk_errors("closed"):
            (self._folder.path / "closed").touch()
        self._folder.let_go()
        with self._turn:
            self._closed = True
            self._go_if_done()

    def newest_on_disk(self) -> SpooledLeaf | None:
        """The newest segment's ticket; only it holds the state of the timeline."""
        tickets = [path for path in ticket_paths(self._folder.path) if path.stem.isdigit()]
        return read_ticket(tickets[-1]) if tickets else None

    def take_up(self) -> list[SpooledLeaf]:
        """The tickets on disk that are not fully archived.

        A journalled segment's ticket without its segment is complete: step 8 removes the segment first.
        """
        found = list(read_tickets(self._folder.path))
        waiting = [
            spooled
            for spooled in found
            if spooled.media is not None or not spooled.journalled or not isinstance(spooled.leaf, Segment)
        ]
        for spooled in waiting:
            self._add(spooled)
            if spooled.media is not None and isinstance(spooled.leaf, Segment):
                self._spool.account_for(spooled.leaf.size)
        return waiting

    @property
    def is_closed(self) -> bool:
        """Whether no more tickets will follow."""
        return self._closed

    def _go_if_done(self) -> None:
        if self._closed and not self._waiting:
            self._spool.remove(self._folder)


def _stem(spooled: SpooledLeaf) -> Path:
    return spooled.ticket.with_suffix("")
