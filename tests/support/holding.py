"""Holds in tests: an archive with cameras, the service, the sweep, and segments that arrive on demand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.service import HoldHead, Holds
from archive.model import leaf as leaves
from archive.model.segment import ClockStatement, Segment
from archive.ports import Content, IndexEntry, Lock, LockMode, Stores
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, SECOND, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import RUN, T0


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@dataclass
class Fuse:
    """Counts calls over several parts and dies at one, before it or after it (then its answer is lost)."""

    at: int
    is_after: bool = False
    calls: int = 0

    def around(self, part: Any) -> Any:
        return _Fused(part, self)


class _Fused:
    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part, self._fuse = part, fuse

    def __getattr__(self, name: str) -> Any:
        found, fuse = getattr(self._part, name), self._fuse
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            fuse.calls += 1
            if fuse.calls == fuse.at and not fuse.is_after:
                raise Killed
            answer = found(*arguments, **options)
            if fuse.calls == fuse.at:
                raise Killed
            return answer

        return call


@dataclass
class Holding:
    """A small archive with holds. ``stores`` may differ from the folder's."""

    archive: SmallArchive
    holds: Holds
    sweeper: Sweeper
    segments: list[Segment] = field(default_factory=list)

    def place(self, start: float, end: float, *cameras: str, actor: str = "os:ani") -> HoldHead:
        """A hold over seconds after T0."""
        return self.holds.place(
            cameras=cameras or ("cam-1",),
            span=seconds(start, end),
            case="LP/B/123/XI/2026",
            owner="Polrestabes Makassar",
            basis="KUHAP 39",
            review_at=self.archive.clock.now() + 30 * DAY,
            actor=actor,
        )

    def release(self, hold_id: str) -> HoldHead:
        """Two people release the hold."""
        self.holds.propose_release(hold_id, actor="os:ani", reason="closed")
        return self.holds.approve_release(hold_id, actor="os:budi")

    def arrive(
        self,
        start: float,
        length: float = 10,
        *,
        camera: str = "cam-1",
        is_held: bool = False,
        is_indexed: bool = True,
        lock: Lock | None = None,
    ) -> Segment:
        """Put a segment as a recorder does that knows these holds."""
        span = seconds(start, start + length)
        body = f"{camera}/{start}/{len(self.segments)}".encode() * 20
        segment = Segment(
            camera=camera,
            recorder="rec-1",
            run=RUN,
            seq=len(self.segments),
            span=span,
            media_duration=round(length * 90_000),
            sha256=sha256(body).hexdigest(),
            size=len(body),
            header_bytes=40,
            codec="h264",
            gop="closed",
            frames=150,
            clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
            camera_time=None,
            ingested_at=span.end + SECOND,
        )
        stored = self.archive.stores.footage.put(
            segment.key,
            Content.of_bytes(body),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
            lock=lock or Lock(LockMode.GOVERNANCE, self.archive.clock.now() + 30 * DAY),
            hold=is_held,
        )
        if is_indexed:
            self.archive.index.add(
                [IndexEntry(leaf=segment, place=None, version=stored.version, held=is_held)]
            )
        self.segments.append(segment)
        return segment

    def book(self) -> HoldBook:
        """The holds now, by the ledger."""
        return HoldBook.of_entries(self.archive.ledger.heads("hold"))

    def flagged(self) -> set[int]:
        """Numbers of the segments whose flag is set in the store."""
        return {one.seq for one in self.segments if self.archive.stores.footage.head(one.key).held}

    def covered(self) -> set[int]:
        """Numbers of the segments that must be held, by the ledger."""
        book = self.book()
        return {one.seq for one in self.segments if book.is_held(one)}

    def flagged_in_index(self) -> set[int]:
        """Numbers of the segments that the index shows as held."""
        whole = Timespan(T0 - 400 * DAY, T0 + 400 * DAY)
        return {
            ref.seq
            for camera in {one.camera for one in self.segments}
            for ref in self.archive.index.segments(camera, whole)
            if ref.held
        }

    def settle(self) -> None:
        """Run the sweep until it has no more work."""
        for _ in range(3):
            self.archive.clock.advance(16 * SECOND)
            self.sweeper.run()

    def restarted(self, fuse: Fuse | None = None) -> Sweeper:
        """Another worker; a fuse makes it die at its call."""
        archive = self.archive
        stores, index, ledger = archive.stores, archive.index, archive.ledger
        if fuse is not None:
            stores = Stores(*(fuse.around(one) for one in (stores.footage, stores.records, stores.cache)))
            index, ledger = fuse.around(index), Ledger(stores.records, archive.clock)
        return Sweeper(stores, ledger, index, archive.clock)

    def incidents(self) -> list[str]:
        """The codes of recorded incidents."""
        return sorted(entry.state["code"] for entry in self.archive.ledger.heads("integrity_incident"))


def holding(folder: Path, *, cameras: Iterable[str] = ("cam-1", "cam-2")) -> Holding:
    """An archive with two cameras and nothing else; the clock shows a minute after T0."""
    archive = small_archive(folder)
    for camera in cameras:
        archive.registry.add(camera_form(camera), actor="os:tester")
    archive.clock.advance(MINUTE)
    return over(archive)


def over(archive: SmallArchive) -> Holding:
    """Service and sweep over an archive."""
    return Holding(
        archive,
        Holds(archive.ledger, archive.stores.records, archive.index, archive.clock),
        Sweeper(archive.stores, archive.ledger, archive.index, archive.clock),
    )


def seconds(start: float, end: float) -> Timespan:
    """A span in seconds after T0."""
    return Timespan(T0 + round(start * SECOND), T0 + round(end * SECOND))
