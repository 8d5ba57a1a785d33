"""Where each camera stood at each time, from the histories of the camera streams.

Retention follows the place where a segment was recorded, not the camera's place today.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from archive.model.camera import Place, from_state
from archive.ports import ObjectStore
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Ledger

KIND = "camera"


class PlaceHistory:
    """Places by camera, oldest first, each with the instant from which the camera stood there."""

    def __init__(self, places: Mapping[str, Sequence[tuple[int, Place]]]) -> None:
        self._places = places

    @classmethod
    def read(cls, ledger: Ledger, records: ObjectStore) -> Self:
        """From every entry of every camera. Raises as the ledger."""
        return cls(
            {
                camera: [(entry.at, from_state(entry.state).place) for entry in ledger.history(KIND, camera)]
                for camera in sorted(ids_of(records, KIND))
            }
        )

    @property
    def cameras(self) -> tuple[str, ...]:
        """Every camera that was ever registered, by id."""
        return tuple(self._places)

    def all_of(self, camera: str) -> tuple[Place, ...]:
        """Every place where the camera ever stood."""
        return tuple(place for _, place in self._places.get(camera, ()))

    def place(self, camera: str, instant: int) -> Place | None:
        """Where the camera stood: its entry valid at ``instant``, its first one for an earlier instant."""
        history = self._places.get(camera)
        if not history:
            return None
        return next((place for at, place in reversed(history) if at <= instant), history[0][1])

    def since(self, camera: str) -> tuple[tuple[int, Place], ...]:
        """The camera's places, each with its instant. The first also covers all time before."""
        return tuple(self._places.get(camera, ()))
