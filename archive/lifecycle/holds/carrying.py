"""One hour of one camera: setting the flags that a hold asks for, clearing flags that no hold needs.

This module turns failures into integrity incidents and updates the index. If the index does not answer, flags
are still set: the error is kept and raised when the sweep is over.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from archive.errors import ArchiveError
from archive.lifecycle.holds.covered import Covered, Folder, SegmentSource
from archive.lifecycle.holds.flags import Failure, Flags
from archive.lifecycle.holds.service import Documents
from archive.model.hold import Hold
from archive.model.segment import SegmentRef
from archive.ports import ObjectVersion
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.streams import Ledger

BATCH = 500
FOUND_BY = "job:holds"


class HoldIndex(SegmentSource, Documents, Protocol):
    """What the sweep needs of the index."""

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Mark these segments as held; idempotent."""
        ...

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Mark these segments as not held; idempotent."""
        ...


@dataclass(slots=True)
class FolderCount:
    """The outcome for some versions: ``kept`` stay held by another hold, ``troubles`` are on record."""

    verified: int = 0
    kept: int = 0
    changed: int = 0
    troubles: int = 0


class Carrier:
    """Carries holds to the versions of one folder at a time."""

    def __init__(self, flags: Flags, covered: Covered, ledger: Ledger, index: HoldIndex) -> None:
        self._flags = flags
        self._covered = covered
        self._ledger = ledger
        self._index = index
        self._index_trouble: ArchiveError | None = None

    def hold(self, hold_id: str, folder: Folder, is_current: Callable[[], bool]) -> FolderCount:
        """Set and verify every flag. ``is_current`` says whether the hold's entry still asks for it."""
        failures = self._flags.place(folder.versions)
        return self._held(hold_id, folder, failures, len(folder.versions) - len(failures), is_current)

    def confirm(self, hold_id: str, folder: Folder, is_current: Callable[[], bool]) -> FolderCount:
        """Verify flags that were verified before. A flag that was taken away is reported and set again."""
        gone = self._flags.confirm(folder.versions)
        if gone and is_current():
            self._report(hold_id, gone)
        failures = self._flags.place([failure.version for failure in gone])
        return self._held(hold_id, folder, failures, len(gone) - len(failures), is_current)

    def free(self, hold_id: str, folder: Folder, holds_now: Callable[[], Sequence[Hold]]) -> FolderCount:
        """Clear the flags that no hold in force asks for; ``holds_now`` reads the holds again."""
        count, versions = FolderCount(), iter(folder.versions)
        while batch := list(islice(versions, BATCH)):
            self._free(hold_id, folder, batch, holds_now, count)
        return count

    def tidy(self, folder: Folder, holds_now: Callable[[], Sequence[Hold]]) -> FolderCount:
        """Clear every flag that is set and that no hold in force asks for, regardless of who set it."""
        loose = {failure.version for failure in self._flags.confirm(folder.versions)}
        held = tuple(version for version in folder.versions if version not in loose)
        return self.free("no hold", replace(folder, versions=held), holds_now)

    def missing(self, hold_id: str, keys: Iterable[str]) -> int:
        """Open incidents for segments that the index names and the bucket lacks; returns their number."""
        found = sorted(keys)
        for key in found:
            open_integrity_incident(
                self._ledger,
                code="held_segment_missing",
                subject=f"footage:{key}",
                message=f"{key} is under {hold_id}; the index names it and the store does not have it",
                found_by=FOUND_BY,
                details={"hold": hold_id, "key": key},
            )
        return len(found)

    def tell_index(self, call: Callable[[], None]) -> None:
        """Update the index; keep an error for :meth:`index_trouble`."""
        try:
            call()
        except ArchiveError as error:
            self._index_trouble = self._index_trouble or error

    def index_trouble(self) -> ArchiveError | None:
        """The first error of the index since the last call."""
        trouble, self._index_trouble = self._index_trouble, None
        return trouble

    def _held(
        self,
        hold_id: str,
        folder: Folder,
        failures: Sequence[Failure],
        changed: int,
        is_current: Callable[[], bool],
    ) -> FolderCount:
        if failures and is_current():
            self._report(hold_id, failures)
        self.tell_held(folder, except_of=failures)
        verified = len(folder.versions) - len(failures)
        return FolderCount(verified=verified, changed=changed, troubles=len(failures))

    def tell_held(self, folder: Folder, except_of: Sequence[Failure] = ()) -> None:
        """Mark segments as held that the index has as free: stored before a hold and indexed after it."""
        failed = {failure.version.key for failure in except_of}
        held = {version.key for version in folder.versions} - failed
        news = [ref for key, ref in folder.indexed.items() if key in held and not ref.held]
        if news:
            self.tell_index(lambda: self._index.mark_held(news))

    def _free(
        self,
        hold_id: str,
        folder: Folder,
        batch: Sequence[ObjectVersion],
        holds_now: Callable[[], Sequence[Hold]],
        count: FolderCount,
    ) -> None:
        kept = self._held_of(folder, batch, holds_now())
        free = [version for version in batch if version not in kept]
        failures = self._flags.free(free)
        # A hold placed since the last look may rely on flags that were just cleared: set them again.
        again = self._held_of(folder, free, holds_now())
        lost = self._flags.place(sorted(again, key=lambda version: (version.key, version.version)))
        self._report(hold_id, lost)
        failures = [failure for failure in failures if failure.version not in again]
        self._report(hold_id, failures, code="hold_not_cleared")
        freed = set(free) - again - {failure.version for failure in failures}
        names = {version.key for version in freed}
        refs = [ref for key, ref in folder.indexed.items() if key in names and ref.held]
        if refs:
            self.tell_index(lambda: self._index.mark_free(refs))
        count.kept += len(kept) + len(again) - len(lost)
        count.verified += len(freed)
        count.changed += len(freed)
        count.troubles += len(lost) + len(failures)

    def _held_of(
        self, folder: Folder, versions: Sequence[ObjectVersion], holds: Sequence[Hold]
    ) -> set[ObjectVersion]:
        ours = [hold for hold in holds if folder.camera in hold.cameras]
        return {
            version
            for version in versions
            if self._covered.is_held(ours, version, folder.indexed.get(version.key))
        }

    def _report(self, hold_id: str, failures: Sequence[Failure], *, code: str = "hold_not_kept") -> None:
        for failure in failures:
            version = failure.version
            open_integrity_incident(
                self._ledger,
                code="held_segment_missing" if failure.is_missing else code,
                subject=f"footage:{version.key}:{version.version}",
                message=f"{version.key} and {hold_id}: {failure.message}",
                found_by=FOUND_BY,
                details={"hold": hold_id, "key": version.key, "version": version.version},
            )
