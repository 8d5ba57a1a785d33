"""What is due: the policies in force, turned into one answer per segment. Pure except for its inputs.

Two rules exist. By *retention*, footage is due when the longest term of the policy in force is over. By
*pressure*, it is due when the shortest term is over and the policy permits destruction to relieve a full
store.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from archive.footage.places import PlaceHistory
from archive.lifecycle.retention.book import PolicyBook, Ruling
from archive.model.camera import Place
from archive.model.disposition import Cause


@dataclass
class Rule:
    """Which segments are due at ``cutoff``, for one cause, by the policies in force ``at`` (µs, not earlier).

    A cutoff on the full hour lets two processes decide the same. The policies are always those of now, so
    that a term lengthened a minute ago counts. Not shared between threads.
    """

    cause: Cause
    book: PolicyBook
    places: PlaceHistory
    at: int
    cutoff: int
    _rulings: dict[tuple[str, Place | None], Ruling] = field(default_factory=dict)

    def ordering(self, camera: str, start: int) -> Ruling | None:
        """The ruling by which a segment that starts then is due; None if it is not due.

        A policy keeps at least its minimum and the installation's floor, whatever its maximum says.
        """
        ruling = self.ruling(camera, start)
        due = self._due(ruling)(start)
        if ruling.scope is None or due is None or due > self.cutoff:
            return None
        return None if ruling.locked_until(start) > self.cutoff else ruling

    def ruling(self, camera: str, start: int) -> Ruling:
        """What the policies say of a segment that starts then."""
        return self._ruling(camera, self.places.place(camera, start))

    def horizon(self, camera: str) -> int | None:
        """Nothing of the camera that starts after this is due; None if nothing of the camera can be due."""
        places: set[Place | None] = {None, *self.places.all_of(camera)}
        dues = [self._due(self._ruling(camera, place))(0) for place in places]
        waits = [due for due in dues if due is not None]
        return self.cutoff - min(waits) if waits else None

    def _ruling(self, camera: str, place: Place | None) -> Ruling:
        known = self._rulings.get((camera, place))
        if known is None:
            known = self._rulings[camera, place] = self.book.ruling(camera, place, self.at)
        return known

    def _due(self, ruling: Ruling) -> Callable[[int], int | None]:
        return ruling.due_at if self.cause is Cause.RETENTION else ruling.spare_at
