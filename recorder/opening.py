"""Opens the accounts of cameras that a recorder takes: where the time begins that it has to account for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from archive.errors import ArchiveError
from archive.model.camera import Camera
from recorder.accounts import Accounts
from recorder.archiver import Log


@dataclass(slots=True)
class Opening:
    """``high_water`` asks the index for the end of a camera's newest segment or gap.

    ``is_shared`` says whether other recorders may have recorded cameras whose accounts this one kept. ``new``
    are cameras that nobody can have recorded before.
    """

    high_water: Callable[[str], int | None]
    log: Log
    is_shared: bool = False
    new: set[str] = field(default_factory=set)
    _failed: ArchiveError | None = None

    def begin(self) -> None:
        """Ask the index again, if it did not answer."""
        self._failed = None

    def open(self, camera: Camera, accounts: Accounts, *, alive: int = 0, oldest: int = 0) -> None:
        """Open a camera's account at what the index knows of it, or where this recorder's own account stood.

        The camera is new if it was never recorded, and registered since ``alive``. If the index does not
        answer, its time is accounted for up to ``oldest``, or its registration if that is later.
        """
        since = camera.registered_at
        mark: int | None = None
        was_known = accounts.knows(camera.id)
        if self.is_shared or not was_known:
            try:
                mark = self._mark(camera)
            except ArchiveError as error:
                self.log.warning("high_water_unknown", camera=camera.id, reason=error.message)
                since = max(since, oldest)
            else:
                since = max(since, mark or since)
                if mark is None and not was_known and camera.registered_at >= alive:
                    self.new.add(camera.id)
        accounts.open(camera.id, camera.place, since=since)
        if mark is not None:
            accounts.elsewhere(camera.id, mark)

    def _mark(self, camera: Camera) -> int | None:
        """As ``high_water``; an index that did not answer is not asked again for the next camera."""
        if self._failed is not None:
            raise self._failed
        try:
            return self.high_water(camera.id)
        except ArchiveError as error:
            self._failed = error
            raise
