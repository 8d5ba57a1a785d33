"""Destroys a locked object in a folder: only for break-glass, and not in the port.

Any account that may write in the folder is its root; there is no other credential.
"""

from dataclasses import replace

from archive.errors import NotFound, Refused
from archive.objects import checks as rules
from archive.objects.filesystem.store import FilesystemStore
from archive.ports import LockMode


class LockedDestroyer(FilesystemStore):
    """The store with one more way to delete. Thread-safe as the store."""

    def destroy(self, key: str, *, version: str) -> None:
        """Destroy the object in spite of a GOVERNANCE lock; idempotent when it is already gone.

        The lock is removed durably first, so that after a crash in between the same call can destroy the
        object.

        Raises:
            Refused: ``under_hold``; ``compliance_locked``.
            Unavailable: the disk failed.
        """
        try:
            with self._rewriting(key, version) as (folder, facts):
                lock = facts.lock
                if facts.held:
                    raise Refused(
                        f"{key} is under a legal hold", code="under_hold", hint="Release the hold first."
                    )
                if lock is not None and lock.until > self._clock.now():
                    if lock.mode is LockMode.COMPLIANCE:
                        raise rules.compliance_locked(key)
                    self._write_sidecar(folder, replace(facts, lock=None))
        except NotFound:
            return
        self.delete_version(key, version=version)
