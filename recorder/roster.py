"""The cameras to record, kept up to date from the ledger.

A refresh costs one listing; only a stream that grew is read. The last answer is kept in the spool, so that a
start without the store records the same cameras as before.
"""

from collections.abc import Collection
from typing import Protocol

from archive.errors import Malformed
from archive.model.camera import Camera, from_state, to_state
from archive.ports import ObjectStore
from archive.records.ledger.heads import LenientHeads
from archive.records.ledger.streams import Ledger
from recorder.spool import Spool

_KEPT = "roster.json"
_LOOKING = 8
"""A listing is followed by a pause of so many times its own length. With 20 times a change took up to 4.7 s
among 500 cameras, whose listing takes 0.1 s on a busy host."""


def pause_after(took: float, *, shortest: float, longest: float) -> float:
    """Seconds until the next refresh, after one that took ``took``.

    Where a listing is quick a change takes effect within two seconds; where it is long, as with ten thousand
    cameras, recorders look no more often than every ``longest``.
    """
    return min(longest, max(shortest, _LOOKING * took))


class Sources(Protocol):
    """Gives whole source URLs."""

    def source_of(self, camera: Camera) -> str:
        """The camera's URL with its secrets. Raises IntegrityError ``secret_unreadable``."""
        ...


class Roster:
    """The cameras of the ledger, or those of them named in ``only``. Not thread-safe."""

    def __init__(
        self, ledger: Ledger, records: ObjectStore, spool: Spool, *, only: Collection[str] = ()
    ) -> None:
        self._heads: LenientHeads[Camera] = LenientHeads(
            ledger, records, "camera", lambda entry: from_state(entry.state)
        )
        self._spool = spool
        self._only = frozenset(only)
        self._versions: dict[str, int] = {}
        self._cameras: dict[str, Camera] = {}
        self.unreadable: dict[str, str] = {}

    @property
    def damaged(self) -> list[str]:
        """Names of the spool's files that the disk damaged."""
        return self._spool.damaged

    def remembered(self) -> list[Camera]:
        """The cameras that the spool kept from an earlier refresh; none if the disk damaged that file."""
        kept = self._spool.kept(_KEPT)
        try:
            cameras = [] if kept is None else [from_state(state) for state in kept["cameras"]]
        except (Malformed, KeyError, TypeError, AttributeError):
            self._spool.set_damaged_aside(_KEPT)
            cameras = []
        self._cameras = {camera.id: camera for camera in cameras}
        return self._chosen()

    def refresh(self) -> list[Camera]:
        """The cameras in the ledger now. Raises as the store.

        If a camera's newest entry cannot be read, its last known record stays and no other camera is
        affected; :attr:`unreadable` names it.
        """
        reading = self._heads.refresh()
        self.unreadable = {name: error.message for name, error in reading.unreadable.items()}
        changed = {
            name: known
            for name, known in reading.known.items()
            if self._versions.get(name) != known.entry.version
            and not (name in reading.unreadable and name in self._cameras)
        }
        for name, known in changed.items():
            self._cameras[name] = known.value
            self._versions[name] = known.entry.version
        if changed:
            states = [to_state(camera) for _, camera in sorted(self._cameras.items())]
            self._spool.keep(_KEPT, {"cameras": states})
        return self._chosen()

    def _chosen(self) -> list[Camera]:
        return [
            camera for id_, camera in sorted(self._cameras.items()) if not self._only or id_ in self._only
        ]
