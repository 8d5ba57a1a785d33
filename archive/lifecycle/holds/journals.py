"""Whether every recorder's journal has passed an instant, so that all earlier leaves have arrived.

A recorder that reaches the store uploads a batch within a minute of what it recorded. A recorder whose newest
batch is older may still have footage in its spool.
"""

from archive import keys
from archive.errors import Malformed
from archive.ids import has_cameras
from archive.ports import ObjectStore
from archive.records.recorder_keys import registered_names
from archive.timespan import HOUR, hour_of

LOOK_BACK = 48 * HOUR
"""A recorder without a batch for this long counts as silent; holds wait for what it may still bring."""


class JournalMarks:
    """When each recorder last uploaded a batch, by the store's own time. Not thread-safe."""

    def __init__(self, records: ObjectStore) -> None:
        self._records = records
        self._newest: dict[str, int] = {}
        self._scanned: int | None = None

    def look(self, now: int) -> None:
        """Read the names of batches uploaded since the last look. Raises as the store."""
        hour = hour_of(now - LOOK_BACK) if self._scanned is None else hour_of(self._scanned)
        while hour <= now + HOUR:
            for listed in self._records.list(f"journal/{keys.hour_folder(hour)}/"):
                try:
                    recorder, _ = keys.parse_batch_key(listed.key)
                except Malformed:
                    continue  # not a batch's name; the check of the archive reports it
                self._newest[recorder] = max(listed.stored_at, self._newest.get(recorder, 0))
            hour += HOUR
        # An hour back: a batch keeps the folder of its first attempt.
        self._scanned = now - HOUR

    def behind(self, instant: int) -> tuple[str, ...]:
        """Registered recorders without a batch since ``instant``, by id. Raises as the ledger.

        Imports and adoptions are not waited for: most of the time none goes on. What they sign is in the
        index seconds later, before the next sweep.
        """
        recorders = registered_names(self._records)
        late = (name for name in recorders if self._newest.get(name, 0) < instant)
        return tuple(sorted(name for name in late if has_cameras(name)))
